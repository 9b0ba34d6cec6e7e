//! Services: their examples, many instances of them, what they need of each other, and what is refused.

use crate::world::{World, copy, eventually, examples, get};
use serde_json::Value as Json;
use std::io::Write as _;
use std::process::Command;

/// A machine with two instances of each service of the library: one for each of its examples.
const EXAMPLES: &str = r#"{ services, lib, ... }: {
  imports = lib.mapAttrsToList (_: service: service.service.beside or { }) services;
  config.services = lib.mapAttrs (name: service:
    service.service.examples.minimal // { enable = lib.mkForce true; }
    // { instances.advanced = service.service.examples.advanced
      // lib.optionalAttrs (name == "node-exporter") { requirements.monitor = "prometheus-advanced"; }; }
    // lib.optionalAttrs (name == "node-exporter") { requirements.monitor = "prometheus"; }
  ) services;
}
"#;

#[test]
fn examples_of_all_services_start_and_are_well() {
    let world = World::of(&["examples"]);
    world.write("examples/configuration.nix", EXAMPLES);
    world.fine(&["up", "--detach", "examples"]);
    let list: Json = serde_json::from_str(&world.fine(&["service", "--json"])).expect("JSON");
    let names: Vec<&str> =
        list.as_array().expect("a list").iter().filter_map(|s| s["name"].as_str()).collect();
    let units = world.fine(&[
        "shell",
        "examples",
        "--",
        "systemctl",
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
    ]);
    let mut started = 0;
    for name in &names {
        let manual: Json = serde_json::from_str(&world.fine(&["service", "--json", name])).expect("JSON");
        for example in ["minimal", "advanced"] {
            assert!(manual["examples"].get(example).is_some(), "{name} has no {example} example");
            started += 1;
        }
        for text in ["description", "securing"] {
            assert!(!manual[text].as_str().unwrap_or_default().is_empty(), "{name}: {text}");
        }
        assert!(!manual["makes"]["checks"].as_array().expect("a list").is_empty(), "{name} is not checked");
        assert!(units.contains(&format!("{name}-advanced.")), "{name}-advanced: {units}");
    }
    // Not by `println!`: it is to be seen where tests pass, too.
    let (all, both) = (names.len(), 2 * names.len());
    let said =
        format!("services: {all} of {all} described, with checks; examples started: {started} of {both}\n");
    std::io::stderr().write_all(said.as_bytes()).expect("written");
    assert!(names.len() >= 12);
}

