//! The program `nix` under its own name, and the commands for flakes that it shares.

use crate::world::{Said, World};
use serde_json::Value as Json;
use std::io::Write as _;
use std::process::{Command, Stdio};

const FLAKE: &str = r#"{
  description = "a flake";
  outputs = { self }: {
    packages.SYSTEM.default = derivation { name = "tool-1.0"; system = "SYSTEM"; builder = "builtin:x"; };
    checks.SYSTEM.good = self.packages.SYSTEM.default;
    overlays.default = final: previous: { };
    templates.default = { path = ./template; description = "a start"; };
  };
}"#;

/// A world with a store of its own, in which `nix` is this program.
struct Nix(World);

impl Nix {
    fn new() -> Self {
        let world = World::new();
        for name in ["nix", "nix-instantiate"] {
            let link = world.folder.path().join(name);
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nival"), link).expect("linked");
        }
        let system = format!("{}-linux", std::env::consts::ARCH);
        world.write("flake/flake.nix", &FLAKE.replace("SYSTEM", &system));
        world.write("flake/template/flake.nix", "{ outputs = _: { }; }");
        Self(world)
    }

    fn command(&self, words: &[&str]) -> Command {
        let folder = self.0.folder.path();
        let mut command = Command::new(folder.join(words[0]));
        command.args(&words[1..]).current_dir(folder).stdin(Stdio::null());
        command.env("NIX_REMOTE", folder.join("root")).env("NO_COLOR", "1").env("HOME", folder.join("home"));
        for name in ["NIVAL_DATA_DIR", "NIX_STORE_DIR", "NIX_STATE_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"]
        {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        Said::of(&self.command(words).output().expect("it starts"))
    }

    fn fine(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, 0, "{}\n{}{}", words.join(" "), said.out, said.err);
        said.out
    }

    fn json(&self, words: &[&str]) -> Json {
        serde_json::from_str(&self.fine(words)).expect("JSON")
    }
}

#[test]
fn flakes_are_shown_checked_and_begun() {
    let nix = Nix::new();
    let shown = nix.fine(&["nix", "flake", "show", "./flake"]);
    assert!(shown.contains("└───default: package 'tool-1.0'"), "{shown}");
    assert!(shown.contains("default: Nixpkgs overlay") && shown.contains("default: template: a start"));
    let json = nix.json(&["nix", "flake", "show", "--json", "./flake"]);
    assert_eq!(json["overlays"]["default"]["type"], "nixpkgs-overlay");
    let metadata = nix.json(&["nix", "flake", "metadata", "--json", "./flake"]);
    assert_eq!((&metadata["description"], &metadata["locks"]["version"]), (&"a flake".into(), &7.into()));
    nix.fine(&["nix", "flake", "check", "--no-build", "./flake"]);
    nix.fine(&["nix", "flake", "new", "begun", "-t", "./flake"]);
    let made = nix.0.folder.path().join("begun/flake.nix");
    assert_eq!(std::fs::read_to_string(&made).expect("made"), "{ outputs = _: { }; }");
    // What is there with other contents stays.
    std::fs::write(&made, "{ }").expect("written");
    let said = nix.run(&["nix", "flake", "new", "begun", "-t", "./flake"]);
    assert!(said.code != 0 && said.err.contains("begun/flake.nix"), "{}", said.err);
    assert_eq!(std::fs::read_to_string(&made).expect("made"), "{ }");
}

#[test]
fn outputs_that_are_wrong_are_told_with_their_places() {
    let nix = Nix::new();
    nix.0.write("wrong/flake.nix", "{ outputs = _: { overlays.a = 1; nonsense = 2; }; }");
    let said = nix.run(&["nix", "flake", "check", "./wrong"]);
    assert_ne!(said.code, 0);
    assert!(said.err.contains("overlays.a"), "{}", said.err);
    assert!(said.err.contains("unknown flake output 'nonsense'"), "{}", said.err);
}

#[test]
fn inputs_are_pinned_and_names_stand_for_flakes() {
    let nix = Nix::new();
    let place = nix.0.folder.path().join("flake").display().to_string();
    let text = format!("{{ inputs.other.url = \"path:{place}\"; outputs = _: {{ }}; }}");
    nix.0.write("user/flake.nix", &text);
    nix.fine(&["nix", "registry", "add", "other", &format!("path:{place}")]);
    let listed = nix.fine(&["nix", "registry", "list", "--option", "flake-registry", ""]);
    assert!(listed.contains(&format!("user   flake:other path:{place}")), "{listed}");
    let described = nix.json(&["nix", "flake", "metadata", "--json", "other"]);
    assert_eq!(described["description"], "a flake");
    nix.fine(&["nix", "flake", "lock", "path:./user"]);
    let lock = nix.0.folder.path().join("user/flake.lock");
    let first = std::fs::read_to_string(&lock).expect("written");
    assert!(first.contains("narHash"), "{first}");
    nix.0.write("flake/new", "more");
    nix.fine(&["nix", "flake", "update", "--flake", "path:./user"]);
    assert_ne!(std::fs::read_to_string(&lock).expect("written"), first);
    nix.fine(&["nix", "registry", "remove", "other"]);
    let listed = nix.fine(&["nix", "registry", "list", "--option", "flake-registry", ""]);
    assert!(!listed.contains("flake:other"), "{listed}");
}

