//! NV0101: unexpected token.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0101",
    title: "unexpected token",
    page: "The text does not follow the grammar of the language at the marked place. The message names what was found and what would have been understood there.\n\nThe usual causes are a forgotten `;` after an attribute, a forgotten closing bracket further up, or a `,` between the elements of a list (elements are separated by spaces).",
    example: Example::Expression("{ a = 1 b = 2; }"),
};
