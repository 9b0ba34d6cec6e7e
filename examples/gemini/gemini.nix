# A module of one's own: a Gemini server.
{ config, lib, ... }:
let
  cfg = config.services.gemini;
in
{
  options.services.gemini = {
    enable = lib.mkEnableOption "a Gemini server";
    hostName = lib.mkOption {
      type = lib.types.str;
      default = "localhost";
      description = "The name that the server answers to, and that its certificate is made for.";
      example = "gemini.example.org";
    };
    root = lib.mkOption {
      type = lib.types.path;
      description = "The folder whose files are served.";
      example = lib.literalExpression "./capsule";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ "molly-brown" "openssl" ];
    environment.etc."gemini.conf".text = ''
      Hostname = "${cfg.hostName}"
      CertPath = "/var/lib/gemini/cert.pem"
      KeyPath = "/var/lib/gemini/key.pem"
      DocBase = "${cfg.root}"
      AccessLog = "-"
    '';
    systemd.services.gemini = {
      description = "Gemini server";
      wantedBy = [ "multi-user.target" ];
      files = [ "/etc/gemini.conf" ];
      serviceConfig = {
        DynamicUser = true;
        StateDirectory = "gemini";
        ExecStart = "/usr/bin/molly-brown -c /etc/gemini.conf";
        Restart = "on-failure";
      };
      preStart = ''
        cd /var/lib/gemini
        [ -s cert.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
          -subj "/CN=${cfg.hostName}" -addext "subjectAltName=DNS:${cfg.hostName}" -keyout key.pem -out cert.pem
      '';
    };
    networking.firewall.allowedTCPPorts = [ 1965 ];
    system.checks."the Gemini server listens" = {
      unit = "gemini.service";
      tcp = 1965;
    };
  };
}
