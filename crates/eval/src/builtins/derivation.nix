arguments@{ outputs ? [ "out" ], ... }:
let
  strict = derivationStrict arguments;

  shared = arguments // builtins.listToAttrs each // {
    all = map (output: output.value) each;
    drvAttrs = arguments;
  };

  each = map (outputName: {
    name = outputName;
    value = shared // {
      outPath = builtins.getAttr outputName strict;
      drvPath = strict.drvPath;
      type = "derivation";
      inherit outputName;
    };
  }) outputs;
in
(builtins.head each).value
