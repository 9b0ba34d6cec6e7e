//! What evaluation sees of the outside: files, the library, the store, and what is fetched.

mod access;
mod closure;
mod fetch;
mod outlines;

pub(crate) use fetch::is_fetched;

use crate::diagnostics;
use crate::library;
use crate::session::SessionOptions;
use access::Access;
use nival_build::{Outcome, Request, Run, Wanted};
use nival_diagnostics::Diagnostic;
use nival_eval::{AddPath, ContextElement, FetchRequest, FetchValue, FileType, World, WorldResult};
use nival_inputs::fetchers::Fetcher;
use nival_store::LocalStore;
use nival_store_model::{
    ContentAddress, ContentMethod, Derivation, DerivationFile, Hash, StorePath, derivation,
    store_path::References,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an evaluation looked at of the disk, by the paths that the language knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Files and folders, also such as are not there.
    pub files: BTreeSet<String>,
    /// Trees that were copied to the store as a whole.
    pub trees: BTreeSet<String>,
}

pub(crate) struct EngineWorld {
    store: Arc<LocalStore>,
    options: SessionOptions,
    access: Access,
    fetcher: Fetcher,
    /// Entries of the search path that were looked at.
    resolved: RefCell<BTreeMap<String, Option<String>>>,
    /// What was looked at of the disk: files and folders, and trees that were copied.
    seen: RefCell<Seen>,
    /// Derivations that were made and not written: what they need and yield.
    unwritten: RefCell<outlines::Outlines>,
    pub(crate) traces: RefCell<Vec<String>>,
    pub(crate) warnings: RefCell<Vec<Diagnostic>>,
}

impl EngineWorld {
    /// The system that is built for.
    pub(crate) fn system(&self) -> &str {
        self.options.nix.system().unwrap_or(&self.options.system)
    }

    pub(crate) fn new(store: Arc<LocalStore>, options: SessionOptions) -> Self {
        let nix = &options.nix;
        let access = Access::new(nix.pure_eval(), nix.restrict_eval(), nix.list("allowed-uris"));
        let cache = options.cache.clone().unwrap_or_else(|| store.state().join("fetched"));
        let mut transport = options.transport.clone();
        nix.apply_to(&mut transport);
        let settings =
            nix.fetch_settings(&options.environment, cache, Path::new("/").join(&options.current_dir));
        let fetcher = Fetcher::new(settings, store.clone(), transport, options.cancel.clone());
        let world = Self {
            store,
            access,
            fetcher,
            options,
            resolved: RefCell::default(),
            seen: RefCell::default(),
            unwritten: RefCell::default(),
            traces: RefCell::default(),
            warnings: RefCell::default(),
        };
        if world.access.is_limited() {
            world.allow_search_path();
        }
        world
    }

    /// What stands in the search path may be seen.
    fn allow_search_path(&self) {
        for (_, path) in World::search_path(self) {
            if path.starts_with('/') {
                self.access.allow(&path);
            }
        }
    }

