//! The hash of a derivation modulo its fixed inputs, and the paths that come from it.

use super::aterm::{Form, Rest};
use super::{Derivation, DerivationFile, Output, OutputKind};
use crate::hash::Hash;
use crate::store_path::{ContentMethod, StoreDir, StorePath, StorePathError};
use std::collections::{BTreeMap, BTreeSet};

/// What stands for a derivation where another one has it as input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Modulo {
    /// One hash for all outputs.
    Whole(Hash),
    /// A hash for each output, for fixed outputs: the derivation itself does not count.
    ByOutput(Vec<(String, Hash)>),
    /// Nothing is known before inputs that float are built.
    Deferred,
}

/// What stands for the input derivations of one; `None` where one of them floats.
#[derive(Clone, Debug, Default)]
pub struct Inputs(Option<BTreeMap<String, BTreeSet<String>>>);

/// The hash that stands for an output with fixed contents at a path.
pub fn fixed_output_hash(dir: &StoreDir, method: ContentMethod, hash: &Hash, path: &StorePath) -> Hash {
    let text = format!("fixed:out:{}{}:{}", method.prefix(), hash.prefixed_base16(), dir.print(path));
    Hash::sha256(text.as_bytes())
}

impl Derivation {
    /// Computes what stands for this derivation; `inputs` tells it of each input derivation.
    /// With `mask_outputs` the derivation's own paths are left out, as they are when they are computed.
    ///
    /// # Errors
    /// [`StorePathError::BadName`], or what `inputs` says.
    pub fn modulo<E: From<StorePathError>>(
        &self,
        dir: &StoreDir,
        mask_outputs: bool,
        mut inputs: impl FnMut(&StorePath) -> Result<Modulo, E>,
    ) -> Result<Modulo, E> {
        if let Some(by_output) = self.fixed_hashes(dir)? {
            return Ok(Modulo::ByOutput(by_output));
        }
        let inputs = self.inputs(&mut inputs)?;
        Ok(self.modulo_with(dir, mask_outputs, &inputs, None)?)
    }

    /// What stands for the input derivations, for [`Addressing`]; `one` tells it of
    /// each.
    ///
    /// # Errors
    /// What `one` says.
    pub fn inputs<E>(&self, mut one: impl FnMut(&StorePath) -> Result<Modulo, E>) -> Result<Inputs, E> {
        let mut deferred = false;
        let mut replaced: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (path, wanted) in &self.input_derivations {
            match one(path)? {
                Modulo::Deferred => deferred = true,
                Modulo::Whole(hash) => {
                    replaced.entry(hash.base16()).or_default().extend(wanted.iter().cloned());
                }
                Modulo::ByOutput(hashes) => {
                    for (output, hash) in hashes.into_iter().filter(|(output, _)| wanted.contains(output)) {
                        replaced.entry(hash.base16()).or_default().insert(output);
                    }
                }
            }
        }
        Ok(Inputs((!deferred).then_some(replaced)))
    }

    /// As [`Self::modulo`], where it is known what stands for the inputs, and perhaps what follows them.
    fn modulo_with(
        &self,
        dir: &StoreDir,
        mask_outputs: bool,
        inputs: &Inputs,
        rest: Option<&Rest>,
    ) -> Result<Modulo, StorePathError> {
        if let Some(by_output) = self.fixed_hashes(dir)? {
            return Ok(Modulo::ByOutput(by_output));
        }
        let floats = |o: &Output| {
            matches!(o.kind, OutputKind::Floating { .. } | OutputKind::Impure { .. } | OutputKind::Deferred)
        };
        let deferred = !mask_outputs && self.outputs.values().any(floats);
        let Inputs(Some(replaced)) = inputs else { return Ok(Modulo::Deferred) };
        if deferred {
            return Ok(Modulo::Deferred);
        }
        let form = Form { mask_outputs, inputs: Some(replaced), rest, ..Form::default() };
        let text = self.write(dir, &form)?;
        Ok(Modulo::Whole(Hash::sha256(&text)))
    }

    fn fixed_hashes(&self, dir: &StoreDir) -> Result<Option<Vec<(String, Hash)>>, StorePathError> {
        if self.outputs.is_empty()
            || !self.outputs.values().all(|o| matches!(o.kind, OutputKind::Fixed { .. }))
        {
            return Ok(None);
        }
        let mut hashes = Vec::with_capacity(1);
        for (name, output) in &self.outputs {
            let path = output.path(dir, &self.name, name)?;
            if let (OutputKind::Fixed { method, hash }, Some(path)) = (&output.kind, path) {
                hashes.push((name.clone(), fixed_output_hash(dir, *method, hash, &path)));
            }
        }
        Ok(Some(hashes))
    }

