# Two instances of a service of one's own, each with a site and a database of its own.
{ lib, ... }:
{
  imports = [ (lib.serviceModule "notes" ./notes.nix) ];

  services.nginx.enable = true;
  services.postgresql.enable = true;

  services.notes.enable = true;
  services.notes.host = "notes.example";
  services.notes.instances.team = { host = "team.example"; port = 3001; };
}
