# Conditions guard values, not names: they may depend on other options of the same module.
{ lib }:
let
  inherit (lib) mkOption types mkIf mkMerge;
  flag = mkOption { type = types.bool; default = false; };
  text = mkOption { type = types.lines; default = ""; };
in
(lib.evalModules {
  modules = [
    { options = { a.enable = flag; b.enable = flag; b.text = text; c = mkOption { type = types.nullOr types.int; default = null; }; }; }
    ({ config, ... }: mkIf config.a.enable { b.enable = true; b.text = "from a"; })
    ({ config, ... }: { config = mkMerge [ { a.enable = true; } (mkIf config.b.enable { c = 3; b.text = lib.mkBefore "first"; }) ]; })
  ];
}).config
