# Texts.
{ lib }:
let
  inherit (builtins) replaceStrings stringLength substring;
in
rec {
  inherit (builtins)
    concatStringsSep
    match
    replaceStrings
    split
    stringLength
    substring
    ;
  concatStrings = builtins.concatStringsSep "";
  concatLines = lines: concatMapStrings (line: line + "\n") lines;
  concatMapStrings = f: list: concatStrings (builtins.map f list);
  concatMapStringsSep =
    separator: f: list:
    builtins.concatStringsSep separator (builtins.map f list);
  concatMapAttrsStringSep =
    separator: f: set:
    builtins.concatStringsSep separator (lib.attrsets.mapAttrsToList f set);
  optionalString = condition: text: if condition then text else "";
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      start = stringLength text - stringLength suffix;
    in
    start >= 0 && substring start (stringLength text) text == suffix;
  hasInfix = infix: text: builtins.length (splitString infix text) > 1;
  removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix =
    suffix: text: if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
  splitString =
    separator: text: builtins.filter builtins.isString (builtins.split (escapeRegex separator) text);
  escape = characters: replaceStrings characters (builtins.map (c: "\\${c}") characters);
  escapeRegex = escape [
    "\\"
    "["
    "{"
    "("
    ")"
    "^"
    "$"
    "?"
    "*"
    "+"
    "|"
    "."
  ];
  # A name as it stands in the path of an option.
  escapeName = name: if builtins.match "[a-zA-Z_<*][a-zA-Z0-9_'<>*-]*" name == null then "\"${name}\"" else name;
  # A word as a POSIX shell reads it.
  # How many letters must be put in, taken out or changed to make one text of another; case counts for nothing.
  #
  # Example: distance "ExecStrat" "ExecStart" => 2
  distance =
    from: to:
    let
      ours = stringToCharacters (toLower from);
      theirs = stringToCharacters (toLower to);
      least = builtins.foldl' (a: b: if a < b then a else b);
      # The next row of the table, from the last one.
      row =
        last: letter:
        builtins.foldl' (
          done: at:
          let
            same = if builtins.elemAt theirs at == letter then 0 else 1;
          in
          done
          ++ [
            (least (builtins.elemAt last at + same) [
              (builtins.elemAt last (at + 1) + 1)
              (builtins.elemAt done at + 1)
            ])
          ]
        ) [ (builtins.head last + 1) ] (builtins.genList (at: at) (builtins.length theirs));
    in
    builtins.elemAt (builtins.foldl' row (builtins.genList (at: at) (builtins.length theirs + 1)) ours) (
      builtins.length theirs
    );
  # Those of some names that a mistyped one could mean, the nearest first.
  #
  # Example: nearest "ExecStrat" [ "ExecStart" "ExecStop" "User" ] => [ "ExecStart" ]
  nearest =
    name: names:
    let
      limit = 1 + stringLength name / 6;
      near = builtins.filter (found: found.distance <= limit) (
        builtins.map (other: {
          inherit other;
          distance = distance name other;
        }) (builtins.filter (other: stringLength other - stringLength name <= limit && stringLength name - stringLength other <= limit) names)
      );
    in
    builtins.map (found: found.other) (builtins.sort (a: b: a.distance < b.distance) near);

  escapeShellArg =
    value:
    let
      text = builtins.toString value;
    in
    if builtins.match "[[:alnum:],._+:@%/-]+" text == null then
      "'${replaceStrings [ "'" ] [ "'\\''" ] text}'"
    else
      text;
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  toLower = replaceStrings upper lower;
  toUpper = replaceStrings lower upper;
  upper = characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  lower = characters "abcdefghijklmnopqrstuvwxyz";
  characters = stringToCharacters;
  stringToCharacters = text: builtins.genList (n: substring n 1 text) (stringLength text);
  trim =
    text:
    let
      found = builtins.match "[ \t\r\n]*(.*[^ \t\r\n])[ \t\r\n]*" text;
    in
    if found == null then "" else builtins.head found;
  toInt =
    text:
    let
      found = builtins.match "[ ]*(-?[0-9]+)[ ]*" text;
    in
    if found == null then
      throw "this is no whole number: ${builtins.toJSON text}"
    else
      builtins.fromJSON (removeZeros (builtins.head found));
  removeZeros =
    text:
    let
      found = builtins.match "(-?)0*([0-9]+)" text;
    in
    builtins.elemAt found 0 + builtins.elemAt found 1;
  fixedWidthString =
    width: filler: text:
    if stringLength text >= width then text else fixedWidthString width filler (filler + text);
  versionAtLeast = a: b: builtins.compareVersions a b >= 0;
  versionOlder = a: b: builtins.compareVersions a b < 0;
}
