# Configurations that take one way each through a module system.
lib:
let
  inherit (lib) mkOption mkIf mkForce mkMerge mkOrder mkOverride types;
  option = type: mkOption { inherit type; };
  evaluate = modules: lib.evalModules { inherit modules; };
  fails = value: !(builtins.tryEval (builtins.deepSeq value value)).success;
  base = {
    options.a = mkOption { type = types.int; default = 1; };
    options.b.c = option types.text;
    options.b.d = mkOption { type = types.listOf types.text; apply = list: [ (builtins.length list) ] ++ list; };
    options.fixed = mkOption { type = types.int; default = 7; readOnly = true; };
    options.many = mkOption { type = types.attrsOf (types.folder [ { options.x = mkOption { type = types.int; default = 3; }; options.y = option types.text; } ]); default = { }; };
  };
in
{
  defaults = (evaluate [ base ]).config.a;
  conditions = (evaluate [ base ({ config, ... }: { a = mkIf (config.b.c == "on") 5; b.c = "on"; }) ]).config.a;
  pushed = (evaluate [ base { config = mkIf true { b = mkOverride 60 { c = "weak"; }; }; } { b.c = "strong"; } { b = mkForce { c = "force"; }; } ]).config.b.c;
  order = (evaluate [ base { b.c = mkMerge [ (mkOrder 1500 "last") "middle" (mkOrder 10 "first") (mkIf false "never") ]; } ]).config.b.c;
  lists = (evaluate [ base { b.d = [ "x" (mkIf false "no") (mkForce "y") ]; } { b.d = [ "z" ]; } ]).config.b.d;
  empty = (evaluate [ base ]).config.b.d;
  folders = builtins.mapAttrs (_: one: { inherit (one) x; }) (evaluate [ base { many.one.x = 4; many.two = { }; } { many.one.y = "t"; } ]).config.many;
  described = let o = (evaluate [ base { a = mkForce 2; } { a = 9; } ]).options.a; in { inherit (o) highestPrio isDefined files definitions loc declarations; };
  lazy = (evaluate [ base { a = throw "never looked at"; } { b.c = "still there"; } ]).config.b.c;
  lazyDeclaration = (evaluate [ base { options.unused = throw "never declared"; } ]).all.a;
  imported = (evaluate [ { imports = [ base ({ lib, ... }: { a = lib.modules.mkForce 8; }) ]; } ]).config.a;
  merged = (evaluate [ { options.n = option types.int; } { options.n = mkOption { description = "twice"; }; } { n = 3; } ]).options.n.declarations;
  errors = map fails [
    (evaluate [ base { a = "text"; } ]).config.a
    (evaluate [ base { a = 2; } { a = 3; } ]).config.a
    (evaluate [ base { fixed = 8; } ]).config.fixed
    (evaluate [ base { unknown.name = 1; } ]).config
    (evaluate [ base ]).config.b.c
    (evaluate [ base { options.a = mkOption { default = 3; }; } ]).config.a
  ];
}
