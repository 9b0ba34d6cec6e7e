//! Where a machine keeps what outlives its processes.
//!
//! `DATA/machines/NAME` holds `data/` (the machine's /var, /home, /root, /srv) and
//! `state/`: generations, composed layers, ids and the journal of switches. Inside of
//! the machine `state/` is `/var/lib/nival`, so that a switch needs nobody outside.

use crate::error::Doing as _;
use crate::{Error, Manifest, names};
use nival_sys::fs;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};

/// The folder of one machine on the host.
#[derive(Clone, Debug)]
pub struct MachineFolder(PathBuf);

impl From<PathBuf> for MachineFolder {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl MachineFolder {
    /// The folder of the machine `name` in the data folder `data`.
    #[must_use]
    pub fn new(data: &Path, name: &str) -> Self {
        Self(data.join("machines").join(name))
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the machine's services write: `var`, `home`, `root`, `srv`.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// Generations and everything about them.
    #[must_use]
    pub fn state(&self) -> State {
        State::new(self.0.join("state"))
    }

    /// The file whose lock the supervisor holds.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// What process 1 wrote to its console.
    #[must_use]
    pub fn console(&self) -> PathBuf {
        self.0.join("console.log")
    }

    /// Why the machine ended, where nobody asked it to.
    #[must_use]
    pub fn ended(&self) -> PathBuf {
        self.0.join("ended.json")
    }

    /// Whether a supervisor or a monitor holds the machine now.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let Ok(file) = std::fs::File::open(self.lock()) else { return false };
        !nival_sys::owner::try_lock(&file).unwrap_or(true)
    }

    /// A mount point that is used while the machine is made.
    #[must_use]
    pub fn mount_point(&self) -> PathBuf {
        self.0.join("root")
    }
}

/// Why a machine ended that nobody asked to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// When, in seconds since 1970.
    pub at: u64,
    /// What is known.
    pub error: Error,
}

impl Ended {
    /// Notes it for `nival status` and `nival logs`.
    pub(crate) fn write(&self, folder: &MachineFolder) -> Result<(), Error> {
        write_json(&folder.ended(), self)
    }

    /// What was noted, until the machine is started again.
    #[must_use]
    pub fn read(folder: &MachineFolder) -> Option<Self> {
        read_json(&folder.ended()).ok()
    }
}

/// The generations of a machine and the journal of its switches.
#[derive(Clone, Debug)]
pub struct State(PathBuf);

/// The file that marks a generation that was the current one once.
const COUNTED: &str = "counted";

/// What is known about a generation beside its manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Generation {
    /// Its number, from 1.
    pub number: u64,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// Whether it is the one that the machine runs, or boots next.
    #[serde(default)]
    pub current: bool,
    /// Whether it ever was the current one; a switch that failed leaves one that never was.
    #[serde(default)]
    pub counted: bool,
    /// What it was made by: `up`, `switch`, `rollback to 3`.
    #[serde(default)]
    pub made_by: String,
}

impl State {
    /// The state in a folder.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of composed layers, each named by the digest of what it is made from.
    #[must_use]
    pub fn layers(&self) -> PathBuf {
        self.0.join("layers")
    }

    /// What is known about packages' files, by store path.
    #[must_use]
    pub fn listings(&self) -> PathBuf {
        self.0.join("listings")
    }

    /// The ids that were chosen for users and groups.
    #[must_use]
    pub fn ids(&self) -> PathBuf {
        self.0.join("ids.json")
    }

