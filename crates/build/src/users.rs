//! Users that builders become where this process is root.
//!
//! Members of a group, as Nix has them, or numbers that belong to nobody, from Nix's own range. One user is one
//! builder's at a time: a lock in the store's state folder says so, which Nix takes as well.

use crate::build_error::BuildError;
use crate::sandbox::OutsideUser;
use nival_sys::{fs, owner, process};
use std::fs::File;
use std::path::Path;

/// The first of the numbers that belong to nobody, how many there are for each builder, and how many builders.
const FIRST: u32 = 0x3400_0000;
const WIDTH: u32 = 1 << 16;
const SLOTS: u32 = 128;

/// A user that is one builder's, until this goes.
#[derive(Debug)]
pub struct BuildUser {
    /// Who it is.
    pub user: OutsideUser,
    _lock: File,
}

/// Takes a user for one builder. `None` where builders are this process's own user: it is not root, or rules no other
/// users, or the builder is not `confined` and there is no group whose members may write to the store.
///
/// # Errors
/// [`BuildError::Sandbox`] where the lock's file cannot be made, or every user is taken.
pub fn acquire(state: &Path, group: Option<&str>, confined: bool) -> Result<Option<BuildUser>, BuildError> {
    if process::user_id() != 0 {
        return Ok(None);
    }
    let failed = |error| BuildError::sandbox("take a user for the builder", error);
    let members = group.filter(|group| !group.is_empty()).map(members).unwrap_or_default();
    if !members.is_empty() {
        let folder = state.join("userpool");
        fs::create_dir_all(&folder).map_err(failed)?;
        for user in members {
            if let Some(lock) = locked(&folder.join(user.user.to_string())).map_err(failed)? {
                return Ok(Some(BuildUser { user, _lock: lock }));
            }
        }
    } else if confined && rules(FIRST + WIDTH * SLOTS) {
        let folder = state.join("userpool2");
        fs::create_dir_all(&folder).map_err(failed)?;
        for slot in 0..SLOTS {
            if let Some(lock) = locked(&folder.join(format!("slot-{slot}"))).map_err(failed)? {
                let number = FIRST + slot * WIDTH;
                return Ok(Some(BuildUser {
                    user: OutsideUser { user: number, group: number },
                    _lock: lock,
                }));
            }
        }
    } else {
        return Ok(None);
    }
    Err(failed(std::io::Error::other("every one of them is another builder's")))
}

fn locked(path: &Path) -> std::io::Result<Option<File>> {
    let file = fs::open_private(path)?;
    Ok(owner::try_lock(&file)?.then_some(file))
}

/// Whether this process's user namespace has a user of this number.
fn rules(number: u32) -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|line| {
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        matches!(numbers[..], [inside, _, count] if inside == 0 && count > u64::from(number))
    })
}

/// The members of a group with the group's number.
fn members(group: &str) -> Vec<OutsideUser> {
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let Some(line) = groups.lines().find(|line| line.split(':').next() == Some(group)) else {
        return Vec::new();
    };
    let fields: Vec<&str> = line.split(':').collect();
    let [_, _, number, names] = fields[..] else { return Vec::new() };
    let Ok(number) = number.parse() else { return Vec::new() };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let by_name = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        Some(OutsideUser { user: line.split(':').nth(2)?.parse().ok()?, group: number })
    };
    names.split(',').filter(|name| !name.is_empty()).filter_map(by_name).collect()
}
