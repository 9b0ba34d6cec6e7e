# What types say of the type that they hold.
{ lib }:
let
  inherit (lib) mkOption types;
  inner = types.submodule { options.port = mkOption { type = types.int; }; };
  documented = type:
    let
      options = (lib.evalModules { modules = [ { options.a = mkOption { inherit type; }; } ]; }).options;
    in
    map (one: one.name) (builtins.filter (one: !(lib.hasPrefix "_module" one.name) && !(lib.hasInfix "_module" one.name)) (lib.optionAttrSetToDocList options));
in
builtins.mapAttrs (_: type: {
  names = lib.sort (a: b: a < b) (documented type);
  held = type.nestedTypes.elemType.name;
}) {
  list = types.listOf inner;
  set = types.attrsOf inner;
  lazySet = types.lazyAttrsOf inner;
  named = types.attrsWith { elemType = inner; placeholder = "host"; };
  orNull = types.nullOr inner;
  once = types.uniq inner;
  function = types.functionTo inner;
  nested = types.attrsOf (types.listOf inner);
}
