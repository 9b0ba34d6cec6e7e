let
  base = { name = "x"; builder = "/bin/sh"; system = "x86_64-linux"; };
  a = derivation (base // { args = [ "-c" "echo ${toString 1}" ]; v = 1; t = true; n = null; l = [ 1 2 "x" ]; });
  multi = derivation (base // { name = "multi"; outputs = [ "out" "lib" "dev" ]; inherit a; });
  fixed = derivation (base // { name = "fixed"; outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; outputHashMode = "recursive"; });
  flat = derivation (base // { name = "flat"; outputHash = "da39a3ee5e6b4b0d3255bfef95601890afd80709"; outputHashAlgo = "sha1"; });
  uses = derivation (base // { name = "uses"; x = multi.lib; y = fixed; z = flat; src = ./data; });
  structured = derivation (base // { name = "st"; __structuredAttrs = true; a = { b = [ 1 2.5 null ]; c = "${a}"; }; outputs = [ "out" ]; });
  nulls = derivation (base // { name = "nulls"; __ignoreNulls = true; x = null; y = 1; });
  deep = derivation (base // { name = "deep"; graph = uses.drvPath; });
in map (d: [ d.drvPath d.outPath ]) [ a multi multi.lib fixed flat uses structured nulls deep ] ++ [ multi.all multi.dev.outputName (a.drvAttrs.v) (import <nix/fetchurl.nix> { url = "http://example.org/f"; sha256 = "0000000000000000000000000000000000000000000000000000"; }).drvPath (builtins.placeholder "out") ]
