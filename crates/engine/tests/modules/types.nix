# Types that convert, choose, and hold others.
{ lib }:
let
  inherit (lib) mkOption types;
  o = type: mkOption { inherit type; };
in
(lib.evalModules {
  modules = [
    {
      options = {
        coerced = o (types.coercedTo types.int toString types.str);
        list = o (types.listOf (types.either types.int types.str));
        lines = o types.lines;
        lazy = o (types.lazyAttrsOf types.int);
        any = o types.anything;
        func = o (types.functionTo (types.listOf types.int));
        enum = o (types.enum [ "a" "b" ]);
        attrs = o (types.attrsOf types.str);
        applied = mkOption { type = types.int; apply = x: x * 2; };
        empty = o (types.listOf types.int);
        none = o (types.nullOr types.str);
        unsigned = o types.ints.unsigned;
      };
    }
    {
      coerced = 4;
      list = [ 1 "b" ];
      lines = "one";
      lazy.a = 1;
      any = { x.y = 1; z = [ 1 ]; };
      func = x: [ x ];
      enum = "a";
      attrs = { a = "1"; b = lib.mkDefault "2"; };
      applied = 21;
      unsigned = 0;
    }
    { lines = "two"; lazy.b = 2; any.x.w = 2; func = x: [ (x + 1) ]; attrs.b = "3"; }
    ({ config, ... }: { attrs.c = toString (config.func 5); })
  ];
}).config
// { func = null; }
