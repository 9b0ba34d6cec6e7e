//! The answers to the questions of the daemon's protocol.

use super::told::Told;
use super::worker::put_error;
use super::{Builder, Host, Mode, Wish};
use crate::Error;
use crate::daemon::{message, operation};
use crate::protocol::{
    parse_output_id, put_info, put_path, put_paths, read_path, read_paths, read_realisation, realisation_text,
};
use crate::stores::Store;
use crate::wire::{ReadWire as _, WriteWire as _};
use nival_store_model::StorePath;
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

pub(super) fn refused<T>(text: &str) -> Result<T, Failed> {
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

/// A question that was answered.
pub(super) type Done = Result<(), Failed>;

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
                    put_info(out, self.host.store.dir(), &info)?;
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

    pub(super) fn path(&mut self) -> io::Result<StorePath> {
        read_path(&mut *self.input, self.host.store.dir())
    }

    pub(super) fn paths(&mut self) -> io::Result<Vec<StorePath>> {
        read_paths(&mut *self.input, self.host.store.dir())
    }

    pub(super) fn put_paths<'p>(
        &self,
        out: &mut Vec<u8>,
        paths: impl IntoIterator<Item = &'p StorePath>,
    ) -> io::Result<()> {
        put_paths(out, self.host.store.dir(), paths)
    }

    pub(super) fn must_be_trusted(&self, what: &str) -> Done {
        if self.host.is_trusted {
            Ok(())
        } else {
            refused(&format!("you may not {what} here: you are not trusted"))
        }
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

    fn realisation(&mut self, out: &mut Vec<u8>) -> Done {
        let (derivation, output) = parse_output_id(&self.input.text()?)?;
        let found = self.host.store.realisation(&derivation, &output)?;
        out.put(u64::from(found.is_some()))?;
        Ok(found.iter().try_for_each(|one| out.put_text(&realisation_text(one)))?)
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
