# The library that modules receive as `lib`. Names and meanings are those of nixpkgs' lib where it has them.
{ native }:
let
  lib = {
    inherit native;
    options = import ./options.nix { lib = whole; };
    types = import ./types.nix { lib = whole; };
    strings = import ./strings.nix { lib = whole; };
    lists = import ./lists.nix { lib = whole; };
    attrsets = import ./attrsets.nix { lib = whole; };
    generators = import ./generators.nix { lib = whole; };
    net = import ./net.nix { lib = whole; };
    url = import ./url.nix { lib = whole; };
    units = import ./units.nix { lib = whole; };
    calendar = import ./calendar.nix { lib = whole; };
    services = import ./services.nix { lib = whole; };
    secrets = import ./secrets.nix { lib = whole; };
    trivial = import ./trivial.nix { lib = whole; };
    # Evaluates modules: `{ modules, specialArgs ? { }, prefix ? [ ] }` gives `{ config, options }`.
    evalModules = arguments: native.evalModules ({ lib = whole; } // arguments);
  };
  whole =
    lib
    // {
      inherit (lib.services) mkService serviceModule;
    }
    // lib.trivial // lib.lists // lib.strings // lib.attrsets // lib.options;
in
whole
