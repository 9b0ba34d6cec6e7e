//! Adding to the store: trees that are complete, texts, files, derivations, copies of sources.

use super::now;
use crate::archive;
use crate::canonical::canonicalise;
use crate::database::Outputs;
use crate::error::{Doing as _, Error};
use crate::{LocalStore, PathInfo, PathLocks};
use nival_store_model::store_path::References;
use nival_store_model::{ContentAddress, ContentMethod, Derivation, Hash, StorePath, nar};
use nival_sys::fs as sys;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A tree that is complete and can become a path of the store.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The path that it becomes.
    pub path: StorePath,
    /// Where the tree lies now: a folder made by [`LocalStore::staging`].
    pub staged: std::path::PathBuf,
    /// What it refers to.
    pub references: Vec<StorePath>,
    /// The derivation that made it.
    pub deriver: Option<StorePath>,
}

impl LocalStore {
    /// Registers trees that are complete at their places, in one transaction; the caller holds their locks and made
    /// them canonical. Derivations are read for their outputs.
    ///
    /// # Errors
    /// [`Error::MissingReference`], [`Error::Unaddressed`] where a content address does not give the path, and others;
    /// nothing is registered then.
    pub fn register_all(&self, infos: &[PathInfo]) -> Result<(), Error> {
        let mut outputs = Outputs::new();
        for info in infos {
            self.check_address(info)?;
            if info.path.is_derivation() {
                let derivation = self.read_derivation_unchecked(&info.path)?;
                self.check_outputs(&info.path, &derivation, infos)?;
                outputs.insert(info.path.clone(), self.known_outputs(&derivation)?);
            }
        }
        self.added(infos)?;
        self.write_infos(infos, &outputs)
    }

    pub(super) fn write_infos(&self, infos: &[PathInfo], outputs: &Outputs) -> Result<(), Error> {
        self.sync_before_registering()?;
        self.database(|database| database.register(infos, outputs, now()))
    }

