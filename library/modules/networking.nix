# The machine's name and what its network is asked for.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking;
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?" // {
        description = "host name of small letters, digits and dashes, at most 63 of them";
      };
      description = "The machine's name. Without one it is the name of the configuration's folder or file.";
      example = "web";
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      description = "Names for addresses, beside those of the machines that run together.";
      example = {
        "192.0.2.1" = [ "printer" ];
      };
    };
    firewall = {
      allowedTCPPorts = mkOption {
        type = types.listOf types.port;
        default = [ ];
        description = "TCP ports that may be reached from outside, as data for firewalls and for `--publish`.";
        example = [ 8080 ];
      };
      allowedUDPPorts = mkOption {
        type = types.listOf types.port;
        default = [ ];
        description = "UDP ports that may be reached from outside, as data for firewalls.";
        example = [ 53 ];
      };
    };
  };

  config.system.ports = map (port: {
    inherit port;
    protocol = "tcp";
    unit = "";
    description = "networking.firewall.allowedTCPPorts";
  }) (lib.subtractLists (map (known: known.port) config.system.servicePorts) cfg.firewall.allowedTCPPorts)
  ++ map (port: {
    inherit port;
    protocol = "udp";
    unit = "";
    description = "networking.firewall.allowedUDPPorts";
  }) cfg.firewall.allowedUDPPorts
  ++ map (port: {
    inherit (port)
      port
      protocol
      unit
      description
      ;
  }) config.system.servicePorts;

  options.system.servicePorts = mkOption {
    type = types.listOf types.attrs;
    default = [ ];
    internal = true;
    description = "Ports that the library's services listen on: `{ port, protocol, unit, description, open ? false, address ? "" }`.";
    example = [ ];
  };

  config.environment.etc.hosts = lib.mkIf (cfg.hosts != { }) {
    text = ''
      127.0.0.1 localhost
      127.0.1.1 ${cfg.hostName}
      ::1 localhost ip6-localhost ip6-loopback
    ''
    + lib.concatLines (lib.mapAttrsToList (address: names: "${address} ${toString names}") cfg.hosts);
    ownedBy = [ "networking.hosts" ];
  };
}
