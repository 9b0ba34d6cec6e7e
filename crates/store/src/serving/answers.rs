//! The answers to the questions of the daemon's protocol.

use super::told::Told;
use super::worker::put_error;
use super::{Builder, Host, Mode, Wish, wish};
use crate::archive;
use crate::daemon::{message, operation};
use crate::gc::{GcAction, GcOptions};
use crate::protocol::{
    BuildStatus, ResultForm, parse_output_id, put_path, put_paths, put_result, read_derivation, read_path,
    read_paths, read_realisation, realisation_text,
};
use crate::stores::Store;
use crate::wire::{Frames, ReadWire as _, WriteWire as _};
use crate::{Error, PathInfo};
use nival_store_model::store_path::References;
use nival_store_model::{Algorithm, ContentAddress, ContentMethod, Hash, StorePath};
use nival_sys::fs as sys;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

/// Why there is no answer.
pub(super) enum Failed {
    /// The client is told, and may go on asking.
    Said(String),
    /// What it says cannot be understood, or it is gone.
    Broken(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Said(error.to_string())
    }
}

fn refused<T>(text: &str) -> Result<T, Failed> {
    Err(Failed::Said(text.to_owned()))
}

/// One question, and what it is answered with.
pub(super) struct Question<'a, R, W> {
    pub(super) input: &'a mut BufReader<R>,
    pub(super) told: &'a Told<W>,
    pub(super) host: &'a Host<'a>,
    pub(super) builder: &'a mut dyn Builder,
    pub(super) has_times: bool,
}

type Done = Result<(), Failed>;

