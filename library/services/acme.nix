# Certificates from an authority that speaks ACME.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
  description = "certificates by ACME, asked for and renewed";

  arguments = {
    email = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Where the authority may write to.";
      example = "admin@example.org";
    };
    acceptTerms = mkOption {
      type = types.bool;
      default = false;
      description = "Whether you agree to the authority's terms of service; without it no account is made.";
      example = true;
    };
    server = mkOption {
      type = types.nullOr types.url;
      default = null;
      description = "The address of the authority's directory; without one it is the usual one of the client, dehydrated.";
      example = "https://ca.example.org/dir";
    };
    authority = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "A certificate by which the authority's own server is known, where it is not one of the public ones.";
      example = "/etc/ca.pem";
    };
    startAt = mkOption {
      type = types.calendar;
      default = "daily";
      description = "When it is looked whether certificates end soon, as a calendar expression of systemd.";
      example = "04:20";
    };
  };

  # A certificate for names: a passing one is there at once, so that the asking service can start; the real one follows.
  provides.certificate =
    { instance, request, ... }:
    {
      units = [ "${instance.id}-prepare.service" ];
      certificate = "${instance.state}/${lib.head request.domains}/fullchain.pem";
      key = "${instance.state}/${lib.head request.domains}/privkey.pem";
      webroot = "${instance.state}/challenges";
    };

  outputs =
    {
      arguments,
      instance,
      requests,
      ...
    }:
    let
      all = requests.certificate;
      domains = lib.concatLines (lib.unique (map (asked: toString asked.request.domains) all));
      askers = lib.unique (map (asked: asked.from.unit) all);
      prepare = asked: ''
        mkdir -p ${lib.head asked.request.domains}
        if [ ! -s ${lib.head asked.request.domains}/fullchain.pem ]; then
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=${lib.head asked.request.domains}" \
            -keyout ${lib.head asked.request.domains}/privkey.pem -out ${lib.head asked.request.domains}/fullchain.pem 2>/dev/null
        fi
      '';
    in
    {
      packages = [
        "dehydrated"
        "openssl"
        "curl"
      ];
      files."domains.txt".text = domains;
      files."hook.sh" = {
        mode = "0755";
        text = ''
          #!/bin/sh
          # Tells the servers that have a new certificate.
          [ "$1" = deploy_cert ] || exit 0
          systemctl reload-or-restart --no-block ${toString askers}
        '';
      };
      files.config.text = lib.concatLines (
        [
          "CHALLENGETYPE=http-01"
          "BASEDIR=${instance.state}"
          "CERTDIR=${instance.state}"
          "WELLKNOWN=${instance.state}/challenges"
          "ACCOUNTDIR=${instance.state}/accounts"
          "DOMAINS_TXT=${instance.configuration}/domains.txt"
          "HOOK=${instance.configuration}/hook.sh"
          "LOCKFILE=/run/${instance.id}.lock"
        ]
        ++ lib.optional (arguments.email != null) "CONTACT_EMAIL=${arguments.email}"
        ++ lib.optional (arguments.server != null) "CA=${arguments.server}"
        ++ lib.optional (arguments.authority != null) "CURL_OPTS=\"--cacert ${arguments.authority}\""
      );
      units.prepare = {
        description = "Passing certificates until the authority answers, ${instance.label}";
        before = askers;
        requiredBy = askers;
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          StateDirectory = instance.id;
          UMask = "0022";
        };
        script = ''
          cd ${instance.state}
          mkdir -p challenges
        ''
        + lib.concatMapStrings prepare all;
      };
      units.main = {
        description = "Certificates, ${instance.label}";
        after = [ "network.target" ] ++ askers;
        wantedBy = [ "multi-user.target" ];
        restartTriggers = [ domains ];
        serviceConfig = {
          Type = "oneshot";
          StateDirectory = instance.id;
          UMask = "0022";
          Restart = "on-failure";
          RestartSec = "1min";
        };
        script = ''
          cd ${instance.state}
          dehydrated --config ${instance.configuration}/config --register --accept-terms
          for domain in ${toString (map (asked: lib.head asked.request.domains) all)}; do
            # A passing certificate has no chain: it makes way.
            [ -e "$domain/cert.csr" ] || [ -L "$domain/fullchain.pem" ] || force=1
          done
          dehydrated --config ${instance.configuration}/config --cron ''${force:+--force}
        '';
      };
      timers.main = {
        description = "Time to look after certificates, ${instance.label}";
        wantedBy = [ "timers.target" ];
        timerConfig = {
          OnCalendar = arguments.startAt;
          RandomizedDelaySec = "1h";
          Persistent = true;
        };
      };
      checks."is planned" = {
        unit = "${instance.id}.timer";
        command = [
          "/usr/bin/systemctl"
          "is-active"
          "--quiet"
          "${instance.id}.timer"
        ];
      };
      assertions = [
        {
          assertion = arguments.acceptTerms;
          message = "an account with the authority needs your agreement to its terms of service: read them, then set `${instance.option}.acceptTerms = true;`";
          options = [ instance.option ];
        }
      ];
    };

  examples.minimal.acceptTerms = true;
  examples.advanced = {
    acceptTerms = true;
    email = "admin@example.org";
    server = "https://ca.example.org/dir";
    startAt = "04:20";
  };
  securing = ''
    The keys lie in the machine's data. The authority asks for a file by http on port 80 of each name: that port has to be
    reachable from outside, and the web server opens it by itself.
  '';
}
