//! Names that are checked before they are used in paths and as host names.

use crate::Error;

/// Checks a machine's name.
///
/// # Errors
/// [`Error::MachineName`].
pub fn check_machine(name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = (1..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-');
    if good { Ok(()) } else { Err(Error::MachineName(name.to_owned())) }
}

/// Checks a path that a generated file, or (with `generated` false) a folder is declared at.
///
/// # Errors
/// [`Error::Path`].
pub fn check_path(path: &str, generated: bool) -> Result<(), Error> {
    let bad = |reason: &str| Err(Error::Path { path: path.to_owned(), reason: reason.to_owned() });
    if !path.starts_with('/') || path.len() < 2 {
        return bad("it is not absolute");
    }
    if path[1..].split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return bad("it holds an empty part, `.` or `..`");
    }
    let inside = path.starts_with("/etc/") || path.starts_with("/usr/");
    match (generated, inside) {
        (true, false) => bad("generated files lie below `/etc` or `/usr`"),
        (false, true) => bad("`/etc` and `/usr` hold no folders of the machine's own"),
        _ => Ok(()),
    }
}

/// The seconds since 1970.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |duration| duration.as_secs())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
