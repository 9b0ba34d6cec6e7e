let
  a = 1; b = 2;
  with' = with { a = 10; c = 30; }; [ a b c ];
  nested = with { x = 1; y = 2; }; with { y = 20; z = 30; }; [ x y z ];
  rec' = rec { a = 5; b = a + 1; c = { inherit a b; }; };
  inh = let s = { p = 1; q = 2; }; in { inherit (s) p q; inherit a; };
  inh2 = rec { inherit ({ m = n + 1; }) m; n = 41; };
  shadow = let a = 7; in let a = 8; f = a: a + b; in [ a (f 100) ];
  old = let { body = x + y; x = 1; y = 2; };
  deep = x: y: z: let w = x + y + z; in { v ? w }: [ v w ];
in [ with' nested rec' inh inh2 shadow old (deep 1 2 3 { }) (deep 1 2 3 { v = 0; }) ]
