//! Why a path is here: the ways that lead to it from roots, or from a path that needs it.

use crate::error::{Doing as _, Error};
use crate::{LocalStore, Root};
use nival_store_model::StorePath;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// A way from a root to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it begins.
    pub root: Root,
    /// The paths on it, that of the root first and the one that was asked for last.
    pub steps: Vec<StorePath>,
}

/// A file that names a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The file, as seen from the path that holds it.
    pub file: PathBuf,
    /// What stands around the name, as far as it can be printed.
    pub context: String,
}

impl LocalStore {
    /// The shortest way from each of some roots that keeps a path; derivations and outputs count as the settings say.
    ///
    /// # Errors
    /// [`Error::NotValid`], [`Error::Database`].
    pub fn ways_from(&self, roots: &[Root], path: &StorePath) -> Result<Vec<Way>, Error> {
        self.valid_info(path)?;
        let mut towards: BTreeMap<StorePath, Option<StorePath>> = BTreeMap::from([(path.clone(), None)]);
        let mut todo = VecDeque::from([path.clone()]);
        while let Some(current) = todo.pop_front() {
            for next in self.kept_by(&current)? {
                if !towards.contains_key(&next) {
                    towards.insert(next.clone(), Some(current.clone()));
                    todo.push_back(next);
                }
            }
        }
        let mut ways = Vec::new();
        for root in roots.iter().filter(|root| towards.contains_key(&root.path)) {
            let mut steps = vec![root.path.clone()];
            while let Some(next) = steps.last().and_then(|last| towards.get(last).cloned().flatten()) {
                steps.push(next);
            }
            ways.push(Way { root: root.clone(), steps });
        }
        ways.sort_by_key(|way| way.steps.len());
        Ok(ways)
    }

    /// The paths that keep a path alive by themselves.
    fn kept_by(&self, path: &StorePath) -> Result<BTreeSet<StorePath>, Error> {
        let settings = &self.config().settings;
        let mut all: BTreeSet<_> = self.referrers(path)?.into_iter().collect();
        if settings.keep_outputs {
            all.extend(self.valid_derivers(path)?);
        }
        if settings.keep_derivations && path.is_derivation() {
            for output in self.outputs_of(path)?.into_values().flatten() {
                if self.info(&output)?.is_some_and(|info| info.deriver.as_ref() == Some(path)) {
                    all.insert(output);
                }
            }
        }
        Ok(all)
    }

    /// The shortest way of references from one path to another, both among its steps; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::NotValid`], [`Error::Database`].
    pub fn way_between(&self, from: &StorePath, to: &StorePath) -> Result<Option<Vec<StorePath>>, Error> {
        self.valid_info(from)?;
        let mut came: BTreeMap<StorePath, Option<StorePath>> = BTreeMap::from([(from.clone(), None)]);
        let mut todo = VecDeque::from([from.clone()]);
        while let Some(current) = todo.pop_front() {
            if current == *to {
                let mut steps = vec![current];
                while let Some(before) = steps.last().and_then(|last| came.get(last).cloned().flatten()) {
                    steps.push(before);
                }
                steps.reverse();
                return Ok(Some(steps));
            }
            for next in self.references(&current)? {
                if !came.contains_key(&next) {
                    came.insert(next.clone(), Some(current.clone()));
                    todo.push_back(next);
                }
            }
        }
        Ok(None)
    }

    /// The files of a path that name another one.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn mentions(&self, within: &StorePath, of: &StorePath) -> Result<Vec<Mention>, Error> {
        let mut found = Vec::new();
        search(&self.physical(within), Path::new(""), of.hash_part().as_bytes(), &mut found)?;
        found.sort();
        Ok(found)
    }
}

fn search(place: &Path, name: &Path, digits: &[u8], found: &mut Vec<Mention>) -> Result<(), Error> {
    use std::os::unix::ffi::OsStrExt as _;
    let doing = || format!("search `{}`", place.display());
    let kind = place.symlink_metadata().doing(doing)?.file_type();
    if kind.is_dir() {
        for entry in place.read_dir().doing(doing)? {
            let entry = entry.doing(doing)?;
            search(&entry.path(), &name.join(entry.file_name()), digits, found)?;
        }
        return Ok(());
    }
    let text = if kind.is_symlink() {
        place.read_link().doing(doing)?.as_os_str().as_bytes().to_vec()
    } else {
        std::fs::read(place).doing(doing)?
    };
    if let Some(at) = text.windows(digits.len()).position(|window| window == digits) {
        let printable = |byte: &u8| (b' '..=b'~').contains(byte);
        let begin = text[..at].iter().rev().take(48).take_while(|byte| printable(byte)).count();
        let end = text[at..].iter().take(96).take_while(|byte| printable(byte)).count();
        let context = String::from_utf8_lossy(&text[at - begin..at + end]).into_owned();
        found.push(Mention { file: name.to_owned(), context });
    }
    Ok(())
}
