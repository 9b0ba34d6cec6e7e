//! Working with packages: shells in which they could be built, and their programs.

use crate::world::{Said, World};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

/// What builders see of this host: a shell and its programs.
const HOST: [&str; 3] = ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"];

const PACKAGES: &str = r#"rec {
  make = arguments: derivation ({ system = builtins.currentSystem; builder = "/bin/bash"; PATH = "/bin:/usr/bin"; } // arguments);
  tool = make {
    name = "tool-1.0";
    args = [ "-c" "mkdir -p $out/bin; printf '#!/bin/sh\\necho tool says \"$@\"\\n' > $out/bin/tool; chmod +x $out/bin/tool" ];
  };
  setup = make {
    name = "stdenv";
    passAsFile = [ "script" ];
    script = ''
      export PATH=/bin:/usr/bin
      for i in $buildInputs; do PATH=$i/bin:$PATH; done
      runHook() { eval "''${!1-}"; if [ "$(type -t "$1")" = function ]; then "$1"; fi; }
      buildPhase() { echo "building $name"; }
      declare -A table=([a]=1 [b]="2 3")
      list=(x "y z")
    '';
    args = [ "-c" "mkdir $out; cp $scriptPath $out/setup" ];
  };
  shell = make {
    name = "my-shell";
    stdenv = setup;
    buildInputs = [ tool ];
    FOO = "foo's \"bar\"\n$HOME";
    shellHook = "echo hook ran";
    outputs = [ "out" "dev" ];
    args = [ "-c" "exit 1" ];
  };
  other = make { name = "other"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; };
}
"#;

fn world() -> World {
    let world = World::new();
    world.write("packages.nix", PACKAGES);
    world
}

fn run(world: &World, first: &[&str], rest: &[&str]) -> Said {
    let words: Vec<&str> = first.iter().chain(&HOST).chain(rest).copied().collect();
    world.run(&words)
}

#[test]
fn develop_has_what_a_build_begins_with() {
    let world = world();
    let script =
        "printf '%s|' \"$FOO\"; tool a b; echo \"$out\"; type buildPhase | head -n 1; echo \"$IN_NIX_SHELL\"";
    let said = run(&world, &["develop", "-f", "packages.nix", "-A", "shell"], &["-c", "bash", "-c", script]);
    assert_eq!(said.code, 0, "{}", said.err);
    let here = world.folder.path().canonicalize().expect("a folder");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[..3], ["hook ran", "foo's \"bar\"", "$HOME|tool says a b"], "{}", said.out);
    assert_eq!(lines[3], here.join("outputs/out").to_string_lossy());
    assert_eq!(lines.last(), Some(&"impure"));
    let said = run(&world, &["develop", "-f", "packages.nix", "-A", "shell", "--phase", "build"], &[]);
    assert!(said.code == 0 && said.out.contains("building my-shell-env"), "{}{}", said.out, said.err);
    let said = run(&world, &["develop", "-f", "packages.nix", "-A", "shell"], &["-c", "sh", "-c", "exit 7"]);
    assert_eq!(said.code, 7, "{}", said.err);
}

#[test]
fn an_environment_is_printed() {
    let world = world();
    let said = run(&world, &["print-dev-env", "--json", "-f", "packages.nix", "-A", "shell"], &[]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(json["variables"]["FOO"]["value"], "foo's \"bar\"\n$HOME");
    assert_eq!(json["variables"]["FOO"]["type"], "exported");
    assert_eq!(json["variables"]["table"]["value"]["b"], "2 3");
    assert_eq!(json["variables"]["list"]["value"][1], "y z");
    assert!(
        json["bashFunctions"]["buildPhase"]
            .as_str()
            .is_some_and(|body| body.contains("echo \"building $name\""))
    );
    let said = run(&world, &["print-dev-env", "-f", "packages.nix", "-A", "shell"], &[]);
    world.write("env.sh", &said.out);
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", ". ./env.sh; echo \"$FOO\"; echo \"${table[b]}\""]).current_dir(world.folder.path());
    let output = bash.output().expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hook ran\nfoo's \"bar\"\n$HOME\n2 3\n");
}

#[test]
fn only_bash_has_an_environment() {
    let said = run(&world(), &["develop", "-f", "packages.nix", "-A", "other"], &["-c", "true"]);
    assert!(said.code == 1 && said.err.contains("error[NV0850]"), "{}", said.err);
}

#[test]
fn programs_of_packages_run() {
    let world = world();
    let said = run(&world, &["run", "-f", "packages.nix", "-A", "tool"], &["--", "x", "--y"]);
    assert_eq!((said.code, said.out.as_str()), (0, "tool says x --y\n"), "{}", said.err);
    let said = run(&world, &["shell", "-E", "(import ./packages.nix).tool"], &["-c", "tool", "1"]);
    assert_eq!((said.code, said.out.as_str()), (0, "tool says 1\n"), "{}", said.err);
}

