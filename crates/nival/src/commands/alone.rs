//! One service of a machine, started without the rest of it: what `container` and `oci` share.

use crate::commands::realise::Opened;
use crate::context::Context;
use crate::diagnostics;
use crate::error::Error;
use nival_diagnostics::Diagnostic;
use nival_os::manifest::Start;
use std::collections::BTreeMap;

/// The service that is asked for, or the only one: its name and how it is started. What it needs of others is said.
///
/// # Errors
/// `NV0840` where there is none, or none of that name, or several and none is named; what evaluation raises.
pub fn choose(
    context: &Context,
    opened: &mut Opened,
    machine: &str,
    service: Option<&str>,
) -> Result<(String, Start), Error> {
    let mut starts = starts(context, opened, machine)?;
    let name = chosen(service, &starts)?;
    let start = starts.remove(&name).unwrap_or_default();
    for unit in &start.needs {
        context.output.say(&format!("{name}: needs `{unit}`, which does not run beside it"));
    }
    Ok((name, start))
}

/// How each instance of the machine is started, by its name.
fn starts(context: &Context, opened: &mut Opened, machine: &str) -> Result<BTreeMap<String, Start>, Error> {
    let found = opened.machines.iter().find(|found| found.name() == machine);
    let Some(found) = found else { return Ok(BTreeMap::new()) };
    let evaluated = found.option(&mut opened.session, "system.containers");
    let printed = evaluated.and_then(|value| opened.session.print(value, nival_engine::Format::Json));
    let text = printed.map_err(|error| context.failed(&opened.session, &error))?;
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

fn chosen(service: Option<&str>, starts: &BTreeMap<String, Start>) -> Result<String, Error> {
    let known: Vec<&str> = starts.keys().map(String::as_str).collect();
    let refused = |message: String| {
        let help = match known.as_slice() {
            [] => "let it have one: `services.nginx.enable = true;`".to_owned(),
            _ => format!("there are {}: `--service {}`", known.join(", "), known[0]),
        };
        Err(Error::plain(Diagnostic::error(&diagnostics::usage::ENTRY, message).help(help)))
    };
    match (service, known.as_slice()) {
        (Some(name), _) if starts.contains_key(name) => Ok(name.to_owned()),
        (Some(name), _) => {
            refused(format!("the machine has no instance of a service of this name: `{name}`"))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => refused("the machine has no service".to_owned()),
        (None, _) => refused("the machine has several services, and one is asked for".to_owned()),
    }
}
