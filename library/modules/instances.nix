# Applies services: what their instances are made of becomes part of the machine.
{
  config,
  options,
  lib,
  wantedServices,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (lib.services) strengthen;

  declared = lib.concatMap (
    name:
    let
      option = options.services.${name};
    in
    lib.optionals (option._type or "" == "option" && option ? service) (
      lib.services.instancesOf name option config.services.${name}
    )
  ) wantedServices;
  spliced = lib.mapAttrsToList (
    label: value: value.labelled label "instances.${lib.escapeName label}"
  ) config.instances;
  instances = lib.services.resolve {
    instances = declared ++ spliced;
    machine = config;
  };

  # Full names: `main` is the instance's own, others are put behind it.
  named =
    instance: key: value:
    value.unitName or (if key == "main" then instance.identity.id else "${instance.identity.id}-${key}");
  # Below /etc; a file lies in the folder of its instance unless it says where.
  place =
    instance: name: value:
    lib.removePrefix "/etc/" (value.path or "/etc/nival/${instance.identity.id}/${name}");
  # The options that a thing comes from, for `plan`: what the service names, or all its arguments; and the patches to it.
  owners =
    instance: kind: key: value:
    value.ownedBy or (
      if instance.identity.label == "main" && lib.hasPrefix "services." instance.option then
        map (name: "${instance.option}.${name}") ([ "enable" ] ++ lib.attrNames instance.arguments)
      else
        [ instance.option ]
    )
    ++ lib.optional (lib.any (patch: patch ? ${kind}.${key}) instance.patches) (
      "${instance.option}.patches.${kind}.${lib.escapeName key}"
    );

  # What one instance says about one kind of thing: its own words, and the patches to them under the same name.
  said =
    instance: kind: rename: finish:
    let
      own = instance.outputs.${kind} or { };
      renamed = lib.mapAttrs' (key: value: lib.nameValuePair (rename instance key value) (finish instance key value)) own;
      patched = map (
        patch:
        lib.mapAttrs' (key: value: lib.nameValuePair (rename instance key own.${key}) (strengthen value)) (
          lib.filterAttrs (key: _: own ? ${key}) (patch.${kind} or { })
        )
      ) instance.patches;
    in
    [ renamed ] ++ lib.filter (patch: patch != { }) patched;
  all = kind: rename: finish: lib.mkMerge (lib.concatMap (instance: said instance kind rename finish) instances);
  list = kind: lib.concatMap (instance: instance.outputs.${kind} or [ ]) instances;

  # Whether an instance has secrets, of its own or handed to it.
  holds =
    instance:
    instance.outputs.secrets or { } != { }
    || instance.outputs.templates or { } != { }
    || lib.any lib.secrets.isSecret (lib.attrValues instance.arguments);
  # What is started before an instance: the units of what it requires.
  before =
    instance:
    lib.concatLists (
      lib.mapAttrsToList (
        name: met: lib.optionals (met ? provider) (instance.offers.${name}.units or [ ])
      ) instance.needs
    );
  unit =
    kind: instance: key: value:
    removeAttrs value [
      "shared"
      "unitName"
      "wholeFolder"
    ]
    // {
      ownedBy = owners instance kind key value;
    };
  service =
    instance: key: value:
    let
      first = before instance;
      own = value.wholeFolder or true && lib.any (file: !(file ? path)) (lib.attrValues (instance.outputs.files or { }));
    in
    unit "units" instance key value
    // lib.optionalAttrs (first != [ ]) {
      after = (value.after or [ ]) ++ first;
      wants = (value.wants or [ ]) ++ first;
    }
    // lib.optionalAttrs (holds instance) {
      after = (value.after or [ ]) ++ first ++ [ "nival-secrets.service" ];
      requires = (value.requires or [ ]) ++ [ "nival-secrets.service" ];
      partOf = (value.partOf or [ ]) ++ [ "nival-secrets.service" ];
    }
    // {
      files = (value.files or [ ]) ++ lib.optional own "${instance.identity.configuration}/";
    };
  file =
    instance: key: value:
    removeAttrs value [
      "path"
      "shared"
    ]
    // {
      ownedBy = owners instance "files" key value;
    };
  withoutShared = _: _: value: removeAttrs value [ "shared" ];

  # What is one of its kind: who claims it, and under which argument.
  folders =
    value:
    lib.concatMap (
      setting:
      map (name: "${setting.folder}/${name}") (
        let
          names = value.serviceConfig.${setting.name} or [ ];
        in
        if builtins.isList names then names else lib.filter (name: name != "") (lib.splitString " " names)
      )
    ) stateSettings;
  stateSettings = [
    {
      name = "StateDirectory";
      folder = "/var/lib";
    }
    {
      name = "CacheDirectory";
      folder = "/var/cache";
    }
    {
      name = "LogsDirectory";
      folder = "/var/log";
    }
  ];
  claim = instance: kind: key: {
    inherit kind key;
    inherit (instance) option;
    argument = null;
    port = null;
  };
  claimsOf =
    instance:
    let
      inherit (instance) outputs;
      own = kind: lib.filterAttrs (_: value: !(value.shared or false)) (outputs.${kind} or { });
      units =
        kind:
        lib.mapAttrsToList (key: value: claim instance "unit" "${named instance key value}.${kind}") (
          own "${if kind == "service" then "unit" else kind}s"
        );
    in
    lib.mapAttrsToList (
      key: port:
      claim instance "port" "${port.protocol or "tcp"} ${toString port.port}"
      // {
        argument = port.argument or null;
        inherit (port) port;
        address = port.address or "";
      }
    ) (own "ports")
    ++ lib.mapAttrsToList (key: _: claim instance "user" key) (own "users")
    ++ lib.mapAttrsToList (key: _: claim instance "group" key) (own "groups")
    ++ lib.mapAttrsToList (key: value: claim instance "file" "/etc/${place instance key value}") (own "files")
    ++ map (directory: claim instance "folder" directory.path) (
      lib.filter (directory: !(directory.shared or false)) (outputs.directories or [ ])
    )
    ++ map (claim instance "folder") (lib.unique (lib.concatMap folders (lib.attrValues (own "units"))))
    ++ lib.concatMap units [
      "service"
      "timer"
      "socket"
    ]
    ++ lib.concatLists (
      lib.mapAttrsToList (kind: keys: map (claim instance kind) keys) (outputs.claims or { })
    );
  claims = lib.concatMap claimsOf instances;
  # Two servers go together on one port where each has an address of its own.
  apart =
    claims:
    lib.all (claim: claim ? address && claim.address != "" && claim.address != "*") claims
    && lib.length (lib.unique (map (claim: claim.address) claims)) == lib.length claims;
  clashes = lib.filter (same: lib.length same > 1 && !apart same) (
    lib.attrValues (lib.groupBy (claim: "${claim.kind} ${claim.key}") claims)
  );
  usedPorts = map (claim: claim.port) (lib.filter (claim: claim.port != null) claims);
  nextFree = port: if lib.elem port usedPorts then nextFree (port + 1) else port;
  clash =
    same:
    let
      first = lib.head same;
      last = lib.last same;
      what = if first.kind == "port" then "the port ${first.key}" else "the ${first.kind} `${first.key}`";
    in
    {
      assertion = false;
      code = "clash";
      message = "${lib.concatMapStringsSep " and " (claim: "`${claim.option}`") same} ${
        if lib.length same == 2 then "both" else "all"
      } want ${what}";
      # The definition that names it is marked, where one does.
      about = first.port;
      help =
        if first.kind != "port" then
          "give one of them another name"
        else
          let
            free = toString (nextFree (first.port + 1));
          in
          if last.argument == null then
            "${free} is free"
          else
            "${free} is free: set `${last.option}.${last.argument} = ${free};`";
      options = lib.concatMap (
        claim: lib.optional (claim.argument != null) "${claim.option}.${claim.argument}" ++ [ claim.option ]
      ) same;
    };

  # Patches to what is not there.
  kinds = [
    "units"
    "timers"
    "sockets"
    "files"
    "users"
    "groups"
    "ports"
    "checks"
    "preflight"
    "secrets"
    "templates"
  ];
  patchProblems =
    instance:
    let
      problem = path: what: there: {
        assertion = false;
        code = "patch";
        message = "there is no ${what} to patch in `${instance.option}`";
        help = if there == [ ] then "it makes none" else "there are ${lib.concatMapStringsSep ", " (name: "`${name}`") there}";
        options = [ "${instance.option}.patches.${path}" ] ++ [ instance.option ];
      };
      inKind =
        kind: patch:
        let
          own = instance.outputs.${kind} or { };
        in
        lib.concatLists (
          lib.mapAttrsToList (
            key: value:
            if !(own ? ${key}) then
              [ (problem "${kind}.${lib.escapeName key}" "`${kind}.${key}`" (lib.attrNames own)) ]
            else if kind == "files" then
              lib.concatMap (
                block:
                lib.optional (!(own.${key}.blocks or { } ? ${block})) (
                  problem "${kind}.${lib.escapeName key}.blocks.${lib.escapeName block}"
                    "block `${block}` of the file `${key}`"
                    (lib.attrNames (own.${key}.blocks or { }))
                )
              ) (lib.attrNames (value.blocks or { }))
            else
              [ ]
          ) patch
        );
    in
    lib.concatMap (
      patch:
      lib.concatLists (
        lib.mapAttrsToList (
          kind: value: if lib.elem kind kinds then inKind kind value else [ (problem kind "`${kind}`" kinds) ]
        ) patch
      )
    ) instance.patches;

  needProblems =
    instance:
    lib.mapAttrsToList (name: met: {
      assertion = !(met ? problem);
      code = "requirement";
      message = met.problem or "";
      options = [
        "${instance.option}.requirements"
        instance.option
      ];
    }) instance.needs;

  # Instances that wait for each other.
  waitsFor =
    instance: map (met: met.provider.identity.id) (lib.filter (met: met ? provider) (lib.attrValues instance.needs));
  byId = lib.listToAttrs (map (instance: lib.nameValuePair instance.identity.id instance) instances);
  reached =
    instance:
    map (item: item.key) (
      builtins.genericClosure {
        startSet = map (key: { inherit key; }) (waitsFor instance);
        operator = item: map (key: { inherit key; }) (waitsFor byId.${item.key});
      }
    );
  cycles = lib.filter (instance: lib.elem instance.identity.id (reached instance)) (
    lib.filter (instance: instance.needs != { }) instances
  );

  # Without systemd: what it would do for a unit, as lines of a shell script.
  words = value: if builtins.isList value then value else lib.filter (name: name != "") (lib.splitString " " value);
  runtimeSettings = stateSettings ++ [
    {
      name = "RuntimeDirectory";
      folder = "/run";
    }
  ];
  # A command line of systemd's, without the signs that stand in front of it.
  plain = command: lib.head (builtins.match "[-@:+!]*(.*)" command);
  byHand =
    instance: key: value:
    let
      name = named instance key value;
      unit = config.systemd.services.${name};
      settings = unit.serviceConfig;
      scripts = "/etc/nival/scripts/${name}";
      user = settings.User or (if settings.DynamicUser or false then "nobody" else "root");
      group = settings.Group or (if user == "nobody" then "nogroup" else user);
      become = lib.optionalString (user != "root") "setpriv --reuid=${user} --regid=${group} --init-groups -- ";
      pre = settings.ExecStartPre or [ ];
    in
    rec {
      inherit name user;
      folders = lib.concatMap (
        setting: map (name: "${setting.folder}/${name}") (words (settings.${setting.name} or [ ]))
      ) runtimeSettings;
      made = map (
        folder: "install -d -o ${user} -m ${settings.StateDirectoryMode or "0755"} ${folder}"
      ) folders;
      variables =
        # Lines are taken as they are: nothing in them is for the shell.
        map (file: "while IFS= read -r line; do case $line in [A-Za-z_]*=*) export \"$line\";; esac; done < ${plain file}") (
          lib.toList (settings.EnvironmentFile or [ ])
        )
        ++ lib.mapAttrsToList (name: text: "export ${lib.escapeShellArg "${name}=${text}"}") unit.environment;
      before =
        lib.optional (unit.preStart != null) "${become}${scripts}-preStart"
        ++ map (command: "${become}${plain command}") (if builtins.isList pre then pre else [ pre ]);
      start =
        command:
        become
        + (
          if command != null then
            command
          else if unit.script != null then
            "${scripts}-script"
          else
            plain (
              settings.ExecStart or (throw "the service `${instance.identity.service}` does not say how it is started without systemd: its output `command` is missing")
            )
        );
      isOnce = settings.Type or "" == "oneshot";
      # Whether it belongs in front of another unit, or behind it.
      leads = other: lib.elem "${other}.service" (unit.before ++ unit.requiredBy);
      follows = other: lib.elem "${other}.service" unit.after && unit.wantedBy != [ ];
    };

  # Without systemd: what it would prepare, and then the service itself, as its user.
  container =
    instance:
    let
      inherit (instance) outputs;
      main = byHand instance "main" outputs.units.main;
      others = lib.filter (other: other.isOnce) (
        lib.mapAttrsToList (byHand instance) (removeAttrs outputs.units [ "main" ])
      );
      group = lines: [ "(" ] ++ lines ++ [ ")" ];
      first = lib.concatMap (
        other: other.made ++ group (other.variables ++ other.before ++ [ (other.start null) ])
      ) (lib.filter (other: other.leads main.name) others);
      # What wants the service to answer is tried until it does.
      later = lib.concatMap (
        other:
        other.made
        ++ [ "(" ]
        ++ other.variables
        ++ [
          "  for try in $(seq 120); do"
          "    sleep 0.5"
          "    ${lib.concatStringsSep " && " (other.before ++ [ (other.start null) ])} && exit 0"
          "  done > /dev/null 2>&1"
          "  echo 'gave up: ${other.name}' >&2"
          ") &"
        ]
      ) (lib.filter (other: other.follows main.name) others);
      declared = map (
        directory:
        "install -d -o ${directory.user or "root"} -g ${directory.group or "root"} -m ${directory.mode or "0755"} ${directory.path}"
      ) (outputs.directories or [ ]);
      secrets = lib.optionals (holds instance) [
        "install -d -m 0700 /var/lib/nival-secrets"
        "/etc/nival/scripts/nival-secrets-script"
      ];
      kept = lib.filter (lib.hasPrefix "/var/") (
        lib.unique (main.folders ++ map (directory: directory.path) (outputs.directories or [ ]))
      );
    in
    {
      command = [
        "/bin/sh"
        "-euc"
        (lib.concatLines (
          secrets
          ++ declared
          ++ main.made
          ++ first
          ++ main.variables
          ++ main.before
          ++ later
          ++ [ "exec ${main.start (outputs.command or null)}" ]
        ))
      ];
      environment.PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";
      unit = "${main.name}.service";
      ports = lib.mapAttrsToList (_: port: "${toString port.port}/${port.protocol or "tcp"}") (outputs.ports or { });
      # A folder below another one goes with it.
      volumes = lib.filter (folder: !lib.any (other: lib.hasPrefix "${other}/" folder) kept) kept;
      needs = before instance;
      inherit (instance.declaration) description;
    };

  nameProblems = map (instance: {
    assertion = builtins.match "[a-z_][a-z0-9_-]{0,30}" instance.identity.id != null;
    message = "the instance `${instance.option}` is called `${instance.identity.id}`, and such a name has small letters, digits, `-` and `_`, at most 31 of them";
    options = [ instance.option ];
  }) instances;
