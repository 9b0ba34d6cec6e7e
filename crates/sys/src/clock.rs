//! Times as people read them.

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
