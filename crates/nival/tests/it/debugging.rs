//! `--debug-on-fail`: what can be done in the place of a builder that failed.

use crate::world::World;
use std::io::{Read as _, Write as _};

/// What builders see of this host: a shell and its programs.
const HOST: [&str; 3] = ["--option", "sandbox-paths", "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?"];

fn derivation(name: &str, script: &str) -> String {
    format!(
        "derivation {{ name = \"{name}\"; system = builtins.currentSystem; builder = \"/bin/sh\"; SEEN = \"by both\"; \
         PATH = \"/bin:/usr/bin\"; args = [ \"-e\" \"-c\" ''{script}'' ]; }}"
    )
}

fn words<'a>(first: &[&'a str]) -> Vec<&'a str> {
    first.iter().copied().chain(HOST).collect()
}

#[test]
fn a_command_sees_the_place_of_the_builder_that_failed() {
    let world = World::new();
    let expression = derivation("looked-into", "sleep 300 & echo mine > left; exit 7");
    let command = "echo \"[$(cat left) $SEEN $PWD $(id -u) $(ls /proc | grep -c '^[0-9]')]\"; echo $$";
    let said = world.run(&words(&["build", "--no-link", "-E", &expression, "--debug-command", command]));
    assert_eq!(said.code, 100, "{}", said.err);
    // The process that was left behind is gone: there is the first one, the shell, and what it runs.
    assert!(said.err.contains("[mine by both /build 1000 "), "{}", said.err);
    assert!(said.err.contains("failed with code 7") && said.err.contains("exit code 7"), "{}", said.err);
    assert!(!said.err.contains("@nival"), "{}", said.err);
}

#[test]
fn what_was_mended_is_built_after_resume() {
    let world = World::new();
    let expression = derivation("mended", "test -e mended; echo done > $out");
    let command = "echo > mended; resume";
    let said = world.run(&words(&["build", "--no-link", "-E", &expression, "--debug-command", command]));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("-mended"), "{}", said.out);
}

#[test]
fn the_phase_that_failed_is_begun_again_where_it_stopped() {
    let world = World::new();
    let script = "
      phase() { printf '@nix { \"action\": \"setPhase\", \"phase\": \"%s\" }\\n' $1; }
      if test -z \"$phases\"; then
        phase unpackPhase; mkdir source; cd source
        phase buildPhase; false
      else
        echo \"$phases\" > $out; pwd >> $out
      fi";
    let expression = derivation("phased", script);
    let path = world.fine(&words(&[
        "build",
        "--no-link",
        "-E",
        &expression,
        "--debug-command",
        "echo in $NIVAL_PHASE; resume",
    ]));
    let place = World::data().join("store").join(path.trim_start_matches('/'));
    let text = std::fs::read_to_string(place).expect("built");
    assert!(text.starts_with("buildPhase checkPhase installPhase"), "{text}");
    assert!(text.ends_with("/build/source\n"), "{text}");
}

#[test]
fn a_shell_is_typed_to_at_a_terminal() {
    let world = World::new();
    let (shown, terminal) = nival_sys::pty::open(std::path::Path::new("/dev/pts")).expect("a terminal");
    let expression = derivation("typed", "exit 1");
    let mut command = world.command(&words(&["build", "--no-link", "-E", &expression, "--debug-on-fail"]));
    let copy = || terminal.try_clone().expect("copied");
    command.stdin(copy()).stdout(copy()).stderr(copy()).env("TERM", "dumb");
    let mut child = command.spawn().expect("it starts");
    drop((command, terminal));
    let mut shown = std::fs::File::from(shown);
    shown.write_all(b"echo sum $((40 + 2))\nexit\n").expect("typed");
    let mut text = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = shown.read(&mut buffer) {
        text.extend_from_slice(&buffer[..count]);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(child.wait().expect("it ends").code(), Some(100), "{text}");
    assert!(text.contains("This is a shell in its place") && text.contains("sum 42"), "{text}");
}

#[test]
fn a_shell_needs_a_terminal() {
    let world = World::new();
    world.refused(&["build", "--debug-on-fail", "-E", &derivation("none", "exit 1")], "NV0840");
}
