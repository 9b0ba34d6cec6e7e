# Small functions of all kinds.
{ lib }:
rec {
  inherit (builtins)
    add
    addErrorContext
    bitAnd
    bitOr
    bitXor
    ceil
    deepSeq
    div
    floor
    fromJSON
    genericClosure
    hashFile
    hashString
    isAttrs
    isBool
    isFloat
    isInt
    isList
    isPath
    isString
    lessThan
    mul
    pathExists
    readDir
    readFile
    seq
    sub
    toJSON
    toXML
    trace
    tryEval
    ;
  # What it gets.
  #
  # Example: id 1 => 1
  id = x: x;
  # The first of two arguments.
  #
  # Example: const 1 2 => 1
  const = x: _: x;
  # A function with its two arguments turned round.
  #
  # Example: flip (a: b: a - b) 1 3 => 2
  flip =
    f: a: b:
    f b a;
  # A value through several functions.
  #
  # Example: pipe 2 [ (x: x + 1) (x: x * 2) ] => 6
  pipe = builtins.foldl' (x: f: f x);
  # Two lists as one.
  #
  # Example: concat [ 1 ] [ 2 ] => [ 1 2 ]
  concat = a: b: a ++ b;
  # Whether one or the other holds.
  #
  # Example: lib.trivial.or true false => true
  or = a: b: a || b;
  # Whether both hold.
  #
  # Example: and true false => false
  and = a: b: a && b;
  # Whether exactly one of both holds.
  #
  # Example: xor true false => true
  xor = a: b: a != b;
  # A whole number with all bits turned round.
  #
  # Example: bitNot 0 => -1
  bitNot = builtins.sub (-1);
  # `"true"` or `"false"`.
  #
  # Example: boolToString true => "true"
  boolToString = flag: if flag then "true" else "false";
  # `"yes"` or `"no"`.
  #
  # Example: boolToYesNo true => "yes"
  boolToYesNo = flag: if flag then "yes" else "no";
  # The second set over the first.
  #
  # Example: mergeAttrs { a = 1; } { a = 2; } => { a = 2; }
  mergeAttrs = a: b: a // b;
  # The greater of two values.
  #
  # Example: max 1 2 => 2
  max = a: b: if a > b then a else b;
  # The lesser of two values.
  #
  # Example: min 1 2 => 1
  min = a: b: if a < b then a else b;
  # What is left when whole numbers are divided, with the sign of the first.
  #
  # Example: mod 7 3 => 1
  mod = a: b: a - b * (a / b);
  # -1, 0 or 1: how two values compare.
  #
  # Example: compare 1 2 => -1
  compare =
    a: b:
    if a < b then
      -1
    else if a > b then
      1
    else
      0;
  # Compares by kinds: those that pass come first; then by `yes` among them, by `no` among the others.
  #
  # Example: splitByAndCompare (x: x > 10) compare compare 20 5 => -1
  splitByAndCompare =
    test: yes: no: a: b:
    if test a then
      (if test b then yes a b else -1)
    else if test b then
      1
    else
      no a b;
  # What a function makes of a value; `null` stays `null`.
  #
  # Example: mapNullable (x: x + 1) null => null
  mapNullable = f: value: if value == null then value else f value;
  # A value, or a default where it is `null`.
  #
  # Example: defaultTo 1 null => 1
  defaultTo = default: value: if value == null then default else value;
  # What a file of JSON holds.
  #
  # Example: isFunction importJSON => true
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  # What a file of TOML holds.
  #
  # Example: isFunction importTOML => true
  importTOML = path: builtins.fromTOML (builtins.readFile path);
  # Says a warning and gives a value.
  #
  # Example: isFunction (warn "old") => true
  warn = builtins.warn;
  # The same where the condition holds.
  #
  # Example: warnIf false "never said" 1 => 1
  warnIf = condition: message: if condition then warn message else value: value;
  # The same where the condition does not hold.
  #
  # Example: warnIfNot true "never said" 1 => 1
  warnIfNot = condition: message: if condition then value: value else warn message;
  # Says something and gives a value.
  #
  # Example: isFunction (info "so it is") => true
  info = message: builtins.trace "INFO: ${message}";
  # Says some warnings and gives a value.
  #
  # Example: showWarnings [ ] 1 => 1
  showWarnings = warnings: value: builtins.foldl' (value: message: warn message value) value warnings;
  # An error where the condition holds, else a value.
  #
  # Example: throwIf false "never said" 1 => 1
  throwIf = condition: message: if condition then throw message else value: value;
  # An error where the condition does not hold, else a value.
  #
  # Example: throwIfNot true "never said" 1 => 1
  throwIfNot = condition: message: if condition then value: value else throw message;
  # `true`, or an error that names the values that are not allowed.
  #
  # Example: checkListOfEnum "colours" [ "red" "green" ] [ "red" ] 1 => 1
  checkListOfEnum =
    name: allowed: given:
    let
      wrong = lib.lists.subtractLists allowed given;
    in
    throwIfNot (wrong == [ ])
      "${name}: ${lib.generators.toPretty { } wrong} is not allowed: take from ${lib.generators.toPretty { } allowed}";
  # Whether a value can be called.
  #
  # Example: isFunction { __functor = self: x: x; } => true
  isFunction = f: builtins.isFunction f || (f ? __functor && isFunction (f.__functor f));
  # A value as a function that always gives it; a function as itself.
  #
  # Example: toFunction 1 "ignored" => 1
  toFunction = value: if isFunction value then value else _: value;
  # A function that says which arguments it takes: `setFunctionArgs F { NAME = HAS_DEFAULT; }`.
  #
  # Example: functionArgs (setFunctionArgs (set: set) { a = false; }) => { a = false; }
  setFunctionArgs = f: arguments: {
    __functor = _: f;
    __functionArgs = arguments;
  };
  # The arguments that a function takes, and whether each has a default.
  #
  # Example: functionArgs ({ a, b ? 1 }: a) => { a = false; b = true; }
  functionArgs =
    f: if f ? __functor then f.__functionArgs or (functionArgs (f.__functor f)) else builtins.functionArgs f;
  # A function that says that it takes the arguments that another takes.
  #
  # Example: functionArgs (mirrorFunctionArgs ({ a }: a) (set: set)) => { a = false; }
  mirrorFunctionArgs =
    like: f:
    let
      arguments = functionArgs like;
    in
    if arguments == { } then f else setFunctionArgs f arguments;
  # A whole number in hexadecimal digits.
  #
  # Example: toHexString 250 => "FA"
  toHexString =
    number: lib.strings.concatMapStrings (digit: builtins.substring digit 1 "0123456789ABCDEF") (toBaseDigits 16 number);
  # The number that hexadecimal digits say.
  #
  # Example: fromHexString "0xfa" => 250
  fromHexString =
    text:
    let
      found = builtins.match "(0x|0X)?([0-9A-Fa-f]+)" text;
    in
    if found == null then
      throw "lib.trivial.fromHexString: these are no hexadecimal digits: ${builtins.toJSON text}"
    else
      (builtins.fromTOML "x = 0x${builtins.elemAt found 1}").x;
  # The digits of a whole number in some base, the greatest first.
  #
  # Example: toBaseDigits 2 6 => [ 1 1 0 ]
  toBaseDigits =
    base: number:
    let
      go = left: if left < base then [ left ] else go (left / base) ++ [ (mod left base) ];
    in
    if base < 2 then
      throw "lib.trivial.toBaseDigits: the base has to be 2 or more"
    else if number < 0 then
      throw "lib.trivial.toBaseDigits: the number may not be negative"
    else
      go number;
  # Whether evaluation is pure: it knows neither the time nor the environment.
  #
  # Example: builtins.isBool inPureEvalMode => true
  inPureEvalMode = !(builtins ? currentSystem);
  # Whether evaluation is for a shell to develop in.
  #
  # Example: inNixShell => false
  inNixShell = builtins.getEnv "IN_NIX_SHELL" != "";
}
