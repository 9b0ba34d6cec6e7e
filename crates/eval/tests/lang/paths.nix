[ /a/b/../c (/a + "/b") (/a + "b") (toString /a/./b) (builtins.typeOf ./x) (baseNameOf ./paths.nix) (/. + "etc")
  (builtins.pathExists ./paths.nix) (builtins.pathExists ./nothing.nix) (builtins.readFileType ./paths.nix)
  (let p = "x"; in /a/${p}/c) (let p = "x"; in /a/b${p}c/d) (/a < /b) (builtins.readFile ./data/hello.txt)
  (import ./data/value.nix) (builtins.readDir ./data) (builtins.scopedImport { y = 2; } ./data/scoped.nix) (builtins.isPath /a) ]
