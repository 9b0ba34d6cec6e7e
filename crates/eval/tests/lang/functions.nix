let
  f = { a, b ? a + 1, ... }@args: [ a b (builtins.attrNames args) ];
  g = args@{ x ? 1, y ? x, z ? y }: [ x y z args ];
  functor = { __functor = self: n: self.base + n; base = 40; };
  curried = a: b: c: [ a b c ];
  partial = builtins.map (builtins.add 5) [ 1 2 ];
in [ (f { a = 1; }) (f { a = 1; b = 5; c = 6; }) (g { }) (g { y = 4; }) (functor 2) (curried 1 2 3) partial
     (builtins.functionArgs f) (builtins.functionArgs (x: x)) (builtins.isFunction functor) (builtins.isFunction f)
     (map functor [ 1 2 ]) ]
