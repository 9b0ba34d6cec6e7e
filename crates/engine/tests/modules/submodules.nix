# Submodules know their name, have defaults that depend on it, and merge definitions from several modules.
{ lib }:
let
  inherit (lib) mkOption types;
  host = { name, config, ... }: {
    options = {
      name = mkOption { type = types.str; default = name; };
      shout = mkOption { type = types.str; default = "${config.name}!"; };
      ports = mkOption { type = types.listOf types.int; default = [ ]; };
      deep = mkOption { type = types.attrsOf (types.submodule { options.x = mkOption { type = types.int; }; }); default = { }; };
    };
  };
in
(lib.evalModules {
  modules = [
    { options.hosts = mkOption { type = types.attrsOf (types.submodule host); default = { }; }; }
    { hosts.a.ports = [ 1 ]; hosts.b.name = "other"; hosts.a.deep.q.x = 1; }
    { hosts.a.ports = [ 2 ]; hosts.c = lib.mkIf false { }; hosts.a.deep.r.x = 2; }
    ({ config, ... }: { hosts.d.ports = config.hosts.a.ports; })
  ];
}).config.hosts
