# Options of commands, made of sets.
{ lib }:
rec {
  # Words for a command, from a set of options, as GNU programs take them.
  #
  # Example: toGNUCommandLine { } { v = true; data = "x"; X = "PUT"; quiet = false; tag = [ "a" "b" ]; } => [ "-X" "PUT" "--data" "x" "--tag" "a" "--tag" "b" "-v" ]
  toGNUCommandLine =
    {
      mkOptionName ? name: if builtins.stringLength name == 1 then "-${name}" else "--${name}",
      mkBool ? name: value: if value then [ (mkOptionName name) ] else [ ],
      mkList ? name: values: builtins.concatMap (mkOption name) values,
      mkOption ?
        name: value:
        if value == null then
          [ ]
        else if optionValueSeparator == null then
          [
            (mkOptionName name)
            (lib.generators.mkValueStringDefault { } value)
          ]
        else
          [ "${mkOptionName name}${optionValueSeparator}${lib.generators.mkValueStringDefault { } value}" ],
      optionValueSeparator ? null,
    }:
    options:
    let
      words =
        name: value:
        if builtins.isBool value then
          mkBool name value
        else if builtins.isList value then
          mkList name value
        else
          mkOption name value;
    in
    builtins.concatLists (lib.attrsets.mapAttrsToList words options);
  # The same as text for a shell.
  #
  # Example: toGNUCommandLineShell { } { data = "a b"; v = true; } => "--data 'a b' -v"
  toGNUCommandLineShell = settings: options: lib.strings.escapeShellArgs (toGNUCommandLine settings options);
  # Words for a command; `format NAME` gives `{ option, sep, explicitBool, formatArg ? ... }` for each option.
  #
  # Example: toCommandLine (name: { option = "--${name}"; sep = "="; explicitBool = true; }) { a = true; b = "x"; } => [ "--a=true" "--b=x" ]
  toCommandLine =
    format: options:
    let
      words =
        name: value:
        let
          told = format name;
          write = told.formatArg or (lib.generators.mkValueStringDefault { });
          argument =
            value:
            if told.sep == null then
              [
                told.option
                (write value)
              ]
            else
              [ "${told.option}${told.sep}${write value}" ];
        in
        if value == null then
          [ ]
        else if builtins.isList value then
          builtins.concatMap (words name) value
        else if builtins.isBool value && !told.explicitBool then
          (if value then [ told.option ] else [ ])
        else
          argument value;
    in
    builtins.concatLists (lib.attrsets.mapAttrsToList words options);
  # The same as text for a shell.
  #
  # Example: toCommandLineShell (name: { option = "-${name}"; sep = null; explicitBool = false; }) { a = true; b = "x y"; } => "-a -b 'x y'"
  toCommandLineShell = format: options: lib.strings.escapeShellArgs (toCommandLine format options);
  # Words for a command in the manner of GNU programs: `-n VALUE` for short names, `--name=VALUE` for long ones.
  #
  # Example: toCommandLineGNU { } { v = true; data = "x"; n = 1; } => [ "--data=x" "-n1" "-v" ]
  toCommandLineGNU =
    {
      isLong ? name: builtins.stringLength name > 1,
      explicitBool ? false,
      formatArg ? lib.generators.mkValueStringDefault { },
    }:
    toCommandLine (name: {
      option = if isLong name then "--${name}" else "-${name}";
      sep = if isLong name then "=" else "";
      inherit explicitBool formatArg;
    });
  # The same as text for a shell.
  #
  # Example: toCommandLineShellGNU { } { data = "a b"; } => "'--data=a b'"
  toCommandLineShellGNU = settings: options: lib.strings.escapeShellArgs (toCommandLineGNU settings options);
}
