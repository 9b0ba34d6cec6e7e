//! Times as people read them.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A time in seconds since 1970 as `YYYY-MM-DD HH:MM:SS` in this host's time zone.
#[must_use]
pub fn local_time(seconds: u64) -> String {
    let time = libc::time_t::try_from(seconds).unwrap_or(libc::time_t::MAX);
    // SAFETY: the structure is plain integers and a pointer that is not read here, for which zero is a value.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values.
    if unsafe { libc::localtime_r(&raw const time, &raw mut parts) }.is_null() {
        return seconds.to_string();
    }
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02}",
        i64::from(parts.tm_year) + 1900,
        parts.tm_mon + 1,
        parts.tm_mday,
        parts.tm_hour,
        parts.tm_min,
        parts.tm_sec
    )
}

/// How often the counter of [`ticking`] moves on.
const TICK: Duration = Duration::from_micros(100);

static MICROS: AtomicU64 = AtomicU64::new(0);

/// A counter of microseconds that a thread moves on, ten times in a millisecond: for who looks at the time so often that
/// asking for it would cost more than what is measured.
#[must_use]
pub fn ticking() -> &'static AtomicU64 {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let begin = Instant::now();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(TICK);
                let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
                MICROS.store(micros, Ordering::Relaxed);
            }
        });
    });
    &MICROS
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_day_later_is_the_next_date() {
        let (one, next) = (super::local_time(1_000_000_000), super::local_time(1_000_086_400));
        assert!(one.starts_with("2001-09-0") && next.starts_with("2001-09-"), "{one}, {next}");
        assert_ne!(one[..10], next[..10]);
        assert_eq!(one.len(), 19);
    }
}
