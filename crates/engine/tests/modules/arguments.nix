# `_module.args` and `specialArgs` reach modules by name.
{ lib }:
(lib.evalModules {
  specialArgs.special = "s";
  modules = [
    { options.x = lib.mkOption { type = lib.types.str; }; config._module.args.given = "g"; }
    ({ special, given, config, ... }: { x = special + given; })
  ];
}).config.x
