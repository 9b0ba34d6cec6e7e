//! From what a builder left behind to registered outputs.
//!
//! Every output is checked (is it there, is it the builder's, is it what a store can hold), brought into the store's
//! form, searched for references, given its address, moved to its place and registered. Outputs that are addressed by
//! their contents get their final name here, and every place that names them is changed.

use crate::build_error::BuildError;
use crate::derivation::{Checks, OutputChecks, Reference, Wishes};
use crate::references::{Rewriter, Scanner};
use nival_store::{LocalStore, PathInfo, Realisation, archive, canonicalise};
use nival_store_model::store_path::{References, output_path_name};
use nival_store_model::{ContentAddress, ContentMethod, Derivation, Hash, OutputKind, StorePath};
use nival_sys::{fs, owner, process};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How a build treats outputs that are there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are used.
    #[default]
    Normal,
    /// They are made again and compared.
    Check,
    /// They are made again and replaced.
    Repair,
}

/// A build whose builder has ended well.
pub struct Finished<'a> {
    /// The store.
    pub store: &'a LocalStore,
    /// The derivation's path.
    pub drv: &'a StorePath,
    /// The derivation, its inputs resolved.
    pub derivation: &'a Derivation,
    /// What it wishes.
    pub wishes: &'a Wishes,
    /// The closure of its inputs.
    pub inputs: &'a BTreeSet<StorePath>,
    /// The path under which the builder made each output.
    pub scratch: &'a BTreeMap<String, StorePath>,
    /// The folder that the builder made them in.
    pub folder: &'a Path,
    /// Outputs that were valid before and are not made again.
    pub valid: &'a BTreeMap<String, StorePath>,
    /// How outputs that are there are treated.
    pub mode: Mode,
    /// The user that the builder was, where it was not this process's.
    pub builder: Option<u32>,
    /// Whether others could hold what the builder made open: it had the host's network, or was not confined.
    pub copied: bool,
    /// Whether differing outputs of a check are kept.
    pub keep_failed: bool,
    /// Signs what was built.
    pub sign: &'a (dyn Fn(&mut PathInfo) + Sync),
}

/// One output on its way.
struct Made {
    at: PathBuf,
    references: BTreeSet<StorePath>,
    nar: (Hash, u64),
    is_file: bool,
    is_program: bool,
}

