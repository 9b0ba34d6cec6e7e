{ lib }:
rec {
  mkOption = declaration: { _type = "option"; } // declaration;
  showOption = parts: builtins.concatStringsSep "." (map (part: if builtins.match "[a-z]+" part == null then "\"${part}\"" else part) parts);
  mergeEqualOption = loc: defs:
    let first = builtins.head defs;
    in if builtins.all (def: def.value == first.value) defs then first.value else throw "${showOption loc}: not equal";
}
