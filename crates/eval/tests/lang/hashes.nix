with builtins; [ (hashString "md5" "a") (hashString "sha1" "a") (hashString "sha256" "a") (hashString "sha512" "a") (hashFile "sha256" ./data/hello.txt)
  (convertHash { hash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; toHashFormat = "nix32"; }) (convertHash { hash = hashString "sha256" "a"; hashAlgo = "sha256"; toHashFormat = "sri"; }) ]