impl Finished<'_> {
    /// Registers the outputs and tells what became of them.
    ///
    /// # Errors
    /// [`BuildError::Output`], [`BuildError::HashMismatch`], [`BuildError::NotDeterministic`], what the store says.
    pub fn register(&self) -> Result<BTreeMap<String, PathInfo>, BuildError> {
        let mut made = BTreeMap::new();
        for name in self.derivation.outputs.keys() {
            if !self.valid.contains_key(name) {
                made.insert(name.clone(), self.look_at(name)?);
            }
        }
        let mut infos = BTreeMap::new();
        let mut rewrites: Vec<(String, String)> = Vec::new();
        for (name, path) in self.valid {
            if let Some(scratch) = self.scratch.get(name).filter(|scratch| *scratch != path) {
                rewrites.push((scratch.hash_part().to_owned(), path.hash_part().to_owned()));
            }
        }
        for name in self.sorted(&made)? {
            let Some(one) = made.get_mut(&name) else { continue };
            let info = self.settle(&name, one, &mut rewrites)?;
            infos.insert(name, info);
        }
        self.check(&infos)?;
        if self.mode == Mode::Check {
            return self.compare(&made, infos);
        }
        let all: Vec<PathInfo> = infos.values().cloned().collect();
        self.store.register_all(&all)?;
        self.realise(&infos)?;
        Ok(infos)
    }

    fn refused(&self, problem: String) -> BuildError {
        BuildError::Output { drv: self.store.dir().print(self.drv), problem }
    }

    fn look_at(&self, name: &str) -> Result<Made, BuildError> {
        let Some(scratch) = self.scratch.get(name) else {
            return Err(self.refused(format!("nothing is known of the output `{name}`")));
        };
        let mut at = self.folder.join(scratch.base_name());
        let failed = |error| BuildError::sandbox(format!("look at the output `{name}`"), error);
        let metadata = match at.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.refused(format!("the builder did not make the output `{name}`")));
            }
            Err(error) => return Err(failed(error)),
        };
        let maker = self.builder.unwrap_or_else(process::user_id);
        if !metadata.is_symlink() && metadata.mode() & 0o022 != 0 || metadata.uid() != maker {
            let text = format!("the output `{name}` is another user's, or anybody can write to it");
            return Err(self.refused(text));
        }
        self.own(&at, maker, name)?;
        canonicalise(&at)?;
        if self.copied {
            let copy = self.folder.join(format!("{}.copy", scratch.base_name()));
            copy_tree(&at, &copy, &[])?;
            fs::remove_tree(&at).map_err(failed)?;
            at = copy;
            canonicalise(&at)?;
        }
        let none = BTreeSet::new();
        let candidates = if self.wishes.discard_references.contains(name) { &none } else { self.inputs };
        let own =
            if self.wishes.discard_references.contains(name) { None } else { Some(self.scratch.values()) };
        let mut scanner = Scanner::new(candidates.iter().chain(own.into_iter().flatten()));
        let nar = archive::hash_with(&at, &mut scanner)?;
        let metadata = at.symlink_metadata().map_err(failed)?;
        Ok(Made {
            references: scanner.found(),
            nar,
            is_file: metadata.is_file(),
            is_program: metadata.permissions().mode() & 0o100 != 0,
            at,
        })
    }

    /// Makes everything below an output this process's own, after checking that it was the builder's.
    fn own(&self, at: &Path, maker: u32, name: &str) -> Result<(), BuildError> {
        let failed = |error| BuildError::sandbox(format!("take over the output `{name}`"), error);
        let metadata = at.symlink_metadata().map_err(failed)?;
        let kind = metadata.file_type();
        if metadata.uid() != maker && metadata.uid() != process::user_id() {
            return Err(
                self.refused(format!("a file of the output `{name}` is another user's: {}", at.display()))
            );
        }
        if !(kind.is_dir() || kind.is_file() || kind.is_symlink()) {
            let inner = at.strip_prefix(self.folder).unwrap_or(at);
            let text =
                format!("`{}` is no file, folder or link, which is all that a store holds", inner.display());
            return Err(self.refused(text));
        }
        if self.builder.is_some() && metadata.uid() != process::user_id() {
            owner::set_owner(at, process::user_id(), process::group_id()).map_err(failed)?;
        }
        if kind.is_dir() {
            if metadata.permissions().mode() & 0o700 != 0o700 {
                fs::set_mode(at, 0o755).map_err(failed)?;
            }
            for entry in at.read_dir().map_err(failed)? {
                self.own(&entry.map_err(failed)?.path(), maker, name)?;
            }
        }
        Ok(())
    }

    /// The outputs, each behind those that it refers to.
    fn sorted(&self, made: &BTreeMap<String, Made>) -> Result<Vec<String>, BuildError> {
        let mut sorted: Vec<String> = Vec::new();
        let mut left: BTreeSet<&String> = made.keys().collect();
        while !left.is_empty() {
            let waits = |name: &String, other: &String| {
                let path = self.scratch.get(other);
                other != name && path.is_some_and(|path| made[name].references.contains(path))
            };
            let ready: Vec<&String> =
                left.iter().copied().filter(|name| !left.iter().any(|other| waits(name, other))).collect();
            if ready.is_empty() {
                let names: Vec<&str> = left.iter().map(|name| name.as_str()).collect();
                return Err(self.refused(format!("its outputs refer to each other: {}", names.join(", "))));
            }
            for name in ready {
                left.remove(name);
                sorted.push(name.clone());
            }
        }
        Ok(sorted)
    }

    /// Gives one output its address, and moves it to its place unless it is only compared.
    fn settle(
        &self,
        name: &str,
        made: &mut Made,
        rewrites: &mut Vec<(String, String)>,
    ) -> Result<PathInfo, BuildError> {
        let scratch = &self.scratch[name];
        let mut info = match &self.derivation.outputs[name].kind {
            OutputKind::InputAddressed(path) => {
                if path != scratch {
                    rewrites.push((scratch.hash_part().to_owned(), path.hash_part().to_owned()));
                }
                self.rewritten(made, rewrites)?;
                let mut info = PathInfo::new(path.clone(), made.nar.0.clone(), made.nar.1);
                info.references = changed(&made.references, rewrites);
                info
            }
            OutputKind::Fixed { method, hash } => {
                self.by_contents(name, made, *method, hash.algorithm(), rewrites)?
            }
            OutputKind::Floating { method, algorithm } | OutputKind::Impure { method, algorithm } => {
                self.by_contents(name, made, *method, *algorithm, rewrites)?
            }
            OutputKind::Deferred => {
                return Err(self.refused(format!("the path of the output `{name}` is not known")));
            }
        };
        info.deriver = Some(self.drv.clone());
        info.ultimate = true;
        (self.sign)(&mut info);
        if self.mode != Mode::Check {
            self.move_to_place(name, made, &info)?;
        }
        Ok(info)
    }

    fn by_contents(
        &self,
        name: &str,
        made: &mut Made,
        method: ContentMethod,
        algorithm: nival_store_model::Algorithm,
        rewrites: &mut Vec<(String, String)>,
    ) -> Result<PathInfo, BuildError> {
        if matches!(method, ContentMethod::Flat | ContentMethod::Text) && (!made.is_file || made.is_program) {
            let text =
                format!("the output `{name}` must be a file that is no program, since its bytes are hashed");
            return Err(self.refused(text));
        }
        self.rewritten(made, rewrites)?;
        let scratch = &self.scratch[name];
        let hash = match method {
            ContentMethod::Recursive | ContentMethod::Flat | ContentMethod::Text
                if made.references.contains(scratch) && method == ContentMethod::Recursive =>
            {
                archive::hash_modulo(&made.at, algorithm, scratch.hash_part())?
            }
            _ => archive::content_hash(&made.at, method, algorithm)?,
        };
        let mut references = References::default();
        for path in changed(&made.references, rewrites) {
            if path == *scratch { references.to_self = true } else { references.others.push(path) }
        }
        // The path of a plain file says nothing of references, so it may have none.
        if method == ContentMethod::Flat
            && let Some(reference) = references.others.first()
        {
            return Err(self.refers(reference));
        }
        let address = ContentAddress { method, hash };
        let path_name = output_path_name(&self.derivation.name, name);
        let path = address.path(self.store.dir(), &path_name, &references)?;
        if path != *scratch {
            let own = (scratch.hash_part().to_owned(), path.hash_part().to_owned());
            if references.to_self {
                self.rewritten(made, std::slice::from_ref(&own))?;
            }
            rewrites.push(own);
        }
        let mut info = PathInfo::new(path.clone(), made.nar.0.clone(), made.nar.1);
        info.references = references.others;
        if references.to_self {
            info.references.push(path);
            info.references.sort();
        }
        info.content_address = Some(address);
        Ok(info)
    }

    /// Changes the hashes of other outputs in one, where it names them.
    fn rewritten(&self, made: &mut Made, rewrites: &[(String, String)]) -> Result<(), BuildError> {
        let named =
            |(from, _): &&(String, String)| made.references.iter().any(|path| path.hash_part() == from);
        let wanted: Vec<(String, String)> = rewrites.iter().filter(named).cloned().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let copy = with_suffix(&made.at, ".rewritten");
        copy_tree(&made.at, &copy, &wanted)?;
        let failed = |error| BuildError::sandbox("remove what was rewritten", error);
        fs::remove_tree(&made.at).map_err(failed)?;
        canonicalise(&copy)?;
        made.at = copy;
        made.nar = archive::hash(&made.at, None)?;
        Ok(())
    }

    fn move_to_place(&self, name: &str, made: &Made, info: &PathInfo) -> Result<(), BuildError> {
        let known = self.derivation.outputs[name].path(self.store.dir(), &self.derivation.name, name)?;
        let locks = match known {
            Some(path) if path == info.path => None,
            _ => {
                self.store.temp_root(&info.path)?;
                Some(self.store.wait_for_locks(std::slice::from_ref(&info.path))?)
            }
        };
        if self.mode != Mode::Repair && self.store.is_valid(&info.path)? {
            // Something else made the same contents before.
            fs::remove_tree(&made.at)
                .map_err(|error| BuildError::sandbox("remove what is there already", error))?;
        } else if made.at != self.store.physical(&info.path) {
            self.store.move_in(&made.at, &info.path)?;
            if self.store.config().settings.auto_optimise_store {
                match self.mode {
                    Mode::Repair => self.store.optimise_mended(&info.path)?,
                    _ => self.store.optimise_path(&info.path)?,
                };
            }
        }
        if info.content_address.is_some() && info.references.iter().all(|path| self.is_known(path)) {
            // Kept even where a fixed output turns out to be another one: then only the derivation is wrong.
            self.store.register_all(std::slice::from_ref(info))?;
        }
        if let Some(locks) = locks {
            locks.finish();
        }
        Ok(())
    }

    fn is_known(&self, path: &StorePath) -> bool {
        self.inputs.contains(path) || self.store.is_valid(path).unwrap_or(false)
    }

    fn compare(
        &self,
        made: &BTreeMap<String, Made>,
        infos: BTreeMap<String, PathInfo>,
    ) -> Result<BTreeMap<String, PathInfo>, BuildError> {
        for (name, info) in &infos {
            let Some(old) = self.store.info(&info.path)? else { continue };
            if old.nar_hash == info.nar_hash {
                continue;
            }
            let mut kept = None;
            if self.keep_failed {
                let place = with_suffix(&self.store.physical(&info.path), ".check");
                let failed = |error| BuildError::sandbox("keep the output that differs", error);
                fs::remove_tree(&place).map_err(failed)?;
                fs::set_mode(&made[name].at, 0o755).map_err(failed)?;
                fs::rename(&made[name].at, &place).map_err(failed)?;
                kept = Some(place);
            }
            let drv = self.store.dir().print(self.drv);
            return Err(BuildError::NotDeterministic { drv, output: name.clone(), kept, folder: None });
        }
        Ok(infos)
    }

    /// Registers which paths outputs turned out to be that were not known before.
    fn realise(&self, infos: &BTreeMap<String, PathInfo>) -> Result<(), BuildError> {
        let floats = |kind: &OutputKind| matches!(kind, OutputKind::Floating { .. });
        if !self.derivation.outputs.values().any(|output| floats(&output.kind)) {
            return Ok(());
        }
        let hashes = self.store.output_hashes(self.derivation)?;
        for (name, info) in infos {
            if let Some(derivation) = hashes.get(name) {
                self.store.register_realisation(&Realisation {
                    derivation: derivation.clone(),
                    output: name.clone(),
                    path: info.path.clone(),
                    signatures: BTreeSet::new(),
                })?;
            }
        }
        Ok(())
    }

    fn check(&self, infos: &BTreeMap<String, PathInfo>) -> Result<(), BuildError> {
        for (name, info) in infos {
            if let OutputKind::Fixed { hash, .. } = &self.derivation.outputs[name].kind {
                self.check_fixed(hash, info)?;
            }
            let checks = match &self.wishes.checks {
                OutputChecks::All(checks) => Some(&**checks),
                OutputChecks::ByOutput(by_output) => by_output.get(name),
            };
            if let Some(checks) = checks {
                self.check_references(name, info, checks, infos)?;
            }
        }
        Ok(())
    }

    fn check_fixed(&self, wanted: &Hash, info: &PathInfo) -> Result<(), BuildError> {
        let Some(address) = &info.content_address else { return Ok(()) };
        if address.hash != *wanted {
            let variable = |name: &str| self.derivation.environment.get(name.as_bytes());
            let found = variable("url").or_else(|| variable("urls"));
            let text = found.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            return Err(BuildError::HashMismatch {
                drv: self.store.dir().print(self.drv),
                wanted: Box::new(wanted.clone()),
                got: Box::new(address.hash.clone()),
                address: text.filter(|text| !text.is_empty()),
            });
        }
        match info.references.first() {
            Some(reference) => Err(self.refers(reference)),
            None => Ok(()),
        }
    }

    fn refers(&self, reference: &StorePath) -> BuildError {
        self.refused(format!(
            "fixed outputs are not allowed to refer to other store paths, and this one refers to `{}`",
            self.store.dir().print(reference)
        ))
    }

    fn check_references(
        &self,
        name: &str,
        info: &PathInfo,
        checks: &Checks,
        infos: &BTreeMap<String, PathInfo>,
    ) -> Result<(), BuildError> {
        if let Some(limit) = checks.max_size.filter(|limit| info.nar_size > *limit) {
            let text = format!("the output `{name}` has {} bytes, and may have {limit}", info.nar_size);
            return Err(self.refused(text));
        }
        let wants_closure = checks.max_closure_size.is_some()
            || checks.allowed_requisites.is_some()
            || !checks.disallowed_requisites.is_empty();
        if wants_closure {
            let (mut closure, size) = self.closure(info, infos)?;
            if let Some(limit) = checks.max_closure_size.filter(|limit| size > *limit) {
                let text =
                    format!("the closure of the output `{name}` has {size} bytes, and may have {limit}");
                return Err(self.refused(text));
            }
            if checks.ignore_self {
                closure.remove(&info.path);
            }
            if let Some(allowed) = &checks.allowed_requisites {
                self.compare_sets(name, &closure, allowed, infos, true)?;
            }
            self.compare_sets(name, &closure, &checks.disallowed_requisites, infos, false)?;
        }
        let direct: BTreeSet<StorePath> = info.references.iter().cloned().collect();
        if let Some(allowed) = &checks.allowed_references {
            self.compare_sets(name, &direct, allowed, infos, true)?;
        }
        self.compare_sets(name, &direct, &checks.disallowed_references, infos, false)
    }

    fn compare_sets(
        &self,
        name: &str,
        used: &BTreeSet<StorePath>,
        named: &[Reference],
        infos: &BTreeMap<String, PathInfo>,
        allowed: bool,
    ) -> Result<(), BuildError> {
        let mut spec = BTreeSet::new();
        for reference in named {
            match reference {
                Reference::Path(path) => spec.insert(path.clone()),
                Reference::Output(output) => {
                    match infos.get(output).map(|info| &info.path).or(self.valid.get(output)) {
                        Some(path) => spec.insert(path.clone()),
                        None => {
                            let known = infos.keys().chain(self.valid.keys());
                            let known: BTreeSet<&str> = known.map(String::as_str).collect();
                            let text = format!(
                                "output check for `{name}` contains output name `{output}`, but this is not a valid output of this derivation. (Valid outputs are [{}].)",
                                Vec::from_iter(known).join(", ")
                            );
                            return Err(self.refused(text));
                        }
                    }
                }
            };
        }
        let bad: Vec<String> = used
            .iter()
            .filter(|path| spec.contains(path) != allowed)
            .map(|p| format!("\n  {}", self.store.dir().print(p)))
            .collect();
        if bad.is_empty() {
            return Ok(());
        }
        Err(self
            .refused(format!("the output `{name}` is not allowed to refer to these paths:{}", bad.concat())))
    }

    /// The closure of an output, some of whose references are not registered yet, and the size of its NARs.
    fn closure(
        &self,
        info: &PathInfo,
        infos: &BTreeMap<String, PathInfo>,
    ) -> Result<(BTreeSet<StorePath>, u64), BuildError> {
        let mut closure = BTreeSet::new();
        let mut size = 0;
        let mut todo = vec![info.path.clone()];
        while let Some(path) = todo.pop() {
            if !closure.insert(path.clone()) {
                continue;
            }
            let own = infos.values().find(|info| info.path == path).cloned();
            let found = match own {
                Some(info) => Some(info),
                None => self.store.info(&path)?,
            };
            if let Some(info) = found {
                size += info.nar_size;
                todo.extend(info.references);
            }
        }
        Ok((closure, size))
    }
}

