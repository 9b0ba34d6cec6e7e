with builtins; let
  d = derivation { name = "x"; builder = "/bin/sh"; system = "x86_64-linux"; outputs = [ "out" "dev" ]; };
  f = toFile "a" "text";
in [ (getContext "${d}") (getContext "${d.dev} ${f}") (hasContext "${d}") (hasContext "a") (getContext (unsafeDiscardStringContext "${d}")) (getContext d.drvPath)
     (getContext (unsafeDiscardOutputDependency d.drvPath)) (getContext (substring 0 3 "${d}")) (appendContext "x" (getContext "${f}") == "x") (getContext (appendContext "x" (getContext "${f}")))
     (getContext (concatStringsSep " " [ "${d}" f ])) (getContext (addDrvOutputDependencies (unsafeDiscardOutputDependency d.drvPath))) f (getContext (replaceStrings [ "q" ] [ "${f}" ] "p")) ]
