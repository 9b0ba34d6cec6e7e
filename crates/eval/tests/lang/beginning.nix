# Whether one text begins with another, as nixpkgs asks it, and what only looks like that.
let
  inherit (builtins) substring stringLength tryEval toFile;
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  other =
    let substring = start: length: text: "${toString start} ${toString length} ${text}";
    in prefix: text: substring 0 (stringLength prefix) text == prefix;
  longer =
    let stringLength = text: builtins.stringLength text + 1;
    in prefix: text: substring 0 (stringLength prefix) text == prefix;
  from = { outPath = "/a/path"; };
  caught = value: (tryEval value).success;
in {
  texts = map (hasPrefix "ab") [ "" "a" "ab" "abc" "b" "Ab" ];
  empty = map (hasPrefix "") [ "" "x" ];
  lazy = map (name: hasPrefix (name + "") "name") [ "n" "m" "name" "names" ];
  coerced = [ (hasPrefix "/a" from) (hasPrefix "/b" from) (hasPrefix "x" { __toString = _: "xyz"; }) ];
  set = hasPrefix from "/a/path";
  context = hasPrefix "/nix/store" (toFile "name" "text");
  otherwise = [ (other "0" "x") (other "0 3 x" "x") (other "0 5 x" "x") ];
  longer = [ (longer "ab" "ab") (longer "ab" "abc") ];
  failing = [
    (caught (hasPrefix "a" (throw "not a text")))
    (caught (hasPrefix (throw "no prefix") "a"))
    (caught ((prefix: (throw "no function") 0 (stringLength prefix) "a" == prefix) "a"))
  ];
  lists = [ ([ ] == [ ]) ([ ] == [ 1 ]) ([ (throw "never") ] == [ ]) ([ ] == "") ([ ] == null) ];
  less = [ ("a" < "b") ("b" < "a") ("a" < "a") ("" < "a") ("B" < "a") ("ä" < "z") ];
}
