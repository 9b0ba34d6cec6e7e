//! What the tests need on the machine.

use crate::command::{Failure, run};
use std::process::Command;

/// Debian packages that tests drive, and a program of each that tells whether it is there.
const NEEDED: [(&str, &str); 6] = [
    ("uidmap", "newuidmap"),
    ("curl", "curl"),
    ("iproute2", "ip"),
    ("xz-utils", "xz"),
    ("gpgv", "gpgv"),
    ("dpkg-dev", "dpkg-deb"),
];

/// Installs, as root, what is missing; otherwise says the line that does.
pub fn install() -> Result<(), Failure> {
    let there = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
            || ["/usr/sbin", "/sbin"].iter().any(|folder| std::path::Path::new(folder).join(program).is_file())
    };
    let missing: Vec<&str> = NEEDED.iter().filter(|(_, program)| !there(program)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    if !is_root {
        return Err(Failure::Said(format!(
            "the tests need more programs; install them with:\n  sudo apt-get install --yes --no-install-recommends {}",
            missing.join(" ")
        )));
    }
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(words);
        run(command)
    };
    apt(&["update", "--quiet=2"])?;
    let mut words = vec!["install", "--yes", "--quiet=2", "--no-install-recommends"];
    words.extend(missing);
    apt(&words)
}
