# What must hold.
{ lib }:
rec {
  # `true`, or an error with this message: for `assert assertMsg CONDITION "what is wrong"; ...`.
  #
  # Example: assertMsg (1 + 1 == 2) "never said" => true
  assertMsg = condition: message: if condition then true else throw message;
  # Whether a value is one of some; an error that names them where it is not.
  #
  # Example: assertOneOf "colour" "red" [ "red" "green" ] => true
  assertOneOf =
    name: value: allowed:
    assertMsg (builtins.elem value allowed)
      "${name} must be one of ${lib.generators.toPretty { } allowed}, but is: ${lib.generators.toPretty { } value}";
  # The same for each of several values.
  #
  # Example: assertEachOneOf "colours" [ "red" ] [ "red" "green" ] => true
  assertEachOneOf =
    name: values: allowed:
    assertMsg (builtins.all (value: builtins.elem value allowed) values)
      "each element in ${name} must be one of ${lib.generators.toPretty { } allowed}, but is: ${lib.generators.toPretty { } values}";
  # A value, with a set's `warnings` said and its `assertions` looked at before.
  #
  # Example: checkAssertWarn [ { assertion = true; message = "never said"; } ] [ ] 1 => 1
  checkAssertWarn =
    assertions: warnings: value:
    let
      failed = builtins.map (one: one.message) (builtins.filter (one: !one.assertion) assertions);
    in
    if failed == [ ] then
      lib.trivial.showWarnings warnings value
    else
      throw "\nFailed assertions:\n${builtins.concatStringsSep "\n" (builtins.map (text: "- ${text}") failed)}";
}
