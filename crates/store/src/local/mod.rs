//! The store on this machine's disk.

mod add;
mod pending;
mod query;
mod remove;
mod sync;

pub use add::Registration;
pub use query::Follow;

use crate::StoreConfig;
use crate::database::{Database, SCHEMA};
use crate::error::{Doing as _, Error};
use crate::info::PathInfo;
use crate::temporary_roots::TemporaryRoots;
use nival_store_model::derivation::Modulo;
use nival_store_model::{StoreDir, StorePath};
use nival_sys::fs as sys;
use nival_sys::lock::{self, Kind};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The store on this machine's disk.
pub struct LocalStore {
    config: StoreConfig,
    /// Opened when it is first asked: many evaluations need no path of it.
    opened: OnceLock<Mutex<Opened>>,
    temporary_roots: OnceLock<Arc<TemporaryRoots>>,
    /// Held while the staging folder lies in the store itself, so that no collector takes it.
    staging: OnceLock<Option<File>>,
    /// What stands for derivations that were read.
    modulos: Mutex<HashMap<StorePath, Modulo>>,
    /// Derivations that are not written yet, and whether there are some.
    pending: Mutex<pending::Pending>,
    is_pending: AtomicBool,
}

struct Opened {
    database: Database,
    /// Held shared while the store is open, so that nobody changes the schema.
    _lock: Option<File>,
}

impl LocalStore {
    /// Opens the store whose physical files lie below `root` (`root/nix/store`), making it where there is none.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Schema`].
    pub fn open(root: &Path) -> Result<Self, Error> {
        Self::open_with(StoreConfig::below(root))
    }

    /// Opens a store, making it where there is none.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Schema`].
    pub fn open_with(config: StoreConfig) -> Result<Self, Error> {
        let doing = || format!("open the store in `{}`", config.physical.display());
        let folders = [&config.physical, &config.state.join("db"), &config.state.join("gcroots")];
        for folder in folders.into_iter().filter(|_| !config.settings.read_only) {
            sys::create_dir_all(folder).doing(doing)?;
        }
        let schema = config.state.join("db/schema");
        if let Some(found) = std::fs::read_to_string(&schema).ok().filter(|found| found.trim() != SCHEMA) {
            return Err(Error::Schema { path: schema, found });
        }
        if config.settings.read_only && !schema.exists() {
            return Err(Error::NothingToRead(config.state));
        }
        let store = Self {
            config,
            opened: OnceLock::new(),
            temporary_roots: OnceLock::new(),
            staging: OnceLock::new(),
            modulos: Mutex::default(),
            pending: Mutex::default(),
            is_pending: AtomicBool::new(false),
        };
        Ok(store)
    }

    /// Where the store lies and how it is kept.
    pub fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// The logical directory.
    pub fn dir(&self) -> &StoreDir {
        &self.config.logical
    }

    /// The folder of the database, roots and profiles.
    pub fn state(&self) -> &Path {
        &self.config.state
    }

    /// Where a path lies on the disk.
    pub fn physical(&self, path: &StorePath) -> PathBuf {
        self.config.physical.join(path.base_name())
    }

    fn opened(&self) -> Result<MutexGuard<'_, Opened>, Error> {
        let opened = match self.opened.get() {
            Some(opened) => opened,
            None => {
                let opened = self.open_database()?;
                self.opened.get_or_init(|| Mutex::new(opened))
            }
        };
        Ok(opened.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a piece of work on the database, which knows all that was added before.
    pub(crate) fn database<T>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.write_pending()?;
        work(&mut self.opened()?.database)
    }

