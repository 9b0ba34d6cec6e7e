# PAM: rules by name, each placed before or after another.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.security.pam.services;
  kinds = [
    "auth"
    "account"
    "password"
    "session"
  ];

  ruleOptions = {
    options = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the rule is there.";
        example = false;
      };
      control = mkOption {
        type = types.nonEmptyStr;
        default = "required";
        description = "What follows from the module's answer: `required`, `requisite`, `sufficient`, `optional`, `include`, or pairs in brackets.";
        example = "optional";
      };
      module = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        description = "The module; for `include` the name of another service.";
        example = "pam_limits.so";
      };
      args = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The module's arguments.";
        example = [ "nullok" ];
      };
      command = mkOption {
        type = types.nullOr types.lines;
        default = null;
        description = ''
          A shell script that is run as root instead of a module, by `pam_exec.so`. It finds `PAM_USER`, `PAM_RHOST`,
          `PAM_SERVICE` and `PAM_TYPE` in its environment.
        '';
        example = "[ \"$PAM_TYPE\" != open_session ] || logger \"$PAM_USER came in\"";
      };
      order = mkOption {
        type = types.int;
        default = 1000;
        description = "The rule's place where neither `before` nor `after` says it: the lowest comes first.";
        example = 50;
      };
      before = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The rule of the same kind that comes right after this one.";
        example = "unix";
      };
      after = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The rule of the same kind that comes right before this one.";
        example = "unix";
      };
    };
  };

  rule = order: control: module: args: {
    inherit
      order
      control
      module
      args
      ;
  };
  include = order: service: rule order "include" service [ ];
  unix = control: args: {
    unix = rule 100 control "pam_unix.so" args;
    deny = rule 200 "requisite" "pam_deny.so" [ ];
    permit = rule 300 "required" "pam_permit.so" [ ];
  };
  session = {
    default = rule 100 "[default=1]" "pam_permit.so" [ ];
    deny = rule 200 "requisite" "pam_deny.so" [ ];
    permit = rule 300 "required" "pam_permit.so" [ ];
    unix = rule 400 "required" "pam_unix.so" [ ];
  };
  # What Debian's packages say, as rules; a service that is not here has only the rules that are given.
  known = {
    common-auth.auth = unix "[success=1 default=ignore]" [ "nullok" ];
    common-account.account = unix "[success=1 new_authtok_reqd=done default=ignore]" [ ];
    common-password.password = unix "[success=1 default=ignore]" [
      "obscure"
      "yescrypt"
    ];
    common-session.session = session // {
      systemd = rule 500 "optional" "pam_systemd.so" [ ];
    };
    common-session-noninteractive.session = session;
    sudo = {
      auth.common = include 100 "common-auth";
      account.common = include 100 "common-account";
      session = {
        limits = rule 50 "required" "pam_limits.so" [ ];
        common = include 100 "common-session-noninteractive";
      };
    };
    su = {
      auth.rootok = rule 50 "sufficient" "pam_rootok.so" [ ];
      auth.common = include 100 "common-auth";
      account.common = include 100 "common-account";
      session = {
        env = rule 50 "required" "pam_env.so" [ "readenv=1" ];
        limits = rule 80 "required" "pam_limits.so" [ ];
        common = include 100 "common-session";
      };
    };
    sshd = {
      auth.common = include 100 "common-auth";
      account.nologin = rule 50 "required" "pam_nologin.so" [ ];
      account.common = include 100 "common-account";
      password.common = include 100 "common-password";
      session = {
        loginuid = rule 40 "optional" "pam_loginuid.so" [ ];
        keyinit = rule 50 "optional" "pam_keyinit.so" [
          "force"
          "revoke"
        ];
        common = include 100 "common-session";
        limits = rule 200 "required" "pam_limits.so" [ ];
        env = rule 210 "required" "pam_env.so" [ ];
        locale = rule 220 "required" "pam_env.so" [ "envfile=/etc/default/locale" ];
      };
    };
    login = {
      auth.delay = rule 50 "optional" "pam_faildelay.so" [ "delay=3000000" ];
      auth.nologin = rule 60 "requisite" "pam_nologin.so" [ ];
      auth.common = include 100 "common-auth";
      account.common = include 100 "common-account";
      password.common = include 100 "common-password";
      session = {
        loginuid = rule 40 "optional" "pam_loginuid.so" [ ];
        keyinit = rule 50 "optional" "pam_keyinit.so" [
          "force"
          "revoke"
        ];
        env = rule 60 "required" "pam_env.so" [ ];
        locale = rule 70 "required" "pam_env.so" [ "envfile=/etc/default/locale" ];
        limits = rule 80 "required" "pam_limits.so" [ ];
        common = include 100 "common-session";
      };
    };
  };

  serviceOptions =
    { name, ... }:
    {
      options = lib.genAttrs kinds (
        kind:
        mkOption {
          type = types.attrsOf (types.submodule ruleOptions);
          default = { };
          description = "The rules of the kind `${kind}` by name. Those that Debian has are there already.";
          example = {
            example = {
              control = "optional";
              module = "pam_warn.so";
            };
          };
        }
      );
      config = lib.genAttrs kinds (kind: lib.mapAttrs (_: lib.mapAttrs (_: lib.mkDefault)) (known.${name}.${kind} or { }));
    };

  # Rules in order: first those with a place of their own, then each beside the one that it names.
  place =
    rules:
    let
      named = lib.mapAttrsToList (name: settings: settings // { inherit name; }) (
        lib.filterAttrs (_: settings: settings.enable) rules
      );
      free = rule: rule.before == null && rule.after == null;
      settle =
        done: waiting:
        let
          ready = lib.filter (rule: lib.any (other: other.name == target rule) done) waiting;
          rest = lib.filter (rule: !lib.any (other: other.name == target rule) done) waiting;
        in
        if ready == [ ] then
          {
            inherit done;
            lost = waiting;
          }
        else
          settle (lib.foldl' beside done ready) rest;
      target = rule: if rule.before != null then rule.before else rule.after;
      beside =
        done: rule:
        lib.concatMap (
          other:
          if other.name != target rule then
            [ other ]
          else if rule.before != null then
            [
              rule
              other
            ]
          else
            [
              other
              rule
            ]
        ) done;
    in
    settle (lib.sort (a: b: a.order < b.order) (lib.filter free named)) (
      lib.filter (rule: !free rule) named
    );

  script = service: kind: rule: "/etc/nival/pam/${service}-${kind}-${rule.name}";
  line =
    service: kind: rule:
    "${kind} ${rule.control} "
    + (
      if rule.command != null then
        "pam_exec.so ${toString rule.args} ${script service kind rule}"
      else
        "${rule.module} ${toString rule.args}"
    );
  text =
    service: settings:
    lib.concatLines (lib.concatMap (kind: map (line service kind) (place settings.${kind}).done) kinds);
  owner = service: [ "security.pam.services.${lib.escapeName service}" ];

  each = f: lib.concatLists (lib.mapAttrsToList (service: settings: lib.concatMap (f service settings) kinds) cfg);

  # Modules that rules of one's own name: one that is missing could lock everybody out.
  added = lib.unique (
    each (
      service: settings: kind:
      map (rule: rule.module) (
        lib.filter (
          rule: rule.module != null && rule.control != "include" && !lib.elem rule.module shipped
        ) (place settings.${kind}).done
      )
    )
  );
  # Those that Debian's own rules use; they come with libpam-modules and systemd.
  shipped = map (name: "pam_${name}.so") [
    "deny"
    "env"
    "faildelay"
    "keyinit"
    "limits"
    "loginuid"
    "nologin"
    "permit"
    "rootok"
    "systemd"
    "unix"
  ];
in
{
  options.security.pam.services = mkOption {
    type = types.attrsOf (types.submodule serviceOptions);
    default = { };
    description = ''
      What is asked and done when somebody logs in or acts as another, by PAM's name of the program: `sshd`, `sudo`, `su`,
      `login`, and the `common-*` files that these include. Each rule has a name, and can be changed, left out, or have others
      placed before and after it. Of a program that is not named here the package's own file counts.
    '';
    example = {
      sudo.session.tell = {
        control = "optional";
        command = "[ \"$PAM_TYPE\" != open_session ] || logger \"sudo by $PAM_RUSER\"";
      };
    };
  };

  config = {
    security.pam.services = lib.genAttrs [
      "common-auth"
      "common-account"
      "common-password"
      "common-session"
      "common-session-noninteractive"
    ] (_: { });
    environment.etc =
      lib.mapAttrs' (
        service: settings:
        lib.nameValuePair "pam.d/${service}" {
          text = text service settings;
          ownedBy = owner service;
        }
      ) cfg
      // lib.listToAttrs (
        each (
          service: settings: kind:
          map (
            rule:
            lib.nameValuePair (lib.removePrefix "/etc/" (script service kind rule)) {
              text = "#!/bin/sh\nset -eu\n${rule.command}";
              mode = "0755";
              ownedBy = owner service;
            }
          ) (lib.filter (rule: rule.command != null) (place settings.${kind}).done)
        )
      );
    system.preflight = lib.mkIf (added != [ ]) {
      "PAM modules are there" = {
        unit = "systemd-logind.service";
        command = [
          "/bin/sh"
          "-euc"
          ''
            for module in ${lib.escapeShellArgs added}; do
              for place in "$module" /usr/lib/*/security/"$module" /usr/lib/security/"$module"; do
                [ ! -e "$place" ] || continue 2
              done
              echo "no package of this machine brings the PAM module $module: add the one that does to environment.systemPackages"
              exit 1
            done
          ''
        ];
      };
    };
    assertions = each (
      service: settings: kind:
      map (rule: {
        assertion = false;
        code = "patch";
        message = "the PAM rule `${rule.name}` of `${service}` has its place beside a rule that is not there: `${
          if rule.before != null then rule.before else rule.after
        }`";
        help = "the ${kind} rules of `${service}` are ${
          lib.concatMapStringsSep ", " (rule: "`${rule.name}`") (place settings.${kind}).done
        }";
        options = [ "security.pam.services.${lib.escapeName service}.${kind}.${lib.escapeName rule.name}" ];
      }) (place settings.${kind}).lost
      ++ map (rule: {
        assertion = (rule.module == null) != (rule.command == null);
        message = "the PAM rule `${rule.name}` of `${service}` needs either `module` or `command`";
        options = [ "security.pam.services.${lib.escapeName service}.${kind}.${lib.escapeName rule.name}" ];
      }) (place settings.${kind}).done
    );
  };
}
