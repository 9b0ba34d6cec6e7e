//! What the tests need on the machine.

use crate::command::{Failure, run};
use std::process::Command;

/// Debian packages that tests drive, and a program of each that tells whether it is there.
const NEEDED: [(&str, &str); 13] = [
    ("uidmap", "newuidmap"),
    ("curl", "curl"),
    ("iproute2", "ip"),
    ("xz-utils", "xz"),
    ("gpgv", "gpgv"),
    ("dpkg-dev", "dpkg-deb"),
    ("passt", "pasta"),
    ("nftables", "nft"),
    ("iptables", "iptables"),
    ("procps", "pgrep"),
    ("strace", "strace"),
    ("skopeo", "skopeo"),
    ("mercurial", "hg"),
];

/// Installs, as root, what is missing; otherwise says the line that does.
pub fn install() -> Result<(), Failure> {
    let there = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
            || ["/usr/sbin", "/sbin"]
                .iter()
                .any(|folder| std::path::Path::new(folder).join(program).is_file())
    };
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(_, program)| !there(program)).map(|(name, _)| *name).collect();
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    if missing.is_empty() {
        return if is_root { user() } else { Ok(()) };
    }
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
    apt(&words)?;
    user()
}

/// Makes the user `nival-ci`, for the tests of machines without root: with a range of ids and a control group of its own.
fn user() -> Result<(), Failure> {
    let script = r#"
        id nival-ci >/dev/null 2>&1 || useradd --create-home --shell /bin/bash nival-ci
        grep -q '^nival-ci:' /etc/subuid || echo 'nival-ci:100000:65536' >> /etc/subuid
        grep -q '^nival-ci:' /etc/subgid || echo 'nival-ci:100000:65536' >> /etc/subgid
        mounted=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
        if [ -z "$mounted" ]; then
            mkdir -p /sys/fs/cgroup/unified
            mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
            mounted=/sys/fs/cgroup/unified
        fi
        group=$mounted/nival-ci
        mkdir -p "$group"
        chown nival-ci "$group" "$group/cgroup.procs" "$group/cgroup.subtree_control" "$group/cgroup.threads"
    "#;
    let mut command = Command::new("sh");
    command.args(["-euc", script]);
    run(command)
}