    /// What was looked at so far.
    pub(crate) fn looked_at(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Where a path lies on the disk: paths of the store are below its physical folder.
    fn physical(&self, path: &str) -> PathBuf {
        self.seen.borrow_mut().files.insert(path.to_owned());
        match self.store.dir().parse_prefix(path) {
            Ok((store_path, rest)) => {
                if store_path.is_derivation() {
                    // What cannot be written is not there to be read; the error comes with the next question.
                    let _ = self.store.write_pending();
                }
                let base = self.store.physical(&store_path);
                // A store that lies elsewhere may lack what the host has at that path.
                let is_diverted = self.store.config().physical != Path::new(self.store.dir().as_str());
                if is_diverted && !base.exists() && Path::new(path).exists() {
                    return PathBuf::from(path);
                }
                if rest.is_empty() { base } else { base.join(rest.trim_start_matches('/')) }
            }
            Err(_) => PathBuf::from(path),
        }
    }

    fn parse(&self, path: &str) -> WorldResult<StorePath> {
        self.store.dir().parse(path).map_err(|error| Box::new(nival_store::Error::from(error).diagnostic()))
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> Box<Diagnostic> {
    let diagnostic = Diagnostic::error(&diagnostics::file::ENTRY, format!("cannot read `{path}`: {error}"));
    Box::new(diagnostic.help("check the path: a relative one starts at the file that it is written in"))
}

fn stored(error: &nival_store::Error) -> Box<Diagnostic> {
    Box::new(error.diagnostic())
}

fn kind_of(kind: std::fs::FileType) -> FileType {
    if kind.is_dir() {
        FileType::Directory
    } else if kind.is_symlink() {
        FileType::Symlink
    } else if kind.is_file() {
        FileType::Regular
    } else {
        FileType::Unknown
    }
}

impl World for EngineWorld {
    fn read_file(&self, path: &str) -> WorldResult<Vec<u8>> {
        if let Some(contents) = library::inside(path).and_then(library::library_file) {
            return Ok(contents.to_vec());
        }
        self.access.check(path)?;
        nival_sys::fs::read_small(&self.physical(path)).map_err(|error| unreadable(path, &error))
    }

    fn read_dir(&self, path: &str) -> WorldResult<Vec<(String, FileType)>> {
        if let Some(name) = library::inside(path) {
            return Ok(library::entries(name));
        }
        self.access.check(path)?;
        let failed = |error: std::io::Error| unreadable(path, &error);
        let mut entries = Vec::new();
        for entry in self.physical(path).read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !self.access.is_limited()
                || self.access.sees(&format!("{}/{name}", path.trim_end_matches('/')))
            {
                entries.push((name, kind_of(kind)));
            }
        }
        Ok(entries)
    }

    fn file_type(&self, path: &str) -> WorldResult<Option<FileType>> {
        if let Some(name) = library::inside(path) {
            return Ok(library::file_type(name));
        }
        if !self.access.sees(path) {
            return Ok(None);
        }
        match self.physical(path).symlink_metadata() {
            Ok(metadata) => Ok(Some(kind_of(metadata.file_type()))),
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    fn read_link(&self, path: &str) -> WorldResult<String> {
        self.access.check(path)?;
        let target = self.physical(path).read_link().map_err(|error| unreadable(path, &error))?;
        Ok(target.to_string_lossy().into_owned())
    }

    fn store_dir(&self) -> &str {
        self.store.dir().as_str()
    }

    fn add_path(&self, request: AddPath<'_>) -> WorldResult<String> {
        let AddPath { name, path, recursive, sha256, mut filter } = request;
        self.access.check(path)?;
        let wanted = sha256.and_then(|digest| Hash::new(nival_store_model::Algorithm::Sha256, &digest));
        let source = self.physical(path);
        self.seen.borrow_mut().trees.insert(path.to_owned());
        let method = if recursive { ContentMethod::Recursive } else { ContentMethod::Flat };
        if !recursive {
            let contents = self.read_file(path)?;
            let hash = Hash::sha256(&contents);
            return self.add_flat(name, &contents, &hash, wanted.as_ref(), method);
        }
        let logical = Path::new(path);
        let seen_as = |path: &Path| match path.strip_prefix(&source) {
            Ok(inner) if inner.as_os_str().is_empty() => logical.to_owned(),
            Ok(inner) => logical.join(inner),
            Err(_) => path.to_owned(),
        };
        let mut refused = None;
        let mut keep = |path: &Path, kind: &std::fs::FileType| match &mut filter {
            None => Ok(true),
            // It is told the paths that the language knows, wherever the store lies.
            Some(filter) => match filter(&seen_as(path).to_string_lossy(), kind_of(*kind)) {
                Ok(answer) => Ok(answer),
                Err(diagnostic) => {
                    refused = Some(diagnostic);
                    Err(nival_store::Error::Special(path.to_owned()))
                }
            },
        };
        let added = if self.options.read_only {
            self.store.path_of_tree(name, &source, Some(&mut keep))
        } else {
            self.store.add_tree(name, &source, &mut keep)
        };
        if let Some(diagnostic) = refused {
            return Err(diagnostic);
        }
        let added = added.map_err(|error| stored(&error))?;
        if let Some(wanted) = wanted {
            let dir = self.store.dir();
            let expected = dir.fixed_output_path(method, &wanted, &References::default(), name);
            if expected.map_err(|error| stored(&error.into()))? != added {
                let got = self.store.info(&added).map_err(|error| stored(&error))?.map(|info| info.nar_hash);
                return Err(other_hash(path, &wanted, got.as_ref()));
            }
        }
        Ok(self.seen(&added))
    }

    fn add_text(&self, name: &str, text: &[u8], references: &[String]) -> WorldResult<String> {
        let references: WorldResult<Vec<_>> = references.iter().map(|path| self.parse(path)).collect();
        let path = if self.options.read_only {
            let path = self.store.dir().text_path(name, &Hash::sha256(text), &references?);
            path.map_err(nival_store::Error::from)
        } else {
            self.store.add_text(name, text, &references?)
        };
        Ok(self.seen(&path.map_err(|error| stored(&error))?))
    }

    fn write_derivation(&self, file: DerivationFile, derivation: &Derivation) -> WorldResult<()> {
        if self.options.read_only {
            let outline = derivation.outline(self.store.dir());
            let outline = outline.map_err(|error| stored(&error.into()))?;
            self.unwritten.borrow_mut().insert(&self.store.dir().print(&file.path), &outline);
            return Ok(());
        }
        self.store.add_derivation_soon(file, derivation).map_err(|error| stored(&error))
    }

    fn read_derivation(&self, path: &str) -> WorldResult<Derivation> {
        let parsed = self.parse(path)?;
        let text = match self.unwritten.borrow().get(path) {
            Some(outline) => outline,
            None => std::fs::read(self.physical(path)).map_err(|error| unreadable(path, &error))?,
        };
        let name = parsed.name().trim_end_matches(".drv").to_owned();
        derivation::parse(&text, &name, self.store.dir()).map_err(|error| {
            let message = format!("`{path}` is not a derivation: {error}");
            Box::new(Diagnostic::error(&diagnostics::file::ENTRY, message))
        })
    }

    fn realise(&self, needed: &[ContextElement]) -> WorldResult<Vec<(String, String)>> {
        let mut requests = Vec::new();
        for element in needed {
            match element {
                ContextElement::Plain(path) | ContextElement::DrvDeep(path) => self.ensure_path(path)?,
                ContextElement::Output { drv, output } => {
                    let names = BTreeSet::from([output.clone()]);
                    requests.push(Request::Outputs(self.parse(drv)?, Wanted::Names(names)));
                }
            }
        }
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        if self.options.read_only {
            return if self.are_valid(&requests)? {
                Ok(Vec::new())
            } else {
                Err(Box::new(cannot_build(&requests)))
            };
        }
        let outcome = self.build(&requests, Run::default()).map_err(|error| Box::new(error.diagnostic()))?;
        if let Some(failure) = outcome.failures.first() {
            return Err(Box::new(failure.diagnostic()));
        }
        let mut rewrites = Vec::new();
        for (request, answer) in requests.iter().zip(outcome.answers) {
            for (output, path) in answer.map_err(|error| Box::new(error.diagnostic()))? {
                let printed = self.seen(&path);
                if self.access.is_limited() {
                    for inner in self.store.closure(&[path]).map_err(|error| stored(&error))? {
                        self.seen(&inner);
                    }
                }
                if let Request::Outputs(drv, _) = request {
                    rewrites.push((nival_build::downstream_placeholder(drv, &output), printed));
                }
            }
        }
        Ok(rewrites)
    }

    fn references(&self, path: &str) -> WorldResult<Vec<String>> {
        let references = self.store.references(&self.parse(path)?).map_err(|error| stored(&error))?;
        Ok(references.iter().map(|path| self.store.dir().print(path)).collect())
    }

    fn ensure_path(&self, path: &str) -> WorldResult<()> {
        if self.options.read_only {
            return Ok(());
        }
        let parsed = self.parse(path)?;
        if self.store.is_valid(&parsed).map_err(|error| stored(&error))? {
            return Ok(());
        }
        let message = format!("the path is not in the store: `{path}`");
        Err(Box::new(
            Diagnostic::error(&diagnostics::file::ENTRY, message).help("add it, or name another one"),
        ))
    }

    fn env(&self, name: &str) -> Option<String> {
        if self.access.is_limited() && name != "HOME" {
            return None;
        }
        self.options.environment.get(name).cloned()
    }

    fn current_time(&self) -> Option<i64> {
        self.options.now.filter(|_| !self.access.is_pure())
    }

    fn current_system(&self) -> Option<String> {
        (!self.access.is_pure()).then(|| self.system().to_owned())
    }

    fn search_path(&self) -> Vec<(String, String)> {
        if self.access.is_pure() {
            return Vec::new();
        }
        let mut entries = self.options.search_path.clone();
        entries.extend(self.options.nix.nix_path().iter().map(|entry| {
            let (prefix, path) = entry.split_once('=').unwrap_or(("", entry));
            (prefix.to_owned(), path.to_owned())
        }));
        entries
    }

    fn resolve_search_path(&self, entry: &str) -> WorldResult<Option<String>> {
        self.resolve_entry(entry)
    }

    fn own_folder(&self, name: &str) -> Option<&str> {
        (name == "nival").then_some(library::LIBRARY_ROOT)
    }

    fn fetch(&self, request: &FetchRequest) -> WorldResult<Vec<(String, FetchValue)>> {
        self.fetch_any(request)
    }

    fn trace(&self, text: &str) {
        self.traces.borrow_mut().push(text.to_owned());
    }

    fn warn(&self, diagnostic: &Diagnostic) {
        self.warnings.borrow_mut().push(diagnostic.clone());
    }
}

impl EngineWorld {
    pub(crate) fn builds(&self) -> &crate::Builds {
        &self.options.builds
    }

    /// Brings what is requested into the store.
    pub(crate) fn build(
        &self,
        requests: &[Request],
        run: Run<'_>,
    ) -> Result<Outcome, nival_build::BuildError> {
        self.options.builds.build(&self.store, &self.options.cancel, requests, run)
    }

    /// Whether all outputs that are requested are there.
    fn are_valid(&self, requests: &[Request]) -> WorldResult<bool> {
        for request in requests {
            let Request::Outputs(drv, Wanted::Names(names)) = request else { return Ok(false) };
            let derivation = self.read_derivation(&self.store.dir().print(drv))?;
            for name in names {
                let output = derivation.outputs.get(name);
                let path =
                    output.and_then(|o| o.path(self.store.dir(), &derivation.name, name).ok().flatten());
                let Some(path) = path else { return Ok(false) };
                if !self.store.is_valid(&path).map_err(|error| stored(&error))? {
                    return Ok(false);
                }
                self.seen(&path);
            }
        }
        Ok(true)
    }

    fn add_flat(
        &self,
        name: &str,
        contents: &[u8],
        hash: &Hash,
        wanted: Option<&Hash>,
        method: ContentMethod,
    ) -> WorldResult<String> {
        if let Some(wanted) = wanted
            && wanted != hash
        {
            return Err(other_hash(name, wanted, Some(hash)));
        }
        let path = self.store.dir().fixed_output_path(method, hash, &References::default(), name);
        let path = path.map_err(|error| stored(&error.into()))?;
        if !self.options.read_only {
            let address = ContentAddress { method, hash: hash.clone() };
            self.store.add_file_at(&path, contents, &address).map_err(|error| stored(&error))?;
        }
        Ok(self.seen(&path))
    }
}

fn other_hash(path: &str, wanted: &Hash, got: Option<&Hash>) -> Box<Diagnostic> {
    let got = got.map(Hash::sri).unwrap_or_default();
    let message = format!("`{path}` has another hash than it should: wanted `{}`, got `{got}`", wanted.sri());
    Box::new(
        Diagnostic::error(&diagnostics::other_hash::ENTRY, message)
            .help(format!("if the new contents are right, write `sha256 = \"{got}\";`")),
    )
}

fn cannot_build(requests: &[Request]) -> Diagnostic {
    let names = requests.iter().map(|request| match request {
        Request::Outputs(drv, _) => format!("`{drv}`"),
        Request::Path(path) => format!("`{path}`"),
    });
    let names: Vec<String> = names.collect();
    let message =
        format!("evaluation needs something to be built, and nothing may be written: {}", names.join(", "));
    Diagnostic::error(&diagnostics::cannot_build::ENTRY, message)
        .help("evaluate without `--read-only` or `--readonly-mode`, or with `--read-write-mode`")
}
