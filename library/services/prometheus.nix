# Prometheus: gathers figures and keeps them.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
  description = "Prometheus, which gathers figures and keeps them";

  arguments = {
    port = mkOption {
      type = types.port;
      default = 9090;
      description = "The port that is listened on.";
      example = 9091;
    };
    address = mkOption {
      type = types.ipAddress;
      default = "127.0.0.1";
      description = "The address that is listened on.";
      example = "0.0.0.0";
    };
    retention = mkOption {
      type = types.strMatching "[0-9]+(h|d|w|y)";
      default = "15d";
      description = "How long figures are kept.";
      example = "90d";
    };
    scrapeInterval = mkOption {
      type = types.strMatching "[0-9]+(s|m|h)";
      default = "15s";
      description = "How often figures are gathered.";
      example = "1m";
    };
    targets = mkOption {
      type = types.attrsOf (types.listOf types.hostPort);
      default = { };
      description = "What is asked for figures, by job; services of this machine that offer some are there without being named.";
      example = {
        web = [ "web.example.org:9100" ];
      };
    };
    rules = mkOption {
      type = types.listOf types.attrs;
      default = [ ];
      description = "Groups of rules, as Prometheus reads them.";
      example = [
        {
          name = "up";
          rules = [
            {
              alert = "Down";
              expr = "up == 0";
              for = "5m";
            }
          ];
        }
      ];
    };
  };

  # Figures that another service offers.
  provides.metrics-target =
    { arguments, ... }:
    {
      url = "http://127.0.0.1:${toString arguments.port}";
    };

  outputs =
    {
      arguments,
      instance,
      requests,
      ...
    }:
    let
      asked = lib.mapAttrs (_: map (asked: asked.request.target)) (
        lib.groupBy (asked: asked.request.job) requests.metrics-target
      );
      self = {
        ${instance.id} = [ "127.0.0.1:${toString arguments.port}" ];
      };
    in
    {
      packages = [ "prometheus" ];
      users.${instance.user}.home = instance.state;
      ports.web = {
        inherit (arguments) port address;
        argument = "port";
        open = arguments.address != "127.0.0.1" && arguments.address != "::1";
        description = "Prometheus";
      };
      files."prometheus.yml".text = builtins.toJSON {
        global.scrape_interval = arguments.scrapeInterval;
        rule_files = lib.optional (arguments.rules != [ ]) "${instance.configuration}/rules.yml";
        scrape_configs = lib.mapAttrsToList (job: targets: {
          job_name = job;
          static_configs = [ { inherit targets; } ];
        }) (self // asked // arguments.targets);
      };
      files."rules.yml".text = builtins.toJSON { groups = arguments.rules; };
      preflight."promtool check config".command = [
        "/usr/bin/promtool"
        "check"
        "config"
        "${instance.configuration}/prometheus.yml"
      ];
      units.main = {
        description = "Prometheus, ${instance.label}";
        after = [ "network.target" ];
        wantedBy = [ "multi-user.target" ];
        packages = [ "prometheus" ];
        reloadOnChange = "reload";
        serviceConfig = {
          ExecStart = "/usr/bin/prometheus --config.file=${instance.configuration}/prometheus.yml --storage.tsdb.path=${instance.state} --storage.tsdb.retention.time=${arguments.retention} --web.listen-address=${arguments.address}:${toString arguments.port}";
          ExecReload = "/bin/kill -HUP $MAINPID";
          User = instance.user;
          Group = instance.group;
          StateDirectory = instance.id;
          StateDirectoryMode = "0700";
          Restart = "on-failure";
          NoNewPrivileges = true;
          PrivateTmp = true;
          ProtectHome = true;
          ProtectSystem = "strict";
        };
      };
      checks."is ready".http = {
        url = "http://127.0.0.1:${toString arguments.port}/-/ready";
        status = 200;
      };
    };

  examples.minimal = { };
  examples.advanced = {
    port = 9091;
    retention = "30d";
    targets.web = [ "127.0.0.1:9100" ];
    rules = [
      {
        name = "up";
        rules = [
          {
            alert = "Down";
            expr = "up == 0";
            for = "5m";
          }
        ];
      }
    ];
  };
  securing = ''
    It has no passwords: whoever reaches the port reads all figures. Let it listen on the machine's own address, and put a web
    server that asks for a password in front of it.
  '';
}
