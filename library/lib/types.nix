# Types of options. Those with `_native` are known to the engine; see `crates/modules/src/types`.
{ lib }:
let
  native =
    name: description: rest:
    {
      _type = "option-type";
      _native = name;
      inherit name description;
    }
    // rest;
in
rec {
  # A type of one's own: `{ name, description ? name, check ? any, merge ? equal }`.
  mkOptionType = declaration: { _type = "option-type"; } // declaration;

  unspecified = native "unspecified" "unspecified value" { };
  raw = native "raw" "raw value" { };
  anything = native "anything" "anything" { };
  bool = native "bool" "boolean" { };
  int = native "int" "integer" { };
  float = native "float" "floating point number" { };
  number = native "number" "number" { };
  str = native "str" "string" { };
  # A path that is written as one becomes part of the store, so it has to be there.
  path = native "path" "absolute path" {
    problem =
      value:
      if builtins.isPath value && !builtins.pathExists value then "there is no `${toString value}`" else null;
  };
  package = native "package" "package" { };
  attrs = native "attrs" "set" { };

  ints = {
    between =
      min: max:
      int
      // {
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
  };
  port = ints.between 0 65535 // {
    description = "port number, from 0 to 65535";
  };

  strMatching =
    pattern:
    str
    // {
      description = "string that matches ${pattern}";
      check = text: builtins.match pattern text != null;
    };
  nonEmptyStr =
    str
    // {
      description = "string that is not empty";
      check = text: builtins.match "[ \t\r\n]*" text == null;
    };
  singleLineStr =
    str
    // {
      description = "string of one line";
      check = text: builtins.match "[^\n\r]*\n?" text != null;
    };
  separatedString =
    separator:
    native "separatedString" "string" {
      inherit separator;
    };
  lines = separatedString "\n";
  commas = separatedString ",";
  envVar = separatedString ":";

  # What a setting in most programs' files is: a single value.
  atom = oneOf [
    bool
    int
    float
    str
  ] // { description = "boolean, number or string"; };
  # A type whose texts are looked at more closely: `problem` says what is wrong with one, or gives `null`.
  withProblem = description: problem: base: base // { inherit description problem; };
  hostPort = withProblem "host and port" lib.net.hostPortProblem str;
  ipAddress = withProblem "IP address" lib.net.addressProblem str;
  ipv4Address = withProblem "IPv4 address" (
    text: if lib.net.isIPv4 text then null else "this is no IPv4 address, such as `192.0.2.1`: ${builtins.toJSON text}"
  ) str;
  ipv6Address = withProblem "IPv6 address" (
    text: if lib.net.isIPv6 text then null else "this is no IPv6 address, such as `2001:db8::1`: ${builtins.toJSON text}"
  ) str;
  cidr = withProblem "network" lib.net.cidrProblem str;
  domainName = withProblem "domain name" lib.net.domainNameProblem str;
  url = withProblem "URL" lib.url.problem str;
  calendar = withProblem "calendar expression" lib.calendar.problem str;
  # Sizes are bytes, durations seconds, where they are numbers.
  size = either ints.unsigned (withProblem "size" lib.units.sizeProblem str) // { description = "size"; };
  duration = either ints.unsigned (withProblem "duration" lib.units.durationProblem str) // { description = "duration"; };

  enum =
    values:
    native "enum" (
      if builtins.length values == 1 then
        "the value ${builtins.toJSON (builtins.head values)}"
      else
        "one of ${lib.strings.concatMapStringsSep ", " builtins.toJSON values}"
    ) { inherit values; };

  listOf =
    elemType:
    native "listOf" "list of ${plural elemType}" {
      inherit elemType;
      nestedTypes = { inherit elemType; };
    };
  nonEmptyListOf =
    elemType:
    listOf elemType
    // {
      nonEmpty = true;
      description = "list of at least one ${elemType.description or elemType.name}";
    };
  attrsOf =
    elemType:
    native "attrsOf" "set of ${plural elemType}" {
      inherit elemType;
      nestedTypes = { inherit elemType; };
    };
  lazyAttrsOf = elemType: attrsOf elemType // { _native = "lazyAttrsOf"; };
  nullOr =
    elemType:
    native "nullOr" "null or ${elemType.description or elemType.name}" {
      inherit elemType;
      nestedTypes = { inherit elemType; };
    };
  either =
    left: right:
    native "either" "${left.description or left.name} or ${right.description or right.name}" {
      inherit left right;
    };
  oneOf = alternatives: builtins.foldl' either (builtins.head alternatives) (builtins.tail alternatives);
  uniq = elemType: native "unique" (elemType.description or elemType.name) { inherit elemType; };
  unique = { message }: elemType: uniq elemType // { hint = message; };
  coercedTo =
    coercedType: coerceFunc: finalType:
    native "coercedTo"
      "${finalType.description or finalType.name} or ${coercedType.description or coercedType.name} that becomes one"
      { inherit coercedType coerceFunc finalType; };
  functionTo =
    elemType: native "functionTo" "function that returns a ${elemType.description or elemType.name}" { inherit elemType; };
  addCheck =
    elemType: check:
    elemType
    // {
      check = if elemType ? check then value: elemType.check value && check value else check;
    };

  submodule =
    modules:
    submoduleWith {
      modules = lib.lists.toList modules;
      shorthandOnlyDefinesConfig = true;
    };
  submoduleWith =
    {
      modules,
      specialArgs ? { },
      shorthandOnlyDefinesConfig ? false,
      description ? "submodule",
    }:
    native "submodule" description {
      inherit modules specialArgs shorthandOnlyDefinesConfig lib;
      getSubOptions =
        prefix:
        (lib.evalModules {
          inherit modules specialArgs prefix;
        }).options;
    };
  # A secret, as `config.secrets.NAME` gives it.
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
  deferredModule = raw // { description = "module"; };

  plural =
    elemType:
    let
      text = elemType.description or elemType.name;
    in
    if builtins.match ".*[a-z]" text == null || lib.strings.hasInfix " " text then text else text + "s";
}
