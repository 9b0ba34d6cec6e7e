# The in-memory data store Redis.
{ lib }:
let
  inherit (lib) mkOption types;
  text = value: if value == "" then "\"\"" else lib.generators.yesNo value;
in
{
  description = "the in-memory data store Redis";

  arguments = {
    port = mkOption {
      type = types.ints.between 0 65535;
      default = 6379;
      description = "The port that is listened on; 0 listens on the socket only.";
      example = 6380;
    };
    bind = mkOption {
      type = types.listOf (types.either types.ipAddress (types.enum [ "*" "-::1" ]));
      default = [
        "127.0.0.1"
        "::1"
      ];
      description = "Addresses that are listened on; `*` stands for all.";
      example = [ "0.0.0.0" ];
    };
    maxMemory = mkOption {
      type = types.nullOr (types.strMatching "[0-9]+(kb|mb|gb)?");
      default = null;
      description = "How much memory data may take; then keys are evicted as `settings.maxmemory-policy` says.";
      example = "256mb";
    };
    appendOnly = mkOption {
      type = types.bool;
      default = false;
      description = "Whether each write is logged, so that a crash loses a second's writes at most.";
      example = true;
    };
    settings = mkOption {
      type = types.attrsOf (types.either types.atom (types.listOf types.str));
      default = { };
      description = "Further settings of `redis.conf`; a list repeats its setting.";
      example = {
        maxmemory-policy = "allkeys-lru";
      };
    };
  };

  provides.redis =
    { arguments, instance, ... }:
    {
      units = [ instance.unit ];
      socket = "${instance.runtime}/redis.sock";
      host = "127.0.0.1";
      inherit (arguments) port;
      url = "redis://127.0.0.1:${toString arguments.port}/0";
    };

  outputs =
    { arguments, instance, ... }:
    let
      settings = {
        inherit (arguments) port;
        bind = toString arguments.bind;
        appendonly = arguments.appendOnly;
        unixsocket = "${instance.runtime}/redis.sock";
        unixsocketperm = "770";
        dir = instance.state;
        supervised = "systemd";
        daemonize = false;
        logfile = "";
        protected-mode = true;
      }
      // lib.optionalAttrs (arguments.maxMemory != null) { maxmemory = arguments.maxMemory; }
      // arguments.settings;
      line = name: value: lib.concatMapStrings (value: "${name} ${text value}\n") (lib.toList value);
    in
    {
      packages = [ "redis-server" ];
      users.${instance.user}.home = instance.state;
      ports = lib.optionalAttrs (arguments.port != 0) {
        redis = {
          inherit (arguments) port;
          argument = "port";
          open = lib.any (address: address != "127.0.0.1" && address != "::1") arguments.bind;
          description = "Redis";
        };
      };
      files."redis.conf".text = lib.concatStrings (lib.mapAttrsToList line settings);
      command = "/usr/bin/redis-server ${instance.configuration}/redis.conf --supervised no";
      units.main = {
        description = "Redis, ${instance.label}";
        after = [ "network.target" ];
        wantedBy = [ "multi-user.target" ];
        packages = [ "redis-server" ];
        serviceConfig = {
          Type = "notify";
          ExecStart = "/usr/bin/redis-server ${instance.configuration}/redis.conf";
          User = instance.user;
          Group = instance.group;
          StateDirectory = instance.id;
          StateDirectoryMode = "0700";
          RuntimeDirectory = instance.id;
          Restart = "on-failure";
          LimitNOFILE = 65535;
          NoNewPrivileges = true;
          PrivateTmp = true;
          ProtectHome = true;
          ProtectSystem = "strict";
        };
      };
      checks =
        if arguments.port == 0 then
          {
            "answers on its socket".command = [
              "/usr/bin/redis-cli"
              "-s"
              "${instance.runtime}/redis.sock"
              "ping"
            ];
          }
        else
          { "answers".tcp = arguments.port; };
    };

  examples.minimal = { };
  examples.advanced = {
    port = 6390;
    maxMemory = "64mb";
    appendOnly = true;
    settings.maxmemory-policy = "allkeys-lru";
  };
  securing = ''
    It listens on the machine's own addresses only. With `bind` on others, set `settings.requirepass` or let a firewall
    keep strangers away: whoever reaches the port may read and write everything.
  '';
}
