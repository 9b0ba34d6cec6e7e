//! Fetching: from an input to a store path and the attributes that pin it.

mod forge;
mod git;
mod mercurial;
mod path;
mod program;
mod tracked;
mod url;

use super::attributes::{Attribute, Attributes};
use super::cache::Cache;
use super::error::{At as _, Error};
use super::input::Input;
use super::registry::{self, Entry, Registries};
use super::schemes::Scheme;
use super::settings::FetchSettings;
use crate::diagnostics;
use nival_diagnostics::Diagnostic;
use nival_store::LocalStore;
use nival_store_model::store_path::References;
use nival_store_model::{ContentMethod, Hash, StorePath};
use nival_transport::{Cancel, NoProgress, Options, Request, Response, Transport};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use git::local_repository;
pub(crate) use mercurial::hg;
pub(super) use mercurial::local_folder;
pub(crate) use program::output;
pub use url::File;

/// What was fetched.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Where it is.
    pub path: StorePath,
    /// The input with everything that pins it.
    pub input: Input,
    /// What stands for the archive of it.
    pub hash: Hash,
}

/// Which registries are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseRegistries {
    /// None.
    No,
    /// Those of the command line and the global one.
    Limited,
    /// All.
    All,
}

/// What a fetcher of one type found: a store path whose name may not be the right one yet.
struct Found {
    path: StorePath,
    hash: Hash,
    input: Input,
}

/// Fetches inputs into a store.
pub struct Fetcher {
    /// What decides how.
    pub settings: FetchSettings,
    pub(super) store: Arc<LocalStore>,
    options: Options,
    cancel: Cancel,
    transport: OnceCell<Transport>,
    cache: Cache,
    seen: RefCell<BTreeMap<Input, (Tree, Input, Attributes)>>,
    pub(super) registries: OnceCell<Registries>,
    warnings: RefCell<Vec<Diagnostic>>,
    staged: std::cell::Cell<u64>,
}

impl Fetcher {
    /// A fetcher into a store.
    pub fn new(settings: FetchSettings, store: Arc<LocalStore>, options: Options, cancel: Cancel) -> Self {
        let cache = Cache::new(&settings.cache, settings.tarball_ttl);
        Self {
            settings,
            store,
            options,
            cancel,
            transport: OnceCell::new(),
            cache,
            seen: RefCell::default(),
            registries: OnceCell::new(),
            warnings: RefCell::default(),
            staged: std::cell::Cell::new(0),
        }
    }

    /// The store that is fetched into.
    pub fn store(&self) -> &Arc<LocalStore> {
        &self.store
    }

