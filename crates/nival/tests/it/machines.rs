//! From a few lines to a running machine, and every change of it.

use crate::world::{Said, World, copy, examples, get};
use std::process::Command;

/// The link of this host by which a machine reaches the outside, if there is one. Other links may be other machines'.
pub fn link(world: &World, machine: &str) -> Option<String> {
    let status = world.fine(&["status", machine]);
    let name = status.split("network outside: by `").nth(1)?.split('`').next()?;
    Some(name.to_owned())
}

/// What of a machine, that had this link, is left on the host.
pub fn remains(machine: &str, link: Option<&str>) -> Vec<String> {
    let data = World::data().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("proc").flatten() {
        let text = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&text).contains(&data) {
            found.push(format!("process {}", String::from_utf8_lossy(&text).replace('\0', " ")));
        }
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    found.extend(mounts.lines().filter(|line| line.contains(&data)).map(str::to_owned));
    let links = Command::new("ip").args(["-brief", "link"]).output().expect("ip runs");
    let links = String::from_utf8_lossy(&links.stdout).into_owned();
    let is_its = |line: &&str| link.is_some_and(|link| line.starts_with(&format!("{link}@")));
    found.extend(links.lines().filter(is_its).map(str::to_owned));
    let groups =
        Command::new("find").args(["/sys/fs/cgroup", "-name", "nival.*"]).output().expect("find runs");
    let groups = String::from_utf8_lossy(&groups.stdout).into_owned();
    found.extend(groups.lines().filter(|line| line.contains(&format!("nival.{machine}"))).map(str::to_owned));
    found
}

#[test]
fn from_a_few_lines_to_an_answer_and_back() {
    let world = World::of(&["story"]);
    copy(&examples().join("web"), &world.folder.path().join("story"));
    let shown = world.fine(&["up", "--detach", "story"]);
    let address = shown.lines().last().expect("an address");
    assert!(address.starts_with("story: http://127.0.0.1:"), "{shown}");
    assert!(world.page("story", "localhost").contains("It runs"));
    let query = |text: &str| world.fine(&["shell", "story", "--", "psql", "-Atc", text]);
    assert_eq!(query("select 1 + 1"), "2");
    query("create table kept as select 42 as answer");
    world.refused(&["up", "--detach", "story"], "NV0609");
    assert_eq!(world.run(&["shell", "story", "--", "sh", "-c", "exit 7"]).code, 7);

    world.write(
        "story/configuration.nix",
        r#"{
  services.nginx.enable = true;
  services.nginx.virtualHosts."localhost" = { default = true; root = ./site; };
  services.nginx.virtualHosts."second.example".root = ./second;
  services.postgresql.enable = true;
  services.postgresql.databases = [ "app" ];
  services.postgresql.settings.work_mem = "16MB";
}
"#,
    );
    world.write("story/second/index.html", "the second site");
    let plan = world.fine(&["plan", "story"]);
    for part in [
        "reload",
        "nginx.service",
        "postgresql.service",
        "configuration.nix:4:",
        "configuration.nix:7:",
        "work_mem",
    ] {
        assert!(plan.contains(part), "`{part}` is not in\n{plan}");
    }
    world.fine(&["switch", "story"]);
    assert!(world.page("story", "second.example").contains("the second site"));
    assert!(world.page("story", "localhost").contains("It runs"));
    assert_eq!(query("show work_mem"), "16MB");
    assert!(
        world.fine(&["plan", "story"]).to_lowercase().contains("nothing"),
        "{}",
        world.fine(&["plan", "story"])
    );

    world.fine(&["rollback", "story"]);
    assert!(world.page("story", "second.example").contains("It runs"), "the default site answers again");
    assert_eq!(query("show work_mem"), "4MB");
    assert_eq!(query("select answer from kept"), "42");
    assert_eq!(world.fine(&["generations", "story"]).lines().count(), 3);

    let port = world.port("story", 80);
    let link = link(&world, "story");
    world.fine(&["down", "story"]);
    assert_eq!(remains("story", link.as_deref()), Vec::<String>::new());
    assert!(get(port, "localhost").is_none());
    world.fine(&["up", "--detach", "story"]);
    assert_eq!(world.port("story", 80), port, "the published port stays");
    assert_eq!(query("select answer from kept"), "42");
    let mut offline = world.command(&["plan", "story", "--mirror", "http://127.0.0.1:9/"]);
    assert!(offline.output().expect("runs").status.success(), "with a lock and a store no network is needed");
}

#[test]
fn machines_reach_each_other_by_name() {
    let world = World::of(&["one", "two", "three"]);
    let site = |name: &str| {
        format!(
            r#"{name} = {{ environment.systemPackages = [ "curl" ]; services.nginx = {{ enable = true;
               virtualHosts.{name} = {{ default = true; locations."/".return = "200 {name}"; }}; }}; }};"#
        )
    };
    let all: String = ["one", "two", "three"].into_iter().map(site).collect();
    world.write("configuration.nix", &format!("{{ machines = {{ {all} }}; }}"));
    world.fine(&["up", "--detach", "."]);
    for (from, to) in [("one", "two"), ("two", "three"), ("three", "one")] {
        assert_eq!(world.fine(&["shell", from, "--", "curl", "-s", &format!("http://{to}/")]), to);
    }
}

