# The chat client WeeChat, running on: attached to by `screen`-like means of its relay.
{ lib }:
let
  inherit (lib) mkOption types;
in
{
  description = "the chat client WeeChat, with a relay for clients elsewhere";

  arguments = {
    port = mkOption {
      type = types.port;
      default = 9001;
      description = "The port of the relay.";
      example = 9002;
    };
    address = mkOption {
      type = types.either types.ipAddress (types.enum [ "" ]);
      default = "127.0.0.1";
      description = "The address that the relay listens on; an empty one stands for all.";
      example = "";
    };
    protocol = mkOption {
      type = types.enum [
        "weechat"
        "api"
        "irc"
      ];
      default = "weechat";
      description = "What the relay speaks.";
      example = "api";
    };
    password = mkOption {
      type = types.nullOr types.secret;
      default = null;
      description = "The relay's password. Without one the machine makes one, at `/run/secrets/weechat-LABEL/password`.";
      example = lib.literalExpression "config.secrets.alice-chat";
    };
    servers = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "IRC servers that are joined, by name: address and port.";
      example = {
        libera = "irc.libera.chat/6697";
      };
    };
    channels = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      description = "Channels that are joined, by server.";
      example = {
        libera = [ "#debian" ];
      };
    };
    commands = mkOption {
      type = types.listOf types.singleLineStr;
      default = [ ];
      description = "Commands of WeeChat that are given when it starts.";
      example = [ "/set irc.look.smart_filter on" ];
    };
  };

  outputs =
    { arguments, instance, ... }:
    let
      own = arguments.password == null;
      password = if own then instance.secret "password" else arguments.password;
      commands = [
        "/set relay.network.ipv6 ${if lib.hasInfix ":" arguments.address || arguments.address == "" then "on" else "off"}"
        "/set relay.network.bind_address \"${arguments.address}\""
        # Read where it is needed: it appears in no list of processes.
        "/set relay.network.password \"\${env:RELAY_PASSWORD}\""
      ]
      ++ lib.concatLists (
        lib.mapAttrsToList (name: address: [
          "/server add ${name} ${address} -tls"
          "/set irc.server.${name}.autojoin \"${lib.concatStringsSep "," (arguments.channels.${name} or [ ])}\""
          "/connect ${name}"
        ]) arguments.servers
      )
      ++ arguments.commands
      ++ [ "/relay add ${arguments.protocol} ${toString arguments.port}" ];
    in
    {
      packages = [
        "weechat-headless"
        "weechat-plugins"
      ];
      users.${instance.user}.home = instance.state;
      secrets = lib.optionalAttrs own { password.generate = "password"; };
      ports.relay = {
        inherit (arguments) port;
        argument = "port";
        inherit (arguments) address;
        open = arguments.address != "127.0.0.1" && arguments.address != "::1";
        description = "WeeChat relay";
      };
      templates.environment = {
        content = [
          "RELAY_PASSWORD="
          password
          "\n"
        ];
        user = "root";
      };
      files.commands.text = lib.concatLines commands;
      units.main = {
        description = "WeeChat, ${instance.label}";
        after = [ "network.target" ];
        wantedBy = [ "multi-user.target" ];
        packages = [ "weechat-headless" ];
        script = ''
          set --
          while IFS= read -r line; do
            set -- "$@" -r "$line"
          done < ${instance.configuration}/commands
          exec weechat-headless --dir ${instance.state} --stdout "$@"
        '';
        serviceConfig = {
          User = instance.user;
          Group = instance.group;
          StateDirectory = instance.id;
          StateDirectoryMode = "0700";
          EnvironmentFile = "${instance.secrets}/environment";
          Restart = "on-failure";
          NoNewPrivileges = true;
          ProtectHome = true;
          ProtectSystem = "strict";
          PrivateTmp = true;
        };
      };
      checks."the relay listens" = {
        tcp = arguments.port;
        timeoutSeconds = 60;
      };
    };

  examples.minimal = { };
  examples.advanced = {
    port = 9443;
    protocol = "api";
    commands = [ "/set weechat.look.prefix_align_max 12" ];
  };
  securing = ''
    The relay is not encrypted by itself: let it listen on the machine's own address and put a web server with a certificate in
    front of it, or reach it through ssh. Whoever has the password acts as you in every channel.
  '';
}
