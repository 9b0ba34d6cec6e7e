# A site with a certificate, and an authority to give it one: the test server of ACME's authors.
{ ... }:
{
  networking.firewall.enable = true;
  networking.hosts."127.0.0.1" = [ "site.test" ];
  services.nginx.enable = true;
  services.nginx.virtualHosts."site.test" = {
    enableACME = true;
    forceSSL = true;
    locations."/".return = "200 hello";
  };
  services.acme = {
    enable = true;
    acceptTerms = true;
    server = "https://localhost:14000/dir";
    authority = "/var/lib/pebble/cert.pem";
  };

  environment.systemPackages = [
    "pebble"
    "curl"
    "openssl"
  ];
  environment.etc."pebble.json".text = builtins.toJSON {
    pebble = {
      listenAddress = "127.0.0.1:14000";
      managementListenAddress = "127.0.0.1:15000";
      certificate = "/var/lib/pebble/cert.pem";
      privateKey = "/var/lib/pebble/key.pem";
      httpPort = 80;
      tlsPort = 443;
      ocspResponderURL = "";
      externalAccountBindingRequired = false;
    };
  };
  systemd.services.pebble = {
    wantedBy = [ "multi-user.target" ];
    before = [ "acme.service" ];
    environment.PEBBLE_VA_NOSLEEP = "1";
    environment.PEBBLE_WFE_NONCEREJECT = "0";
    serviceConfig.StateDirectory = "pebble";
    preStart = ''
      cd /var/lib/pebble
      [ -s cert.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem
    '';
    script = "exec pebble -config /etc/pebble.json";
    postStart = "until curl -sk https://localhost:14000/dir > /dev/null; do sleep 0.1; done";
  };
}
