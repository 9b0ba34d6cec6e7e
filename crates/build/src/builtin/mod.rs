//! Builders that are part of this program: those that Nix has, `builtin:fetchurl`, `builtin:buildenv` and
//! `builtin:unpack-channel`, and those for Debian packages and crates.

mod buildenv;
mod debian_root;
mod fetch_named;
mod fetchurl;
mod unpack_channel;
mod unpack_deb;

pub use buildenv::{Package, link_packages};
pub use unpack_deb::PACKAGE_FORM;

use crate::settings::BuildSettings;
use nival_store_model::Derivation;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a built-in builder is told.
pub(crate) struct Work<'a> {
    /// The derivation.
    pub(crate) derivation: &'a Derivation,
    /// Where each output is to be made.
    pub(crate) outputs: BTreeMap<String, PathBuf>,
    /// A folder for what is on the way.
    pub(crate) scratch: PathBuf,
    /// Where a path of the store lies on the disk.
    pub(crate) physical: &'a dyn Fn(&str) -> PathBuf,
    pub(crate) settings: &'a BuildSettings,
    pub(crate) cancel: &'a nival_transport::Cancel,
    pub(crate) say: &'a mut dyn FnMut(&str),
}

impl Work<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        let bytes = self.derivation.environment.get(name.as_bytes())?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    fn wanted(&self, name: &str) -> Result<String, String> {
        self.variable(name).ok_or_else(|| format!("the attribute `{name}` is missing"))
    }

    fn output(&self) -> Result<PathBuf, String> {
        self.outputs.get("out").cloned().ok_or_else(|| "there is no output `out`".to_owned())
    }
}

/// Runs a built-in builder by its name without `builtin:`. An error is what a builder says before it ends with 1.
pub(crate) fn run(name: &str, work: &mut Work<'_>) -> Result<(), String> {
    match name {
        "fetchurl" => fetchurl::run(work),
        "buildenv" => buildenv::run(work),
        "unpack-channel" => unpack_channel::run(work),
        "fetch-debian" => fetch_named::run(work, "debian"),
        "fetch-crate" => fetch_named::run(work, "crate"),
        "unpack-deb" => unpack_deb::run(work),
        "debian-root" => debian_root::run(work),
        _ => Err(format!("there is no built-in builder `{name}`")),
    }
}