#[test]
fn two_releases_of_postgresql_in_one_machine() {
    let world = World::of(&["pair"]);
    world.write(
        "pair.nix",
        r#"{
  services.postgresql.enable = true;
  services.postgresql.databases = [ "new" ];
  services.postgresql.instances.old = { release = "bookworm"; port = 5433; databases = [ "old" ]; };
}"#,
    );
    world.fine(&["up", "--detach", "pair.nix"]);
    let version =
        |port: &str| world.fine(&["shell", "pair", "--", "psql", "-p", port, "-Atc", "show server_version"]);
    assert!(version("5432").starts_with("17."), "{}", version("5432"));
    assert!(version("5433").starts_with("15."), "{}", version("5433"));
}

#[test]
fn a_service_of_ones_own() {
    let world = World::of(&["gemini"]);
    copy(&examples().join("gemini"), &world.folder.path().join("gemini"));
    world.fine(&["up", "--detach", "gemini"]);
    let asked =
        r"printf 'gemini://localhost/\r\n' | openssl s_client -quiet -connect 127.0.0.1:1965 2>/dev/null";
    assert!(world.fine(&["shell", "gemini", "--", "sh", "-c", asked]).contains("It runs"));
}

#[test]
fn two_projects_with_one_name() {
    let world = World::of(&["same"]);
    world.write("a/configuration.nix", "{ networking.hostName = \"same\"; }");
    world.write("b/configuration.nix", "{ networking.hostName = \"same\"; }");
    world.fine(&["up", "--detach", "a"]);
    world.refused(&["up", "--detach", "b"], "NV0836");
}

#[test]
fn delete_data_asks() {
    let world = World::of(&["asks"]);
    world.write("asks/configuration.nix", "{ }");
    world.fine(&["up", "--detach", "asks"]);
    world.fine(&["down", "asks"]);
    // Without an answer on its input the command deletes nothing.
    world.refused(&["down", "--delete-data", "asks"], "NV0834");
    world.fine(&["generations", "asks"]);
    world.fine(&["down", "--delete-data", "--yes", "asks"]);
    world.refused(&["generations", "asks"], "NV0611");
}

#[test]
fn machines_are_named_by_the_configuration_that_they_were_started_from() {
    let world = World::of(&["here", "one", "two"]);
    world.write("here/configuration.nix", "{ }");
    world.write("both.nix", "{ machines.one = { }; machines.two = { }; }");
    let in_folder = |words: &[&str]| {
        let mut command = world.command(words);
        let output = command.current_dir(world.folder.path().join("here")).output().expect("it runs");
        Said::of(&output)
    };
    let text = world.refused(&["down", "./here"], "NV0835");
    assert!(text.contains("nival up --detach"), "{text}");
    world.fine(&["up", "--detach", "here"]);
    world.fine(&["up", "--detach", "both.nix"]);

    let status = world.fine(&["status", "both.nix"]);
    assert!(status.contains("one  ") && status.contains("two  ") && !status.contains("here  "), "{status}");
    let text = world.refused(&["logs", "both.nix"], "NV0840");
    assert!(text.contains("`one`, `two`"), "{text}");
    assert!(world.fine(&["generations", "./here/configuration.nix"]).starts_with("*   1"));
    assert_eq!(in_folder(&["shell", ".", "--", "hostname"]).out.trim(), "here");
    assert!(in_folder(&["logs", "-n", "1"]).code == 0 && in_folder(&["generations"]).code == 0);

    // The folder's own machine, and nobody else's.
    assert_eq!(in_folder(&["down"]).out.trim(), "here: down");
    let said = in_folder(&["down"]);
    assert!(said.code != 0 && said.err.contains("`one`, `two`, or say `--all`"), "{}", said.err);
    assert_eq!(world.fine(&["down", "both.nix"]), "one: down\ntwo: down");
    // A name is enough once the machine was started.
    world.fine(&["up", "--detach", "two"]);
    assert_eq!(world.fine(&["down", "--all"]), "two: down");
    world.refused(&["down", "nothing"], "NV0611");
}

#[test]
fn a_plan_of_several_machines_names_the_lines() {
    let world = World::of(&["left", "right"]);
    let text = |port: u16| {
        format!(
            "{{\n  machines.left = {{ }};\n  machines.right = {{\n    services.redis.enable = true;\n    services.redis.port = {port};\n  }};\n}}\n"
        )
    };
    world.write("pair.nix", &text(7000));
    world.fine(&["up", "--detach", "pair.nix"]);
    world.write("pair.nix", &text(7001));
    let plan = world.fine(&["plan", "pair.nix"]);
    assert!(plan.contains("pair.nix:5:5  services.redis.port: 7000 -> 7001"), "{plan}");
    assert!(plan.contains("left:\nnothing changes"), "{plan}");
    // Values that nothing needs are looked at, as those of one machine are.
    world.write("pair.nix", "{ machines.left = { }; machines.right.services.redis.port = \"x\"; }");
    world.refused(&["build", "pair.nix"], "NV0302");
}

#[test]
fn a_failed_start_shows_what_was_said_at_that_start() {
    let world = World::of(&["fails"]);
    // How often systemd starts it until the check is made does not matter.
    for (round, before) in [("first", "second"), ("second", "first")] {
        let service =
            format!("{{ wantedBy = [ \"multi-user.target\" ]; script = \"echo {round}; exit 1\"; }}");
        world.write("fails/configuration.nix", &format!("{{ systemd.services.app = {service}; }}"));
        let text = world.refused(&["up", "--detach", "fails"], "NV0613");
        assert!(text.contains(&format!(": {round}")), "{text}");
        assert!(!text.contains(&format!(": {before}")), "{text}");
        assert!(text.contains("`nival logs fails`"), "{text}");
        world.fine(&["down", "fails"]);
    }
}
