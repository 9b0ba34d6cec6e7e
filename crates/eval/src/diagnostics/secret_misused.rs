//! `NV0242`: a secret is used as a value.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0242",
    title: "a secret is used as a value",
    page: r#"What a secret is, is not known while a configuration is evaluated: it never comes near the store. So it cannot be put into a
text, compared, measured or hashed. What can be done with it is to name its file (`lib.secrets.file SECRET`), and to put it into
a file that is filled on the machine (`secrets.templates.NAME.content = [ "password = " SECRET "\n" ];`)."#,
    example: Example::Configuration(
        r#"{ config, ... }: { secrets.key = { }; environment.etc."app.conf".text = "key = ${config.secrets.key}"; }"#,
    ),
};
