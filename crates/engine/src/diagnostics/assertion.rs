//! `NV0801`: an assertion of the configuration does not hold.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0801",
    title: "an assertion of the configuration does not hold",
    page: r#"Some things can only be judged across options: two sites that claim one name, two servers on one port. Modules
state them in `assertions`; the message says what is wrong, and the places that bring it about are marked.

Change one of the marked definitions."#,
    example: Example::Configuration(
        r#"{ services.nginx.enable = true; services.nginx.virtualHosts = { a.serverName = "x"; b.serverName = "x"; }; }"#,
    ),
};
