# A web server and a database. Start it:      nival up --detach .
# Change a line, and see what would happen:   nival plan .
# Make it so:                                 nival switch .
# Take it back:                               nival rollback .
# Stop it:                                    nival down .
{
  # The machine's name; `nival shell NAME` opens a shell in it.
  # networking.hostName = "web";

  services.nginx.enable = true;
  services.nginx.virtualHosts."localhost" = {
    default = true;
    # This folder becomes part of the generation, so that a rollback brings it back too.
    root = ./site;
    # locations."/api/".proxyPass = "http://127.0.0.1:3000";
    # redirects."/old" = "/new";
  };

  services.postgresql.enable = true;
  services.postgresql.databases = [ "app" ];
  # services.postgresql.settings.work_mem = "16MB";

  # Debian packages by name.
  # environment.systemPackages = [ "htop" ];

  # services.openssh.enable = true;
  # users.users.alice = {
  #   isNormalUser = true;
  #   extraGroups = [ "sudo" ];
  #   openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA... alice@laptop" ];
  # };

  time.timeZone = "UTC";
}
