//! Nix's programs for the store under their own names, and the commands that keep a store.

use crate::world::{Said, World};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A world with a store of its own, and links by the names of Nix's programs.
struct Programs {
    world: World,
}

impl Programs {
    fn new() -> Self {
        let world = World::new();
        for name in ["nix-store", "nix-collect-garbage", "nix-hash"] {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nival"), world.folder.path().join(name))
                .expect("linked");
        }
        Self { world }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.folder.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.path(program));
        command.env("NIX_REMOTE", self.path("root")).env("NO_COLOR", "1").env("HOME", self.path("home"));
        command.env_remove("NIVAL_DATA_DIR").env_remove("NIX_STORE_DIR").env_remove("NIX_STATE_DIR");
        command.current_dir(self.world.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        Said::of(&self.command(words[0]).args(&words[1..]).output().expect("it starts"))
    }

    fn fine(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, 0, "{}\n{}{}", words.join(" "), said.out, said.err);
        said.out.trim().to_owned()
    }

    /// `nival` on the same store.
    fn nival(&self, words: &[&str]) -> String {
        let root = self.path("root").display().to_string();
        self.world.fine(&[&["--store", &root], words].concat())
    }

    /// Adds a file that names others; gives its path.
    fn add(&self, name: &str, text: &str) -> String {
        self.world.write(name, text);
        self.fine(&["nix-store", "--add", name])
    }

    /// Registers a file by hand that refers to others.
    fn register(&self, base_name: &str, references: &[&str]) -> String {
        let path = format!("/nix/store/{base_name}");
        let place = self.path("root").join(path.trim_start_matches('/'));
        std::fs::write(place, references.join(" ")).expect("written");
        let mut lines = vec![path.clone(), String::new(), references.len().to_string()];
        lines.extend(references.iter().map(|reference| (*reference).to_owned()));
        self.world.write("registration", &(lines.join("\n") + "\n"));
        let input = std::fs::File::open(self.path("registration")).expect("written");
        let said =
            self.command("nix-store").arg("--register-validity").stdin(input).output().expect("it starts");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        path
    }
}

#[test]
fn two_operations_are_refused() {
    let programs = Programs::new();
    for words in
        [&["nix-store", "--gc", "--add", "x"][..], &["nix-store"], &["nix-store", "--gc", "--nonsense"]]
    {
        let said = programs.run(words);
        assert_eq!(said.code, 1, "{}", words.join(" "));
        assert!(said.err.contains("NV0840"), "{}", said.err);
    }
}

#[test]
fn paths_are_asked_about() {
    let programs = Programs::new();
    let below = programs.add("below", "1");
    let above = programs.register("11111111111111111111111111111111-above", &[&below]);
    assert_eq!(programs.fine(&["nix-store", "-qR", &above]), format!("{below}\n{above}"));
    assert_eq!(programs.fine(&["nix-store", "-q", "--references", &above]), below);
    assert_eq!(programs.fine(&["nix-store", "-q", "--referrers", &below]), above);
    assert_eq!(programs.fine(&["nix-store", "-q", "--tree", &above]), format!("{above}\n└───{below}"));
    assert_eq!(programs.fine(&["nix-store", "-q", "--size", &below]), "120");
    assert_eq!(programs.fine(&["nix-store", "-q", "--deriver", &below]), "unknown-deriver");
    // printf 1 > below; nix-hash --type sha256 --base32 below
    let hash = programs.fine(&["nix-hash", "--type", "sha256", "--base32", "below"]);
    assert_eq!(programs.fine(&["nix-store", "-q", "--hash", &below]), format!("sha256:{hash}"));
    let graph = programs.fine(&["nix-store", "-q", "--graph", &above]);
    assert!(graph.contains("\" -> \"11111111111111111111111111111111-above\""), "{graph}");
}

