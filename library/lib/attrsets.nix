# Sets of attributes.
{ lib }:
rec {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    intersectAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if builtins.isAttrs set && builtins.hasAttr (builtins.head path) set then
      attrByPath (builtins.tail path) default set.${builtins.head path}
    else
      default;
  hasAttrByPath =
    path: set:
    path == [ ]
    || (
      builtins.isAttrs set
      && builtins.hasAttr (builtins.head path) set
      && hasAttrByPath (builtins.tail path) set.${builtins.head path}
    );
  setAttrByPath =
    path: value:
    if path == [ ] then value else { ${builtins.head path} = setAttrByPath (builtins.tail path) value; };
  nameValuePair = name: value: { inherit name value; };
  mapAttrs' = f: set: builtins.listToAttrs (mapAttrsToList f set);
  mapAttrsToList = f: set: builtins.map (name: f name set.${name}) (builtins.attrNames set);
  concatMapAttrs = f: set: builtins.foldl' (all: name: all // f name set.${name}) { } (builtins.attrNames set);
  filterAttrs =
    test: set: builtins.removeAttrs set (builtins.filter (name: !(test name set.${name})) (builtins.attrNames set));
  genAttrs = names: f: builtins.listToAttrs (builtins.map (name: nameValuePair name (f name)) names);
  attrsToList = mapAttrsToList nameValuePair;
  foldlAttrs =
    f: initial: set:
    builtins.foldl' (all: name: f all name set.${name}) initial (builtins.attrNames set);
  optionalAttrs = condition: set: if condition then set else { };
  mergeAttrsList = builtins.foldl' (all: set: all // set) { };
  recursiveUpdate =
    left: right:
    left
    // builtins.mapAttrs (
      name: value:
      if builtins.isAttrs value && builtins.isAttrs (left.${name} or null) then
        recursiveUpdate left.${name} value
      else
        value
    ) right;
  isDerivation = value: value.type or null == "derivation";
  getBin = package: package.bin or package;
  getExe = package: "${getBin package}/bin/${package.meta.mainProgram or package.pname or package.name}";
}