    fn check_address(&self, info: &PathInfo) -> Result<(), Error> {
        match &info.content_address {
            Some(address) if !address.names(self.dir(), &info.path, &info.references) => {
                Err(Error::Unaddressed { path: self.dir().print(&info.path), address: address.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// The outputs of a derivation whose paths are known from its file.
    pub(super) fn known_outputs(&self, derivation: &Derivation) -> Result<Vec<(String, StorePath)>, Error> {
        let mut outputs = Vec::new();
        for (name, output) in &derivation.outputs {
            if let Some(path) = output.path(self.dir(), &derivation.name, name)? {
                outputs.push((name.clone(), path));
            }
        }
        Ok(outputs)
    }

    /// Moves finished trees into the store and registers them, all in one transaction. One that is valid already is
    /// dropped.
    ///
    /// # Errors
    /// Any [`Error`]; nothing is registered then.
    pub fn register(&self, registrations: &[Registration]) -> Result<(), Error> {
        let paths: Vec<_> = registrations.iter().map(|registration| registration.path.clone()).collect();
        for path in &paths {
            self.temp_root(path)?;
        }
        nival_sys::process::allow_many_files();
        let locks = self.wait_for_locks(&paths)?;
        let mut wanted = Vec::new();
        for registration in registrations {
            if self.is_valid(&registration.path)? {
                sys::remove_tree(&registration.staged)
                    .doing(|| "remove a tree that is not needed".to_owned())?;
            } else {
                wanted.push(registration);
            }
        }
        let mut infos = Vec::new();
        for (registration, hashed) in wanted.iter().zip(hash_all(&wanted)) {
            let (nar_hash, nar_size) = hashed?;
            self.move_in(&registration.staged, &registration.path)?;
            infos.push(PathInfo {
                references: registration.references.clone(),
                deriver: registration.deriver.clone(),
                ultimate: registration.deriver.is_some(),
                ..PathInfo::new(registration.path.clone(), nar_hash, nar_size)
            });
        }
        self.added(&infos)?;
        self.write_infos(&infos, &Outputs::new())?;
        locks.finish();
        Ok(())
    }

    /// What is done with paths that are at their places before they are registered.
    pub(super) fn added(&self, infos: &[PathInfo]) -> Result<(), Error> {
        if self.config().settings.auto_optimise_store {
            for info in infos {
                self.optimise_path(&info.path)?;
            }
        }
        self.sync_paths(infos)
    }

    /// Puts a finished tree at the place of a path, whose lock is held; what is there and not valid goes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn move_in(&self, staged: &Path, path: &StorePath) -> Result<(), Error> {
        let target = self.physical(path);
        let doing = || format!("add `{path}` to the store");
        sys::remove_tree(&target).doing(doing)?;
        // A folder without write permission cannot be renamed by its owner.
        let metadata = staged.symlink_metadata().doing(doing)?;
        if metadata.is_dir() {
            sys::set_mode(staged, 0o755).doing(doing)?;
        }
        sys::rename(staged, &target).doing(doing)?;
        if metadata.is_dir() {
            sys::set_mode(&target, 0o555).doing(doing)?;
            sys::set_modified(&target, 1).doing(doing)?;
        }
        Ok(())
    }

    /// Makes a staged tree valid at a path, unless somebody did so meanwhile.
    fn settle(&self, staged: &Path, info: &PathInfo, outputs: &Outputs) -> Result<(), Error> {
        self.temp_root(&info.path)?;
        let locks: PathLocks = self.wait_for_locks(std::slice::from_ref(&info.path))?;
        if self.is_valid(&info.path)? {
            sys::remove_tree(staged).doing(|| "remove a tree that is not needed".to_owned())?;
        } else {
            self.move_in(staged, &info.path)?;
            self.added(std::slice::from_ref(info))?;
            self.write_infos(std::slice::from_ref(info), outputs)?;
        }
        locks.finish();
        Ok(())
    }

    /// Adds a text under the address that its bytes and references give.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn add_text(&self, name: &str, text: &[u8], references: &[StorePath]) -> Result<StorePath, Error> {
        self.add_text_with(name, text, references, Vec::new())
    }

    fn add_text_with(
        &self,
        name: &str,
        text: &[u8],
        references: &[StorePath],
        outputs: Vec<(String, StorePath)>,
    ) -> Result<StorePath, Error> {
        let hash = Hash::sha256(text);
        let path = self.dir().text_path(name, &hash, references)?;
        self.temp_root(&path)?;
        if self.is_valid(&path)? {
            return Ok(path);
        }
        let staged = self.stage_file(&path, text)?;
        let archive = nar::of_file(false, text);
        let info = PathInfo {
            references: references.to_vec(),
            content_address: Some(ContentAddress::text(hash)),
            ..PathInfo::new(path.clone(), Hash::sha256(&archive), archive.len() as u64)
        };
        self.settle(&staged, &info, &Outputs::from([(path.clone(), outputs)]))?;
        Ok(path)
    }

    pub(super) fn stage_file(&self, path: &StorePath, contents: &[u8]) -> Result<std::path::PathBuf, Error> {
        let doing = || format!("add `{path}` to the store");
        let staged = self.staging(&format!("{}-{}", thread_number(), path.base_name()));
        sys::remove_tree(&staged).doing(doing)?;
        sys::write_new(&staged, contents, 0o444).doing(doing)?;
        sys::set_modified(&staged, 1).doing(doing)?;
        Ok(staged)
    }

    /// Adds a file of given contents at a path that was computed from them by an address of the file's bytes.
    ///
    /// # Errors
    /// [`Error::Unaddressed`] where the address does not give the path, and others.
    pub fn add_file_at(
        &self,
        path: &StorePath,
        contents: &[u8],
        address: &ContentAddress,
    ) -> Result<(), Error> {
        self.temp_root(path)?;
        if self.is_valid(path)? {
            return Ok(());
        }
        let archive = nar::of_file(false, contents);
        let info = PathInfo {
            content_address: Some(address.clone()),
            ..PathInfo::new(path.clone(), Hash::sha256(&archive), archive.len() as u64)
        };
        self.check_address(&info)?;
        let staged = self.stage_file(path, contents)?;
        self.settle(&staged, &info, &Outputs::new())
    }

    /// Adds a derivation's file, and what its outputs are called.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn add_derivation(&self, derivation: &Derivation) -> Result<StorePath, Error> {
        let text = derivation.to_aterm(self.dir())?;
        let outputs = self.known_outputs(derivation)?;
        self.add_text_with(&format!("{}.drv", derivation.name), &text, &derivation.references(), outputs)
    }

    /// The path that a tree would get, by its NAR.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn path_of_tree(
        &self,
        name: &str,
        source: &Path,
        filter: Option<archive::Filter<'_>>,
    ) -> Result<StorePath, Error> {
        let (hash, _) = archive::hash(source, filter)?;
        Ok(self.dir().fixed_output_path(ContentMethod::Recursive, &hash, &References::default(), name)?)
    }

    /// Copies a file or tree into the store under the address of its NAR.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn add_tree(
        &self,
        name: &str,
        source: &Path,
        keep: &mut dyn FnMut(&Path, &std::fs::FileType) -> Result<bool, Error>,
    ) -> Result<StorePath, Error> {
        let staged = self.staging(&format!("{}-{name}", thread_number()));
        let doing = || format!("copy `{}` to the store", source.display());
        sys::remove_tree(&staged).doing(doing)?;
        copy(source, &staged, keep)?;
        Ok(self.adopt_tree(name, &staged)?.path)
    }

