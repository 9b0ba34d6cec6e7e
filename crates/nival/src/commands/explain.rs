//! `nival explain`

use crate::catalogue;
use crate::context::Context;
use crate::diagnostics;
use crate::error::Error;
use clap::Args;
use nival_diagnostics::{Diagnostic, Entry, Example};
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nival explain`.
#[derive(Args)]
pub struct Arguments {
    /// An error's code, such as NV0301; without one, all of them are listed
    code: Option<String>,
}

/// Prints the page of a code.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let entries = catalogue::entries();
    let Some(code) = &arguments.code else {
        let lines: Vec<_> = entries.iter().map(|entry| format!("{}  {}", entry.code, entry.title)).collect();
        context.output.result(&lines.join("\n"), || {
            entries.iter().map(|entry| json!({ "code": entry.code, "title": entry.title })).collect()
        });
        return Ok(ExitCode::SUCCESS);
    };
    let wanted = code.to_uppercase();
    match entries.iter().find(|entry| entry.code == wanted) {
        Some(entry) => {
            context.output.result(
                &page(entry),
                || json!({ "code": entry.code, "title": entry.title, "page": entry.page }),
            );
            Ok(ExitCode::SUCCESS)
        }
        None => Err(Error::plain(
            Diagnostic::error(&diagnostics::unknown_code::ENTRY, format!("there is no code `{code}`"))
                .help("`nival explain` lists all codes"),
        )),
    }
}

/// The text of an entry's page.
fn page(entry: &Entry) -> String {
    let example = match &entry.example {
        Example::Expression(text) => format!("Example:\n\n    nival eval --expr '{text}'\n"),
        Example::Configuration(text) => format!("Example of a configuration:\n\n    {text}\n"),
        Example::Situation { story, .. } => format!("Example: {story}\n"),
    };
    format!("{}: {}\n\n{}\n\n{example}", entry.code, entry.title, entry.page)
}
