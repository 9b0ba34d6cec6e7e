# The database PostgreSQL: one server, and as many further instances as wanted.
{ lib }:
let
  inherit (lib) mkOption types;
  defaultVersion = release: if release == "bookworm" then 15 else 17;

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
      log_timezone = instance.timeZone;
      timezone = instance.timeZone;
      lc_messages = "C";
    }
    // instance.settings;
  settingsText =
    instance:
    lib.concatLines (lib.mapAttrsToList (name: value: "${name} = ${text value}") (allSettings instance));

  bin = instance: "/usr/lib/postgresql/${toString instance.version}/bin";
  # Debian's user for the main instance, and one of its own for each further one.
  userOf = instance: if instance.label == "main" then "postgres" else instance.user;
  data = instance: "/var/lib/postgresql/${toString instance.version}/${instance.name}";
  folder = instance: instance.configuration;
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
in
{
  description = "the database PostgreSQL";

  arguments = {
    version = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      description = "The major version; without one it is the release's own. Data of another one is refused before anything changes.";
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
      type = types.attrsOf types.atom;
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
    release = mkOption {
      type = types.nullOr (
        types.enum [
          "trixie"
          "bookworm"
        ]
      );
      default = null;
      description = "The Debian release that the packages come from; without one it is the machine's. Where it is not the machine's, the server runs in a root of its own.";
      example = "bookworm";
    };
  };

  # A database and a user of the asking service's own name, who connects by the socket as itself.
  provides.postgresql-database =
    {
      arguments,
      instance,
      request,
      from,
    }:
    let
      database = request.database or from.id;
    in
    {
      units = [ "${instance.id}-databases.service" ];
      inherit database;
      inherit (arguments) port;
      user = request.user or from.user;
      host = "/run/postgresql";
      url = "postgresql:///${database}?host=/run/postgresql&port=${toString arguments.port}";
    };

  outputs =
    {
      arguments,
      instance,
      requests,
      machine,
      ...
    }:
    let
      release = if arguments.release == null then machine.system.release else arguments.release;
      asked = map (asked: {
        user = asked.request.user or asked.from.user;
        database = asked.request.database or asked.from.id;
      }) requests.postgresql-database;
      server =
        arguments
        // {
          inherit (instance) configuration option id;
          inherit release;
          user = userOf instance;
          name = instance.label;
          unit = instance.id;
          version = if arguments.version == null then defaultVersion release else arguments.version;
          timeZone = machine.time.timeZone;
          root = if release == machine.system.release then null else instance.id;
          users =
            lib.mapAttrs (_: all: {
              owns = map (one: one.database) all;
              superuser = false;
            }) (lib.groupBy (one: one.user) asked)
            // arguments.users;
        };
      version = toString server.version;
      runtime = {
        User = server.user;
        Group = "postgres";
      };
      inRoot = lib.optionalAttrs (server.root != null) {
        RootDirectory = "/run/nival/roots/${server.root}";
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
          "${folder server}:${seen server}"
        ];
      };
    in
    {
      packages = [ "postgresql-client-common" ] ++ lib.optional (server.root == null) "postgresql-${version}";
      roots = lib.optionalAttrs (server.root != null) {
        ${server.root} = {
          inherit release;
          packages = [
            "postgresql-${version}"
            "tzdata"
          ];
        };
      };
      rootVariables.PGUSER = "postgres";
      # The server belongs to postgres even where its package is in another root only.
      users = {
        postgres = {
          shared = true;
          group = "postgres";
          home = "/var/lib/postgresql";
          shell = "/bin/bash";
        };
      }
      // lib.optionalAttrs (server.user != "postgres") {
        ${server.user} = {
          group = "postgres";
          home = data server;
        };
      };
      directories = [
        {
          shared = true;
          path = "/var/lib/postgresql";
          user = "postgres";
          group = "postgres";
        }
        {
          shared = true;
          path = "/var/log/postgresql";
          mode = "1775";
          group = "postgres";
        }
        {
          shared = true;
          path = "/run/postgresql";
          mode = "2775";
          user = "postgres";
          group = "postgres";
        }
        {
          shared = true;
          path = "/var/lib/postgresql/${version}";
          user = "postgres";
          group = "postgres";
        }
        {
          path = data server;
          mode = "0700";
          inherit (server) user;
          group = "postgres";
        }
      ];
      ports.postgresql = {
        inherit (arguments) port;
        argument = "port";
        open = arguments.listenAddresses != "127.0.0.1, ::1" && arguments.listenAddresses != "localhost";
        description = "PostgreSQL";
      };
      claims.database = map (database: "${instance.id} ${database}") (map (one: one.database) asked);

      files = {
        "createcluster.conf" = {
          path = "/etc/postgresql-common/createcluster.conf";
          shared = true;
          text = "create_main_cluster = false\n";
        };
        "postgresql.conf".text = settingsText server;
        "pg_hba.conf" = {
          text =
            arguments.authentication
            + ''

              local all postgres peer map=nival
              local all all peer
              host all all 127.0.0.1/32 scram-sha-256
              host all all ::1/128 scram-sha-256
            '';
          ownedBy = [ "${instance.option}.authentication" ];
        };
        "pg_ident.conf".text = ''
          nival ${server.user} postgres
          nival root postgres
        '';
        "databases.sql" = {
          text = databaseScript server;
          ownedBy = [
            "${instance.option}.databases"
            "${instance.option}.users"
          ]
          ++ map (asked: asked.from.option) requests.postgresql-database;
        };
      };

      units.main = {
        description = "PostgreSQL ${version}, ${instance.label}";
        after = [
          "network.target"
          "systemd-tmpfiles-setup.service"
        ];
        wantedBy = [ "multi-user.target" ];
        # In a root of its own the server keeps seeing the files that it was started with.
        reloadOnChange = if server.root == null then "reload" else "restart";
        wholeFolder = false;
        files = map (name: "${folder server}/${name}") [
          "postgresql.conf"
          "pg_hba.conf"
          "pg_ident.conf"
        ];
        restartTriggers = lib.mapAttrsToList (setting: value: "${setting} = ${text value}") (
          lib.filterAttrs (setting: _: lib.elem setting atStart) (allSettings server)
        );
        packages = lib.optional (server.root == null) "postgresql-${version}";
        serviceConfig =
          runtime
          // {
            Type = "notify";
            ExecStartPre = "/bin/sh -euc 'if [ ! -s ${data server}/PG_VERSION ]; then ${bin server}/initdb --username=postgres --auth=peer --encoding=UTF8 --locale=C.UTF-8 --pgdata=${data server}; fi'";
            ExecStart = "${bin server}/postgres -D ${data server} -c config_file=${seen server}/postgresql.conf";
            ExecReload = "/bin/kill -HUP $MAINPID";
            KillMode = "mixed";
            KillSignal = "SIGINT";
            TimeoutSec = 120;
            Restart = "on-failure";
          }
          // inRoot;
      };
      units.databases = {
        description = "Databases and users of PostgreSQL, ${instance.label}";
        after = [ instance.unit ];
        requires = [ instance.unit ];
        wantedBy = [ "multi-user.target" ];
        wholeFolder = false;
        restartTriggers = [ (databaseScript server) ];
        serviceConfig =
          runtime
          // {
            Type = "oneshot";
            RemainAfterExit = true;
            ExecStart = "${bin server}/psql -X -q -v ON_ERROR_STOP=1 -h /run/postgresql -p ${toString arguments.port} -U postgres -d postgres -f ${seen server}/databases.sql";
          }
          // inRoot;
        ownedBy = [
          "${instance.option}.databases"
          "${instance.option}.users"
        ];
      };
      preflight."the data is of version ${version}".command = [
        "/bin/sh"
        "-euc"
        (refuseOtherMajor server)
      ];
      checks."answers".tcp = arguments.port;
    };

  examples.minimal = { };
  examples.advanced = {
    port = 5433;
    databases = [ "app" ];
    users.app.owns = [ "app" ];
    settings = {
      shared_buffers = "64MB";
      log_min_duration_statement = 250;
    };
    authentication = "host app app 10.0.0.0/8 scram-sha-256";
  };
  securing = ''
    Local users connect under their own name, without a password; others by password, and no user has one unless you set it
    with `ALTER ROLE`. With `listenAddresses` beyond the machine, say in `authentication` who may come from where.
  '';
}
