//! Answers to what a client wants to have built.

use super::answers::{Done, Failed, Question, refused};
use super::{Mode, Wish, wish};
use crate::protocol::{BuildStatus, ResultForm, put_result, read_derivation};
use crate::wire::{ReadWire as _, WriteWire as _};
use std::io::{self, Read, Write};

impl<R: Read, W: Write + Send> Question<'_, R, W> {
    pub(super) fn wishes(&mut self) -> Result<(Vec<Wish>, Mode), Failed> {
        let texts = self.input.texts()?;
        let mode = self.mode()?;
        let wishes = texts.iter().map(|text| wish(self.host.store, text)).collect::<Result<_, _>>();
        Ok((wishes.map_err(Failed::Said)?, mode))
    }

    pub(super) fn mode(&mut self) -> Result<Mode, Failed> {
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
    pub(super) fn build(
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

    pub(super) fn build_with_results(&mut self, out: &mut Vec<u8>) -> Done {
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

    pub(super) fn build_derivation(&mut self, out: &mut Vec<u8>) -> Done {
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

    pub(super) fn missing(&mut self, out: &mut Vec<u8>) -> Done {
        let texts = self.input.texts()?;
        let wishes = texts.iter().map(|text| wish(self.host.store, text)).collect::<Result<Vec<_>, _>>();
        let missing = wishes.and_then(|wishes| self.builder.missing(&wishes)).map_err(Failed::Said)?;
        for paths in [&missing.build, &missing.bring, &missing.unknown] {
            self.put_paths(out, paths)?;
        }
        out.put(missing.download)?;
        Ok(out.put(missing.unpacked)?)
    }
}

/// The message of a result that failed, for protocols that have nothing but one.
pub(super) fn status_and_text(results: &[crate::BuildResult]) -> Option<(BuildStatus, &str)> {
    results
        .iter()
        .find(|result| !result.status.is_success())
        .map(|failed| (failed.status, failed.message.as_str()))
}
