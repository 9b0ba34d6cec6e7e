# The web server nginx.
{ lib }:
let
  inherit (lib) mkOption types;

  lines =
    what: example:
    mkOption {
      type = types.lines;
      default = "";
      description = what;
      inherit example;
    };

  locationOptions =
    { ... }:
    {
      options = {
        root = mkOption {
          type = types.nullOr types.path;
          default = null;
          description = "The directory whose files are served. A path beside the configuration becomes part of the generation.";
          example = lib.literalExpression "./site";
        };
        alias = mkOption {
          type = types.nullOr types.path;
          default = null;
          description = "The directory that stands for the location.";
          example = "/srv/downloads/";
        };
        index = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Files that stand for a directory.";
          example = "index.html index.htm";
        };
        tryFiles = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Files that are tried in turn.";
          example = "$uri $uri/ /index.html";
        };
        proxyPass = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "The server that requests are passed on to.";
          example = "http://127.0.0.1:3000";
        };
        return = mkOption {
          type = types.nullOr (types.either types.str types.int);
          default = null;
          description = "A status, or a status and an address or text, that is answered at once.";
          example = "301 https://example.org$request_uri";
        };
        extraConfig = lines "Further lines of the location." "expires 30d;";
      };
    };

  hostOptions =
    { name, ... }:
    {
      options = {
        serverName = mkOption {
          type = types.str;
          default = name;
          description = "The name under which the site is asked for; `_` stands for none.";
          example = "www.example.org";
        };
        serverAliases = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Further names.";
          example = [ "example.org" ];
        };
        default = mkOption {
          type = types.bool;
          default = false;
          description = "Whether requests under any other name end here.";
          example = true;
        };
        listen = mkOption {
          type = types.nonEmptyListOf (
            types.submodule {
              options = {
                addr = mkOption {
                  type = types.str;
                  default = "";
                  description = "The address; without one, all of them.";
                  example = "127.0.0.1";
                };
                port = mkOption {
                  type = types.port;
                  default = 80;
                  description = "The port.";
                  example = 8080;
                };
              };
            }
          );
          default = [ { } ];
          description = "Addresses and ports that are listened on.";
          example = [ { port = 8080; } ];
        };
        root = mkOption {
          type = types.nullOr types.path;
          default = null;
          description = "The directory whose files are served. A path beside the configuration becomes part of the generation.";
          example = lib.literalExpression "./site";
        };
        index = mkOption {
          type = types.str;
          default = "index.html";
          description = "Files that stand for a directory.";
          example = "index.html index.php";
        };
        locations = mkOption {
          type = types.attrsOf (types.submodule locationOptions);
          default = { };
          description = "Parts of the site, by the beginning of their paths or by an expression of nginx.";
          example = {
            "/api/".proxyPass = "http://127.0.0.1:3000";
          };
        };
        redirects = mkOption {
          type = types.attrsOf types.str;
          default = { };
          description = "Paths that have moved for good, and where to.";
          example = {
            "/old" = "/new";
          };
        };
        enableACME = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the site has a certificate, which the service `acme` asks for and renews; it then answers on port 443 too.";
          example = true;
        };
        forceSSL = mkOption {
          type = types.bool;
          default = false;
          description = "Whether requests without encryption are sent to the encrypted site.";
          example = true;
        };
        extraConfig = lines "Further lines of the site." "client_max_body_size 50m;";
      };
    };


  statement = name: value: lib.optionalString (value != null) "    ${name} ${toString value};\n";
  location = path: settings: ''
      location ${path} {
    ${statement "root" settings.root}${statement "alias" settings.alias}${statement "index" settings.index}${statement "try_files" settings.tryFiles}${
      lib.optionalString (settings.proxyPass != null) ''
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_http_version 1.1;
      ''
    }${statement "proxy_pass" settings.proxyPass}${statement "return" settings.return}${settings.extraConfig}
      }
  '';
  address = listen: "${lib.optionalString (listen.addr != "") "${listen.addr}:"}${toString listen.port}";
  names = host: toString ([ host.serverName ] ++ host.serverAliases);
  listens =
    host:
    lib.concatMapStrings (
      listen: "  listen ${address listen}${lib.optionalString host.default " default_server"};\n"
    ) host.listen;
  contents = host: ''
    ${lib.optionalString (host.root != null) "  root ${host.root};\n"}  index ${host.index};
    ${lib.concatStrings (lib.mapAttrsToList location host.locations)}
    ${lib.concatStrings (
      lib.mapAttrsToList (from: to: "  location = ${from} { return 301 ${to}; }\n") host.redirects
    )}${host.extraConfig}
  '';
  challenge = certificate: ''
    location ^~ /.well-known/acme-challenge/ {
      alias ${certificate.webroot}/;
      default_type text/plain;
    }
  '';
  # The plain site, and where there is a certificate the encrypted one.
  server =
    certificate: host:
    if certificate == null then
      "server {\n${listens host}  server_name ${names host};\n${contents host}}\n"
    else
      ''
        server {
        ${listens host}  server_name ${names host};
        ${challenge certificate}${
          if host.forceSSL then "location / { return 301 https://$host$request_uri; }" else contents host
        }
        }
        server {
          listen 443 ssl${lib.optionalString host.default " default_server"};
          http2 on;
          server_name ${names host};
          ssl_certificate ${certificate.certificate};
          ssl_certificate_key ${certificate.key};
          ssl_protocols TLSv1.2 TLSv1.3;
        ${contents host}
        }
      '';

  # A site that another service asks for, with what it does not say.
  typed =
    request:
    (lib.evalModules {
      modules = [
        hostOptions
        {
          config = {
            _module.args.name = request.host;
          }
          // removeAttrs request [
            "interface"
            "host"
          ];
        }
      ];
    }).config;
  # All sites, those that other services ask for too.
  all =
    arguments: requests:
    lib.listToAttrs (
      map (asked: lib.nameValuePair asked.request.host (typed asked.request)) requests.virtual-host
    )
    // arguments.virtualHosts;
  loopback = address: address == "127.0.0.1" || address == "::1" || address == "[::1]" || address == "localhost";
