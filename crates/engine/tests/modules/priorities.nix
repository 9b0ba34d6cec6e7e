# The strongest definition wins; equal ones must agree.
{ lib }:
let
  str = lib.mkOption { type = lib.types.str; default = "default"; };
in
(lib.evalModules {
  modules = [
    { options = { a = str; b = str; c = str; d = str; e = str; }; }
    { a = "x"; b = lib.mkDefault "weak"; c = lib.mkDefault "weak"; d = "plain"; }
    { c = "plain"; d = lib.mkForce "strong"; a = "x"; }
  ];
}).config
