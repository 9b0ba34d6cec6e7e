//! The hash of a derivation modulo its fixed inputs, and the paths that come from it.

use super::aterm::{Form, Rest};
use super::{Derivation, DerivationFile, Output, OutputKind};
use crate::hash::{Algorithm, Hash, Hasher};
use crate::store_path::{ContentMethod, StoreDir, StorePath, StorePathError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands for a derivation where another one has it as input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Modulo {
    /// One hash for all outputs.
    Whole(Hash),
    /// A hash for each output, for fixed outputs: the derivation itself does not count.
    ByOutput(Arc<[(String, Hash)]>),
    /// Nothing is known before inputs that float are built.
    Deferred,
}

/// What stands for the input derivations of one, as text; `None` where one of them floats.
#[derive(Clone, Debug, Default)]
pub struct Inputs(Option<String>);

/// The text of what stands for input derivations: a hash and an output of each.
fn text_of(mut inputs: Vec<(Hash, &str)>) -> String {
    inputs.sort_unstable();
    inputs.dedup();
    let mut text = String::with_capacity(80 * inputs.len());
    for (n, (hash, output)) in inputs.iter().enumerate() {
        if n > 0 && inputs[n - 1].0 == *hash {
            text.truncate(text.len() - 2);
            text.push(',');
        } else {
            text.push_str(if n > 0 { ",(\"" } else { "(\"" });
            hash.push_base16(&mut text);
            text.push_str("\",[");
        }
        text.push('"');
        text.push_str(output);
        text.push_str("\"])");
    }
    text
}

/// The hash that stands for an output with fixed contents at a path.
pub fn fixed_output_hash(dir: &StoreDir, method: ContentMethod, hash: &Hash, path: &StorePath) -> Hash {
    let mut text = String::with_capacity(256);
    for word in ["fixed:out:", method.prefix(), hash.algorithm().name(), ":"] {
        text.push_str(word);
    }
    hash.push_base16(&mut text);
    text.push(':');
    dir.push(&mut text, path);
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
        if let Some(by_output) = self.fixed_hashes(dir, &self.paths(dir)?) {
            return Ok(Modulo::ByOutput(by_output.into()));
        }
        let Inputs(Some(replaced)) = self.inputs(&mut inputs)? else { return Ok(Modulo::Deferred) };
        if !mask_outputs && self.floats() {
            return Ok(Modulo::Deferred);
        }
        let text = self.write(dir, &Form { mask_outputs, inputs: Some(&replaced), ..Form::default() })?;
        Ok(Modulo::Whole(Hash::sha256(&text)))
    }

    /// What stands for the input derivations, for [`Addressing`]; `one` tells it of
    /// each.
    ///
    /// # Errors
    /// What `one` says.
    pub fn inputs<E>(&self, mut one: impl FnMut(&StorePath) -> Result<Modulo, E>) -> Result<Inputs, E> {
        let mut deferred = false;
        let mut replaced = Vec::with_capacity(self.input_derivations.len());
        for (path, wanted) in &self.input_derivations {
            match one(path)? {
                Modulo::Deferred => deferred = true,
                Modulo::Whole(hash) => {
                    replaced.extend(wanted.iter().map(|output| (hash.clone(), output.as_str())));
                }
                Modulo::ByOutput(hashes) => {
                    let named = |(output, hash): &(String, Hash)| {
                        wanted.get(output).map(|output| (hash.clone(), output.as_str()))
                    };
                    replaced.extend(hashes.iter().filter_map(named));
                }
            }
        }
        Ok(Inputs((!deferred).then(|| text_of(replaced))))
    }

    /// Whether the path of an output is not known before the build.
    fn floats(&self) -> bool {
        self.outputs.values().any(|output| {
            matches!(
                output.kind,
                OutputKind::Floating { .. } | OutputKind::Impure { .. } | OutputKind::Deferred
            )
        })
    }

    /// What stands for each output, where all of them have fixed contents; `paths` are theirs.
    fn fixed_hashes(&self, dir: &StoreDir, paths: &[Option<StorePath>]) -> Option<Vec<(String, Hash)>> {
        let one =
            |((name, output), path): ((&String, &Output), &Option<StorePath>)| match (&output.kind, path) {
                (OutputKind::Fixed { method, hash }, Some(path)) => {
                    Some((name.clone(), fixed_output_hash(dir, *method, hash, path)))
                }
                _ => None,
            };
        if self.outputs.is_empty() { None } else { self.outputs.iter().zip(paths).map(one).collect() }
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
        if let Some(by_output) = self.fixed_hashes(dir, &self.paths(dir)?) {
            return Ok(by_output.into_iter().collect());
        }
        let mut replaced = Vec::new();
        for (path, wanted) in &self.input_derivations {
            let hashes = inputs(path)?;
            for output in wanted {
                replaced.extend(hashes.get(output).map(|hash| (hash.clone(), output.as_str())));
            }
        }
        let replaced = text_of(replaced);
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
        let modulo = match self.inputs(inputs)? {
            Inputs(Some(inputs)) => {
                let form = Form { mask_outputs: true, inputs: Some(&inputs), ..Form::default() };
                Modulo::Whole(Hash::sha256(&self.write(dir, &form)?))
            }
            Inputs(None) => Modulo::Deferred,
        };
        if let Modulo::Whole(hash) = &modulo {
            for (name, path) in self.fill_by(dir, hash)? {
                self.environment.insert(name.into_bytes(), dir.print(&path).into_bytes());
            }
        }
        Ok(modulo)
    }

    /// Fills in the paths of deferred outputs; those that were filled in are returned.
    fn fill_by(&mut self, dir: &StoreDir, hash: &Hash) -> Result<Vec<(String, StorePath)>, StorePathError> {
        let mut filled = Vec::with_capacity(self.outputs.len());
        for (name, output) in &mut self.outputs {
            if output.kind == OutputKind::Deferred {
                let path = dir.output_path(name, hash, &self.name)?;
                filled.push((name.clone(), path.clone()));
                output.kind = OutputKind::InputAddressed(path);
            }
        }
        Ok(filled)
    }
}

