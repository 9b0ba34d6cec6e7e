# The machine's name and what its network is asked for.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking;

  # Ports that may be reached from outside.
  opened =
    protocol:
    lib.sort (a: b: a < b) (
      lib.unique (
        map (port: port.port) (
          lib.filter (port: port.protocol == protocol && port.open) servicePorts
        )
        ++ (if protocol == "tcp" then cfg.firewall.allowedTCPPorts else cfg.firewall.allowedUDPPorts)
      )
    );
  set = lib.concatMapStringsSep ", " toString;
  servicePorts = lib.attrValues config.system.servicePorts;
  servicePort.options = {
    port = mkOption {
      type = types.port;
      description = "Its number.";
      example = 80;
    };
    protocol = mkOption {
      type = types.enum [
        "tcp"
        "udp"
      ];
      default = "tcp";
      description = "What is spoken on it.";
      example = "udp";
    };
    address = mkOption {
      type = types.str;
      default = "";
      description = "The address that is listened on; an empty one stands for all.";
      example = "127.0.0.1";
    };
    open = mkOption {
      type = types.bool;
      default = false;
      description = "Whether others may come to it: the firewall lets them in.";
      example = true;
    };
    unit = mkOption {
      type = types.str;
      description = "The unit that listens.";
      example = "nginx.service";
    };
    description = mkOption {
      type = types.str;
      default = "";
      description = "What listens, in a few words.";
      example = "http";
    };
  };
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
      enable = mkOption {
        type = types.bool;
        default = false;
        description = ''
          Whether only those ports can be reached from outside that services open (a service does where it listens beyond the
          machine) and that are named here. The machine's own packets and answers to them always pass.
        '';
        example = true;
      };
      extraRules = mkOption {
        type = types.lines;
        default = "";
        description = "Rules of nftables for packets that come in, before all others are dropped.";
        example = "ip saddr 10.0.0.0/8 tcp dport 5432 accept";
      };
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
  }) (lib.subtractLists (map (known: known.port) servicePorts) cfg.firewall.allowedTCPPorts)
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
  }) servicePorts;

  options.system.servicePorts = mkOption {
    type = types.attrsOf (types.submodule servicePort);
    default = { };
    internal = true;
    description = "Ports that the library's services listen on.";
    example = { };
  };

  config.environment.systemPackages = lib.optional cfg.firewall.enable "nftables";
  config.environment.etc."nival/firewall.nft" = lib.mkIf cfg.firewall.enable {
    text = ''
      table inet nival {}
      flush table inet nival
      table inet nival {
        chain input {
          type filter hook input priority filter; policy drop;
          ct state { established, related } accept
          ct state invalid drop
          iif lo accept
          meta l4proto { 1, 58 } accept
      ${lib.optionalString (opened "tcp" != [ ]) "    tcp dport { ${set (opened "tcp")} } accept\n"}${
        lib.optionalString (opened "udp" != [ ]) "    udp dport { ${set (opened "udp")} } accept\n"
      }${cfg.firewall.extraRules}
        }
      }
    '';
    ownedBy = [
      "networking.firewall"
      "services"
    ];
  };
  config.systemd.services.nival-firewall = lib.mkIf cfg.firewall.enable {
    description = "Firewall";
    wantedBy = [ "sysinit.target" ];
    before = [ "network-pre.target" ];
    wants = [ "network-pre.target" ];
    unitConfig.DefaultDependencies = false;
    files = [ "/etc/nival/firewall.nft" ];
    reloadOnChange = "reload";
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "/usr/sbin/nft -f /etc/nival/firewall.nft";
      ExecReload = "/usr/sbin/nft -f /etc/nival/firewall.nft";
      ExecStop = "/usr/sbin/nft delete table inet nival";
    };
    ownedBy = [ "networking.firewall" ];
  };
  config.system.preflight = lib.mkIf cfg.firewall.enable {
    "nft --check" = {
      unit = "nival-firewall.service";
      command = [
        "/usr/sbin/nft"
        "--check"
        "-f"
        "/etc/nival/firewall.nft"
      ];
    };
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

  config.assertions = lib.mapAttrsToList (address: _: {
    assertion = lib.net.addressProblem address == null;
    message = toString (lib.net.addressProblem address);
    options = [ "networking.hosts" ];
  }) cfg.hosts;
}
