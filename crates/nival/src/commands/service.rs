//! `nival service`

use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_engine::{Machine, Project, ServiceManual, Session, service_names};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed behind `nival service`.
#[derive(Args)]
pub struct Arguments {
    /// The service; without one, all of them are listed
    name: Option<String>,
    /// The configuration whose own services are known beside the library's: a file or folder; the current folder's where
    /// none is named
    #[arg(long, short, value_name = "PATH")]
    configuration: Option<PathBuf>,
}

/// Shows a service's manual, or all services.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.name {
        Some(name) => {
            let manual = manual_with(context, arguments.configuration.as_deref(), name)?;
            context.output.result(&page(&manual), || serde_json::to_value(&manual).unwrap_or_default());
        }
        None => list(context, arguments.configuration.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The manual of a service.
pub fn manual(context: &mut Context, name: &str) -> Result<ServiceManual, Error> {
    let mut session = context.session()?;
    session.service_manual(name).map_err(|error| context.failed(&session, &error))
}

/// The machines of the configuration that is named, or of the current folder's; none where it has none.
fn machines(
    context: &Context,
    session: &mut Session,
    configuration: Option<&Path>,
) -> Result<Vec<Machine>, Error> {
    let project = match Project::find(configuration.unwrap_or(Path::new("."))) {
        Ok(project) => project,
        Err(error) if configuration.is_some() => return Err(Error::from(error)),
        Err(_) => return Ok(Vec::new()),
    };
    session.machines(&project).map_err(|error| context.failed(session, &error))
}

/// The manual of a service of the library, or of a configuration's own.
fn manual_with(
    context: &mut Context,
    configuration: Option<&Path>,
    name: &str,
) -> Result<ServiceManual, Error> {
    if service_names().iter().any(|known| known == name) {
        return manual(context, name);
    }
    let mut session = context.session()?;
    let mut known = service_names();
    for machine in machines(context, &mut session, configuration)? {
        let found = session.own_service_manual(&machine, name);
        if let Some(manual) = found.map_err(|error| context.failed(&session, &error))? {
            return Ok(manual);
        }
        let own = machine.own_services(&mut session);
        known.extend(own.into_iter().flatten().map(|(name, _)| name));
    }
    Err(Error::from(nival_engine::Error::UnknownService { name: name.to_owned(), known }))
}

/// The manuals of the services that a configuration declares itself. A configuration that nobody named is passed over where
/// it cannot be evaluated.
fn own_manuals(context: &mut Context, configuration: Option<&Path>) -> Result<Vec<ServiceManual>, Error> {
    let mut session = context.session()?;
    let machines = match machines(context, &mut session, configuration) {
        Ok(machines) => machines,
        Err(error) if configuration.is_some() => return Err(error),
        Err(_) => Vec::new(),
    };
    let mut all: Vec<ServiceManual> = Vec::new();
    for machine in machines {
        let found = machine.own_services(&mut session).and_then(|own| {
            let manuals = own.iter().map(|(name, _)| session.own_service_manual(&machine, name));
            manuals.collect::<Result<Vec<_>, _>>()
        });
        match found {
            Ok(manuals) => all.extend(manuals.into_iter().flatten()),
            Err(error) if configuration.is_some() => return Err(context.failed(&session, &error)),
            Err(_) => {}
        }
    }
    all.dedup_by(|a, b| a.name == b.name);
    Ok(all)
}

fn list(context: &mut Context, configuration: Option<&Path>) -> Result<(), Error> {
    let mut all = own_manuals(context, configuration)?;
    for name in service_names() {
        all.push(manual(context, &name)?);
    }
    let mut text = String::new();
    for manual in &all {
        let _ = writeln!(text, "{:<15} {}", manual.name, manual.description);
    }
    text.push_str(
        "\n`nival service NAME` shows one; `nival init service NAME` writes one of your own to start from\n",
    );
    context.output.result(&text, || {
        all.iter().map(|one| json!({ "name": one.name, "description": one.description })).collect()
    });
    Ok(())
}

/// A manual as text, in the form of Markdown.
pub fn page(manual: &ServiceManual) -> String {
    let name = &manual.name;
    let mut text = format!("# {name}\n\n{}.\n", capital(&manual.description));
    for (example, value) in &manual.examples {
        let _ = write!(text, "\n## {} example\n\n```nix\n{{\n", capital(example));
        if let Some(beside) = &manual.beside {
            statements(&mut text, beside, "", "  ");
        }
        let _ = writeln!(text, "  services.{name}.enable = true;");
        statements(&mut text, value, &format!("services.{name}"), "  ");
        text.push_str("}\n```\n");
    }
    let _ = write!(
        text,
        "\n## Several instances\n\n```nix\n{{\n  services.{name}.instances.second = {{ }};\n}}\n```\n\nEach has units, \
         files and data of its own, called `{name}-second`; what would clash is found at evaluation. As a function: \
         `instances.third = services.{name} {{ }};`, with `services` as an argument of the module.\n"
    );
    text.push_str("\n## What it makes\n\n");
    for (kind, names) in manual.makes.iter().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(text, "- {kind}: {}", names.join(", "));
    }
    if !manual.requires.is_empty() || !manual.provides.is_empty() {
        text.push_str("\n## Between services\n\n");
        for (need, interface) in &manual.requires {
            let _ = writeln!(text, "- requires `{interface}` as its {need}");
        }
        for interface in &manual.provides {
            let _ = writeln!(text, "- offers `{interface}`");
        }
    }
    text.push_str("\n## Arguments\n");
    for argument in manual.arguments.iter().filter(|argument| !argument.internal) {
        let _ = write!(text, "\n### {}\n\n{}\n\n", argument.name, argument.description.trim());
        let _ = writeln!(text, "- takes: {}", argument.takes);
        if let Some(default) = &argument.default {
            let _ = writeln!(text, "- default: `{default}`");
        }
        if let Some(example) = &argument.example {
            let _ = writeln!(text, "- example: `{example}`");
        }
    }
    if !manual.securing.trim().is_empty() {
        let _ = write!(text, "\n## Securing it\n\n{}\n", manual.securing.trim());
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// Data as definitions of the language: one line for each path that ends in no set.
fn statements(text: &mut String, value: &Json, path: &str, indent: &str) {
    match value {
        Json::Object(set) if !set.is_empty() => {
            for (name, value) in set {
                let name = attribute(name);
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                statements(text, value, &path, indent);
            }
        }
        Json::Object(_) if path.is_empty() || path.matches('.').count() < 2 => {}
        _ => {
            let _ = writeln!(text, "{indent}{path} = {};", expression(value));
        }
    }
}

fn attribute(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if first && name.chars().all(plain) { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn expression(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(items) if items.is_empty() => "[ ]".to_owned(),
        Json::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| match item {
                    Json::Number(number) if number.as_f64().is_some_and(|n| n < 0.0) => format!("({number})"),
                    other => expression(other),
                })
                .collect();
            format!("[ {} ]", items.join(" "))
        }
        Json::Object(set) if set.is_empty() => "{ }".to_owned(),
        Json::Object(set) => {
            let items: Vec<String> = set
                .iter()
                .map(|(name, value)| format!("{} = {};", attribute(name), expression(value)))
                .collect();
            format!("{{ {} }}", items.join(" "))
        }
        other => other.to_string(),
    }
}
