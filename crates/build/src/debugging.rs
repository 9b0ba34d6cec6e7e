//! What a person does in the place of a builder that failed.

use nival_transport::Cancel;
use std::fmt::Debug;
use std::fs::File;
use std::io;

/// A builder that failed, whose place is still there.
#[derive(Clone, Copy, Debug)]
pub struct Stopped<'a> {
    /// The derivation, printed.
    pub drv: &'a str,
    /// How it ended: an exit code, or 128 and the number of a signal.
    pub code: i32,
    /// The phase that it was in, where it said so.
    pub phase: Option<&'a str>,
}

/// Lets a person into the places of builders that fail.
pub trait Debugger: Debug + Send + Sync {
    /// What is run there in place of a shell that is typed to.
    fn script(&self) -> Option<&str>;

    /// Stands between the person and the shell's terminal until the line `over` comes, and returns what came behind it.
    ///
    /// # Errors
    /// Whatever reading and writing the terminals raises.
    fn attend(
        &self,
        stopped: &Stopped<'_>,
        terminal: &mut File,
        over: &[u8],
        cancel: &Cancel,
    ) -> io::Result<Vec<u8>>;
}
