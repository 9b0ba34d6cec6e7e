# A Gemini server.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
  description = "a Gemini server";

  arguments = {
    hostName = mkOption {
      type = types.domainName;
      default = "localhost";
      description = "The name that the server answers to, and that its certificate is made for.";
      example = "gemini.example.org";
    };
    root = mkOption {
      type = types.path;
      description = "The folder whose files are served.";
      example = lib.literalExpression "./capsule";
    };
    port = mkOption {
      type = types.port;
      default = 1965;
      description = "The port that is listened on.";
      example = 1966;
    };
  };

  outputs =
    { arguments, instance, ... }:
    {
      packages = [
        "molly-brown"
        "openssl"
      ];
      ports.gemini = {
        inherit (arguments) port;
        argument = "port";
        open = true;
        description = "Gemini";
      };
      files."molly.conf".text = ''
        Port = ${toString arguments.port}
        Hostname = "${arguments.hostName}"
        CertPath = "${instance.state}/cert.pem"
        KeyPath = "${instance.state}/key.pem"
        DocBase = "${arguments.root}"
        AccessLog = "-"
      '';
      units.main = {
        description = "Gemini server, ${instance.label}";
        wantedBy = [ "multi-user.target" ];
        preStart = ''
          cd ${instance.state}
          [ -s cert.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
            -subj "/CN=${arguments.hostName}" -addext "subjectAltName=DNS:${arguments.hostName}" -keyout key.pem -out cert.pem
        '';
        serviceConfig = {
          DynamicUser = true;
          StateDirectory = instance.id;
          ExecStart = "/usr/bin/molly-brown -c ${instance.configuration}/molly.conf";
          Restart = "on-failure";
        };
      };
      checks."listens".tcp = arguments.port;
    };

  examples.minimal.root = "/srv";
  examples.advanced = {
    root = "/srv";
    hostName = "gemini.example.org";
    port = 1966;
  };
  securing = ''
    Clients trust the certificate that they see first, so keep the machine's data: a new key frightens them. The server reads
    the folder that it serves and its own state, and nothing else.
  '';
}
