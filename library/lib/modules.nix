# Modules and what is done with them.
{ lib }:
rec {

  inherit (lib.options)
    defaultOrderPriority
    defaultOverridePriority
    doRename
    mkAfter
    mkAliasAndWrapDefinitions
    mkAliasAndWrapDefsWithPriority
    mkAliasDefinitions
    mkAliasIfDef
    mkAliasOptionModule
    mkAliasOptionModuleMD
    mkAssert
    mkBefore
    mkChangedOptionModule
    mkDefault
    mkDefinition
    mkDerivedConfig
    mkFixStrictness
    mkForce
    mkIf
    mkImageMediaOverride
    mkMerge
    mkMergedOptionModule
    mkOptionDefault
    mkOrder
    mkOverride
    mkRemovedOptionModule
    mkRenamedOptionModule
    mkRenamedOptionModuleWith
    mkVMOverride
    ;
  # Evaluates modules: `{ modules, specialArgs ? { }, prefix ? [ ] }` gives `{ config, options }`.
  #
  # Example: (evalModules { modules = [ { options.a = lib.mkOption { default = 1; }; } ]; }).config => { a = 1; }
  evalModules = lib.evalModules;
  # A module that counts as written in a file, whatever file it comes from.
  #
  # Example: (setDefaultModuleLocation "a.nix" { })._file => "a.nix"
  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };
  # A file that is a function of more than a module gets, with its first argument: a module that keeps its place.
  #
  # Example: builtins.isFunction importApply => true
  importApply = file: argument: setDefaultModuleLocation file (import file argument);
  # A module that sets what a file of JSON says.
  #
  # Example: builtins.isFunction importJSON => true
  importJSON = file: {
    _file = file;
    config = lib.trivial.importJSON file;
  };
  # A module that sets what a file of TOML says.
  #
  # Example: builtins.isFunction importTOML => true
  importTOML = file: {
    _file = file;
    config = lib.trivial.importTOML file;
  };
}
