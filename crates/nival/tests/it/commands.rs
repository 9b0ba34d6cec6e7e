//! Commands that start no machine.

use crate::world::{World, examples};

#[test]
fn eval_prints_values_and_json() {
    let world = World::new();
    assert_eq!(world.fine(&["eval", "-E", "1 + 1"]), "2");
    assert_eq!(world.fine(&["eval", "--json", "-E", "{ a = [ 1 \"b\" ]; }"]), r#"{"a":[1,"b"]}"#);
    assert_eq!(world.fine(&["eval", "-E", "lib.net.port \"[::1]:8080\""]), "8080");
    let error = world.run(&["eval", "--json", "-E", "1 + x"]);
    let json: serde_json::Value = serde_json::from_str(error.err.trim()).expect("an error as JSON");
    assert_eq!(json["code"], "NV0201");
    let web = examples().join("web");
    let path = web.to_string_lossy();
    assert_eq!(world.fine(&["eval", &path, "--config", "networking.hostName"]), "\"web\"");
    assert_eq!(world.fine(&["eval", &path, "--config", "services.postgresql.databases"]), "[ \"app\" ]");
}

#[test]
fn instantiate_is_a_drop_in() {
    let world = World::new();
    world.write(
        "default.nix",
        r#"{ a ? 1, b }: {
  x = a + b;
  d = derivation { name = "d"; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; };
}"#,
    );
    let given = ["--argstr", "b", "3", "--arg", "b", "4"];
    let run = |more: &[&str]| world.fine(&[&["instantiate"], &given[..], more].concat());
    assert_eq!(run(&["--eval", "-A", "x"]), "5");
    assert_eq!(run(&["-A", "d.dev"]), "/nix/store/hp4acm5j27vjrxkv7g67dwsiqrdn44jr-d.drv!dev");
    assert_eq!(run(&["--eval"]), "{ d = <CODE>; x = <CODE>; }");
    assert_eq!(world.fine(&["instantiate", "--eval", "-E", "x: x", "-E", "1"]), "<LAMBDA>\n1");
    assert_eq!(world.fine(&["instantiate", "--parse", "-E", "a: a.b or 1"]), "(a: (a).b or (1))");
    // A file that is reached through a link is read where it lies.
    world.write("deep/er/set.nix", "[ ./x ../y ]");
    std::os::unix::fs::symlink("deep/er/set.nix", world.folder.path().join("link.nix")).expect("a link");
    let parsed = world.fine(&["instantiate", "--parse", "link.nix"]);
    assert!(parsed.contains("/deep/er/x)") && parsed.ends_with("/deep/y) ]"), "{parsed}");
    world.refused(&["instantiate", "-A", "x"], "NV0210");
    // A relative search path starts from the current folder, whatever `PWD` says.
    world.write("folder/one.nix", "1");
    let mut relative = world.command(&["instantiate", "--eval", "-E", "import <one.nix>"]);
    let output = relative.env("NIX_PATH", "folder").env("PWD", "/").output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
    let link = world.folder.path().join("nix-instantiate");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nival"), &link).expect("a link");
    let output = std::process::Command::new(&link)
        .args(["--eval", "--strict", "--json", "-E", "{ a = 1; }"])
        .env("NIVAL_DATA_DIR", world.folder.path().join("data"))
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"a\":1}\n");
}

#[test]
fn flakes_files_and_expressions_are_evaluated_alike() {
    let world = World::new();
    world
        .write("flake.nix", "{ outputs = { self }: { answer = 6 * 7; where = builtins ? currentSystem; }; }");
    world.write("plain/default.nix", "{ answer = 6 * 7; }");
    assert_eq!(world.fine(&["eval", ".#answer"]), "42");
    assert_eq!(world.fine(&["eval", ".#where"]), "false");
    assert_eq!(world.fine(&["eval", "--impure", ".#where"]), "true");
    assert_eq!(world.fine(&["eval", "plain#answer"]), "42");
    assert_eq!(world.fine(&["eval", "plain", "-A", "answer", "--apply", "x: x + 1"]), "43");
    let piped = ["eval", "--extra-experimental-features", "pipe-operators", "-E", "1 |> (x: x + 1)"];
    assert_eq!(world.fine(&piped), "2");
    world.refused(&["eval", ".#missing"], "NV0820");
    let warned = ["eval", "--option", "abort-on-warn", "true", "-E", "builtins.warn \"w\" 1"];
    world.refused(&warned, "NV0206");
}

#[test]
fn explain_unknown_code() {
    let world = World::new();
    world.refused(&["explain", "NV9999"], "NV0831");
    assert!(world.fine(&["explain", "nv0301"]).starts_with("NV0301: there is no such option"));
    assert!(world.fine(&["explain"]).lines().count() > 50);
}

#[test]
fn init_twice() {
    let world = World::new();
    world.fine(&["init", "a"]);
    world.refused(&["init", "a"], "NV0832");
    for template in ["minimal", "service"] {
        world.fine(&["init", template, "--template", template]);
        assert!(world.folder.path().join(template).join("configuration.nix").is_file());
    }
}

#[test]
fn init_in_read_only_folder() {
    let world = World::new();
    world.write("file", "");
    world.refused(&["init", "file/below"], "NV0833");
}

#[test]
fn templates_evaluate() {
    let world = World::new();
    for template in ["web", "minimal", "service"] {
        world.fine(&["init", template, "--template", template]);
        assert_eq!(
            world.fine(&["eval", template, "--config", "networking.hostName"]),
            format!("\"{template}\"")
        );
    }
}

#[test]
fn completions_are_made_for_each_shell() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(world.fine(&["completions", shell]).contains("rollback"), "{shell}");
    }
}

#[test]
fn plan_unknown_machine() {
    World::new().refused(&["plan", "nobody"], "NV0835");
}

#[test]
fn unknown_machine_of_a_project() {
    let world = World::new();
    world.write("configuration.nix", "{ machines = { one = { }; two = { }; }; }");
    let text = world.refused(&["build", ".", "three"], "NV0804");
    assert!(text.contains("`one`, `two`"), "{text}");
}

#[test]
fn wrong_configurations_end_in_their_codes() {
    let world = World::new();
    for (code, text) in [
        ("NV0301", "{ services.nginx.enabel = true; }"),
        ("NV0302", "{ services.nginx.enable = \"yes\"; }"),
        (
            "NV0310",
            "{ config, lib, ... }: { config = if config.networking.hostName == \"a\" then { time.timeZone = \"UTC\"; } else { }; }",
        ),
        ("NV0101", "{ services.nginx.enable = true "),
        ("NV0201", "{ networking.hostName = hostnam; }"),
        ("NV0302", "{ networking.hostName = \"Not_A_Name\"; }"),
    ] {
        world.write("configuration.nix", text);
        let said = world.refused(&["build"], code);
        assert!(said.contains("configuration.nix:1:"), "{said}");
    }
}

#[test]
fn commands_side_by_side_share_one_data_folder() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let worlds: Vec<World> = (0..4).map(|_| World::new()).collect();
    let children: Vec<_> = worlds
        .iter()
        .map(|world| {
            world.write("configuration.nix", "{ networking.hostName = \"side\"; }");
            let mut command = world.command(&["build"]);
            command.env("NIVAL_DATA_DIR", data.path()).stderr(std::process::Stdio::piped());
            command.stdout(std::process::Stdio::null()).spawn().expect("starts")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