impl<R: Read, W: Write + Send> Question<'_, R, W> {
    /// Reads a question to its end and writes the answer, which comes behind all that is told meanwhile.
    pub(super) fn answer(&mut self, operation: u64, out: &mut Vec<u8>) -> Done {
        match operation {
            operation::IS_VALID => {
                let path = self.path()?;
                out.put(u64::from(self.host.store.is_valid(&path)?))?;
            }
            operation::VALID_PATHS => self.valid_paths(out)?,
            operation::REFERRERS => {
                let path = self.path()?;
                self.put_paths(out, &self.host.store.referrers(&path)?)?;
            }
            operation::VALID_DERIVERS => {
                let path = self.path()?;
                self.put_paths(out, &self.host.store.valid_derivers(&path)?)?;
            }
            operation::ALL_VALID_PATHS => self.put_paths(out, &self.host.store.all()?)?,
            operation::PATH_INFO => {
                let path = self.path()?;
                let info = self.host.store.info(&path)?;
                out.put(u64::from(info.is_some()))?;
                if let Some(info) = info {
                    self.put_info(out, &info)?;
                }
            }
            operation::PATH_FROM_HASH_PART => {
                let part = self.input.text()?;
                let found = self.host.store.path_from_hash_part(&part)?;
                put_path(out, self.host.store.dir(), found.as_ref())?;
            }
            operation::SUBSTITUTABLE_PATHS | operation::SUBSTITUTABLE_INFOS => {
                self.substitutable(operation, out)?;
            }
            operation::DERIVATION_OUTPUTS => self.derivation_outputs(out)?,
            operation::SET_OPTIONS => self.set_options()?,
            operation::ADD_TO_STORE => self.add(out)?,
            operation::ADD_TO_STORE_NAR => self.add_archive()?,
            operation::ADD_MULTIPLE => self.add_many()?,
            operation::ADD_SIGNATURES => {
                let path = self.path()?;
                let signatures = self.input.texts()?.into_iter().collect();
                self.host.store.add_signatures(&path, &signatures)?;
                out.put(1)?;
            }
            operation::ADD_BUILD_LOG => self.add_log(out)?,
            operation::REGISTER_REALISATION => {
                let realisation = read_realisation(&self.input.text()?)?;
                self.host.store.register_realisation(&realisation)?;
            }
            operation::REALISATION => self.realisation(out)?,
            operation::ADD_TEMPORARY_ROOT => {
                let path = self.path()?;
                self.host.store.temp_root(&path)?;
                out.put(1)?;
            }
            operation::ADD_INDIRECT_ROOT => {
                let link = self.input.text()?;
                self.host.store.register_indirect_root(Path::new(&link))?;
                out.put(1)?;
            }
            operation::ADD_PERMANENT_ROOT => {
                let (path, link) = (self.path()?, self.input.text()?);
                self.must_be_trusted("make lasting roots")?;
                self.host.store.add_indirect_root(Path::new(&link), &path)?;
                out.put_text(&link)?;
            }
            operation::SYNC_WITH_COLLECTOR => out.put(1)?,
            operation::FIND_ROOTS => self.roots(out)?,
            operation::COLLECT_GARBAGE => self.collect(out)?,
            operation::OPTIMISE => {
                self.host.store.optimise(&mut |_| {})?;
                out.put(1)?;
            }
            operation::VERIFY => {
                let (contents, repair) = (self.input.flag()?, self.input.flag()?);
                if repair {
                    return refused("paths are repaired on the machine of the store alone");
                }
                out.put(u64::from(!self.host.store.verify(contents)?.is_empty()))?;
            }
            operation::ENSURE_PATH => {
                let path = self.path()?;
                self.build(&[Wish::Path(path)], Mode::Normal, |_| Ok(()))?;
                out.put(1)?;
            }
            operation::BUILD_PATHS => {
                let (wishes, mode) = self.wishes()?;
                self.build(&wishes, mode, |_| Ok(()))?;
                out.put(1)?;
            }
            operation::BUILD_WITH_RESULTS => self.build_with_results(out)?,
            operation::BUILD_DERIVATION => self.build_derivation(out)?,
            operation::QUERY_MISSING => self.missing(out)?,
            other => {
                let text = format!("the client asks something that is not known here ({other})");
                return Err(io::Error::new(io::ErrorKind::Unsupported, text).into());
            }
        }
        Ok(())
    }

    fn path(&mut self) -> io::Result<StorePath> {
        read_path(&mut *self.input, self.host.store.dir())
    }

    fn paths(&mut self) -> io::Result<Vec<StorePath>> {
        read_paths(&mut *self.input, self.host.store.dir())
    }

    fn put_paths<'p>(
        &self,
        out: &mut Vec<u8>,
        paths: impl IntoIterator<Item = &'p StorePath>,
    ) -> io::Result<()> {
        put_paths(out, self.host.store.dir(), paths)
    }

    fn must_be_trusted(&self, what: &str) -> Done {
        if self.host.is_trusted {
            Ok(())
        } else {
            refused(&format!("you may not {what} here: you are not trusted"))
        }
    }

    fn put_info(&self, out: &mut Vec<u8>, info: &PathInfo) -> io::Result<()> {
        let dir = self.host.store.dir();
        put_path(out, dir, info.deriver.as_ref())?;
        out.put_text(&info.nar_hash.base16())?;
        put_paths(out, dir, &info.references)?;
        out.put(info.registered.cast_unsigned())?;
        out.put(info.nar_size)?;
        out.put(u64::from(info.ultimate))?;
        out.put_texts(info.signatures.iter().map(String::as_str))?;
        out.put_text(&info.content_address.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    fn valid_paths(&mut self, out: &mut Vec<u8>) -> Done {
        let paths = self.paths()?;
        if self.input.flag()? {
            self.builder.substitute(&paths, &|said| self.told.tell(said));
        }
        let valid = self.host.store.valid_of(&paths)?;
        let mut found: Vec<&StorePath> = paths.iter().filter(|path| valid.contains(*path)).collect();
        found.sort();
        Ok(self.put_paths(out, found)?)
    }

    /// What caches have is asked by `QUERY_MISSING`; the older questions are answered with what that finds.
    fn substitutable(&mut self, operation: u64, out: &mut Vec<u8>) -> Done {
        if operation == operation::SUBSTITUTABLE_PATHS {
            let wishes: Vec<Wish> = self.paths()?.into_iter().map(Wish::Path).collect();
            let missing = self.builder.missing(&wishes).map_err(Failed::Said)?;
            let wished = |path: &&StorePath| wishes.contains(&Wish::Path((*path).clone()));
            return Ok(self.put_paths(out, missing.bring.iter().filter(wished))?);
        }
        for _ in 0..self.input.number()? {
            self.path()?;
            self.input.text()?;
        }
        Ok(out.put(0)?)
    }

    fn derivation_outputs(&mut self, out: &mut Vec<u8>) -> Done {
        let path = self.path()?;
        let outputs = self.host.store.outputs_of(&path)?;
        out.put(outputs.len() as u64)?;
        for (name, path) in outputs {
            out.put_text(&name)?;
            put_path(out, self.host.store.dir(), path.as_ref())?;
        }
        Ok(())
    }

    fn set_options(&mut self) -> Done {
        let mut settings = Vec::new();
        let flag = |on: bool| if on { "true" } else { "false" }.to_owned();
        for name in ["keep-failed", "keep-going", "fallback"] {
            settings.push((name.to_owned(), flag(self.input.flag()?)));
        }
        self.input.number()?;
        let jobs = self.input.number()?;
        settings.push(("max-silent-time".to_owned(), self.input.number()?.to_string()));
        for _ in 0..4 {
            self.input.number()?;
        }
        settings.push(("cores".to_owned(), self.input.number()?.to_string()));
        settings.push(("substitute".to_owned(), flag(self.input.flag()?)));
        settings.push(("max-jobs".to_owned(), jobs.to_string()));
        for _ in 0..self.input.number()? {
            settings.push((self.input.text()?, self.input.text()?));
        }
        // What the owner of the machine decides, nobody else changes.
        let free =
            ["timeout", "max-silent-time", "keep-going", "keep-failed", "fallback", "substitute", "cores"];
        settings.retain(|(name, _)| self.host.is_trusted || free.contains(&name.as_str()));
        // Which builders are used here is this machine's own affair.
        settings.retain(|(name, _)| {
            !matches!(name.as_str(), "builders" | "experimental-features" | "plugin-files")
        });
        self.builder.set(&settings);
        Ok(())
    }

    /// Adds something whose path follows from its contents.
    fn add(&mut self, out: &mut Vec<u8>) -> Done {
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
                _ => drop(archive::restore(&mut frames, &staged)?),
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
        Ok(self.put_info(out, &info)?)
    }

    fn read_info(&mut self) -> Result<PathInfo, Failed> {
        let path = self.path()?;
        let dir = self.host.store.dir();
        read_info(&mut *self.input, dir, path)
    }

    fn add_archive(&mut self) -> Done {
        let mut info = self.read_info()?;
        self.input.flag()?;
        let unchecked = self.input.flag()?;
        info.ultimate &= self.host.is_trusted;
        let mut frames = Frames::new(&mut *self.input);
        let trust = self.host.trust(unchecked);
        let added = Store::add(self.host.store, &info, &mut frames, &trust, "the client");
        frames.drain()?;
        Ok(added?)
    }

    fn add_many(&mut self) -> Done {
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

    fn add_log(&mut self, out: &mut Vec<u8>) -> Done {
        let name = self.input.text()?;
        let mut text = Vec::new();
        Frames::new(&mut *self.input).read_to_end(&mut text)?;
        self.must_be_trusted("add logs")?;
        let path = StorePath::parse(&name).map_err(|error| Failed::Said(error.to_string()))?;
        self.host.store.keep_log(&path, &text)?;
        Ok(out.put(1)?)
    }

    fn realisation(&mut self, out: &mut Vec<u8>) -> Done {
        let (derivation, output) = parse_output_id(&self.input.text()?)?;
        let found = self.host.store.realisation(&derivation, &output)?;
        out.put(u64::from(found.is_some()))?;
        Ok(found.iter().try_for_each(|one| out.put_text(&realisation_text(one)))?)
    }

    fn roots(&mut self, out: &mut Vec<u8>) -> Done {
        let roots = self.host.store.roots(&mut |_| {})?;
        out.put(roots.len() as u64)?;
        for root in roots {
            let place = if self.host.is_trusted { root.source.to_string() } else { "{censored}".to_owned() };
            out.put_text(&place)?;
            put_path(out, self.host.store.dir(), Some(&root.path))?;
        }
        Ok(())
    }

    fn collect(&mut self, out: &mut Vec<u8>) -> Done {
        let action = self.input.number()?;
        let paths = self.paths()?;
        let (ignore, most) = (self.input.flag()?, self.input.number()?);
        for _ in 0..3 {
            self.input.number()?;
        }
        if ignore {
            return refused("nothing that is alive is deleted");
        }
        let options = GcOptions {
            action: match action {
                0 => GcAction::Live,
                1 => GcAction::Dead,
                _ => GcAction::Delete,
            },
            max_freed: (most < u64::MAX >> 1).then_some(most),
            ..GcOptions::default()
        };
        if action > 2 {
            let freed = self.host.store.delete_paths(&paths, crate::DeleteOptions::default(), &mut |_| {})?;
            self.put_paths(out, &paths)?;
            out.put(freed.bytes)?;
            return Ok(out.put(0)?);
        }
        let result = self.host.store.collect_garbage(&options, &mut |_| {})?;
        let names = result.names.iter().map(|name| self.host.store.dir().as_str().to_owned() + "/" + name);
        out.put_texts(names.collect::<Vec<_>>().iter().map(String::as_str))?;
        out.put(result.bytes)?;
        Ok(out.put(0)?)
    }

    fn wishes(&mut self) -> Result<(Vec<Wish>, Mode), Failed> {
        let texts = self.input.texts()?;
        let mode = self.mode()?;
        let wishes = texts.iter().map(|text| wish(self.host.store, text)).collect::<Result<_, _>>();
        Ok((wishes.map_err(Failed::Said)?, mode))
    }

    fn mode(&mut self) -> Result<Mode, Failed> {
        match self.input.number()? {
            0 => Ok(Mode::Normal),
            1 => self.must_be_trusted("repair paths").map(|()| Mode::Repair),
            2 => Ok(Mode::Check),
            other => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("no mode of a build: {other}")).into())
            }
        }
    }

    /// Builds, and fails with the first failure unless somebody wants the results.
    fn build(
        &mut self,
        wishes: &[Wish],
        mode: Mode,
        with: impl FnOnce(&[crate::BuildResult]) -> io::Result<()>,
    ) -> Done {
        let results = self.builder.build(wishes, mode, &|said| self.told.tell(said));
        match results.iter().find(|result| !result.status.is_success()) {
            Some(failed) => Err(Failed::Said(failed.message.clone())),
            None => Ok(with(&results)?),
        }
    }

    fn build_with_results(&mut self, out: &mut Vec<u8>) -> Done {
        let texts = self.input.texts()?;
        let mode = self.mode()?;
        let wishes = texts.iter().map(|text| wish(self.host.store, text)).collect::<Result<Vec<_>, _>>();
        let wishes = wishes.map_err(Failed::Said)?;
        let results = self.builder.build(&wishes, mode, &|said| self.told.tell(said));
        out.put(results.len() as u64)?;
        for (text, result) in texts.iter().zip(&results) {
            out.put_text(text)?;
            put_result(out, ResultForm { has_times: self.has_times }, result)?;
        }
        Ok(())
    }

    fn build_derivation(&mut self, out: &mut Vec<u8>) -> Done {
        let path = self.path()?;
        let name = path.name().trim_end_matches(".drv").to_owned();
        let derivation = read_derivation(&mut *self.input, self.host.store.dir(), &name)?;
        let mode = self.mode()?;
        let mut kinds = derivation.outputs.values().map(|output| &output.kind);
        use nival_store_model::OutputKind::{Deferred, InputAddressed};
        if !self.host.is_trusted && kinds.any(|kind| matches!(kind, InputAddressed(_) | Deferred)) {
            return refused("you are not privileged to build input-addressed derivations");
        }
        let result = self.builder.build_derivation(&path, &derivation, mode, &|said| self.told.tell(said));
        Ok(put_result(out, ResultForm { has_times: self.has_times }, &result)?)
    }

    fn missing(&mut self, out: &mut Vec<u8>) -> Done {
        let texts = self.input.texts()?;
        let wishes = texts.iter().map(|text| wish(self.host.store, text)).collect::<Result<Vec<_>, _>>();
        let missing = wishes.and_then(|wishes| self.builder.missing(&wishes)).map_err(Failed::Said)?;
        for paths in [&missing.build, &missing.bring, &missing.unknown] {
            self.put_paths(out, paths)?;
        }
        out.put(missing.download)?;
        Ok(out.put(missing.unpacked)?)
    }

    /// Sends an archive, which comes without a frame.
    pub(super) fn nar(&mut self) -> io::Result<()> {
        let path = self.path()?;
        let store = self.host.store;
        let opened = match store.valid_info(&path) {
            Ok(_) => Store::nar(store, &path),
            Err(error) => Err(error),
        };
        match opened {
            Err(error) => self.told.write(|out| put_error(out, &error.to_string())),
            Ok(mut nar) => self.told.write(|out| {
                out.put(message::LAST)?;
                io::copy(&mut nar, out).map(drop)
            }),
        }
    }
}

