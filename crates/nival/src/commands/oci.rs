//! `nival oci`

use crate::commands::realise::{Source, open, realise, versions};
use crate::context::{Context, absolute};
use crate::diagnostics;
use crate::error::Error;
use crate::output::bytes;
use clap::Args;
use nival_diagnostics::Diagnostic;
use nival_inputs::Lock;
use nival_os::Manifest;
use nival_os::image::Start;
use serde_json::json;
use std::collections::BTreeMap;
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
    let (_, realised) = realise(context, &arguments.path, &names, &arguments.source)?;
    let Some(machine) = realised.first() else { return Ok(ExitCode::FAILURE) };
    let text = machine.manifest.to_string();
    let manifest = Manifest::from_json(text.as_bytes())?;
    let mut starts = starts(context, arguments, &machine.key)?;
    let name = chosen(arguments, &starts)?;
    let start = starts.remove(&name).unwrap_or_default();
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

/// How each instance of the machine is started, by its name.
fn starts(
    context: &mut Context,
    arguments: &Arguments,
    machine: &str,
) -> Result<BTreeMap<String, Start>, Error> {
    let mut opened = open(context, &arguments.path, &[machine.to_owned()])?;
    let Some(found) = opened.machines.first() else { return Ok(BTreeMap::new()) };
    if let Ok(Some(lock)) = Lock::read(&opened.project.lock_file()) {
        found.set_locked(versions(found.name(), &lock));
    }
    let evaluated = found.option(&mut opened.session, "system.containers");
    let printed = evaluated.and_then(|value| opened.session.print(value, nival_engine::Format::Json));
    let text = printed.map_err(|error| context.failed(&opened.session, &error))?;
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

fn chosen(arguments: &Arguments, starts: &BTreeMap<String, Start>) -> Result<String, Error> {
    let known: Vec<&str> = starts.keys().map(String::as_str).collect();
    let refused = |message: String| {
        let help = match known.as_slice() {
            [] => "let it have one: `services.nginx.enable = true;`".to_owned(),
            _ => format!("there are {}: `--service {}`", known.join(", "), known[0]),
        };
        Err(Error::plain(Diagnostic::error(&diagnostics::usage::ENTRY, message).help(help)))
    };
    match (&arguments.service, known.as_slice()) {
        (Some(name), _) if starts.contains_key(name) => Ok(name.clone()),
        (Some(name), _) => {
            refused(format!("the machine has no instance of a service of this name: `{name}`"))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => refused("the machine has no service".to_owned()),
        (None, _) => refused("the machine has several services, and an image is of one".to_owned()),
    }
}
