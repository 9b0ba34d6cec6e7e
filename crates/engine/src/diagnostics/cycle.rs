//! `NV0812`: services require each other in a circle.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0812",
    title: "services require each other in a circle",
    page: r#"A service is started after those that it requires. Where the chain of requirements comes back to its beginning, none of
the services in it could start.

Say with `requirements` that one of them is served by another instance, or make a further instance for it."#,
    example: Example::Configuration(
        r#"{ lib, ... }: {
  options.services = lib.genAttrs [ "chicken" "egg" ] (name: lib.mkService {
    description = "half of a circle";
    requires = { ... }: { other.interface = if name == "egg" then "chicken" else "egg"; };
    provides.${name} = { ... }: { };
    outputs = { ... }: { };
  });
  config.services.chicken.enable = true;
  config.services.egg.enable = true;
}"#,
    ),
};
