# The machine as a whole: its release, its roots, and the manifest that all modules add to.
{
  config,
  lib,
  locked,
  ...
}:
let
  inherit (lib) mkOption types;
  facts = import ../packages/debian.nix { inherit lib; };

  rootOptions = {
    release = mkOption {
      type = types.enum [
        "trixie"
        "bookworm"
      ];
      description = "The Debian release that the root's packages come from.";
      example = "bookworm";
    };
    packages = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      description = "Debian packages by name; `NAME=VERSION` asks for one version.";
      example = [ "htop" ];
    };
    recommends = mkOption {
      type = types.bool;
      default = false;
      description = "Whether packages that others recommend come too.";
      example = true;
    };
    files = mkOption {
      type = types.attrsOf types.raw;
      default = { };
      description = "Generated files of the root, by absolute path.";
      example = {
        "/etc/motd".text = "hello";
      };
    };
    alternatives = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Names that several packages offer, and the file that each stands for.";
      example = {
        "/usr/bin/editor" = "/usr/bin/vim.basic";
      };
    };
    capabilities = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Capabilities of files, in the text form of `setcap`.";
      example = {
        "/usr/bin/ping" = "cap_net_raw+ep";
      };
    };
    modes = mkOption {
      type = types.attrsOf types.raw;
      default = { };
      description = "Modes and owners of packages' files that differ from what the package says.";
      example = {
        "/usr/bin/ssh-agent" = {
          mode = "2755";
          user = "root";
          group = "_ssh";
        };
      };
    };
    diversions = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Paths that two packages bring, and the package whose file is taken.";
      example = {
        "/usr/bin/x" = "package-a";
      };
    };
  };

  cfg = config.system;

  # What the packages of a root bring along that their maintainer scripts would have done.
  factsOf =
    root: lib.concatMap (name: lib.optional (facts ? ${name}) facts.${name}) (lib.attrNames (locked.${root} or { }));
  gather = field: sets: lib.foldl' (all: set: all // (set.${field} or { })) { } sets;
  rootManifest = name: root: {
    inherit (root) release;
    files = root.files;
    alternatives = gather "alternatives" (factsOf name) // root.alternatives;
    capabilities = gather "capabilities" (factsOf name) // root.capabilities;
    modes = gather "modes" (factsOf name) // root.modes;
    diversions = gather "diversions" (factsOf name) // root.diversions;
  };
