# Backups with restic.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
  description = "backups with restic";

  arguments = {
    paths = mkOption {
      type = types.nonEmptyListOf types.path;
      description = "What is kept.";
      example = [ "/var/lib/app" ];
    };
    repository = mkOption {
      type = types.str;
      description = "Where it is kept, as restic names it.";
      example = "sftp:backup@host:/srv/web";
    };
    password = mkOption {
      type = types.nullOr types.secret;
      default = null;
      description = "The repository's password. Without one the machine makes one: keep a copy of `/run/secrets/restic-LABEL/password`, for without it the backups are lost with the machine.";
      example = lib.literalExpression "config.secrets.backup";
    };
    environmentFile = mkOption {
      type = types.nullOr types.secret;
      default = null;
      description = "Environment variables with the keys of the place, such as those of S3.";
      example = lib.literalExpression "config.secrets.s3";
    };
    startAt = mkOption {
      type = types.calendar;
      default = "daily";
      description = "When, as a calendar expression of systemd.";
      example = "03:00";
    };
    exclude = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Patterns of what is left out.";
      example = [ "*.tmp" ];
    };
    keep = mkOption {
      type = types.attrsOf types.ints.positive;
      default = {
        daily = 7;
        weekly = 5;
        monthly = 12;
      };
      description = "How many backups of each kind are kept: `last`, `hourly`, `daily`, `weekly`, `monthly`, `yearly`.";
      example = {
        last = 3;
        daily = 14;
      };
    };
    before = mkOption {
      type = types.lines;
      default = "";
      description = "A shell script that runs before each backup.";
      example = "pg_dumpall > /var/backups/all.sql";
    };
  };

  outputs =
    { arguments, instance, ... }:
    let
      own = arguments.password == null;
      password = if own then "${instance.secrets}/password" else lib.secrets.file arguments.password;
      keep = lib.concatStringsSep " " (
        lib.mapAttrsToList (kind: count: "--keep-${kind} ${toString count}") arguments.keep
      );
    in
    {
      packages = [
        "restic"
        "openssh-client"
      ];
      secrets = lib.optionalAttrs own {
        password = {
          generate = "password";
          user = "root";
        };
      };
      files.exclude.text = lib.concatLines arguments.exclude;
      units.main = {
        description = "Backup, ${instance.label}";
        after = [ "network.target" ];
        environment = {
          RESTIC_REPOSITORY = arguments.repository;
          RESTIC_PASSWORD_FILE = password;
          RESTIC_CACHE_DIR = instance.cache;
        };
        script = ''
          ${arguments.before}
          restic cat config > /dev/null 2>&1 || restic init
          restic backup --quiet --exclude-file=${instance.configuration}/exclude ${lib.escapeShellArgs arguments.paths}
          restic forget --quiet --prune ${keep}
        '';
        serviceConfig = {
          Type = "oneshot";
          CacheDirectory = instance.id;
        }
        // lib.optionalAttrs (arguments.environmentFile != null) {
          EnvironmentFile = lib.secrets.file arguments.environmentFile;
        };
      };
      timers.main = {
        description = "Time of the backup, ${instance.label}";
        wantedBy = [ "timers.target" ];
        timerConfig = {
          OnCalendar = arguments.startAt;
          Persistent = true;
          RandomizedDelaySec = "5m";
        };
      };
      preflight."the time is one".command = [
        "/usr/bin/systemd-analyze"
        "calendar"
        "--quiet"
        arguments.startAt
      ];
      checks."is planned" = {
        unit = "${instance.id}.timer";
        command = [
          "/usr/bin/systemctl"
          "is-active"
          "--quiet"
          "${instance.id}.timer"
        ];
      };
    };

  examples.minimal = {
    paths = [ "/var/lib" ];
    repository = "/srv/backup";
  };
  examples.advanced = {
    paths = [
      "/etc"
      "/home"
    ];
    repository = "/srv/other";
    startAt = "03:00";
    exclude = [ "*.tmp" ];
    keep.last = 3;
  };
  securing = ''
    Backups are encrypted with the password: without it nobody reads them, you neither. Keep a copy of it off the machine, and
    let the place of the backups allow adding only, so that a broken-into machine cannot remove them.
  '';
}
