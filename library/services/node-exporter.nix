# The machine's own figures, for Prometheus.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
  description = "the machine's figures, offered to Prometheus";

  arguments = {
    port = mkOption {
      type = types.port;
      default = 9100;
      description = "The port that is listened on.";
      example = 9101;
    };
    address = mkOption {
      type = types.either types.ipAddress (types.enum [ "" ]);
      default = "127.0.0.1";
      description = "The address that is listened on; an empty one stands for all.";
      example = "";
    };
    enabledCollectors = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Collectors that are off by default.";
      example = [ "systemd" ];
    };
    disabledCollectors = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Collectors that are on by default.";
      example = [ "wifi" ];
    };
  };

  requires =
    { arguments, instance }:
    {
      monitor = {
        interface = "metrics-target";
        optional = true;
        job = instance.id;
        target = "127.0.0.1:${toString arguments.port}";
      };
    };

  outputs =
    { arguments, instance, ... }:
    {
      packages = [ "prometheus-node-exporter" ];
      ports.metrics = {
        inherit (arguments) port address;
        argument = "port";
        open = arguments.address != "127.0.0.1" && arguments.address != "::1";
        description = "node exporter";
      };
      units.main = {
        description = "Figures of this machine, ${instance.label}";
        after = [ "network.target" ];
        wantedBy = [ "multi-user.target" ];
        packages = [ "prometheus-node-exporter" ];
        serviceConfig = {
          DynamicUser = true;
          ExecStart = "/usr/bin/prometheus-node-exporter --web.listen-address=${arguments.address}:${toString arguments.port} ${
            toString (
              map (name: "--collector.${name}") arguments.enabledCollectors
              ++ map (name: "--no-collector.${name}") arguments.disabledCollectors
            )
          }";
          Restart = "on-failure";
          NoNewPrivileges = true;
          ProtectHome = true;
        };
      };
      checks."answers".http.url = "http://127.0.0.1:${toString arguments.port}/metrics";
    };

  examples.minimal = { };
  examples.advanced = {
    port = 9101;
    disabledCollectors = [ "wifi" ];
  };
  # What its examples need beside it.
  beside.services.prometheus.enable = true;
  securing = ''
    The figures tell a stranger a good deal about the machine. By default only the machine itself can ask for them.
  '';
}
