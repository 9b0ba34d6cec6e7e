//! `NV0243`: a literal that a lint is set against.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0243",
    title: "a literal that a lint is set against",
    page: "The settings `lint-url-literals`, `lint-short-path-literals` and `lint-absolute-path-literals` are `ignore`, `warn` or `fatal`. They speak of addresses without quotes, of relative paths that begin with a name instead of `./`, and of absolute paths.",
    example: Example::Situation {
        story: "A file has `a/b` in it, and `lint-short-path-literals` is `fatal`.",
        test: "lints_warn_or_refuse",
    },
};
