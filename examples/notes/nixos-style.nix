# The same application as a module in NixOS's style, for comparison: nothing here uses it. It makes one instance only, and
# each name (database, role, user, folder, file of the secret, port) stands in several places that have to agree.
{ config, lib, pkgs, ... }:
let
  cfg = config.services.notes;
  environmentFile = "/var/lib/notes-secrets/environment";
  hardened = {
    User = "notes";
    Group = "notes";
    StateDirectory = "notes";
    WorkingDirectory = "/var/lib/notes";
    EnvironmentFile = environmentFile;
    NoNewPrivileges = true;
    PrivateTmp = true;
    ProtectHome = true;
    ProtectSystem = "strict";
  };
  refresh = "psql \"$DATABASE_URL\" -XAtc \"select 'notes of ' || current_user\" > index.html";
in
{
  options.services.notes = {
    enable = lib.mkEnableOption "a page of notes from a database";
    host = lib.mkOption {
      type = lib.types.str;
      description = "The site's name.";
      example = "notes.example";
    };
    port = lib.mkOption {
      type = lib.types.port;
      default = 3000;
      description = "The port behind the web server.";
      example = 3001;
    };
  };

  config = lib.mkIf cfg.enable {
    users.users.notes = {
      isSystemUser = true;
      group = "notes";
    };
    users.groups.notes = { };

    services.postgresql = {
      enable = true;
      ensureDatabases = [ "notes" ];
      ensureUsers = [
        {
          name = "notes";
          ensurePermissions."DATABASE notes" = "ALL PRIVILEGES";
        }
      ];
    };

    services.nginx = {
      enable = true;
      virtualHosts.${cfg.host}.locations."/".proxyPass = "http://127.0.0.1:${toString cfg.port}";
    };

    systemd.services.notes-secrets = {
      wantedBy = [ "multi-user.target" ];
      before = [ "notes.service" "notes-refresh.service" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        UMask = "0077";
      };
      script = ''
        mkdir -p /var/lib/notes-secrets
        if [ ! -s ${environmentFile} ]; then
          echo "SESSION_KEY=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')" > ${environmentFile}.new
          echo "DATABASE_URL=postgresql:///notes?host=/run/postgresql" >> ${environmentFile}.new
          mv ${environmentFile}.new ${environmentFile}
        fi
      '';
    };

    systemd.services.notes = {
      after = [ "postgresql.service" "notes-secrets.service" ];
      requires = [ "postgresql.service" "notes-secrets.service" ];
      wantedBy = [ "multi-user.target" ];
      path = [ pkgs.python3 config.services.postgresql.package ];
      script = "${refresh}; exec python3 -m http.server --bind 127.0.0.1 ${toString cfg.port}";
      serviceConfig = hardened;
    };
    systemd.services.notes-refresh = {
      after = [ "postgresql.service" "notes-secrets.service" ];
      path = [ config.services.postgresql.package ];
      script = refresh;
      serviceConfig = hardened // { Type = "oneshot"; };
      startAt = "hourly";
    };
  };
}
