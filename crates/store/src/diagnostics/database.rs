//! `NV0503`: the store's database failed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0503",
    title: "the store's database failed",
    page: "The store keeps what it holds in an SQLite database. It could not be opened, read or written.\n\nIf another program works on the same store, wait for it. If the file is broken, restore it from a backup; as a\nlast resort move the whole store folder away: packages are fetched again, machines' data lies elsewhere.",
    example: Example::Situation {
        story: "The database's file was overwritten.",
        test: "broken_database_is_said",
    },
};
