# The order of list definitions: modules last one first, then by `mkOrder`.
{ lib }:
let
  o = { options.l = lib.mkOption { type = lib.types.listOf lib.types.int; default = [ ]; }; };
in
(lib.evalModules {
  modules = [
    o
    { l = [ 1 ]; imports = [ { l = [ 11 ]; imports = [ { l = [ 111 ]; } ]; } { l = lib.mkAfter [ 12 ]; } ]; }
    { l = lib.mkMerge [ [ 2 ] (lib.mkBefore [ 20 ]) (lib.mkIf false [ 3 ]) (lib.mkIf true [ 4 ]) ]; }
  ];
}).config.l
