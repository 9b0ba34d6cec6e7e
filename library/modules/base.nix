# What every machine has: the essential packages, and the files that Debian's maintainer scripts would make.
{
  config,
  lib,
  locked,
  ...
}:
let
  has = package: (locked.system or { }) ? ${package};
in
{
  config = {
    # Modules written for NixOS take `pkgs`, many of them without using it.
    _module.args.pkgs = lib.mkDefault (
      throw "there is no set of packages here: Debian's are asked for by name, as in environment.systemPackages = [ \"htop\" ]"
    );
    environment.systemPackages = [
      "ca-certificates"
      "dbus"
      "iproute2"
      # Users of `DynamicUser` have names.
      "libnss-systemd"
      "libpam-systemd"
      "login"
      "procps"
      "systemd"
      "systemd-sysv"
      "udev"
    ];
    environment.etc = {
      "shells".text = ''
        /bin/sh
        /usr/bin/sh
        /bin/bash
        /usr/bin/bash
        /bin/rbash
        /usr/bin/rbash
        /bin/dash
        /usr/bin/dash
      '';
      "fstab".text = "# Mounts are units: see `systemd.mounts`.\n";
      "profile".text = ''
        # Made from the configuration: `/etc/profile.d` holds what packages add.
        if [ "$(id -u)" -eq 0 ]; then
          PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        else
          PATH="/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
        fi
        export PATH
        [ -r /etc/default/locale ] && . /etc/default/locale && export LANG
        for script in /etc/profile.d/*.sh; do
          [ -r "$script" ] && . "$script"
        done
        unset script
      '';
      "nsswitch.conf".text = ''
        passwd:         files systemd
        group:          files [SUCCESS=merge] systemd
        shadow:         files systemd
        gshadow:        files systemd
        hosts:          files dns
        networks:       files
        protocols:      files
        services:       files
        ethers:         files
        rpc:            files
      '';
      "ssl/certs/ca-certificates.crt".link = "/var/lib/nival-ca/ca-certificates.crt";
    };
    systemd.services.nival-ca = lib.mkIf (has "ca-certificates") {
      description = "Certificate authorities of this machine";
      wantedBy = [ "sysinit.target" ];
      before = [ "sysinit.target" ];
      after = [ "local-fs.target" ];
      unitConfig.DefaultDependencies = false;
      packages = [ "ca-certificates" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        StateDirectory = "nival-ca";
      };
      script = ''
        cat /usr/share/ca-certificates/mozilla/*.crt > /var/lib/nival-ca/ca-certificates.crt.new
        mv /var/lib/nival-ca/ca-certificates.crt.new /var/lib/nival-ca/ca-certificates.crt
      '';
    };
    systemd.maskedUnits = [
      "apt-daily.timer"
      "apt-daily-upgrade.timer"
      "dpkg-db-backup.timer"
      "systemd-networkd-wait-online.service"
    ];
  };
}