#[test]
fn sixty_instances_answer_each_on_its_own_port() {
    let world = World::of(&["many"]);
    world.write(
        "many/configuration.nix",
        r#"{ lib, ... }:
let
  numbered = count: prefix: each: lib.listToAttrs (map (n: lib.nameValuePair "${prefix}${toString n}" (each n)) (lib.range 1 count));
in
{
  services.weechat.instances = numbered 50 "user" (n: { port = 9000 + n; });
  services.postgresql.instances = numbered 10 "db" (n: { port = 5440 + n; databases = [ "app" ]; });
}
"#,
    );
    let said = world.run(&["up", "--detach", "--json", "many"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let plan = world.run(&["plan", "--timings", "many"]);
    println!("{}", plan.err);
    let ask = r#"
      for n in $(seq 50); do
        [ "$(systemctl show -P User weechat-user$n)" = "weechat-user$n" ]
        (exec 3<>/dev/tcp/127.0.0.1/$((9000 + n)))
      done
      for n in $(seq 10); do
        [ "$(systemctl show -P User postgresql-db$n)" = "postgresql-db$n" ]
        [ "$(stat -c %U:%a /var/lib/postgresql/17/db$n)" = "postgresql-db$n:700" ]
        [ "$(psql -X -A -t -h /run/postgresql -p $((5440 + n)) -c 'show data_directory' app)" = "/var/lib/postgresql/17/db$n" ]
      done"#;
    world.fine(&["shell", "many", "--", "bash", "-euc", ask]);
}

#[test]
fn secrets_reach_their_files_and_nothing_else() {
    let world = World::of(&["secret"]);
    world.write(
        "secret/configuration.nix",
        r#"{ config, ... }: {
  secrets.token = { };
  secrets.session.generate = "password";
  secretTemplates."app.env".content = [ "TOKEN=" config.secrets.token "\nSESSION=" config.secrets.session "\n" ];
}
"#,
    );
    world.write("token", "s3cret-and-long\n");
    let text = world.refused(&["up", "--detach", "secret"], "NV0627");
    assert!(text.contains("--secret token=FILE"), "{text}");
    world.refused(&["up", "--detach", "--secret", "tkoen=token", "secret"], "NV0628");
    world.fine(&["up", "--detach", "--secret", "token=token", "secret"]);
    let filled = world.fine(&["shell", "secret", "--", "cat", "/run/secrets/app.env"]);
    let session = filled.strip_prefix("TOKEN=s3cret-and-long\nSESSION=").expect("filled");
    assert!(session.len() == 32 && session.chars().all(|c| c.is_ascii_alphanumeric()), "{filled}");
    let modes = world.fine(&[
        "shell",
        "secret",
        "--",
        "stat",
        "-c",
        "%a %U",
        "/run/secrets/token",
        "/run/secrets/app.env",
    ]);
    assert_eq!(modes, "400 root\n400 root");
    // Neither is in the store, the lock, or what is kept of the machine beside its own data.
    for text in ["s3cret-and-long", session] {
        for place in ["store", "cache", "machines/secret/state"] {
            let found = Command::new("grep").args(["-rlF", text]).arg(World::data().join(place)).output();
            let found = String::from_utf8_lossy(&found.expect("runs").stdout).into_owned();
            assert_eq!(found, "", "{text}");
        }
    }
    // Once given is enough, and what was made stays.
    world.fine(&["down", "secret"]);
    world.fine(&["up", "--detach", "secret"]);
    assert_eq!(world.fine(&["shell", "secret", "--", "cat", "/run/secrets/app.env"]), filled);
    // Another one is shown at once, although nothing else changes.
    world.write("token", "rotated\n");
    world.fine(&["switch", "--secret", "token=token", "secret"]);
    let rotated = world.fine(&["shell", "secret", "--", "cat", "/run/secrets/app.env"]);
    assert_eq!(rotated, format!("TOKEN=rotated\nSESSION={session}"));
}

#[test]
fn services_need_each_other_without_names_written_twice() {
    let world = World::of(&["notes"]);
    copy(&examples().join("notes"), &world.folder.path().join("notes"));
    world.fine(&["up", "--detach", "notes"]);
    // Each instance connects as itself to a database of its own name, and its site is served.
    for (host, user) in [("notes.example", "notes"), ("team.example", "notes-team")] {
        eventually("the site answers", 10, || {
            get(world.port("notes", 80), host)
                .is_some_and(|answer| answer.ends_with(&format!("notes of {user}\n")))
        });
    }
}

#[test]
fn patches_and_listen_options_reach_units_and_firewall() {
    let world = World::of(&["rules"]);
    world.write(
        "rules/configuration.nix",
        r#"{ services, ... }: {
  networking.firewall.enable = true;
  services.nginx.enable = true;
  services.nginx.virtualHosts.site = { listen = [ { port = 8080; } ]; locations."/".return = "200 patched"; };
  services.nginx.patches.files."nginx.conf".blocks.log.text = "access_log off;";
  services.redis.enable = true;
  services.redis.patches.units.main.serviceConfig.Nice = 5;
  instances.cache = (services.redis { port = 6380; }).patch { units.main.environment.WHO = "cache"; };
}
"#,
    );
    world.fine(&["up", "--detach", "rules"]);
    let shell = |script: &str| world.fine(&["shell", "rules", "--", "sh", "-euc", script]);
    let rules = shell("nft list ruleset");
    // Redis listens on the machine's own addresses only: its port stays closed.
    assert!(rules.contains("tcp dport 8080 accept") && !rules.contains("6379"), "{rules}");
    assert!(shell("cat /etc/nginx/nginx.conf").contains("access_log off;"));
    assert_eq!(shell("systemctl show -P Nice redis; redis-cli -p 6380 ping"), "5\nPONG");
    assert!(shell("systemctl show -P Environment redis-cache").contains("WHO=cache"));
    world.write("rules/configuration.nix", "{ services.nginx.enable = true; services.redis.enable = true; }");
    let plan = world.fine(&["plan", "rules"]);
    assert!(plan.contains("patch of services.redis: units.main.serviceConfig.Nice: 5 -> unset"), "{plan}");
}

