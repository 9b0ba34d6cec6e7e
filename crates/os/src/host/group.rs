//! The control groups of machines on this host.

use crate::Error;
use crate::error::Doing as _;
use nival_sys::{cgroup, fs};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// The control groups of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    /// The folder of both.
    pub whole: PathBuf,
    /// The machine's own processes.
    pub machine: PathBuf,
    /// The monitor.
    pub monitor: PathBuf,
    /// What connects the machine to the outside.
    pub outside: PathBuf,
}

impl Groups {
    /// The groups of a machine below `base`; machines of one name in two data folders have different ones.
    pub fn of(base: &Path, folder: &Path, name: &str) -> Self {
        let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
        let mark: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let whole = base.join(format!("nival.{name}-{mark}"));
        Self {
            machine: whole.join("machine"),
            monitor: whole.join("monitor"),
            outside: whole.join("outside"),
            whole,
        }
    }

    /// Makes them anew: what a killed machine left over is removed first.
    ///
    /// # Errors
    /// When processes that cannot be killed are left, or the group is not ours.
    pub fn make(&self) -> Result<(), Error> {
        self.remove()?;
        let make = || -> std::io::Result<()> {
            fs::create_dir_all(&self.whole)?;
            cgroup::offer_controllers(&self.whole);
            fs::create_dir_all(&self.machine)?;
            fs::create_dir_all(&self.monitor)?;
            fs::create_dir_all(&self.outside)
        };
        make().doing(|| format!("make the control group `{}`", self.whole.display()))
    }

    /// Removes them with all processes that are left.
    ///
    /// # Errors
    /// When processes that cannot be killed are left.
    pub fn remove(&self) -> Result<(), Error> {
        if !self.whole.exists() {
            return Ok(());
        }
        cgroup::kill(&self.whole)
            .and_then(|()| cgroup::remove(&self.whole))
            .doing(|| format!("remove the control group `{}`", self.whole.display()))
    }
}

/// How a supervisor gets a control group that it may divide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// This one is ours.
    Here(PathBuf),
    /// The host's systemd gives one to each program that these words start.
    Scope(Vec<String>),
}

/// Finds a control group for a supervisor: one that systemd delegated to this process, a new scope of the host's
/// systemd, or the one of this process.
///
/// # Errors
/// [`Error::ControlGroup`] with the commands that set one up.
pub(crate) fn place(machines: &[&str]) -> Result<Place, Error> {
    let own = base();
    let delegated = own.as_deref().is_ok_and(fs::is_delegated);
    if delegated || !Path::new("/run/systemd/system").exists() {
        return own.map(Place::Here);
    }
    let Some(program) = super::find_program("systemd-run") else { return own.map(Place::Here) };
    let mut words = vec![program.to_string_lossy().into_owned()];
    if nival_sys::process::user_id() != 0 {
        words.push("--user".to_owned());
    }
    words.extend(["--scope", "--quiet", "--collect", "--property=Delegate=yes"].map(str::to_owned));
    words.push(format!("--description=Nival: {}", machines.join(", ")));
    words.push("--".to_owned());
    let mut probe = std::process::Command::new(&words[0]);
    probe.args(&words[1..]).arg("true").stdin(std::process::Stdio::null());
    probe.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let works = nival_sys::process::spawn(&mut probe).and_then(|mut child| child.wait());
    if works.is_ok_and(|status| status.success()) { Ok(Place::Scope(words)) } else { own.map(Place::Here) }
}

/// The group below which machines may get theirs: the one of this process, which must be ours to divide.
///
/// # Errors
/// [`Error::ControlGroup`] with the commands that set one up.
pub(crate) fn base() -> Result<PathBuf, Error> {
    let mounted = cgroup::mounted_at().doing(|| "read the table of mounts".to_owned())?;
    let Some(mounted) = mounted else {
        return Err(Error::ControlGroup {
            missing: "no control groups of version 2 are mounted".to_owned(),
            commands: vec!["sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup".to_owned()],
        });
    };
    let own = cgroup::of("self").doing(|| "read the own control group".to_owned())?;
    // A supervisor in a group of its own makes its machines' groups beside it.
    let own = own.trim_end_matches("/nival.supervisor").trim_start_matches('/');
    divisible(mounted.join(own), &mounted)
}

fn divisible(base: PathBuf, mounted: &Path) -> Result<PathBuf, Error> {
    if writable(&base) && writable(&base.join("cgroup.procs")) {
        return Ok(base);
    }
    let uid = nival_sys::process::user_id();
    let commands = if Path::new("/run/systemd/system").exists() {
        vec!["systemd-run --user --scope --property=Delegate=yes nival up ...".to_owned()]
    } else {
        let folder = mounted.join(format!("nival-{uid}"));
        let folder = folder.display();
        vec![
            format!("sudo mkdir -p {folder}"),
            format!(
                "sudo chown {uid} {folder} {folder}/cgroup.procs {folder}/cgroup.subtree_control {folder}/cgroup.threads"
            ),
            format!("echo $$ | sudo tee {folder}/cgroup.procs   # in each shell that starts machines"),
        ]
    };
    let missing = format!("`{}` is not this user's to divide", base.display());
    Err(Error::ControlGroup { missing, commands })
}

fn writable(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    let Ok(path) = std::ffi::CString::new(path.as_os_str().as_bytes()) else { return false };
    nival_sys::fs::may_write(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_group_is_told_the_command() {
        let nowhere = Path::new("/proc/self/nowhere");
        let error = divisible(nowhere.to_owned(), nowhere).unwrap_err();
        let Error::ControlGroup { commands, .. } = &error else { panic!("{error}") };
        assert!(!commands.is_empty());
        assert_eq!(error.diagnostic().entry.code, "NV0608");
    }
}
