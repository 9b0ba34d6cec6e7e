# Secrets: given from outside or made on the machine; never part of the store.
{
  config,
  options,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  kept = "/var/lib/nival-secrets";
  shown = "/run/secrets";

  owned = {
    user = mkOption {
      type = types.str;
      default = "root";
      description = "The owner of the file.";
      example = "app";
    };
    group = mkOption {
      type = types.str;
      default = "root";
      description = "The group of the file.";
      example = "app";
    };
    mode = mkOption {
      type = types.strMatching "0?[0-7]{3}";
      default = "0400";
      description = "Its permission bits, in octal.";
      example = "0440";
    };
  };
  declaration = mkOption {
    type = types.attrsOf (
      types.submodule {
        options = owned // {
          generate = mkOption {
            type = types.nullOr (
              types.enum [
                "password"
                "hex"
                "ssh-key"
              ]
            );
            default = null;
            description = ''
              What the machine makes, once, where it has none: a password of letters and digits, hexadecimal digits, or an ssh
              key pair, whose public half lies beside it as `.pub`. Without it the secret is given: `nival up --secret NAME=FILE`.
            '';
            example = "password";
          };
          length = mkOption {
            type = types.ints.between 8 1024;
            default = 32;
            description = "How many characters a generated one has.";
            example = 64;
          };
        };
      }
    );
    default = { };
    description = ''
      Secrets by name. As a value, `config.secrets.NAME` can be handed to options that take a secret, be named as a file
      (`lib.secrets.file`), and be put into a file that is filled on the machine (`secretTemplates`); its text is not known here.
      It lies at `/run/secrets/NAME`, in memory.
    '';
    example = {
      backup-key = { };
      session.generate = "password";
    };
  };
  # What is declared, as values are secrets already.
  declared =
    (lib.evalModules {
      modules = [
        { options.secrets = declaration; }
      ]
      ++ map (definition: {
        _file = definition.file;
        config.secrets = definition.value;
      }) (options.secrets.definitionsWithLocations ++ options.system.instanceSecrets.definitionsWithLocations);
    }).config.secrets;

  quote = lib.escapeShellArg;
  makes = secret: {
    password = ''
      tr -dc 'A-Za-z0-9' < /dev/urandom | head -c ${toString secret.length} > "$kept.new"
    '';
    hex = ''
      od -An -tx1 -N${toString secret.length} -v /dev/urandom | tr -d ' \n' | head -c ${toString secret.length} > "$kept.new"
    '';
    ssh-key = ''
      rm -f "$kept.new" "$kept.new.pub"
      ssh-keygen -q -t ed25519 -N "" -C "" -f "$kept.new"
      mv "$kept.new.pub" "$kept.pub"
    '';
  };
  place = secret: source: ''
    install -D -m ${secret.mode} -o ${quote secret.user} -g ${quote secret.group} ${source} "$shown"
  '';
  one = name: secret: ''
    kept=${quote "${kept}/${name}"}
    shown=${quote "${shown}/${name}"}
    mkdir -p "''${kept%/*}"
    ${lib.optionalString (secret.generate != null) ''
      if [ ! -s "$kept" ]; then
        ${(makes secret).${secret.generate}}
        mv "$kept.new" "$kept"
      fi
    ''}
    ${place secret "\"$kept\""}
    ${lib.optionalString (secret.generate == "ssh-key") "install -m 0644 \"$kept.pub\" \"$shown.pub\""}
  '';
  part = name: index: content: if lib.secrets.isSecret content then lib.secrets.file content else "/etc/${partFile name index}";
  partFile = name: index: "nival/templates/${name}.${toString index}";
  template = name: template: ''
    shown=${quote "${shown}/${name}"}
    mkdir -p "''${shown%/*}"
    {
    ${lib.concatLines (
      lib.imap0 (
        index: content:
        if lib.secrets.isSecret content then
          # Without the line end that a file has.
          "  printf %s \"$(cat ${quote (part name index content)})\""
        else
          "  cat ${quote (part name index content)}"
      ) template.content
    )}
    } > "$shown.new"
    chown ${quote "${template.user}:${template.group}"} "$shown.new"
    chmod ${template.mode} "$shown.new"
    mv "$shown.new" "$shown"
  '';
in
{
  options = {
    secrets = declaration // {
      apply = lib.mapAttrs (name: _: lib.native.secret name);
    };
    secretTemplates = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = owned // {
            content = mkOption {
              type = types.listOf (types.either types.str types.secret);
              description = "The file's contents: texts and secrets, one after the other.";
              example = lib.literalExpression "[ \"password = \" config.secrets.app \"\\n\" ]";
            };
          };
        }
      );
      default = { };
      description = "Files with secrets in them, which the machine fills: `/run/secrets/NAME`.";
      example = lib.literalExpression "{ \"app.env\".content = [ \"TOKEN=\" config.secrets.token \"\\n\" ]; }";
    };
    # Apart from `secrets`: which ones a service has may depend on the secrets that it is handed.
    system.instanceSecrets = declaration // {
      internal = true;
      description = "Secrets that instances of services have of their own.";
    };
    system.secrets = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "The secrets that the machine has, and whether it makes them itself.";
      example = { };
    };
  };

  config = {
    system.secrets = lib.mapAttrs (_: secret: { generated = secret.generate != null; }) declared;
    environment.systemPackages = lib.optional (lib.any (secret: secret.generate == "ssh-key") (
      lib.attrValues declared
    )) "openssh-client";
    environment.etc = lib.concatMapAttrs (
      name: template:
      lib.listToAttrs (
        lib.concatLists (
          lib.imap0 (
            index: content:
            lib.optional (!lib.secrets.isSecret content) (
              lib.nameValuePair (partFile name index) {
                text = content;
                ownedBy = [ "secretTemplates.${lib.escapeName name}" ];
              }
            )
          ) template.content
        )
      )
    ) config.secretTemplates;
    systemd.services.nival-secrets = lib.mkIf (declared != { } || config.secretTemplates != { }) {
      description = "Secrets of this machine";
      # Before all services of an ordinary kind: what reads a secret need not say so.
      wantedBy = [ "sysinit.target" ];
      after = [ "local-fs.target" ];
      before = [
        "network-pre.target"
        "sysinit.target"
        "shutdown.target"
      ];
      conflicts = [ "shutdown.target" ];
      unitConfig.DefaultDependencies = false;
      files = [ "/etc/nival/templates/" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        StateDirectory = "nival-secrets";
        StateDirectoryMode = "0700";
        UMask = "0077";
      };
      script = ''
        mkdir -p -m 0755 ${shown}
        find ${shown} -mindepth 1 -type f -delete
      ''
      + lib.concatStrings (lib.mapAttrsToList one declared)
      + lib.concatStrings (lib.mapAttrsToList template config.secretTemplates)
      + ''
        find ${shown} -type d -exec chmod 0755 {} +
      '';
      ownedBy = [
        "secrets"
        "secretTemplates"
      ];
    };
    assertions =
      map (name: {
        assertion = false;
        code = "clash";
        message = "a secret and a template both want the file `/run/secrets/${name}`";
        help = "give one of them another name";
        options = [
          "secrets.${lib.escapeName name}"
          "secretTemplates.${lib.escapeName name}"
        ];
      }) (lib.attrNames (lib.intersectAttrs declared config.secretTemplates))
      ++ lib.mapAttrsToList (name: _: {
      assertion = builtins.match "[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*" name != null;
      message = "a secret's name has letters, digits, `.`, `-`, `_`, and `/` between such names: `${name}`";
      options = [ "secrets.${lib.escapeName name}" ];
    }) declared;
  };
}