in
{
  options.system = {
    release = mkOption {
      type = rootOptions.release.type;
      default = "trixie";
      description = "The Debian release that the machine is made of.";
      example = "bookworm";
    };
    extraRoots = mkOption {
      type = types.attrsOf (types.submodule { options = rootOptions; });
      default = { };
      description = ''
        Further roots beside the machine's own, each composed of its own packages, so that two versions of one
        package live in one machine. A unit runs in one with `RootDirectory=/run/nival/roots/NAME`.
      '';
      example = {
        old = {
          release = "bookworm";
          packages = [ "postgresql-15" ];
        };
      };
    };
    alternatives = rootOptions.alternatives;
    capabilities = rootOptions.capabilities;
    modes = rootOptions.modes;
    diversions = rootOptions.diversions;
    directories = mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            path = mkOption {
              type = types.path;
              description = "The directory.";
              example = "/var/lib/app";
            };
            mode = mkOption {
              type = types.str;
              default = "0755";
              description = "Its permission bits, in octal.";
              example = "0750";
            };
            user = mkOption {
              type = types.str;
              default = "root";
              description = "Its owner.";
              example = "app";
            };
            group = mkOption {
              type = types.str;
              default = "root";
              description = "Its group.";
              example = "app";
            };
          };
        }
      );
      default = [ ];
      description = "Directories that are made when the machine starts and at each switch.";
      example = [ { path = "/var/lib/app"; } ];
    };
    checks = mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options = {
              unit = mkOption {
                type = types.str;
                default = "";
                description = "The unit whose health this tells; its journal is shown where the check fails.";
                example = "app.service";
              };
              http = mkOption {
                type = types.nullOr types.attrs;
                default = null;
                description = "A request: `{ url, host ? null, status ? null, contains ? null }`; without `status` any answer below 500 is good.";
                example = {
                  url = "http://127.0.0.1:8080/health";
                };
              };
              tcp = mkOption {
                type = types.nullOr types.port;
                default = null;
                description = "A port on the machine that takes connections.";
                example = 5432;
              };
              command = mkOption {
                type = types.nullOr (types.listOf types.str);
                default = null;
                description = "A command that ends with exit code 0.";
                example = [
                  "/usr/bin/true"
                ];
              };
              timeoutSeconds = mkOption {
                type = types.ints.positive;
                default = 30;
                description = "How long the check may take to become good.";
                example = 60;
              };
              graceSeconds = mkOption {
                type = types.either types.ints.unsigned types.float;
                default = 0.5;
                description = ''
                  How long a `switch` bears answers that are plainly wrong: a status (but 429, 502, 503 and 504, which say
                  that a service is not there yet) or a page that is not the wanted one, while the unit is active. Then
                  the old generation comes back without waiting for `timeoutSeconds`.
                '';
                example = 5;
              };
            };
          }
        )
      );
      default = { };
      description = "Health checks: `up` and `switch` succeed only when all of them do.";
      example = {
        "app answers" = {
          unit = "app.service";
          tcp = 8080;
        };
      };
    };
    preflight = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            unit = mkOption {
              type = types.str;
              description = "The unit that the command speaks for.";
              example = "nginx.service";
            };
            command = mkOption {
              type = types.listOf types.str;
              description = "A command that is run in the new root before anything changes; it must end with exit code 0.";
              example = [
                "/usr/sbin/nginx"
                "-t"
              ];
            };
          };
        }
      );
      default = { };
      description = "Commands that judge a new generation before anything of the machine is touched.";
      example = {
        "nginx -t" = {
          unit = "nginx.service";
          command = [
            "/usr/sbin/nginx"
            "-t"
          ];
        };
      };
    };
    keepGenerations = mkOption {
      type = types.ints.positive;
      default = 20;
      description = ''
        How many generations of the machine are kept, the current one among them; of switches that failed only the last
        one's. Older ones are removed after a switch and at `up`. `nival generations --keep-last` does it at once.
      '';
      example = 5;
    };
    ports = mkOption {
      type = types.listOf types.attrs;
      default = [ ];
      internal = true;
      description = "Ports that services listen on: `{ port, protocol, unit, description }`.";
      example = [
        {
          port = 80;
          protocol = "tcp";
          unit = "nginx.service";
          description = "HTTP";
        }
      ];
    };
    roots = mkOption {
      type = types.attrsOf types.raw;
      readOnly = true;
      internal = true;
      description = "The package requests of each root, for the lock.";
      example = { };
    };
    manifest = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "Everything that the machine is made of, apart from its packages.";
      example = { };
    };
  };

  config.system = {
    roots = {
      system = {
        inherit (cfg) release;
        packages = lib.unique config.environment.systemPackages;
        recommends = false;
      };
    }
    // lib.mapAttrs (_: root: { inherit (root) release packages recommends; }) cfg.extraRoots;

    manifest = {
      version = 1;
      name = config.networking.hostName;
      inherit (cfg) release;
      files = config.environment.manifestFiles;
      alternatives = gather "alternatives" (factsOf "system") // cfg.alternatives;
      capabilities = gather "capabilities" (factsOf "system") // cfg.capabilities;
      modes = gather "modes" (factsOf "system") // cfg.modes;
      diversions = gather "diversions" (factsOf "system") // cfg.diversions;
      users = config.users.manifestUsers (factsOf "system");
      groups = config.users.manifestGroups (factsOf "system");
      units = config.systemd.manifestUnits;
      masks = config.systemd.maskedUnits;
      directories = lib.concatMap (set: set.directories or [ ]) (factsOf "system") ++ cfg.directories;
      roots = lib.mapAttrs rootManifest cfg.extraRoots;
      checks = lib.mapAttrsToList (name: check: {
        inherit name;
        inherit (check) unit timeoutSeconds graceSeconds;
        kind =
          if check.http != null then
            { http = lib.filterAttrs (_: value: value != null) check.http; }
          else if check.tcp != null then
            { tcp.port = check.tcp; }
          else
            { command = lib.optionals (check.command != null) check.command; };
      }) cfg.checks;
      preflight = lib.mapAttrsToList (name: check: {
        inherit name;
        inherit (check) unit command;
      }) cfg.preflight;
      ports = cfg.ports;
      secrets = cfg.secrets;
      inherit (cfg) keepGenerations;
    };
  };

  config.assertions = lib.mapAttrsToList (name: check: {
    assertion = lib.count (x: x != null) [
      check.http
      check.tcp
      check.command
    ] == 1;
    message = "the check `${name}` needs one of `http`, `tcp` and `command`";
    options = [ "system.checks.${name}" ];
  }) cfg.checks;
}
