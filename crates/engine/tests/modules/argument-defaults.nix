# The default of an argument never counts: a module is given whatever it names.
{ lib }:
let
  inherit (lib) mkOption types;
  made =
    modules:
    (lib.evalModules {
      specialArgs.bar = 3;
      modules = [ { options.found = mkOption { type = types.anything; }; } ] ++ modules;
    }).config.found;
in
{
  given = made [
    { _module.args.foo = 2; }
    ({ foo ? 1, ... }: { found = foo; })
  ];
  unused = made [ ({ foo ? 1, ... }: { found = 5; }) ];
  ofSpecialArgs = made [ ({ bar ? 4, ... }: { found = bar; }) ];
  pkgsToo = made [
    { _module.args.pkgs = "theirs"; }
    ({ pkgs ? "own", ... }: { found = pkgs; })
  ];
}
