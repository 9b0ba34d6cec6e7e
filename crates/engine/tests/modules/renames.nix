# Options that have another name, another type, or are no more.
{ lib }:
let
  inherit (lib) mkOption types;
  base =
    { lib, ... }:
    {
      options = {
        assertions = mkOption {
          type = types.listOf types.raw;
          default = [ ];
        };
        warnings = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
        new.name = mkOption {
          type = types.str;
          default = "unset";
        };
        new.list = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
        new.sum = mkOption {
          type = types.int;
          default = 0;
        };
        new.text = mkOption {
          type = types.str;
          default = "";
        };
        new.set = mkOption {
          type = types.attrsOf types.int;
          default = { };
        };
      };
      imports = [
        (lib.mkRenamedOptionModule [ "old" "name" ] [ "new" "name" ])
        (lib.mkRenamedOptionModuleWith {
          from = [ "old" "list" ];
          to = [ "new" "list" ];
          sinceRelease = 2305;
        })
        (lib.mkAliasOptionModule [ "also" "set" ] [ "new" "set" ])
        (lib.mkRemovedOptionModule [ "old" "gone" ] "Use new.name.")
        (lib.mkMergedOptionModule [ [ "old" "a" ] [ "old" "b" ] ] [ "new" "sum" ] (
          config: (if config.old.a == "_mkMergedOptionModule" then 0 else config.old.a) + config.old.b
        ))
        (lib.mkChangedOptionModule [ "old" "number" ] [ "new" "text" ] (config: toString config.old.number))
      ];
    };
  evaluate = modules: lib.evalModules { modules = [ base ] ++ modules; };
  seen =
    modules:
    let
      result = evaluate modules;
    in
    {
      inherit (result.config) new;
      assertions = map (one: one.assertion) result.config.assertions;
      warnings = builtins.length result.config.warnings;
    };
  value = path: modules: builtins.tryEval (lib.getAttrFromPath path (evaluate modules).config);
in
{
  none = seen [ ];
  renamed = seen [ { old.name = "x"; } ];
  byDefault = seen [
    { old.name = lib.mkDefault "weak"; }
    { new.name = "strong"; }
  ];
  byForce = seen [
    { old.name = lib.mkForce "strong"; }
    { new.name = "weak"; }
  ];
  lists = seen [
    { old.list = [ "b" ]; }
    { old.list = lib.mkBefore [ "a" ]; }
    { new.list = [ "c" ]; }
  ];
  conditional = seen [ { old.name = lib.mkIf false "x"; } ];
  merged = seen [ { config = lib.mkMerge [ { old.list = [ "a" ]; } { old.list = [ "b" ]; } ]; } ];
  aliased = seen [
    { also.set.a = 1; }
    { new.set.b = 2; }
  ];
  readAlias = value [ "also" "set" ] [ { new.set.b = 2; } ];
  readOld = value [ "old" "name" ] [ { new.name = "y"; } ];
  removed = seen [ { old.gone = 1; } ];
  readRemoved = value [ "old" "gone" ] [ { } ];
  sum = seen [
    {
      old.a = 1;
      old.b = 2;
    }
  ];
  changed = seen [ { old.number = 12; } ];
  derived = seen [
    (
      { options, ... }:
      {
        old.name = "base";
        new.text = lib.mkDerivedConfig options.new.name (name: name + "!");
      }
    )
  ];
  passedOn = seen [
    (
      { options, ... }:
      {
        old.list = [ "one" ];
        new.set = lib.mkIf options.old.list.isDefined { listed = 1; };
      }
    )
  ];
}
