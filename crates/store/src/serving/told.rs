//! What a client is told while something is done, in the messages of the daemon's protocol.

use crate::daemon::message;
use crate::wire::WriteWire as _;
use nival_store_model::StorePath;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something that a client is told.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// A builder was started; of the derivation with this printed path.
    Started(&'a StorePath, &'a str),
    /// It said a line.
    Line(&'a StorePath, &'a str),
    /// It ended.
    Ended(&'a StorePath),
    /// Anything else.
    Note(&'a str),
}

const LEVEL: u64 = 3;
/// A build, among the kinds of things that go on.
const BUILD: u64 = 105;
/// A line of a build.
const LOG_LINE: u64 = 101;

/// The client's side, which several threads tell.
pub(super) struct Told<W> {
    state: Mutex<State<W>>,
}

struct State<W> {
    output: W,
    ids: HashMap<StorePath, u64>,
    next: u64,
}

impl<W: Write> Told<W> {
    pub(super) fn new(output: W) -> Self {
        Self { state: Mutex::new(State { output, ids: HashMap::new(), next: 1 }) }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells something. A client that is gone is noticed by whoever answers it.
    pub(super) fn tell(&self, said: Said<'_>) {
        let _ = self.state().tell(said);
    }

    /// Writes an answer.
    pub(super) fn write(&self, work: impl FnOnce(&mut W) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state();
        work(&mut state.output)?;
        state.output.flush()
    }
}

impl<W: Write> State<W> {
    fn tell(&mut self, said: Said<'_>) -> io::Result<()> {
        let out = &mut self.output;
        match said {
            Said::Note(text) => {
                out.put(message::NEXT)?;
                out.put_text(&format!("{text}\n"))?;
            }
            Said::Started(drv, printed) => {
                let id = self.next;
                self.next += 1;
                self.ids.insert(drv.clone(), id);
                for number in [message::START, id, LEVEL, BUILD] {
                    out.put(number)?;
                }
                out.put_text(&format!("building '{printed}'"))?;
                // Its fields: the derivation, the machine, and which of how many rounds.
                out.put(4)?;
                for text in [printed, ""] {
                    out.put(1)?;
                    out.put_text(text)?;
                }
                for number in [0, 1, 0, 1] {
                    out.put(number)?;
                }
                out.put(0)?;
            }
            Said::Line(drv, text) => {
                let Some(id) = self.ids.get(drv) else { return Ok(()) };
                for number in [message::RESULT, *id, LOG_LINE, 1, 1] {
                    out.put(number)?;
                }
                out.put_text(text)?;
            }
            Said::Ended(drv) => {
                let Some(id) = self.ids.remove(drv) else { return Ok(()) };
                out.put(message::STOP)?;
                out.put(id)?;
            }
        }
        self.output.flush()
    }
}
