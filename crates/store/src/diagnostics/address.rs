//! `NV0546`: an address names no store.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0546",
    title: "an address names no store",
    page: "A store is named by an address: `file:///FOLDER` and `https://HOST` are binary caches, `local?root=/FOLDER` and\n`/FOLDER` are stores on this disk, `daemon` and `unix:///SOCKET` a daemon, `ssh-ng://HOST` a store of another machine.\nParameters follow behind `?`.",
    example: Example::Situation {
        story: "Something else is used as the address of a store.",
        test: "address_of_no_store_is_refused",
    },
};
