# Unbound: a resolver of names.
{ lib }:
let
  inherit (lib) mkOption types;
  text = lib.generators.yesNo;
  lines =
    settings:
    lib.concatStrings (
      lib.mapAttrsToList (
        name: value: lib.concatMapStrings (value: "  ${name}: ${text value}\n") (lib.toList value)
      ) settings
    );
in
{
  description = "the resolver of names Unbound";

  arguments = {
    port = mkOption {
      type = types.port;
      default = 53;
      description = "The port that is listened on.";
      example = 5353;
    };
    addresses = mkOption {
      type = types.listOf (types.either types.ipAddress (types.strMatching "[A-Za-z][A-Za-z0-9_.-]*"));
      default = [ "127.0.0.1" ];
      description = "Addresses that are listened on, or names of interfaces.";
      example = [ "0.0.0.0" ];
    };
    allow = mkOption {
      type = types.listOf types.cidr;
      default = [ "127.0.0.0/8" ];
      description = "Networks that may ask.";
      example = [ "10.0.0.0/8" ];
    };
    forward = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Resolvers that are asked; without any the answers are looked for from the root on.";
      example = [ "9.9.9.9" ];
    };
    records = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Records that it answers by itself.";
      example = [ "printer.home. IN A 192.168.1.9" ];
    };
    settings = mkOption {
      type = types.attrsOf (types.either types.atom (types.listOf types.str));
      default = { };
      description = "Further settings of the section `server`; a list repeats its setting.";
      example = {
        cache-min-ttl = 60;
      };
    };
  };

  provides.resolver =
    { arguments, instance, ... }:
    {
      units = [ instance.unit ];
      address = lib.head arguments.addresses;
      inherit (arguments) port;
    };

  outputs =
    { arguments, instance, ... }:
    {
      packages = [ "unbound" ];
      users.unbound = {
        shared = true;
        home = "/var/lib/unbound";
      };
      ports.dns = {
        inherit (arguments) port;
        protocol = "udp";
        argument = "port";
        open = lib.any (address: !lib.hasPrefix "127." address && address != "::1") arguments.addresses;
        description = "names";
      };
      ports.dns-tcp = {
        inherit (arguments) port;
        argument = "port";
        open = lib.any (address: !lib.hasPrefix "127." address && address != "::1") arguments.addresses;
        description = "names";
      };
      files."unbound.conf".blocks = {
        server.order = 10;
        server.text =
          "server:\n"
          + lines (
            {
              interface = arguments.addresses;
              inherit (arguments) port;
              access-control = map (network: "${network} allow") arguments.allow;
              do-daemonize = false;
              username = "unbound";
              directory = instance.configuration;
              chroot = "\"\"";
              pidfile = "\"\"";
              use-syslog = true;
              local-data = map (record: "\"${record}\"") arguments.records;
            }
            // arguments.settings
          );
        forward.order = 20;
        forward.text = lib.optionalString (arguments.forward != [ ]) (
          "forward-zone:\n"
          + lines {
            name = "\".\"";
            forward-addr = arguments.forward;
          }
        );
      };
      preflight."unbound-checkconf".command = [
        "/usr/sbin/unbound-checkconf"
        "${instance.configuration}/unbound.conf"
      ];
      units.main = {
        description = "Unbound, ${instance.label}";
        after = [ "network.target" ];
        before = [ "nss-lookup.target" ];
        wants = [ "nss-lookup.target" ];
        wantedBy = [ "multi-user.target" ];
        packages = [ "unbound" ];
        reloadOnChange = "reload";
        serviceConfig = {
          Type = "notify";
          ExecStart = "/usr/sbin/unbound -d -p -c ${instance.configuration}/unbound.conf";
          ExecReload = "+/bin/kill -HUP $MAINPID";
          Restart = "on-failure";
        };
      };
      checks."listens".tcp = arguments.port;
    };

  examples.minimal = { };
  examples.advanced = {
    port = 5353;
    records = [ "printer.home. IN A 192.168.1.9" ];
    forward = [ "9.9.9.9" ];
    settings.cache-min-ttl = 60;
  };
  securing = ''
    A resolver that answers everybody is used to attack others. Give `allow` only the networks that you serve.
  '';
}