    /// The journal of the switch that is under way or was the last one.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.0.join("switch.json")
    }

    /// What the switch reports while it goes on, one JSON value a line.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.0.join("switch.events")
    }

    /// The file whose lock a client holds while it asks for a switch.
    #[must_use]
    pub fn switch_lock(&self) -> PathBuf {
        self.0.join("switch.lock")
    }

    /// Space that is set aside while a switch goes on, so that a disk that becomes full cannot keep it from its end.
    #[must_use]
    pub fn reserve(&self) -> PathBuf {
        self.0.join("switch.reserve")
    }

    fn generations_folder(&self) -> PathBuf {
        self.0.join("generations")
    }

    /// The folder of one generation.
    #[must_use]
    pub fn generation(&self, number: u64) -> PathBuf {
        self.generations_folder().join(number.to_string())
    }

    /// The number of the generation that counts, if there is one.
    #[must_use]
    pub fn current(&self) -> Option<u64> {
        let target = fs::read_link(self.0.join("current")).ok()?;
        target.file_name()?.to_str()?.parse().ok()
    }

    /// Makes a generation the one that counts, in one step.
    ///
    /// # Errors
    /// When the link cannot be written.
    pub fn set_current(&self, number: u64) -> Result<(), Error> {
        let link = self.0.join("current");
        fs::write_atomic(&self.generation(number).join(COUNTED), b"", 0o644)
            .doing(|| format!("make generation {number} the current one"))?;
        fs::symlink_atomic(Path::new(&format!("generations/{number}")), &link)
            .and_then(|()| fs::sync_dir(&self.0))
            .doing(|| format!("make generation {number} the current one"))
    }

    /// The numbers of all generations, rising.
    #[must_use]
    pub fn numbers(&self) -> Vec<u64> {
        let entries = fs::read_dir(self.generations_folder()).into_iter().flatten().flatten();
        let mut numbers: Vec<u64> =
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// All generations, rising.
    #[must_use]
    pub fn generations(&self) -> Vec<Generation> {
        let current = self.current();
        self.numbers()
            .into_iter()
            .filter_map(|number| {
                let about: Generation = read_json(&self.generation(number).join("about.json")).ok()?;
                Some(Generation { current: current == Some(number), counted: self.counted(number), ..about })
            })
            .collect()
    }

    /// Whether a generation ever was the current one.
    #[must_use]
    pub fn counted(&self, number: u64) -> bool {
        self.generation(number).join(COUNTED).exists()
    }

    /// The manifest of a generation.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn manifest(&self, number: u64) -> Result<Manifest, Error> {
        let path = self.generation(number).join("manifest.json");
        let text = fs::read(&path).doing(|| format!("read `{}`", path.display()))?;
        Manifest::from_json(&text)
    }

    /// Stores a manifest (with further files) as the next generation, wholly or not at all; gives its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, manifest: &Manifest, made_by: &str, files: &[(&str, Vec<u8>)]) -> Result<u64, Error> {
        let folder = self.generations_folder();
        let number = self.numbers().last().copied().unwrap_or(0) + 1;
        let about = Generation {
            number,
            created: names::now(),
            current: false,
            counted: false,
            made_by: made_by.to_owned(),
        };
        let about = serde_json::to_vec(&about).unwrap_or_default();
        let manifest = manifest.to_json();
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(&folder)?;
            let staged = folder.join(".new");
            fs::remove_tree(&staged)?;
            fs::create_dir_all(&staged)?;
            fs::write_atomic(&staged.join("manifest.json"), &manifest, 0o644)?;
            fs::write_atomic(&staged.join("about.json"), &about, 0o644)?;
            for (name, contents) in files {
                fs::write_atomic(&staged.join(name), contents, 0o644)?;
            }
            fs::rename(&staged, &folder.join(number.to_string()))?;
            fs::sync_dir(&folder)
        };
        write().doing(|| format!("store generation {number}"))?;
        Ok(number)
    }

    /// Forgets generations: of those that ever counted the `last` ones stay (the current one is the last), and those
    /// made since a time where one is given; of those that never counted only one that is the newest of all. Gives the
    /// numbers of those that are gone.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn prune(&self, last: usize, since: Option<u64>) -> Result<Vec<u64>, Error> {
        let all = self.generations();
        let counted: Vec<u64> =
            all.iter().filter(|one| one.counted || one.current).map(|one| one.number).collect();
        let kept = &counted[counted.len().saturating_sub(last.max(1))..];
        let newest = all.last().map(|one| one.number);
        let stays = |one: &Generation| {
            let counts = counted.contains(&one.number);
            kept.contains(&one.number)
                || one.current
                || counts && since.is_some_and(|since| one.created >= since)
                || !counts && newest == Some(one.number)
        };
        let gone: Vec<u64> = all.iter().filter(|one| !stays(one)).map(|one| one.number).collect();
        for number in &gone {
            self.remove(*number)?;
        }
        Ok(gone)
    }

    /// Forgets a generation; its layers stay until [`crate::compose::collect`].
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, number: u64) -> Result<(), Error> {
        fs::remove_tree(&self.generation(number)).doing(|| format!("remove generation {number}"))
    }
}

/// Reads a file of JSON.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read(path).doing(|| format!("read `{}`", path.display()))?;
    serde_json::from_slice(&text)
        .map_err(|error| Error::io(format!("read `{}`", path.display()), &std::io::Error::other(error)))
}

/// Writes a file of JSON: readers see the old or the new contents, also after a crash.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let text = serde_json::to_vec(value).unwrap_or_default();
    fs::write_atomic(path, &text, 0o644).doing(|| format!("write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state with generations, those that counted and the others.
    fn state(counted: &[u64], failed: &[u64]) -> (tempfile::TempDir, State) {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path().to_owned());
        for number in counted.iter().chain(failed) {
            let about = Generation {
                number: *number,
                created: *number * 100,
                current: false,
                counted: false,
                made_by: "switch".to_owned(),
            };
            fs::create_dir_all(&state.generation(*number)).unwrap();
            write_json(&state.generation(*number).join("about.json"), &about).unwrap();
        }
        for number in counted {
            state.set_current(*number).unwrap();
        }
        (folder, state)
    }

    #[test]
    fn old_and_failed_generations_go() {
        let (_folder, state) = state(&[1, 2, 4, 5], &[3, 6]);
        assert_eq!(state.prune(2, None).unwrap(), [1, 2, 3]);
        assert_eq!(state.numbers(), [4, 5, 6], "the last failed one may still be looked at");
        assert_eq!(state.prune(1, Some(450)).unwrap(), [4]);
        assert_eq!(state.prune(0, None).unwrap(), Vec::<u64>::new(), "the current one stays");
    }
}
