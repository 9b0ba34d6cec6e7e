# Logging in from elsewhere.
{ lib }:
let
  inherit (lib) mkOption types;
  text = lib.generators.yesNo;
  keys = "/var/lib/nival-ssh";
in
{
  description = "the OpenSSH server";

  arguments = {
    ports = mkOption {
      type = types.nonEmptyListOf types.port;
      default = [ 22 ];
      description = "Ports that are listened on.";
      example = [ 2222 ];
    };
    settings = mkOption {
      type = types.attrsOf types.atom;
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

  outputs =
    { arguments, instance, ... }:
    let
      isMain = instance.label == "main";
      unit = if isMain then "ssh" else instance.id;
      configuration = if isMain then "/etc/ssh/sshd_config" else "${instance.configuration}/sshd_config";
      settings = {
        PasswordAuthentication = false;
        KbdInteractiveAuthentication = false;
        PermitRootLogin = "prohibit-password";
        UsePAM = true;
        PrintMotd = false;
        X11Forwarding = false;
      }
      // arguments.settings;
    in
    {
      packages = [ "openssh-server" ];
      files.sshd_config = {
        path = configuration;
        blocks = {
          ports.order = 10;
          ports.text = lib.concatMapStrings (port: "Port ${toString port}\n") arguments.ports;
          keys.order = 20;
          keys.text = ''
            HostKey ${keys}/ssh_host_ed25519_key
            HostKey ${keys}/ssh_host_rsa_key
            AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u
          '';
          environment.order = 30;
          environment.text = "AcceptEnv LANG LC_*\n";
          sftp.order = 40;
          sftp.text = "Subsystem sftp /usr/lib/openssh/sftp-server\n";
          settings.order = 50;
          settings.text =
            lib.concatLines (lib.mapAttrsToList (name: value: "${name} ${text value}") settings)
            + arguments.extraConfig;
        };
      };
      units.keys = {
        unitName = "nival-ssh-keys";
        shared = true;
        description = "Host keys of the OpenSSH server";
        before = [ "${unit}.service" ];
        requiredBy = [ "${unit}.service" ];
        wholeFolder = false;
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
      };
      units.main = {
        unitName = unit;
        wantedBy = [ "multi-user.target" ];
        reloadOnChange = "reload";
        files = [ configuration ];
      }
      // (
        if isMain then
          { fromPackage = true; }
        else
          {
            description = "OpenSSH server, ${instance.label}";
            after = [ "network.target" ];
            packages = [ "openssh-server" ];
            serviceConfig = {
              Type = "notify";
              RuntimeDirectory = "sshd";
              RuntimeDirectoryPreserve = true;
              ExecStartPre = "/usr/sbin/sshd -t -f ${configuration}";
              ExecStart = "/usr/sbin/sshd -D -f ${configuration}";
              ExecReload = "/bin/kill -HUP $MAINPID";
              KillMode = "process";
              Restart = "on-failure";
            };
          }
      );
      command = "/usr/sbin/sshd -D -e -f ${configuration}";
      preflight."sshd -t" = {
        unit = "${unit}.service";
        command = [
          "/bin/sh"
          "-c"
          # A machine that never ran has no host keys yet.
          "mkdir -p /run/sshd; [ ! -e ${keys}/ssh_host_rsa_key ] || exec /usr/sbin/sshd -t -f ${configuration}"
        ];
      };
      checks = lib.listToAttrs (
        map (
          port:
          lib.nameValuePair "listens on port ${toString port}" {
            unit = "${unit}.service";
            tcp = port;
          }
        ) arguments.ports
      );
      ports = lib.listToAttrs (
        map (
          port:
          lib.nameValuePair "ssh-${toString port}" {
            inherit port;
            open = true;
            description = "ssh";
          }
        ) arguments.ports
      );
    };

  examples.minimal = { };
  examples.advanced = {
    ports = [
      2222
      2223
    ];
    settings.MaxAuthTries = 3;
    extraConfig = "Match User backup\n  ForceCommand /usr/bin/true\n";
  };
  securing = ''
    Nobody logs in by password unless you say so. Name the people who may log in by their keys
    (`users.users.NAME.openssh.authorizedKeys.keys`), and let root in from nowhere: `settings.PermitRootLogin = "no"`.
  '';
}
