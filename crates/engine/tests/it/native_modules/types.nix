{ lib }:
let
  inherit (lib.modules) mergeDefinitions evalModules;
  make = given: {
    _type = "option-type";
    description = given.name;
    check = _: true;
    merge = lib.options.mergeEqualOption;
    emptyValue = { };
    getSubModules = null;
    substSubModules = _: null;
    typeMerge = functor: if functor == given.name then lib.types.${given.name} else null;
    functor = given.name;
    deprecationMessage = null;
  } // given;
  zip = merge: sets: builtins.zipAttrsWith merge sets;
in
{
  int = make { name = "int"; check = builtins.isInt; };
  text = make { name = "text"; check = builtins.isString; merge = _: defs: builtins.concatStringsSep "," (map (def: def.value) defs); };
  anything = make { name = "anything"; };
  listOf = element: make {
    name = "listOf";
    check = builtins.isList;
    emptyValue = { value = [ ]; };
    merge = loc: defs: map (value: value.mergedValue) (builtins.filter (value: value.isDefined) (builtins.concatMap (def: map (item: mergeDefinitions (loc ++ [ "*" ]) element [ { inherit (def) file; value = item; } ]) def.value) defs));
  };
  attrsOf = element: make {
    name = "attrsOf";
    check = builtins.isAttrs;
    merge = loc: defs: builtins.mapAttrs (_: value: value.mergedValue) (zip (name: defs: mergeDefinitions (loc ++ [ name ]) element defs) (map (def: builtins.mapAttrs (_: value: { inherit (def) file; inherit value; }) def.value) defs));
  };
  folder = modules: make {
    name = "submodule";
    check = builtins.isAttrs;
    getSubModules = modules;
    substSubModules = lib.types.folder;
    merge = loc: defs: (evalModules { prefix = loc; modules = modules ++ map (def: { _file = def.file; config = def.value; }) defs; }).config;
  };
}