/// An error while something was received: what the client sent badly is told to it as well.
fn as_said(failed: Failed) -> Failed {
    match failed {
        Failed::Broken(error) => Failed::Said(error.to_string()),
        said => said,
    }
}

/// Reads what is said of a path, behind its name.
pub(super) fn read_info(
    mut from: impl Read,
    dir: &nival_store_model::StoreDir,
    path: StorePath,
) -> Result<PathInfo, Failed> {
    let wrong = |text: String| Failed::Broken(io::Error::new(io::ErrorKind::InvalidData, text));
    let deriver = from.text()?;
    let hash =
        Hash::parse(&from.text()?, Some(Algorithm::Sha256)).map_err(|error| wrong(error.to_string()))?;
    let mut info = PathInfo::new(path, hash, 0);
    info.references = read_paths(&mut from, dir)?;
    info.references.sort();
    info.registered = from.number()?.cast_signed();
    info.nar_size = from.number()?;
    info.ultimate = from.flag()?;
    info.signatures = from.texts()?.into_iter().collect();
    let address = from.text()?;
    if !deriver.is_empty() {
        info.deriver = Some(dir.parse(&deriver).map_err(|error| wrong(error.to_string()))?);
    }
    if !address.is_empty() {
        let parsed: Result<_, nival_store_model::ContentAddressError> = address.parse();
        info.content_address = Some(parsed.map_err(|error| wrong(error.to_string()))?);
    }
    Ok(info)
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

/// The message of a result that failed, for protocols that have nothing but one.
pub(super) fn status_and_text(results: &[crate::BuildResult]) -> Option<(BuildStatus, &str)> {
    results
        .iter()
        .find(|result| !result.status.is_success())
        .map(|failed| (failed.status, failed.message.as_str()))
}
