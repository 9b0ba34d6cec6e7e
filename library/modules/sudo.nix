# Acting as another user.
{ config, lib, ... }:
let
  inherit (lib) mkOption mkEnableOption types;
  cfg = config.security.sudo;
in
{
  options.security.sudo = {
    enable = mkEnableOption "sudo, for members of the group `sudo`";
    needsPassword = mkOption {
      type = types.bool;
      default = true;
      description = "Whether members of the group `sudo` give their password.";
      example = false;
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Further lines of `sudoers`.";
      example = "alice ALL=(postgres) NOPASSWD: /usr/bin/psql\n";
    };
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ "sudo" ];
    environment.etc."sudoers.d/nival" = {
      text = "%sudo ALL=(ALL:ALL) ${lib.optionalString (!cfg.needsPassword) "NOPASSWD: "}ALL\n${cfg.extraConfig}";
      mode = "0440";
      ownedBy = [ "security.sudo" ];
    };
    system.preflight."visudo -c" = {
      unit = "";
      command = [
        "/usr/sbin/visudo"
        "-c"
        "-q"
      ];
    };
  };
}
