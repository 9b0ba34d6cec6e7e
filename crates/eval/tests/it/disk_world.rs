//! A world on plain files, without a store: paths are computed, nothing is written.

use nival_diagnostics::{Diagnostic, Entry, Example};
use nival_eval::{AddPath, ContextElement, FetchRequest, FetchValue, FileType, World, WorldResult};
use nival_store_model::derivation;
use nival_store_model::nar::Encoder;
use nival_store_model::store_path::References;
use nival_store_model::{
    Algorithm, ContentMethod, Derivation, DerivationFile, Hash, Hasher, StoreDir, StorePath,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

static FAILED: Entry = Entry {
    code: "NV0299",
    title: "the test world could not do it",
    page: "",
    example: Example::Situation { story: "", test: "" },
};

/// A world that reads the disk.
#[derive(Default)]
pub struct DiskWorld {
    pub search_path: Vec<(String, String)>,
    pub env: HashMap<String, String>,
    pub texts: RefCell<HashMap<String, Vec<u8>>>,
    pub derivations: RefCell<HashMap<String, Vec<u8>>>,
    pub traces: RefCell<Vec<String>>,
    pub print_traces: bool,
    /// Derivations are not kept, as in a read-only evaluation of C++ Nix.
    pub forgets: bool,
}

fn failed(what: &str, error: impl std::fmt::Display) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(&FAILED, format!("{what}: {error}")))
}

struct HashWriter(Hasher);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Filter<'a> = dyn FnMut(&str, FileType) -> Result<bool, Box<Diagnostic>> + 'a;

fn kind_of(meta: &fs::Metadata) -> FileType {
    let kind = meta.file_type();
    if kind.is_symlink() {
        FileType::Symlink
    } else if kind.is_dir() {
        FileType::Directory
    } else if kind.is_file() {
        FileType::Regular
    } else {
        FileType::Unknown
    }
}

fn archive<W: Write>(
    out: &mut Encoder<W>,
    path: &str,
    filter: &mut Option<&mut Filter<'_>>,
) -> WorldResult<()> {
    let wrong = |error: io::Error| failed(path, error);
    let meta = fs::symlink_metadata(path).map_err(wrong)?;
    match kind_of(&meta) {
        FileType::Directory => {
            out.begin_directory().map_err(wrong)?;
            let mut names: Vec<String> = Vec::new();
            for entry in fs::read_dir(path).map_err(wrong)? {
                names.push(entry.map_err(wrong)?.file_name().to_string_lossy().into_owned());
            }
            names.sort();
            for name in names {
                let child = format!("{}/{name}", path.trim_end_matches('/'));
                if let Some(filter) = filter {
                    let meta = fs::symlink_metadata(&child).map_err(wrong)?;
                    if !filter(&child, kind_of(&meta))? {
                        continue;
                    }
                }
                out.begin_entry(name.as_bytes()).map_err(wrong)?;
                archive(out, &child, filter)?;
                out.end_entry().map_err(wrong)?;
            }
            out.end_directory().map_err(wrong)
        }
        FileType::Symlink => {
            let target = fs::read_link(path).map_err(wrong)?;
            out.symlink(target.to_string_lossy().as_bytes()).map_err(wrong)
        }
        _ => {
            let mut file = fs::File::open(path).map_err(wrong)?;
            let executable = meta.permissions().mode() & 0o100 != 0;
            out.file(executable, meta.len(), &mut file).map_err(wrong)
        }
    }
}

impl World for DiskWorld {
    fn read_file(&self, path: &str) -> WorldResult<Vec<u8>> {
        if let Some(text) = self.texts.borrow().get(path) {
            return Ok(text.clone());
        }
        fs::read(path).map_err(|error| failed(path, error))
    }

