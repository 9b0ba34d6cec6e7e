//! Stores and builders behind `ssh://` and `ssh-ng://`: two of these programs speak with each other; with
//! `NIVAL_PEER_NIX` also this one with C++ Nix, in both directions.

use crate::world::{Said, World};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What builders see of this host: a shell and its programs.
const HOST: &str = "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?";

const EXPRESSION: &str = r#"{ seed ? "1" }:
let
  one = name: script: more: derivation ({
    inherit name seed;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/bin:/usr/bin";
    args = [ "-c" script ];
  } // more);
  dep = one "dep" "echo dep-speaks; echo hi > $out" { };
in
{
  inherit dep;
  top = one "top" "echo top-speaks; read word < $dep; echo $word $word > $out" { inherit dep; };
  long = one "long" "sleep 4733" { };
  bad = one "bad" "echo last words; exit 7" { };
  strange = one "strange" "echo strange > $out" { requiredSystemFeatures = [ "strange" ]; };
  floating = one "floating" "echo float > $out" {
    __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive";
  };
}
"#;

/// A machine that is far away: its store is another one, and its programs are reached by scripts.
struct Far {
    world: World,
}

impl Far {
    fn new() -> Self {
        let far = Self { world: World::new() };
        far.world.write("x.nix", EXPRESSION);
        for program in ["nix-daemon", "nix-store"] {
            let link = far.folder().join(program);
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nival"), &link).expect("made");
            let settings = format!("sandbox-paths = {HOST}\nsystem-features = strange\nsubstituters =");
            let data = far.folder().join("far");
            let text = format!(
                "unset NIX_REMOTE\nNIX_CONFIG='{settings}' NIVAL_DATA_DIR={} exec {} \"$@\"",
                data.display(),
                link.display()
            );
            script(&far.folder().join(format!("far-{program}")), &text);
        }
        far
    }

    fn folder(&self) -> &Path {
        self.world.folder.path()
    }

    fn address(&self, scheme: &str) -> String {
        let program = if scheme == "ssh" { "nix-store" } else { "nix-daemon" };
        format!("{scheme}://localhost?remote-program={}/far-{program}", self.folder().display())
    }

    /// Runs a command with the data folder of a name.
    fn run_in(&self, data: &str, words: &[&str]) -> Said {
        self.run_with(data, words, &[])
    }

    fn run_with(&self, data: &str, words: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut command = self.world.command(words);
        command.env("NIVAL_DATA_DIR", self.folder().join(data)).envs(variables.iter().copied());
        Said::of(&command.output().expect("it starts"))
    }

    fn run(&self, words: &[&str]) -> Said {
        self.run_in("near", words)
    }

    /// Builds an attribute with further words; the path that it printed.
    fn build(&self, attribute: &str, words: &[&str]) -> Said {
        let first = ["build", "--no-link", "-f", "x.nix", "-A", attribute, "--option", "sandbox-paths", HOST];
        self.run(&first.iter().chain(words).copied().collect::<Vec<_>>())
    }

    fn has(&self, data: &str, path: &str) -> bool {
        let name = Path::new(path.trim()).file_name().expect("a name");
        self.folder().join(data).join("store/nix/store").join(name).exists()
    }
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("may run");
}

#[test]
fn paths_go_there_and_back_by_both_protocols() {
    let far = Far::new();
    for (scheme, seed) in [("ssh-ng", "1"), ("ssh", "2")] {
        let address = far.address(scheme);
        let built = far.build("top", &["--argstr", "seed", seed]);
        assert_eq!(built.code, 0, "{}", built.err);
        let path = built.out.trim();
        let sent = far.run(&["copy", "--to", &address, "--no-check-sigs", path]);
        assert_eq!(sent.code, 0, "{}", sent.err);
        assert!(far.has("far", path));
        let third = format!("third-{scheme}");
        let fetched = far.run_in(&third, &["copy", "--from", &address, "--no-check-sigs", path]);
        assert_eq!(fetched.code, 0, "{}", fetched.err);
        assert!(far.has(&third, path));
        assert_eq!(far.run_in(&third, &["store", "verify"]).code, 0);
        let unsigned = far.run_in(&format!("fourth-{scheme}"), &["copy", "--from", &address, path]);
        assert!(unsigned.err.contains("error[NV0542]"), "{}", unsigned.err);
        let info = far.run(&["path-info", "--store", &address, path]);
        assert_eq!((info.code, info.out.trim()), (0, path), "{}", info.err);
    }
    assert_eq!(far.run_in("far", &["store", "verify"]).code, 0);
}

#[test]
fn a_store_behind_ssh_builds_what_it_is_given() {
    let far = Far::new();
    for scheme in ["ssh-ng", "ssh"] {
        let address = far.address(scheme);
        let built = far.build("top", &["--store", &address, "--argstr", "seed", scheme]);
        assert_eq!(built.code, 0, "{}", built.err);
        assert!(built.err.contains("top-speaks") && built.err.contains("dep-speaks"), "{}", built.err);
        assert!(far.has("far", &built.out) && !far.has("near", &built.out), "{}", built.out);
        let failed = far.build("bad", &["--store", &address, "--argstr", "seed", scheme]);
        assert_eq!(failed.code, 1);
        assert!(failed.err.contains("error[NV0547]") && failed.err.contains("exit code 7"), "{}", failed.err);
    }
}

#[test]
fn a_client_that_goes_away_takes_its_build_along() {
    let far = Far::new();
    let runs = || {
        let found = std::process::Command::new("pgrep").args(["-f", "^sleep 4733$"]).output().expect("pgrep");
        !found.stdout.is_empty()
    };
    let until = |is_running: bool, what: &str| {
        let begin = Instant::now();
        while runs() != is_running {
            assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let address = far.address("ssh-ng");
    let words = ["build", "--no-link", "-f", "x.nix", "-A", "long", "--store", &address];
    let mut command = far.world.command(&words);
    let mut client = command
        .env("NIVAL_DATA_DIR", far.folder().join("near"))
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    until(true, "the builder never started");
    client.kill().expect("killed");
    client.wait().expect("it ends");
    until(false, "the builder outlived the client");
    let builds = far.folder().join("far/store/nix/var/nix/builds");
    let left = || builds.read_dir().map(|entries| entries.count()).unwrap_or(0);
    let begin = Instant::now();
    while left() > 0 {
        assert!(begin.elapsed() < Duration::from_secs(5), "the builder's folder is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn builders_are_used_by_what_they_can_and_their_outputs_come_back() {
    let far = Far::new();
    for scheme in ["ssh-ng", "ssh"] {
        let machines = format!("{} - - 2 1 strange", far.address(scheme));
        let with = |attribute: &str, more: &[&str]| {
            let words = ["--builders", &machines, "--argstr", "seed", scheme];
            far.build(attribute, &words.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
        };
        let built = with("top", &["-L", "-j", "0"]);
        assert_eq!(built.code, 0, "{}", built.err);
        assert!(built.err.contains(&format!("building top on {scheme}://localhost")), "{}", built.err);
        assert!(built.err.contains("top-speaks"), "{}", built.err);
        assert!(far.has("near", &built.out) && far.has("far", &built.out));
        // What this machine has not, the other one has; what nobody has is said.
        assert_eq!(far.build("strange", &["--argstr", "seed", scheme]).code, 1);
        assert_eq!(with("strange", &[]).code, 0);
        let failed = with("bad", &[]);
        assert_eq!(failed.code, 100, "{}", failed.err);
        let wanted = format!("failed with exit code 7 on `{scheme}://localhost`");
        assert!(failed.err.contains(&wanted) && failed.err.contains("error[NV0530]"), "{}", failed.err);
        let floating = with("floating", &["-j", "0", "--extra-experimental-features", "ca-derivations"]);
        assert_eq!(floating.code, 0, "{}", floating.err);
        assert!(far.has("near", &floating.out));
        assert_eq!(far.run(&["store", "verify"]).code, 0);
    }
    // One that cannot be reached is passed over, and said.
    let gone = format!("ssh-ng://localhost?remote-program=/no/such/program; {}", far.address("ssh-ng"));
    let built = far.build("top", &["--builders", &gone, "-j", "0", "--argstr", "seed", "gone"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert!(built.err.contains("cannot build on `ssh-ng://localhost`"), "{}", built.err);
    let wrong = far.build("top", &["--builders", "x - - many", "--argstr", "seed", "wrong"]);
    assert!(wrong.err.contains("error[NV0840]") && wrong.err.contains("many"), "{}", wrong.err);
}

#[test]
fn another_machine_is_reached_by_the_users_ssh() {
    let far = Far::new();
    let bin = far.folder().join("bin");
    std::fs::create_dir(&bin).expect("made");
    let said = far.folder().join("said");
    // Takes the place of ssh: says what it was asked, and starts the program.
    script(
        &bin.join("ssh"),
        &format!(
            "echo \"$@\" > {}\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$@\"",
            said.display()
        ),
    );
    let program = far.folder().join("far-nix-daemon");
    let address =
        format!("ssh-ng://me@host:2222?ssh-key=/key&compress=true&remote-program={}", program.display());
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let words = ["store", "ping", "--store", &address];
    let run = far.run_with("near", &words, &[("PATH", &path), ("NIX_SSHOPTS", "-F '/my config'")]);
    assert_eq!(run.code, 0, "{}", run.err);
    let said = std::fs::read_to_string(said).expect("it was asked");
    let wanted = format!("me@host -x -F /my config -i /key -C -p2222 -- {} --stdio", program.display());
    assert_eq!(said.trim(), wanted);
    let bad = far.run(&["store", "ping", "--store", "ssh-ng://-oProxyCommand=x"]);
    assert!(bad.err.contains("error[NV0546]"), "{}", bad.err);
}

#[test]
fn cpp_nix_and_this_program_speak_with_each_other() {
    let Ok(nix) = std::env::var("NIVAL_PEER_NIX") else {
        eprintln!("NIVAL_PEER_NIX names no C++ Nix: nothing is spoken with it");
        return;
    };
    let far = Far::new();
    let root = far.folder().join("theirs");
    let settings = format!(
        "build-users-group =\nsubstituters =\nexperimental-features = nix-command\nsandbox-paths = {HOST}\nbuild-hook =\n"
    );
    let conf = far.folder().join("conf");
    std::fs::create_dir(&conf).expect("made");
    std::fs::write(conf.join("nix.conf"), settings).expect("written");
    let theirs = |words: &[&str]| {
        let mut command = std::process::Command::new(&nix);
        command.args(words).args(["--store", &format!("local?root={}", root.display())]);
        command.env("NIX_CONF_DIR", &conf).env("HOME", far.folder()).env_remove("NIX_REMOTE");
        Said::of(&command.output().expect("it starts"))
    };
    // Theirs as the client of ours.
    let file = far.folder().join("x.nix");
    let file = file.to_str().expect("text");
    let built = theirs(&["build", "--no-link", "--print-out-paths", "--impure", "-f", file, "top"]);
    assert_eq!(built.code, 0, "{}", built.err);
    let path = built.out.trim();
    for scheme in ["ssh-ng", "ssh"] {
        let sent = theirs(&["copy", "--no-check-sigs", "--to", &far.address(scheme), path]);
        assert_eq!(sent.code, 0, "{}", sent.err);
        assert!(far.has("far", path));
    }
    let mut there = std::process::Command::new(&nix);
    there.args([
        "build",
        "--no-link",
        "--print-out-paths",
        "--impure",
        "-f",
        file,
        "top",
        "--argstr",
        "seed",
        "there",
    ]);
    there
        .args(["--store", &far.address("ssh-ng"), "--eval-store"])
        .arg(format!("local?root={}", root.display()));
    there.env("NIX_CONF_DIR", &conf).env("HOME", far.folder()).env_remove("NIX_REMOTE");
    let there = Said::of(&there.output().expect("it starts"));
    assert_eq!(there.code, 0, "{}", there.err);
    assert!(far.has("far", &there.out), "{}", there.err);
    assert_eq!(far.run_in("far", &["store", "verify"]).code, 0);
    // Ours as the client of theirs.
    for (scheme, program) in [("ssh-ng", "nix-daemon"), ("ssh", "nix-store")] {
        let reached = far.folder().join(format!("theirs-{program}"));
        let text = format!(
            "export NIX_CONF_DIR={} HOME={}\nexec -a {program} bash -c 'exec -a {program} {nix} \"$@\"' {program} \"$@\" --store 'local?root={}'",
            conf.display(),
            far.folder().display(),
            root.display()
        );
        std::fs::write(&reached, format!("#!/bin/bash\n{text}\n")).expect("written");
        std::fs::set_permissions(&reached, std::fs::Permissions::from_mode(0o755)).expect("may run");
        let address = format!("{scheme}://localhost?remote-program={}", reached.display());
        let built = far.build("top", &["--store", &address, "--argstr", "seed", program]);
        assert_eq!(built.code, 0, "{}", built.err);
        let name = Path::new(built.out.trim()).file_name().expect("a name").to_owned();
        assert!(root.join("nix/store").join(name).exists());
        let machines = format!("{address} - - 1");
        let by_them = far
            .build("top", &["--builders", &machines, "-j", "0", "--argstr", "seed", &format!("b{program}")]);
        assert_eq!(by_them.code, 0, "{}", by_them.err);
        assert!(far.has("near", &by_them.out));
    }
    assert_eq!(far.run(&["store", "verify"]).code, 0);
}
