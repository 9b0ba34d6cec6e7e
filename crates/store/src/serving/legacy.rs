//! Serving by the protocol of `nix-store --serve`.

use super::building::status_and_text;
use super::{Builder, Host, Mode, Said, Wish, wish};
use crate::PathInfo;
use crate::protocol::{put_path, put_paths, put_result, read_derivation, read_info, read_path, read_paths};
use crate::serve::{CLIENT_MAGIC, FORM, SERVER_MAGIC, VERSION, operation};
use crate::stores::{Store, Trust};
use crate::wire::{ReadWire as _, WriteWire as _};
use std::io::{self, BufReader, BufWriter, Read, Write};

fn broken(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// Answers a client until it goes; what changes the store is done where `may_write` is set.
///
/// # Errors
/// Everything that goes wrong but a build: the protocol has no word for it, so the client is left.
pub fn serve(
    input: impl Read,
    output: impl Write,
    host: &Host<'_>,
    builder: &mut dyn Builder,
    may_write: bool,
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut out = BufWriter::with_capacity(1 << 16, output);
    if input.number()? != CLIENT_MAGIC {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak the protocol"));
    }
    out.put(SERVER_MAGIC)?;
    out.put(VERSION)?;
    out.flush()?;
    let version = input.number()?.min(VERSION);
    if version < (2 << 8 | 6) {
        return Err(broken(format!("the client speaks version {}.{}", version >> 8, version & 0xff)));
    }
    let mut session = Session { input: &mut input, out: &mut out, host, builder, may_write, version };
    loop {
        let mut first = [0; 8];
        match session.input.read(&mut first[..1])? {
            0 => return Ok(()),
            _ => session.input.read_exact(&mut first[1..])?,
        }
        session.answer(u64::from_le_bytes(first))?;
        session.out.flush()?;
    }
}

struct Session<'a, R, W> {
    input: &'a mut R,
    out: &'a mut W,
    host: &'a Host<'a>,
    builder: &'a mut dyn Builder,
    may_write: bool,
    version: u64,
}

impl<R: Read, W: Write> Session<'_, R, W> {
    fn answer(&mut self, question: u64) -> io::Result<()> {
        let store = self.host.store;
        let dir = store.dir();
        match question {
            operation::VALID_PATHS => {
                let (lock, substitute) = (self.input.flag()?, self.input.flag()?);
                let paths = read_paths(&mut *self.input, dir)?;
                if self.may_write && lock {
                    store.temp_roots(&paths).map_err(broken)?;
                }
                if self.may_write && substitute {
                    self.builder.substitute(&paths, &|_| {});
                }
                let valid = store.valid_of(&paths).map_err(broken)?;
                let mut found: Vec<_> = paths.iter().filter(|path| valid.contains(*path)).collect();
                found.sort();
                put_paths(self.out, dir, found)
            }
            operation::PATH_INFOS => {
                for path in read_paths(&mut *self.input, dir)? {
                    if let Some(info) = store.info(&path).map_err(broken)? {
                        self.put_info(&info)?;
                    }
                }
                self.out.put_text("")
            }
            operation::DUMP_PATH => {
                let path = read_path(&mut *self.input, dir)?;
                store.valid_info(&path).map_err(broken)?;
                let mut nar = Store::nar(store, &path).map_err(broken)?;
                io::copy(&mut nar, self.out).map(drop)
            }
            operation::CLOSURE => {
                let outputs = self.input.flag()?;
                let paths = read_paths(&mut *self.input, dir)?;
                let follow = crate::Follow { outputs, ..crate::Follow::default() };
                let closure = store.closure_with(&paths, follow).map_err(broken)?;
                put_paths(self.out, dir, &closure)
            }
            _ if !self.may_write => {
                Err(broken("the client may only read: it was not started with `--write`"))
            }
            operation::ADD_TO_STORE_NAR => self.add(),
            operation::IMPORT_PATHS => {
                store.import(&mut BufReader::new(&mut *self.input)).map_err(broken)?;
                self.out.put(1)
            }
            operation::BUILD_PATHS => {
                let texts = self.input.texts()?;
                self.limits()?;
                // A derivation without a word of its outputs means all of them here.
                let all = |wish| match wish {
                    Wish::Path(path) if path.is_derivation() => Wish::Outputs(path, None),
                    other => other,
                };
                let wishes: Result<Vec<_>, _> = texts.iter().map(|text| wish(store, text).map(all)).collect();
                let results = self.builder.build(&wishes.map_err(broken)?, Mode::Normal, &say);
                match status_and_text(&results) {
                    None => self.out.put(0),
                    Some((status, text)) => {
                        self.out.put(status as u64)?;
                        self.out.put_text(text)
                    }
                }
            }
            operation::BUILD_DERIVATION => {
                let path = read_path(&mut *self.input, dir)?;
                let name = path.name().trim_end_matches(".drv").to_owned();
                let derivation = read_derivation(&mut *self.input, dir, &name)?;
                self.limits()?;
                let result = self.builder.build_derivation(&path, &derivation, Mode::Normal, &say);
                put_result(self.out, FORM, &result)
            }
            other => Err(broken(format!("the client asks something that is not known here ({other})"))),
        }
    }

    fn put_info(&mut self, info: &PathInfo) -> io::Result<()> {
        let dir = self.host.store.dir();
        put_path(self.out, dir, Some(&info.path))?;
        put_path(self.out, dir, info.deriver.as_ref())?;
        put_paths(self.out, dir, &info.references)?;
        // What is downloaded is not compressed.
        self.out.put(info.nar_size)?;
        self.out.put(info.nar_size)?;
        self.out.put_text(&info.nar_hash.prefixed_base32())?;
        self.out.put_text(&info.content_address.as_ref().map(ToString::to_string).unwrap_or_default())?;
        self.out.put(info.signatures.len() as u64)?;
        info.signatures.iter().try_for_each(|one| self.out.put_text(one))
    }

    /// Takes the limits of builds.
    fn limits(&mut self) -> io::Result<()> {
        let mut settings = Vec::new();
        for name in ["max-silent-time", "timeout", "max-build-log-size"] {
            settings.push((name.to_owned(), self.input.number()?.to_string()));
        }
        if self.input.number()? != 0 {
            return Err(broken("builds are not repeated"));
        }
        self.input.number()?;
        if self.version >= (2 << 8 | 7) {
            let keep = if self.input.flag()? { "true" } else { "false" };
            settings.push(("keep-failed".to_owned(), keep.to_owned()));
        }
        self.builder.set(&settings);
        Ok(())
    }

    fn add(&mut self) -> io::Result<()> {
        let dir = self.host.store.dir();
        let path = read_path(&mut *self.input, dir)?;
        let info = read_info(&mut *self.input, dir, path)?;
        let mut nar = self.input.by_ref().take(info.nar_size);
        Store::add(self.host.store, &info, &mut nar, &Trust::everything(), "the client").map_err(broken)?;
        io::copy(&mut nar, &mut io::sink())?;
        self.out.put(1)
    }
}

/// What builders say goes to the errors, which ssh brings to the client.
fn say(said: Said<'_>) {
    let text = match said {
        Said::Line(_, text) | Said::Note(text) => text,
        Said::Started(..) | Said::Ended(_) => return,
    };
    // A client that does not listen does no harm.
    let _ = writeln!(io::stderr(), "{text}");
}
