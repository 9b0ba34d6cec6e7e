//! Versions and derivation names.

use super::Row;
use crate::symbols;
use crate::value::Value;
use std::cmp::Ordering;

pub(super) const ROWS: &[Row] = &[
    Row("__compareVersions", 2, 3, |e, a| {
        let a0 = e.expect_string(a[0])?;
        let a1 = e.expect_string(a[1])?;
        Ok(e.int(compare(&a0, &a1) as i64))
    }),
    Row("__splitVersion", 1, 1, |e, a| {
        let version = e.expect_string(a[0])?;
        let parts: Vec<Value> = Components(&version).map(|part| e.string(part)).collect();
        Ok(e.list(&parts))
    }),
    Row("__parseDrvName", 1, 1, |e, a| {
        let name = e.expect_string(a[0])?;
        let bytes = name.as_bytes();
        let dash = (0..bytes.len()).find(|at| {
            bytes[*at] == b'-'
                && bytes.get(at + 1).is_none_or(|next| !next.is_ascii_alphabetic())
                && at + 1 < bytes.len()
        });
        let (name, version) = dash.map_or((name.as_str(), ""), |at| (&name[..at], &name[at + 1..]));
        let (name, version) = (e.string(name), e.string(version));
        Ok(e.attrs(&[(symbols::NAME, name), (symbols::VERSION, version)]))
    }),
];

/// The components of a version: runs of digits and runs of other characters.
struct Components<'a>(&'a str);

impl<'a> Iterator for Components<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start_matches(['.', '-']);
        let first = text.bytes().next()?;
        let end = if first.is_ascii_digit() {
            text.find(|c: char| !c.is_ascii_digit())
        } else {
            text.find(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
        };
        let (part, rest) = text.split_at(end.unwrap_or(text.len()));
        self.0 = rest;
        Some(part)
    }
}

/// The order of two versions, as the package manager has it.
fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Components(a), Components(b));
    loop {
        let (left, right) = (a.next(), b.next());
        if left.is_none() && right.is_none() {
            return Ordering::Equal;
        }
        let (left, right) = (left.unwrap_or(""), right.unwrap_or(""));
        if less(left, right) {
            return Ordering::Less;
        }
        if less(right, left) {
            return Ordering::Greater;
        }
    }
}

fn less(a: &str, b: &str) -> bool {
    // What does not fit into 32 bits is no number to C++ Nix.
    let number = |text: &str| text.parse::<i32>().ok();
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a < b,
        (_, Some(_)) if a.is_empty() => true,
        _ if a == "pre" && b != "pre" => true,
        _ if b == "pre" => false,
        // A number is newer than letters.
        (None, Some(_)) => true,
        (Some(_), None) => false,
        _ => a < b,
    }
}
