//! What can go wrong with machines. Errors are data, so that they travel out of a machine and between processes whole.

use crate::diagnostics as codes;
use nival_diagnostics::{Diagnostic, Entry};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What can go wrong with machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Error {
    /// The operating system refused.
    Io {
        /// What was being done, such as `write the journal of the switch`.
        doing: String,
        /// What it said.
        error: String,
        /// Whether the disk is full.
        full: bool,
    },
    /// The manifest has not the form that is wanted.
    Manifest(String),
    /// A machine's name is no host name.
    MachineName(String),
    /// Two packages bring one file.
    FileClash {
        /// The path in the root.
        path: String,
        /// The one package.
        first: String,
        /// The other one.
        second: String,
    },
    /// A file belongs to nobody that is declared.
    Owner {
        /// The file.
        path: String,
        /// `user` or `group`.
        kind: String,
        /// The name.
        name: String,
    },
    /// The user has no ids to give to a container.
    IdRange {
        /// What is missing.
        missing: String,
        /// The commands that set it up.
        commands: Vec<String>,
    },
    /// The user has no control group to give to a container.
    ControlGroup {
        /// What is missing.
        missing: String,
        /// The commands that set it up.
        commands: Vec<String>,
    },
    /// The machine runs.
    Running(String),
    /// The machine does not run.
    NotRunning(String),
    /// There is no such machine.
    UnknownMachine {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Process 1 did not start or ended.
    Boot {
        /// The machine.
        machine: String,
        /// What is known.
        reason: String,
        /// The last lines of the console.
        log: Vec<String>,
    },
    /// A health check failed.
    Check {
        /// The check or unit.
        check: String,
        /// What is wrong.
        reason: String,
        /// The last lines of the unit's journal.
        journal: Vec<String>,
    },
    /// The switch failed and was taken back.
    Switch {
        /// The generation that was wanted.
        to: u64,
        /// The generation that runs.
        from: u64,
        /// What is wrong.
        reason: String,
        /// The last lines of the unit's journal.
        journal: Vec<String>,
        /// What could not be put back, where something could not.
        left: Vec<String>,
    },
    /// A preflight refused.
    Preflight {
        /// Its name.
        name: String,
        /// What it said.
        output: Vec<String>,
    },
    /// A port of the host is taken.
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        error: String,
    },
    /// There is no such generation.
    Generation {
        /// The machine.
        machine: String,
        /// The number.
        number: u64,
    },
    /// A switch is under way.
    Busy(String),
    /// A declared path is not allowed.
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A store path is not there.
    MissingPackage {
        /// The package or file that is wanted.
        name: String,
        /// The store path.
        path: String,
    },
    /// The supervisor is gone.
    Supervisor {
        /// The machine.
        machine: String,
        /// What is known.
        reason: String,
    },
    /// The machine ended again and again, and is not started any more.
    Crashed {
        /// The machine.
        machine: String,
        /// What is known of the last time.
        reason: String,
        /// How many times.
        times: u32,
    },
    /// The host cannot start machines at boot.
    HostUnit(String),
    /// A capability cannot be read.
    Capability {
        /// The file.
        path: String,
        /// The text.
        text: String,
    },
    /// A switch was interrupted and taken back.
    Interrupted {
        /// The generation that was wanted.
        to: u64,
        /// The generation that runs.
        from: u64,
    },
    /// A unit is brought by nobody.
    NoUnit(String),
    /// Something needs root.
    NeedsRoot(String),
    /// A service that runs alone has no journal to ask.
    NoJournal {
        /// The container.
        machine: String,
        /// What was asked of the journal.
        argument: String,
    },
    /// Secrets that a machine needs were never given to it.
    MissingSecret {
        /// The machine.
        machine: String,
        /// Their names.
        names: Vec<String>,
    },
    /// A secret is given that the machine does not declare.
    UnknownSecret {
        /// The machine.
        machine: String,
        /// The name.
        name: String,
        /// What it declares.
        known: Vec<String>,
    },
}

impl Error {
    /// Wraps what the system said with what was being done.
    pub fn io(doing: impl Into<String>, error: &std::io::Error) -> Self {
        let full =
            matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
        Self::Io { doing: doing.into(), error: error.to_string(), full }
    }

