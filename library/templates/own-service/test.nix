# The service's test: `nival up --detach test.nix` starts its examples and succeeds when all of their checks do.
{ lib, ... }:
let
  inherit (import ./NAME.nix { inherit lib; }) examples;
in
{
  imports = [ (lib.serviceModule "NAME" ./NAME.nix) ];

  services.NAME = examples.minimal // {
    enable = true;
    instances.advanced = examples.advanced;
  };
}
