//! `NV0813`: a patch changes what is not there.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0813",
    title: "a patch changes what is not there",
    page: r#"`patches` change what a service is made of, by name. A name that the service does not make would change nothing, so it is
an error: most likely it is misspelt, or the service makes the thing under another name or with other arguments.

The message lists the names that there are; `nival service NAME` shows them too."#,
    example: Example::Configuration(
        r#"{ services.redis.enable = true; services.redis.patches.units.mian.serviceConfig.MemoryMax = "1G"; }"#,
    ),
};
