//! Configurations that are wrong in one thing each: a coded error, and the user's own file first.

use crate::world::World;

/// What is said, and the code that it ends in.
const WRONG: &[(&str, &str)] = &[
    // Types.
    (r#"services.redis.port = "x";"#, "NV0302"),
    (r#"services.redis.port = 70000;"#, "NV0302"),
    (r#"services.redis.bind = "127.0.0.1";"#, "NV0302"),
    (r#"services.nginx.virtualHosts.a.listen = [ ];"#, "NV0302"),
    (r#"services.nginx.virtualHosts.a.locations."/".proxyPass = 3000;"#, "NV0302"),
    (r#"services.postgresql.instances.a.release = "sid";"#, "NV0302"),
    (r#"services.prometheus.instances.a.retention = "long";"#, "NV0302"),
    (r#"services.redis.enable = 1;"#, "NV0302"),
    (r#"services.weechat.instances.a.password = "hunter2";"#, "NV0302"),
    (r#"secrets.x.mode = "rwx";"#, "NV0302"),
    (r#"instances.a = { port = 1; };"#, "NV0302"),
    (r#"services.redis.enable = true; services.redis.patches.units.main.serviceConfig = "x";"#, "NV0302"),
    (r#"services.prometheus.instances.a.targets.b = [ "localhost" ];"#, "NV0302"),
    (r#"services.redis.instances.a.bind = [ "127.0.0.256" ];"#, "NV0302"),
    (r#"services.unbound.instances.a.allow = [ "10.0.0.0/33" ];"#, "NV0302"),
    (r#"services.restic.instances.a.startAt = "at noon";"#, "NV0302"),
    (r#"services.acme.instances.a.server = "www.example.org";"#, "NV0302"),
    (r#"services.gemini.instances.a.hostName = "a b";"#, "NV0302"),
    (r#"networking.hosts."10.0.0.256" = [ "printer" ];"#, "NV0801"),
    (r#"services.nginx.instances.a.virtualHosts.b.root = ./nowhere;"#, "NV0302"),
    (r#"secrets.a = { }; environment.etc.x.text = config.secrets.a;"#, "NV0302"),
    (r#"services.redis.enable = true; services.redis.patches.ports.redis.port = "x";"#, "NV0302"),
    // Files that are not there.
    (r#"imports = [ ./nowhere.nix ];"#, "NV0803"),
    (r#"environment.etc.motd.source = ./nowhere;"#, "NV0302"),
    // Packages that are not there.
    (r#"environment.systemPackages = [ "no-such-package" ];"#, "NV0401"),
    // Numbers of users and groups, and two programs for one unit.
    (r#"users.users.a.uid = 2000; users.users.b.uid = 2000;"#, "NV0811"),
    (r#"users.groups.a.gid = 33;"#, "NV0811"),
    (r#"services.redis.enable = true; systemd.services.redis.script = "true";"#, "NV0801"),
    // Settings that systemd does not know.
    (r#"systemd.services.x = { script = "true"; serviceConfig.ExecStrat = "y"; };"#, "NV0801"),
    (
        r#"services.redis.enable = true; services.redis.patches.units.main.serviceConfig.MemoryMx = "1G";"#,
        "NV0801",
    ),
    (r#"systemd.timers.x.timerConfig.OnCalender = "daily";"#, "NV0801"),
    // Options that are not there.
    (r#"services.redis.prot = 6380;"#, "NV0301"),
    (r#"services.rediss.enable = true;"#, "NV0301"),
    (r#"services.redis.instances.a.prot = 6380;"#, "NV0301"),
    (r#"systemd.service.x.script = "true";"#, "NV0301"),
    (r#"security.pam.services.sudo.sesion.x.module = "pam_warn.so";"#, "NV0301"),
    (r#"instances.a = services.redis { prot = 6380; };"#, "NV0301"),
    (
        r#"imports = [ (lib.mkRenamedOptionModule [ "old" ] [ "services" "rediss" "enable" ]) ]; old = true;"#,
        "NV0301",
    ),
    (r#"services = lib.genAttrs [ "redis" ] (_: { prot = 1; });"#, "NV0301"),
    (r#"networking = lib.setAttrByPath [ "hostNam" ] "a";"#, "NV0301"),
    (r#"networking = lib.setAttrByPath [ "hostName" ] 1;"#, "NV0302"),
    (
        r#"imports = [ (lib.mkChangedOptionModule [ "old" ] [ "networking" "hostName" ] (c: 1)) ]; old = true;"#,
        "NV0302",
    ),
    // Definitions that are passed on without what belongs to them.
    (r#"networking.hostName = lib.mkDefinition { };"#, "NV0210"),
    (r#"networking.hostName = { _type = "definition"; };"#, "NV0202"),
    // Arguments that are missing.
    (r#"services.gemini.enable = true;"#, "NV0304"),
    (r#"services.restic.enable = true; services.restic.paths = [ "/srv" ];"#, "NV0304"),
    (r#"services.acme.enable = true;"#, "NV0801"),
    // Requirements that nobody, or more than one, meets.
    (r#"options.services.app = application; config.services.app.enable = true;"#, "NV0814"),
    (
        r#"options.services.app = application; config.services = { app.enable = true; postgresql.enable = true;
           postgresql.instances.b.port = 5433; };"#,
        "NV0814",
    ),
    (
        r#"options.services.app = application; config.services = { app.enable = true; postgresql.enable = true;
           redis.enable = true; app.requirements.database = "redis"; };"#,
        "NV0814",
    ),
    (r#"services.nginx.enable = true; services.nginx.virtualHosts.a.enableACME = true;"#, "NV0814"),
    // Circles.
    (
        r#"options.services = circle [ "a" "b" ]; config.services = { a.enable = true; b.enable = true; };"#,
        "NV0812",
    ),
    (
        r#"options.services = circle [ "a" "b" "c" ]; config.services = { a.enable = true; b.enable = true; c.enable = true; };"#,
        "NV0812",
    ),
    (r#"options.services = circle [ "a" ]; config.services.a.enable = true;"#, "NV0812"),
    // Patches to what is not there.
    (r#"services.redis.enable = true; services.redis.patches.units.mian.serviceConfig.Nice = 1;"#, "NV0813"),
    (r#"services.redis.enable = true; services.redis.patches.unit.main.serviceConfig.Nice = 1;"#, "NV0813"),
    (r#"services.redis.enable = true; services.redis.patches.files."redis.config".text = "";"#, "NV0813"),
    (
        r#"services.nginx.enable = true; services.nginx.patches.files."nginx.conf".blocks.gzip.text = "gzip on;";"#,
        "NV0813",
    ),
    (r#"security.pam.services.sudo.session.x = { module = "pam_warn.so"; before = "comon"; };"#, "NV0813"),
    // Clashes.
    (r#"services.redis.enable = true; services.redis.instances.a = { };"#, "NV0811"),
    (r#"services.redis.enable = true; services.postgresql = { enable = true; port = 6379; };"#, "NV0811"),
    (r#"services.postgresql.enable = true; services.postgresql.instances.a = { };"#, "NV0811"),
    (r#"services.weechat.instances = { a = { }; b = { }; };"#, "NV0811"),
    (
        r#"options.services = two { users.app = { }; }; config.services = { one.enable = true; other.enable = true; };"#,
        "NV0811",
    ),
    (
        r#"options.services = two { files.x = { path = "/etc/app.conf"; text = ""; }; };
           config.services = { one.enable = true; other.enable = true; };"#,
        "NV0811",
    ),
    (
        r#"options.services = two { units.main = { script = "true"; serviceConfig.StateDirectory = "app"; }; };
           config.services = { one.enable = true; other.enable = true; };"#,
        "NV0811",
    ),
    (
        r#"options.services = lib.genAttrs [ "one" "other" ] (_: application);
           config.services = { one.enable = true; other.enable = true; postgresql.enable = true; };"#,
        "NV0811",
    ),
    (r#"secrets.a = { }; secretTemplates.a.content = [ "x" ];"#, "NV0811"),
    // Secrets that are used as values.
    (r#"secrets.a = { }; environment.etc.x.text = "key = ${config.secrets.a}";"#, "NV0242"),
    (r#"secrets.a = { }; environment.etc.x.text = builtins.hashString "sha256" config.secrets.a;"#, "NV0242"),
    (
        r#"secrets.a = { }; environment.etc.x.text = lib.boolToString (config.secrets.a == "hunter2");"#,
        "NV0242",
    ),
    (
        r#"secrets.a = { }; environment.etc.x.text = builtins.toJSON { inherit (config.secrets) a; };"#,
        "NV0242",
    ),
];

/// What the configurations above are made with.
const BEGINNING: &str = r#"{ config, lib, services, ... }:
let
  application = lib.mkService {
    description = "an application";
    requires = _: { database = { interface = "postgresql-database"; database = "app"; }; };
    outputs = { needs, ... }: { units.main = { script = "true"; environment.DATABASE = needs.database.url; }; };
  };
  two = outputs: lib.genAttrs [ "one" "other" ] (name: lib.mkService { description = name; outputs = _: outputs; });
  circle = names: lib.listToAttrs (lib.imap0 (index: name: lib.nameValuePair name (lib.mkService {
    description = name;
    requires = _: { next.interface = lib.elemAt (names ++ names) (index + 1); };
    provides.${name} = _: { };
    outputs = _: { };
  })) names);
in
{
"#;

#[test]
fn wrong_configurations_end_in_coded_errors_with_the_users_file_first() {
    let world = World::new();
    let mut failures = Vec::new();
    for (text, code) in WRONG {
        world.write("configuration.nix", &format!("{BEGINNING}  {text}\n}}\n"));
        let said = world.run(&["build"]);
        let place =
            said.err.lines().find_map(|line| line.trim_start().strip_prefix("--> ")).unwrap_or("nowhere");
        let own = place.contains("configuration.nix");
        if said.code == 0 || !said.err.contains(&format!("error[{code}]")) || !own {
            failures.push(format!("{text}\nwanted {code}, marked {place}:\n{}", said.err));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), WRONG.len(), failures.join("\n"));
}

#[test]
fn what_is_said_of_a_mistake_is_short_and_to_the_point() {
    let world = World::new();
    let said = |text: &str| {
        world.write("configuration.nix", text);
        world.run(&["build"]).err
    };
    // The definition that names the port, not the first of the service.
    let text = said(
        "{\n  services.nginx.enable = true;\n  services.nginx.virtualHosts.a.listen = [ { port = 6379; } ];\n  services.redis.enable = true;\n}\n",
    );
    assert!(text.contains("configuration.nix:3:3") && text.contains("6380 is free"), "{text}");
    // Neither the library's lines nor the same place twice.
    let text = said("{ services.nginx.enable = \"yes\"; }");
    assert!(
        !text.contains("/nival/library") && text.matches("services.nginx.enable`").count() == 1,
        "{text}"
    );
    let text = said("{ pkgs, ... }: { environment.systemPackages = [ pkgs.htop ]; }");
    assert!(text.contains("asked for by name") && !text.contains("/nival/library"), "{text}");
    // All of it where that is asked for.
    let whole = world.run(&["build", "--show-trace"]).err;
    assert!(whole.contains("/nival/library"), "{whole}");
    let text = said("{ environment.etc.motd.source = ./motd; }");
    assert!(text.contains("^ there is no `"), "{text}");
}