    fn open_database(&self) -> Result<Opened, Error> {
        let state = &self.config.state;
        let path = state.join("db/db.sqlite");
        let settings = &self.config.settings;
        if settings.read_only {
            return Ok(Opened { database: Database::open(&path, self.dir(), settings)?, _lock: None });
        }
        let doing = || format!("open the store in `{}`", self.config.physical.display());
        for folder in ["temproots", "profiles/per-user", "gcroots/per-user", "gcroots/auto"] {
            sys::create_dir_all(&state.join(folder)).doing(doing)?;
        }
        sys::create_dir_all(&self.config.physical.join(".links")).doing(doing)?;
        let big_lock = sys::open_private(&state.join("db/big-lock")).doing(doing)?;
        lock::take(&big_lock, Kind::Shared, true).doing(doing)?;
        self.reserve_space();
        let database = Database::open(&path, self.dir(), settings)?;
        let schema = state.join("db/schema");
        if !schema.exists() {
            // Behind the tables: who sees the number finds the database.
            sys::write_atomic(&schema, SCHEMA.as_bytes(), 0o644).doing(doing)?;
        }
        Ok(Opened { database, _lock: Some(big_lock) })
    }

    /// Keeps some space of the disk in a file that is given back before a collection: SQLite cannot work on a full
    /// disk. Without space for it there is none.
    pub(crate) fn reserve_space(&self) {
        let path = self.config.state.join("db/reserved");
        let wanted = self.config.settings.gc_reserved_space;
        if path.metadata().map_or(u64::MAX, |found| found.len()) != wanted {
            let _ = sys::reserve(&path, wanted);
        }
    }

    pub(crate) fn temporary_roots(&self) -> &TemporaryRoots {
        self.temporary_roots.get_or_init(|| TemporaryRoots::of(&self.config.state))
    }

    pub(crate) fn modulos(&self) -> MutexGuard<'_, HashMap<StorePath, Modulo>> {
        self.modulos.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a path is registered.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_valid(&self, path: &StorePath) -> Result<bool, Error> {
        self.database(|database| database.is_valid(path))
    }

    /// What is known of a path; `None` where it is not registered.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        self.database(|database| database.info(path))
    }

    /// What is known of a path that must be registered.
    ///
    /// # Errors
    /// [`Error::NotValid`], [`Error::Database`].
    pub fn valid_info(&self, path: &StorePath) -> Result<PathInfo, Error> {
        self.info(path)?.ok_or_else(|| Error::NotValid(self.dir().print(path)))
    }

    /// All registered paths, sorted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn all(&self) -> Result<Vec<StorePath>, Error> {
        self.database(|database| database.all())
    }

    /// What is known of all registered paths, sorted by path.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn all_infos(&self) -> Result<Vec<PathInfo>, Error> {
        self.database(|database| database.all_infos())
    }

    pub(crate) fn check_integrity(&self) -> Result<Vec<String>, Error> {
        self.database(|database| database.check_integrity())
    }

    /// The name of a new folder or file on the store's own file system, for a tree that is being made.
    pub fn staging(&self, name: &str) -> PathBuf {
        let folder = self.staging_folder();
        // Where it cannot be made, whoever writes below it is told why.
        let _ = sys::create_dir_all(&folder);
        if folder.starts_with(&self.config.physical) {
            self.staging.get_or_init(|| {
                let held = File::open(&folder).ok()?;
                lock::take(&held, Kind::Shared, true).ok().map(|_| held)
            });
        }
        folder.join(format!("{}-{name}", std::process::id()))
    }

    /// Beside the database where that is the store's file system, else in the store under a name that collectors leave
    /// alone while it is locked.
    fn staging_folder(&self) -> PathBuf {
        use std::os::unix::fs::MetadataExt as _;
        let device = |path: &Path| path.metadata().ok().map(|metadata| metadata.dev());
        if device(&self.config.state) == device(&self.config.physical) {
            self.config.state.join("staging")
        } else {
            self.config.physical.join("tmp-nival")
        }
    }

    /// Removes what processes that are gone left in the staging folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn clean_staging(&self) -> Result<(), Error> {
        let folder = self.staging_folder();
        let doing = || format!("clean `{}`", folder.display());
        let entries = match folder.read_dir() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            other => other.doing(doing)?,
        };
        for entry in entries {
            let entry = entry.doing(doing)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let owner = name.split('-').next().and_then(|pid| pid.parse::<u32>().ok());
            if owner.is_none_or(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                sys::remove_tree(&entry.path()).doing(doing)?;
            }
        }
        Ok(())
    }
}

impl Drop for LocalStore {
    fn drop(&mut self) {
        // Whoever must know whether it went well calls it before.
        let _ = self.write_pending();
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}
