//! NV0244: an attribute of a derivation that does nothing, or not for ever.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0244",
    title: "an attribute of a derivation does nothing, or not for ever",
    page: r#"With `__structuredAttrs = true` the checks of a derivation's outputs are written per output: `outputChecks.out.maxSize`.
The attributes `allowedReferences`, `allowedRequisites`, `disallowedReferences`, `disallowedRequisites`, `maxSize` and
`maxClosureSize` of the derivation itself then do nothing.

Structured attributes that are handed over as a text, in `__json`, are taken, but Nix may refuse them one day."#,
    example: Example::Situation {
        story: "A derivation sets `__json` by hand.",
        test: "attributes_that_do_nothing_are_told",
    },
};
