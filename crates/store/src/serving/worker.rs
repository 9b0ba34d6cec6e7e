//! Serving by the daemon's protocol.

use super::answers::{Failed, Question};
use super::told::Told;
use super::{Builder, Host};
use crate::daemon::{CLIENT_MAGIC, SERVER_MAGIC, VERSION, message, operation};
use crate::wire::{ReadWire as _, WriteWire as _};
use std::io::{self, BufReader, BufWriter, Read, Write};

/// The oldest that is understood: 1.35, Nix 2.15.
const OLDEST: u64 = 1 << 8 | 35;

/// Answers a client until it goes.
///
/// # Errors
/// Where the client says what cannot be understood, or goes in the middle of it.
pub fn serve(
    input: impl Read,
    output: impl Write + Send,
    host: &Host<'_>,
    builder: &mut dyn Builder,
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let told = Told::new(BufWriter::with_capacity(1 << 16, output));
    let has_times = greet(&mut input, &told, host)?;
    loop {
        let mut first = [0; 8];
        match input.read(&mut first[..1])? {
            0 => return Ok(()),
            _ => input.read_exact(&mut first[1..])?,
        }
        let operation = u64::from_le_bytes(first);
        let mut question = Question { input: &mut input, told: &told, host, builder, has_times };
        if operation == operation::NAR_FROM_PATH {
            question.nar()?;
            continue;
        }
        let mut answer = Vec::new();
        match question.answer(operation, &mut answer) {
            Ok(()) => told.write(|out| {
                out.put(message::LAST)?;
                out.write_all(&answer)
            })?,
            Err(Failed::Said(text)) => told.write(|out| put_error(out, &text))?,
            Err(Failed::Broken(error)) => return Err(error),
        }
    }
}

/// Greets; whether the client knows of the times of builds.
fn greet<R: Read, W: Write>(input: &mut BufReader<R>, told: &Told<W>, host: &Host<'_>) -> io::Result<bool> {
    if input.number()? != CLIENT_MAGIC {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak the protocol"));
    }
    told.write(|out| {
        out.put(SERVER_MAGIC)?;
        out.put(VERSION)
    })?;
    let theirs = input.number()?;
    if theirs >> 8 != 1 || theirs < OLDEST {
        let text = format!("the client speaks version {}.{} of the protocol", theirs >> 8, theirs & 0xff);
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    // Two questions of old versions: a processor to run on, and room to reserve.
    if input.flag()? {
        input.number()?;
    }
    input.number()?;
    told.write(|out| {
        out.put_text(host.version)?;
        out.put(if host.is_trusted { 1 } else { 2 })?;
        out.put(message::LAST)
    })?;
    Ok(theirs >= (1 << 8 | 37))
}

pub(super) fn put_error(out: &mut dyn Write, text: &str) -> io::Result<()> {
    out.put(message::ERROR)?;
    out.put_text("Error")?;
    out.put(0)?;
    out.put_text("Error")?;
    out.put_text(text)?;
    // No place, and no trace.
    out.put(0)?;
    out.put(0)
}