#[test]
fn certificates_come_by_themselves_and_port_80_opens() {
    let world = World::of(&["acme"]);
    world.write("acme/configuration.nix", include_str!("services/acme.nix"));
    world.fine(&["up", "--detach", "acme"]);
    let shell = |script: &str| world.run(&["shell", "acme", "--", "sh", "-c", script]).out;
    assert!(shell("nft list ruleset").contains("tcp dport { 80, 443 } accept"));
    eventually("the authority's certificate is served", 60, || {
        shell("curl -sk -v https://site.test/ 2>&1").contains("Pebble Intermediate CA")
    });
    assert!(shell("curl -sI http://site.test/").contains("301 Moved Permanently"));
}

#[test]
fn a_web_hook_is_called_at_login_and_at_sudo() {
    let world = World::of(&["hooked"]);
    let key = world.folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.expect("ssh-keygen is there").success());
    let public = std::fs::read_to_string(key.with_extension("pub")).expect("made");
    let text = include_str!("services/hooked.nix").replace("PUBLIC", public.trim());
    world.write("hooked/configuration.nix", &text);
    let example = std::fs::read_to_string(examples().join("notify/configuration.nix"));
    world.write("hooked/notify.nix", &example.expect("the example is there"));
    world.fine(&["up", "--detach", "hooked"]);
    let port = world.port("hooked", 22).to_string();
    let output = Command::new("ssh")
        .args([
            "-F",
            "none",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "BatchMode=yes",
        ])
        .arg("-i")
        .arg(&key)
        .args(["-p", &port, "alice@127.0.0.1", "sudo", "id", "-u"])
        .output()
        .expect("ssh is there");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n", "{}", String::from_utf8_lossy(&output.stderr));
    eventually("both requests have come", 10, || {
        let journal = world.run(&["shell", "hooked", "--", "journalctl", "-u", "hook", "-o", "cat"]).out;
        journal.contains("alice by sshd on hooked") && journal.contains("root by sudo on hooked")
    });
}