#[test]
fn a_missing_program_is_told() {
    let said = run(&world(), &["run", "-f", "packages.nix", "-A", "setup"], &[]);
    assert!(said.code == 1 && said.err.contains("error[NV0851]"), "{}", said.err);
}

/// Runs the program by the name `nix-shell`.
fn nix_shell(world: &World, words: &[&str]) -> Said {
    let mut command = world.command(words);
    command
        .arg0("nix-shell")
        .env("NIX_PATH", format!("nixpkgs={}", world.folder.path().join("nixpkgs").display()));
    Said::of(&command.output().expect("it starts"))
}

#[test]
fn nix_shell_reads_the_setup_and_runs_scripts() {
    let world = world();
    world.write("shell.nix", "{ inNixShell ? false }: assert inNixShell; (import ./packages.nix).shell");
    let words: Vec<&str> =
        HOST.iter().copied().chain(["--run", "tool q; echo \"$IN_NIX_SHELL\"; exit 3"]).collect();
    let said = nix_shell(&world, &words);
    assert_eq!((said.code, said.out.as_str()), (3, "hook ran\ntool says q\nimpure\n"), "{}", said.err);
    let said =
        nix_shell(&world, &[&words[..3], &["--pure", "--run", "echo \"$IN_NIX_SHELL:${HIDDEN-}\""]].concat());
    assert_eq!((said.code, said.out.as_str()), (0, "hook ran\npure:\n"), "{}", said.err);
    // Packages by name, in the lines of a script.
    let nixpkgs = "{ ... }: let p = import ../packages.nix; in { inherit (p) tool; pkgs.runCommand = name: set: text: p.make (set // { inherit name; stdenv = p.setup; args = [ \"-c\" \"true\" ]; }); }";
    world.write("nixpkgs/default.nix", nixpkgs);
    let script = format!(
        "#! /usr/bin/env nix-shell\n#! nix-shell -i bash -p tool\n#! nix-shell --option sandbox-paths \"{}\"\ntool \"$@\"\n",
        HOST[2]
    );
    world.write("script", &script);
    let said = nix_shell(&world, &["script", "of a", "script"]);
    assert_eq!((said.code, said.out.as_str()), (0, "tool says of a script\n"), "{}", said.err);
    assert!(Path::new(world.folder.path()).join("script").is_file());
}

#[test]
fn a_line_for_direnv_is_evaluated_once_and_follows_what_it_read() {
    let world = world();
    world.write("traced.nix", "builtins.trace \"evaluated\" (import ./packages.nix)");
    let line = format!(
        "{} direnv -f traced.nix -A shell {} {} '{}'",
        env!("CARGO_BIN_EXE_nival"),
        HOST[0],
        HOST[1],
        HOST[2]
    );
    // What direnv gives an .envrc: a bash with `watch_file`.
    let script = format!(
        "watch_file() {{ printf '%s\\n' \"$@\" > watched; }}\nexport TMPDIR=/tmp/mine\nunset TEMP\neval \"$({line})\" || exit 9\n\
         printf '%s|' \"$FOO\"; [[ $PATH == /nix/store/*-tool-1.0/bin:* ]] && echo found; echo \"$TMPDIR ${{TEMP-unset}}\""
    );
    let enter = || {
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &script]).current_dir(world.folder.path()).env("NIVAL_DATA_DIR", World::data());
        command.env("NO_COLOR", "1").env("HOME", world.folder.path()).env_remove("NIX_PATH");
        Said::of(&command.output().expect("it starts"))
    };
    let first = enter();
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.out.contains("foo's \"bar\"\n$HOME|found\n/tmp/mine unset"), "{}", first.out);
    // This store lies elsewhere, where a shell of the host does not find its programs.
    assert!(first.err.contains("`nival develop`"), "{}", first.err);
    assert!(first.err.contains("trace: evaluated"), "{}", first.err);
    let watched = std::fs::read_to_string(world.folder.path().join("watched")).expect("files are watched");
    assert!(watched.contains("/traced.nix\n") && watched.contains("/packages.nix\n"), "{watched}");
    let again = enter();
    assert_eq!((again.code, &again.out), (0, &first.out), "{}", again.err);
    assert!(!again.err.contains("evaluated"), "{}", again.err);
    // A file that another one imports changes.
    world.write("packages.nix", &PACKAGES.replace("foo's", "changed"));
    let changed = enter();
    assert!(changed.out.contains("changed \"bar\"") && changed.err.contains("evaluated"), "{}", changed.err);
    // With a fault in it the environment stays as it was; without one before, the line fails.
    world.write("packages.nix", "rec { shell = throw \"broken\"; }");
    let broken = enter();
    assert_eq!(broken.code, 0, "{}", broken.err);
    assert!(broken.out.contains("changed") && broken.err.contains("stays as it was"), "{}", broken.err);
    std::fs::remove_dir_all(world.folder.path().join(".direnv")).expect("removed");
    let failed = enter();
    assert_eq!(failed.code, 9, "{}", failed.err);
    assert!(failed.err.contains("broken"), "{}", failed.err);
}
