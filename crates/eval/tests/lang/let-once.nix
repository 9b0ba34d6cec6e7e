# Variables of `let` that are used once, by nobody, by each other, in other frames, behind `with`, and in a circle.
let
  once = let a = 1 + 1; in a;
  twice = let a = { n = 1; }; in a == a && [ a ] == [ a ];
  nobody = let a = throw "never"; in 1;
  chain = let a = b; b = c; c = d 1; d = x: x + 1; in a;
  backward = let d = x: x + 1; c = d 1; b = c; a = b; in a;
  dead = let a = b; b = a; c = c; in "dead";
  circle = let a = b; b = a; in { inherit a; x = 2; };
  inner = let a = builtins.trace "once" 3; in x: a + x;
  shared = let a = inner 1; in map (x: a + x) [ 1 2 ];
  shadowed = let a = 1; in let b = a; a = 2; in b + a;
  scope = let a = { b = 5; }; in with a; b;
  source = let a = { b = 6; c = 7; }; in let inherit (a) b; in b;
  default = let a = 8; in ({ b ? a }: b) { };
  condition = x: let yes = x > 1; in if yes then "yes" else "no";
  many = let a = 1; b = 2; c = 3; d = 4; e = a; f = b + d; in [ c e f ];
  inArgument = f: let a = 1; b = 2; c = 3; d = a + b + c; in f (let e = d; g = 1; h = 2; i = 3; in e + g + h + i);
  select = let a = { b.c = 1; }; in a.b.c or 2;
  missing = let a = { b.c = 1; }; d = 9; in a.x.c or d;
  has = let a = { b.c = 1; }; in a ? b.c;
  function = let f = { a ? 1, ... }@args: args // { inherit a; }; in f { b = 2; };
  fails = builtins.tryEval (let a = throw "no"; in a);
  again = let a = fails; in a.success || a.success;
  rest = let a = 1; in rec { b = a; c = b; };
  recursive = let fac = n: if n < 2 then 1 else n * fac (n - 1); in fac 10;
  even = let even = n: n == 0 || odd (n - 1); odd = n: n != 0 && even (n - 1); in even 100;
  prefix = let text = "ab"; in builtins.substring 0 (builtins.stringLength text) "abc" == text;
  asserted = let ok = 1 == 1; in assert ok; let value = "fine"; in value;
in
{
  inherit once twice nobody chain backward dead shared shadowed scope source default many select missing has function
    fails again rest recursive even prefix asserted;
  circle = circle.x;
  condition = [ (condition 1) (condition 2) ];
  inArgument = inArgument (x: x * 2);
}
