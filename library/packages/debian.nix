# What Debian's maintainer scripts would have done, as declarations: by package, for every release in which the package
# has them. A package that is not here needs nothing.
{ lib }:
let
  directory = path: mode: user: group: {
    inherit
      path
      mode
      user
      group
      ;
  };
in
{
  mawk.alternatives = {
    "/usr/bin/awk" = "/usr/bin/mawk";
    "/usr/bin/nawk" = "/usr/bin/mawk";
  };
  debianutils.alternatives."/usr/bin/which" = "/usr/bin/which.debianutils";
  less.alternatives."/usr/bin/pager" = "/usr/bin/less";
  nano.alternatives."/usr/bin/editor" = "/bin/nano";
  gcc.alternatives."/usr/bin/cc" = "/usr/bin/gcc";
  "g++".alternatives."/usr/bin/c++" = "/usr/bin/g++";
  netcat-openbsd.alternatives."/usr/bin/nc" = "/bin/nc.openbsd";
  iputils-ping.capabilities."/usr/bin/ping" = "cap_net_raw+ep";

  systemd = {
    groups = [
      "systemd-journal"
      "input"
      "sgx"
      "clock"
      "kvm"
      "render"
      "crontab"
    ];
    users = {
      systemd-network.description = "systemd Network Management";
      systemd-timesync.description = "systemd Time Synchronization";
      systemd-resolve.description = "systemd Resolver";
      systemd-coredump.description = "systemd Core Dumper";
    };
    directories = [ (directory "/var/log/journal" "2755" "root" "systemd-journal") ];
  };
  dbus-system-bus-common.users.messagebus.description = "System Message Bus";
  dbus.users.messagebus.description = "System Message Bus";
  dbus.modes."/usr/lib/dbus-1.0/dbus-daemon-launch-helper" = {
    mode = "4754";
    user = "root";
    group = "messagebus";
  };
  openssh-server = {
    users.sshd = {
      home = "/run/sshd";
      group = "nogroup";
    };
    directories = [ (directory "/run/sshd" "0755" "root" "root") ];
  };
  openssh-client = {
    groups = [ "_ssh" ];
    modes."/usr/bin/ssh-agent" = {
      mode = "2755";
      user = "root";
      group = "_ssh";
    };
  };
  ssl-cert = {
    groups = [ "ssl-cert" ];
  };
  nginx-common.directories = [
    (directory "/var/log/nginx" "0755" "root" "adm")
    (directory "/var/lib/nginx" "0755" "root" "root")
  ];
  nginx.directories = [
    (directory "/var/log/nginx" "0755" "root" "adm")
    (directory "/var/lib/nginx" "0755" "root" "root")
  ];
  postgresql-common.users.postgres = {
    home = "/var/lib/postgresql";
    shell = "/bin/bash";
    description = "PostgreSQL administrator";
    groups = [ "ssl-cert" ];
  };
  postgresql-common.groups = [ "ssl-cert" ];
  redis-server = {
    users.redis.home = "/var/lib/redis";
    directories = [
      (directory "/var/lib/redis" "0750" "redis" "redis")
      (directory "/var/log/redis" "2750" "redis" "adm")
    ];
  };
  postfix = {
    users.postfix.home = "/var/spool/postfix";
    groups = [ "postdrop" ];
    modes = lib.genAttrs [ "/usr/sbin/postdrop" "/usr/sbin/postqueue" ] (_: {
      mode = "2755";
      user = "root";
      group = "postdrop";
    });
  };
  unbound.users.unbound.home = "/var/lib/unbound";
  prometheus.users.prometheus.home = "/var/lib/prometheus";
  polkitd.users.polkitd.description = "polkit";
  uuid-runtime.users.uuidd.home = "/run/uuidd";
  cron.groups = [ "crontab" ];
  tcpdump.users.tcpdump = { };
  man-db.directories = [ (directory "/var/cache/man" "0755" "man" "man") ];
}
