# A web application of one's own: a database, a site, a secret, and a timer that refreshes what is shown.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
  description = "a page of notes from a database";

  arguments = {
    host = mkOption { type = types.str; description = "The site's name."; example = "notes.example"; };
    port = mkOption { type = types.port; default = 3000; description = "The port behind the web server."; example = 3001; };
  };

  requires = { arguments, ... }: {
    database.interface = "postgresql-database";
    site = {
      interface = "virtual-host";
      inherit (arguments) host;
      locations."/".proxyPass = "http://127.0.0.1:${toString arguments.port}";
    };
  };

  outputs = { arguments, instance, needs, ... }:
    let
      hardened = {
        User = instance.user;
        StateDirectory = instance.id;
        WorkingDirectory = instance.state;
        EnvironmentFile = "${instance.secrets}/environment";
        NoNewPrivileges = true;
        PrivateTmp = true;
        ProtectHome = true;
        ProtectSystem = "strict";
      };
      refresh = "psql \"$DATABASE_URL\" -XAtc \"select 'notes of ' || current_user\" > index.html";
    in
    {
      packages = [ "python3" "postgresql-client" ];
      users.${instance.user} = { };
      secrets.session.generate = "hex";
      templates.environment.content = [ "SESSION_KEY=" (instance.secret "session") "\nDATABASE_URL=${needs.database.url}\n" ];
      ports.http = { inherit (arguments) port; argument = "port"; address = "127.0.0.1"; };
      units.main = {
        wantedBy = [ "multi-user.target" ];
        script = "${refresh}; exec python3 -m http.server --bind 127.0.0.1 ${toString arguments.port}";
        serviceConfig = hardened;
      };
      units.refresh = { script = refresh; serviceConfig = hardened // { Type = "oneshot"; }; };
      timers.refresh = { wantedBy = [ "timers.target" ]; timerConfig.OnCalendar = "hourly"; };
      checks.answers.http.url = "http://127.0.0.1:${toString arguments.port}/";
    };
}
