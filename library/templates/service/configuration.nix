# A service of your own: a script that systemd keeps running, with a user and a folder of its own.
{
  networking.firewall.allowedTCPPorts = [ 8080 ];
  environment.systemPackages = [ "python3" ];

  systemd.services.hello = {
    description = "Says hello";
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      DynamicUser = true;
      StateDirectory = "hello";
      WorkingDirectory = "/var/lib/hello";
    };
    script = ''
      echo '<h1>hello</h1>' > index.html
      exec python3 -m http.server 8080
    '';
  };

  # `nival up` and `nival switch` wait for this.
  system.checks."hello answers" = {
    unit = "hello.service";
    http.url = "http://127.0.0.1:8080/";
  };
}
