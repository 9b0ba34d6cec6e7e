//! Any text gives a tree, and what is wrong with it lies inside of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nival_diagnostics::SourceId;
use nival_syntax::{Interner, parse};

fuzz_target!(|text: &[u8]| {
    let parsed = parse(text, SourceId(0), &mut Interner::default());
    for error in &parsed.errors {
        for label in &error.labels {
            assert!(
                label.span.start <= label.span.end && label.span.end as usize <= text.len() + 1,
                "{label:?}"
            );
        }
    }
});
