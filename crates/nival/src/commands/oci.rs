//! `nival oci`

use crate::commands::alone;
use crate::commands::realise::{Source, realise_opened};
use crate::context::{Context, absolute};
use crate::error::Error;
use crate::output::bytes;
use clap::Args;
use nival_os::Manifest;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival oci`.
#[derive(Args)]
pub struct Arguments {
    /// The configuration: a file or folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Which machine, where the configuration has several
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,
    /// Which instance of a service, such as nginx or redis-cache, where the machine has several
    #[arg(long, value_name = "INSTANCE")]
    service: Option<String>,
    /// The file to write: an OCI image layout as a tar archive; without it INSTANCE.oci.tar
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

/// Writes an image of one service.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let names: Vec<String> = arguments.machine.iter().cloned().collect();
    let (mut opened, realised) = realise_opened(context, &arguments.path, &names, &arguments.source)?;
    let Some(machine) = realised.first() else { return Ok(ExitCode::FAILURE) };
    let text = machine.manifest.to_string();
    let manifest = Manifest::from_json(text.as_bytes())?;
    let (name, start) = alone::choose(context, &mut opened, &machine.key, arguments.service.as_deref())?;
    let file = absolute(arguments.output.clone().unwrap_or_else(|| format!("{name}.oci.tar").into()));
    let machines = context.machines();
    // What the start itself names of the store comes along too.
    let texts = format!("{text}{:?}", start.command);
    let written = context.phase("write the image", |_| {
        Ok(machines.write_image(&manifest, (&name, &start), &texts, &file)?)
    })?;
    let report = format!(
        "{name}: wrote {} ({})\n  {}\n\nfor example:  skopeo copy oci-archive:{} docker-daemon:{name}:latest",
        written.file.display(),
        bytes(written.size),
        written.digest,
        written.file.display()
    );
    context.output.result(
        &report,
        || json!({ "service": name, "file": written.file, "size": written.size, "digest": written.digest }),
    );
    context.show_timings();
    Ok(ExitCode::SUCCESS)
}
