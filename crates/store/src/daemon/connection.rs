//! One connection to a daemon: the greeting, and the messages that come between a question and its answer.

use super::CLIENT_MAGIC;
use super::channel::{Channel, Connected};
use super::{SERVER_MAGIC, VERSION, message};
use crate::wire::{ReadWire as _, WriteWire as _};
use std::io::{self, Read, Write};

/// The oldest that is understood: 1.35, Nix 2.15.
const OLDEST: u64 = 1 << 8 | 35;

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
    pub(super) channel: Channel,
    /// The version of its program.
    pub(super) version: String,
    /// Whether it does all that this user asks.
    pub(super) trusts_us: Option<bool>,
}

impl Connected for Connection {
    fn channel(&mut self) -> &mut Channel {
        &mut self.channel
    }
}

impl Connection {
    pub(super) fn open(channel: Channel, settings: Option<&[(String, String)]>) -> Result<Self, Refusal> {
        let mut connection = Self { channel, version: String::new(), trusts_us: None };
        connection.greet()?;
        if let Some(settings) = settings {
            connection.send_settings(settings)?;
        }
        Ok(connection)
    }

    fn greet(&mut self) -> Result<(), Refusal> {
        self.channel.output.put(CLIENT_MAGIC)?;
        self.channel.output.put(VERSION)?;
        self.channel.output.flush()?;
        if self.channel.input.number()? != SERVER_MAGIC {
            return Err(Refusal::Said("it is no Nix daemon".to_owned()));
        }
        let theirs = self.channel.input.number()?;
        if theirs >> 8 != 1 || theirs < OLDEST {
            let text = format!("it speaks version {}.{} of the protocol", theirs >> 8, theirs & 0xff);
            return Err(Refusal::Said(text));
        }
        // Two questions of old versions: a processor to run on, and room to reserve.
        self.channel.output.put(0)?;
        self.channel.output.put(0)?;
        self.channel.output.flush()?;
        self.version = self.channel.input.text()?;
        self.trusts_us = match self.channel.input.number()? {
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
        self.channel.output.put(19)?;
        self.channel.output.put(flag("keep-failed"))?;
        self.channel.output.put(flag("keep-going"))?;
        self.channel.output.put(flag("fallback"))?;
        // How much it says: notices.
        self.channel.output.put(2)?;
        self.channel.output.put(number("max-jobs", 1))?;
        self.channel.output.put(number("max-silent-time", 0))?;
        self.channel.output.put(1)?;
        // What builders say is shown.
        self.channel.output.put(0)?;
        self.channel.output.put(0)?;
        self.channel.output.put(0)?;
        self.channel.output.put(number("cores", 0))?;
        self.channel.output.put(u64::from(of("substitute").is_none_or(|value| value == "true")))?;
        self.channel.output.put(settings.len() as u64)?;
        for (name, value) in settings {
            self.channel.output.put_text(name)?;
            self.channel.output.put_text(value)?;
        }
        self.finish(&mut |_| {})
    }

    /// Sends what was written and reads messages up to the answer; `line` hears what the daemon says.
    pub(super) fn finish(&mut self, line: &mut dyn FnMut(&str)) -> Result<(), Refusal> {
        self.channel.output.flush()?;
        loop {
            match self.channel.input.number()? {
                message::LAST => return Ok(()),
                message::NEXT => line(self.channel.input.text()?.trim_end()),
                message::ERROR => return Err(Refusal::Said(self.error()?)),
                message::START => {
                    self.channel.input.number()?;
                    self.channel.input.number()?;
                    self.channel.input.number()?;
                    let text = self.channel.input.text()?;
                    self.fields()?;
                    self.channel.input.number()?;
                    if !text.is_empty() {
                        line(&text);
                    }
                }
                message::STOP => drop(self.channel.input.number()?),
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
        self.channel.input.text()?;
        self.channel.input.number()?;
        self.channel.input.text()?;
        let text = self.channel.input.text()?;
        self.channel.input.number()?;
        for _ in 0..self.channel.input.number()? {
            self.channel.input.number()?;
            self.channel.input.text()?;
        }
        Ok(text)
    }

    fn result(&mut self, line: &mut dyn FnMut(&str)) -> io::Result<()> {
        self.channel.input.number()?;
        let kind = self.channel.input.number()?;
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
        for _ in 0..self.channel.input.number()? {
            match self.channel.input.number()? {
                0 => drop(self.channel.input.number()?),
                _ => texts.push(self.channel.input.text()?),
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
            self.channel.output.put(count as u64)?;
            if count == 0 {
                return Ok(());
            }
            self.channel.output.write_all(&buffer[..count])?;
        }
    }
}
