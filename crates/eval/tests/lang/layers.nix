let
  step = acc: n: acc // { ${"k" + toString (n - n / 700 * 700)} = n; } // (if n - n / 50 * 50 == 0 then { shared = n; } else { });
  all = builtins.foldl' step { } (builtins.genList (n: n) 3000);
  kept = builtins.genList (n: (builtins.foldl' step { } (builtins.genList (m: m) (n * 37))).shared or "none") 20;
in [ (builtins.length (builtins.attrNames all)) all.k1 all.k699 all.shared (builtins.foldl' (a: b: a + b) 0 (builtins.filter builtins.isInt (builtins.attrValues all))) kept
     (all // { k1 = "x"; }).k1 all.k1 (all ? k700) (removeAttrs all (builtins.genList (n: "k" + toString n) 698)) ]
