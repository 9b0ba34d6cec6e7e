//! One connection to a daemon: the greeting, and the messages that come between a question and its answer.

use super::wire::{ReadWire as _, WriteWire as _};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

const CLIENT_MAGIC: u64 = 0x6e69_7863;
const SERVER_MAGIC: u64 = 0x6478_696f;
/// What is spoken: 1.37, as Nix since 2.20 does.
const VERSION: u64 = 1 << 8 | 37;
/// The oldest that is understood: 1.35, Nix 2.15.
const OLDEST: u64 = 1 << 8 | 35;

/// Messages between a question and its answer.
mod message {
    pub(super) const NEXT: u64 = 0x6f6c_6d67;
    pub(super) const READ: u64 = 0x6461_7461;
    pub(super) const WRITE: u64 = 0x6461_7416;
    pub(super) const LAST: u64 = 0x616c_7473;
    pub(super) const ERROR: u64 = 0x6378_7470;
    pub(super) const START: u64 = 0x5354_5254;
    pub(super) const STOP: u64 = 0x5354_4f50;
    pub(super) const RESULT: u64 = 0x5253_4c54;
}

/// Why a daemon gave no answer.
pub(super) enum Refusal {
    /// The connection is of no more use.
    Broken(io::Error),
    /// It said no.
    Said(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// One connection to a daemon.
pub(super) struct Connection {
    pub(super) input: BufReader<UnixStream>,
    pub(super) output: BufWriter<UnixStream>,
    /// The version of its program.
    pub(super) version: String,
    /// Whether it does all that this user asks.
    pub(super) trusts_us: Option<bool>,
}

impl Connection {
    pub(super) fn open(socket: &Path, settings: &[(String, String)]) -> Result<Self, Refusal> {
        let stream = UnixStream::connect(socket)?;
        let mut connection = Self {
            input: BufReader::with_capacity(1 << 16, stream.try_clone()?),
            output: BufWriter::with_capacity(1 << 16, stream),
            version: String::new(),
            trusts_us: None,
        };
        connection.greet()?;
        connection.send_settings(settings)?;
        Ok(connection)
    }

    fn greet(&mut self) -> Result<(), Refusal> {
        self.output.put(CLIENT_MAGIC)?;
        self.output.put(VERSION)?;
        self.output.flush()?;
        if self.input.number()? != SERVER_MAGIC {
            return Err(Refusal::Said("it is no Nix daemon".to_owned()));
        }
        let theirs = self.input.number()?;
        if theirs >> 8 != 1 || theirs < OLDEST {
            let text = format!("it speaks version {}.{} of the protocol", theirs >> 8, theirs & 0xff);
            return Err(Refusal::Said(text));
        }
        // Two questions of old versions: a processor to run on, and room to reserve.
        self.output.put(0)?;
        self.output.put(0)?;
        self.output.flush()?;
        self.version = self.input.text()?;
        self.trusts_us = match self.input.number()? {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        };
        self.finish(&mut |_| {})
    }

    fn send_settings(&mut self, settings: &[(String, String)]) -> Result<(), Refusal> {
        let of = |name: &str| settings.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        let flag = |name: &str| u64::from(of(name).is_some_and(|value| value == "true"));
        let number = |name: &str, usual: u64| of(name).and_then(|v| v.parse().ok()).unwrap_or(usual);
        self.output.put(19)?;
        self.output.put(flag("keep-failed"))?;
        self.output.put(flag("keep-going"))?;
        self.output.put(flag("fallback"))?;
        // How much it says: notices.
        self.output.put(2)?;
        self.output.put(number("max-jobs", 1))?;
        self.output.put(number("max-silent-time", 0))?;
        self.output.put(1)?;
        // What builders say is shown.
        self.output.put(0)?;
        self.output.put(0)?;
        self.output.put(0)?;
        self.output.put(number("cores", 0))?;
        self.output.put(u64::from(of("substitute").is_none_or(|value| value == "true")))?;
        self.output.put(settings.len() as u64)?;
        for (name, value) in settings {
            self.output.put_text(name)?;
            self.output.put_text(value)?;
        }
        self.finish(&mut |_| {})
    }

    /// Sends what was written and reads messages up to the answer; `line` hears what the daemon says.
    pub(super) fn finish(&mut self, line: &mut dyn FnMut(&str)) -> Result<(), Refusal> {
        self.output.flush()?;
        loop {
            match self.input.number()? {
                message::LAST => return Ok(()),
                message::NEXT => line(self.input.text()?.trim_end()),
                message::ERROR => return Err(Refusal::Said(self.error()?)),
                message::START => {
                    self.input.number()?;
                    self.input.number()?;
                    self.input.number()?;
                    let text = self.input.text()?;
                    self.fields()?;
                    self.input.number()?;
                    if !text.is_empty() {
                        line(&text);
                    }
                }
                message::STOP => drop(self.input.number()?),
                message::RESULT => self.result(line)?,
                message::READ | message::WRITE => {
                    return Err(Refusal::Broken(io::Error::other("it asks for what it was not offered")));
                }
                other => {
                    let text = format!("it says something unknown, {other:#x}");
                    return Err(Refusal::Broken(io::Error::new(io::ErrorKind::InvalidData, text)));
                }
            }
        }
    }

    fn error(&mut self) -> io::Result<String> {
        // A type, a level and a name, none of which says more than the text.
        self.input.text()?;
        self.input.number()?;
        self.input.text()?;
        let text = self.input.text()?;
        self.input.number()?;
        for _ in 0..self.input.number()? {
            self.input.number()?;
            self.input.text()?;
        }
        Ok(text)
    }

    fn result(&mut self, line: &mut dyn FnMut(&str)) -> io::Result<()> {
        self.input.number()?;
        let kind = self.input.number()?;
        let texts = self.fields()?;
        // A line of a builder, or of what runs after it.
        if let (101 | 107, Some(text)) = (kind, texts.first()) {
            line(text);
        }
        Ok(())
    }

    /// The texts among the fields of a message.
    fn fields(&mut self) -> io::Result<Vec<String>> {
        let mut texts = Vec::new();
        for _ in 0..self.input.number()? {
            match self.input.number()? {
                0 => drop(self.input.number()?),
                _ => texts.push(self.input.text()?),
            }
        }
        Ok(texts)
    }

    /// Sends a stream in frames.
    pub(super) fn send_frames(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match from.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.output.put(count as u64)?;
            if count == 0 {
                return Ok(());
            }
            self.output.write_all(&buffer[..count])?;
        }
    }
}
