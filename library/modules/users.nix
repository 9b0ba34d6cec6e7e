# People's accounts, services' accounts, and groups.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.users;
  userOptions =
    { name, config, ... }:
    {
      options = {
        isNormalUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether this is a person: with a home, a shell and an id from 1000 on.";
          example = true;
        };
        isSystemUser = mkOption {
          type = types.bool;
          default = !config.isNormalUser;
          description = "Whether this is the account of a service.";
          example = true;
        };
        uid = mkOption {
          type = types.nullOr types.ints.unsigned;
          default = null;
          description = "The number. Without one the machine chooses once and keeps it.";
          example = 1000;
        };
        group = mkOption {
          type = types.str;
          default = "";
          description = "The first group; without one it is a group of the user's own name.";
          example = "users";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Further groups.";
          example = [ "sudo" ];
        };
        home = mkOption {
          type = types.path;
          default = if config.isNormalUser then "/home/${name}" else "/nonexistent";
          description = "The home directory.";
          example = "/srv/app";
        };
        createHome = mkOption {
          type = types.bool;
          default = config.isNormalUser;
          description = "Whether the home is made when it is missing.";
          example = false;
        };
        shell = mkOption {
          type = types.path;
          default = if config.isNormalUser then "/bin/bash" else "/usr/sbin/nologin";
          description = "The program that a login starts.";
          example = "/bin/sh";
        };
        description = mkOption {
          type = types.strMatching "[^:\n]*";
          default = "";
          description = "The full name.";
          example = "Alice Liddell";
        };
        hashedPassword = mkOption {
          type = types.nullOr (types.strMatching "[^:\n]*");
          default = null;
          description = "The password as `mkpasswd` hashes it. It can be read by everybody who can read the configuration; without one nobody logs in by password.";
          example = "!";
        };
        openssh.authorizedKeys.keys = mkOption {
          type = types.listOf types.singleLineStr;
          default = [ ];
          description = "Public keys that may log in by ssh.";
          example = [ "ssh-ed25519 AAAA... alice@laptop" ];
        };
      };
    };
  person =
    name: user:
    {
      inherit (user)
        uid
        group
        home
        createHome
        shell
        description
        ;
      groups = user.extraGroups;
      password = user.hashedPassword;
      authorizedKeys = user.openssh.authorizedKeys.keys;
      system = user.isSystemUser;
    };
  debianUser = uid: group: home: shell: {
    inherit
      uid
      group
      home
      shell
      ;
    groups = [ ];
    description = "";
    password = null;
    authorizedKeys = [ ];
    system = true;
    createHome = false;
  };
  nologin = "/usr/sbin/nologin";
  # The master files of Debian's package base-passwd.
  baseUsers = {
    root = debianUser 0 "root" "/root" "/bin/bash";
    daemon = debianUser 1 "daemon" "/usr/sbin" nologin;
    bin = debianUser 2 "bin" "/bin" nologin;
    sys = debianUser 3 "sys" "/dev" nologin;
    sync = debianUser 4 "nogroup" "/bin" "/bin/sync";
    games = debianUser 5 "games" "/usr/games" nologin;
    man = debianUser 6 "man" "/var/cache/man" nologin;
    lp = debianUser 7 "lp" "/var/spool/lpd" nologin;
    mail = debianUser 8 "mail" "/var/mail" nologin;
    news = debianUser 9 "news" "/var/spool/news" nologin;
    uucp = debianUser 10 "uucp" "/var/spool/uucp" nologin;
    proxy = debianUser 13 "proxy" "/bin" nologin;
    www-data = debianUser 33 "www-data" "/var/www" nologin;
    backup = debianUser 34 "backup" "/var/backups" nologin;
    list = debianUser 38 "list" "/var/list" nologin;
    irc = debianUser 39 "irc" "/run/ircd" nologin;
    _apt = debianUser 42 "nogroup" "/nonexistent" nologin;
    nobody = debianUser 65534 "nogroup" "/nonexistent" nologin;
  };
  baseGroups = {
    root = 0;
    daemon = 1;
    bin = 2;
    sys = 3;
    adm = 4;
    tty = 5;
    disk = 6;
    lp = 7;
    mail = 8;
    news = 9;
    uucp = 10;
    man = 12;
    proxy = 13;
    kmem = 15;
    dialout = 20;
    fax = 21;
    voice = 22;
    cdrom = 24;
    floppy = 25;
    tape = 26;
    sudo = 27;
    audio = 29;
    dip = 30;
    www-data = 33;
    backup = 34;
    operator = 37;
    list = 38;
    irc = 39;
    src = 40;
    shadow = 42;
    utmp = 43;
    video = 44;
    sasl = 45;
    plugdev = 46;
    staff = 50;
    games = 60;
    users = 100;
    nogroup = 65534;
  };
  fromFacts = facts: lib.foldl' (all: set: all // (set.users or { })) { } facts;
  serviceUser = name: user: {
    uid = null;
    group = user.group or "";
    groups = user.groups or [ ];
    home = user.home or "/nonexistent";
    createHome = false;
    shell = user.shell or nologin;
    description = user.description or "";
    password = null;
    authorizedKeys = [ ];
    system = true;
  };
  # Several users or groups of one number, among them those that every machine has.
  clashes =
    kind: declared:
    let
      what = if kind == "uid" then "users" else "groups";
      base = if kind == "uid" then lib.mapAttrs (_: user: user.uid) baseUsers else baseGroups;
      numbered = lib.filterAttrs (_: number: number != null) (
        base // lib.mapAttrs (name: account: if account.${kind} == null then base.${name} or null else account.${kind}) declared
      );
      same = lib.filter (names: lib.length names > 1) (
        lib.attrValues (lib.groupBy (name: toString numbered.${name}) (lib.attrNames numbered))
      );
    in
    map (names: {
      assertion = false;
      code = "clash";
      message = "the ${what} ${lib.concatMapStringsSep " and " (name: "`${name}`") names} ${
        if lib.length names == 2 then "both" else "all"
      } have the number ${toString numbered.${lib.head names}}";
      help = "leave the number out: the machine chooses one and keeps it";
      options = lib.concatMap (name: [
        "users.${what}.${lib.escapeName name}.${kind}"
        "users.${what}.${lib.escapeName name}"
      ]) names;
    }) same;
