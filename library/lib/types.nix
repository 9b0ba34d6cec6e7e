# Types of options. Those with `_native` are known to the engine; see `crates/modules/src/types`.
{ lib }:
let
  native =
    name: description: rest:
    let
      self = {
        _type = "option-type";
        _native = name;
        inherit name description;
        # Merges `{ file, value }`s, for types of one's own that go back to this one.
        merge = {
          _native = true;
          __functor = _: lib.native.merge self;
        };
      }
      // rest;
    in
    self;
  # The options below a type, where it has any.
  below = elemType: elemType.getSubOptions or (_: { });
  # What a type says of the one type that it holds: how it is made of another (`again`), and the options below, whose names
  # have `names` before them.
  holding = again: names: elemType: {
    inherit elemType;
    _with = again;
    getSubOptions = prefix: below elemType (prefix ++ names);
    nestedTypes = { inherit elemType; };
  };
in
rec {
  # A type of one's own: `{ name, description ? name, check ? any, merge ? equal, emptyValue ? { } }`.
  #
  # Example: (mkOptionType { name = "even"; check = n: lib.mod n 2 == 0; }).check 4 => true
  mkOptionType = declaration: { _type = "option-type"; } // declaration;
  # Whether a value is a type of options.
  #
  # Example: isOptionType int => true
  isOptionType = isType "option-type";
  # Whether a set says in `_type` that it is of this kind.
  #
  # Example: isType "if" (lib.mkIf true 1) => true
  isType = kind: value: value._type or null == kind;
  # A set that says in `_type` of which kind it is.
  #
  # Example: setType "if" { } => { _type = "if"; }
  setType = kind: set: set // { _type = kind; };

  # Whatever modules say, merged by its kind: what an option without a type takes.
  #
  # Example: unspecified.name => "unspecified"
  unspecified = native "unspecified" "unspecified value" { };
  # A value that is taken as it is, from one definition.
  #
  # Example: raw.name => "raw"
  raw = native "raw" "raw value" { };
  # Whatever modules say: sets are merged down to their leaves, other values have to agree.
  #
  # Example: anything.name => "anything"
  anything = native "anything" "anything" { };
  # `true` or `false`.
  #
  # Example: bool.description => "boolean"
  bool = native "bool" "boolean" { };
  # A whole number.
  #
  # Example: int.description => "integer"
  int = native "int" "integer" { };
  # A number with a fraction.
  #
  # Example: float.description => "floating point number"
  float = native "float" "floating point number" { };
  # A whole number or one with a fraction.
  #
  # Example: number.description => "number"
  number = native "number" "number" { };
  # A text; several definitions have to agree.
  #
  # Example: str.description => "string"
  str = native "str" "string" { };
  # A path. One that is written as such becomes part of the store, so it has to be there.
  #
  # Example: path.description => "absolute path"
  path = native "path" "absolute path" {
    problem =
      value:
      if builtins.isPath value && !builtins.pathExists value then "there is no `${toString value}`" else null;
  };
  # A package: a derivation or a path of the store.
  #
  # Example: package.description => "package"
  package = native "package" "package" { };
  # A set as it is; of a name that several definitions have, the last one counts.
  #
  # Example: attrs.description => "set"
  attrs = native "attrs" "set" { };

  # Whole numbers within limits: `between MIN MAX`, `unsigned`, `positive`, `u8`, `u16`, `u32`, `s8`, `s16`, `s32`.
  #
  # Example: (ints.between 1 9).description => "integer from 1 to 9"
  ints = {
    between =
      min: max:
      int
      // {
        name = "intBetween";
        inherit min max;
        description = "integer from ${toString min} to ${toString max}";
      };
    unsigned =
      int
      // {
        min = 0;
        description = "integer that is not negative";
      };
    positive =
      int
      // {
        min = 1;
        description = "positive integer";
      };
    u8 = ints.between 0 255;
    u16 = ints.between 0 65535;
    u32 = ints.between 0 4294967295;
    s8 = ints.between (-128) 127;
    s16 = ints.between (-32768) 32767;
    s32 = ints.between (-2147483648) 2147483647;
  };
  # The number of a port.
  #
  # Example: port.description => "port number, from 0 to 65535"
  port = ints.between 0 65535 // {
    description = "port number, from 0 to 65535";
  };

  # A text that a regular expression matches as a whole.
  #
  # Example: (strMatching "[a-z]+").check "abc" => true
  strMatching =
    pattern:
    str
    // {
      name = "strMatching ${lib.strings.escapeNixString pattern}";
      description = "string that matches ${pattern}";
      check = text: builtins.match pattern text != null;
    };
  # A text with more than blanks in it.
  #
  # Example: nonEmptyStr.check " " => false
  nonEmptyStr =
    str
    // {
      description = "string that is not empty";
      check = text: builtins.match "[ \t\r\n]*" text == null;
    };
  # A text of one line.
  #
  # Example: singleLineStr.check "a\nb" => false
  singleLineStr =
    str
    // {
      description = "string of one line";
      check = text: builtins.match "[^\n\r]*\n?" text != null;
    };
  # A text; several definitions are joined with a separator between them.
  #
  # Example: (separatedString ":").separator => ":"
  separatedString =
    separator:
    native "separatedString" "string" {
      inherit separator;
    };
  # A text of lines; several definitions follow one another.
  #
  # Example: lines.separator => "\n"
  lines = separatedString "\n";
  # A text; several definitions are joined by commas.
  #
  # Example: commas.separator => ","
  commas = separatedString ",";
  # A text; several definitions are joined by colons, as in a search path.
  #
  # Example: envVar.separator => ":"
  envVar = separatedString ":";

  # What a setting in most programs' files is: a single value.
  #
  # Example: atom.description => "boolean, number or string"
  atom = oneOf [
    bool
    int
    float
    str
  ] // { description = "boolean, number or string"; };
  # A type whose texts are looked at more closely: `withProblem DESCRIPTION PROBLEM TYPE`, where `PROBLEM TEXT` says what is wrong with one, or gives `null`.
  #
  # Example: (withProblem "word" (text: null) str).description => "word"
  withProblem = description: problem: base: base // { inherit description problem; };
  # A host with a port, as `example.org:80` or `[::1]:80`.
  #
  # Example: hostPort.problem "[::1]:80" => null
  hostPort = withProblem "host and port" lib.net.hostPortProblem str;
  # An address of IPv4 or IPv6.
  #
  # Example: ipAddress.problem "192.0.2.1" => null
  ipAddress = withProblem "IP address" lib.net.addressProblem str;
  # An address of IPv4.
  #
  # Example: ipv4Address.problem "192.0.2.1" => null
  ipv4Address = withProblem "IPv4 address" (
    text: if lib.net.isIPv4 text then null else "this is no IPv4 address, such as `192.0.2.1`: ${builtins.toJSON text}"
  ) str;
  # An address of IPv6.
  #
  # Example: ipv6Address.problem "2001:db8::1" => null
  ipv6Address = withProblem "IPv6 address" (
    text: if lib.net.isIPv6 text then null else "this is no IPv6 address, such as `2001:db8::1`: ${builtins.toJSON text}"
  ) str;
  # A network, as `10.0.0.0/8`.
  #
  # Example: cidr.problem "10.0.0.0/8" => null
  cidr = withProblem "network" lib.net.cidrProblem str;
  # A domain name.
  #
  # Example: domainName.problem "example.org" => null
  domainName = withProblem "domain name" lib.net.domainNameProblem str;
  # A URL.
  #
  # Example: url.problem "https://example.org/" => null
  url = withProblem "URL" lib.url.problem str;
  # A calendar expression of systemd.
  #
  # Example: calendar.problem "Mon..Fri 09:00" => null
  calendar = withProblem "calendar expression" lib.calendar.problem str;
  # A size: a number of bytes, or a text as `10 MiB`.
  #
  # Example: size.description => "size"
  size = either ints.unsigned (withProblem "size" lib.units.sizeProblem str) // { description = "size"; };
  # A duration: a number of seconds, or a text as `5 min`.
  #
  # Example: duration.description => "duration"
  duration = either ints.unsigned (withProblem "duration" lib.units.durationProblem str) // { description = "duration"; };

  # One of some values.
  #
  # Example: (enum [ "a" "b" ]).description => "one of \"a\", \"b\""
  enum =
    values:
    native "enum" (
      if builtins.length values == 1 then
        "the value ${builtins.toJSON (builtins.head values)}"
      else
        "one of ${lib.strings.concatMapStringsSep ", " builtins.toJSON values}"
    ) {
      inherit values;
      _with = enum;
    };

  # A list; several definitions follow one another.
  #
  # Example: (listOf int).description => "list of integers"
  listOf =
    elemType:
    native "listOf" "list of ${plural elemType}" (holding listOf [ "*" ] elemType);
  # A list with at least one element.
  #
  # Example: (nonEmptyListOf int).description => "list of at least one integer"
  nonEmptyListOf =
    elemType:
    listOf elemType
    // {
      nonEmpty = true;
      description = "list of at least one ${elemType.description or elemType.name}";
    };
  # A set whose values are of a type; strict in its names.
  #
  # Example: (attrsOf int).description => "set of integers"
  attrsOf =
    elemType:
    native "attrsOf" "set of ${plural elemType}" (holding attrsOf [ "<name>" ] elemType);
  # The same, where a value may depend on which names there are.
  #
  # Example: (lazyAttrsOf int).description => "set of integers"
  lazyAttrsOf =
    elemType:
    attrsOf elemType
    // {
      _native = "lazyAttrsOf";
      _with = lazyAttrsOf;
    };
  # `null` or a value of a type.
  #
  # Example: (nullOr int).description => "null or integer"
  nullOr =
    elemType:
    native "nullOr" "null or ${elemType.description or elemType.name}" (holding nullOr [ ] elemType);
  # A value of one type or of another; the first that takes it counts.
  #
  # Example: (either int str).description => "integer or string"
  either =
    left: right:
    native "either" "${left.description or left.name} or ${right.description or right.name}" {
      inherit left right;
    };
  # A value of one of some types.
  #
  # Example: (oneOf [ int str bool ]).description => "integer or string or boolean"
  oneOf = alternatives: builtins.foldl' either (builtins.head alternatives) (builtins.tail alternatives);
  # A value of a type, from one definition.
  #
  # Example: (uniq int).description => "integer"
  uniq =
    elemType:
    native "unique" (elemType.description or elemType.name) (holding uniq [ ] elemType);
  # The same, with a message for those who define it twice.
  #
  # Example: (unique { message = "define it once"; } int).hint => "define it once"
  unique = { message }: elemType: uniq elemType // { hint = message; };
  # A value of a type, or one of another that a function makes into one.
  #
  # Example: (coercedTo int toString str).description => "string or integer that becomes one"
  coercedTo =
    coercedType: coerceFunc: finalType:
    native "coercedTo"
      "${finalType.description or finalType.name} or ${coercedType.description or coercedType.name} that becomes one"
      { inherit coercedType coerceFunc finalType; };
  # A function whose results are of a type; several are merged.
  #
  # Example: (functionTo int).description => "function that returns integer"
  functionTo =
    elemType:
    native "functionTo" "function that returns ${elemType.description or elemType.name}" (
      holding functionTo [ "<function body>" ] elemType
    );
  # A type with one more check.
  #
  # Example: (addCheck int (n: n > 1)).check 1 => false
  addCheck =
    elemType: check:
    elemType
    // {
      check = if elemType ? check then value: elemType.check value && check value else check;
    };

  # A set with options of its own: a module, or a list of them.
  #
  # Example: (submodule { }).description => "submodule"
  submodule =
    modules:
    submoduleWith {
      modules = lib.lists.toList modules;
      shorthandOnlyDefinesConfig = true;
    };
  # The same: `{ modules, specialArgs ? { }, shorthandOnlyDefinesConfig ? false, description ? "submodule" }`.
  #
  # Example: (submoduleWith { modules = [ ]; }).description => "submodule"
  submoduleWith =
    {
      modules,
      specialArgs ? { },
      shorthandOnlyDefinesConfig ? false,
      description ? "submodule",
      class ? null,
    }:
    native "submodule" description {
      inherit
        class
        lib
        modules
        shorthandOnlyDefinesConfig
        specialArgs
        ;
      _with =
        modules:
        submoduleWith {
          inherit
            class
            description
            modules
            shorthandOnlyDefinesConfig
            specialArgs
            ;
        };
      getSubOptions =
        prefix:
        let
          evaluated = lib.evalModules { inherit modules specialArgs prefix; };
          free = evaluated.options._module.freeformType.value;
        in
        evaluated.options
        // (if free == null then { } else { _freeformOptions = below free prefix; });
    };
  # A secret, as `config.secrets.NAME` gives it.
  #
  # Example: secret.name => "secret"
  secret = mkOptionType {
    name = "secret";
    description = "secret, as `config.secrets.NAME`";
    check = lib.secrets.isSecret;
    merge =
      location: definitions:
      if builtins.length definitions == 1 then
        (builtins.head definitions).value
      else
        throw "several secrets for one option: ${lib.concatStringsSep "." location}";
  };
  # A module that is evaluated elsewhere; several definitions become one that imports them.
  #
  # Example: deferredModule.description => "module"
  deferredModule = deferredModuleWith { };
  # The same, with modules that are always part of it: `{ staticModules ? [ ] }`.
  #
  # Example: (deferredModuleWith { staticModules = [ { } ]; }).name => "deferredModule"
  deferredModuleWith =
    {
      staticModules ? [ ],
    }:
    mkOptionType {
      name = "deferredModule";
      description = "module";
      check = value: builtins.isAttrs value || builtins.isFunction value || builtins.isPath value;
      merge = location: definitions: {
        imports =
          staticModules
          ++ map (
            one:
            lib.modules.setDefaultModuleLocation "${one.file}, via option ${lib.options.showOption location}" one.value
          ) definitions;
      };
    };

  # `true` where any definition is.
  #
  # Example: boolByOr.merge [ ] [ { value = false; } { value = true; } ] => true
  boolByOr = mkOptionType {
    name = "boolByOr";
    description = "boolean (joined by or)";
    check = builtins.isBool;
    merge = _: builtins.foldl' (found: one: found || one.value) false;
  };
  # Numbers within limits: `between MIN MAX`, `nonnegative`, `positive`.
  #
  # Example: (numbers.between 0 1).check 0.5 => true
  numbers =
    let
      limited =
        description: check:
        addCheck number check // { inherit description; };
    in
    {
      between =
        min: max:
        limited "number from ${builtins.toString min} to ${builtins.toString max}" (value: min <= value && value <= max);
      nonnegative = limited "number that is not negative" (value: value >= 0);
      positive = limited "positive number" (value: value > 0);
    };
  # A set whose values are of a type: `{ elemType, lazy ? false, placeholder ? "name" }`.
  #
  # Example: (attrsWith { elemType = int; }).description => "set of integers"
  attrsWith =
    {
      elemType,
      lazy ? false,
      placeholder ? null,
    }:
    if placeholder == null then
      (if lazy then lazyAttrsOf else attrsOf) elemType
    else
      (if lazy then lazyAttrsOf else attrsOf) elemType
    // { inherit placeholder; }
    // holding (elemType: attrsWith { inherit elemType lazy placeholder; }) [ "<${placeholder}>" ] elemType;
  # A set with exactly one of some attributes, each an option: `attrTag { NAME = mkOption { ... }; ... }`.
  #
  # Example: (attrTag { a = lib.mkOption { type = int; }; }).check { a = 1; } => true
  attrTag =
    tags:
    let
      shown = lib.strings.concatMapStringsSep ", " builtins.toJSON (builtins.attrNames tags);
      chosen = value: builtins.head (builtins.attrNames value);
    in
    mkOptionType {
      name = "attrTag";
      inherit tags;
      # Tags of both; an option of both is of both types.
      _join =
        other:
        let
          both = name: tags.${name} // other.tags.${name} // { type = merged name; };
          merged = name: lib.native.mergeTypes tags.${name}.type other.tags.${name}.type;
          shared = builtins.attrNames (builtins.intersectAttrs tags (other.tags or { }));
        in
        if other.name or null != "attrTag" || builtins.any (name: merged name == null) shared then
          null
        else
          attrTag (tags // other.tags // lib.attrsets.genAttrs shared both);
      getSubOptions =
        prefix:
        (lib.evalModules {
          inherit prefix;
          modules = [ { options = tags; } ];
        }).options;
      description = "set with one attribute of ${shown}";
      check = value: builtins.isAttrs value && builtins.length (builtins.attrNames value) == 1 && tags ? ${chosen value};
      merge =
        location: definitions:
        let
          name = chosen (builtins.head definitions).value;
        in
        if !(builtins.all (one: chosen one.value == name) definitions) then
          throw "the definitions of the option `${lib.options.showOption location}` choose different attributes:${lib.options.showDefs definitions}"
        else
          (lib.evalModules {
            prefix = location;
            modules = [
              { options.${name} = tags.${name}; }
            ]
            ++ map (one: {
              _file = one.file;
              config = lib.options.mkDefinition one;
            }) definitions;
          }).config;
    };
  # A path that is absolute or not, in the store or not: `{ absolute ? null, inStore ? null }`, where `null` means either.
  #
  # Example: (pathWith { absolute = true; }).check "/a" => true
  pathWith =
    {
      absolute ? null,
      inStore ? null,
    }:
    let
      word = flag: yes: no: if flag == null then [ ] else [ (if flag then yes else no) ];
      words = word absolute "absolute" "relative" ++ [ "path" ] ++ word inStore "in the store" "outside of the store";
    in
    mkOptionType {
      name = "path";
      description = builtins.concatStringsSep " " words;
      check =
        value:
        (if inStore == false then builtins.isString value else lib.strings.isStringLike value)
        && (
          let
            text = builtins.toString value;
            store = builtins.storeDir + "/";
            isInStore = builtins.substring 0 (builtins.stringLength store) text == store && builtins.match "[^.].*" (lib.strings.removePrefix store text) != null;
          in
          (absolute == null || absolute == (builtins.substring 0 1 text == "/"))
          && (inStore == null || inStore == isInStore)
        );
      merge = lib.options.mergeEqualOption;
    };
  # A path in the store.
  #
  # Example: pathInStore.check "/etc" => false
  pathInStore = pathWith { inStore = true; };
  # An absolute path outside of the store, as of a file with a password.
  #
  # Example: externalPath.check "/etc" => true
  externalPath = pathWith {
    absolute = true;
    inStore = false;
  };
  # A text for a field of `/etc/passwd`: without colons and ends of lines.
  #
  # Example: (passwdEntry str).check "a:b" => false
  passwdEntry =
    entryType:
    addCheck entryType (text: builtins.match "[^:\n]*" text != null)
    // {
      description = "${entryType.description or entryType.name} without colons and ends of lines";
    };
  # A package that is a shell: it says in `shellPath` where.
  #
  # Example: shellPackage.check { type = "derivation"; shellPath = "/bin/bash"; } => true
  shellPackage = addCheck package (value: value ? shellPath) // { description = "package that is a shell"; };
  # A type of options.
  #
  # Example: optionType.check int => true
  optionType = mkOptionType {
    name = "optionType";
    description = "type of options";
    check = isOptionType;
    # Types that several definitions give go together as those of one option do.
    merge =
      location: definitions:
      builtins.foldl' (
        merged: one:
        let
          both = lib.native.mergeTypes merged one.value;
        in
        if both == null then
          throw "the definitions of the option `${lib.options.showOption location}` are types that do not go together"
        else
          both
      ) (builtins.head definitions).value (builtins.tail definitions);
  };
  # The type of an option that is declared with two types; a set with `_type = "merge-error"` where they do not go together.
  #
  # Example: (mergeTypes (enum [ 1 ]) (enum [ 2 ])).values => [ 1 2 ]
  mergeTypes =
    left: right:
    let
      merged = lib.native.mergeTypes left right;
    in
    if merged == null then
      {
        _type = "merge-error";
        error = "Cannot merge types ${left.name} and ${right.name}";
      }
    else
      merged;
  # A declaration of an option, as `lib.mkOption` makes it.
  #
  # Example: optionDeclaration.check (lib.mkOption { }) => true
  optionDeclaration = mkOptionType {
    name = "optionDeclaration";
    description = "declaration of an option";
    check = value: isType "option" value && !(value ? value);
    merge = lib.options.mergeOneOption;
  };
  # A value that a format can hold: `{ typeName, nullable ? true }`.
  #
  # Example: (serializableValueWith { typeName = "YAML"; }).description => "YAML value"
  serializableValueWith =
    {
      typeName,
      nullable ? true,
    }:
    let
      value =
        (if nullable then nullOr else (type: type)) (oneOf [
          bool
          int
          float
          str
          path
          (attrsOf value)
          (listOf value)
        ])
        // {
          description = "${typeName} value";
        };
    in
    value;
  # A value that JSON can hold.
  #
  # Example: json.description => "JSON value"
  json = serializableValueWith { typeName = "JSON"; };
  # A value that TOML can hold.
  #
  # Example: toml.description => "TOML value"
  toml = serializableValueWith {
    typeName = "TOML";
    nullable = false;
  };
  # A value of Lua, as `lib.generators.mkLuaInline` makes it.
  #
  # Example: luaInline.check (lib.generators.mkLuaInline "os.time()") => true
  luaInline = mkOptionType {
    name = "luaInline";
    description = "inline Lua";
    check = isType "lua-inline";
    merge = lib.options.mergeOneOption;
  };
  # The words for several values of a type.
  #
  # Example: plural str => "strings"
  plural =
    elemType:
    let
      text = elemType.description or elemType.name;
    in
    if builtins.match ".*[a-z]" text == null || lib.strings.hasInfix " " text then text else text + "s";
}
