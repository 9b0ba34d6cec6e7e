//! Answers to what a client adds to the store.

use super::answers::{Done, Failed, Question};
use crate::archive;
use crate::protocol::{put_info, put_path, read_info, read_path};
use crate::stores::Store;
use crate::wire::{Frames, ReadWire as _, WriteWire as _};
use crate::{Error, PathInfo};
use nival_store_model::store_path::References;
use nival_store_model::{Algorithm, ContentAddress, ContentMethod, StorePath};
use nival_sys::fs as sys;
use std::io::{self, Read, Write};

impl<R: Read, W: Write + Send> Question<'_, R, W> {
    /// Adds something whose path follows from its contents.
    pub(super) fn add(&mut self, out: &mut Vec<u8>) -> Done {
        let (name, described) = (self.input.text()?, self.input.text()?);
        let references = self.paths()?;
        self.input.flag()?;
        let store = self.host.store;
        let staged = store.staging(&format!("received-{}", name.len()));
        let mut frames = Frames::new(&mut *self.input);
        let added = (|| {
            let (method, algorithm) = content_method(&described)?;
            sys::remove_tree(&staged)?;
            match method {
                ContentMethod::Flat | ContentMethod::Text => {
                    let mut file = sys::create_new(&staged, 0o644)?;
                    io::copy(&mut frames, &mut file)?;
                }
                _ => {
                    archive::restore(&mut frames, &staged)?;
                }
            }
            crate::canonicalise(&staged)?;
            let (nar_hash, size) = archive::hash(&staged, None)?;
            let address = ContentAddress { method, hash: archive::content_hash(&staged, method, algorithm)? };
            let others = References { others: references.clone(), to_self: false };
            let path = address.path(store.dir(), &name, &others).map_err(Error::from)?;
            let info = PathInfo {
                references,
                content_address: Some(address),
                ..PathInfo::new(path, nar_hash, size)
            };
            store.adopt_as(&staged, &info)?;
            Ok(store.valid_info(&info.path)?)
        })();
        frames.drain()?;
        if added.is_err() {
            // The error that is told is the first one.
            let _ = sys::remove_tree(&staged);
        }
        let info: PathInfo = added.map_err(as_said)?;
        put_path(out, store.dir(), Some(&info.path))?;
        Ok(put_info(out, store.dir(), &info)?)
    }

    pub(super) fn add_archive(&mut self) -> Done {
        let path = self.path()?;
        let mut info = read_info(&mut *self.input, self.host.store.dir(), path)?;
        self.input.flag()?;
        let unchecked = self.input.flag()?;
        info.ultimate &= self.host.is_trusted;
        let mut frames = Frames::new(&mut *self.input);
        let trust = self.host.trust(unchecked);
        let added = Store::add(self.host.store, &info, &mut frames, &trust, "the client");
        frames.drain()?;
        Ok(added?)
    }

    pub(super) fn add_many(&mut self) -> Done {
        self.input.flag()?;
        let trust = self.host.trust(self.input.flag()?);
        let store = self.host.store;
        let mut frames = Frames::new(&mut *self.input);
        let added = (|| {
            for _ in 0..frames.number()? {
                let path = read_path(&mut frames, store.dir())?;
                let mut info = read_info(&mut frames, store.dir(), path)?;
                info.ultimate &= self.host.is_trusted;
                let mut nar = frames.by_ref().take(info.nar_size);
                Store::add(store, &info, &mut nar, &trust, "the client")?;
                io::copy(&mut nar, &mut io::sink())?;
            }
            Ok(())
        })();
        frames.drain()?;
        added
    }

    pub(super) fn add_log(&mut self, out: &mut Vec<u8>) -> Done {
        let name = self.input.text()?;
        let mut text = Vec::new();
        Frames::new(&mut *self.input).read_to_end(&mut text)?;
        self.must_be_trusted("add logs")?;
        let path = StorePath::parse(&name).map_err(|error| Failed::Said(error.to_string()))?;
        self.host.store.keep_log(&path, &text)?;
        Ok(out.put(1)?)
    }
}

/// An error while something was received: what the client sent badly is told to it as well.
fn as_said(failed: Failed) -> Failed {
    match failed {
        Failed::Broken(error) => Failed::Said(error.to_string()),
        said => said,
    }
}

/// Reads `text:sha256`, `fixed:sha256`, `fixed:r:sha256`, `fixed:git:sha1`.
fn content_method(text: &str) -> Result<(ContentMethod, Algorithm), Failed> {
    let methods = [
        ("text:", ContentMethod::Text),
        ("fixed:r:", ContentMethod::Recursive),
        ("fixed:git:", ContentMethod::Git),
        ("fixed:", ContentMethod::Flat),
    ];
    let found = methods.into_iter().find_map(|(prefix, method)| Some((method, text.strip_prefix(prefix)?)));
    let found = found.and_then(|(method, name)| Some((method, Algorithm::from_name(name)?)));
    found.ok_or_else(|| Failed::Said(format!("there is no content address of the kind `{text}`")))
}
