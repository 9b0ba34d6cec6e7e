//! `NV0305`: an option takes one definition only.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0305",
    title: "an option takes one definition only",
    page: "Options of this kind cannot be merged: even equal definitions are refused, so that it stays clear who sets them.\n\nKeep one definition.",
    example: Example::Configuration(
        r#"{ lib, config, ... }: {
  options.x = lib.mkOption { type = lib.types.uniq lib.types.str; description = "x"; };
  config = lib.mkMerge [ { x = "a"; networking.hostName = config.x; } { x = "b"; } ];
}"#,
    ),
};
