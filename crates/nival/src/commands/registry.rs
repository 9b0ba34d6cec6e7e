//! `nival registry`: names that stand for flakes

use crate::commands::evaluation::Evaluation;
use crate::context::{Context, current_folder, environment};
use crate::error::{Error, unwritable};
use clap::{Args, Subcommand};
use nival_engine::{FlakeReference, NixSettings, Session};
use nival_inputs::fetchers::registry::{self, Entry};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed behind `nival registry`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The file that is changed; the user's own where none is named
    #[arg(long, value_name = "FILE", global = true)]
    registry: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Let a name stand for a flake
    Add {
        /// The name
        from: String,
        /// What it stands for
        to: String,
        #[command(flatten)]
        evaluation: Evaluation,
    },
    /// List what names stand for
    List {
        #[command(flatten)]
        evaluation: Evaluation,
    },
    /// Let a name stand for the version that a flake has now
    Pin {
        /// The name
        from: String,
        /// The flake; what the name stands for where none is named
        to: Option<String>,
        #[command(flatten)]
        evaluation: Evaluation,
    },
    /// Let a name stand for nothing
    Remove {
        /// The name
        from: String,
        #[command(flatten)]
        evaluation: Evaluation,
    },
}

/// Shows or changes registries.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (Command::Add { evaluation, .. }
    | Command::List { evaluation }
    | Command::Pin { evaluation, .. }
    | Command::Remove { evaluation, .. }) = &arguments.command;
    let session = evaluation.session(context, true, &[])?;
    let done = match &arguments.command {
        Command::List { .. } => list(context, &session),
        Command::Add { from, to, .. } => {
            let to = reference(&session, to);
            to.and_then(|to| change(&session, arguments, from, Some(to)))
        }
        Command::Pin { from, to, .. } => {
            let pinned =
                reference(&session, to.as_deref().unwrap_or(from)).and_then(|to| session.pinned(&to));
            pinned.and_then(|to| change(&session, arguments, from, Some(to)))
        }
        Command::Remove { from, .. } => change(&session, arguments, from, None),
    };
    context.show_messages(&session);
    done.map_err(|error| context.failed(&session, &error))?;
    Ok(ExitCode::SUCCESS)
}

fn reference(session: &Session, text: &str) -> Result<FlakeReference, nival_engine::Error> {
    Ok(session.parse_flake(text, Path::new(&current_folder()))?.0)
}

fn list(context: &Context, session: &Session) -> Result<(), nival_engine::Error> {
    let mut lines = Vec::new();
    let mut all = Vec::new();
    for (kind, entries) in session.registries()? {
        for entry in entries {
            let (from, to) = (entry.from.shown(), target(&entry).to_string());
            lines.push(format!("{kind:6} {from} {to}"));
            all.push(json!({ "kind": kind, "from": from, "to": to }));
        }
    }
    context.output.result(&lines.join("\n"), || all.into());
    Ok(())
}

fn target(entry: &Entry) -> FlakeReference {
    let folder = entry.extra.text("dir").ok().flatten().unwrap_or_default().to_owned();
    FlakeReference { input: entry.to.clone(), folder }
}

/// Writes the registry anew, without what the name stood for and with what it stands for now.
fn change(
    session: &Session,
    arguments: &Arguments,
    from: &str,
    to: Option<FlakeReference>,
) -> Result<(), nival_engine::Error> {
    let from = reference(session, from)?;
    let file = arguments.registry.clone().unwrap_or_else(|| NixSettings::user_registry(&environment()));
    let mut entries = match std::fs::read(&file) {
        Ok(text) => registry::parse(session.fetch_settings(), &text)?,
        Err(_) => Vec::new(),
    };
    entries.retain(|entry| entry.from != from.input);
    let mut flakes: Vec<_> =
        entries.iter().map(|entry| (entry.from.attributes.json(), target(entry), entry.exact)).collect();
    if let Some(to) = to {
        flakes.push((from.input.attributes.json(), to, false));
    }
    let flakes: Vec<_> = flakes
        .into_iter()
        .map(|(from, to, exact)| {
            let mut entry = json!({ "from": from, "to": to.attributes().json() });
            if exact {
                entry["exact"] = true.into();
            }
            entry
        })
        .collect();
    let text = json!({ "flakes": flakes, "version": 2 });
    let text = serde_json::to_string_pretty(&text).unwrap_or_default();
    let written = file.parent().map_or(Ok(()), nival_sys::fs::create_dir_all);
    let written = written.and_then(|()| nival_sys::fs::write_atomic(&file, text.as_bytes(), 0o644));
    written.map_err(|error| nival_engine::Error::Other(Box::new(unwritable(&file, &error))))
}
