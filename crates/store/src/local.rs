//! The store on this machine's disk.

use crate::archive;
use crate::canonical::canonicalise;
use crate::database::{Database, PathInfo, SCHEMA};
use crate::error::{Doing as _, Error};
use nival_store_model::store_path::References;
use nival_store_model::{ContentMethod, Hash, StoreDir, StorePath, nar};
use nival_sys::fs as sys;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

/// The store on this machine's disk, below a folder of the user's or the system's.
pub struct LocalStore {
    root: PathBuf,
    dir: StoreDir,
    /// Opened when it is first asked: many evaluations need no path of it.
    database: OnceLock<Mutex<Database>>,
}

/// A tree that is complete and can become a path of the store.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The path that it becomes.
    pub path: StorePath,
    /// Where the tree lies now: a folder made by [`LocalStore::staging`].
    pub staged: PathBuf,
    /// What it refers to.
    pub references: Vec<StorePath>,
    /// The derivation that made it.
    pub deriver: Option<StorePath>,
}

impl LocalStore {
    /// Opens the store whose physical files lie below `root` (`root/nix/store`), making it where there is none.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Schema`].
    pub fn open(root: &Path) -> Result<Self, Error> {
        let state = root.join("nix/var/nix");
        let doing = || format!("open the store in `{}`", root.display());
        for folder in
            [&root.join("nix/store"), &state.join("db"), &state.join("gcroots"), &state.join("staging")]
        {
            sys::create_dir_all(folder).doing(doing)?;
        }
        let schema = state.join("db/schema");
        match std::fs::read_to_string(&schema) {
            Ok(found) if found.trim() != SCHEMA => return Err(Error::Schema { path: schema, found }),
            Ok(_) => {}
            Err(_) => sys::write_atomic(&schema, SCHEMA.as_bytes(), 0o644).doing(doing)?,
        }
        Ok(Self { root: root.to_owned(), dir: StoreDir::default(), database: OnceLock::new() })
    }

    /// The logical directory.
    pub fn dir(&self) -> &StoreDir {
        &self.dir
    }

    /// The folder that the store lies below.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a path lies on the disk.
    pub fn physical(&self, path: &StorePath) -> PathBuf {
        self.root.join("nix/store").join(path.base_name())
    }

    fn database(&self) -> Result<std::sync::MutexGuard<'_, Database>, Error> {
        let opened = match self.database.get() {
            Some(opened) => opened,
            None => {
                let opened = Database::open(&self.root.join("nix/var/nix/db/db.sqlite"), &self.dir)?;
                self.database.get_or_init(|| Mutex::new(opened))
            }
        };
        Ok(opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Whether a path is registered.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_valid(&self, path: &StorePath) -> Result<bool, Error> {
        self.database()?.is_valid(path)
    }

    /// What is known of a path; `None` where it is not registered.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        self.database()?.info(path)
    }

