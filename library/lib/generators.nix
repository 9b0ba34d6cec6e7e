# Texts in the formats of configuration files.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    elem
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    toJSON
    toString
    typeOf
    ;
  inherit (lib.attrsets)
    filterAttrs
    isDerivation
    mapAttrsToList
    ;
  inherit (lib.strings) concatMapStrings concatStrings;
  isFloat = builtins.isFloat;
in
rec {
  # `KEY=VALUE` lines below `[SECTION]` headings; a list repeats its key, `null` leaves it out.
  #
  # Example: toUnit { Unit.After = [ "a.target" "b.target" ]; } => "[Unit]\nAfter=a.target\nAfter=b.target\n"
  toUnit =
    sections:
    concatStringsSep "\n" (
      mapAttrsToList (section: settings: "[${section}]\n${concatStrings (mapAttrsToList line settings)}") (
        filterAttrs (_: settings: settings != { }) sections
      )
    );
  # One setting of `toUnit`: a line, several, or none.
  #
  # Example: line "User" "alice" => "User=alice\n"
  line =
    name: value:
    if value == null then
      ""
    else if isList value then
      concatMapStrings (line name) value
    else
      "${name}=${text value}\n";
  # A value as such files have it.
  #
  # Example: text true => "true"
  text = value: if isBool value then lib.trivial.boolToString value else toString value;
  # The same with the words that many programs' files want for Booleans.
  #
  # Example: yesNo true => "yes"
  yesNo = value: if isBool value then lib.trivial.boolToYesNo value else toString value;
  # A value as text: what `toString` gives, but `true` and `false` in words; lists, sets and functions are errors.
  #
  # Example: mkValueStringDefault { } true => "true"
  mkValueStringDefault =
    { }:
    value:
    let
      refused = what: throw "lib.generators.mkValueStringDefault: ${what} cannot be written: ${toPretty { } value}";
    in
    if isInt value || isString value || isDerivation value then
      toString value
    else if isBool value then
      lib.trivial.boolToString value
    else if value == null then
      "null"
    else if isList value then
      refused "a list"
    else if isAttrs value then
      refused "a set"
    else if isFunction value then
      refused "a function"
    else if isFloat value then
      lib.strings.floatToString value
    else
      toString value;
  # A key, a separator and a value: `mkKeyValueDefault { mkValueString ? mkValueStringDefault { } } SEPARATOR KEY VALUE`.
  #
  # Example: mkKeyValueDefault { } "=" "a" 1 => "a=1"
  mkKeyValueDefault =
    {
      mkValueString ? mkValueStringDefault { },
    }:
    separator: key: value:
    "${lib.strings.escape [ separator ] key}${separator}${mkValueString value}";
  # Lines of keys and values; with `listsAsDuplicateKeys` a list repeats its key.
  #
  # Example: toKeyValue { } { a = 1; b = true; } => "a=1\nb=true\n"
  toKeyValue =
    {
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
      indent ? "",
    }:
    let
      one = key: value: "${indent}${mkKeyValue key value}\n";
      lines = if listsAsDuplicateKeys then key: value: concatMapStrings (one key) (lib.lists.toList value) else one;
    in
    set: concatStrings (mapAttrsToList lines set);
  # An INI file: sections of keys and values.
  #
  # Example: toINI { } { a.b = 1; c.d = "e"; } => "[a]\nb=1\n\n[c]\nd=e\n"
  toINI =
    {
      mkSectionName ? name: lib.strings.escape [ "[" "]" ] name,
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
    }:
    let
      lines = toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; };
    in
    sections: concatStringsSep "\n" (mapAttrsToList (name: keys: "[${mkSectionName name}]\n${lines keys}") sections);
  # An INI file with keys before its sections: `{ globalSection, sections ? { } }`.
  #
  # Example: toINIWithGlobalSection { } { globalSection.a = 1; sections.b.c = 2; } => "a=1\n\n[b]\nc=2\n"
  toINIWithGlobalSection =
    settings@{
      mkSectionName ? name: lib.strings.escape [ "[" "]" ] name,
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
    }:
    {
      globalSection,
      sections ? { },
    }:
    (
      if globalSection == { } then
        ""
      else
        toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } globalSection + "\n"
    )
    + toINI settings sections;
  # A file as git's settings are written.
  #
  # Example: toGitINI { user.name = "Alice"; } => "[user]\n\tname = \"Alice\"\n"
  toGitINI =
    settings:
    let
      # `a.b.c` is the section `[a "b.c"]`; a name with quotes in it is written already.
      heading =
        name:
        let
          parts = lib.strings.splitString "." name;
        in
        if lib.strings.hasInfix "\"" name || builtins.length parts == 1 then
          name
        else
          "${builtins.head parts} \"${concatStringsSep "." (builtins.tail parts)}\"";
      escaped = builtins.replaceStrings [ "\n" "\t" "\"" "\\" ] [ "\\n" "\\t" "\\\"" "\\\\" ];
      value = value: mkValueStringDefault { } (if isString value then "\"${escaped value}\"" else value);
      line = mkKeyValueDefault { mkValueString = value; } " = ";
      isSection = one: isAttrs one && !(isDerivation one);
      sections =
        path: set:
        let
          keys = filterAttrs (_: one: !(isSection one)) set;
        in
        (
          if keys == { } then
            [ ]
          else
            [
              {
                name = concatStringsSep "." path;
                value = keys;
              }
            ]
        )
        ++ builtins.concatLists (
          mapAttrsToList (name: sections (path ++ [ name ])) (filterAttrs (_: isSection) set)
        );
      lines =
        keys:
        concatStrings (
          mapAttrsToList (key: one: concatMapStrings (one: "\t${line key one}\n") (lib.lists.toList one)) keys
        );
    in
    concatStringsSep "\n" (
      mapAttrsToList (name: keys: "[${heading name}]\n${lines keys}") (
        builtins.listToAttrs (
          builtins.concatLists (mapAttrsToList (name: sections [ name ]) settings)
        )
      )
    );
  # Settings of dconf.
  #
  # Example: toDconfINI { a.b = true; } => "[a]\nb=true\n"
  toDconfINI = toINI {
    mkKeyValue =
      key: value:
      let
        written =
          if isString value then
            "'${lib.strings.escape [ "'" "\\" ] value}'"
          else if isList value then
            "[${concatStringsSep ", " (map (one: if isString one then "'${one}'" else mkValueStringDefault { } one) value)}]"
          else
            mkValueStringDefault { } value;
      in
      "${key}=${written}";
  };
  # Text in JSON.
  #
  # Example: toJSON { } { a = 1; } => "{\"a\":1}"
  toJSON = { }: builtins.toJSON;
  # Text in YAML: JSON, which is YAML.
  #
  # Example: toYAML { } { a = 1; } => "{\"a\":1}"
  toYAML = { }: builtins.toJSON;
  # Text in the language, as a person would read it: `multiline ? true`, `allowPrettyValues ? false`, `indent ? ""`.
  #
  # Example: toPretty { multiline = false; } { a = [ 1 "x" ]; } => "{ a = [ 1 \"x\" ]; }"
  toPretty =
    {
      allowPrettyValues ? false,
      multiline ? true,
      indent ? "",
    }:
    let
      go =
        indent: value:
        let
          opening = if multiline then "\n${indent}  " else " ";
          closing = if multiline then "\n${indent}" else " ";
          lines = builtins.filter isString (builtins.split "\n" value);
          block =
            "''"
            + opening
            + concatStringsSep opening (map (builtins.replaceStrings [ "\${" "''" ] [ "''\${" "'''" ]) (if lib.lists.last lines == "" then lib.lists.init lines else lines))
            + (if lib.lists.last lines == "" then closing else "")
            + "''";
          arguments = lib.trivial.functionArgs value;
          shown = concatStringsSep ", " (
            mapAttrsToList (name: hasDefault: if hasDefault then "${name}?" else name) arguments
          );
        in
        if isInt value then
          toString value
        else if isFloat value then
          builtins.toJSON value
        else if isString value then
          (if multiline && builtins.length lines > 1 then block else lib.strings.escapeNixString value)
        else if value == true then
          "true"
        else if value == false then
          "false"
        else if value == null then
          "null"
        else if isPath value then
          toString value
        else if isList value then
          if value == [ ] then
            "[ ]"
          else
            "[${opening}${concatStringsSep opening (map (go (indent + "  ")) value)}${closing}]"
        else if lib.trivial.isFunction value then
          if arguments == { } then "<function>" else "<function, args: {${shown}}>"
        else if allowPrettyValues && value ? __pretty && value ? val then
          value.__pretty value.val
        else if value == { } then
          "{ }"
        else if isDerivation value then
          "<derivation ${value.name or "???"}>"
        else
          "{${opening}${
            concatStringsSep opening (
              mapAttrsToList (
                name: one:
                "${lib.strings.escapeNixIdentifier name} = ${
                  builtins.addErrorContext "while evaluating an attribute `${name}`" (go (indent + "  ") one)
                };"
              ) value
            )
          }${closing}}";
    in
    go indent;
  # A value that is cut off where it is deeper than `depthLimit`, an error where `throwOnDepthLimit`.
  #
  # Example: withRecursion { depthLimit = 1; throwOnDepthLimit = false; } { a = 1; } => { a = "<unevaluated>"; }
  withRecursion =
    {
      depthLimit,
      throwOnDepthLimit ? true,
    }:
    if !(isInt depthLimit) then
      throw "lib.generators.withRecursion: depthLimit is a whole number"
    else
      let
        special = [
          "__functor"
          "__functionArgs"
          "__toString"
          "__pretty"
        ];
        cut =
          depth: value:
          if depth <= depthLimit then
            value
          else if throwOnDepthLimit then
            throw "lib.generators.withRecursion: the value is deeper than ${toString depthLimit}"
          else
            "<unevaluated>";
        go =
          depth: value:
          let
            inside = one: go (depth + 1) (cut (depth + 1) one);
          in
          if isAttrs value then
            builtins.mapAttrs (name: one: if elem name special then one else inside one) value
          else if isList value then
            map inside value
          else
            cut (depth + 1) value;
      in
      go 0;
  # A value of Lua that `toLua` writes as it is.
  #
  # Example: (mkLuaInline "os.time()").expr => "os.time()"
  mkLuaInline = expr: {
    _type = "lua-inline";
    inherit expr;
  };
  # Text in Lua: a value, or with `asBindings` assignments.
  #
  # Example: toLua { multiline = false; } { a = [ 1 true ]; } => "{ [\"a\"] = { 1, true } }"
  toLua =
    {
      multiline ? true,
      indent ? "",
      asBindings ? false,
    }:
    let
      inner = "${indent}  ";
      below = toLua {
        inherit multiline;
        indent = if asBindings then indent else inner;
      };
      separator = if multiline then "\n${inner}" else " ";
      closing = if multiline then "\n${indent}" else " ";
      table = all: if all == [ ] then "{}" else "{${separator}${concatStringsSep ",${separator}" all}${closing}}";
      bindings =
        set:
        concatStrings (
          mapAttrsToList (
            name: value:
            if builtins.match "[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*" name == null then
              throw "lib.generators.toLua: `${name}` cannot be the name of a variable of Lua"
            else
              "${indent}${name} = ${below value}\n"
          ) set
        );
    in
    value:
    if asBindings then
      bindings value
    else if value == null then
      "nil"
    else if isInt value || isFloat value || isString value || isBool value then
      builtins.toJSON value
    else if isPath value || isDerivation value then
      builtins.toJSON (toString value)
    else if isList value then
      table (map below value)
    else if value._type or null == "lua-inline" then
      "(${value.expr})"
    else if isAttrs value then
      table (mapAttrsToList (name: one: "[${builtins.toJSON name}] = ${below one}") value)
    else
      throw "lib.generators.toLua: a ${typeOf value} cannot be written";
  # A property list in XML, as macOS reads it.
  #
  # Example: lib.strings.hasInfix "<true/>" (toPlist { escape = true; } { a = true; }) => true
  toPlist =
    {
      escape ? true,
    }:
    value:
    let
      plain = if escape then lib.strings.escapeXML else text: text;
      go =
        indent: value:
        let
          tag = name: content: "${indent}<${name}>${content}</${name}>";
          nested = name: content: "${indent}<${name}>\n${content}\n${indent}</${name}>";
          deeper = indent + "\t";
        in
        if value == null then
          ""
        else if isBool value then
          "${indent}<${lib.trivial.boolToString value}/>"
        else if isInt value then
          tag "integer" (toString value)
        else if isString value || isPath value then
          tag "string" (plain (toString value))
        else if isList value then
          nested "array" (concatStringsSep "\n" (map (go deeper) value))
        else if isAttrs value then
          nested "dict" (
            concatStringsSep "\n" (
              builtins.concatLists (
                mapAttrsToList (name: one: [
                  "${deeper}<key>${plain name}</key>"
                  (go deeper one)
                ]) (filterAttrs (_: one: one != null) value)
              )
            )
          )
        else if isFloat value then
          tag "real" (toString value)
        else
          throw "lib.generators.toPlist: a ${typeOf value} cannot be written";
    in
    ''
      <?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
      <plist version="1.0">
      ${go "" value}
      </plist>'';
}
