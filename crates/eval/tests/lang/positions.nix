let s = {
  a = 1;
    b.c = 2;
  inherit (s) d;
}; in [ (removeAttrs (builtins.unsafeGetAttrPos "a" s) [ "file" ]) (removeAttrs (builtins.unsafeGetAttrPos "b" s) [ "file" ]) (removeAttrs (builtins.unsafeGetAttrPos "d" s) [ "file" ])
  __curPos.line __curPos.column (builtins.unsafeGetAttrPos "x" (builtins.mapAttrs (n: v: v) {
    x = 1; })) (builtins.unsafeGetAttrPos "x" (builtins.listToAttrs [ { name = "x"; value = 1; } ])).line ]
