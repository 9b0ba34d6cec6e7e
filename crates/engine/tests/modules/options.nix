# What is known of an option.
{ lib }:
let
  r = lib.evalModules {
    modules = [
      { options.a.b = lib.mkOption { type = lib.types.int; default = 1; description = "text"; }; }
      { a.b = lib.mkForce 2; }
    ];
  };
  o = r.options.a.b;
in
{ inherit (o) value isDefined highestPrio description loc default; }
