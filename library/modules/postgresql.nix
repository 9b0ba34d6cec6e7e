# The database PostgreSQL: one server, and as many further instances as wanted.
{ config, lib, ... }:
let
  inherit (lib) mkOption mkEnableOption types;
  cfg = config.services.postgresql;
  parentRelease = config.system.release;
  defaultVersion = release: if release == "bookworm" then 15 else 17;

  setting = types.oneOf [
    types.bool
    types.int
    types.float
    types.str
  ];

  instanceOptions = instanceName: release: {
    version = mkOption {
      type = types.ints.positive;
      default = defaultVersion release;
      description = "The major version. Data of another one is refused before anything changes.";
      example = 15;
    };
    port = mkOption {
      type = types.port;
      default = 5432;
      description = "The port that is listened on.";
      example = 5433;
    };
    listenAddresses = mkOption {
      type = types.str;
      default = "127.0.0.1, ::1";
      description = "Addresses that are listened on, separated by commas; `*` stands for all.";
      example = "*";
    };
    settings = mkOption {
      type = types.attrsOf setting;
      default = { };
      description = "Settings of `postgresql.conf`.";
      example = {
        shared_buffers = "256MB";
        log_min_duration_statement = 250;
      };
    };
    authentication = mkOption {
      type = types.lines;
      default = "";
      description = "Lines of `pg_hba.conf` that come before the usual ones: local users connect under their own name, others by password.";
      example = "host app app 10.0.0.0/8 scram-sha-256";
    };
    databases = mkOption {
      type = types.listOf (types.strMatching "[A-Za-z_][A-Za-z0-9_$-]{0,62}");
      default = [ ];
      description = "Databases that exist. One that is taken out of the list is kept.";
      example = [ "app" ];
    };
    users = mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options = {
              owns = mkOption {
                type = types.listOf types.str;
                default = [ ];
                description = "Databases that belong to the user.";
                example = [ "app" ];
              };
              superuser = mkOption {
                type = types.bool;
                default = false;
                description = "Whether the user may do everything.";
                example = true;
              };
            };
          }
        )
      );
      default = { };
      description = "Database users that exist. Passwords are not set here: local users connect as themselves.";
      example = {
        app.owns = [ "app" ];
      };
    };
  };

  main = {
    inherit (cfg)
      version
      port
      listenAddresses
      settings
      authentication
      databases
      users
      ;
    name = "main";
    root = null;
    unit = "postgresql";
    option = "services.postgresql";
  };
  others = lib.mapAttrsToList (
    name: instance:
    instance
    // {
      inherit name;
      root = if instance.release == config.system.release then null else "postgresql-${name}";
      unit = "postgresql-${name}";
      option = "services.postgresql.instances.${lib.escapeName name}";
    }
  ) cfg.instances;
  instances = lib.optional cfg.enable main ++ others;

  # Settings that only a start takes over.
  atStart = [
    "shared_buffers"
    "max_connections"
    "port"
    "listen_addresses"
    "unix_socket_directories"
    "wal_level"
    "max_wal_senders"
    "max_worker_processes"
    "huge_pages"
    "shared_preload_libraries"
    "superuser_reserved_connections"
    "max_prepared_transactions"
    "max_locks_per_transaction"
    "wal_buffers"
    "archive_mode"
    "logging_collector"
    "hot_standby"
    "max_replication_slots"
    "track_commit_timestamp"
    "cluster_name"
  ];
  text =
    value:
    if builtins.isBool value then
      (if value then "on" else "off")
    else if builtins.isString value then
      "'${lib.replaceStrings [ "'" ] [ "''" ] value}'"
    else
      toString value;
  allSettings =
    instance:
    {
      port = instance.port;
      listen_addresses = instance.listenAddresses;
      unix_socket_directories = "/run/postgresql";
      external_pid_file = "/run/postgresql/${instance.name}.pid";
      cluster_name = "${toString instance.version}/${instance.name}";
      hba_file = "${seen instance}/pg_hba.conf";
      ident_file = "${seen instance}/pg_ident.conf";
      log_destination = "stderr";
      log_timezone = config.time.timeZone;
      timezone = config.time.timeZone;
      lc_messages = "C";
    }
    // instance.settings;
  settingsText =
    instance:
    lib.concatLines (lib.mapAttrsToList (name: value: "${name} = ${text value}") (allSettings instance));

  bin = instance: "/usr/lib/postgresql/${toString instance.version}/bin";
  data = instance: "/var/lib/postgresql/${toString instance.version}/${instance.name}";
  folder = instance: "/etc/nival/postgresql/${instance.name}";
  # Where the server sees that folder: a further root has no place for it below /etc.
  seen = instance: if instance.root == null then folder instance else "/run/postgresql-configuration";
  name = text: "\"${lib.replaceStrings [ "\"" ] [ "\"\"" ] text}\"";
  literal = text: "'${lib.replaceStrings [ "'" ] [ "''" ] text}'";

  databaseScript =
    instance:
    lib.concatMapStrings (database: ''
      SELECT 'CREATE DATABASE ${lib.replaceStrings [ "'" ] [ "''" ] (name database)}'
        WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${literal database})\gexec
    '') (lib.unique (instance.databases ++ lib.concatMap (user: user.owns) (lib.attrValues instance.users)))
    + lib.concatStrings (
      lib.mapAttrsToList (user: settings: ''
        SELECT 'CREATE ROLE ${lib.replaceStrings [ "'" ] [ "''" ] (name user)} LOGIN'
          WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal user})\gexec
        ALTER ROLE ${name user} ${if settings.superuser then "SUPERUSER" else "NOSUPERUSER"};
        ${lib.concatMapStrings (database: "ALTER DATABASE ${name database} OWNER TO ${name user};\n") settings.owns}
      '') instance.users
    );

  files = instance: {
    "nival/postgresql/${instance.name}/postgresql.conf" = {
      text = settingsText instance;
      ownedBy = [ instance.option ];
    };
    "nival/postgresql/${instance.name}/pg_hba.conf" = {
      text =
        instance.authentication
        + ''

          local all postgres peer map=nival
          local all all peer
          host all all 127.0.0.1/32 scram-sha-256
          host all all ::1/128 scram-sha-256
        '';
      ownedBy = [ "${instance.option}.authentication" ];
    };
    "nival/postgresql/${instance.name}/pg_ident.conf" = {
      text = ''
        nival postgres postgres
        nival root postgres
      '';
      ownedBy = [ instance.option ];
    };
    "nival/postgresql/${instance.name}/databases.sql" = {
      text = databaseScript instance;
      ownedBy = [
        "${instance.option}.databases"
        "${instance.option}.users"
      ];
    };
  };

  inRoot =
    instance:
    lib.optionalAttrs (instance.root != null) {
      RootDirectory = "/run/nival/roots/${instance.root}";
      MountAPIVFS = true;
      BindLogSockets = true;
      PrivateTmp = true;
      TemporaryFileSystem = [
        "/var"
        "/run"
      ];
      BindPaths = [
        "/var/lib/postgresql"
        "/run/postgresql"
      ];
      BindReadOnlyPaths = [
        "/etc/passwd"
        "/etc/group"
        "${folder instance}:${seen instance}"
      ];
    };
  runtime = {
    User = "postgres";
    Group = "postgres";
  };

  units = instance: {
    ${instance.unit} = {
      description = "PostgreSQL ${toString instance.version}, ${instance.name}";
      after = [
        "network.target"
        "systemd-tmpfiles-setup.service"
      ];
      wantedBy = [ "multi-user.target" ];
      # In a root of its own the server keeps seeing the files that it was started with.
      reloadOnChange = if instance.root == null then "reload" else "restart";
      files = [
        "${folder instance}/postgresql.conf"
        "${folder instance}/pg_hba.conf"
        "${folder instance}/pg_ident.conf"
      ];
      restartTriggers = lib.mapAttrsToList (setting: value: "${setting} = ${text value}") (
        lib.filterAttrs (setting: _: lib.elem setting atStart) (allSettings instance)
      );
      packages = lib.optional (instance.root == null) "postgresql-${toString instance.version}";
      serviceConfig =
        runtime
        // {
          Type = "notify";
          ExecStartPre = "/bin/sh -euc 'if [ ! -s ${data instance}/PG_VERSION ]; then mkdir -p -m 0755 /var/lib/postgresql/${toString instance.version}; ${bin instance}/initdb --auth=peer --encoding=UTF8 --locale=C.UTF-8 --pgdata=${data instance}; fi'";
          ExecStart = "${bin instance}/postgres -D ${data instance} -c config_file=${seen instance}/postgresql.conf";
          ExecReload = "/bin/kill -HUP $MAINPID";
          KillMode = "mixed";
          KillSignal = "SIGINT";
          TimeoutSec = 120;
          Restart = "on-failure";
        }
        // inRoot instance;
      ownedBy = [ instance.option ];
    };
    "${instance.unit}-databases" = {
      description = "Databases and users of PostgreSQL, ${instance.name}";
      after = [ "${instance.unit}.service" ];
      requires = [ "${instance.unit}.service" ];
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ (databaseScript instance) ];
      serviceConfig =
        runtime
        // {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${bin instance}/psql -X -q -v ON_ERROR_STOP=1 -h /run/postgresql -p ${toString instance.port} -d postgres -f ${seen instance}/databases.sql";
        }
        // inRoot instance;
      ownedBy = [
        "${instance.option}.databases"
        "${instance.option}.users"
      ];
    };
  };

  refuseOtherMajor = instance: ''
    new=/var/lib/postgresql/${toString instance.version}/${instance.name}
    [ -e "$new/PG_VERSION" ] && exit 0
    for old in /var/lib/postgresql/*/${instance.name}/PG_VERSION; do
      [ -e "$old" ] || continue
      echo "the data of this machine is of PostgreSQL $(cat "$old"), and the configuration asks for ${toString instance.version}." >&2
      echo "Keep the old one (${instance.option}.version = $(cat "$old");), or dump it (pg_dumpall), switch with the old data moved away, and restore." >&2
      exit 1
    done
  '';
  claimed = lib.groupBy (instance: toString instance.port) instances;
in
{
  options.services.postgresql = {
    enable = mkEnableOption "the database PostgreSQL";
    instances = mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, config, ... }:
          {
            options = instanceOptions name config.release // {
              release = mkOption {
                type = types.enum [
                  "trixie"
                  "bookworm"
                ];
                default = parentRelease;
                description = "The Debian release that the instance's packages come from. Where it is not the machine's, the instance runs in a root of its own.";
                example = "bookworm";
              };
            };
          }
        )
      );
      default = { };
      description = "Further servers beside the main one, each with data, port and version of its own.";
      example = {
        old = {
          release = "bookworm";
          port = 5433;
        };
      };
    };
  }
  // instanceOptions "main" parentRelease;

  config = lib.mkIf (instances != [ ]) {
    environment.systemPackages = [
      "postgresql-client-common"
    ]
    ++ lib.concatMap (
      instance: lib.optional (instance.root == null) "postgresql-${toString instance.version}"
    ) instances;
    system.extraRoots = lib.listToAttrs (
      map (
        instance:
        lib.nameValuePair instance.root {
          inherit (instance) release;
          packages = [
            "postgresql-${toString instance.version}"
            "tzdata"
          ];
        }
      ) (lib.filter (instance: instance.root != null) instances)
    );
    environment.etc = lib.mkMerge (
      map files instances
      ++ [
        {
          "postgresql-common/createcluster.conf".text = "create_main_cluster = false\n";
        }
      ]
    );
    environment.rootVariables.PGUSER = "postgres";
    # The server belongs to postgres even where its package is in another root only.
    users.users.postgres = {
      group = "postgres";
      home = "/var/lib/postgresql";
      shell = "/bin/bash";
    };
    systemd.services = lib.mkMerge (map units instances);
    systemd.maskedUnits = lib.optional (!cfg.enable) "postgresql.service";
    system.directories = [
      {
        path = "/var/lib/postgresql";
        user = "postgres";
        group = "postgres";
      }
      {
        path = "/var/log/postgresql";
        mode = "1775";
        group = "postgres";
      }
      {
        path = "/run/postgresql";
        mode = "2775";
        user = "postgres";
        group = "postgres";
      }
    ];
    system.preflight = lib.listToAttrs (
      map (
        instance:
        lib.nameValuePair "the data of ${instance.unit} is of version ${toString instance.version}" {
          unit = "${instance.unit}.service";
          command = [
            "/bin/sh"
            "-euc"
            (refuseOtherMajor instance)
          ];
        }
      ) instances
    );
    system.checks = lib.listToAttrs (
      map (
        instance:
        lib.nameValuePair "${instance.unit} answers" {
          unit = "${instance.unit}.service";
          tcp = instance.port;
        }
      ) instances
    );
    system.servicePorts = map (instance: {
      inherit (instance) port;
      protocol = "tcp";
      unit = "${instance.unit}.service";
      description = "PostgreSQL";
    }) instances;
    assertions = lib.mapAttrsToList (port: same: {
      assertion = lib.length same == 1;
      message = "several PostgreSQL servers want the port ${port}: ${
        lib.concatMapStringsSep " and " (instance: "`${instance.option}`") same
      }";
      options = map (instance: "${instance.option}") same;
    }) claimed;
  };
}
