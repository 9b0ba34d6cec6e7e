# Package repositories beside Debian's own, and preferences among versions.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.debian.repositories = mkOption {
    type = types.attrsOf (
      types.submodule {
        options = {
          url = mkOption {
            type = types.nonEmptyStr;
            description = "The address of the folder that holds `dists`.";
            example = "https://packages.example.org/debian";
          };
          suite = mkOption {
            type = types.nonEmptyStr;
            description = "The suite; one that ends in `/` is a repository without `dists`.";
            example = "stable";
          };
          components = mkOption {
            type = types.listOf types.nonEmptyStr;
            default = [ "main" ];
            description = "The components.";
            example = [ "main" ];
          };
          key = mkOption {
            type = types.path;
            description = "The file with the repository's public keys, armored or binary.";
            example = lib.literalExpression "./example.asc";
          };
          priority = mkOption {
            type = types.int;
            default = 500;
            description = "The priority beside Debian's 500: the highest wins, then the newest version.";
            example = 900;
          };
          pins = mkOption {
            type = types.attrsOf types.int;
            default = { };
            description = "Priorities of single packages of the repository; a negative one means never.";
            example = {
              nginx = 990;
            };
          };
        };
      }
    );
    default = { };
    description = "Repositories by name. Each has keys of its own, and the lock says which package comes from which.";
    example = {
      example = {
        url = "https://packages.example.org/debian";
        suite = "stable";
        key = "/etc/keys/example.asc";
      };
    };
  };

  options.system.repositories = mkOption {
    type = types.raw;
    readOnly = true;
    internal = true;
    description = "The repositories as the lock's maker reads them.";
    example = { };
  };

  config.system.repositories = lib.mapAttrsToList (name: repository: {
    inherit name;
    inherit (repository)
      url
      suite
      components
      priority
      pins
      ;
    key = toString repository.key;
  }) config.debian.repositories;
}
