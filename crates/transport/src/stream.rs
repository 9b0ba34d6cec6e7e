//! A file that is read while it arrives, for readers that check what they get.

use crate::client::Answer;
use crate::download::{FIRST_PAUSE, LONGEST_PAUSE, may_pass, rest, shown};
use crate::{Error, Failure, FailureKind, Transport};
use std::io::{self, Read};
use std::time::Duration;

/// The bytes at an address, in order. A transfer that breaks is taken up again where it broke; where the server cannot
/// do that, from the beginning, and what was read already is passed over. Nothing is checked: the reader knows what it
/// wants, and how much.
pub struct Stream<'a> {
    transport: &'a Transport,
    address: String,
    answer: Option<Answer>,
    at: u64,
    tries_left: u32,
    pause: Duration,
}

impl<'a> Stream<'a> {
    /// Opens an address; faults that may pass are tried again.
    pub(crate) fn open(transport: &'a Transport, address: &str) -> Result<Self, Error> {
        let mut stream = Self {
            transport,
            address: address.to_owned(),
            answer: None,
            at: 0,
            tries_left: transport.options.retries,
            pause: FIRST_PAUSE,
        };
        stream.reopen()?;
        Ok(stream)
    }

    /// The length of the whole file, where the server says it.
    pub fn length(&self) -> Option<u64> {
        self.answer.as_ref().and_then(|answer| answer.total)
    }

    fn reopen(&mut self) -> Result<(), Error> {
        loop {
            match self.connect() {
                Ok(answer) => {
                    self.answer = Some(answer);
                    return Ok(());
                }
                Err(kind) => self.wait(kind)?,
            }
        }
    }

    fn connect(&self) -> Result<Answer, FailureKind> {
        let mut answer = self.transport.client.open(&self.address, self.at)?;
        let skip = self.at.saturating_sub(answer.start);
        let skipped = io::copy(&mut (&mut answer.body).take(skip), &mut io::sink());
        match skipped {
            Ok(count) if count == skip => Ok(answer),
            Ok(_) => Err(FailureKind::Broken("it ended early".to_owned())),
            Err(error) => Err(FailureKind::Broken(error.to_string())),
        }
    }

    /// Waits before the next try, or says that there is none.
    fn wait(&mut self, kind: FailureKind) -> Result<(), Error> {
        if !may_pass(&kind) || self.tries_left == 0 {
            let failures = vec![Failure { address: shown(&self.address), kind }];
            return Err(Error::Unavailable { name: shown(&self.address), failures });
        }
        self.tries_left -= 1;
        rest(self.transport, self.pause)?;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    fn step(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            if self.transport.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let Some(answer) = &mut self.answer else {
                self.reopen()?;
                continue;
            };
            let broken = match answer.body.read(buffer) {
                Ok(0) if answer.total.is_some_and(|total| self.at < total) => "it ended early".to_owned(),
                Ok(count) => {
                    self.at += count as u64;
                    if count > 0 {
                        self.tries_left = self.transport.options.retries;
                        self.pause = FIRST_PAUSE;
                    }
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error.to_string(),
            };
            self.answer = None;
            self.wait(FailureKind::Broken(broken))?;
        }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.step(buffer).map_err(io::Error::other)
    }
}