    /// All registered paths, sorted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn all(&self) -> Result<Vec<StorePath>, Error> {
        self.database()?.all()
    }

    pub(crate) fn check_integrity(&self) -> Result<Vec<String>, Error> {
        self.database()?.check_integrity()
    }

    /// The name of a new folder or file on the store's own file system, for a tree that is being made.
    pub fn staging(&self, name: &str) -> PathBuf {
        self.root.join("nix/var/nix/staging").join(format!("{}-{name}", std::process::id()))
    }

    /// Removes what processes that are gone left in the staging folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn clean_staging(&self) -> Result<(), Error> {
        let folder = self.root.join("nix/var/nix/staging");
        let doing = || format!("clean `{}`", folder.display());
        for entry in folder.read_dir().doing(doing)? {
            let entry = entry.doing(doing)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let owner = name.split('-').next().and_then(|pid| pid.parse::<u32>().ok());
            if owner.is_none_or(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                sys::remove_tree(&entry.path()).doing(doing)?;
            }
        }
        Ok(())
    }

    /// Moves finished trees into the store and registers them, all in one transaction. One that is valid already is
    /// dropped.
    ///
    /// # Errors
    /// Any [`Error`]; nothing is registered then.
    pub fn register(&self, registrations: &[Registration]) -> Result<(), Error> {
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
                path: registration.path.clone(),
                nar_hash,
                nar_size,
                references: registration.references.clone(),
                deriver: registration.deriver.clone(),
                content_address: None,
                ultimate: registration.deriver.is_some(),
            });
        }
        self.database()?.register(&infos, now())
    }

    fn move_in(&self, staged: &Path, path: &StorePath) -> Result<(), Error> {
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

    /// Adds a text under the address that its bytes and references give.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn add_text(&self, name: &str, text: &[u8], references: &[StorePath]) -> Result<StorePath, Error> {
        let hash = Hash::sha256(text);
        let path = self.dir.text_path(name, &hash, references)?;
        if self.is_valid(&path)? {
            return Ok(path);
        }
        let staged = self.staging(path.base_name());
        let doing = || format!("add `{path}` to the store");
        sys::remove_tree(&staged).doing(doing)?;
        sys::write_atomic(&staged, text, 0o444).doing(doing)?;
        sys::set_modified(&staged, 1).doing(doing)?;
        self.move_in(&staged, &path)?;
        let archive = nar::of_file(false, text);
        let info = PathInfo {
            path: path.clone(),
            nar_hash: Hash::sha256(&archive),
            nar_size: archive.len() as u64,
            references: references.to_vec(),
            deriver: None,
            content_address: Some(format!("text:{}", hash.prefixed_base32())),
            ultimate: false,
        };
        self.database()?.register(&[info], now())?;
        Ok(path)
    }

    /// Adds a file of given contents at a path that was computed from them.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn add_file_at(&self, path: &StorePath, contents: &[u8]) -> Result<(), Error> {
        if self.is_valid(path)? {
            return Ok(());
        }
        let staged = self.staging(path.base_name());
        let doing = || format!("add `{path}` to the store");
        sys::remove_tree(&staged).doing(doing)?;
        sys::write_atomic(&staged, contents, 0o444).doing(doing)?;
        sys::set_modified(&staged, 1).doing(doing)?;
        let registration = Registration { path: path.clone(), staged, references: Vec::new(), deriver: None };
        self.register(&[registration])
    }

    /// Adds a derivation's file, and what its outputs are called.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn add_derivation(&self, derivation: &nival_store_model::Derivation) -> Result<StorePath, Error> {
        let path = derivation.path(&self.dir)?;
        if self.is_valid(&path)? {
            return Ok(path);
        }
        let text = derivation.to_aterm(&self.dir)?;
        let added = self.add_text(&format!("{}.drv", derivation.name), &text, &derivation.references())?;
        let mut outputs = Vec::new();
        for (name, output) in &derivation.outputs {
            if let Some(path) = output.path(&self.dir, &derivation.name, name)? {
                outputs.push((name.clone(), path));
            }
        }
        self.database()?.register_outputs(&added, &outputs)?;
        Ok(added)
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
        Ok(self.dir.fixed_output_path(ContentMethod::Recursive, &hash, &References::default(), name)?)
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
        let staged = self.staging(name);
        let doing = || format!("copy `{}` to the store", source.display());
        sys::remove_tree(&staged).doing(doing)?;
        copy(source, &staged, keep)?;
        Ok(self.adopt_tree(name, &staged)?.path)
    }

    /// Makes a tree of the staging folder a path of the store, under the address of its NAR.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn adopt_tree(&self, name: &str, staged: &Path) -> Result<PathInfo, Error> {
        canonicalise(staged)?;
        let (nar_hash, nar_size) = archive::hash(staged, None)?;
        let path =
            self.dir.fixed_output_path(ContentMethod::Recursive, &nar_hash, &References::default(), name)?;
        if let Some(info) = self.info(&path)? {
            sys::remove_tree(staged).doing(|| "remove a tree that is not needed".to_owned())?;
            return Ok(info);
        }
        self.move_in(staged, &path)?;
        let content_address = Some(format!("fixed:r:{}", nar_hash.prefixed_base32()));
        let info = PathInfo {
            path,
            nar_hash,
            nar_size,
            references: Vec::new(),
            deriver: None,
            content_address,
            ultimate: false,
        };
        self.database()?.register(std::slice::from_ref(&info), now())?;
        Ok(info)
    }
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

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}
