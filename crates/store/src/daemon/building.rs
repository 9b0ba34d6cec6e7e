//! Building by a daemon.

use super::connection::Refusal;
use super::{Daemon, operation};
use crate::error::Error;
use crate::protocol::{BuildResult, ResultForm, put_derivation, put_paths, read_result};
use crate::stores::RemoteBuilder;
use crate::wire::{ReadWire as _, WriteWire as _};
use nival_store_model::{Derivation, StorePath};

/// The form of results in the version that is spoken.
const FORM: ResultForm = ResultForm { has_times: true };

impl Daemon {
    /// Lets the daemon build: each is a path, or `DRV!OUTPUTS` with `*` for all. `line` hears what is said meanwhile.
    ///
    /// # Errors
    /// [`RemoteError::Daemon`] with what the daemon says of a build that fails.
    pub fn build_paths(&self, wanted: &[String], line: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.ask(|to| {
            to.channel.output.put(operation::BUILD_PATHS)?;
            to.channel.output.put_texts(wanted.iter().map(String::as_str))?;
            to.channel.output.put(0)?;
            to.finish(line)?;
            to.channel.input.number()?;
            Ok(())
        })
    }
}

impl RemoteBuilder for Daemon {
    fn build(&self, wanted: &[String], line: &mut dyn FnMut(&str)) -> Result<Vec<BuildResult>, Error> {
        self.ask(|to| {
            to.channel.output.put(operation::BUILD_WITH_RESULTS)?;
            to.channel.output.put_texts(wanted.iter().map(String::as_str))?;
            to.channel.output.put(0)?;
            to.finish(line)?;
            let mut results = Vec::new();
            for _ in 0..to.channel.input.number()? {
                // What was wanted; the results come in its order.
                to.channel.input.text()?;
                results.push(read_result(&mut to.channel.input, FORM)?);
            }
            Ok(results)
        })
    }

    fn substitute(&self, paths: &[StorePath]) -> Result<(), Error> {
        self.ask(|to| {
            to.channel.output.put(operation::VALID_PATHS)?;
            put_paths(&mut to.channel.output, &self.dir, paths)?;
            to.channel.output.put(1)?;
            to.finish(&mut |_| {})?;
            to.channel.input.texts()?;
            Ok(())
        })
    }

    fn build_derivation(
        &self,
        path: &StorePath,
        derivation: &Derivation,
        line: &mut dyn FnMut(&str),
    ) -> Result<BuildResult, Error> {
        self.ask(|to| {
            to.channel.output.put(operation::BUILD_DERIVATION)?;
            to.channel.output.put_text(&self.dir.print(path))?;
            put_derivation(&mut to.channel.output, &self.dir, derivation).map_err(Refusal::from)?;
            to.channel.output.put(0)?;
            to.finish(line)?;
            Ok(read_result(&mut to.channel.input, FORM)?)
        })
    }
}