    /// The hash that stands for each output in a realisation, also where inputs float; `inputs` gives those of each input
    /// derivation, computed without masking.
    ///
    /// # Errors
    /// [`StorePathError::BadName`], or what `inputs` says.
    pub fn output_hashes<E: From<StorePathError>>(
        &self,
        dir: &StoreDir,
        mask_outputs: bool,
        mut inputs: impl FnMut(&StorePath) -> Result<BTreeMap<String, Hash>, E>,
    ) -> Result<BTreeMap<String, Hash>, E> {
        if let Some(by_output) = self.fixed_hashes(dir)? {
            return Ok(by_output.into_iter().collect());
        }
        let mut replaced: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (path, wanted) in &self.input_derivations {
            let hashes = inputs(path)?;
            for output in wanted {
                if let Some(hash) = hashes.get(output) {
                    replaced.entry(hash.base16()).or_default().insert(output.clone());
                }
            }
        }
        let text = self.write(dir, &Form { mask_outputs, inputs: Some(&replaced), ..Form::default() })?;
        let hash = Hash::sha256(&text);
        Ok(self.outputs.keys().map(|name| (name.clone(), hash.clone())).collect())
    }

    /// Fills in the paths of deferred outputs and the environment variables of their names; does nothing
    /// where an input floats. The hash that was used is returned.
    ///
    /// # Errors
    /// As [`Self::modulo`].
    pub fn fill_outputs<E: From<StorePathError>>(
        &mut self,
        dir: &StoreDir,
        inputs: impl FnMut(&StorePath) -> Result<Modulo, E>,
    ) -> Result<Modulo, E> {
        let inputs = self.inputs(inputs)?;
        let modulo = self.modulo_with(dir, true, &inputs, None)?;
        self.fill_by(dir, &modulo)?;
        Ok(modulo)
    }

    fn fill_by(&mut self, dir: &StoreDir, modulo: &Modulo) -> Result<(), StorePathError> {
        if let Modulo::Whole(hash) = modulo {
            for (name, output) in &mut self.outputs {
                if output.kind == OutputKind::Deferred {
                    let path = dir.output_path(name, hash, &self.name)?;
                    self.environment.insert(name.clone().into_bytes(), dir.print(&path).into_bytes());
                    output.kind = OutputKind::InputAddressed(path);
                }
            }
        }
        Ok(())
    }
}

/// The paths of one derivation, in the order in which they are found: arguments and environment are written once for the
/// three texts that are hashed.
pub struct Addressing<'a> {
    derivation: &'a mut Derivation,
    dir: &'a StoreDir,
    inputs: &'a Inputs,
    rest: Rest,
}

impl<'a> Addressing<'a> {
    /// Begins with a derivation that is whole but for the paths of its deferred outputs, each of which has its variable.
    pub fn new(derivation: &'a mut Derivation, dir: &'a StoreDir, inputs: &'a Inputs) -> Self {
        let rest = Rest::of(derivation);
        Self { derivation, dir, inputs, rest }
    }

    /// As [`Derivation::fill_outputs`].
    ///
    /// # Errors
    /// [`StorePathError::BadName`]
    pub fn fill_outputs(&mut self) -> Result<(), StorePathError> {
        let modulo = self.derivation.modulo_with(self.dir, true, self.inputs, Some(&self.rest))?;
        self.derivation.fill_by(self.dir, &modulo)
    }

    /// As [`Derivation::file`].
    ///
    /// # Errors
    /// [`StorePathError::BadName`]
    pub fn file(&self) -> Result<DerivationFile, StorePathError> {
        let form = Form { rest: Some(&self.rest), ..Form::default() };
        self.derivation.file_of(self.dir, self.derivation.write(self.dir, &form)?)
    }

    /// What stands for the derivation where another one has it as input.
    ///
    /// # Errors
    /// [`StorePathError::BadName`]
    pub fn modulo(&self) -> Result<Modulo, StorePathError> {
        self.derivation.modulo_with(self.dir, false, self.inputs, Some(&self.rest))
    }
}
