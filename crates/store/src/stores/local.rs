//! The local store as one of many: sending its paths, and receiving those of others.

use super::trust::is_named_by_contents;
use super::{Store, Trust};
use crate::archive;
use crate::error::{Doing as _, Error};
use crate::remote_error::RemoteError;
use crate::{LocalStore, PathInfo};
use nival_store_model::{ContentMethod, StoreDir, StorePath};
use nival_sys::fs as sys;
use std::collections::BTreeSet;
use std::io::{self, PipeReader, Read, Write as _};
use std::path::PathBuf;
use std::thread::JoinHandle;

impl Store for LocalStore {
    fn url(&self) -> String {
        let config = self.config();
        match config.root() {
            Some(root) if root.as_os_str() != "/" => format!("local?root={}", root.display()),
            Some(_) => "local".to_owned(),
            None => format!("local?real={}", config.physical.display()),
        }
    }

    fn dir(&self) -> &StoreDir {
        self.dir()
    }

    fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        self.info(path)
    }

    fn nar(&self, path: &StorePath) -> Result<Box<dyn Read + '_>, Error> {
        Ok(Box::new(Dump::begin(self.physical(path)).doing(|| format!("read `{path}`"))?))
    }

    fn add(&self, info: &PathInfo, nar: &mut dyn Read, trust: &Trust, from: &str) -> Result<(), Error> {
        if !trust.accepts(self.dir(), info) {
            let (url, path) = (from.to_owned(), self.dir().print(&info.path));
            return Err(RemoteError::Untrusted { url, path }.into());
        }
        receive(self, info, nar, from)
    }

    fn all(&self) -> Result<Vec<StorePath>, Error> {
        self.all()
    }

    fn path_of_hash_part(&self, hash_part: &str) -> Result<Option<StorePath>, Error> {
        self.path_from_hash_part(hash_part)
    }

    fn add_signatures(&self, path: &StorePath, signatures: &BTreeSet<String>) -> Result<(), Error> {
        self.add_signatures(path, signatures)
    }

    fn log(&self, derivation: &StorePath) -> Result<Option<Vec<u8>>, Error> {
        self.read_kept_log(derivation)
    }

    fn add_log(&self, derivation: &StorePath, text: &[u8]) -> Result<(), Error> {
        self.keep_log(derivation, text)
    }

    fn trusts_client(&self) -> Option<bool> {
        Some(true)
    }
}

impl LocalStore {
    /// The log of a derivation's build as Nix keeps it: `log/drvs/XX/REST.bz2`, or without compression.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read_kept_log(&self, derivation: &StorePath) -> Result<Option<Vec<u8>>, Error> {
        let name = derivation.base_name();
        let file = self.config().log.join("drvs").join(&name[..2]).join(&name[2..]);
        let packed = PathBuf::from(format!("{}.bz2", file.display()));
        let doing = || format!("read the log of `{name}`");
        if file.exists() {
            return std::fs::read(&file).map(Some).doing(doing);
        }
        if !packed.exists() {
            return Ok(None);
        }
        let mut text = Vec::new();
        let bytes = std::fs::File::open(&packed).doing(doing)?;
        bzip2::read::MultiBzDecoder::new(bytes).read_to_end(&mut text).doing(doing)?;
        Ok(Some(text))
    }
}

impl LocalStore {
    /// Keeps the log of a derivation's build where Nix does.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep_log(&self, derivation: &StorePath, text: &[u8]) -> Result<(), Error> {
        let name = derivation.base_name();
        let doing = || format!("keep the log of `{name}`");
        let folder = self.config().log.join("drvs").join(&name[..2]);
        sys::create_dir_all(&folder).doing(doing)?;
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        let packed = encoder.write_all(text).and_then(|()| encoder.finish()).doing(doing)?;
        sys::write_atomic(&folder.join(format!("{}.bz2", &name[2..])), &packed, 0o644).doing(doing)
    }
}

/// Unpacks a path under its lock, compares it with what was said, and registers it.
fn receive(store: &LocalStore, info: &PathInfo, nar: &mut dyn Read, from: &str) -> Result<(), Error> {
    store.temp_root(&info.path)?;
    if store.is_valid(&info.path)? {
        return Ok(());
    }
    let locks = store.wait_for_locks(std::slice::from_ref(&info.path))?;
    if store.is_valid(&info.path)? {
        locks.finish();
        return Ok(());
    }
    let place = store.physical(&info.path);
    sys::remove_tree(&place).doing(|| format!("remove what was left of `{}`", info.path))?;
    let received = archive::restore(nar, &place)
        .map_err(|error| said_by(from, info, error))
        .and_then(|restored| compare(store, info, &restored, from));
    if let Err(error) = received {
        // The error that is told is the first one.
        let _ = sys::remove_tree(&place);
        locks.finish();
        return Err(error);
    }
    let info = PathInfo { ultimate: false, registered: 0, ..info.clone() };
    store.register_all(std::slice::from_ref(&info))?;
    if store.config().settings.auto_optimise_store {
        store.optimise_path(&info.path)?;
    }
    locks.finish();
    Ok(())
}

/// An error of an archive names where it came from.
fn said_by(from: &str, info: &PathInfo, error: Error) -> Error {
    match error {
        Error::Archive(error) => {
            RemoteError::cache(from, format!("the archive of `{}` is broken: {error}", info.path)).into()
        }
        other => other,
    }
}

fn compare(
    store: &LocalStore,
    info: &PathInfo,
    restored: &archive::Restored,
    from: &str,
) -> Result<(), Error> {
    let lie = |what, wanted: String, got: String| RemoteError::Lie {
        url: from.to_owned(),
        path: info.path.to_string(),
        what,
        wanted,
        got,
    };
    if restored.hash != info.nar_hash {
        return Err(lie("hash", info.nar_hash.sri(), restored.hash.sri()).into());
    }
    if restored.size != info.nar_size {
        return Err(lie("size", info.nar_size.to_string(), restored.size.to_string()).into());
    }
    let Some(address) = &info.content_address else { return Ok(()) };
    if !is_named_by_contents(store.dir(), info) {
        return Err(lie(
            "content address",
            address.to_string(),
            "a name that does not follow from it".into(),
        )
        .into());
    }
    let place = store.physical(&info.path);
    let algorithm = address.hash.algorithm();
    let is_self_referring = info.references.contains(&info.path);
    let got = match address.method {
        ContentMethod::Recursive if is_self_referring => {
            archive::hash_modulo(&place, algorithm, info.path.hash_part())?
        }
        method => archive::content_hash(&place, method, algorithm)?,
    };
    if got == address.hash {
        return Ok(());
    }
    Err(lie("content address", address.hash.sri(), got.sri()).into())
}

/// The archive of a tree, written by a thread while it is read.
struct Dump {
    reader: PipeReader,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Dump {
    fn begin(path: PathBuf) -> io::Result<Self> {
        let (reader, mut writer) = io::pipe()?;
        let thread = std::thread::Builder::new()
            .name("archive".to_owned())
            .spawn(move || archive::dump(&path, &mut writer, None))?;
        Ok(Self { reader, thread: Some(thread) })
    }
}

impl Read for Dump {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if count == 0
            && !buffer.is_empty()
            && let Some(thread) = self.thread.take()
        {
            let done = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            done.map_err(io::Error::other)?;
        }
        Ok(count)
    }
}
