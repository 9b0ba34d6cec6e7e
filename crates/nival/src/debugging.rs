//! `--debug-on-fail`: a shell in the place of a builder that failed.

use nival_build::{Debugger, Stopped};
use nival_sys::process::{AsReadable, wait_readable};
use nival_sys::pty;
use nival_transport::Cancel;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::sync::{Mutex, PoisonError};

/// Connects the user's terminal, or a script's output, to the shell in a builder's place; one at a time.
#[derive(Debug, Default)]
pub struct Connected {
    script: Option<String>,
    turn: Mutex<()>,
}

impl Connected {
    /// With a script, that is run in place of a shell that is typed to.
    pub fn new(script: Option<String>) -> Self {
        Self { script, turn: Mutex::default() }
    }
}

impl Debugger for Connected {
    fn script(&self) -> Option<&str> {
        self.script.as_deref()
    }

    fn attend(
        &self,
        stopped: &Stopped<'_>,
        terminal: &mut File,
        over: &[u8],
        cancel: &Cancel,
    ) -> io::Result<Vec<u8>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let phase = stopped.phase.map(|phase| format!(" in `{phase}`")).unwrap_or_default();
        let mut out = io::stderr();
        writeln!(out, "{} failed{phase} with code {}", stopped.drv, stopped.code)?;
        if self.script.is_some() {
            return relay(terminal, None, over, cancel);
        }
        let goes_on = match stopped.phase {
            Some(_) => "`resume` goes on from this phase",
            None => "`resume` starts the builder again",
        };
        writeln!(out, "This is a shell in its place: {goes_on}, `exit` lets the build fail.")?;
        if let Some((rows, columns)) = pty::size(io::stdin()) {
            pty::set_size(&*terminal, rows, columns)?;
        }
        let _raw = pty::Raw::start(io::stdin());
        relay(terminal, Some(File::open("/dev/stdin")?), over, cancel)
    }
}

/// Carries bytes both ways until the line comes that says that the shell was left; what comes behind it is returned.
fn relay(terminal: &mut File, mut keys: Option<File>, over: &[u8], cancel: &Cancel) -> io::Result<Vec<u8>> {
    let mut held: Vec<u8> = Vec::new();
    let mut out = io::stderr();
    loop {
        let ready = match &keys {
            Some(keys) => wait_readable(&[&*terminal as &dyn AsReadable, keys], 100)?,
            None => wait_readable(&[&*terminal as &dyn AsReadable], 100)?,
        };
        if cancel.is_cancelled() {
            return Ok(Vec::new());
        }
        let mut buffer = [0; 4096];
        if ready.get(1).copied().unwrap_or(false) {
            let count = keys.as_mut().map_or(Ok(0), |keys| keys.read(&mut buffer))?;
            match count {
                0 => keys = None,
                count => terminal.write_all(&buffer[..count])?,
            }
        }
        if !ready[0] {
            continue;
        }
        // A terminal that nobody holds any more is an error to read.
        let count = terminal.read(&mut buffer).unwrap_or(0);
        if count == 0 {
            out.write_all(&held)?;
            return Ok(Vec::new());
        }
        held.extend_from_slice(&buffer[..count]);
        if let Some(at) = held.windows(over.len()).position(|window| window == over) {
            let shown = held[..at].strip_suffix(b"\n").unwrap_or(&held[..at]);
            out.write_all(shown)?;
            return Ok(held[at + over.len()..].to_vec());
        }
        // What may be the beginning of that line waits for the rest of it.
        let begin = (0..held.len()).find(|at| over.starts_with(&held[*at..]) || held[*at..] == *b"\n");
        let shown: Vec<u8> = held.drain(..begin.unwrap_or(held.len())).collect();
        out.write_all(&shown)?;
    }
}
