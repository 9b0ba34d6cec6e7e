//! `NV0805`: the packages that are asked for depend on those that are locked.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0805",
    title: "the packages that are asked for depend on those that are locked",
    page: r#"The lock is made from what a configuration asks for. So what it asks for cannot depend on the lock.

Take `locked` out of what `environment.systemPackages` depends on."#,
    example: Example::Configuration(
        r#"{ locked, ... }: { environment.systemPackages = builtins.attrNames locked; }"#,
    ),
};
