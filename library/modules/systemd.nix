# Units of systemd: whole ones written here, and additions to those that packages bring.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.systemd;

  value = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.str
      types.path
      (types.listOf (types.either types.str types.int))
    ]
  );
  section =
    name: example:
    mkOption {
      type = types.attrsOf value;
      default = { };
      description = "Settings of the section `[${name}]`; a list repeats its setting, `null` leaves it out.";
      inherit example;
    };
  names =
    what: example:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = what;
      inherit example;
    };

  common = name: {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the unit is part of the machine; `false` masks it.";
      example = false;
    };
    description = mkOption {
      type = types.str;
      default = "";
      description = "What the unit is, in a few words.";
      example = "Gemini server";
    };
    fromPackage = mkOption {
      type = types.bool;
      default = false;
      description = "Whether a package brings the unit, so that what is said here is added to it.";
      example = true;
    };
    after = names "Units that are started before this one." [ "network.target" ];
    before = names "Units that are started after this one." [ "nginx.service" ];
    requires = names "Units without which this one is not started." [ "postgresql.service" ];
    wants = names "Units that are started with this one." [ "network-online.target" ];
    bindsTo = names "Units with which this one stops." [ "postgresql.service" ];
    partOf = names "Units with which this one stops and restarts." [ "app.target" ];
    conflicts = names "Units that this one stops." [ "shutdown.target" ];
    wantedBy = names "Units that start this one." [ "multi-user.target" ];
    requiredBy = names "Units that need this one." [ "multi-user.target" ];
    unitConfig = section "Unit" { StartLimitBurst = 3; };
    reloadOnChange = mkOption {
      type = types.enum [
        "reload"
        "restart"
        "none"
      ];
      default = "restart";
      description = "What a change of the unit's files does to it. A change of the unit itself restarts it.";
      example = "reload";
    };
    restartTriggers = names "Texts whose change restarts the unit." [ "settings v2" ];
    reloadTriggers = names "Texts whose change reloads the unit." [ "settings v2" ];
    files = names "Files whose change concerns the unit; one that ends in `/` stands for all below it." [ "/etc/nginx/" ];
    packages = names "Packages whose change restarts the unit." [ "nginx" ];
    settleSeconds = mkOption {
      type = types.nullOr types.ints.unsigned;
      default = null;
      description = "How long the unit must stay up after a switch before the switch counts as done.";
      example = 10;
    };
    ownedBy = mkOption {
      type = types.listOf types.str;
      default = [ ];
      internal = true;
      description = "The options that the unit comes from; `plan` names their definitions.";
      example = [ "services.nginx" ];
    };
  };

  serviceOptions =
    { name, ... }:
    {
      options = common name // {
        serviceConfig = section "Service" {
          DynamicUser = true;
          StateDirectory = "app";
        };
        environment = mkOption {
          type = types.attrsOf types.str;
          default = { };
          description = "Environment variables.";
          example = {
            PORT = "8080";
          };
        };
        script = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "A shell script that is the service; it stops at the first command that fails.";
          example = "exec /usr/bin/python3 -m http.server";
        };
        preStart = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "A shell script that runs before the service.";
          example = "mkdir -p /var/lib/app/cache";
        };
        postStart = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "A shell script that runs after the service has started.";
          example = "echo started";
        };
        startAt = mkOption {
          type = types.nullOr types.calendar;
          default = null;
          description = "When the service is started, as a calendar expression of systemd; makes a timer.";
          example = "daily";
        };
      };
    };

  unitOptions =
    sectionName: attribute: example:
    { name, ... }:
    {
      options = common name // {
        ${attribute} = section sectionName example;
      };
    };

  script = name: text: {
    text = "#!/bin/sh\nset -eu\n${text}";
    mode = "0755";
    ownedBy = [ "systemd.services.${lib.escapeName name}" ];
  };
  scripts = lib.concatMapAttrs (
    name: service:
    lib.concatMapAttrs (
      kind: text:
      lib.optionalAttrs (text != null && service.enable) { "nival/scripts/${name}-${kind}" = script name text; }
    ) { inherit (service) script preStart postStart; }
  ) cfg.services;

  # What lays secrets out, for a service that names one of them.
  secretsUnit = "nival-secrets";
  layer =
    kind: name: unit:
    let
      text = lib.concatStrings (
        [ (builtins.toJSON [ unit.serviceConfig unit.environment unit.restartTriggers ]) ]
        ++ lib.filter (text: text != null) [ unit.script unit.preStart unit.postStart ]
      );
    in
    lib.optional (
      kind == "service" && name != secretsUnit && cfg.services ? ${secretsUnit} && lib.hasInfix "/run/secrets/" text
    ) "${secretsUnit}.service";

  unitSection =
    kind: name: unit:
    let
      first = layer kind name unit;
      joined = names: lib.unique (names ++ first);
    in
    unit.unitConfig
    // lib.filterAttrs (_: setting: setting != "" && setting != [ ]) {
      Description = unit.description;
      After = joined unit.after;
      Before = unit.before;
      Requires = joined unit.requires;
      Wants = unit.wants;
      BindsTo = unit.bindsTo;
      PartOf = joined unit.partOf;
      Conflicts = unit.conflicts;
    };
  quote = text: "\"${lib.replaceStrings [ "\\" "\"" "%" "\n" ] [ "\\\\" "\\\"" "%%" "\\n" ] text}\"";
  serviceSection =
    name: service:
    lib.optionalAttrs (service.environment != { }) {
      Environment = lib.mapAttrsToList (key: text: quote "${key}=${text}") service.environment;
    }
    // lib.optionalAttrs (service.script != null) { ExecStart = "/etc/nival/scripts/${name}-script"; }
    // lib.optionalAttrs (service.preStart != null) { ExecStartPre = "/etc/nival/scripts/${name}-preStart"; }
    // lib.optionalAttrs (service.postStart != null) { ExecStartPost = "/etc/nival/scripts/${name}-postStart"; }
    // service.serviceConfig;

  scriptFiles =
    name: service:
    lib.concatMap (kind: lib.optional (service.${kind} or null != null) "/etc/nival/scripts/${name}-${kind}") [
      "script"
      "preStart"
      "postStart"
    ];

  manifestUnit =
    kind: sections: name: unit:
    let
      text = lib.generators.toUnit (lib.filterAttrs (_: settings: settings != { }) sections);
    in
    {
      inherit (unit)
        wantedBy
        requiredBy
        files
        packages
        settleSeconds
        ;
      enable = true;
      reloadOn = unit.reloadOnChange;
      # Scripts are part of the unit: their change restarts it.
      restartTriggers = builtins.hashString "sha256" (
        lib.concatLines (
          unit.restartTriggers
          ++ lib.optionals (kind == "service") (
            map (file: scripts.${lib.removePrefix "/etc/" file}.text) (scriptFiles name unit)
          )
        )
      );
      reloadTriggers = builtins.hashString "sha256" (lib.concatLines unit.reloadTriggers);
      options = unit.ownedBy ++ [ "systemd.${kind}s.${lib.escapeName name}" ];
    }
    // (
      if !unit.fromPackage then
        { inherit text; }
      else if text != "" then
        { overrides = text; }
      else
        { }
    );

  all =
    kind: attribute: sectionName: units:
    lib.mapAttrs' (
      name: unit:
      lib.nameValuePair "${name}.${kind}" (
        manifestUnit kind {
          Unit = unitSection kind name unit;
          ${sectionName} = if kind == "service" then serviceSection name unit else unit.${attribute};
        } name unit
      )
    ) (lib.filterAttrs (_: unit: unit.enable) units);

  kinds = {
    timer = {
      section = "Timer";
      example = {
        OnCalendar = "daily";
      };
    };
    socket = {
      section = "Socket";
      example = {
        ListenStream = 8080;
      };
    };
    path = {
      section = "Path";
      example = {
        PathExists = "/run/app/ready";
      };
    };
    mount = {
      section = "Mount";
      example = {
        What = "tmpfs";
        Where = "/srv/cache";
        Type = "tmpfs";
      };
    };
    target = {
      section = "Install";
      example = { };
    };
  };

  # Scripts whose place a setting takes: one of the two would be passed over in silence.
  twoStarts =
    name: service:
    lib.concatMap
      (
        kind:
        lib.optional (service.${kind.script} != null && service.serviceConfig ? ${kind.setting}) {
          assertion = false;
          message = "the service `${name}` has both a `${kind.script}` and `serviceConfig.${kind.setting}`, and only one of them can be what is run";
          options = [
            "systemd.services.${lib.escapeName name}.${kind.script}"
            "systemd.services.${lib.escapeName name}.serviceConfig.${kind.setting}"
          ];
        }
      )
      [
        {
          script = "script";
          setting = "ExecStart";
        }
        {
          script = "preStart";
          setting = "ExecStartPre";
        }
        {
          script = "postStart";
          setting = "ExecStartPost";
        }
      ];
  settings = import ../lib/systemd-settings.nix { inherit lib; };
  # Settings that systemd does not know: it would pass over them in silence.
  unknownSettings = lib.concatLists (
    lib.mapAttrsToList (
      kind: units:
      let
        own = {
          attribute = "${kind}Config";
          section = if kind == "service" then "Service" else kinds.${kind}.section;
        };
        unit = {
          attribute = "unitConfig";
          section = "Unit";
        };
      in
      lib.concatLists (
        lib.mapAttrsToList (
          name: unknown: lib.concatMap (part: unknown part) [ own unit ]
        ) (lib.mapAttrs (unknownIn kind) units)
      )
    ) ({ service = cfg.services; } // lib.mapAttrs (kind: _: cfg."${kind}s") kinds)
  );
  unknownIn =
    kind: name: unit: part:
    let
      known = settings.${part.section};
      wrong = lib.filter (setting: !(known ? ${setting}) && !lib.hasPrefix "X-" setting) (lib.attrNames unit.${part.attribute});
    in
    map (
      setting:
      let
        near = lib.take 3 (lib.strings.nearest setting (lib.attrNames known));
        patches = lib.filter (lib.hasInfix ".patches.") unit.ownedBy;
      in
      {
        assertion = false;
        message = "systemd knows no setting `${setting}` of the section `[${part.section}]`, in `${name}.${kind}`";
        help =
          if near != [ ] then
            "did you mean ${lib.concatMapStringsSep " or " (name: "`${name}`") near}?"
          else
            "`systemd.directives(7)` lists them; one that is newer than systemd 257 goes into a file below /etc/systemd/system/${name}.${kind}.d";
        options = map (place: "${place}.${part.attribute}") patches ++ [
          "systemd.${kind}s.${lib.escapeName name}.${part.attribute}.${setting}"
        ];
      }
    ) wrong;
in
{
  options.systemd = {
    services = mkOption {
      type = types.attrsOf (types.submodule serviceOptions);
      default = { };
      description = "Services by name, without `.service`.";
      example = {
        hello = {
          wantedBy = [ "multi-user.target" ];
          script = "exec sleep infinity";
        };
      };
    };
    maskedUnits = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Units that packages bring and that must never start.";
      example = [ "apt-daily.timer" ];
    };
    tmpfiles.rules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Lines of `tmpfiles.d`: files and directories made, emptied or removed when the machine starts.";
      example = [ "d /var/cache/app 0750 app app 30d" ];
    };
    manifestUnits = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "The units as the manifest has them.";
      example = { };
    };
  }
  // lib.mapAttrs' (
    kind: about:
    lib.nameValuePair "${kind}s" (mkOption {
      type = types.attrsOf (types.submodule (unitOptions about.section "${kind}Config" about.example));
      default = { };
      description = "Units of the kind `.${kind}`, by name without it.";
      example = {
        example."${kind}Config" = about.example;
      };
    })
  ) kinds;

  config = {
    environment.etc = lib.mkMerge [
      scripts
      (lib.mkIf (cfg.tmpfiles.rules != [ ]) {
        "tmpfiles.d/nival.conf" = {
          text = lib.concatLines cfg.tmpfiles.rules;
          ownedBy = [ "systemd.tmpfiles" ];
        };
      })
    ];
    systemd = {
      timers = lib.concatMapAttrs (
        name: service:
        lib.optionalAttrs (service.startAt != null) {
          ${name} = {
            description = "Timer of ${name}.service";
            wantedBy = [ "timers.target" ];
            timerConfig.OnCalendar = service.startAt;
            timerConfig.Persistent = true;
            ownedBy = service.ownedBy ++ [ "systemd.services.${lib.escapeName name}" ];
          };
        }
      ) cfg.services;
      maskedUnits = lib.concatLists (
        lib.mapAttrsToList (
          kind: units: map (name: "${name}.${kind}") (lib.attrNames (lib.filterAttrs (_: unit: !unit.enable) units))
        ) ({ service = cfg.services; } // lib.mapAttrs (kind: _: cfg."${kind}s") kinds)
      );
      manifestUnits =
        all "service" "serviceConfig" "Service" cfg.services
        // lib.concatMapAttrs (kind: about: all kind "${kind}Config" about.section cfg."${kind}s") kinds;
    };
    assertions = unknownSettings ++ lib.concatLists (lib.mapAttrsToList twoStarts cfg.services) ++ lib.mapAttrsToList (name: service: {
      assertion =
        service.fromPackage
        || !service.enable
        || service.script != null
        || service.serviceConfig ? ExecStart
        || service.serviceConfig.Type or "" == "oneshot";
      message = "the service `${name}` does nothing: give it `script` or `serviceConfig.ExecStart`, or say `fromPackage = true`";
      options = [ "systemd.services.${lib.escapeName name}" ];
    }) cfg.services;
  };
}
