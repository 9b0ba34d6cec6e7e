{ lib, ... }:
{
  imports = [ (lib.serviceModule "NAME" ./NAME.nix) ];

  services.NAME.enable = true;
}
