//! A world in which nothing is.

use nival_diagnostics::Diagnostic;
use nival_eval::diagnostics::no_such_file;
use nival_eval::{AddPath, ContextElement, FetchRequest, FetchValue, FileType, World, WorldResult};
use nival_store_model::{Derivation, DerivationFile, Hash, StoreDir};

/// A world in which nothing is.
pub struct Nowhere;

fn nothing<T>() -> WorldResult<T> {
    Err(Box::new(Diagnostic::error(&no_such_file::ENTRY, "there is nothing")))
}

impl World for Nowhere {
    fn read_file(&self, _: &str) -> WorldResult<Vec<u8>> {
        nothing()
    }
    fn read_dir(&self, _: &str) -> WorldResult<Vec<(String, FileType)>> {
        nothing()
    }
    fn file_type(&self, _: &str) -> WorldResult<Option<FileType>> {
        Ok(None)
    }
    fn read_link(&self, _: &str) -> WorldResult<String> {
        nothing()
    }
    fn store_dir(&self) -> &str {
        "/nix/store"
    }
    fn add_path(&self, _: AddPath<'_>) -> WorldResult<String> {
        nothing()
    }
    fn add_text(&self, name: &str, text: &[u8], _: &[String]) -> WorldResult<String> {
        let dir = StoreDir::default();
        dir.text_path(name, &Hash::sha256(text), &[]).map(|path| dir.print(&path)).or_else(|_| nothing())
    }
    fn write_derivation(&self, _: DerivationFile, _: &Derivation) -> WorldResult<()> {
        Ok(())
    }
    fn read_derivation(&self, _: &str) -> WorldResult<Derivation> {
        nothing()
    }
    fn realise(&self, _: &[ContextElement]) -> WorldResult<Vec<(String, String)>> {
        nothing()
    }
    fn ensure_path(&self, _: &str) -> WorldResult<()> {
        Ok(())
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn current_time(&self) -> Option<i64> {
        Some(0)
    }
    fn current_system(&self) -> Option<String> {
        Some("x86_64-linux".to_owned())
    }
    fn search_path(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    fn fetch(&self, _: &FetchRequest) -> WorldResult<Vec<(String, FetchValue)>> {
        nothing()
    }
    fn trace(&self, _: &str) {}
    fn warn(&self, _: &Diagnostic) {}
}