#[test]
fn services_have_manuals() {
    let world = World::new();
    let page = world.fine(&["service", "redis"]);
    for part in ["services.redis.port = 6390;", "## Securing it", "### maxMemory", "redis-second"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let text = world.refused(&["service", "ngnix"], "NV0815");
    assert!(text.contains("did you mean `nginx`?"), "{text}");
}

#[test]
fn a_service_of_ones_own_comes_with_its_test() {
    let world = World::of(&["test"]);
    world.fine(&["init", "service", "greeter"]);
    world.refused(&["init", "service", "greeter"], "NV0832");
    world.refused(&["init", "service", "Not A Name"], "NV0840");
    world.fine(&["up", "--detach", "greeter/test.nix"]);
    assert!(get(world.port("test", 8081), "x").expect("an answer").contains("good morning"));
}

#[test]
fn options_tell_their_values_and_who_set_them() {
    let world = World::new();
    world.write(
        "configuration.nix",
        "{\n  services.postgresql.enable = true;\n  services.postgresql.databases = [ \"app\" ];\n}\n",
    );
    let page = world.fine(&["options", "services.postgresql.databases"]);
    assert!(page.contains("value       [ \"app\" ]") && page.contains("configuration.nix:3:3"), "{page}");
    // The second question is answered from what is kept, and sees what changed.
    world.write("configuration.nix", "{ services.postgresql.databases = [ \"other\" ]; }\n");
    let found = world.fine(&["options", "postgres", "databases"]);
    assert!(found.contains("= [ \"other\" ]") && found.contains("configuration.nix:1:3"), "{found}");
    assert_eq!(world.run(&["options", "nosuchthing"]).code, 1);
    // What a stronger definition took the place of is told apart.
    world.write(
        "configuration.nix",
        "{ lib, ... }: {\n  imports = [ { services.redis.port = 6400; } ];\n  services.redis.port = lib.mkForce 6401;\n}\n",
    );
    let page = world.fine(&["options", "services.redis.port"]);
    assert!(
        page.contains("overridden") && page.contains("6400\n") && page.contains("6401, by mkForce"),
        "{page}"
    );
}

#[test]
fn images_run_where_no_systemd_is() {
    let world = World::of(&["image"]);
    world.write("site/index.html", "<h1>from an image</h1>\n");
    world.write(
        "image/configuration.nix",
        r#"{
  services.nginx.enable = true;
  services.nginx.virtualHosts.site = { default = true; root = ../site; };
  services.redis.enable = true;
}
"#,
    );
    if !is_root() {
        world.refused(&["oci", "--service", "nginx", "image"], "NV0629");
        return;
    }
    let text = world.refused(&["oci", "image"], "NV0840");
    assert!(text.contains("nginx, redis"), "{text}");
    world.fine(&["oci", "--service", "nginx", "image"]);
    let image = world.folder.path().join("nginx.oci.tar");
    // The same configuration gives the same bytes.
    let first = std::fs::read(&image).expect("written");
    world.fine(&["oci", "--service", "nginx", "image"]);
    assert!(first == std::fs::read(&image).expect("written"), "two images of one configuration differ");
    let seen = Command::new("skopeo").arg("inspect").arg(format!("oci-archive:{}", image.display())).output();
    let seen: Json = serde_json::from_slice(&seen.expect("skopeo is there").stdout).expect("JSON");
    assert_eq!(seen["Labels"]["org.opencontainers.image.title"], "nginx");
    let (root, entry) = unpack(&image, &world.folder.path().join("unpacked"));
    let script = include_str!("services/run-image.sh");
    let output = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--net", "--uts", "bash", "-euc", script, "run-image"])
        .arg(&root)
        .args(entry)
        .output()
        .expect("unshare is there");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("from an image"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_service_runs_alone() {
    let world = World::of(&["alone", "alone-postgresql", "kept"]);
    world.write(
        "alone/configuration.nix",
        r#"{ config, ... }: {
  secrets.password = { };
  services.postgresql.enable = true;
  services.postgresql.databases = [ "app" ];
  services.weechat.enable = true;
  services.weechat.password = config.secrets.password;
}
"#,
    );
    world.write("password", "hunter22\n");
    let text = world.refused(&["container", "alone"], "NV0840");
    assert!(text.contains("postgresql, weechat"), "{text}");
    world.fine(&[
        "container",
        "--detach",
        "--secret",
        "password=password",
        "--service",
        "postgresql",
        "alone",
    ]);
    let shell = |script: &str| world.run(&["shell", "alone-postgresql", "--", "sh", "-c", script]).out;
    assert!(shell("pgrep -a systemd || echo none").contains("none"));
    eventually("the database is made", 30, || shell("psql -l").contains("app"));
    assert!(world.fine(&["logs", "alone-postgresql"]).contains("ready to accept connections"));
    world.refused(&["logs", "--unit", "x", "alone-postgresql"], "NV0630");
    world.fine(&["down", "alone-postgresql"]);
    // Its data stay, and a name of one's own is taken.
    let words =
        ["container", "--detach", "--secret", "password=password", "--name", "kept", "--service", "weechat"];
    world.fine(&[&words[..], &["alone"]].concat());
    let environment = "tr '\\0' '\\n' < /proc/2/environ";
    assert!(
        world.fine(&["shell", "kept", "--", "sh", "-c", environment]).contains("RELAY_PASSWORD=hunter22")
    );
}

/// Unpacks an image as programs that run containers do; its root, and the words that start it.
fn unpack(image: &std::path::Path, to: &std::path::Path) -> (std::path::PathBuf, Vec<String>) {
    let (layout, root) = (to.join("layout"), to.join("root"));
    let tar = |words: &[&str], archive: &std::path::Path, to: &std::path::Path| {
        std::fs::create_dir_all(to).expect("made");
        let status = Command::new("tar").args(words).arg(archive).arg("-C").arg(to).status();
        assert!(status.expect("tar is there").success(), "{}", archive.display());
    };
    tar(&["xf"], image, &layout);
    let blob =
        |digest: &Json| layout.join("blobs").join(digest.as_str().expect("a digest").replace(':', "/"));
    let read = |path: &std::path::Path| -> Json {
        serde_json::from_slice(&std::fs::read(path).expect("there")).expect("JSON")
    };
    let manifest = read(&blob(&read(&layout.join("index.json"))["manifests"][0]["digest"]));
    for layer in manifest["layers"].as_array().expect("a list") {
        tar(&["xzpf"], &blob(&layer["digest"]), &root);
    }
    let configuration = read(&blob(&manifest["config"]["digest"]));
    let entry = configuration["config"]["Entrypoint"].as_array().expect("a list");
    (root, entry.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

#[test]
fn a_service_that_names_a_secret_is_started_after_it() {
    let world = World::of(&["guide"]);
    // As the guide has it.
    let guide = include_str!("../../../../docs/guides/services.md");
    let text = guide.split("## Secrets\n```nix\n").nth(1).and_then(|rest| rest.split("```").next());
    let text = text.expect("the guide's example");
    let service = r#"script = "test -n \"$TOKEN\"; exec sleep infinity";"#;
    let text = text.replace(r#"script = "exec /usr/local/bin/app";"#, service);
    assert!(text.contains(service), "{text}");
    world.write("guide/configuration.nix", &text);
    world.write("token", "abc\n");
    world.refused(&["up", "--detach", "guide"], "NV0627");
    world.fine(&["up", "--detach", "--secret", "token=token", "guide"]);
    assert_eq!(world.fine(&["shell", "guide", "--", "cat", "/run/secrets/app.env"]), "TOKEN=abc");
    world.fine(&["down", "guide"]);
    world.fine(&["up", "--detach", "guide"]);
}

#[test]
fn a_service_of_ones_own_has_a_manual() {
    let world = World::new();
    world.fine(&["init", "service", "hello"]);
    let manual = world.fine(&["service", "-c", "hello", "hello"]);
    assert!(manual.starts_with("# hello") && manual.contains("### message"), "{manual}");
    assert!(manual.contains("- ports: 8080/tcp (open)"), "{manual}");
    let list = world.fine(&["service", "--configuration", "hello"]);
    assert!(list.contains("hello           says something") && list.contains("nginx "), "{list}");
    assert!(world.refused(&["service", "-c", "hello", "helo"], "NV0815").contains("hello"));
    // Without a configuration there are the library's.
    assert!(!world.fine(&["service"]).contains("hello "));
    world.refused(&["service", "hello"], "NV0815");
    // One that is wrong does not hide them, unless it is asked for.
    world.write("configuration.nix", "{ services.nothing.enable = true; imports = [ ./nowhere.nix ]; }");
    world.fine(&["service"]);
    world.refused(&["service", "-c", "."], "NV0803");
}
