# Services as functions: declared once, applied any number of times.
#
# A declaration is a set:
#   description  what the service is, in a few words
#   arguments    its options, or a function `{ name, arguments }: options` where defaults depend on the instance
#   requires     `{ arguments, instance, ... }: { NAME = { interface = "..."; ... }; }`: what other instances must offer;
#                with `optional = true` it is `null` where none does
#   requiresForOthers  the same, of what is asked of the service itself: `{ arguments, instance, requests }`
#   provides     `{ INTERFACE = { arguments, instance, request, from, ... }: offer; }`: what it offers them; of an offer
#                `units` are started first, the rest is for who asked
#   outputs      `{ arguments, instance, needs, requests, machine, ... }: { units, files, ... }`: what an instance is made of
#   examples     `minimal` and `advanced` arguments, and more
#   beside       what a machine needs beside the examples: options of other services
#   securing     what an administrator should know
{ lib }:
let
  inherit (lib) mkOption types;

  # What an instance is called, and where its things lie.
  identity = service: label: rec {
    inherit service label;
    id = if label == "main" then service else "${service}-${label}";
    unit = "${id}.service";
    user = id;
    group = id;
    state = "/var/lib/${id}";
    cache = "/var/cache/${id}";
    logs = "/var/log/${id}";
    runtime = "/run/${id}";
    configuration = "/etc/nival/${id}";
    secrets = "/run/secrets/${id}";
    # A secret of its own, as a value.
    secret = key: lib.native.secret "${id}/${key}";
  };

  # Options that every instance of every service has.
  ofInstances = {
    patches = mkOption {
      type = types.attrsOf types.raw;
      default = { };
      description = ''
        Changes to what the service is made of, by name: `units.main.serviceConfig.MemoryMax`, `files."x.conf".text`.
        What is not there cannot be patched. A list or text is replaced, or added to with `lib.mkBefore` and `lib.mkAfter`.
      '';
      example = {
        units.main.serviceConfig.MemoryMax = "512M";
      };
    };
    requirements = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = ''
        Which instance meets what the service requires, by the requirement's name, where more than one could: `NAME` of
        the machine's first instance of a service, or `NAME-LABEL`.
      '';
      example = {
        database = "postgresql-main";
      };
    };
  };
  reserved = [
    "enable"
    "instances"
  ]
  ++ lib.attrNames ofInstances;

  argumentsOf =
    declaration: context:
    let
      declared = declaration.arguments or { };
      options = if lib.isFunction declared then declared context else declared;
      taken = lib.filter (name: options ? ${name}) reserved;
      # Manuals are made of these.
      bare = lib.filter (
        name: options.${name}._type or "" == "option" && !(options.${name} ? description && options.${name} ? example)
      ) (lib.attrNames options);
    in
    if taken != [ ] then
      throw "a service cannot have an argument `${lib.head taken}`: every service has an option of that name"
    else if bare != [ ] then
      throw "the argument `${lib.head bare}` of a service needs a description and an example: its manual shows them"
    else
      options;

  named =
    declaration:
    declaration.name
      or (throw "a service that is applied as a function needs a name: write `name = \"...\";` in its declaration");

  # A service with arguments: a value to look at, to change, and to put into a machine.
  value = declaration: parts: rec {
    _type = "service-value";
    inherit declaration;
    inherit (parts) definitions patches requirements;
    # Applied again, with further arguments.
    __functor = _: more: value declaration (parts // { definitions = definitions ++ [ more ]; });
    override = more: value declaration (parts // { definitions = definitions ++ [ (lib.mkForce more) ]; });
    patch = more: value declaration (parts // { patches = patches ++ [ more ]; });
    requiring = more: value declaration (parts // { requirements = requirements // more; });
    # The instance of that label.
    labelled =
      label: option:
      let
        evaluated = lib.evalModules {
          modules = [
            { options = argumentsOf declaration { name = label; arguments = evaluated.config; }; }
          ]
          ++ map (config: { inherit config; }) definitions;
          prefix = [
            "instances"
            label
          ];
        };
      in
      {
        identity = identity (named declaration) label;
        inherit
          declaration
          option
          patches
          requirements
          ;
        arguments = evaluated.config;
      };
    inherit (labelled "main" "instances.main") arguments;
    # What it is made of; what it requires is not known outside of a machine.
    outputs = declaration.outputs {
      inherit arguments;
      instance = identity (named declaration) "main" // { option = "instances.main"; };
      needs = lib.mapAttrs (name: _: throw "what `${name}` is met by is known in a machine only") (
        requirementsOf (labelled "main" "instances.main")
      );
      requests = lib.mapAttrs (_: _: [ ]) (declaration.provides or { });
      machine = throw "a service's outputs depend on the machine: put it into one";
    };
  };

  requirementsOf =
    instance:
    if instance.declaration ? requires then
      instance.declaration.requires {
        inherit (instance) arguments;
        instance = instance.identity;
      }
    else
      { };

  # Which instance meets a requirement: `{ provider }`, or `{ problem }` in words.
  met =
    instances: instance: name: need:
    let
      able = lib.filter (other: other.declaration.provides or { } ? ${need.interface}) instances;
      wanted = instance.requirements.${name} or null;
      # `postgresql-main` and `postgresql` are the same.
      isWanted = other: other.identity.id == wanted || "${other.identity.service}-${other.identity.label}" == wanted;
      chosen = if wanted == null then able else lib.filter isWanted able;
      shown = lib.concatMapStringsSep ", " (other: "`${other.identity.id}`") able;
      offering = interfaces.${need.interface} or [ ];
    in
    if lib.length chosen == 1 then
      { provider = lib.head chosen; }
    else if need.optional or false && able == [ ] && wanted == null then
      { absent = true; }
    else if wanted != null then
      {
        problem = "`${instance.option}` asks for `${wanted}` as its ${name}, which offers no `${need.interface}`${
          if able == [ ] then "" else "; ${shown} would"
        }";
      }
    else if able == [ ] then
      {
        problem =
          "`${instance.option}` needs a ${name}, and nothing in this machine offers `${need.interface}`"
          + lib.optionalString (offering != [ ]) ": set `services.${lib.head offering}.enable = true;`";
      }
    else
      {
        problem = "`${instance.option}` needs a ${name}, which ${shown} offer: say which with `${instance.option}.requirements.${name} = \"${(lib.head able).identity.id}\";`";
      };

  # Services of the library by the interfaces that they provide.
  interfaces = {
    postgresql-database = [ "postgresql" ];
    virtual-host = [ "nginx" ];
    redis = [ "redis" ];
    certificate = [ "acme" ];
    resolver = [ "unbound" ];
    mail-relay = [ "postfix" ];
    metrics-target = [ "prometheus" ];
  };

  # The instances of a machine, with what they ask of each other.
  resolve =
    { instances, machine }:
    let
      first = map (instance: {
        inherit instance;
        needs = lib.mapAttrs (look instance) (requirementsOf instance);
      }) instances;
      look =
        instance: name: need:
        met instances instance name need // { inherit need name; };
      requestsOf = lib.concatMap (
        asking:
        lib.concatMap (
          met:
          lib.optional (met ? provider) {
            to = met.provider.identity.id;
            inherit (met.need) interface;
            from = asking.instance.identity // { inherit (asking.instance) option; };
            request = met.need;
          }
        ) (lib.attrValues asking.needs)
      );
      byProvider =
        requests: lib.mapAttrs (_: lib.groupBy (request: request.interface)) (lib.groupBy (request: request.to) requests);
      requestsTo =
        sorted: instance:
        lib.mapAttrs (_: _: [ ]) (instance.declaration.provides or { }) // sorted.${instance.identity.id} or { };
      early = byProvider (requestsOf first);
      # What a service needs because of what others ask of it.
      second = map (instance: {
        inherit instance;
        needs = lib.mapAttrs (look instance) (
          instance.declaration.requiresForOthers {
            inherit (instance) arguments;
            instance = instance.identity;
            requests = requestsTo early instance;
          }
        );
      }) (lib.filter (instance: instance.declaration ? requiresForOthers) instances);
      further = lib.listToAttrs (
        map (asking: lib.nameValuePair asking.instance.identity.id asking.needs) second
      );
      sorted = byProvider (requestsOf (first ++ second));
      asking = map (
        asking: asking.instance // { needs = asking.needs // further.${asking.instance.identity.id} or { }; }
      ) first;
      offer =
        instance: met:
        if met ? problem then
          throw met.problem
        else if met ? absent then
          null
        else
          met.provider.declaration.provides.${met.need.interface} {
            inherit (met.provider) arguments;
            instance = met.provider.identity;
            request = met.need;
            from = instance.identity;
          };
    in
    map (
      instance:
      let
        offers = lib.mapAttrs (_: offer instance) instance.needs;
      in
      instance
      // {
        inherit offers;
        outputs = instance.declaration.outputs {
          inherit (instance) arguments;
          instance = instance.identity // { inherit (instance) option; };
          needs = offers;
          requests = requestsTo sorted instance;
          inherit machine;
        };
      }
    ) asking;

  # Makes patches win over what the service itself says: each value that is not placed among others replaces them.
  strengthen = lib.native.strengthen 90;
in
{
  inherit
    identity
    interfaces
    resolve
    strengthen
    ;

  # Declares a service: an option that is also a function from arguments to a value.
  mkService =
    declaration:
    mkOption {
      type = types.submodule (
        { config, ... }:
        {
          options =
            argumentsOf declaration {
              name = "main";
              arguments = config;
            }
            // ofInstances
            // {
              enable = mkOption {
                type = types.bool;
                default = false;
                description = "Whether there is an instance with the arguments that stand here: ${declaration.description}.";
                example = true;
              };
              instances = mkOption {
                type = types.attrsOf (
                  types.submodule (
                    { name, config, ... }:
                    {
                      options =
                        argumentsOf declaration {
                          inherit name;
                          arguments = config;
                        }
                        // ofInstances;
                    }
                  )
                );
                default = { };
                description = "Instances by label, each with arguments, data, user and units of its own.";
                example = {
                  second = declaration.examples.minimal or { };
                };
              };
            };
        }
      );
      default = { };
      inherit (declaration) description;
      example = declaration.examples.minimal or { };
    }
    // {
      service = declaration;
      __functor =
        _: arguments:
        value declaration {
          definitions = [ arguments ];
          patches = [ ];
          requirements = { };
        };
    };

  # A module that brings the service of a file: `imports = [ (lib.serviceModule "hello" ./hello.nix) ];`
  serviceModule = name: file: {
    _file = toString file;
    key = "${toString file}#${name}";
    options.services.${name} = lib.mkService ({ inherit name; } // import file { inherit lib; });
  };

  # A machine with one instance of a service, made from its minimal example.
  exampleModule =
    name:
    { services, ... }:
    lib.services.exampleOf name services.${name}.service;
  exampleOf = name: declaration: {
    imports = [ (declaration.beside or { }) ];
    config.services.${name} = (declaration.examples.minimal or { }) // {
      enable = true;
    };
  };
  # The same of a service that is not the library's, by its declaration.
  exampleModuleOf = name: declaration: {
    imports = [ (lib.services.exampleOf name declaration) ];
    options.services.${name} = lib.mkService declaration;
  };

  # What a manual says of the instance that `exampleModule` makes.
  describe =
    name: instances:
    let
      instance = lib.findFirst (instance: instance.identity.id == name) null instances;
      inherit (instance) declaration outputs;
    in
    {
      inherit (declaration) description;
      securing = declaration.securing or "";
      examples = declaration.examples or { };
      beside = declaration.beside or null;
      requires = lib.mapAttrs (_: met: met.need.interface) instance.needs;
      provides = lib.attrNames (declaration.provides or { });
      makes = {
        units =
          lib.concatMap
            (kind: map (key: "${if key == "main" then name else "${name}-${key}"}.${lib.removeSuffix "s" kind}") (lib.attrNames (outputs.${kind} or { })))
            [
              "timers"
              "sockets"
            ]
          ++ lib.mapAttrsToList (
            key: unit: "${unit.unitName or (if key == "main" then name else "${name}-${key}")}.service"
          ) (outputs.units or { });
        files = lib.mapAttrsToList (key: file: file.path or "/etc/nival/${name}/${key}") (outputs.files or { });
        users = lib.attrNames (outputs.users or { });
        ports = lib.mapAttrsToList (
          _: port: "${toString port.port}/${port.protocol or "tcp"}${lib.optionalString (port.open or false) " (open)"}"
        ) (outputs.ports or { });
        packages = outputs.packages or [ ];
        secrets = map (key: "/run/secrets/${name}/${key}") (lib.attrNames (outputs.secrets or { }));
        checks = lib.attrNames (outputs.checks or { });
      };
    };

  # The instances that the options of one service ask for.
  instancesOf =
    service: option: config:
    let
      instance = label: path: arguments: {
        identity = identity service label;
        declaration = option.service;
        option = path;
        arguments = removeAttrs arguments reserved;
        patches = [ arguments.patches ];
        inherit (arguments) requirements;
      };
    in
    lib.optional config.enable (instance "main" "services.${service}" config)
    ++ lib.mapAttrsToList (
      label: instance label "services.${service}.instances.${lib.escapeName label}"
    ) config.instances;
}
