# Postfix: takes mail and passes it on.
{ lib }:
let
  inherit (lib) mkOption types;
  text =
    value:
    if builtins.isList value then lib.concatStringsSep ", " value else lib.generators.yesNo value;
in
{
  description = "the mail server Postfix";

  arguments = {
    hostName = mkOption {
      type = types.nullOr types.domainName;
      default = null;
      description = "The name by which the server calls itself; without one it is the machine's.";
      example = "mail.example.org";
    };
    port = mkOption {
      type = types.port;
      default = 25;
      description = "The port that is listened on.";
      example = 2525;
    };
    addresses = mkOption {
      type = types.listOf (types.either types.ipAddress (types.enum [ "all" "loopback-only" ]));
      default = [ "127.0.0.1" ];
      description = "Addresses that are listened on; `all` stands for all of them.";
      example = [ "all" ];
    };
    domains = mkOption {
      type = types.listOf types.domainName;
      default = [ ];
      description = "Domains whose mail is delivered to users of this machine, beside its own name.";
      example = [ "example.org" ];
    };
    relayHost = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Where all other mail is handed to, such as `[smtp.example.org]:587`; without one each domain's own server is looked for.";
      example = "[smtp.example.org]:587";
    };
    aliases = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      description = "Names, and whom their mail goes to.";
      example = {
        postmaster = [ "root" ];
      };
    };
    settings = mkOption {
      type = types.attrsOf (types.either types.atom (types.listOf types.str));
      default = { };
      description = "Further settings of `main.cf`.";
      example = {
        message_size_limit = 52428800;
      };
    };
  };

  provides.mail-relay =
    { arguments, instance, ... }:
    {
      units = [ instance.unit ];
      host = "127.0.0.1";
      inherit (arguments) port;
    };

  outputs =
    {
      arguments,
      instance,
      machine,
      ...
    }:
    let
      queue = "/var/spool/${instance.id}";
      # Programs look for the first server's configuration where Debian has it.
      folder = if instance.label == "main" then "/etc/postfix" else instance.configuration;
      settings = {
        compatibility_level = "3.6";
        myhostname = if arguments.hostName == null then machine.networking.hostName else arguments.hostName;
        mydestination = [
          "$myhostname"
          "localhost"
        ]
        ++ arguments.domains;
        mynetworks = "127.0.0.0/8 [::1]/128";
        inet_interfaces = arguments.addresses;
        inet_protocols = "all";
        relayhost = if arguments.relayHost == null then "" else arguments.relayHost;
        queue_directory = queue;
        data_directory = instance.state;
        command_directory = "/usr/sbin";
        daemon_directory = "/usr/lib/postfix/sbin";
        mail_owner = "postfix";
        setgid_group = "postdrop";
        alias_maps = "texthash:${folder}/aliases";
        alias_database = "";
        import_environment = "MAIL_CONFIG MAIL_LOGTAG TZ";
        smtpd_relay_restrictions = [
          "permit_mynetworks"
          "reject_unauth_destination"
        ];
        biff = false;
        append_dot_mydomain = false;
        readme_directory = false;
        mailbox_size_limit = 0;
        recipient_delimiter = "+";
      }
      // arguments.settings;
      # A line of master.cf: what it is called, who may reach it, when it wakes up, how many there may be.
      service = name: kind: private: wakeup: limit: program: "${name} ${kind} ${private} ${if lib.elem name [ "local" "virtual" ] then "n" else "-"} n ${wakeup} ${limit} ${program}\n";
      internal = {
        cleanup = [
          "n"
          "-"
          "0"
        ];
        flush = [
          "n"
          "1000?"
          "0"
        ];
        showq = [
          "n"
          "-"
          "-"
        ];
        pickup = [
          "n"
          "60"
          "1"
        ];
        qmgr = [
          "n"
          "300"
          "1"
        ];
        tlsmgr = [
          "-"
          "1000?"
          "1"
        ];
        verify = [
          "-"
          "-"
          "1"
        ];
        anvil = [
          "-"
          "-"
          "1"
        ];
        scache = [
          "-"
          "-"
          "1"
        ];
      }
      // lib.genAttrs [ "bounce" "defer" "trace" ] (_: [
        "-"
        "-"
        "0"
      ])
      //
        lib.genAttrs
          [
            "rewrite"
            "proxymap"
            "smtp"
            "relay"
            "error"
            "retry"
            "discard"
            "local"
            "virtual"
            "lmtp"
          ]
          (_: [
            "-"
            "-"
            "-"
          ]);
      programs = {
        rewrite = "trivial-rewrite";
        defer = "bounce";
        trace = "bounce";
        relay = "smtp";
        retry = "error";
      };
    in
    {
      packages = [ "postfix" ];
      users.postfix = {
        shared = true;
        home = "/var/spool/postfix";
      };
      groups.postdrop.shared = true;
      directories = [
        {
          path = "/var/mail";
          mode = "2775";
          group = "mail";
          shared = true;
        }
      ];
      ports.smtp = {
        inherit (arguments) port;
        argument = "port";
        open = lib.any (address: address != "127.0.0.1" && address != "::1") arguments.addresses;
        description = "mail";
      };
      files = {
        "main.cf".path = "${folder}/main.cf";
        "main.cf".text = lib.concatLines (lib.mapAttrsToList (name: value: "${name} = ${text value}") settings);
        "master.cf".path = "${folder}/master.cf";
        "master.cf".text =
          service (toString arguments.port) "inet" "n" "-" "-" "smtpd"
          + lib.concatStrings (
            lib.mapAttrsToList (
              name: how: lib.foldl' (make: word: make word) (service name "unix") how (programs.${name} or name)
            ) internal
          );
        aliases.path = "${folder}/aliases";
        aliases.text = lib.concatLines (
          lib.mapAttrsToList (name: people: "${name} ${lib.concatStringsSep ", " people}") (
            {
              postmaster = [ "root" ];
              mailer-daemon = [ "postmaster" ];
            }
            // arguments.aliases
          )
        );
      };
      command = "/usr/sbin/postfix -c ${folder} start-fg";
      preflight."postfix check".command = [
        "/bin/sh"
        "-c"
        "[ ! -d ${queue} ] || exec /usr/sbin/postconf -c ${folder} -n > /dev/null"
      ];
      units.main = {
        description = "Postfix, ${instance.label}";
        after = [ "network.target" ];
        wantedBy = [ "multi-user.target" ];
        packages = [ "postfix" ];
        files = [ "${folder}/" ];
        preStart = ''
          install -d -m 0755 -o root -g root ${queue}
          install -d -m 0700 -o postfix -g root ${instance.state}
          for folder in active bounce corrupt defer deferred flush hold incoming private saved trace; do
            install -d -m 0700 -o postfix -g root ${queue}/$folder
          done
          install -d -m 0755 -o root -g root ${queue}/pid
          install -d -m 0730 -o postfix -g postdrop ${queue}/maildrop
          install -d -m 0710 -o postfix -g postdrop ${queue}/public
        '';
        serviceConfig = {
          Type = "forking";
          Environment = "MAIL_CONFIG=${folder}";
          ExecStart = "/usr/sbin/postfix -c ${folder} start";
          ExecStop = "/usr/sbin/postfix -c ${folder} stop";
          ExecReload = "/usr/sbin/postfix -c ${folder} reload";
          KillMode = "mixed";
          Restart = "on-failure";
          ProtectHome = "read-only";
          PrivateDevices = true;
        };
      };
      checks."takes mail".tcp = arguments.port;
    };

  examples.minimal = { };
  examples.advanced = {
    port = 2525;
    hostName = "mail.example.org";
    domains = [ "example.org" ];
    aliases.info = [ "root" ];
    settings.message_size_limit = 52428800;
  };
  securing = ''
    It passes on mail of the machine itself only. With `addresses` beyond the machine it takes mail for its own domains from
    everybody; a certificate and spam checks are yours to add.
  '';
}