#[test]
fn derivations_go_through_json() {
    let nix = Nix::new();
    nix.0.write(
        "one.nix",
        "derivation { name = \"one\"; system = \"s\"; builder = \"/b\"; args = [ \"a\" ]; }",
    );
    let drv = nix.fine(&["nix-instantiate", "one.nix"]);
    let drv = drv.trim();
    let shown = nix.json(&["nix", "derivation", "show", drv]);
    let one = shown["derivations"].as_object().and_then(|all| all.values().next()).expect("one").clone();
    let add = |json: &Json| {
        let mut command = nix.command(&["nix", "derivation", "add"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("piped").write_all(json.to_string().as_bytes()).expect("written");
        Said::of(&child.wait_with_output().expect("it ends"))
    };
    assert_eq!(add(&one).out.trim(), drv);
    let mut renamed = one.clone();
    renamed["name"] = "two".into();
    let said = add(&renamed);
    assert!(said.code == 1 && said.err.contains("has incorrect output"), "{}", said.err);
    let mut open = one;
    open["outputs"]["out"].as_object_mut().expect("a set").remove("path");
    assert_eq!(add(&open).out.trim(), drv);
}

#[test]
fn packages_are_searched() {
    let nix = Nix::new();
    nix.0.write(
        "all.nix",
        "{ hello = derivation { name = \"hello-2.1\"; system = \"s\"; builder = \"b\"; } // { meta.description = \"greets\"; }; }",
    );
    let found = nix.json(&["nix", "search", "-f", "all.nix", "", "GREET", "--json"]);
    assert_eq!(found["hello"]["version"], "2.1");
    let said = nix.run(&["nix", "search", "-f", "all.nix", "", "^", "-e", "hello"]);
    assert!(said.code == 1 && said.err.contains("no results"), "{}", said.err);
}

#[test]
fn nothing_is_kept_of_a_dummy_store() {
    let nix = Nix::new();
    let out = nix.fine(&[
        "nix",
        "eval",
        "--impure",
        "--store",
        "dummy://?store=/foo",
        "--expr",
        "builtins.storeDir",
    ]);
    assert_eq!(out.trim(), "\"/foo\"");
    nix.fine(&[
        "nix",
        "eval",
        "--store",
        "dummy://",
        "--write-to",
        "out",
        "--expr",
        "{ a = \"x\"; b.c = \"y\"; }",
    ]);
    let read = |name: &str| std::fs::read_to_string(nix.0.folder.path().join(name)).expect("written");
    assert_eq!((read("out/a"), read("out/b/c")), ("x".to_owned(), "y".to_owned()));
    let said = nix.run(&[
        "nix",
        "eval",
        "--store",
        "dummy://",
        "--write-to",
        "bad",
        "--expr",
        "{ \"..\" = \"x\"; }",
    ]);
    assert_eq!(said.code, 1);
    assert!(!nix.0.folder.path().join("root/nix/store").exists());
}

#[test]
fn ways_of_references_are_drawn() {
    let nix = Nix::new();
    nix.0.write("a.nix", "builtins.toFile \"a\" (builtins.toFile \"b\" \"text\")");
    let a: String = serde_json::from_str(&nix.fine(&["nix", "eval", "--impure", "--json", "-f", "a.nix"]))
        .expect("a path");
    let b = std::fs::read_to_string(nix.0.folder.path().join("root").join(a.trim_start_matches('/')))
        .expect("written");
    assert_eq!(nix.fine(&["nix", "why-depends", &a, &b]), format!("{a}\n└───{b}\n"));
    let precise = nix.fine(&["nix", "why-depends", "--precise", &a, &b]);
    assert!(
        precise.starts_with(&format!("{a}\n└───: …")) && precise.ends_with(&format!("    → {b}\n")),
        "{precise}"
    );
    let said = nix.run(&["nix", "why-depends", &b, &a]);
    assert!(said.err.contains("does not depend on"), "{}", said.err);
}

#[test]
fn places_and_names_are_written_as_nix_writes_them() {
    let nix = Nix::new();
    let said = nix.run(&["nix-instantiate", "--eval", "-E", "let a = {} // a; in a.foo"]);
    assert!(said.err.contains("at «string»:1:15:"), "{}", said.err);
    let said = nix.run(&["nix-instantiate", "--eval", "-E", "{ }.x"]);
    assert!(!said.err.lines().next().unwrap_or_default().contains('`'), "{}", said.err);
}
