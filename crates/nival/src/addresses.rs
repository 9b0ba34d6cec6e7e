//! Where the files are that locks name: the mirrors of this machine's apt, and the registries of its cargo.

use crate::commands::realise::{Source, mirrors};
use nival_build::{Addresses, Named};
use nival_inputs::{Crate, LockedRepository, Mirrors, crate_addresses, file_addresses};
use nival_transport::{Cancel, Options, Transport};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The mirrors and registries that this machine is set up with; looked up when the first file is fetched.
#[derive(Debug)]
pub struct OwnAddresses {
    source: Source,
    mirrors: OnceLock<Result<Mirrors, String>>,
    transport: Options,
    cancel: Cancel,
    cargo: Option<PathBuf>,
}

impl OwnAddresses {
    /// Those of this machine; a mirror that was typed stands before them.
    pub fn new(source: Source, transport: Options, cancel: Cancel) -> Self {
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
        let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
        Self { source, mirrors: OnceLock::new(), transport, cancel, cargo }
    }

    fn debian(&self, file: &Named) -> Result<Vec<String>, String> {
        let known = self
            .mirrors
            .get_or_init(|| mirrors(&self.source).map_err(|error| error.into_diagnostic().message));
        let mirrors = known.as_ref().map_err(Clone::clone)?;
        let some = |name: &str| Some(file.attribute(name).to_owned()).filter(|text| !text.is_empty());
        let repository = LockedRepository {
            url: some("url"),
            dates: LockedRepository::dates_of(file.attribute("dates").split(' ')),
            snapshots: some("snapshots"),
            ..LockedRepository::default()
        };
        let path = file.attribute("path");
        let addresses = file_addresses(mirrors, file.attribute("repository"), &repository, path);
        match addresses.is_empty() {
            true => Err(format!("no mirror is known that could have `{path}`: name one with `--mirror`")),
            false => Ok(addresses),
        }
    }

    fn of_crate(&self, file: &Named) -> Result<Vec<String>, String> {
        let transport = Transport::new(self.transport.clone(), self.cancel.clone());
        let transport = transport.map_err(|error| error.to_string())?;
        let wanted = Crate {
            name: file.attribute("crate").to_owned(),
            version: file.attribute("version").to_owned(),
            sha256: file.attribute("outputHash").to_owned(),
            source: file.attribute("source").to_owned(),
        };
        let addresses = crate_addresses(&transport, self.cargo.as_deref(), &wanted);
        let addresses = addresses.map_err(|error| error.diagnostic().message)?;
        match addresses.is_empty() {
            true => Err(format!(
                "cargo's settings here name no registry for `{}`: fetch something with cargo once, or set a source \
                 replacement in its `config.toml`",
                wanted.name
            )),
            false => Ok(addresses),
        }
    }
}

impl Addresses for OwnAddresses {
    fn of(&self, file: &Named) -> Result<Vec<String>, String> {
        match file.kind.as_str() {
            "debian" => self.debian(file),
            "crate" => self.of_crate(file),
            other => Err(format!("nothing is known of files of the kind `{other}`")),
        }
    }
}
