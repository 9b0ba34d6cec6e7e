//! An archive that comes over a connection, whose end nothing but its own form tells.

use super::channel::Connected;
use nival_store_model::nar::Decoder;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// What comes over a connection, kept as it passes.
struct Tee<C> {
    connection: C,
    passed: Arc<Mutex<VecDeque<u8>>>,
}

impl<C: Connected> Read for Tee<C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.connection.channel().input.read(buffer)?;
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..count]);
        Ok(count)
    }
}

/// An archive that comes over a connection.
pub(crate) struct Archive<C, G> {
    give_back: G,
    /// Gone when the archive has ended; then the connection was given back.
    decoder: Option<Decoder<Tee<C>>>,
    passed: Arc<Mutex<VecDeque<u8>>>,
}

impl<C: Connected, G: Fn(C)> Archive<C, G> {
    /// Reads an archive from a connection, which is given back when the archive was read to its end.
    pub(crate) fn new(connection: C, give_back: G) -> Self {
        let passed = Arc::new(Mutex::default());
        let tee = Tee { connection, passed: Arc::clone(&passed) };
        Self { give_back, decoder: Some(Decoder::new(tee)), passed }
    }

    /// Reads on by one step of the form, or a piece of contents.
    fn step(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let mut buffer = [0; 1 << 14];
        if decoder.contents().read(&mut buffer)? == 0
            && decoder.next()?.is_none()
            && let Some(decoder) = self.decoder.take()
        {
            (self.give_back)(decoder.into_inner().connection);
        }
        Ok(())
    }
}

impl<C: Connected, G: Fn(C)> Read for Archive<C, G> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.passed.lock().unwrap_or_else(PoisonError::into_inner).read(buffer)?;
            if count > 0 || buffer.is_empty() || self.decoder.is_none() {
                return Ok(count);
            }
            self.step()?;
        }
    }
}
