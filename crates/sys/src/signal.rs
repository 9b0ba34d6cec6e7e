//! Signals that end a program, turned into a flag.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
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

/// Whether the last words are left out.
static IS_SILENT: AtomicBool = AtomicBool::new(false);

/// Whether the time is running.
static IS_RUNNING: AtomicBool = AtomicBool::new(false);

/// A flag of somebody else's that a caught signal sets, too.
static OTHER: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());

/// A caught signal sets another flag, too, while this lives.
#[derive(Debug)]
pub struct Link(*mut AtomicBool);

impl Link {
    /// Begins. The flag is kept to the end of the process, since a handler may be just about to set it.
    #[must_use]
    pub fn new(flag: Arc<AtomicBool>) -> Self {
        let before = OTHER.swap(Arc::into_raw(flag).cast_mut(), Ordering::SeqCst);
        if CAUGHT.load(Ordering::SeqCst) {
            set_other();
        }
        Self(before)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        OTHER.store(self.0, Ordering::SeqCst);
    }
}

fn set_other() {
    // SAFETY: null, or a flag that is never freed.
    if let Some(other) = unsafe { OTHER.load(Ordering::SeqCst).as_ref() } {
        other.store(true, Ordering::SeqCst);
    }
}

/// The flag that a caught signal sets.
#[must_use]
pub fn flag() -> &'static AtomicBool {
    &CAUGHT
}

/// After a caught signal the program may go on for so long, while this lives; then it says its last words on standard
/// error and ends with code 130.
#[derive(Debug)]
pub struct Deadline {
    /// The time and the silence of the deadline further out.
    before: (u32, bool),
}

impl Deadline {
    /// Begins; the last words are those of the first deadline of the process that has some.
    pub fn new(time: Duration, last_words: &str) -> Self {
        LAST_WORDS.get_or_init(|| last_words.to_owned());
        Self::begin(time, false)
    }

    /// Begins; nothing is said.
    #[must_use]
    pub fn silent(time: Duration) -> Self {
        Self::begin(time, true)
    }

    fn begin(time: Duration, is_silent: bool) -> Self {
        // SAFETY: `end` calls nothing but what may be called in a handler.
        unsafe {
            libc::signal(libc::SIGALRM, end as extern "C" fn(libc::c_int) as libc::sighandler_t);
        }
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let silent = IS_SILENT.swap(is_silent, Ordering::SeqCst);
        Self { before: (DEADLINE.swap(micros, Ordering::SeqCst), silent) }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        DEADLINE.store(self.before.0, Ordering::SeqCst);
        IS_SILENT.store(self.before.1, Ordering::SeqCst);
        if IS_RUNNING.swap(false, Ordering::SeqCst) {
            set_timer(0);
        }
    }
}

fn set_timer(micros: u32) {
    let value = libc::timeval {
        tv_sec: libc::time_t::from(micros / 1_000_000),
        tv_usec: libc::suseconds_t::from(micros % 1_000_000),
    };
    let timer = libc::itimerval { it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 }, it_value: value };
    // SAFETY: a valid structure, and nobody asks for the old one.
    unsafe {
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
}

extern "C" fn end(_: libc::c_int) {
    let is_silent = IS_SILENT.load(Ordering::SeqCst);
    let words = LAST_WORDS.get().filter(|_| !is_silent).map_or(&[][..], |words| words.as_bytes());
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
    set_other();
    let micros = DEADLINE.load(Ordering::SeqCst);
    // One that comes again gives no more time.
    if micros > 0 && !IS_RUNNING.swap(true, Ordering::SeqCst) {
        set_timer(micros);
    }
}

/// From now on these signals set the flag instead of ending the program.
///
/// # Errors
/// A number that is no signal.
pub fn catch(signals: &[i32]) -> io::Result<Caught> {
    for signal in signals {
        // SAFETY: `action` is a valid structure; the handler stores to atomics and sets a timer, which is safe in a handler.
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
