//! Questions over many paths: closures, who refers to whom, what derivations make.

use crate::database::Realisation;
use crate::error::{Doing as _, Error};
use crate::{LocalStore, PathInfo};
use nival_store_model::derivation::{Modulo, OutputKind, parse};
use nival_store_model::{Derivation, Hash, StorePath};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which relations a closure follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Follow {
    /// From a path to those that refer to it, instead of to those that it refers to.
    pub referrers: bool,
    /// From a derivation to its outputs that are valid.
    pub outputs: bool,
    /// From a path to the derivation that made it, where that is valid.
    pub derivers: bool,
}

impl LocalStore {
    /// All paths that some lead to by their references, themselves among them, sorted; each must be valid.
    ///
    /// # Errors
    /// [`Error::NotValid`], [`Error::Database`].
    pub fn closure(&self, paths: &[StorePath]) -> Result<Vec<StorePath>, Error> {
        self.closure_with(paths, Follow::default())
    }

    /// All paths that some lead to by the relations that are asked for.
    ///
    /// # Errors
    /// [`Error::NotValid`] where one of the first paths is not valid, [`Error::Database`].
    pub fn closure_with(&self, paths: &[StorePath], follow: Follow) -> Result<Vec<StorePath>, Error> {
        let mut seen = BTreeSet::new();
        let mut todo = Vec::new();
        for path in paths {
            if !self.is_valid(path)? {
                return Err(Error::NotValid(self.dir().print(path)));
            }
            if seen.insert(path.clone()) {
                todo.push(path.clone());
            }
        }
        while let Some(path) = todo.pop() {
            for next in self.neighbours(&path, follow)? {
                if seen.insert(next.clone()) {
                    todo.push(next);
                }
            }
        }
        Ok(seen.into_iter().collect())
    }

