# Texts.
{ lib }:
let
  inherit (builtins)
    elemAt
    head
    isList
    isString
    length
    map
    match
    replaceStrings
    stringLength
    substring
    toJSON
    ;
  # Pairs for `escapeXML`, `escapeURL` and their like.
  digits = stringToCharacters "0123456789ABCDEF";
  inherit (lib.strings) lowerChars stringToCharacters upperChars;
  # How many changes lead from one list to another.
  rows =
    ours: theirs:
    let
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
in
rec {
  inherit (builtins)
    compareVersions
    concatStringsSep
    elem
    elemAt
    filter
    fromJSON
    genList
    head
    isAttrs
    isInt
    isList
    isPath
    isString
    match
    parseDrvName
    readFile
    replaceStrings
    split
    storeDir
    stringLength
    substring
    tail
    toJSON
    typeOf
    unsafeDiscardStringContext
    ;
  # Texts one after the other.
  #
  # Example: concatStrings [ "a" "b" ] => "ab"
  concatStrings = builtins.concatStringsSep "";
  # Texts with something between them, all on their own.
  #
  # Example: join ", " [ "a" "b" ] => "a, b"
  join = builtins.concatStringsSep;
  # Lines, each with its end.
  #
  # Example: concatLines [ "a" "b" ] => "a\nb\n"
  concatLines = lines: concatMapStrings (line: line + "\n") lines;
  # What a function makes of each element, one after the other.
  #
  # Example: concatMapStrings (x: x + "!") [ "a" "b" ] => "a!b!"
  concatMapStrings = f: list: concatStrings (map f list);
  # The same with a text between them.
  #
  # Example: concatMapStringsSep "-" (x: x + "!") [ "a" "b" ] => "a!-b!"
  concatMapStringsSep =
    separator: f: list:
    builtins.concatStringsSep separator (map f list);
  # The same with the position, counted from 1.
  #
  # Example: concatImapStrings (n: x: "${toString n}${x}") [ "a" "b" ] => "1a2b"
  concatImapStrings = f: list: concatStrings (lib.lists.imap1 f list);
  # The same with the position, counted from 1, and a text between them.
  #
  # Example: concatImapStringsSep "-" (n: x: "${toString n}${x}") [ "a" "b" ] => "1a-2b"
  concatImapStringsSep =
    separator: f: list:
    builtins.concatStringsSep separator (lib.lists.imap1 f list);
  # What a function makes of each name and value, with a text between them.
  #
  # Example: concatMapAttrsStringSep ";" (name: value: "${name}=${value}") { a = "1"; b = "2"; } => "a=1;b=2"
  concatMapAttrsStringSep =
    separator: f: set:
    builtins.concatStringsSep separator (lib.attrsets.mapAttrsToList f set);
  # A list with something between its elements.
  #
  # Example: intersperse 0 [ 1 2 3 ] => [ 1 0 2 0 3 ]
  intersperse =
    separator: list:
    if length list < 2 then
      list
    else
      [ (head list) ]
      ++ builtins.concatMap (x: [
        separator
        x
      ]) (builtins.tail list);
  # A text where the condition holds, else an empty one.
  #
  # Example: optionalString false "a" => ""
  optionalString = condition: text: if condition then text else "";
  # A text so many times.
  #
  # Example: replicate 3 "ab" => "ababab"
  replicate = count: text: concatStrings (lib.lists.replicate count text);
  # Whether a text begins so.
  #
  # Example: hasPrefix "ab" "abc" => true
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  # Whether a text ends so.
  #
  # Example: hasSuffix "bc" "abc" => true
  hasSuffix =
    suffix: text:
    let
      start = stringLength text - stringLength suffix;
    in
    start >= 0 && substring start (stringLength text) text == suffix;
  # Whether a text has another in it.
  #
  # Example: hasInfix "b" "abc" => true
  hasInfix =
    infix: text:
    infix == "" || replaceStrings [ "${infix}" ] [ "" ] "${text}" != "${text}";
  # What follows a text's beginning; the text itself where it begins in another way.
  #
  # Example: removePrefix "a" "abc" => "bc"
  removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  # What is before a text's end; the text itself where it ends in another way.
  #
  # Example: removeSuffix "c" "abc" => "ab"
  removeSuffix =
    suffix: text: if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
  # How many bytes two texts share at their beginning.
  #
  # Example: commonPrefixLength "abc" "abd" => 2
  commonPrefixLength = a: b: length (lib.lists.commonPrefix (stringToCharacters a) (stringToCharacters b));
  # How many bytes two texts share at their end.
  #
  # Example: commonSuffixLength "abc" "xbc" => 2
  commonSuffixLength =
    a: b:
    let
      backwards = text: lib.lists.reverseList (stringToCharacters text);
    in
    length (lib.lists.commonPrefix (backwards a) (backwards b));
  # The parts of a text between separators.
  #
  # Example: splitString "." "a.b" => [ "a" "b" ]
  splitString =
    separator: text:
    map (addContextFrom text) (
      builtins.filter isString (builtins.split (escapeRegex (toString separator)) (toString text))
    );
  # The parts of a text between characters that pass; `test PREVIOUS CHARACTER`, and whether the character stays with its part.
  #
  # Example: splitStringBy (_: c: c == ".") false "a.b" => [ "a" "b" ]
  splitStringBy =
    test: keep: text:
    let
      go =
        at: from: parts:
        if at >= stringLength text then
          parts ++ [ (substring from (-1) text) ]
        else
          let
            splits = test (if at == 0 then "" else substring (at - 1) 1 text) (substring at 1 text);
          in
          if splits then
            go (at + 1) (if keep then at else at + 1) (parts ++ [ (substring from (at - from) text) ])
          else
            go (at + 1) from parts;
    in
    if text == "" then [ "" ] else go 0 0 [ ];
  # A text with the context of another.
  #
  # Example: addContextFrom "a" "b" => "b"
  addContextFrom = from: text: substring 0 0 from + text;
  # A text with backslashes before some characters.
  #
  # Example: escape [ "(" ] "(a" => "\\(a"
  escape = characters: replaceStrings characters (map (c: "\\${c}") characters);
  # A text as a regular expression that matches nothing else.
  #
  # Example: escapeRegex "a.b" => "a\\.b"
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
  # A text with some characters as `\xHH`, as C and systemd write them.
  #
  # Example: escapeC [ " " ] "a b" => "a\\x20b"
  escapeC =
    characters:
    replaceStrings characters (
      map (c: "\\x${fixedWidthString 2 "0" (lib.strings.toLower (lib.trivial.toHexString (charToInt c)))}") characters
    );
  # A text as a part of a URL.
  #
  # Example: escapeURL "a b/c" => "a%20b%2Fc"
  escapeURL =
    text:
    stringAsChars (
      c:
      if match "[A-Za-z0-9_.~-]" c != null then
        c
      else
        "%${elemAt digits (charToInt c / 16)}${elemAt digits (lib.trivial.mod (charToInt c) 16)}"
    ) text;
  # A text in XML.
  #
  # Example: escapeXML "<a>" => "&lt;a&gt;"
  escapeXML = replaceStrings [ "\"" "'" "<" ">" "&" ] [ "&quot;" "&apos;" "&lt;" "&gt;" "&amp;" ];
  # A text as a string of the language.
  #
  # Example: escapeNixString "a\${b}" => "\"a\\\${b}\""
  escapeNixString = text: escape [ "$" ] (toJSON text);
  # A name as it stands on the left of `=` in the language.
  #
  # Example: escapeNixIdentifier "a b" => "\"a b\""
  escapeNixIdentifier =
    text:
    let
      words = [
        "assert"
        "else"
        "if"
        "in"
        "inherit"
        "let"
        "or"
        "rec"
        "then"
        "with"
      ];
    in
    if match "[a-zA-Z_][a-zA-Z0-9_'-]*" text != null && !(builtins.elem text words) then text else escapeNixString text;
  # A name as it stands in the path of an option.
  #
  # Example: escapeName "a b" => "\"a b\""
  escapeName = name: if match "[a-zA-Z_<*][a-zA-Z0-9_'<>*-]*|<.*>" name == null then "\"${name}\"" else name;
  # How many letters must be put in, taken out or changed to make one text of another; case counts for nothing.
  #
  # Example: distance "ExecStrat" "ExecStart" => 2
  distance =
    from: to:
    rows (stringToCharacters (toLower from)) (stringToCharacters (toLower to));
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
  # A word as a POSIX shell reads it.
  #
  # Example: escapeShellArg "a b" => "'a b'"
  escapeShellArg =
    value:
    let
      text = builtins.toString value;
    in
    if match "[[:alnum:],._+:@%/-]+" text == null then
      "'${replaceStrings [ "'" ] [ "'\\''" ] text}'"
    else
      text;
  # Words as a POSIX shell reads them.
  #
  # Example: escapeShellArgs [ "a" "b c" ] => "a 'b c'"
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  # Whether a text can be the name of a shell's variable.
  #
  # Example: isValidPosixName "A-B" => false
  isValidPosixName = name: match "[a-zA-Z_][a-zA-Z0-9_]*" name != null;
  # An assignment for a shell: a set becomes an associative array of bash, a list an array.
  #
  # Example: toShellVar "a" "b c" => "a='b c'"
  toShellVar =
    name: value:
    if !(isValidPosixName name) then
      throw "lib.strings.toShellVar: `${name}` cannot be the name of a shell's variable"
    else if builtins.isAttrs value && !(isStringLike value) then
      "declare -A ${name}=(${
        builtins.concatStringsSep " " (
          lib.attrsets.mapAttrsToList (key: one: "[${escapeShellArg key}]=${escapeShellArg one}") value
        )
      })"
    else if isList value then
      "declare -a ${name}=(${escapeShellArgs value})"
    else
      "${name}=${escapeShellArg value}";
  # Assignments for a shell, one a line.
  #
  # Example: toShellVars { a = "1"; b = "2"; } => "a=1\nb=2"
  toShellVars = set: builtins.concatStringsSep "\n" (lib.attrsets.mapAttrsToList toShellVar set);
  # A text in small letters of ASCII.
  #
  # Example: toLower "Ab" => "ab"
  toLower = replaceStrings upperChars lowerChars;
  # A text in capital letters of ASCII.
  #
  # Example: toUpper "Ab" => "AB"
  toUpper = replaceStrings lowerChars upperChars;
  # A text with a capital at its beginning, and small letters after it.
  #
  # Example: toSentenceCase "hELLO" => "Hello"
  toSentenceCase =
    text:
    if !(isString text) then
      throw "lib.strings.toSentenceCase takes a text, not a ${builtins.typeOf text}"
    else
      toUpper (substring 0 1 text) + toLower (substring 1 (-1) text);
  # A text as one word with capitals inside.
  #
  # Example: toCamelCase "hello-new world" => "helloNewWorld"
  toCamelCase =
    text:
    let
      # Words end at separators, and where a small letter is followed by a capital.
      words = builtins.filter (word: word != "") (
        builtins.concatMap (splitStringBy (
          before: c: match "[a-z]" before != null && match "[A-Z]" c != null
        ) true) (splitStringBy (_: c: builtins.elem c [ "-" "_" " " ]) false text)
      );
    in
    if !(isString text) then
      throw "lib.strings.toCamelCase takes a text, not a ${builtins.typeOf text}"
    else if words == [ ] then
      ""
    else
      toLower (head words) + concatMapStrings toSentenceCase (builtins.tail words);
  # The capital letters of ASCII.
  #
  # Example: builtins.length upperChars => 26
  upperChars = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  # The small letters of ASCII.
  #
  # Example: builtins.length lowerChars => 26
  lowerChars = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  # The bytes of a text.
  #
  # Example: stringToCharacters "ab" => [ "a" "b" ]
  stringToCharacters = text: builtins.genList (n: substring n 1 text) (stringLength text);
  # What a function makes of each byte.
  #
  # Example: stringAsChars (c: c + c) "ab" => "aabb"
  stringAsChars = f: text: concatMapStrings f (stringToCharacters text);
  # The number of a character in ASCII.
  #
  # Example: charToInt "A" => 65
  charToInt = c: lib.strings.codes.${c} or (throw "lib.strings.charToInt: ${toJSON c} is no character of ASCII");
  # The numbers of all characters of ASCII.
  #
  # Example: codes."~" => 126
  codes =
    let
      printable = stringToCharacters " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    in
    builtins.listToAttrs (
      lib.lists.imap0 (n: c: {
        name = c;
        value = n + 32;
      }) printable
      ++ [
        {
          name = "\t";
          value = 9;
        }
        {
          name = "\n";
          value = 10;
        }
        {
          name = "\r";
          value = 13;
        }
        {
          # DELETE, which no text of the language can be written with otherwise.
          name = builtins.fromJSON "\"\\u007f\"";
          value = 127;
        }
      ]
      ++ map (n: {
        name = builtins.fromJSON "\"\\u00${fixedWidthString 2 "0" (lib.trivial.toHexString n)}\"";
        value = n;
      }) (builtins.filter (n: n != 9 && n != 10 && n != 13) (lib.lists.range 1 31))
    );
  # A text without blanks at its ends.
  #
  # Example: trim " a b\n" => "a b"
  trim = trimWith {
    start = true;
    end = true;
  };
  # The same at the ends that are named.
  #
  # Example: trimWith { end = true; } " a " => " a"
  trimWith =
    {
      start ? false,
      end ? false,
    }:
    text:
    let
      blank = " \t\r\n";
      pattern =
        (if start then "[${blank}]*" else "")
        + (if end then "(.*[^${blank}]|)" else "(.*)")
        + (if end then "[${blank}]*" else "");
      # At the start alone, `.*` could begin with what is to go.
      found = match (if start && !end then "[${blank}]*([^${blank}].*|)" else if start then "[${blank}]*([^${blank}]|[^${blank}].*[^${blank}]|)[${blank}]*" else pattern) text;
    in
    if !start && !end then text else head found;
  # A text with others in place of one.
  #
  # Example: replaceString "a" "b" "banana" => "bbnbnb"
  replaceString = from: to: replaceStrings [ from ] [ to ];
  # A whole number in decimal digits, where zeros in front would leave doubt about the base.
  #
  # Example: toInt "12" => 12
  toInt =
    text:
    let
      found = match "[ \t]*(-?[0-9]+)[ \t]*" text;
      digits = head found;
    in
    if found == null then
      throw "this is no whole number: ${toJSON text}"
    else if match "-?0[0-9]+" digits != null then
      throw "zeros in front leave doubt whether the number is octal: ${toJSON text}; lib.strings.toIntBase10 reads it as decimal"
    else
      builtins.fromJSON digits;
  # A whole number in decimal digits, with zeros in front or not.
  #
  # Example: toIntBase10 "012" => 12
  toIntBase10 =
    text:
    let
      found = match "[ \t]*(-?)0*([0-9]+)[ \t]*" text;
    in
    if found == null then
      throw "this is no whole number: ${toJSON text}"
    else
      builtins.fromJSON (elemAt found 0 + elemAt found 1);
  # A fraction as text; `builtins.toString` writes six digits.
  #
  # Example: floatToString 1.5 => "1.500000"
  floatToString = number: builtins.toString number;
  # A text made as wide as wanted by a filler in front.
  #
  # Example: fixedWidthString 4 "0" "12" => "0012"
  fixedWidthString =
    width: filler: text:
    let
      fillers = width - stringLength text;
    in
    if fillers < 0 then
      throw "lib.strings.fixedWidthString: ${toJSON text} is wider than ${toString width}"
    else
      substring 0 fillers (replicate fillers filler) + text;
  # A number with zeros in front.
  #
  # Example: fixedWidthNumber 4 12 => "0012"
  fixedWidthNumber = width: number: fixedWidthString width "0" (builtins.toString number);
  # Whether one version is another or newer.
  #
  # Example: versionAtLeast "1.10" "1.9" => true
  versionAtLeast = a: b: builtins.compareVersions a b >= 0;
  # Whether one version is older than another.
  #
  # Example: versionOlder "1.9" "1.10" => true
  versionOlder = a: b: builtins.compareVersions a b < 0;
  # The name of a package without its version.
  #
  # Example: getName "hello-2.12" => "hello"
  getName = package: if isString package then (builtins.parseDrvName package).name else package.pname or (builtins.parseDrvName package.name).name;
  # The version of a package.
  #
  # Example: getVersion "hello-2.12" => "2.12"
  getVersion =
    package: if isString package then (builtins.parseDrvName package).version else package.version or (builtins.parseDrvName package.name).version;
  # The name of what a URL leads to, without its ending: `nameFromURL URL SEPARATOR`.
  #
  # Example: nameFromURL "https://example.org/a-1.tar.gz" "." => "a-1"
  nameFromURL =
    url: separator:
    let
      file = lib.lists.last (splitString "/" url);
      name = head (splitString separator file);
    in
    if name == file then throw "lib.strings.nameFromURL: `${file}` has no ${toJSON separator}" else name;
  # A name that a derivation can have.
  #
  # Example: sanitizeDerivationName "a b" => "a-b"
  sanitizeDerivationName =
    text:
    let
      plain = builtins.unsafeDiscardStringContext text;
      parts = builtins.split "[^[:alnum:]+._?=-]+" (head (match "\\.*(.*)" plain));
      name = concatStrings (map (part: if isList part then "-" else part) parts);
    in
    if stringLength plain <= 207 && match "[[:alnum:]+_?=-][[:alnum:]+._?=-]*" plain != null then
      plain
    else if name == "" then
      "unknown"
    else
      substring (lib.trivial.max 0 (stringLength name - 207)) (-1) name;
  # A path without doubled slashes.
  #
  # Example: normalizePath "/a//b///c/" => "/a/b/c/"
  normalizePath = text: concatStrings (map (part: if isList part then "/" else part) (builtins.split "/+" text));
  # Places below each of some folders, as a search path.
  #
  # Example: makeSearchPath "bin" [ "/a" "/b" ] => "/a/bin:/b/bin"
  makeSearchPath =
    below: folders: builtins.concatStringsSep ":" (map (folder: "${folder}/${below}") (builtins.filter (folder: folder != null) folders));
  # The same in an output of each of some packages.
  #
  # Example: makeSearchPathOutput "dev" "lib" [ { dev = "/a"; } ] => "/a/lib"
  makeSearchPathOutput =
    output: below: packages:
    makeSearchPath below (map (lib.attrsets.getOutput output) packages);
  # The search path for the programs of packages.
  #
  # Example: makeBinPath [ { bin = "/a"; } ] => "/a/bin"
  makeBinPath = makeSearchPathOutput "bin" "bin";
  # The search path for the libraries of packages.
  #
  # Example: makeLibraryPath [ { lib = "/a"; } ] => "/a/lib"
  makeLibraryPath = makeSearchPathOutput "lib" "lib";
  # The search path for the headers of packages.
  #
  # Example: makeIncludePath [ { dev = "/a"; } ] => "/a/include"
  makeIncludePath = makeSearchPathOutput "dev" "include";
  # An option of `configure`: `--enable-NAME` or `--disable-NAME`.
  #
  # Example: enableFeature false "x" => "--disable-x"
  enableFeature = flag: name: "--${if flag then "enable" else "disable"}-${name}";
  # An option of `configure` with a value where it is on.
  #
  # Example: enableFeatureAs true "x" "y" => "--enable-x=y"
  enableFeatureAs = flag: name: value: enableFeature flag name + (if flag then "=${value}" else "");
  # An option of `configure`: `--with-NAME` or `--without-NAME`.
  #
  # Example: withFeature false "x" => "--without-x"
  withFeature = flag: name: "--${if flag then "with" else "without"}-${name}";
  # An option of `configure` with a value where it is on.
  #
  # Example: withFeatureAs true "x" "y" => "--with-x=y"
  withFeatureAs = flag: name: value: withFeature flag name + (if flag then "=${value}" else "");
  # An option of CMake.
  #
  # Example: cmakeOptionType "string" "A" "b" => "-DA:STRING=b"
  cmakeOptionType = type: name: value: "-D${name}:${toUpper type}=${value}";
  # An option of CMake that is on or off.
  #
  # Example: cmakeBool "A" true => "-DA:BOOL=TRUE"
  cmakeBool = name: flag: cmakeOptionType "bool" name (toUpper (lib.trivial.boolToString flag));
  # An option of CMake that is a text.
  #
  # Example: cmakeFeature "A" "b" => "-DA:STRING=b"
  cmakeFeature = cmakeOptionType "string";
  # An option of Meson.
  #
  # Example: mesonOption "a" "b" => "-Da=b"
  mesonOption = name: value: "-D${name}=${value}";
  # An option of Meson that is true or false.
  #
  # Example: mesonBool "a" true => "-Da=true"
  mesonBool = name: flag: mesonOption name (lib.trivial.boolToString flag);
  # A feature of Meson.
  #
  # Example: mesonEnable "a" false => "-Da=disabled"
  mesonEnable = name: flag: mesonOption name (if flag then "enabled" else "disabled");
  # Whether a value is a text, or becomes one in `"${...}"`.
  #
  # Example: isStringLike { outPath = "/a"; } => true
  isStringLike =
    value: isString value || builtins.isPath value || value ? outPath || value ? __toString;
  # Whether `toString` takes a value.
  #
  # Example: isConvertibleWithToString [ 1 "a" ] => true
  isConvertibleWithToString =
    value:
    builtins.elem (builtins.typeOf value) [
      "null"
      "int"
      "float"
      "bool"
    ]
    || (isList value && builtins.all isConvertibleWithToString value)
    || isStringLike value;
  # Whether a value is a path right below the store's folder.
  #
  # Example: isStorePath "/nix/store" => false
  isStorePath =
    value:
    isStringLike value
    && (
      let
        text = builtins.toString value;
      in
      substring 0 1 text == "/" && (builtins.dirOf text == builtins.storeDir || match "/[0-9a-z]{52}" text != null)
    );
  # A file's text without the end of its last line.
  #
  # Example: builtins.isFunction fileContents => true
  fileContents = file: removeSuffix "\n" (builtins.readFile file);
  # How many bytes must be put in, taken out or changed to make one text of another.
  #
  # Example: levenshtein "kitten" "sitting" => 3
  levenshtein = a: b: rows (stringToCharacters a) (stringToCharacters b);
  # Whether `levenshtein` is at most so much.
  #
  # Example: levenshteinAtMost 2 "kitten" "sitting" => false
  levenshteinAtMost = most: a: b: levenshtein a b <= most;
}
