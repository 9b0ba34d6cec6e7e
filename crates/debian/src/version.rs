//! Versions: their order, and the way they are written into store names.

use std::cmp::Ordering;

/// Orders two versions as dpkg does (Debian policy, section 5.6.12).
///
/// A missing epoch is 0 and a missing revision is "0".
///
/// ```
/// use nival_debian::compare_versions;
/// use std::cmp::Ordering;
/// assert_eq!(compare_versions("1.0~rc1-1", "1.0-1"), Ordering::Less);
/// assert_eq!(compare_versions("1:0.9", "2.0"), Ordering::Greater);
/// ```
pub fn compare_versions(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    let (left_epoch, left) = split_epoch(left);
    let (right_epoch, right) = split_epoch(right);
    let (left_upstream, left_revision) = split_revision(left);
    let (right_upstream, right_revision) = split_revision(right);
    compare_numbers(left_epoch.as_bytes(), right_epoch.as_bytes())
        .then_with(|| compare_parts(left_upstream.as_bytes(), right_upstream.as_bytes()))
        .then_with(|| compare_parts(left_revision.as_bytes(), right_revision.as_bytes()))
}

fn split_epoch(version: &str) -> (&str, &str) {
    version.split_once(':').unwrap_or(("0", version))
}

fn split_revision(version: &str) -> (&str, &str) {
    version.rsplit_once('-').unwrap_or((version, ""))
}

/// Orders two runs of digits by value; leading zeros count for nothing.
fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let left = &left[left.iter().take_while(|b| **b == b'0').count()..];
    let right = &right[right.iter().take_while(|b| **b == b'0').count()..];
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Alternates between runs of other characters and runs of digits.
fn compare_parts(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        if left.is_empty() && right.is_empty() {
            return Ordering::Equal;
        }
        let (left_text, left_rest) = split_at_kind(left, false);
        let (right_text, right_rest) = split_at_kind(right, false);
        let order = compare_texts(left_text, right_text);
        if order != Ordering::Equal {
            return order;
        }
        let (left_digits, left_rest) = split_at_kind(left_rest, true);
        let (right_digits, right_rest) = split_at_kind(right_rest, true);
        let order = compare_numbers(left_digits, right_digits);
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
}

fn split_at_kind(text: &[u8], digits: bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| b.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

fn compare_texts(left: &[u8], right: &[u8]) -> Ordering {
    for at in 0..left.len().max(right.len()) {
        let order = weight(left.get(at)).cmp(&weight(right.get(at)));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// `~` before the end, the end before letters, letters before all others.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'~') => -1,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b) => i32::from(*b) + 256,
    }
}

/// Writes a version with the characters that a store name may hold.
///
/// Letters, digits, `+`, `.`, `_`, `?` and `-` stand for themselves; every other byte is
/// `=` and two capital hex digits, so that no two versions share a name.
///
/// ```
/// use nival_debian::{from_store_version, store_version};
/// assert_eq!(store_version("1:257.13-1~deb13u1"), "1=3A257.13-1=7Edeb13u1");
/// assert_eq!(from_store_version("1=3A2=7E").as_deref(), Some("1:2~"));
/// ```
pub fn store_version(version: &str) -> String {
    let mut name = String::with_capacity(version.len());
    for byte in version.bytes() {
        if stands_for_itself(byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("={byte:02X}"));
        }
    }
    name
}

/// Reads a version back from what [`store_version`] wrote; `None` where it wrote no such name.
pub fn from_store_version(name: &str) -> Option<String> {
    let bytes = name.as_bytes();
    let mut version = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'=' {
            let escaped = u8::from_str_radix(name.get(at + 1..at + 3)?, 16).ok()?;
            version.push(escaped);
            at += 3;
        } else if stands_for_itself(byte) {
            version.push(byte);
            at += 1;
        } else {
            return None;
        }
    }
    let version = String::from_utf8(version).ok()?;
    (store_version(&version) == name).then_some(version)
}

fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+._?-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_names_are_read_back() {
        for version in ["1:2.0~rc1-3+b1", "=", "2025.04.30", "~~", "0", "1=3A"] {
            assert_eq!(from_store_version(&store_version(version)).as_deref(), Some(version));
        }
        for name in ["=3a", "=41", "=", "=3", "a~b", "=ZZ"] {
            assert_eq!(from_store_version(name), None, "{name}");
        }
    }
}