    /// Copies a file or tree to the staging folder.
    ///
    /// # Errors
    /// [`Error::Special`], [`Error::Io`].
    pub fn copy_to(&self, source: &Path, staged: &Path) -> Result<(), Error> {
        copy(source, staged, &mut |_, _| Ok(true))
    }

    /// Makes a tree of the staging folder a path of the store, under the address of its NAR.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn adopt_tree(&self, name: &str, staged: &Path) -> Result<PathInfo, Error> {
        canonicalise(staged)?;
        let (nar_hash, nar_size) = archive::hash(staged, None)?;
        let address = ContentAddress::recursive(nar_hash.clone());
        let path = address.path(self.dir(), name, &References::default())?;
        let info =
            PathInfo { content_address: Some(address), ..PathInfo::new(path.clone(), nar_hash, nar_size) };
        self.settle(staged, &info, &Outputs::new())?;
        self.valid_info(&path)
    }

    /// Copies a file or tree into the store under an address of any method and algorithm.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::NotAFile`] where a method that takes a file meets a folder.
    pub fn add_fixed(
        &self,
        name: &str,
        source: &Path,
        method: ContentMethod,
        algorithm: nival_store_model::Algorithm,
    ) -> Result<PathInfo, Error> {
        let staged = self.staging(name);
        sys::remove_tree(&staged).doing(|| format!("copy `{}` to the store", source.display()))?;
        copy(source, &staged, &mut |_, _| Ok(true))?;
        self.adopt_fixed(name, &staged, method, algorithm)
    }

    /// Makes a tree of the staging folder a path of the store, under an address of any method and algorithm.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::NotAFile`] where a method that takes a file meets a folder.
    pub fn adopt_fixed(
        &self,
        name: &str,
        staged: &Path,
        method: ContentMethod,
        algorithm: nival_store_model::Algorithm,
    ) -> Result<PathInfo, Error> {
        canonicalise(staged)?;
        let (nar_hash, nar_size) = archive::hash(staged, None)?;
        let hash = archive::content_hash(staged, method, algorithm)?;
        let address = ContentAddress { method, hash };
        let path = address.path(self.dir(), name, &References::default())?;
        let info =
            PathInfo { content_address: Some(address), ..PathInfo::new(path.clone(), nar_hash, nar_size) };
        self.settle(staged, &info, &Outputs::new())?;
        self.valid_info(&path)
    }

    /// Makes a tree of the staging folder the path that `info` describes, after its NAR was compared with what `info`
    /// says. The tree is canonical.
    ///
    /// # Errors
    /// [`Error::OtherContents`], [`Error::Unaddressed`], [`Error::MissingReference`] and others.
    pub fn adopt_as(&self, staged: &Path, info: &PathInfo) -> Result<(), Error> {
        let (nar_hash, nar_size) = archive::hash(staged, None)?;
        if nar_hash != info.nar_hash || nar_size != info.nar_size {
            return Err(Error::OtherContents {
                path: self.dir().print(&info.path),
                wanted: format!("{} of {} bytes", info.nar_hash.sri(), info.nar_size),
                got: format!("{} of {nar_size} bytes", nar_hash.sri()),
            });
        }
        self.check_address(info)?;
        if let Some(address) = &info.content_address {
            self.check_contents(staged, info, address)?;
        }
        self.temp_root(&info.path)?;
        let locks = self.wait_for_locks(std::slice::from_ref(&info.path))?;
        if self.is_valid(&info.path)? {
            sys::remove_tree(staged).doing(|| "remove a tree that is not needed".to_owned())?;
        } else {
            self.move_in(staged, &info.path)?;
            self.register_all(std::slice::from_ref(info))?;
        }
        locks.finish();
        Ok(())
    }

    /// Compares a tree with the content address that somebody claims for it.
    fn check_contents(&self, staged: &Path, info: &PathInfo, address: &ContentAddress) -> Result<(), Error> {
        let algorithm = address.hash.algorithm();
        let hash = match address.method {
            ContentMethod::Recursive if info.references.contains(&info.path) => {
                archive::hash_modulo(staged, algorithm, info.path.hash_part())?
            }
            method => archive::content_hash(staged, method, algorithm)?,
        };
        if hash == address.hash {
            return Ok(());
        }
        Err(Error::OtherContents {
            path: self.dir().print(&info.path),
            wanted: address.hash.sri(),
            got: hash.sri(),
        })
    }
}

