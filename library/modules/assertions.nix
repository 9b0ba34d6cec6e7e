# What must hold across options, and what should be looked at.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    assertions = mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            assertion = mkOption {
              type = types.bool;
              description = "What must hold.";
              example = true;
            };
            message = mkOption {
              type = types.str;
              description = "What is said where it does not hold: what is wrong and what to do.";
              example = "services.a needs services.b: set `services.b.enable = true;`";
            };
            help = mkOption {
              type = types.nullOr types.str;
              default = null;
              description = "How to mend it, where the message does not say so.";
              example = "set `services.b.enable = true;`";
            };
            code = mkOption {
              type = types.enum [
                "assertion"
                "clash"
                "cycle"
                "patch"
                "requirement"
              ];
              default = "assertion";
              internal = true;
              description = "Which kind of error it is.";
              example = "clash";
            };
            options = mkOption {
              type = types.listOf types.str;
              default = [ ];
              description = "The options whose definitions the error marks.";
              example = [ "services.a.enable" ];
            };
          };
        }
      );
      default = [ ];
      description = "What must hold across options; each that does not is an error (`NV0801`).";
      example = [
        {
          assertion = true;
          message = "never shown";
        }
      ];
    };
    warnings = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "What is said at each evaluation, and does not stop it.";
      example = [ "services.old is going away: use services.new" ];
    };
  };
}
