//! Control groups of the unified hierarchy, and groups with limits.

pub mod limits;

use crate::{fault, fs::at};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the unified hierarchy is mounted in this mount namespace.
///
/// # Errors
/// When the table of mounts cannot be read.
pub fn mounted_at() -> io::Result<Option<PathBuf>> {
    let table = std::fs::read_to_string("/proc/self/mounts")?;
    let mut lines = table.lines().map(|line| line.split(' '));
    Ok(lines.find_map(|mut words| {
        let path = words.nth(1)?;
        (words.next()? == "cgroup2").then(|| PathBuf::from(path))
    }))
}

/// The path of a process's group in the unified hierarchy, as its namespace shows it (`/` is the root).
///
/// # Errors
/// When the process is gone.
pub fn of(pid: &str) -> io::Result<String> {
    let path = format!("/proc/{pid}/cgroup");
    let table = at(Path::new(&path), std::fs::read_to_string(&path))?;
    let line = table.lines().find_map(|line| line.strip_prefix("0::"));
    Ok(line.unwrap_or("/").to_owned())
}

/// Moves a process into a group; 0 is the caller.
///
/// # Errors
/// `EACCES` where neither group lies in one delegated tree.
pub fn join(group: &Path, pid: i32) -> io::Result<()> {
    fault::point("cgroup_join", &group)?;
    at(group, std::fs::write(group.join("cgroup.procs"), pid.to_string()))
}

/// Lets a group's children use all controllers that it may give them; what is refused is left out.
pub fn offer_controllers(group: &Path) {
    let available = std::fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    for controller in available.split_whitespace() {
        if fault::point("cgroup_control", &controller).is_ok() {
            let _ = std::fs::write(group.join("cgroup.subtree_control"), format!("+{controller}"));
        }
    }
}

/// Kills every process in a group and below it.
///
/// # Errors
/// Whatever the kernel says.
pub fn kill(group: &Path) -> io::Result<()> {
    fault::point("cgroup_kill", &group)?;
    match std::fs::write(group.join("cgroup.kill"), "1") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => at(group, other),
    }
}

/// Removes a group and all below it, waiting a while for its processes to be gone.
///
/// # Errors
/// `EBUSY` when processes are left.
pub fn remove(group: &Path) -> io::Result<()> {
    fault::point("cgroup_remove", &group)?;
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        match remove_once(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return at(group, other),
        }
    }
}

fn remove_once(group: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_once(&entry.path())?;
        }
    }
    match std::fs::remove_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
