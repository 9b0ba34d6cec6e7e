//! `NV0811`: two instances of services want the same thing.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0811",
    title: "two instances of services want the same thing",
    page: r#"A port, a user, a folder, a file, a unit or a database has one owner. Where two instances want the same one, nothing is
built: both places are marked, and where it is a port the next free one is offered.

Give one of the two another port or name."#,
    example: Example::Configuration(
        r#"{ services.redis.enable = true; services.redis.instances.cache.port = 6379; }"#,
    ),
};
