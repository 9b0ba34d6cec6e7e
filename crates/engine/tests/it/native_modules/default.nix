# A small module system in the language, with the names that nixpkgs' own gives to its parts.
let
  lib = {
    modules = import ./modules.nix { inherit lib; };
    options = import ./options.nix { inherit lib; };
    types = import ./types.nix { inherit lib; };
  };
in
lib // lib.modules // lib.options