/// A number of its own for each thread, so that two threads that add the same thing do not meet.
fn thread_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    thread_local!(static OWN: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.with(|own| *own)
}

/// Hashes trees on all processors; results are in the order of the trees.
fn hash_all(registrations: &[&Registration]) -> Vec<Result<(Hash, u64), Error>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(registrations.len().max(1));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(registration) = registrations.get(at) else { return done };
            done.push((at, archive::hash(&registration.staged, None)));
        }
    };
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, hashed)| hashed).collect()
}

fn copy(
    from: &Path,
    to: &Path,
    keep: &mut dyn FnMut(&Path, &std::fs::FileType) -> Result<bool, Error>,
) -> Result<(), Error> {
    let doing = || format!("copy `{}` to the store", from.display());
    let metadata = from.symlink_metadata().doing(doing)?;
    let kind = metadata.file_type();
    if kind.is_symlink() {
        return sys::symlink(&from.read_link().doing(doing)?, to).doing(doing);
    }
    if kind.is_file() {
        let mode = if metadata.mode() & 0o100 != 0 { 0o755 } else { 0o644 };
        let mut target = sys::create_new(to, mode).doing(doing)?;
        let mut source = std::fs::File::open(from).doing(doing)?;
        return std::io::copy(&mut source, &mut target).map(drop).doing(doing);
    }
    if !kind.is_dir() {
        return Err(Error::Special(from.to_owned()));
    }
    sys::create_dir(to).doing(doing)?;
    let entries: Vec<_> = from.read_dir().and_then(Iterator::collect).doing(doing)?;
    for entry in entries {
        let kind = entry.file_type().doing(doing)?;
        if keep(&entry.path(), &kind)? {
            copy(&entry.path(), &to.join(entry.file_name()), keep)?;
        }
    }
    Ok(())
}
