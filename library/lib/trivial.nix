# Small functions of all kinds.
{ lib }:
{
  id = x: x;
  const = x: _: x;
  flip = f: a: b: f b a;
  pipe = builtins.foldl' (x: f: f x);
  max = a: b: if a > b then a else b;
  min = a: b: if a < b then a else b;
  mod = a: b: a - b * (a / b);
  boolToString = b: if b then "true" else "false";
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: builtins.fromTOML (builtins.readFile path);
  warn = message: value: builtins.trace "warning: ${message}" value;
  throwIf = condition: message: value: if condition then throw message else value;
  throwIfNot = condition: message: value: if condition then value else throw message;
  isFunction = f: builtins.isFunction f || (f ? __functor && builtins.isFunction (f.__functor f));
  inherit (builtins)
    add
    bitAnd
    bitOr
    bitXor
    deepSeq
    functionArgs
    genericClosure
    isAttrs
    isBool
    isFloat
    isInt
    isList
    isPath
    isString
    lessThan
    pathExists
    readFile
    seq
    sub
    toJSON
    toXML
    trace
    ;
}
