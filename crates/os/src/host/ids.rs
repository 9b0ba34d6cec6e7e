//! The range of ids that a user may give to containers.

use crate::Error;
use crate::error::Doing as _;
use nival_sys::process;
use std::process::Command;

/// The ids of one user that containers get: 0 is the user, 1 upward the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdRange {
    users: (u32, u32),
    groups: (u32, u32),
}

const NEEDED: u32 = 65_535;

impl IdRange {
    /// Finds the range of the user that runs this.
    ///
    /// # Errors
    /// [`Error::IdRange`] with the commands that set one up.
    pub fn find() -> Result<Self, Error> {
        let uid = process::user_id();
        let name = user_name().unwrap_or_else(|| uid.to_string());
        let mut missing = Vec::new();
        let mut commands = Vec::new();
        for program in ["newuidmap", "newgidmap"] {
            if find_program(program).is_none() {
                missing.push(format!("the program `{program}` is not installed"));
                if commands.is_empty() {
                    commands.push(
                        "sudo apt-get install uidmap   # or your distribution's package of shadow".to_owned(),
                    );
                }
            }
        }
        let users = range("/etc/subuid", &name, uid);
        let groups = range("/etc/subgid", &name, uid);
        for (found, file) in [(users, "/etc/subuid"), (groups, "/etc/subgid")] {
            if found.is_none() {
                missing.push(format!("`{file}` gives `{name}` no range of {NEEDED} ids"));
            }
        }
        if users.is_none() || groups.is_none() {
            let start = free_start();
            let end = start + NEEDED;
            commands
                .push(format!("sudo usermod --add-subuids {start}-{end} --add-subgids {start}-{end} {name}"));
        }
        match (users, groups) {
            (Some(users), Some(groups)) if missing.is_empty() => Ok(Self { users, groups }),
            _ => Err(Error::IdRange { missing: missing.join("; "), commands }),
        }
    }

    fn arguments(pid: u32, own: u32, (start, count): (u32, u32)) -> Vec<String> {
        [pid, 0, own, 1, 1, start, count].iter().map(u32::to_string).collect()
    }
}

/// Gives a process that made a user namespace its ids.
pub(crate) fn hand_out(range: &IdRange, pid: u32) -> Result<(), Error> {
    let (uid, gid) = (process::user_id(), process::group_id());
    for (program, own, ids) in [("newuidmap", uid, range.users), ("newgidmap", gid, range.groups)] {
        let path = find_program(program).unwrap_or_else(|| program.into());
        let mut command = Command::new(path);
        command.args(IdRange::arguments(pid, own, ids));
        let child =
            process::spawn(command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::piped()))
                .doing(|| format!("run `{program}`"))?;
        let output = child.wait_with_output().doing(|| format!("run `{program}`"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::IdRange {
                missing: format!("`{program}` refused: {said}"),
                commands: Vec::new(),
            });
        }
    }
    Ok(())
}

/// Finds a program in PATH and in the folders of administration.
pub(crate) fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The name of the user that runs this.
pub(crate) fn user_name() -> Option<String> {
    let uid = process::user_id();
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines
        .find(|fields| fields.get(2).is_some_and(|id| *id == uid.to_string()))
        .map(|fields| fields[0].to_owned())
}

fn range(file: &str, name: &str, uid: u32) -> Option<(u32, u32)> {
    let text = std::fs::read_to_string(file).ok()?;
    let uid = uid.to_string();
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let (start, count) = (fields.next()?.parse().ok()?, fields.next()?.parse::<u32>().ok()?);
        ((owner == name || owner == uid) && count >= NEEDED).then_some((start, NEEDED))
    })
}

/// The first id above all ranges that are given out.
fn free_start() -> u32 {
    let ends =
        ["/etc/subuid", "/etc/subgid"].into_iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let ends: Vec<u32> = ends
        .flat_map(|text| {
            let end = |line: &str| {
                let mut fields = line.split(':').skip(1);
                Some(fields.next()?.parse::<u32>().ok()? + fields.next()?.trim().parse::<u32>().ok()?)
            };
            text.lines().filter_map(end).collect::<Vec<_>>()
        })
        .collect();
    ends.into_iter().max().unwrap_or(0).max(100_000)
}
