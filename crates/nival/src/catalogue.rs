//! All diagnostics that the program can raise, by code.

use nival_diagnostics::Entry;

/// All entries, sorted by code.
pub fn entries() -> Vec<&'static Entry> {
    let crates: [&[&'static Entry]; 10] = [
        nival_syntax::diagnostics::ENTRIES,
        nival_eval::diagnostics::ENTRIES,
        nival_modules::diagnostics::ENTRIES,
        nival_inputs::diagnostics::ENTRIES,
        nival_store::diagnostics::ENTRIES,
        nival_build::diagnostics::ENTRIES,
        nival_os::diagnostics::ENTRIES,
        nival_transport::diagnostics::ENTRIES,
        nival_engine::diagnostics::ENTRIES,
        crate::diagnostics::ENTRIES,
    ];
    let mut all: Vec<_> = crates.into_iter().flatten().copied().collect();
    all.sort_by_key(|entry| entry.code);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_explained() {
        let mut seen = BTreeSet::new();
        for entry in entries() {
            assert!(seen.insert(entry.code), "two entries are called {}", entry.code);
            assert!(entry.page.len() > 20, "{} has no page worth reading", entry.code);
            assert!(!entry.title.ends_with('.'), "{}: a title has no final period", entry.code);
        }
    }
}