/// The paths of one derivation, in the order in which they are found. Arguments and environment are written once for the
/// three texts that are hashed, and the derivation itself has none: it is an outline, what is needed and what comes of it.
pub struct Addressing<'a> {
    outline: &'a mut Derivation,
    dir: &'a StoreDir,
    inputs: &'a Inputs,
    rest: Rest,
    /// The paths of the outputs in their order.
    paths: Vec<Option<StorePath>>,
    /// The values of the outputs' variables.
    values: Vec<Vec<u8>>,
}

/// Where a derivation's file is, and what follows from its text.
pub struct Address {
    /// The file's path.
    pub path: StorePath,
    hash: Hash,
    references: Vec<StorePath>,
    /// The text before the arguments.
    head: Vec<u8>,
}

impl<'a> Addressing<'a> {
    /// Begins with an outline whose deferred outputs have no paths, with arguments and with variables in their order;
    /// those of the outputs are added.
    ///
    /// # Errors
    /// [`StorePathError::BadName`]
    pub fn new(
        outline: &'a mut Derivation,
        dir: &'a StoreDir,
        inputs: &'a Inputs,
        arguments: &[Vec<u8>],
        variables: &[(&[u8], &[u8])],
    ) -> Result<Self, StorePathError> {
        let mut all = Vec::with_capacity(variables.len() + outline.outputs.len());
        all.extend_from_slice(variables);
        for output in outline.outputs.keys().map(String::as_bytes) {
            if let Err(at) = all.binary_search_by_key(&output, |(name, _)| *name) {
                all.insert(at, (output, b""));
            }
        }
        let expected: usize = all.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        let expected = expected + expected / 16 + arguments.iter().map(|text| text.len() + 64).sum::<usize>();
        let arguments = arguments.iter().map(Vec::as_slice);
        let rest = Rest::of(arguments, all.into_iter(), &outline.outputs, expected);
        let paths = outline.paths(dir)?;
        let values = values(outline, dir, &paths);
        Ok(Self { outline, dir, inputs, rest, paths, values })
    }

    /// As [`Derivation::fill_outputs`].
    ///
    /// # Errors
    /// [`StorePathError::BadName`]
    pub fn fill_outputs(&mut self) -> Result<(), StorePathError> {
        let Inputs(Some(inputs)) = self.inputs else { return Ok(()) };
        let head = self.outline.head(self.dir, &[], Some(inputs));
        let hash = self.hashed(&head, &[]);
        self.outline.fill_by(self.dir, &hash)?;
        self.paths = self.outline.paths(self.dir)?;
        self.values = values(self.outline, self.dir, &self.paths);
        Ok(())
    }

    /// The paths of the outputs in their order, as far as they are known.
    pub fn paths(&self) -> &[Option<StorePath>] {
        &self.paths
    }

    /// Where the file is.
    ///
    /// # Errors
    /// [`StorePathError::BadName`]
    pub fn address(&self) -> Result<Address, StorePathError> {
        let head = self.outline.head(self.dir, &self.paths, None);
        let hash = self.hashed(&head, &self.values);
        let references = self.outline.references();
        let path = self.dir.text_path(&format!("{}.drv", self.outline.name), &hash, &references)?;
        Ok(Address { path, hash, references, head })
    }

    /// As [`Derivation::file`], where its address is known.
    pub fn file(&self, address: Address) -> DerivationFile {
        let Address { path, hash, references, head } = address;
        let mut text = Vec::with_capacity(head.len() + self.rest.len(&self.values));
        text.extend_from_slice(&head);
        self.rest.pieces(&self.values, |piece| text.extend_from_slice(piece));
        DerivationFile { path, text: text.into_boxed_slice(), hash, references }
    }

    /// What stands for the derivation where another one has it as input.
    pub fn modulo(&self) -> Modulo {
        if let Some(by_output) = self.outline.fixed_hashes(self.dir, &self.paths) {
            return Modulo::ByOutput(by_output.into());
        }
        match self.inputs {
            Inputs(Some(inputs)) if !self.outline.floats() => {
                let head = self.outline.head(self.dir, &self.paths, Some(inputs));
                Modulo::Whole(self.hashed(&head, &self.values))
            }
            _ => Modulo::Deferred,
        }
    }

    fn hashed(&self, head: &[u8], values: &[Vec<u8>]) -> Hash {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(head);
        self.rest.pieces(values, |piece| hasher.update(piece));
        hasher.finish()
    }
}

/// The values of the variables that are named as outputs.
fn values(outline: &Derivation, dir: &StoreDir, paths: &[Option<StorePath>]) -> Vec<Vec<u8>> {
    let value = |((name, output), path): ((&String, &Output), &Option<StorePath>)| match (path, &output.kind)
    {
        (Some(path), _) => dir.print(path).into_bytes(),
        (None, OutputKind::Floating { .. } | OutputKind::Impure { .. }) => {
            let text = format!("nix-output:{name}");
            format!("/{}", Hash::sha256(text.as_bytes()).base32()).into_bytes()
        }
        (None, _) => Vec::new(),
    };
    outline.outputs.iter().zip(paths).map(value).collect()
}
