let
  s = { b = 2; a = 1; "quoted name" = 3; ${"dyn" + "amic"} = 4; ${null} = 5; };
  big = builtins.listToAttrs (map (n: { name = "k${toString n}"; value = n; }) (builtins.genList (n: n) 60));
  layered = big // { k1 = "one"; new = true; } // { k2 = "two"; } // { k1 = "eins"; };
  merged = { a.b.c = 1; a.b.d = 2; a = { e = 3; }; };
in [ s (builtins.attrNames s) (builtins.attrValues { z = 1; y = 2; }) merged layered.k1 layered.k2 layered.k59 layered.new
     (builtins.length (builtins.attrNames layered)) (builtins.removeAttrs { a = 1; b = 2; } [ "a" "x" ])
     (builtins.intersectAttrs { a = 1; c = 1; } { a = 2; b = 3; c = 4; }) (builtins.catAttrs "a" [ { a = 1; } { b = 2; } { a = 3; } ])
     (builtins.mapAttrs (n: v: "${n}=${toString v}") { a = 1; b = 2; }) (builtins.listToAttrs [ { name = "a"; value = 1; } { name = "a"; value = 2; } ])
     (builtins.zipAttrsWith (n: vs: vs) [ { a = 1; } { a = 2; b = 3; } ]) (builtins.getAttr "a" { a = 9; }) (builtins.hasAttr "a" { })
     (s.missing or "default") (s.a.b.c or "deep") ({ a.b = 5; }.a.b) (builtins.groupBy (x: if x > 2 then "big" else "small") [ 1 2 3 4 ])
     (builtins.unsafeGetAttrPos "a" { }) (removeAttrs layered (builtins.attrNames big)) ]
