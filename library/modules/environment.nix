# Packages of the machine and files below /etc.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.environment;
  fileOptions =
    { name, config, ... }:
    {
      config.text = lib.mkIf (config.blocks != { }) (
        lib.concatMapStrings (block: if lib.hasSuffix "\n" block.text then block.text else block.text + "\n") (
          lib.sort (a: b: a.order < b.order) (lib.attrValues config.blocks)
        )
      );
      options = {
        blocks = mkOption {
          type = types.attrsOf (
            types.submodule {
              options = {
                text = mkOption {
                  type = types.lines;
                  default = "";
                  description = "The block's contents.";
                  example = "gzip on;";
                };
                order = mkOption {
                  type = types.int;
                  default = 100;
                  description = "Its place among the blocks: the lowest comes first; equal ones by name.";
                  example = 10;
                };
              };
            }
          );
          default = { };
          description = "Parts of the file, by name, so that each can be changed alone.";
          example = {
            compression.text = "gzip on;";
          };
        };
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the file is made.";
          example = false;
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "The file's contents.";
          example = "hello\n";
        };
        source = mkOption {
          type = types.nullOr types.path;
          default = null;
          description = "A file beside the configuration whose contents are taken.";
          example = lib.literalExpression "./motd";
        };
        link = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "The target, where it is a symbolic link.";
          example = "/var/lib/app/config";
        };
        mode = mkOption {
          type = types.strMatching "[0-7]{3,4}";
          default = "0644";
          description = "Permission bits, in octal.";
          example = "0600";
        };
        user = mkOption {
          type = types.str;
          default = "root";
          description = "The owner.";
          example = "postgres";
        };
        group = mkOption {
          type = types.str;
          default = "root";
          description = "The group.";
          example = "postgres";
        };
        ownedBy = mkOption {
          type = types.listOf types.str;
          default = [ ];
          internal = true;
          description = "The options that the file's contents come from; `plan` names their definitions.";
          example = [ "services.nginx" ];
        };
      };
    };
in
{
  options.environment = {
    systemPackages = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      description = "Debian packages of the machine, by name; `NAME=VERSION` asks for one version.";
      example = [
        "htop"
        "curl"
      ];
    };
    etc = mkOption {
      type = types.attrsOf (types.submodule fileOptions);
      default = { };
      description = "Files below `/etc`, by their path there.";
      example = {
        "motd".text = "Welcome\n";
      };
    };
    rootVariables = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Environment variables of `nival shell` as the machine's root.";
      example = {
        PGUSER = "postgres";
      };
    };
    manifestFiles = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "The files as the manifest has them.";
      example = { };
    };
  };

  config.environment.etc."nival/root-environment" = lib.mkIf (cfg.rootVariables != { }) {
    text = lib.concatLines (lib.mapAttrsToList (name: value: "${name}=${value}") cfg.rootVariables);
    ownedBy = [ "environment.rootVariables" ];
  };

  config.environment.manifestFiles = lib.mapAttrs' (
    name: file:
    lib.nameValuePair "/etc/${name}" (
      {
        inherit (file) mode user group;
        options = file.ownedBy ++ [ "environment.etc.${lib.escapeName name}" ];
      }
      // (
        if file.link != null then
          { inherit (file) link; }
        else if file.source != null then
          { source = "${file.source}"; }
        else
          { text = if file.text == null then "" else file.text; }
      )
    )
  ) (lib.filterAttrs (_: file: file.enable) cfg.etc);

  config.assertions = lib.mapAttrsToList (name: file: {
    assertion = lib.count (x: x != null) [
      file.text
      file.source
      file.link
    ] == 1;
    message = "the file `/etc/${name}` needs one of `text`, `source` and `link`";
    options = [ "environment.etc.${lib.escapeName name}" ];
  }) cfg.etc;
}
