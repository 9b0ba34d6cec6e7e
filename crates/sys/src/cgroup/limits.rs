//! Groups with limits of memory and processes, for what nobody trusts.
//!
//! A limit is set in the unified hierarchy where its controller can be had there, else in the hierarchy of version 1 that
//! has it.

use super::{join, kill, mounted_at, of, remove};
use crate::{fault, fs::at};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What a group may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
}

/// A limit that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// Something was killed for want of memory.
    Memory,
    /// No process could be started any more.
    Processes,
}

/// Groups of one name, with limits; they and all processes in them are gone with this.
#[derive(Debug)]
pub struct Limited {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    folder: PathBuf,
    is_unified: bool,
}

impl Limited {
    /// Makes the groups that the limits need; without limits, one of the unified hierarchy.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where a controller cannot be had, and what the kernel says.
    pub fn make(name: &str, limits: Limits) -> io::Result<Self> {
        fault::point("cgroup_limit", &name)?;
        let mut made = Self { groups: Vec::new() };
        let memory = limits.memory.map(|bytes| ("memory", bytes));
        let wanted: Vec<_> =
            memory.into_iter().chain(limits.processes.map(|count| ("pids", count))).collect();
        let mut left = wanted.clone();
        if let Some(base) = unified_base(&wanted)? {
            let folder = made.add(base.join(name), true)?;
            let has = std::fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
            left.retain(|(controller, _)| !has.split_whitespace().any(|name| name == *controller));
            for (controller, limit) in wanted.iter().filter(|one| !left.contains(one)) {
                limit_unified(&folder, controller, *limit)?;
            }
        } else if wanted.is_empty() {
            return Err(io::Error::new(
                ErrorKind::Unsupported,
                "no control group can be made in the unified hierarchy",
            ));
        }
        for (controller, limit) in left {
            let Some(base) = old_base(controller)? else {
                let text = format!("no control group with the controller `{controller}` can be made");
                return Err(io::Error::new(ErrorKind::Unsupported, text));
            };
            let folder = made.add(base.join(name), false)?;
            limit_old(&folder, controller, limit)?;
        }
        Ok(made)
    }

    fn add(&mut self, folder: PathBuf, is_unified: bool) -> io::Result<PathBuf> {
        at(&folder, std::fs::create_dir(&folder))?;
        self.groups.push(Group { folder: folder.clone(), is_unified });
        Ok(folder)
    }

    /// The folders of the groups, which a process joins that is to be held.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.groups.iter().map(|group| group.folder.as_path())
    }

    /// The limit that was passed so far.
    #[must_use]
    pub fn passed(&self) -> Option<Passed> {
        let counts = |group: &Group, file: &str, word: &str| {
            let text = std::fs::read_to_string(group.folder.join(file)).unwrap_or_default();
            text.lines().filter_map(|line| line.split_once(' ')).any(|(found, count)| {
                found == word && count.trim().parse::<u64>().is_ok_and(|count| count > 0)
            })
        };
        for group in &self.groups {
            let memory = if group.is_unified { "memory.events" } else { "memory.oom_control" };
            if counts(group, memory, "oom_kill") {
                return Some(Passed::Memory);
            }
            if counts(group, "pids.events", "max") {
                return Some(Passed::Processes);
            }
        }
        None
    }

    /// Kills all that is in the groups.
    pub fn kill(&self) {
        for group in &self.groups {
            // What is gone already is what was wanted.
            let _ = if group.is_unified { kill(&group.folder) } else { kill_each(&group.folder) };
        }
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        self.kill();
        for group in &self.groups {
            // A group that stays is empty, and does no harm.
            let _ = remove(&group.folder);
        }
    }
}

/// Joins groups; for the process that calls.
///
/// # Errors
/// What the kernel says.
pub fn join_all(folders: &[PathBuf]) -> io::Result<()> {
    folders.iter().try_for_each(|folder| join(folder, 0))
}

/// The version 1 has no word for it: whoever is there is killed until nobody is.
fn kill_each(folder: &Path) -> io::Result<()> {
    for _ in 0..100 {
        let members = std::fs::read_to_string(folder.join("cgroup.procs"))?;
        if members.trim().is_empty() {
            return Ok(());
        }
        for pid in members.lines().filter_map(|line| line.parse().ok()) {
            let _ = crate::process::signal(pid, 9);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Ok(())
}

/// The group of the unified hierarchy below which one with limits can be made: the own one where it is the root, else the
/// one that it lies in, since a group with processes gives its children no controllers.
fn unified_base(wanted: &[(&str, u64)]) -> io::Result<Option<PathBuf>> {
    let Some(mounted) = mounted_at()? else { return Ok(None) };
    let own = of("self")?;
    let own = own.trim_matches('/');
    let base = match own.rsplit_once('/') {
        _ if own.is_empty() => mounted,
        Some((parent, _)) => mounted.join(parent),
        None => mounted,
    };
    if !may_write(&base) {
        return Ok(None);
    }
    let read = |file: &str| std::fs::read_to_string(base.join(file)).unwrap_or_default();
    let available = read("cgroup.controllers");
    let given = read("cgroup.subtree_control");
    let has = |text: &str, name: &str| text.split_whitespace().any(|word| word == name);
    for (controller, _) in wanted {
        if has(&available, controller) && !has(&given, controller) {
            // What is refused is looked for in the other hierarchies.
            let _ = std::fs::write(base.join("cgroup.subtree_control"), format!("+{controller}"));
        }
    }
    Ok(Some(base))
}

fn may_write(folder: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::CString::new(folder.as_os_str().as_bytes()).is_ok_and(|folder| crate::fs::may_write(&folder))
}

fn limit_unified(folder: &Path, controller: &str, limit: u64) -> io::Result<()> {
    let set = |file: &str, value: &str| at(folder, std::fs::write(folder.join(file), value));
    if controller == "pids" {
        return set("pids.max", &limit.to_string());
    }
    set("memory.max", &limit.to_string())?;
    // Where there is no swap, there is nothing to limit.
    let _ = set("memory.swap.max", "0");
    set("memory.oom.group", "1")
}

/// The group of version 1 that has a controller and that this process may add to.
fn old_base(controller: &str) -> io::Result<Option<PathBuf>> {
    let table = std::fs::read_to_string("/proc/self/mounts")?;
    let mounted = table.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind, options) = (words.next()?, words.next()?, words.next()?);
        (kind == "cgroup" && options.split(',').any(|option| option == controller))
            .then(|| PathBuf::from(place))
    });
    let Some(mounted) = mounted else { return Ok(None) };
    let table = std::fs::read_to_string("/proc/self/cgroup")?;
    let own = table.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == controller).then_some(path)
    });
    let own = mounted.join(own.unwrap_or_default().trim_start_matches('/'));
    // Inside of a container the path may be one that is not seen.
    let base = if own.is_dir() { own } else { mounted };
    Ok(may_write(&base).then_some(base))
}

fn limit_old(folder: &Path, controller: &str, limit: u64) -> io::Result<()> {
    let set = |file: &str| at(folder, std::fs::write(folder.join(file), limit.to_string()));
    if controller == "pids" {
        return set("pids.max");
    }
    set("memory.limit_in_bytes")?;
    // Where swap is not counted, there is nothing to limit.
    let _ = set("memory.memsw.limit_in_bytes");
    Ok(())
}