in
{
  options = {
    # Services stand here, each from a file of its own that is read once somebody wants it.
    services = { };
    instances = mkOption {
      type = types.attrsOf (
        types.addCheck types.raw (value: value._type or "" == "service-value")
        // {
          description = "service applied to arguments";
        }
      );
      default = { };
      description = ''
        Instances of services that were made by applying them as functions, by label: `services.redis { port = 6380; }`, where
        `services` is an argument of the module. Such a value can be looked at (`.arguments`, `.outputs`), applied again, and
        changed (`.override`, `.patch`) before it is put here.
      '';
      example = lib.literalExpression "{ cache = services.redis { port = 6380; }; }";
    };
    system.containers = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "How each instance is started in a container without systemd, by its name.";
      example = { };
    };
    system.serviceProblems = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "What is wrong between services, as assertions: looked at before anything that they make.";
      example = [ ];
    };
    system.instances = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "All instances of services, with their arguments and what they are made of.";
      example = [ ];
    };
  };

  config = {
    system.instances = instances;
    system.containers = lib.listToAttrs (
      map (instance: lib.nameValuePair instance.identity.id (container instance)) (
        lib.filter (instance: instance.outputs.units.main or { } != { }) instances
      )
    );
    system.checks = all "checks" (
      instance: key: _: "${instance.identity.id}: ${key}"
    ) (instance: _: value: { unit = instance.identity.unit; } // value);
    system.preflight = all "preflight" (
      instance: key: _: "${instance.identity.id}: ${key}"
    ) (instance: _: value: { unit = instance.identity.unit; } // value);
    system.directories = map (directory: removeAttrs directory [ "shared" ]) (list "directories");
    system.servicePorts = all "ports" (instance: key: _: "${instance.identity.id} ${key}") (
      instance: _: port:
      {
        inherit (instance.identity) unit;
        description = instance.identity.id;
      }
      // removeAttrs port [
        "argument"
        "shared"
      ]
    );
    system.extraRoots = lib.mkMerge (map (instance: instance.outputs.roots or { }) instances);
    system.alternatives = lib.mkMerge (map (instance: instance.outputs.alternatives or { }) instances);
    systemd.services = all "units" named service;
    systemd.timers = all "timers" named (unit "timers");
    systemd.sockets = all "sockets" named (unit "sockets");
    systemd.maskedUnits = lib.unique (list "masks");
    environment.systemPackages = list "packages";
    environment.etc = all "files" place file;
    environment.rootVariables = lib.mkMerge (map (instance: instance.outputs.rootVariables or { }) instances);
    system.instanceSecrets = all "secrets" (
      instance: key: _: "${instance.identity.id}/${key}"
    ) (instance: _: value: { user = instance.identity.user; } // value);
    secretTemplates = all "templates" (
      instance: key: _: "${instance.identity.id}/${key}"
    ) (instance: _: value: { user = instance.identity.user; } // value);
    users.users = all "users" (_: key: _: key) withoutShared;
    users.groups = all "groups" (_: key: _: key) withoutShared;
    networking.hosts = lib.mkMerge (map (instance: instance.outputs.hosts or { }) instances);
    warnings = list "warnings";
    system.serviceProblems =
      nameProblems
      ++ map clash clashes
      ++ lib.concatMap patchProblems instances
      ++ lib.concatMap needProblems instances
      ++ lib.optional (cycles != [ ]) {
        assertion = false;
        code = "cycle";
        message = "${lib.concatMapStringsSep ", " (instance: "`${instance.option}`") cycles} require each other, so none could start first";
        help = "let one of them use another instance: `${(lib.head cycles).option}.requirements`";
        options = map (instance: instance.option) cycles;
      };
    assertions = list "assertions";
  };
}