/// References with the hashes of outputs changed to their final ones, sorted.
fn changed(references: &BTreeSet<StorePath>, rewrites: &[(String, String)]) -> Vec<StorePath> {
    let one = |path: &StorePath| {
        let new = rewrites.iter().find(|(from, _)| from == path.hash_part());
        new.and_then(|(_, to)| StorePath::parse(&format!("{to}-{}", path.name())).ok())
            .unwrap_or_else(|| path.clone())
    };
    let all: BTreeSet<StorePath> = references.iter().map(one).collect();
    all.into_iter().collect()
}

/// Copies a tree through its NAR, with hashes replaced.
fn copy_tree(from: &Path, to: &Path, rewrites: &[(String, String)]) -> Result<(), BuildError> {
    let failed = |error| BuildError::sandbox("copy an output", error);
    fs::remove_tree(to).map_err(failed)?;
    let (reader, writer) = io::pipe().map_err(failed)?;
    std::thread::scope(|scope| {
        let dumped = scope.spawn(move || {
            let mut rewriter = Rewriter::new(writer, rewrites);
            archive::dump(from, &mut rewriter, None)?;
            rewriter.finish().and_then(|(mut writer, _)| writer.flush()).map_err(failed)
        });
        let restored = archive::restore(io::BufReader::with_capacity(1 << 16, reader), to);
        let dumped = dumped.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        dumped.and(restored.map(drop).map_err(BuildError::from))
    })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(suffix);
    PathBuf::from(text)
}
