//! The same without root: as root, this acts as the user `nival-ci`, whom `cargo xtask setup` makes with a range of ids
//! and a control group of its own. Started by another user, the other tests are unprivileged already.

use crate::world::{World, copy, examples};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// The control group that the user may divide.
pub fn group() -> String {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let line = mounts
        .lines()
        .find(|line| line.contains(" - cgroup2 "))
        .expect("control groups of version 2 are mounted");
    format!("{}/nival-ci", line.split(' ').nth(4).expect("a mount point"))
}

fn as_user(folder: &Path, program: &Path, words: &[&str]) -> Output {
    let script =
        r#"echo $$ > "$0"/cgroup.procs && exec setpriv --reuid nival-ci --regid nival-ci --init-groups "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", script, &group()]).arg(program).args(words).current_dir(folder);
    command
        .env("HOME", folder)
        .env("NO_COLOR", "1")
        .env_remove("NIVAL_DATA_DIR")
        .env_remove("XDG_RUNTIME_DIR");
    command.env_remove("XDG_DATA_HOME").stdin(std::process::Stdio::null());
    command.output().expect("starts")
}

#[test]
fn a_user_without_privileges_builds() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let folder = world.folder.path();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("opened");
    let program = folder.join("nival");
    std::fs::copy(env!("CARGO_BIN_EXE_nival"), &program).expect("copied");
    let owner = Command::new("chown").args(["-R", "nival-ci"]).arg(folder).status().expect("chown runs");
    assert!(owner.success(), "`cargo xtask setup` makes the user nival-ci");
    let expression = "derivation { name = \"it\"; system = builtins.currentSystem; builder = \"/bin/sh\"; \
        PATH = \"/bin:/usr/bin\"; args = [ \"-ec\" \"mkdir -m 0 $out; id -u\" ]; }";
    let paths = "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?";
    for check in [&[][..], &["--check"]] {
        let mut words =
            vec!["build", "--no-link", "-L", "-E", expression, "--option", "sandbox-paths", paths];
        words.extend(check);
        let output = as_user(folder, &program, &words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.contains("it> 1000"), "{said}");
    }
    let verified = as_user(folder, &program, &["store", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn a_user_without_privileges_has_the_same() {
    if !is_root() {
        return;
    }
    let world = World::of(&[]);
    let folder = world.folder.path();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("opened");
    copy(&examples().join("web"), &folder.join("web"));
    let program = folder.join("nival");
    std::fs::copy(env!("CARGO_BIN_EXE_nival"), &program).expect("copied");
    let owner = Command::new("chown").args(["-R", "nival-ci"]).arg(folder).status().expect("chown runs");
    assert!(owner.success(), "`cargo xtask setup` makes the user nival-ci");
    let run = |words: &[&str]| {
        let output = as_user(folder, &program, words);
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(
            output.status.success(),
            "nival {}\n{text}{}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        text
    };
    let shown = run(&["up", "--detach", "web"]);
    let address = shown
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("web: http://127.0.0.1:"))
        .expect("an address");
    let port: u16 = address.trim_end_matches('/').parse().expect("a port");
    assert!(crate::world::get(port, "localhost").is_some_and(|page| page.contains("It runs")));
    assert_eq!(run(&["shell", "web", "--", "psql", "-Atc", "select 1 + 1"]), "2");
    let configuration = folder.join("web/configuration.nix");
    let text = std::fs::read_to_string(&configuration).expect("read");
    std::fs::write(&configuration, text.replace("enable = true;\n  services.postgresql.databases", "enable = true;\n  services.postgresql.settings.work_mem = \"16MB\";\n  services.postgresql.databases")).expect("written");
    run(&["switch", "web"]);
    assert_eq!(run(&["shell", "web", "--", "psql", "-Atc", "show work_mem"]), "16MB");
    run(&["rollback", "web"]);
    assert_eq!(run(&["shell", "web", "--", "psql", "-Atc", "show work_mem"]), "4MB");
    run(&["down", "--delete-data", "--yes", "web"]);
    // What sub-ids made in the user's folder is gone; the rest the test's owner can delete.
    let _ = Command::new("chown").args(["-R", "root"]).arg(folder).status();
}
