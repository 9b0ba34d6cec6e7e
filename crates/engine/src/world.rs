//! What evaluation sees of the outside: files, the library, the store.

use crate::diagnostics;
use crate::library;
use crate::session::SessionOptions;
use nival_diagnostics::Diagnostic;
use nival_eval::{AddPath, ContextElement, FetchRequest, FetchValue, FileType, World, WorldResult};
use nival_store::LocalStore;
use nival_store_model::{ContentMethod, Derivation, Hash, StorePath, derivation, store_path::References};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) struct EngineWorld {
    store: Arc<LocalStore>,
    options: SessionOptions,
    pub(crate) traces: RefCell<Vec<String>>,
    pub(crate) warnings: RefCell<Vec<Diagnostic>>,
}

impl EngineWorld {
    pub(crate) fn new(store: Arc<LocalStore>, options: SessionOptions) -> Self {
        Self { store, options, traces: RefCell::default(), warnings: RefCell::default() }
    }

    /// Where a path lies on the disk: paths of the store are below its physical folder.
    fn physical(&self, path: &str) -> PathBuf {
        match self.store.dir().parse_prefix(path) {
            Ok((store_path, rest)) => {
                let base = self.store.physical(&store_path);
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
        std::fs::read(self.physical(path)).map_err(|error| unreadable(path, &error))
    }

    fn read_dir(&self, path: &str) -> WorldResult<Vec<(String, FileType)>> {
        if let Some(name) = library::inside(path) {
            return Ok(library::entries(name));
        }
        let failed = |error: std::io::Error| unreadable(path, &error);
        let mut entries = Vec::new();
        for entry in self.physical(path).read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            entries.push((entry.file_name().to_string_lossy().into_owned(), kind_of(kind)));
        }
        Ok(entries)
    }

    fn file_type(&self, path: &str) -> WorldResult<Option<FileType>> {
        if let Some(name) = library::inside(path) {
            return Ok(library::file_type(name));
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
        let target = self.physical(path).read_link().map_err(|error| unreadable(path, &error))?;
        Ok(target.to_string_lossy().into_owned())
    }

    fn store_dir(&self) -> &str {
        self.store.dir().as_str()
    }

    fn add_path(&self, request: AddPath<'_>) -> WorldResult<String> {
        let AddPath { name, path, recursive, sha256, mut filter } = request;
        let wanted = sha256.and_then(|digest| Hash::new(nival_store_model::Algorithm::Sha256, &digest));
        let source = self.physical(path);
        let method = if recursive { ContentMethod::Recursive } else { ContentMethod::Flat };
        if !recursive {
            let contents = self.read_file(path)?;
            let hash = Hash::sha256(&contents);
            return self.add_flat(name, &contents, &hash, wanted.as_ref(), method);
        }
        let mut refused = None;
        let mut keep = |path: &Path, kind: &std::fs::FileType| match &mut filter {
            None => Ok(true),
            Some(filter) => match filter(&path.to_string_lossy(), kind_of(*kind)) {
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
        // Where nothing is written, there is nothing to compare with.
        if let Some(wanted) = wanted.filter(|_| !self.options.read_only) {
            let got = self.store.info(&added).map_err(|error| stored(&error))?.map(|info| info.nar_hash);
            if got.as_ref() != Some(&wanted) {
                return Err(other_hash(path, &wanted, got.as_ref()));
            }
        }
        Ok(self.store.dir().print(&added))
    }

    fn add_text(&self, name: &str, text: &[u8], references: &[String]) -> WorldResult<String> {
        let references: WorldResult<Vec<_>> = references.iter().map(|path| self.parse(path)).collect();
        let path = if self.options.read_only {
            self.store.dir().text_path(name, &Hash::sha256(text), &references?).map_err(Into::into)
        } else {
            self.store.add_text(name, text, &references?)
        };
        Ok(self.store.dir().print(&path.map_err(|error| stored(&error))?))
    }

    fn write_derivation(&self, _path: &str, derivation: &Derivation) -> WorldResult<()> {
        if self.options.read_only {
            return Ok(());
        }
        self.store.add_derivation(derivation).map(drop).map_err(|error| stored(&error))
    }

    fn read_derivation(&self, path: &str) -> WorldResult<Derivation> {
        let parsed = self.parse(path)?;
        let text = self.read_file(path)?;
        let name = parsed.name().trim_end_matches(".drv").to_owned();
        derivation::parse(&text, &name, self.store.dir()).map_err(|error| {
            let message = format!("`{path}` is not a derivation: {error}");
            Box::new(Diagnostic::error(&diagnostics::file::ENTRY, message))
        })
    }

    fn realise(&self, needed: &[ContextElement]) -> WorldResult<()> {
        for element in needed {
            let path = match element {
                ContextElement::Plain(path) | ContextElement::DrvDeep(path) => path,
                ContextElement::Output { drv, output } => {
                    let derivation = self.read_derivation(drv)?;
                    let known = derivation
                        .outputs
                        .get(output)
                        .and_then(|o| o.path(self.store.dir(), &derivation.name, output).ok().flatten());
                    if let Some(path) = known
                        && self.store.is_valid(&path).map_err(|error| stored(&error))?
                    {
                        continue;
                    }
                    return Err(Box::new(cannot_build(drv)));
                }
            };
            self.ensure_path(path)?;
        }
        Ok(())
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
        self.options.environment.get(name).cloned()
    }

    fn current_time(&self) -> Option<i64> {
        self.options.now
    }

    fn current_system(&self) -> Option<String> {
        Some(self.options.system.clone())
    }

    fn search_path(&self) -> Vec<(String, String)> {
        self.options.search_path.clone()
    }

    fn fetch(&self, request: &FetchRequest) -> WorldResult<Vec<(String, FetchValue)>> {
        let message =
            format!("this version fetches Debian packages only, not what `{:?}` asks for", request.kind);
        Err(Box::new(
            Diagnostic::error(&diagnostics::cannot_fetch::ENTRY, message)
                .help("put the files beside the configuration and name them by path"),
        ))
    }

    fn trace(&self, text: &str) {
        self.traces.borrow_mut().push(text.to_owned());
    }

    fn warn(&self, diagnostic: &Diagnostic) {
        self.warnings.borrow_mut().push(diagnostic.clone());
    }
}

impl EngineWorld {
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
            self.store.add_file_at(&path, contents).map_err(|error| stored(&error))?;
        }
        Ok(self.store.dir().print(&path))
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

fn cannot_build(drv: &str) -> Diagnostic {
    let message =
        format!("evaluation needs what this derivation builds, and this version does not build it: `{drv}`");
    Diagnostic::error(&diagnostics::cannot_build::ENTRY, message)
        .help("write the file that is imported into the repository")
}
