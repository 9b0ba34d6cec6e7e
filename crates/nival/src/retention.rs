//! Generations of profiles: which of them stay, and which go.
//!
//! A profile is a link `NAME` to `NAME-N-link` beside it, which leads to a store path; each `NAME-N-link` is a
//! generation and a root.

use crate::dropin::usage;
use crate::error::{Error, unwritable};
use nival_store::LocalStore;
use nival_sys::fs as sys;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Which generations of a profile stay; the current one always does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keep {
    /// So many of the newest, the current one among them.
    pub last: usize,
    /// The newest of each of so many days that have one.
    pub daily: usize,
    /// What was current at this time, in seconds since 1970, or later.
    pub since: Option<i64>,
}

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// Its link.
    pub link: PathBuf,
    /// When it was made, in seconds since 1970.
    pub made: i64,
}

/// Folders in which profiles lie: the store's, and the user's own.
pub fn profile_folders(store: &LocalStore) -> Vec<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let own = state.or_else(home).map(|state| state.join("nix/profiles"));
    let all = [Some(store.state().join("profiles")), own];
    all.into_iter().flatten().filter(|folder| folder.is_dir()).collect()
}

/// The profile that the user's own link leads to, wherever it lies.
pub fn linked_profile() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute())?;
    let link = home.join(".nix-profile");
    let profile = home.join(link.read_link().ok()?);
    let target = profile.read_link().ok()?;
    number_in(&target, &profile).map(|_| profile)
}

/// The profiles below a folder.
pub fn profiles(folder: &Path) -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            found.extend(profiles(&path));
        } else if kind.is_symlink()
            && let Ok(target) = path.read_link()
            && number_in(&target, &path).is_some()
        {
            found.insert(path);
        }
    }
    found.into_iter().collect()
}

/// The number in `NAME-N-link`.
fn number_in(link: &Path, profile: &Path) -> Option<u64> {
    let name = profile.file_name()?.to_str()?;
    let rest = link.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix('-')?;
    rest.strip_suffix("-link")?.parse().ok()
}

/// The generations of a profile, rising.
pub fn generations(profile: &Path) -> Vec<Generation> {
    let folder = profile.parent().unwrap_or(Path::new("."));
    let mut found: Vec<_> = folder
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let link = entry.path();
            let made = link.symlink_metadata().ok()?.mtime();
            Some(Generation { number: number_in(&link, profile)?, link, made })
        })
        .collect();
    found.sort_by_key(|generation| generation.number);
    found
}

/// Those of some generations that go.
fn going(all: &[Generation], current: Option<u64>, keep: &Keep) -> Vec<Generation> {
    let mut stays = BTreeSet::new();
    stays.extend(current);
    stays.extend(
        all.iter().rev().take(keep.last.saturating_sub(usize::from(keep.last == 1))).map(|one| one.number),
    );
    let mut days = BTreeSet::new();
    for one in all.iter().rev() {
        let day = one.made.div_euclid(86400);
        if days.len() < keep.daily && days.insert(day) {
            stays.insert(one.number);
        }
    }
    if let Some(since) = keep.since {
        stays.extend(all.iter().filter(|one| one.made >= since).map(|one| one.number));
        // The one that was current then.
        stays.extend(all.iter().rev().find(|one| one.made < since).map(|one| one.number));
    }
    all.iter().filter(|one| !stays.contains(&one.number)).cloned().collect()
}

/// Removes generations of a profile that do not stay, and gives them; with `dry` they are given alone.
pub fn prune(profile: &Path, keep: &Keep, dry: bool) -> Result<Vec<Generation>, Error> {
    let current = profile.read_link().ok().and_then(|target| number_in(&target, profile));
    let gone = going(&generations(profile), current, keep);
    for one in gone.iter().filter(|_| !dry) {
        sys::remove_file(&one.link).map_err(|error| Error::plain(unwritable(&one.link, &error)))?;
    }
    Ok(gone)
}

/// The moment that lies some time before now: `30d`, `12h`, `2w`.
pub fn before_now(text: &str) -> Result<i64, Error> {
    let units = [("d", 86400), ("w", 7 * 86400), ("h", 3600), ("m", 60)];
    let found = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)));
    let seconds = found.and_then(|(count, seconds)| count.parse::<i64>().ok()?.checked_mul(seconds));
    let seconds = seconds.ok_or_else(|| usage(&format!("`{text}` is no time such as `30d`")))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    Ok(now - seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(number: u64, made: i64) -> Generation {
        Generation { number, link: format!("p-{number}-link").into(), made }
    }

    fn kept(keep: &Keep, current: u64) -> Vec<u64> {
        let day = 86400;
        let all = [one(1, 0), one(2, 10), one(3, day), one(4, day + 5), one(5, 3 * day)];
        let gone: Vec<_> = going(&all, Some(current), keep).iter().map(|one| one.number).collect();
        all.iter().map(|one| one.number).filter(|number| !gone.contains(number)).collect()
    }

    #[test]
    fn policies_keep_what_they_say() {
        let keep = Keep::default();
        assert_eq!(kept(&keep, 5), [5]);
        assert_eq!(kept(&Keep { last: 1, ..keep }, 3), [3], "the current one is the last");
        assert_eq!(kept(&Keep { last: 3, ..keep }, 5), [3, 4, 5]);
        assert_eq!(kept(&Keep { daily: 2, ..keep }, 5), [4, 5]);
        assert_eq!(kept(&Keep { since: Some(86400), ..keep }, 5), [2, 3, 4, 5], "2 was current then");
        assert_eq!(kept(&Keep { last: 2, ..keep }, 1), [1, 4, 5]);
    }
}
