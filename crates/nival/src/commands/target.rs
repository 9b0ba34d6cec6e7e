//! What `plan` and `switch` are told: a configuration, or a machine that was started with `up`.

use crate::commands::realise::{Realised, Source, realise};
use crate::context::Context;
use crate::error::Error;
use crate::memory;
use clap::Args;
use nival_os::{Machines, Manifest};
use std::path::PathBuf;

/// What `plan` and `switch` are told.
#[derive(Args)]
pub struct Target {
    /// The configuration (a file or folder), or the name of a machine that was started with `up`
    #[arg(default_value = ".")]
    target: PathBuf,
    /// Which machines of the configuration; all of them where none is named
    machines: Vec<String>,
    #[command(flatten)]
    source: Source,
}

impl Target {
    /// Evaluates, locks and brings everything that the machines are to be: names and manifests.
    pub fn manifests(
        &self,
        context: &mut Context,
        machines: &Machines,
    ) -> Result<Vec<(String, Manifest)>, Error> {
        let (path, mut names) = memory::target(machines, &self.target)?;
        names.extend(self.machines.iter().cloned());
        let (_, realised) = realise(context, &path, &names, &self.source)?;
        let manifest = |machine: Realised| {
            let bytes = serde_json::to_vec(&machine.manifest).unwrap_or_default();
            Ok((machine.name, Manifest::from_json(&bytes)?))
        };
        realised.into_iter().map(manifest).collect()
    }
}
