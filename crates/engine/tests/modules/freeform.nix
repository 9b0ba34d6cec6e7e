# Values without an option are kept where a freeform type takes them.
{ lib }:
(lib.evalModules {
  modules = [
    { freeformType = lib.types.attrsOf lib.types.int; options.known = lib.mkOption { type = lib.types.str; default = "k"; }; }
    { free = 1; other = lib.mkDefault 2; }
  ];
}).config