#[test]
fn garbage_goes_and_roots_are_told() {
    let programs = Programs::new();
    let below = programs.add("below", "1");
    let above = programs.register("11111111111111111111111111111111-above", &[&below]);
    let dead = programs.add("dead", "3");
    programs.fine(&["nix-store", "-r", &above, "--add-root", "result", "--indirect"]);
    assert_eq!(std::fs::read_link(programs.path("result")).expect("a link"), Path::new(&above));
    let link = programs.path("result").display().to_string();
    assert_eq!(programs.fine(&["nix-store", "-q", "--roots", &below]), format!("{link} -> {above}"));
    assert_eq!(programs.fine(&["nix-store", "--gc", "--print-dead"]), dead);
    let why = programs.nival(&["why", &below]);
    assert!(why.contains(&link) && why.contains(&format!("   └─ {below}")), "{why}");
    let why: Json = serde_json::from_str(&programs.nival(&["--json", "why", &below])).expect("JSON");
    assert_eq!(why["ways"][0]["way"], serde_json::json!([above, below]));
    let inside = programs.nival(&["why", "--files", "--in", &above, &below]);
    assert!(inside.contains("itself: /nix/store/"), "{inside}");
    let dry = programs.nival(&["gc", "--dry-run"]);
    assert!(
        dry.contains(&format!("{link} keeps {above} (2 paths")) && dry.contains("1 paths would be removed"),
        "{dry}"
    );
    let said = programs.run(&["nix-store", "--delete", &below]);
    assert!(said.code != 0 && said.err.contains("still alive"), "{}", said.err);
    assert!(programs.fine(&["nix-collect-garbage"]).starts_with("1 store paths deleted"));
    std::fs::remove_file(programs.path("result")).expect("removed");
    let done: Json = serde_json::from_str(&programs.nival(&["--json", "gc"])).expect("JSON");
    assert_eq!(done["removed"].as_array().map(Vec::len), Some(2));
    assert_eq!(programs.fine(&["nix-store", "--dump-db"]), "");
}

#[test]
fn old_generations_go() {
    let programs = Programs::new();
    let profiles = programs.path("root/nix/var/nix/profiles");
    let all: Vec<_> = ["1", "2", "3"].iter().map(|name| programs.add(name, name)).collect();
    for (number, path) in all.iter().enumerate() {
        std::os::unix::fs::symlink(path, profiles.join(format!("mine-{}-link", number + 1))).expect("linked");
    }
    std::os::unix::fs::symlink("mine-3-link", profiles.join("mine")).expect("linked");
    assert_eq!(programs.fine(&["nix-store", "--gc", "--print-dead"]), "");
    let dry = programs.nival(&["gc", "--dry-run", "--keep-last", "2"]);
    assert!(dry.contains("would forget generations 1 of") && !dry.contains(&all[0]), "{dry}");
    programs.nival(&["gc", "--keep-last", "2"]);
    assert_eq!(
        programs.fine(&["nix-store", "--check-validity", "--print-invalid", &all[0], &all[1]]),
        all[0]
    );
    programs.fine(&["nix-collect-garbage", "-d"]);
    assert_eq!(
        programs.fine(&["nix-store", "--check-validity", "--print-invalid", &all[1], &all[2]]),
        all[1]
    );
}

#[test]
fn exports_and_dumps_are_read_back() {
    let programs = Programs::new();
    let path = programs.add("file", "contents");
    let exported =
        programs.command("nix-store").args(["--export", &path]).output().expect("it starts").stdout;
    std::fs::write(programs.path("export"), exported).expect("written");
    let dumped = programs.fine(&["nix-store", "--dump-db"]) + "\n";
    assert!(dumped.starts_with(&format!("{path}\n")) && dumped.ends_with("\n120\n\n0\n"), "{dumped}");
    programs.fine(&["nix-store", "--delete", &path]);
    let input = std::fs::File::open(programs.path("export")).expect("written");
    let said = programs.command("nix-store").arg("--import").stdin(input).output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), path);
    programs.fine(&["nix-store", "--verify", "--check-contents"]);
    let place = programs.path("root").join(path.trim_start_matches('/'));
    std::fs::remove_file(&place).expect("removed");
    std::fs::write(&place, "other").expect("written");
    assert_eq!(programs.run(&["nix-store", "--verify", "--check-contents"]).code, 1);
    assert_eq!(programs.run(&["nix-store", "--verify-path", &path]).code, 1);
}
