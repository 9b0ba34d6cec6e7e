//! The way outside of a machine without root: `pasta` gives it a link whose packets become the user's own connections.

use super::network::inside;
use crate::host;
use nival_sys::{cgroup, namespace, network, process};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The machine's link.
const LINK: &str = "up0";
/// Its address; every machine has a network of its own, so all have the same.
const ADDRESS: &str = "10.214.0.2";
const GATEWAY: &str = "10.214.0.1";
/// Where the machine asks for names: the host's own servers answer.
const NAMES: &str = "10.214.0.3";

/// The machine's list of name servers.
pub(super) fn resolv() -> String {
    format!("nameserver {NAMES}\n")
}

/// Finds the program.
///
/// # Errors
/// What is missing, with the command that mends it.
pub(super) fn find() -> Result<PathBuf, String> {
    let Some(program) = host::find_program("pasta") else {
        return Err("`pasta` is not installed: sudo apt-get install passt".to_owned());
    };
    let device = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    match device {
        Ok(_) => Ok(program),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err("there is no `/dev/net/tun`: sudo modprobe tun".to_owned())
        }
        Err(_) => Err("`/dev/net/tun` cannot be opened: sudo chmod 0666 /dev/net/tun".to_owned()),
    }
}

/// Connects a machine; returns when its link is there. It ends with the machine's control groups.
pub(super) fn start(program: &Path, first: i32, group: &Path) -> std::io::Result<()> {
    let space = namespace::open(first, "net")?;
    let mut command = Command::new(program);
    command.args(["--foreground", "--quiet", "--config-net", "--no-netns-quit", "--no-map-gw"]);
    command.args(["--netns", "/proc/self/fd/0", "--ns-ifname", LINK]);
    command.args(["--address", ADDRESS, "--netmask", "24", "--gateway", GATEWAY, "--dns-forward", NAMES]);
    command.args(["-t", "none", "-u", "none", "-T", "none", "-U", "none"]).current_dir("/");
    command.stdin(OwnedFd::from(space.try_clone()?)).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = process::spawn(process::new_session(&mut command))?;
    cgroup::join(group, child.id().cast_signed())?;
    let end = Instant::now() + Duration::from_secs(3);
    let there = || inside(&space, || network::index_of(LINK)).is_ok();
    while !there() {
        if let Some(status) = child.try_wait()? {
            return Err(std::io::Error::other(format!("`pasta` ended: {status}")));
        }
        if Instant::now() > end {
            return Err(std::io::Error::other("`pasta` made no link"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::spawn(move || child.wait());
    Ok(())
}
