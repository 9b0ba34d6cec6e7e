//! `fetchClosure`: paths of a binary cache, with all that they refer to.

use super::{EngineWorld, stored};
use nival_diagnostics::Diagnostic;
use nival_eval::{FetchRequest, FetchValue, WorldResult};
use nival_inputs::diagnostics::NV0421;
use nival_store::binary_cache::{BinaryCache, CacheOptions};
use nival_store::stores::{self, Address, CopyOptions, Reference};
use nival_store_model::StorePath;
use nival_transport::Transport;
use std::sync::Arc;

fn refused(text: String, help: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(&NV0421, text).help(help.to_owned()))
}

impl EngineWorld {
    pub(super) fn fetch_closure(&self, request: &FetchRequest) -> WorldResult<Vec<(String, FetchValue)>> {
        let text = |wanted: &str| {
            request.attributes.iter().find_map(|(name, value)| match value {
                FetchValue::Text(text) if name == wanted => Some(text.as_str()),
                _ => None,
            })
        };
        let from = self.parse(text("fromPath").unwrap_or_default())?;
        let by_name = request.attributes.contains(&("inputAddressed".to_owned(), FetchValue::Bool(true)));
        let address = text("fromStore").unwrap_or_default();
        let path = match text("toPath") {
            Some("") => self.rewritten(address, &from, None)?,
            Some(to) => self.rewritten(address, &from, Some(self.parse(to)?))?,
            None => self.copied(address, &from, by_name)?,
        };
        for path in self.store.closure(std::slice::from_ref(&path)).map_err(|error| stored(&error))? {
            self.seen(&path);
        }
        Ok(vec![("outPath".to_owned(), FetchValue::Text(self.seen(&path)))])
    }

    /// The cache, opened. Only what has no parameters and comes by HTTP is one, as in C++ Nix, whose own tests also use
    /// folders.
    fn cache(&self, address: &str) -> WorldResult<BinaryCache> {
        let usual = "name a binary cache by its address, such as https://cache.example.org";
        let in_test = self.options.environment.contains_key("_NIX_IN_TEST");
        if address.contains('?') {
            let text = format!("`fetchClosure` takes no parameters of a cache: `{address}`");
            return Err(refused(text, usual));
        }
        let reference = Reference::parse(address).map_err(|error| stored(&error))?;
        let dir = self.store.dir();
        let opened = match reference.address() {
            Address::Web(url) => {
                let mut options = self.options.transport.clone();
                self.options.nix.apply_to(&mut options);
                let transport = Transport::new(options, self.options.cancel.clone());
                let transport = transport.map_err(|error| Box::new(error.diagnostic()))?;
                BinaryCache::on_web(url, dir, CacheOptions::default(), Arc::new(transport), None, false)
            }
            Address::Folder(folder) if in_test => {
                BinaryCache::in_folder(folder, dir, CacheOptions::default(), None, false)
            }
            _ => {
                let text = format!("`fetchClosure` copies from `http://` and `https://` only: `{address}`");
                return Err(refused(text, usual));
            }
        };
        opened.map_err(|error| stored(&error))
    }

    /// Copies a path under its own name.
    fn copied(&self, address: &str, from: &StorePath, by_name: bool) -> WorldResult<StorePath> {
        let cache = self.cache(address)?;
        let failed = |error: nival_store::Error| stored(&error);
        if !self.store.is_valid(from).map_err(failed)? {
            let trust = self.options.nix.trust().map_err(failed)?;
            let options = CopyOptions { trust, closure: true, jobs: 4, keys: Vec::new() };
            stores::copy(&cache, &*self.store, std::slice::from_ref(from), &options, &|_| ())
                .map_err(failed)?;
        }
        let shown = self.store.dir().print(from);
        match (self.is_named_by_contents(from)?, by_name) {
            (true, true) => Err(refused(
                format!("`{shown}` is named by its contents, and `fetchClosure` has `inputAddressed = true`"),
                "leave `inputAddressed` out",
            )),
            (false, false) => Err(refused(
                format!("`{shown}` is not named by its contents, as `fetchClosure` wants it"),
                "say `inputAddressed = true`, which needs a signature that is trusted, or `toPath = \"\"` to have it renamed",
            )),
            _ => Ok(from.clone()),
        }
    }

    /// Copies a path to the name that follows from its contents.
    fn rewritten(&self, address: &str, from: &StorePath, to: Option<StorePath>) -> WorldResult<StorePath> {
        let failed = |error: nival_store::Error| stored(&error);
        let cache = self.cache(address)?;
        let there = match &to {
            Some(to) => self.store.is_valid(to).map_err(failed)?,
            None => false,
        };
        let print = |path: &StorePath| self.store.dir().print(path);
        let Some(to) = to.clone().filter(|_| there) else {
            let renamed = stores::copy_by_contents(&cache, &*self.store, std::slice::from_ref(from));
            let new = renamed.map_err(failed)?.remove(from).unwrap_or_else(|| from.clone());
            let help = format!("write `toPath = {};`", print(&new));
            return match to {
                Some(to) if to == new => Ok(new),
                Some(to) => Err(refused(
                    format!("`{}` by its contents is `{}`, not `{}`", print(from), print(&new), print(&to)),
                    &help,
                )),
                None => {
                    Err(refused(format!("`{}` by its contents is `{}`", print(from), print(&new)), &help))
                }
            };
        };
        if self.is_named_by_contents(&to)? {
            return Ok(to);
        }
        let text =
            format!("`{}` is not named by its contents, so it is not what `toPath` can be", print(&to));
        Err(refused(text, "say `toPath = \"\"` to be told the right one"))
    }

    fn is_named_by_contents(&self, path: &StorePath) -> WorldResult<bool> {
        let info = self.store.info(path).map_err(|error| stored(&error))?;
        Ok(info.is_some_and(|info| stores::is_named_by_contents(self.store.dir(), &info)))
    }
}