    /// All paths that those of some which are valid lead to.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn closure_of_valid<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a StorePath>,
    ) -> Result<BTreeSet<StorePath>, Error> {
        let mut valid = Vec::new();
        for path in paths {
            if self.is_valid(path)? {
                valid.push(path.clone());
            }
        }
        Ok(self.closure(&valid)?.into_iter().collect())
    }

    fn neighbours(&self, path: &StorePath, follow: Follow) -> Result<Vec<StorePath>, Error> {
        let mut all = if follow.referrers { self.referrers(path)? } else { self.references(path)? };
        // Against the arrows of references, the other two are turned round as well.
        let (to_outputs, to_derivers) = if follow.referrers {
            (follow.derivers, follow.outputs)
        } else {
            (follow.outputs, follow.derivers)
        };
        if to_outputs && path.is_derivation() {
            for output in self.outputs_of(path)?.into_values().flatten() {
                if self.is_valid(&output)? {
                    all.push(output);
                }
            }
        }
        if to_derivers && !follow.referrers {
            if let Some(deriver) = self.info(path)?.and_then(|info| info.deriver)
                && self.is_valid(&deriver)?
            {
                all.push(deriver);
            }
        } else if to_derivers {
            all.extend(self.valid_derivers(path)?);
        }
        Ok(all)
    }

    /// What a path refers to, sorted; nothing where it is not valid.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn references(&self, path: &StorePath) -> Result<Vec<StorePath>, Error> {
        self.database(|database| database.references_of(path))
    }

    /// The valid paths that refer to a path, sorted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn referrers(&self, path: &StorePath) -> Result<Vec<StorePath>, Error> {
        self.database(|database| database.referrers(path))
    }

    /// The valid derivations that have a path as output, sorted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn valid_derivers(&self, path: &StorePath) -> Result<Vec<StorePath>, Error> {
        self.database(|database| database.valid_derivers(path))
    }

    /// The valid path whose name begins with these 32 digits.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn path_from_hash_part(&self, digits: &str) -> Result<Option<StorePath>, Error> {
        self.database(|database| database.with_hash_part(digits))
    }

    /// The outputs of a valid derivation with their paths: `None` for one that floats and was not built yet.
    ///
    /// # Errors
    /// [`Error::NotValid`], [`Error::Derivation`], [`Error::Database`].
    pub fn outputs_of(&self, drv: &StorePath) -> Result<BTreeMap<String, Option<StorePath>>, Error> {
        let known = self.database(|database| database.outputs(drv))?;
        let derivation = self.read_derivation(drv)?;
        let mut all: BTreeMap<_, _> = known.into_iter().map(|(name, path)| (name, Some(path))).collect();
        let floats = derivation.outputs.keys().any(|name| !all.contains_key(name));
        let hashes = if floats { self.output_hashes(&derivation)? } else { BTreeMap::new() };
        for name in derivation.outputs.keys() {
            if !all.contains_key(name) {
                let found = match hashes.get(name) {
                    Some(hash) => self.realisation(hash, name)?.map(|found| found.path),
                    None => None,
                };
                all.insert(name.clone(), found);
            }
        }
        Ok(all)
    }

    /// Reads a valid derivation.
    ///
    /// # Errors
    /// [`Error::NotValid`], [`Error::Derivation`], [`Error::Io`].
    pub fn read_derivation(&self, path: &StorePath) -> Result<Derivation, Error> {
        if !self.is_valid(path)? {
            return Err(Error::NotValid(self.dir().print(path)));
        }
        self.read_derivation_unchecked(path)
    }

    pub(crate) fn read_derivation_unchecked(&self, path: &StorePath) -> Result<Derivation, Error> {
        self.write_pending()?;
        let file = self.physical(path);
        let text = std::fs::read(&file).doing(|| format!("read the derivation `{}`", file.display()))?;
        let name = path.name().strip_suffix(".drv").unwrap_or(path.name());
        parse(&text, name, self.dir())
            .map_err(|error| Error::Derivation { path: self.dir().print(path), error })
    }

    /// The hashes that stand for a derivation's outputs in realisations.
    ///
    /// # Errors
    /// [`Error::Derivation`], [`Error::Io`] where an input derivation cannot be read.
    pub fn output_hashes(&self, derivation: &Derivation) -> Result<BTreeMap<String, Hash>, Error> {
        let mut known = HashMap::new();
        derivation.output_hashes(self.dir(), true, |input| self.input_hashes(input, &mut known))
    }

    fn input_hashes(
        &self,
        path: &StorePath,
        known: &mut HashMap<StorePath, BTreeMap<String, Hash>>,
    ) -> Result<BTreeMap<String, Hash>, Error> {
        if let Some(hashes) = known.get(path) {
            return Ok(hashes.clone());
        }
        let derivation = self.read_derivation_unchecked(path)?;
        let hashes = derivation.output_hashes(self.dir(), false, |input| self.input_hashes(input, known))?;
        known.insert(path.clone(), hashes.clone());
        Ok(hashes)
    }

    /// What stands for a derivation of the store where another one has it as input.
    ///
    /// # Errors
    /// [`Error::Derivation`], [`Error::Io`].
    pub fn modulo(&self, path: &StorePath) -> Result<Modulo, Error> {
        if let Some(known) = self.modulos().get(path) {
            return Ok(known.clone());
        }
        let derivation = self.read_derivation_unchecked(path)?;
        let modulo = derivation.modulo(self.dir(), false, |input| self.modulo(input))?;
        self.modulos().insert(path.clone(), modulo.clone());
        Ok(modulo)
    }

    /// Whether a derivation names the output paths that its inputs, which are in the store, give it.
    ///
    /// # Errors
    /// [`Error::WrongOutput`], [`Error::MissingReference`].
    pub fn check_derivation(&self, derivation: &Derivation) -> Result<(), Error> {
        self.check_outputs(&derivation.path(self.dir())?, derivation, &[])
    }

    /// Compares the output paths that a derivation names with those that its inputs give it.
    pub(super) fn check_outputs(
        &self,
        path: &StorePath,
        derivation: &Derivation,
        together: &[PathInfo],
    ) -> Result<(), Error> {
        let named: Vec<_> = derivation
            .outputs
            .iter()
            .filter_map(|(name, output)| match &output.kind {
                OutputKind::InputAddressed(path) => Some((name, path)),
                _ => None,
            })
            .collect();
        if named.is_empty() {
            return Ok(());
        }
        for input in derivation.input_derivations.keys() {
            let here = together.iter().any(|info| info.path == *input);
            if !here && !self.is_valid(input)? {
                return Err(Error::MissingReference {
                    path: self.dir().print(path),
                    reference: self.dir().print(input),
                });
            }
        }
        let Modulo::Whole(hash) = derivation.modulo(self.dir(), true, |input| self.modulo(input))? else {
            return Ok(());
        };
        for (name, output) in named {
            let wanted = self.dir().output_path(name, &hash, &derivation.name)?;
            if wanted != *output {
                return Err(Error::WrongOutput {
                    derivation: self.dir().print(path),
                    named: self.dir().print(output),
                    wanted: self.dir().print(&wanted),
                });
            }
        }
        Ok(())
    }

    /// Which path an output turned out to be; the hash is that of [`Self::output_hashes`].
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn realisation(&self, derivation: &Hash, output: &str) -> Result<Option<Realisation>, Error> {
        self.database(|database| database.realisation(derivation, output))
    }

    /// Registers which path an output turned out to be.
    ///
    /// # Errors
    /// [`Error::OtherRealisation`], [`Error::NotValid`], [`Error::Database`].
    pub fn register_realisation(&self, realisation: &Realisation) -> Result<(), Error> {
        self.database(|database| database.register_realisation(realisation))
    }

    /// Sorts paths so that each comes behind those that it refers to.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn sorted_by_references(&self, paths: &[StorePath]) -> Result<Vec<StorePath>, Error> {
        let wanted: BTreeSet<&StorePath> = paths.iter().collect();
        let mut done = BTreeSet::new();
        let mut sorted = Vec::new();
        for start in &wanted {
            let mut stack = vec![((*start).clone(), None::<std::vec::IntoIter<StorePath>>)];
            while let Some((path, rest)) = stack.last_mut() {
                if rest.is_none() {
                    if !done.insert(path.clone()) {
                        stack.pop();
                        continue;
                    }
                    *rest = Some(self.references(path)?.into_iter());
                }
                match rest.as_mut().and_then(Iterator::next) {
                    Some(next) if wanted.contains(&next) && !done.contains(&next) => stack.push((next, None)),
                    Some(_) => {}
                    None => {
                        let finished = path.clone();
                        stack.pop();
                        sorted.push(finished);
                    }
                }
            }
        }
        Ok(sorted)
    }
}