in
{
  options.users = {
    users = mkOption {
      type = types.attrsOf (types.submodule userOptions);
      default = { };
      description = "Accounts by name. Those that packages need are made without being named here.";
      example = {
        alice = {
          isNormalUser = true;
          extraGroups = [ "sudo" ];
        };
      };
    };
    groups = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            gid = mkOption {
              type = types.nullOr types.ints.unsigned;
              default = null;
              description = "The number. Without one the machine chooses once and keeps it.";
              example = 2000;
            };
            members = mkOption {
              type = types.listOf types.str;
              default = [ ];
              description = "Users that belong to the group besides those that name it.";
              example = [ "alice" ];
            };
          };
        }
      );
      default = { };
      description = "Groups by name.";
      example = {
        editors.members = [ "alice" ];
      };
    };
    manifestUsers = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "All users as the manifest has them, given what packages need.";
      example = { };
    };
    manifestGroups = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "All groups as the manifest has them, given what packages need.";
      example = { };
    };
  };

  config.users = {
    manifestUsers =
      facts:
      let
        debian = baseUsers // lib.mapAttrs serviceUser (fromFacts facts);
        overlay =
          name: user:
          let
            new = person name user;
          in
          if baseUsers ? ${name} then
            baseUsers.${name}
            // {
              inherit (new) groups authorizedKeys password;
            }
          else
            new;
      in
      debian // lib.mapAttrs overlay cfg.users;
    manifestGroups =
      facts:
      lib.mapAttrs (_: gid: {
        inherit gid;
        members = [ ];
        system = true;
      }) baseGroups
      // lib.genAttrs (lib.concatMap (set: set.groups or [ ]) facts) (_: {
        gid = null;
        members = [ ];
        system = true;
      })
      // lib.mapAttrs (name: group: {
        gid = if group.gid == null then baseGroups.${name} or null else group.gid;
        inherit (group) members;
        system = baseGroups ? ${name};
      }) cfg.groups;
  };

  config.assertions = clashes "uid" cfg.users ++ clashes "gid" cfg.groups ++ lib.mapAttrsToList (name: user: {
    assertion = builtins.match "[a-z_][a-z0-9_-]{0,30}" name != null;
    message = "a user's name has small letters, digits, `-` and `_`, at most 31 of them, and starts with a letter: `${name}`";
    options = [ "users.users.${lib.escapeName name}" ];
  }) cfg.users;
}
