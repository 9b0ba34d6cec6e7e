//! Machines as they are named: by their names, or by the path of the configuration that they were started from.

use crate::context::absolute;
use crate::diagnostics;
use crate::error::Error;
use crate::memory;
use clap::{Args, ValueHint};
use nival_diagnostics::Diagnostic;
use nival_engine::Project;
use nival_os::Machines;

/// The machine that a command works with.
#[derive(Args)]
pub struct OneMachine {
    /// The machine: its name, or the configuration (a file or folder) that it was started from
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    machine: String,
}

impl OneMachine {
    /// The machine's name.
    ///
    /// # Errors
    /// As [`all`]; `NV0840` where several machines were started from the configuration.
    pub fn name(&self, machines: &Machines) -> Result<String, Error> {
        let mut names = all(machines, std::slice::from_ref(&self.machine))?;
        if names.len() > 1 {
            return Err(several(&self.machine, &names));
        }
        Ok(names.remove(0))
    }
}

/// The names of the machines that some words mean, each once: at least one where there is a word.
///
/// # Errors
/// `NV0611` for a word that is neither a machine nor a path, `NV0835` for a path from which no machine was started.
pub fn all(machines: &Machines, words: &[String]) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    for word in words {
        let found = match started_from(machines, word) {
            Some(found) => found?,
            None => vec![word.clone()],
        };
        for name in found {
            machines.known(&name)?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// The machines that were started from a path; `None` for a word that names a machine, or nothing that is there.
pub fn started_from(machines: &Machines, word: &str) -> Option<Result<Vec<String>, Error>> {
    let is_path = word.starts_with('.') || word.contains('/');
    if !is_path && machines.known(word).is_ok() {
        return None;
    }
    let found = Project::find(&absolute(word.into())).map_err(Error::from).and_then(|project| {
        let is_its =
            |name: &String| memory::source(machines, name).is_some_and(|(file, _)| file == project.file);
        let names: Vec<String> = machines.names().into_iter().filter(is_its).collect();
        if names.is_empty() { Err(none_of(machines, &project)) } else { Ok(names) }
    });
    // A word that could be a name is meant as one, unless it leads somewhere.
    if is_path || found.is_ok() { Some(found) } else { None }
}

fn none_of(machines: &Machines, project: &Project) -> Error {
    let message = format!("no machine was started from this configuration: `{}`", project.file.display());
    let mut diagnostic = Diagnostic::error(&diagnostics::no_source::ENTRY, message)
        .help(format!("start it: nival up --detach {}", project.file.display()));
    let known = machines.names();
    if !known.is_empty() {
        diagnostic = diagnostic.help(format!("or name one of {}", quoted(&known)));
    }
    Error::plain(diagnostic)
}

/// The error for a path that several machines were started from, where one is asked for.
pub fn several(path: &str, names: &[String]) -> Error {
    let message = format!("several machines were started from `{path}`, and one is asked for");
    let diagnostic = Diagnostic::error(&diagnostics::usage::ENTRY, message);
    Error::plain(diagnostic.help(format!("name one: {}", quoted(names))))
}

/// Names in a sentence.
pub fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
