//! `NV0814`: what a service requires is not offered.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0814",
    title: "what a service requires is not offered",
    page: r#"A service says what it needs from others: a database, a virtual host, a certificate. Each need is met by an instance that
offers it. Where none does, or several do and none is named, the message says what to set."#,
    example: Example::Configuration(
        r#"{ lib, ... }: {
  options.services.app = lib.mkService {
    description = "an application";
    requires = { ... }: { database = { interface = "postgresql-database"; database = "app"; }; };
    outputs = { needs, ... }: { units.main.script = "exec serve ${needs.database.url}"; };
  };
  config.services.app.enable = true;
}"#,
    ),
};