    fn entry(&self) -> &'static Entry {
        match self {
            Self::Io { full: true, .. } => &codes::disk_full::ENTRY,
            Self::Io { .. } => &codes::io::ENTRY,
            Self::Manifest(_) => &codes::manifest::ENTRY,
            Self::MachineName(_) => &codes::machine_name::ENTRY,
            Self::FileClash { .. } => &codes::file_clash::ENTRY,
            Self::Owner { .. } => &codes::owner::ENTRY,
            Self::IdRange { .. } => &codes::id_range::ENTRY,
            Self::ControlGroup { .. } => &codes::control_group::ENTRY,
            Self::Running(_) => &codes::running::ENTRY,
            Self::NotRunning(_) => &codes::not_running::ENTRY,
            Self::UnknownMachine { .. } => &codes::unknown_machine::ENTRY,
            Self::Boot { .. } => &codes::boot::ENTRY,
            Self::Check { .. } => &codes::check::ENTRY,
            Self::Switch { .. } => &codes::switch::ENTRY,
            Self::Preflight { .. } => &codes::preflight::ENTRY,
            Self::Port { .. } => &codes::port::ENTRY,
            Self::Generation { .. } => &codes::generation::ENTRY,
            Self::Busy(_) => &codes::busy::ENTRY,
            Self::Path { .. } => &codes::path::ENTRY,
            Self::MissingPackage { .. } => &codes::missing_package::ENTRY,
            Self::Supervisor { .. } => &codes::supervisor::ENTRY,
            Self::Crashed { .. } => &codes::crashed::ENTRY,
            Self::HostUnit(_) => &codes::host_unit::ENTRY,
            Self::Capability { .. } => &codes::capability::ENTRY,
            Self::Interrupted { .. } => &codes::interrupted::ENTRY,
            Self::NoUnit(_) => &codes::no_unit::ENTRY,
            Self::NeedsRoot(_) => &codes::needs_root::ENTRY,
            Self::NoJournal { .. } => &codes::no_journal::ENTRY,
            Self::MissingSecret { .. } => &codes::missing_secret::ENTRY,
            Self::UnknownSecret { .. } => &codes::unknown_secret::ENTRY,
        }
    }

    /// The diagnostic that shows this to the user.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.entry(), self.to_string());
        for line in self.notes() {
            diagnostic = diagnostic.note(line);
        }
        for line in self.help() {
            diagnostic = diagnostic.help(line);
        }
        diagnostic
    }

    fn notes(&self) -> Vec<String> {
        let block = |title: &str, lines: &[String]| {
            if lines.is_empty() { Vec::new() } else { vec![format!("{title}:\n{}", lines.join("\n"))] }
        };
        match self {
            Self::Boot { log, .. } => block("the console's last lines", log),
            Self::Check { journal, .. } => block("the journal's last lines", journal),
            Self::Switch { journal, left, from, .. } => {
                let mut notes = block("the journal's last lines", journal);
                notes.push(format!("generation {from} runs again"));
                notes.extend(block("what could not be put back", left));
                notes
            }
            Self::Preflight { output, .. } => {
                let mut notes = block("it said", output);
                notes.push("nothing was changed".to_owned());
                notes
            }
            Self::Interrupted { from, .. } => vec![format!("generation {from} runs")],
            Self::UnknownMachine { known, .. } if !known.is_empty() => {
                vec![format!("there are: {}", known.join(", "))]
            }
            _ => Vec::new(),
        }
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::Io { full: true, .. } => vec!["free some space, then give the command again".to_owned()],
            Self::MachineName(_) => {
                vec!["take 1 to 63 of `a-z`, `0-9` and `-`, with no `-` at either end".to_owned()]
            }
            Self::FileClash { path, first, .. } => {
                vec![format!(
                    "leave one of them out, or say which one is taken: `environment.diversions.\"{path}\" = \"{first}\";`"
                )]
            }
            Self::Owner { kind, name, .. } => {
                vec![format!("declare it: `users.{kind}s.\"{name}\" = {{ }};`")]
            }
            Self::IdRange { commands, .. } | Self::ControlGroup { commands, .. } => {
                vec![format!("set it up once:\n{}", commands.join("\n"))]
            }
            Self::Running(name) => vec![format!("`nival switch` changes it, `nival down {name}` stops it")],
            Self::NotRunning(name) => vec![format!("start it: nival up --detach {name}")],
            Self::Supervisor { .. } => vec!["start it with `nival up`".to_owned()],
            Self::Switch { .. } | Self::Preflight { .. } => {
                vec!["mend the configuration, then switch again".to_owned()]
            }
            Self::Port { .. } => vec!["publish another port, or `0:GUEST` for one that is free".to_owned()],
            Self::Generation { .. } => vec!["`nival generations` lists those that there are".to_owned()],
            Self::Busy(_) => vec!["wait until it is over: `nival status` shows it".to_owned()],
            Self::MissingPackage { .. } | Self::Manifest(_) => {
                vec!["build the configuration again".to_owned()]
            }
            Self::Crashed { machine, .. } => {
                vec![format!("look at `nival logs {machine}`, mend it, and start it again with `nival up`")]
            }
            Self::Interrupted { .. } => vec!["give the command again".to_owned()],
            Self::NoUnit(_) => vec!["add the package that brings it, or give the unit its text".to_owned()],
            Self::NeedsRoot(_) => vec!["run the command as root".to_owned()],
            Self::NoJournal { machine, .. } => vec![format!("all that it wrote: `nival logs {machine}`")],
            Self::MissingSecret { names, .. } => {
                let options: Vec<_> = names.iter().map(|name| format!("--secret {name}=FILE")).collect();
                vec![format!(
                    "give it once, and the machine keeps it: `{}`; or let the machine make it: `secrets.\"{}\".generate = \"password\";`",
                    options.join(" "),
                    names.first().map(String::as_str).unwrap_or_default()
                )]
            }
            Self::UnknownSecret { known, .. } if known.is_empty() => {
                vec!["it declares none: `secrets.NAME = { };`".to_owned()]
            }
            Self::UnknownSecret { known, .. } => vec![format!("there are {}", known.join(", "))],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, error, .. } => write!(f, "cannot {doing}: {error}"),
            Self::Manifest(text) => write!(f, "the manifest cannot be read: {text}"),
            Self::MachineName(name) => write!(f, "a machine cannot have this name: `{name}`"),
            Self::FileClash { path, first, second } => {
                write!(f, "the packages `{first}` and `{second}` both bring the file `{path}`")
            }
            Self::Owner { path, kind, name } => {
                write!(f, "`{path}` belongs to a {kind} that is not declared: `{name}`")
            }
            Self::IdRange { missing, .. } => write!(f, "there are no ids for a container: {missing}"),
            Self::ControlGroup { missing, .. } => {
                write!(f, "there is no control group for a container: {missing}")
            }
            Self::Running(name) => write!(f, "the machine runs already: `{name}`"),
            Self::NotRunning(name) => write!(f, "the machine does not run: `{name}`"),
            Self::UnknownMachine { name, .. } => write!(f, "there is no machine of this name: `{name}`"),
            Self::Boot { machine, reason, .. } => write!(f, "the machine `{machine}` did not boot: {reason}"),
            Self::Check { check, reason, .. } => write!(f, "the health check `{check}` failed: {reason}"),
            Self::Switch { to, reason, .. } => {
                write!(f, "the switch to generation {to} failed and was taken back: {reason}")
            }
            Self::Preflight { name, .. } => write!(f, "the new generation was refused by `{name}`"),
            Self::Port { port, error } => write!(f, "port {port} of this host cannot be published: {error}"),
            Self::Generation { machine, number } => {
                write!(f, "the machine `{machine}` has no generation of this number: {number}")
            }
            Self::Busy(name) => write!(f, "another switch of the machine is under way: `{name}`"),
            Self::Path { path, reason } => write!(f, "this path cannot be declared, {reason}: `{path}`"),
            Self::MissingPackage { name, path } => write!(f, "`{name}` is not in the store: `{path}`"),
            Self::Supervisor { machine, reason } => {
                write!(f, "the process that holds the machine `{machine}` is gone: {reason}")
            }
            Self::Crashed { machine, reason, times } => {
                write!(f, "the machine `{machine}` failed {times} times in a row and is left alone: {reason}")
            }
            Self::HostUnit(reason) => write!(f, "machines cannot be started at boot here: {reason}"),
            Self::Capability { path, text } => {
                write!(f, "the capability of `{path}` cannot be read: `{text}`")
            }
            Self::Interrupted { to, .. } => {
                write!(f, "the switch to generation {to} was interrupted and taken back")
            }
            Self::NeedsRoot(what) => write!(f, "only root can {what}"),
            Self::NoJournal { machine, argument } => {
                write!(f, "`{machine}` runs without systemd and has no journal, so there is no `{argument}`")
            }
            Self::MissingSecret { machine, names } => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "`{machine}` lacks a secret: {}", names.join(", "))
            }
            Self::UnknownSecret { machine, name, .. } => {
                write!(f, "`{machine}` declares no secret of this name: `{name}`")
            }
            Self::NoUnit(name) => write!(f, "no package brings the unit, and it has no text: `{name}`"),
        }
    }
}

impl std::error::Error for Error {}

/// Says what was being done when the system refused.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|error| Error::io(what(), &error))
    }
}
