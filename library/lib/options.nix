# Declaring options, and the properties that surround values.
{ lib }:
rec {
  # An option: `{ type, default, description, example, apply, readOnly, internal }`, all of them optional.
  mkOption = declaration: declaration // { _type = "option"; };
  # A switch that is off by default.
  mkEnableOption =
    what:
    mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };

  # A value that counts only where the condition holds.
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  # Several values for one option, from one place.
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkAssert = condition: message: mkIf (if condition then true else throw message);
  # A value of a given strength: the lowest number wins.
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOptionDefault = mkOverride 1500;
  # A value that gives way to any plain definition.
  mkDefault = mkOverride 1000;
  mkImageMediaOverride = mkOverride 60;
  # A value that wins over any plain definition.
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  # A value with its place among others: the lowest number comes first.
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;
  # Text of a given language, for examples in documentation.
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
}