in
{
  description = "the web server nginx";

  arguments = {
    virtualHosts = mkOption {
      type = types.attrsOf (types.submodule hostOptions);
      default = { };
      description = "Sites, by the name under which they are asked for.";
      example = {
        "example.org".root = "/srv/www";
      };
    };
    appendConfig = lines "Lines at the end of `nginx.conf`." "worker_rlimit_nofile 4096;";
    appendHttpConfig = lines "Lines at the end of the `http` block." "gzip on;";
  };

  provides.virtual-host =
    { instance, request, ... }:
    {
      inherit (request) host;
      url = "http://${request.host}";
    };

  # A certificate for each site that wants one, those of other services too.
  requiresForOthers =
    { arguments, requests, ... }:
    lib.mapAttrs' (
      site: host:
      lib.nameValuePair "certificate of ${site}" {
        interface = "certificate";
        domains = [ host.serverName ] ++ host.serverAliases;
      }
    ) (lib.filterAttrs (_: host: host.enableACME) (all arguments requests));

  outputs =
    {
      arguments,
      instance,
      needs,
      requests,
      ...
    }:
    let
      isMain = instance.label == "main";
      folder = if isMain then "/etc/nginx" else instance.configuration;
      logs = "/var/log/${instance.id}";
      hosts = all arguments requests;
      certificate = site: needs."certificate of ${site}" or null;
      encrypted = lib.filterAttrs (_: host: host.enableACME) hosts;
      owner =
        site:
        let
          from = lib.filter (asked: asked.request.host == site) requests.virtual-host;
        in
        if arguments.virtualHosts ? ${site} then
          "${instance.option}.virtualHosts.${lib.escapeName site}"
        else
          (lib.head from).from.option;
      fileOf = site: "sites/${lib.replaceStrings [ "/" "*" " " ] [ "-" "_" "-" ] site}.conf";

      # Each name on each address and port, with the site that takes it.
      claims = lib.concatLists (
        lib.mapAttrsToList (
          site: host:
          lib.concatMap (
            listen:
            map (name: {
              inherit site;
              claim = "${name} on ${address listen}";
            }) ([ host.serverName ] ++ host.serverAliases)
          ) host.listen
        ) hosts
      );
      clashes = lib.filterAttrs (_: sites: lib.length sites > 1) (lib.groupBy (entry: entry.claim) claims);
      listening =
        lib.concatMap (host: host.listen) (lib.attrValues hosts)
        ++ lib.optional (encrypted != { }) {
          addr = "";
          port = 443;
        };
      ports = lib.unique (map (listen: listen.port) listening);
    in
    {
      packages = [ "nginx" ];
      directories = lib.optionals (!isMain) [
        {
          path = logs;
          group = "adm";
        }
      ];
      files =
        lib.mapAttrs' (
          site: host:
          lib.nameValuePair (fileOf site) {
            path = "${folder}/${fileOf site}";
            text = server (certificate site) host;
            ownedBy = [ (owner site) ];
          }
        ) hosts
        // {
          "nginx.conf" = {
            path = "${folder}/nginx.conf";
            blocks = {
              process.order = 10;
              process.text = ''
                user www-data;
                worker_processes auto;
                pid /run/${instance.id}.pid;
                error_log ${logs}/error.log;
              '';
              events.order = 20;
              events.text = ''
                events {
                  worker_connections 768;
                }
              '';
              http.order = 30;
              http.text = ''
                http {
                  sendfile on;
                  tcp_nopush on;
                  types_hash_max_size 2048;
                  server_tokens off;
                  include /etc/nginx/mime.types;
                  default_type application/octet-stream;
              '';
              log.order = 40;
              log.text = "  access_log ${logs}/access.log;\n";
              sites.order = 50;
              sites.text = "  include ${folder}/sites/*.conf;\n${arguments.appendHttpConfig}";
              end.order = 60;
              end.text = "}\n${arguments.appendConfig}";
            };
            ownedBy = [
              "${instance.option}.enable"
              "${instance.option}.appendConfig"
              "${instance.option}.appendHttpConfig"
            ];
          };
        };
      units.main = {
        wantedBy = [ "multi-user.target" ];
        reloadOnChange = "reload";
        files = [ "${folder}/" ];
      }
      // (
        if isMain then
          { fromPackage = true; }
        else
          {
            description = "nginx, ${instance.label}";
            after = [
              "network.target"
              "nss-lookup.target"
            ];
            packages = [ "nginx" ];
            serviceConfig = {
              Type = "forking";
              PIDFile = "/run/${instance.id}.pid";
              ExecStartPre = "/usr/sbin/nginx -t -q -c ${folder}/nginx.conf";
              ExecStart = "/usr/sbin/nginx -c ${folder}/nginx.conf";
              ExecReload = "/usr/sbin/nginx -c ${folder}/nginx.conf -s reload";
              KillMode = "mixed";
            };
          }
      );
      # In the foreground, where nobody else looks after it.
      command = "/usr/sbin/nginx -c ${folder}/nginx.conf -g 'daemon off;'";
      preflight."nginx -t".command = [
        "/usr/sbin/nginx"
        "-t"
        "-q"
      ]
      ++ lib.optionals (!isMain) [
        "-c"
        "${folder}/nginx.conf"
      ];
      checks = lib.concatMapAttrs (site: host: {
        "the site ${site} answers".http =
          let
            listen = lib.head host.listen;
          in
          {
            url = "http://${if listen.addr == "" then "127.0.0.1" else listen.addr}:${toString listen.port}/";
          }
          // lib.optionalAttrs (host.serverName != "_") { host = host.serverName; };
      }) hosts;
      ports = lib.listToAttrs (
        map (
          port:
          lib.nameValuePair "http-${toString port}" {
            inherit port;
            open = lib.any (listen: listen.port == port && !loopback listen.addr) listening;
            description = if port == 443 && encrypted != { } then "https" else "http";
          }
        ) ports
      );
      assertions = lib.mapAttrsToList (claim: entries: {
        assertion = false;
        message = "${toString (lib.length entries)} sites claim the name ${claim}: ${
          lib.concatMapStringsSep " and " (entry: "`${entry.site}`") entries
        }";
        options = map (entry: owner entry.site) entries;
      }) clashes;
    };

  examples.minimal.virtualHosts.localhost = {
    default = true;
    locations."/".return = "200 hello";
  };
  examples.advanced = {
    virtualHosts."example.org" = {
      serverAliases = [ "www.example.org" ];
      listen = [ { port = 8080; } ];
      locations."/api/".proxyPass = "http://127.0.0.1:3000";
      locations."/".return = "200 home";
      redirects."/old" = "/";
    };
    appendHttpConfig = "gzip on;";
  };
  securing = ''
    Sites are served without encryption unless a certificate is asked for. The workers run as `www-data`: files that they serve
    need to be readable by it, and nothing else should be writable by it.
  '';
}
