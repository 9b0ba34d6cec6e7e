# NixOS systems of several kinds, for a tree of nixpkgs of 2019.
let
  base = {
    boot.loader.grub.device = "/dev/sda";
    fileSystems."/" = { device = "/dev/sda1"; fsType = "ext4"; };
    time.timeZone = "Europe/Berlin";
    users.users.alice = { isNormalUser = true; extraGroups = [ "wheel" ]; };
  };
in
{
  desktop = { pkgs, ... }: {
    imports = [ base ];
    services.xserver = { enable = true; displayManager.sddm.enable = true; desktopManager.plasma5.enable = true; };
    networking.networkmanager.enable = true;
    hardware.pulseaudio.enable = true;
    services.printing.enable = true;
    environment.systemPackages = [ pkgs.firefox pkgs.git pkgs.vim ];
  };
  mail = {
    imports = [ base ];
    services.postfix = { enable = true; hostname = "mail.example.org"; destination = [ "example.org" ]; };
    services.dovecot2 = { enable = true; enableImap = true; mailLocation = "maildir:~/Maildir"; };
    services.rspamd.enable = true;
    networking.firewall.allowedTCPPorts = [ 25 143 587 993 ];
  };
  monitoring = {
    imports = [ base ];
    services.prometheus.enable = true;
    services.grafana.enable = true;
    services.influxdb.enable = true;
    services.collectd = { enable = true; extraConfig = "LoadPlugin cpu"; };
  };
  router = {
    imports = [ base ];
    boot.kernel.sysctl."net.ipv4.ip_forward" = 1;
    networking.nat = { enable = true; internalInterfaces = [ "ve-+" ]; externalInterface = "eth0"; };
    networking.wireguard.interfaces.wg0 = {
      ips = [ "10.100.0.1/24" ];
      listenPort = 51820;
      privateKeyFile = "/var/lib/wireguard/key";
      peers = [ { publicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="; allowedIPs = [ "10.100.0.2/32" ]; } ];
    };
    services.dhcpd4 = { enable = true; interfaces = [ "eth1" ]; };
    containers.one = { config = { services.openssh.enable = true; }; };
    containers.two = { privateNetwork = true; hostAddress = "10.0.0.1"; localAddress = "10.0.0.2"; config = { services.nginx.enable = true; }; };
  };
  ci = {
    imports = [ base ];
    services.jenkins.enable = true;
    services.buildbot-master = { enable = true; builders = [ ]; schedulers = [ ]; };
    virtualisation.docker.enable = true;
    nix.gc.automatic = true;
  };
  web = { pkgs, ... }: {
    imports = [ base ];
    services.nginx = {
      enable = true;
      recommendedTlsSettings = true;
      virtualHosts."example.org" = { enableACME = true; forceSSL = true; root = "/var/www"; };
      virtualHosts."git.example.org".locations."/".proxyPass = "http://localhost:3000";
    };
    services.gitea.enable = true;
    services.postgresql.enable = true;
    services.openssh.enable = true;
    environment.systemPackages = [ pkgs.weechat ];
  };
  database = { pkgs, ... }: {
    imports = [ base ];
    services.postgresql = { enable = true; package = pkgs.postgresql_11; enableTCPIP = true; };
    services.nginx = { enable = true; virtualHosts."example.org".root = "/var/www"; };
    services.openssh.enable = true;
    services.fail2ban.enable = true;
  };
}