    fn read_dir(&self, path: &str) -> WorldResult<Vec<(String, FileType)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(path).map_err(|error| failed(path, error))? {
            let entry = entry.map_err(|error| failed(path, error))?;
            let meta = fs::symlink_metadata(entry.path()).map_err(|error| failed(path, error))?;
            found.push((entry.file_name().to_string_lossy().into_owned(), kind_of(&meta)));
        }
        Ok(found)
    }

    fn file_type(&self, path: &str) -> WorldResult<Option<FileType>> {
        if self.texts.borrow().contains_key(path) {
            return Ok(Some(FileType::Regular));
        }
        Ok(fs::symlink_metadata(path).ok().as_ref().map(kind_of))
    }

    fn read_link(&self, path: &str) -> WorldResult<String> {
        let target = fs::read_link(path).map_err(|error| failed(path, error))?;
        Ok(target.to_string_lossy().into_owned())
    }

    fn store_dir(&self) -> &str {
        "/nix/store"
    }

    fn add_path(&self, request: AddPath<'_>) -> WorldResult<String> {
        let AddPath { name, path, recursive, sha256, mut filter } = request;
        let (method, hash) = if recursive {
            let mut out =
                Encoder::new(HashWriter(Hasher::new(Algorithm::Sha256))).map_err(|e| failed(path, e))?;
            archive(&mut out, path, &mut filter)?;
            (ContentMethod::Recursive, out.into_inner().0.finish())
        } else {
            (ContentMethod::Flat, Hash::sha256(&self.read_file(path)?))
        };
        if sha256.is_some_and(|wanted| wanted[..] != *hash.digest()) {
            return Err(failed(path, format!("hash mismatch: got {}", hash.sri())));
        }
        let dir = StoreDir::default();
        let stored = dir.fixed_output_path(method, &hash, &References::default(), name);
        stored.map(|stored| dir.print(&stored)).map_err(|error| failed(name, error))
    }

    fn add_text(&self, name: &str, text: &[u8], references: &[String]) -> WorldResult<String> {
        let dir = StoreDir::default();
        let references: Result<Vec<StorePath>, _> = references.iter().map(|path| dir.parse(path)).collect();
        let references = references.map_err(|error| failed(name, error))?;
        let path =
            dir.text_path(name, &Hash::sha256(text), &references).map_err(|error| failed(name, error))?;
        let path = dir.print(&path);
        self.texts.borrow_mut().insert(path.clone(), text.to_vec());
        Ok(path)
    }

    fn write_derivation(&self, file: DerivationFile, _: &Derivation) -> WorldResult<()> {
        if self.forgets {
            return Ok(());
        }
        let path = StoreDir::default().print(&file.path);
        self.derivations.borrow_mut().insert(path, file.text.into_vec());
        Ok(())
    }

    fn read_derivation(&self, path: &str) -> WorldResult<Derivation> {
        let derivations = self.derivations.borrow();
        let text = derivations.get(path).ok_or_else(|| failed(path, "no such derivation"))?;
        let name = path.rsplit('/').next().and_then(|name| name.get(33..)).unwrap_or(path);
        let name = name.strip_suffix(".drv").unwrap_or(name);
        derivation::parse(text, name, &StoreDir::default()).map_err(|error| failed(path, error))
    }

    fn realise(&self, needed: &[ContextElement]) -> WorldResult<Vec<(String, String)>> {
        match needed.iter().find(|element| matches!(element, ContextElement::Output { .. })) {
            Some(element) => Err(failed("realise", format!("{element:?}"))),
            None => Ok(Vec::new()),
        }
    }

    fn ensure_path(&self, _path: &str) -> WorldResult<()> {
        Ok(())
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn current_time(&self) -> Option<i64> {
        Some(1_700_000_000)
    }

    fn current_system(&self) -> Option<String> {
        Some("x86_64-linux".to_owned())
    }

    fn search_path(&self) -> Vec<(String, String)> {
        self.search_path.clone()
    }

    fn fetch(&self, request: &FetchRequest) -> WorldResult<Vec<(String, FetchValue)>> {
        Err(failed("fetch", format!("{request:?}")))
    }

    fn trace(&self, text: &str) {
        if self.print_traces {
            let _ = writeln!(io::stderr(), "trace: {text}");
        }
        self.traces.borrow_mut().push(text.to_owned());
    }

    fn warn(&self, diagnostic: &Diagnostic) {
        self.trace(&format!("evaluation warning: {}", diagnostic.message));
    }
}
