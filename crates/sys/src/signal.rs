//! Signals that end a program, turned into a flag.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

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

/// How many catch the signals, one inside of the other.
static CATCHING: AtomicU32 = AtomicU32::new(0);

/// What is said where a deadline passes.
static LAST_WORDS: OnceLock<String> = OnceLock::new();

/// How long the program may go on after a signal, in microseconds; 0: as long as it likes.
static DEADLINE: AtomicU32 = AtomicU32::new(0);

/// The flag that a caught signal sets.
#[must_use]
pub fn flag() -> &'static AtomicBool {
    &CAUGHT
}

/// After a caught signal the program may go on for so long, while this lives; then it says its last words on standard
/// error and ends with code 130.
#[derive(Debug)]
pub struct Deadline(u32);

impl Deadline {
    /// Begins; the last words are those of the first deadline of the process.
    pub fn new(time: Duration, last_words: &str) -> Self {
        LAST_WORDS.get_or_init(|| last_words.to_owned());
        // SAFETY: `end` calls nothing but what may be called in a handler.
        unsafe {
            libc::signal(libc::SIGALRM, end as extern "C" fn(libc::c_int) as libc::sighandler_t);
        }
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX).min(999_999);
        Self(DEADLINE.swap(micros, Ordering::SeqCst))
    }

    /// No deadline while this lives, because what is done ends in good order.
    #[must_use]
    pub fn none() -> Self {
        Self(DEADLINE.swap(0, Ordering::SeqCst))
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        DEADLINE.store(self.0, Ordering::SeqCst);
        set_timer(0);
    }
}

fn set_timer(micros: u32) {
    let value = libc::timeval { tv_sec: 0, tv_usec: libc::suseconds_t::from(micros) };
    let timer = libc::itimerval { it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 }, it_value: value };
    // SAFETY: a valid structure, and nobody asks for the old one.
    unsafe {
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
}

extern "C" fn end(_: libc::c_int) {
    let words = LAST_WORDS.get().map_or(&[][..], |words| words.as_bytes());
    // SAFETY: a write of bytes that live for ever, and the end of the process; both may be called in a handler.
    unsafe {
        libc::write(2, words.as_ptr().cast(), words.len());
        libc::_exit(130);
    }
}

/// From now on these signals end the program again, unless somebody further out catches them too; then one that came
/// is forgotten.
pub fn release(signals: &[i32]) {
    if CATCHING.fetch_sub(1, Ordering::SeqCst) > 1 {
        return;
    }
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
    let micros = DEADLINE.load(Ordering::SeqCst);
    if micros > 0 {
        set_timer(micros);
    }
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
    CATCHING.fetch_add(1, Ordering::SeqCst);
    Ok(Caught(()))
}
