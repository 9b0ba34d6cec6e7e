let
  xs = [ (throw "not me") 2 ];
  ones = [ 1 ] ++ ones';
  ones' = [ 1 ];
  s = { a = throw "no"; b = 1; };
  fix = f: let x = f x; in x;
  fibs = fix (self: { f = n: if n < 2 then n else self.f (n - 1) + self.f (n - 2); });
in [ (builtins.length xs) (builtins.elemAt xs 1) s.b (s ? a) (builtins.attrNames s) (fibs.f 15) ones
     (let a = b + 1; b = 2; in a) ((x: 1) (throw "unused")) (true || throw "no") (false && throw "no") ]
