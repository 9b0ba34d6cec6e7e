//! Names of packages with versions, and the words that select them.

use crate::commands::store::name_and_version;
use crate::error::Error;
use crate::patterns::{Case, Pattern};
use std::cmp::Ordering;

/// A word that selects packages: a pattern of names, maybe with a version.
pub(super) struct Selector {
    pub(super) text: String,
    pattern: Option<Pattern>,
    version: String,
}

impl Selector {
    /// Reads a word.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let (name, version) = name_and_version(text);
        let pattern = match name.as_str() {
            "*" => None,
            name => Some(
                Pattern::of_whole(name, Case::Same)
                    .map_err(|error| super::refused(format!("`{text}` is no pattern of names: {error}")))?,
            ),
        };
        Ok(Self { text: text.to_owned(), pattern, version })
    }

    /// Whether it selects a package.
    pub(super) fn matches(&self, full_name: &str) -> bool {
        let (name, version) = name_and_version(full_name);
        let name_fits = self.pattern.as_ref().is_none_or(|pattern| pattern.matches(&name));
        name_fits && (self.version.is_empty() || self.version == version)
    }
}

/// The order of versions, as `builtins.compareVersions` has it.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    for at in 0..a.len().max(b.len()) {
        let (one, other) = (a.get(at).map_or("", String::as_str), b.get(at).map_or("", String::as_str));
        let order = compare_parts(one, other);
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn parts(version: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut last = None;
    for letter in version.chars() {
        let is_digit = letter.is_ascii_digit();
        match (letter, last, all.last_mut()) {
            ('.' | '-', ..) => last = None,
            (_, Some(kind), Some(part)) if kind == is_digit => part.push(letter),
            _ => {
                all.push(letter.to_string());
                last = Some(is_digit);
            }
        }
    }
    all
}

fn compare_parts(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let is_less = match (a.parse::<u64>().ok(), b.parse::<u64>().ok()) {
        (Some(a), Some(b)) => return a.cmp(&b),
        (_, b_number) if a.is_empty() && b_number.is_some() => true,
        (_, _) if a == "pre" && b != "pre" => true,
        (_, _) if b == "pre" => false,
        (a_number, Some(_)) if a_number.is_none() => true,
        (Some(_), None) => false,
        _ => a < b,
    };
    if is_less { Ordering::Less } else { Ordering::Greater }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_nix_orders_them() {
        for (a, b) in [
            ("1.0", "2.3"),
            ("2.1", "2.3"),
            ("2.3pre1", "2.3"),
            ("2.3pre3", "2.3pre12"),
            ("2.3a", "2.3c"),
            ("2.3pre1", "2.3c"),
            ("2.3pre1", "2.3q"),
            ("2.3", "2.3.1"),
        ] {
            assert_eq!(compare(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(compare(b, a), Ordering::Greater, "{b} {a}");
        }
        assert_eq!(compare("2.3", "2.3"), Ordering::Equal);
    }

    #[test]
    fn words_select_packages() {
        let fits =
            |word: &str, name: &str| Selector::parse(word).is_ok_and(|selector| selector.matches(name));
        assert!(fits("*", "foo-1.0") && fits("foo", "foo-1.0") && fits("foo-1.0", "foo-1.0"));
        assert!(fits("f.*", "foo-1.0") && !fits("foo-2", "foo-1.0") && !fits("fo", "foo-1.0"));
    }
}
