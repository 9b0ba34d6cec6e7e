# Evaluations that are taken further, types that several modules declare together, modules that are left out.
{ lib }:
let
  inherit (lib) mkOption types;
  number = default: mkOption {
    type = types.int;
    inherit default;
  };
  config = modules: (lib.evalModules { inherit modules; }).config;
  clean = value: if builtins.isAttrs value then builtins.mapAttrs (_: clean) (removeAttrs value [ "_module" ]) else value;
  keyed = key: extra: { inherit key; } // extra;
  base = lib.evalModules {
    modules = [
      {
        options.a = number 1;
        options.b = number 2;
      }
    ];
    class = "machine";
  };
  caught = value: (builtins.tryEval (builtins.deepSeq value value)).success;
in
{
  extended = clean (base.extendModules { modules = [ { a = 5; } ]; }).config;
  extendedTwice =
    clean
      ((base.extendModules { modules = [ { a = lib.mkDefault 5; } ]; }).extendModules { modules = [ { a = 6; } ]; })
      .config;
  ofItself = clean (config [
    (
      { extendModules, config, ... }:
      {
        options.a = number 1;
        options.seen = mkOption { default = (extendModules { modules = [ { a = 7; } ]; }).config.a + config.a; };
      }
    )
  ]);
  asType = clean (config [
    {
      options.inner = mkOption { inherit (base) type; };
      config.inner.b = 9;
    }
  ]);
  variants = (config [
    (
      { moduleType, ... }:
      {
        options.name = mkOption {
          type = types.str;
          default = "one";
        };
        options.variants = mkOption {
          type = types.lazyAttrsOf moduleType;
          default = { };
        };
        config.variants.other.name = lib.mkForce "two";
      }
    )
  ]).variants.other.variants.other.name;
  class = base.class;
  ofClass = caught (base.extendModules { modules = [ { _class = "machine"; a = 3; } ]; }).config.a;
  ofOtherClass = caught (base.extendModules { modules = [ { _class = "phone"; } ]; }).config.a;
  prefix = clean (config [
    {
      options.in-side = mkOption {
        type = types.submodule (
          { _prefix, ... }:
          {
            options.here = mkOption { default = _prefix; };
          }
        );
        default = { };
      };
    }
  ]);
  once = clean (config [
    { options.list = mkOption { type = types.listOf types.int; }; }
    (keyed "k" { list = [ 1 ]; })
    { imports = [ (keyed "k" { list = [ 2 ]; }) ]; }
  ]);
  disabled = clean (config [
    {
      options.list = mkOption {
        type = types.listOf types.int;
        default = [ ];
      };
      imports = [
        (keyed 1 {
          imports = [ (keyed "below" { list = [ 1 ]; }) ];
          list = [ 2 ];
        })
        (keyed "kept" { list = [ 3 ]; })
      ];
      disabledModules = [ 1 ];
    }
  ]);
  notChecked = clean (config [
    {
      options.a = number 1;
      config._module.check = false;
      config.unknown = 2;
    }
  ]);
  freeInFolder = clean (config [
    {
      options.nest.declared = number 1;
      config._module.freeformType = types.attrsOf types.anything;
      config.nest.free = "x";
      config.top = true;
    }
  ]);
  freeTypesTogether = clean (config [
    { freeformType = types.attrsOf (types.submodule { options.a = number 1; }); }
    { freeformType = types.attrsOf (types.submodule { options.b = number 2; }); }
    { x.a = 3; }
  ]);
  optionBelow = clean (config [
    {
      options.sub = mkOption {
        type = types.submodule { options.a = number 1; };
        default = { };
      };
    }
    { options.sub.b = number 2; }
    { sub.b = 4; }
  ]);
  enums = clean (config [
    { options.colour = mkOption { type = types.enum [ "red" ]; }; }
    { options.colour = mkOption { type = types.enum [ "green" ]; }; }
    { colour = "green"; }
  ]);
  patterns = caught (config [
    { options.text = mkOption { type = types.strMatching "a+"; }; }
    { options.text = mkOption { type = types.strMatching "b+"; }; }
    { text = "b"; }
  ]);
  functions =
    let
      made = config [
        {
          options.f = mkOption { type = types.anything; };
          options.g = mkOption { type = types.functionTo (types.submodule { options.a = number 1; }); };
        }
        { options.g = mkOption { type = types.functionTo (types.submodule { options.b = number 2; }); }; }
        {
          f = x: { inherit x; };
          g = n: { b = n; };
        }
        { f = y: { inherit y; }; }
      ];
    in
    {
      f = made.f 1;
      g = clean (made.g 3);
    };
  ownMerge = clean (config [
    {
      options.wrapped = mkOption {
        type =
          let
            inner = types.listOf types.int;
          in
          inner // { merge = location: definitions: { all = inner.merge location definitions; }; };
      };
    }
    { wrapped = [ 1 ]; }
    { wrapped = lib.mkBefore [ 0 ]; }
  ]);
  optionTypes = clean (config [
    (
      { config, ... }:
      {
        options.type = mkOption { type = types.optionType; };
        options.value = mkOption { type = config.type; };
        config.value = "b";
      }
    )
    { type = types.enum [ "a" ]; }
    { type = types.enum [ "b" ]; }
  ]).value;
  tags =
    (config [
      {
        options.choice = mkOption {
          type = types.attrsOf (types.attrTag { a = number 1; });
        };
      }
      {
        options.choice = mkOption {
          type = types.attrsOf (types.attrTag { b = mkOption { type = types.str; }; });
        };
      }
      { choice.one.a = 2; }
      { choice.two.b = "x"; }
    ]).choice;
  names =
    let
      made = lib.evalModules {
        modules = [
          {
            options.set = mkOption {
              type = types.attrsWith {
                placeholder = "id";
                elemType = types.submodule { options.a = number 1; };
              };
            };
          }
          { options.set = mkOption { type = types.attrsOf (types.submodule { options.b = number 2; }); }; }
        ];
      };
      below = made.options.set.type.getSubOptions made.options.set.loc;
    in
    map (name: lib.showOption below.${name}.loc) [ "a" "b" ];
  both = clean (config [
    { options.many = mkOption { type = types.attrsOf (types.either types.int (types.listOf types.int)); }; }
    { options.many = mkOption { type = types.attrsOf (types.either types.int (types.listOf types.int)); }; }
    { many.a = 1; many.b = [ 1 ]; }
    { many.b = [ 2 ]; }
  ]);
}
