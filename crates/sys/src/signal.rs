//! Signals that end a program, turned into a flag.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ctrl-C.
pub const INTERRUPT: i32 = libc::SIGINT;
/// What `kill` sends.
pub const TERMINATE: i32 = libc::SIGTERM;

static CAUGHT: AtomicBool = AtomicBool::new(false);

/// Tells whether a caught signal has come.
#[derive(Clone, Copy, Debug)]
pub struct Caught(());

impl Caught {
    /// True once one of the signals has come.
    #[must_use]
    pub fn is_set(self) -> bool {
        CAUGHT.load(Ordering::SeqCst)
    }
}

/// From now on these signals end the program again; one that came meanwhile is forgotten.
pub fn release(signals: &[i32]) {
    for signal in signals {
        // SAFETY: plain integers.
        unsafe {
            libc::signal(*signal, libc::SIG_DFL);
        }
    }
    CAUGHT.store(false, Ordering::SeqCst);
}

extern "C" fn set(_: libc::c_int) {
    CAUGHT.store(true, Ordering::SeqCst);
}

/// From now on these signals set the flag instead of ending the program.
///
/// # Errors
/// A number that is no signal.
pub fn catch(signals: &[i32]) -> io::Result<Caught> {
    for signal in signals {
        // SAFETY: `action` is a valid structure; the handler only stores to an atomic, which is safe in a handler.
        let result = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = set as extern "C" fn(libc::c_int) as usize;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(*signal, &raw const action, std::ptr::null_mut())
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(Caught(()))
}