    /// What was worth a warning since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        self.warnings.take()
    }

    /// Keeps a warning for [`Self::take_warnings`].
    pub fn warn(&self, text: impl Into<String>) {
        self.warnings.borrow_mut().push(Diagnostic::warning(&diagnostics::NV0427, text));
    }

    /// The registries, read once.
    pub(super) fn registries(&self) -> Result<&Registries, Error> {
        registry::of(self)
    }

    /// All registries with their kinds, the nearest first.
    ///
    /// # Errors
    /// Where the global one cannot be fetched.
    pub fn all_registries(&self) -> Result<Vec<(&'static str, Vec<registry::Entry>)>, Error> {
        registry::all(self)
    }

    /// Resolves a name of a registry, and what stands for an address there.
    ///
    /// # Errors
    /// [`Error::NotInRegistry`], [`Error::Reference`].
    pub fn resolve(&self, input: &Input, which: UseRegistries) -> Result<(Input, Attributes), Error> {
        registry::resolve(self, input, which)
    }

    /// Fetches what an input names, resolving it first where it is a name; the input that it was resolved to, and
    /// what the registry says besides.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn fetch_resolved(
        &self,
        input: &Input,
        which: UseRegistries,
    ) -> Result<(Tree, Input, Attributes), Error> {
        if let Some(known) = self.seen.borrow().get(input) {
            return Ok(known.clone());
        }
        let (resolved, extra) = if input.is_direct() {
            (input.clone(), Attributes::default())
        } else if which == UseRegistries::No {
            let text = format!("`{}` is a name of a registry, and none may be asked", input.shown());
            return Err(Error::Refused(text));
        } else {
            self.resolve(input, which)?
        };
        let tree = self.fetch(&resolved)?;
        let result = (tree, resolved, extra);
        self.seen.borrow_mut().insert(input.clone(), result.clone());
        Ok(result)
    }

    /// Forgets what an input was fetched as, since it changed.
    pub fn forget(&self, input: &Input) {
        self.seen.borrow_mut().remove(input);
    }

    /// Forgets what all inputs were fetched as.
    pub fn forget_all(&self) {
        self.seen.borrow_mut().clear();
    }

    /// Fetches an input that is no name.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn fetch(&self, input: &Input) -> Result<Tree, Error> {
        self.fetch_checked(input)
            .map_err(|error| error.context(format!("while fetching `{}`", input.shown())))
    }

    fn fetch_checked(&self, input: &Input) -> Result<Tree, Error> {
        if let Some(tree) = self.stored(input)? {
            return Ok(tree);
        }
        let Some(scheme) = input.scheme else {
            return Err(Error::Reference(format!(
                "nothing is known of this type: {}",
                input.attributes.json()
            )));
        };
        let Found { path, hash, input: mut result } = match scheme {
            Scheme::Path => path::fetch(self, input)?,
            Scheme::File => url::fetch_file(self, input)?,
            Scheme::Tarball => url::fetch_tarball(self, input)?,
            Scheme::Git => git::fetch(self, input)?,
            Scheme::GitHub | Scheme::GitLab | Scheme::SourceHut => forge::fetch(self, scheme, input)?,
            Scheme::Indirect => {
                return Err(Error::Reference(format!(
                    "`{}` must be looked up in a registry first",
                    input.shown()
                )));
            }
            Scheme::Mercurial => mercurial::fetch(self, input)?,
        };
        if let Some(wanted) = input.nar_hash()?
            && wanted != hash
        {
            return Err(Error::hash(&input.shown(), &wanted, &hash));
        }
        result.attributes.set("narHash", hash.sri());
        result.set_final();
        check(input, &mut result)?;
        let path = self.named(&path, &hash, result.name())?;
        Ok(Tree { path, input: result, hash })
    }

    /// The tree of an input that is pinned by its hash and lies in the store already.
    fn stored(&self, input: &Input) -> Result<Option<Tree>, Error> {
        let Some(hash) = input.nar_hash()?.filter(|_| input.is_final()) else { return Ok(None) };
        let path = self.path_of(&hash, input.name())?;
        if !self.store.is_valid(&path)? {
            return Ok(None);
        }
        Ok(Some(Tree { path, input: input.clone(), hash }))
    }

    /// Where contents lie that have a hash.
    ///
    /// # Errors
    /// [`Error::Store`] where the name is no name of a store path.
    pub fn path_of(&self, hash: &Hash, name: &str) -> Result<StorePath, Error> {
        let dir = self.store.dir();
        Ok(dir.fixed_output_path(ContentMethod::Recursive, hash, &References::default(), name)?)
    }

    /// Contents that lie in the store, under another name.
    pub(super) fn named(&self, path: &StorePath, hash: &Hash, name: &str) -> Result<StorePath, Error> {
        if path.name() == name {
            return Ok(path.clone());
        }
        let wanted = self.path_of(hash, name)?;
        if self.store.is_valid(&wanted)? {
            return Ok(wanted);
        }
        Ok(self.store.add_tree(name, &self.store.physical(path), &mut |_, _| Ok(true))?)
    }

    /// Contents with a known hash, where they are in the store under the usual name.
    fn known(&self, hash: &str) -> Option<(StorePath, Hash)> {
        let hash = Hash::parse(hash, None).ok()?;
        let path = self.path_of(&hash, "source").ok()?;
        self.store.is_valid(&path).ok()?.then_some((path, hash))
    }

    /// A new name in the store's staging folder.
    pub(super) fn staging(&self, name: &str) -> PathBuf {
        let count = self.staged.get();
        self.staged.set(count + 1);
        self.store.staging(&format!("{count}-{name}"))
    }

    fn adopt(&self, staged: &Path) -> Result<(StorePath, Hash), Error> {
        let info = self.store.adopt_tree("source", staged)?;
        Ok((info.path, info.nar_hash))
    }

    fn request(&self, request: &Request) -> Result<Response, Error> {
        let transport = match self.transport.get() {
            Some(transport) => transport,
            None => {
                let made = Transport::new(self.options.clone(), self.cancel.clone())?;
                self.transport.get_or_init(|| made)
            }
        };
        Ok(transport.request(request, &NoProgress)?)
    }

    /// Where a store path lies on the disk.
    pub fn physical(&self, path: &StorePath) -> PathBuf {
        self.store.physical(path)
    }

    /// Adds an entry of the command line to the registries.
    pub fn add_override(&mut self, entry: Entry) {
        self.settings.overrides.push(entry);
        self.registries = OnceCell::new();
    }
}

/// What was asked for must be what came.
fn check(asked: &Input, result: &mut Input) -> Result<(), Error> {
    let shown = |value: Option<&Attribute>| match value {
        Some(Attribute::Text(text)) => text.clone(),
        Some(Attribute::Int(int)) => int.to_string(),
        Some(Attribute::Bool(yes)) => yes.to_string(),
        None => "nothing".to_owned(),
    };
    let names: Vec<&str> = if asked.is_final() {
        asked.attributes.0.keys().map(String::as_str).filter(|name| *name != "narHash").collect()
    } else {
        vec!["lastModified", "rev", "revCount"]
    };
    for name in names {
        let (wanted, got) = (asked.attributes.0.get(name), result.attributes.0.get(name));
        let same = match name {
            "rev" => asked.revision()? == result.revision()?,
            _ => wanted == got,
        };
        if wanted.is_some() && !same && (got.is_some() || !asked.is_final()) {
            return Err(Error::Mismatch {
                input: asked.shown(),
                attribute: name.to_owned(),
                wanted: shown(wanted),
                got: shown(got),
            });
        }
    }
    if asked.is_final() {
        result.attributes = asked.attributes.clone();
        if let Some(hash) = asked.nar_hash()? {
            result.attributes.set("narHash", hash.sri());
        }
    }
    Ok(())
}

/// Removes a staged file or folder when the work with it is over, however it ends.
struct Staged(PathBuf);

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = nival_sys::fs::remove_tree(&self.0);
    }
}

/// Reads a small file that was fetched.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).at(path)
}
