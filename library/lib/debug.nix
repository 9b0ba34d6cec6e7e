# Looking at values while they are evaluated.
{ lib }:
rec {
  inherit (builtins) addErrorContext trace unsafeGetAttrPos;
  # Shows a text where the condition holds.
  #
  # Example: traceIf false "never shown" 1 => 1
  traceIf =
    condition: text: value:
    if condition then trace text value else value;
  # Shows a value and gives it.
  #
  # Example: traceVal 1 => 1
  traceVal = traceValFn (x: x);
  # Shows what a function makes of a value, and gives the value.
  #
  # Example: traceValFn (x: "it is ${toString x}") 1 => 1
  traceValFn = f: value: trace (f value) value;
  # Shows a whole value, and gives another.
  #
  # Example: traceSeq { a = 1; } 2 => 2
  traceSeq = shown: value: trace (builtins.deepSeq shown shown) value;
  # The same, down to some depth.
  #
  # Example: traceSeqN 1 { a.b.c = 1; } 2 => 2
  traceSeqN =
    depth: shown: value:
    let
      cut =
        left: x:
        if lib.attrsets.isDerivation x then
          "<derivation ${x.name or "?"}>"
        else if left == 0 && (builtins.isAttrs x || builtins.isList x) then
          (if builtins.isList x then "[…]" else "{…}")
        else if builtins.isList x then
          map (cut (left - 1)) x
        else if builtins.isAttrs x then
          builtins.mapAttrs (_: cut (left - 1)) x
        else
          x;
    in
    trace (lib.generators.toPretty { } (cut depth shown)) value;
  # Shows a whole value and gives it.
  #
  # Example: traceValSeq [ 1 ] => [ 1 ]
  traceValSeq = value: traceSeq value value;
  # Shows a whole result of a function, and gives what it got.
  #
  # Example: traceValSeqFn (x: x + 1) 1 => 1
  traceValSeqFn = f: value: traceSeq (f value) value;
  # Shows a value down to some depth and gives it.
  #
  # Example: traceValSeqN 1 [ 1 ] => [ 1 ]
  traceValSeqN = depth: value: traceSeqN depth value value;
  # Shows a call's argument and result, down to some depth.
  #
  # Example: traceFnSeqN 2 "next" (x: x + 1) 1 => 2
  traceFnSeqN =
    depth: name: f: argument:
    let
      result = f argument;
    in
    traceSeqN (depth + 1) {
      fn = name;
      from = argument;
      to = result;
    } result;
  # The tests whose `expr` is not their `expected`: `{ name, expected, result }` each.
  #
  # Example: runTests { testOne = { expr = 1 + 1; expected = 2; }; } => [ ]
  runTests =
    tests:
    builtins.concatLists (
      lib.attrsets.mapAttrsToList (
        name: test:
        let
          wanted = tests.tests or [ ];
          runs = if wanted == [ ] then lib.strings.hasPrefix "test" name else builtins.elem name wanted;
        in
        if runs && test.expr != test.expected then
          [
            {
              inherit name;
              inherit (test) expected;
              result = test.expr;
            }
          ]
        else
          [ ]
      ) tests
    );
  # A test that asks whether all values are `true`.
  #
  # Example: (testAllTrue [ true ]).expr => [ true ]
  testAllTrue = values: {
    expr = values;
    expected = builtins.map (_: true) values;
  };
}
