//! Each code of the catalogue is what its example ends in.

use crate::disk_world::DiskWorld;
use nival_diagnostics::{Entry, Example};
use nival_eval::{Evaluator, Settings};
use std::collections::BTreeSet;
use std::rc::Rc;

fn code_of(text: &str) -> Option<&'static str> {
    let mut evaluator = Evaluator::new(Rc::new(DiskWorld::default()), Settings::default());
    let result =
        evaluator.eval_text("example", text, "/", None).and_then(|value| evaluator.force_deep(value));
    result.err().map(|error| error.diagnostic().entry.code)
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    nival_syntax::diagnostics::ENTRIES.iter().chain(nival_eval::diagnostics::ENTRIES).copied()
}

#[test]
fn examples_yield_their_codes() {
    for entry in entries() {
        if let Example::Expression(text) = entry.example {
            assert_eq!(code_of(text), Some(entry.code), "the example of {}: {text}", entry.code);
        }
    }
}

#[test]
fn codes_are_unique_and_described() {
    let mut seen = BTreeSet::new();
    for entry in entries() {
        assert!(seen.insert(entry.code), "{} is there twice", entry.code);
        assert!(!entry.page.is_empty() && !entry.title.ends_with('.'));
        assert!(entry.title.starts_with(|c: char| c.is_lowercase()), "{}", entry.title);
    }
}

#[test]
fn deep_nesting_is_refused() {
    assert_eq!(code_of(&"[".repeat(20_000)), Some("NV0109"));
    assert_eq!(code_of(&"(".repeat(20_000)), Some("NV0109"));
    assert_eq!(code_of(&"x: ".repeat(20_000)), Some("NV0109"));
    assert_eq!(code_of(&"!".repeat(200_000)), Some("NV0109"));
}
