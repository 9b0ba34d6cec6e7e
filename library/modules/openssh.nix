# Logging in from elsewhere.
{ config, lib, ... }:
let
  inherit (lib) mkOption mkEnableOption types;
  cfg = config.services.openssh;
  setting = types.oneOf [
    types.bool
    types.int
    types.str
  ];
  text = value: if builtins.isBool value then (if value then "yes" else "no") else toString value;
  keys = "/var/lib/nival-ssh";
in
{
  options.services.openssh = {
    enable = mkEnableOption "the OpenSSH server";
    ports = mkOption {
      type = types.nonEmptyListOf types.port;
      default = [ 22 ];
      description = "Ports that are listened on.";
      example = [ 2222 ];
    };
    settings = mkOption {
      type = types.attrsOf setting;
      default = { };
      description = "Settings of `sshd_config`. By default nobody logs in by password, and root by key only.";
      example = {
        PasswordAuthentication = true;
      };
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Lines at the end of `sshd_config`.";
      example = "Match User backup\n  ForceCommand /usr/bin/true\n";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ "openssh-server" ];
    services.openssh.settings = lib.mapAttrs (_: lib.mkDefault) {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "prohibit-password";
      UsePAM = true;
      PrintMotd = false;
      X11Forwarding = false;
    };
    environment.etc."ssh/sshd_config" = {
      text =
        lib.concatMapStrings (port: "Port ${toString port}\n") cfg.ports
        + ''
          HostKey ${keys}/ssh_host_ed25519_key
          HostKey ${keys}/ssh_host_rsa_key
          AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u
          AcceptEnv LANG LC_*
          Subsystem sftp /usr/lib/openssh/sftp-server
        ''
        + lib.concatLines (lib.mapAttrsToList (name: value: "${name} ${text value}") cfg.settings)
        + cfg.extraConfig;
      ownedBy = [ "services.openssh" ];
    };
    systemd.services.nival-ssh-keys = {
      description = "Host keys of the OpenSSH server";
      before = [ "ssh.service" ];
      requiredBy = [ "ssh.service" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        StateDirectory = "nival-ssh";
        StateDirectoryMode = "0700";
      };
      script = ''
        for kind in ed25519 rsa; do
          key=${keys}/ssh_host_''${kind}_key
          [ -s "$key" ] || ssh-keygen -q -t "$kind" -N "" -C "" -f "$key"
        done
      '';
      ownedBy = [ "services.openssh" ];
    };
    systemd.services.ssh = {
      fromPackage = true;
      wantedBy = [ "multi-user.target" ];
      reloadOnChange = "reload";
      files = [ "/etc/ssh/sshd_config" ];
      ownedBy = [ "services.openssh" ];
    };
    system.preflight."sshd -t" = {
      unit = "ssh.service";
      command = [
        "/bin/sh"
        "-c"
        # A machine that never ran has no host keys yet.
        "mkdir -p /run/sshd; [ ! -e ${keys}/ssh_host_rsa_key ] || exec /usr/sbin/sshd -t"
      ];
    };
    system.checks = lib.listToAttrs (
      map (
        port:
        lib.nameValuePair "sshd listens on port ${toString port}" {
          unit = "ssh.service";
          tcp = port;
        }
      ) cfg.ports
    );
    system.servicePorts = map (port: {
      inherit port;
      protocol = "tcp";
      unit = "ssh.service";
      description = "ssh";
    }) cfg.ports;
  };
}
