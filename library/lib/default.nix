# The library that modules receive as `lib`. Names and meanings are those of nixpkgs' lib where it has them.
{ native }:
let
  lib = {
    inherit native;
    options = import ./options.nix { inherit lib; };
    types = import ./types.nix { inherit lib; };
    strings = import ./strings.nix { inherit lib; };
    lists = import ./lists.nix { inherit lib; };
    attrsets = import ./attrsets.nix { inherit lib; };
    generators = import ./generators.nix { inherit lib; };
    net = import ./net.nix { inherit lib; };
    url = import ./url.nix { inherit lib; };
    units = import ./units.nix { inherit lib; };
    trivial = import ./trivial.nix { inherit lib; };
    # Evaluates modules: `{ modules, specialArgs ? { }, prefix ? [ ] }` gives `{ config, options }`.
    evalModules = arguments: native.evalModules ({ inherit lib; } // arguments);
  };
in
lib // lib.trivial // lib.lists // lib.strings // lib.attrsets // lib.options
