{ lib, ... }:
{
  options.services.capsule = lib.mkService {
    description = "a Gemini server";
    arguments.root = lib.mkOption { type = lib.types.path; description = "What is served."; example = "/srv"; };
    outputs = { arguments, instance, ... }: {
      packages = [ "molly-brown" "openssl" ];
      ports.gemini = { port = 1965; open = true; };
      files."molly.conf".text = ''
        CertPath = "cert.pem"
        KeyPath = "key.pem"
        DocBase = "${arguments.root}"
        AccessLog = "-"
      '';
      units.main = {
        wantedBy = [ "multi-user.target" ];
        preStart = "[ -s cert.pem ] || openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem";
        script = "exec molly-brown -c ${instance.configuration}/molly.conf";
        serviceConfig = { DynamicUser = true; StateDirectory = instance.id; WorkingDirectory = instance.state; };
      };
      checks.listens.tcp = 1965;
    };
  };
}
