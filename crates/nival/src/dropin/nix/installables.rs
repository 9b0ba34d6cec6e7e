//! What the subcommands of `nix` work on: flakes, paths of the store, attributes of a file or an expression.

use crate::commands::build::derivation_requests;
use crate::commands::evaluation::{Evaluation, Target};
use crate::context::{Context, absolute, current_folder};
use clap::Args;
use nival_build::{Request, Wanted};
use nival_engine::{Automatic, Expression, LockFlags, OutputSearch, Session};
use nival_eval::Value;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

/// What a subcommand works on.
#[derive(Args, Clone, Default)]
pub struct Installables {
    /// Take attributes of this file; `-` reads standard input
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "expr")]
    pub file: Option<String>,
    /// Take attributes of this expression
    #[arg(long, value_name = "EXPRESSION")]
    pub expr: Option<String>,
    /// Flakes, paths of the store, or with `--file` and `--expr` attributes
    pub installables: Vec<String>,
    /// Write no lock file
    #[arg(long)]
    pub no_write_lock_file: bool,
    /// Take the inputs of a flake from the lock file as they are
    #[arg(long)]
    pub no_update_lock_file: bool,
    /// Take another flake for an input
    #[arg(long, num_args = 2, value_names = ["INPUT", "FLAKE"], action = clap::ArgAction::Append)]
    pub override_input: Vec<String>,
}

/// One thing that was named.
pub enum Named {
    /// Something of the store.
    Stored(Request),
    /// A value, with the outputs that are wanted of it where they are named.
    Value(Value, Option<Wanted>),
}

impl Installables {
    /// Whether flakes are meant.
    pub fn is_flake(&self) -> bool {
        self.file.is_none()
            && self.expr.is_none()
            && !self.installables.iter().all(|text| is_store_path(text))
            || self.file.is_none() && self.expr.is_none() && self.installables.is_empty()
    }

    /// All that was named; without a word it is the flake of this folder, or all of the file or expression.
    pub fn named(
        &self,
        context: &Context,
        session: &mut Session,
        automatic: &Automatic,
    ) -> Result<Vec<Named>, nival_engine::Error> {
        let usual = [String::new()];
        let words = if self.installables.is_empty() { &usual[..] } else { &self.installables };
        let root = self.root(session)?;
        let mut all = Vec::new();
        for word in words {
            if root.is_none()
                && let Some(request) = session.stored_request(word)?
            {
                all.push(Named::Stored(request));
                continue;
            }
            let (text, outputs) = outputs_of(word);
            let value = match root {
                Some(root) => session.select(root, text.trim_start_matches('.'), automatic)?,
                None => self.flake(context, session, if text.is_empty() { "." } else { text })?,
            };
            all.push(Named::Value(value, outputs));
        }
        Ok(all)
    }

    fn root(&self, session: &mut Session) -> Result<Option<Value>, nival_engine::Error> {
        let base = current_folder();
        let expression = match (&self.file, &self.expr) {
            (Some(file), _) if file == "-" => {
                let mut text = String::new();
                let read = std::io::stdin().read_to_string(&mut text);
                read.map_err(|error| nival_engine::Error::Io("standard input".into(), error))?;
                Expression::Text(text, base)
            }
            (Some(file), _) if file.starts_with('<') || file.contains("://") => {
                Expression::File(file.clone())
            }
            (Some(file), _) => {
                Expression::File(absolute(Path::new(file).to_owned()).to_string_lossy().into_owned())
            }
            (None, Some(text)) => Expression::Text(text.clone(), base),
            (None, None) => return Ok(None),
        };
        session.evaluate(&expression).map(Some)
    }

    /// How a flake's lock is treated.
    pub fn lock_flags(&self, session: &Session) -> Result<LockFlags, nival_engine::Error> {
        let mut flags = LockFlags::default();
        flags.write &= !self.no_write_lock_file;
        flags.update &= !self.no_update_lock_file;
        for pair in self.override_input.chunks_exact(2) {
            let (reference, _) = session.parse_flake(&pair[1], Path::new(&current_folder()))?;
            flags.overrides.insert(pair[0].split('/').map(str::to_owned).collect(), reference);
        }
        Ok(flags)
    }

    fn flake(
        &self,
        context: &Context,
        session: &mut Session,
        text: &str,
    ) -> Result<Value, nival_engine::Error> {
        let (reference, fragment) = session.parse_flake(text, Path::new(&current_folder()))?;
        let flags = self.lock_flags(session)?;
        let locked = session.lock_flake(&reference, &flags)?;
        if let Some(file) = &locked.written {
            context.output.say(&format!("wrote {}:\n{}", file.display(), locked.changes.trim_end()));
        }
        let search = OutputSearch::packages(session.system());
        Ok(session.flake_output(&locked, &fragment, &search)?.0)
    }

    /// What is to be built for all that was named.
    pub fn requests(
        &self,
        context: &Context,
        session: &mut Session,
        evaluation: &Evaluation,
    ) -> Result<Vec<Request>, nival_engine::Error> {
        let automatic = evaluation.automatic(session)?;
        let mut requests = Vec::new();
        for named in self.named(context, session, &automatic)? {
            match named {
                Named::Stored(request) => requests.push(request),
                Named::Value(value, outputs) => {
                    requests
                        .extend(wanted(derivation_requests(session, value, &automatic)?, outputs.as_ref()));
                }
            }
        }
        Ok(requests)
    }
}

fn wanted(requests: Vec<Request>, outputs: Option<&Wanted>) -> Vec<Request> {
    let Some(outputs) = outputs else { return requests };
    let change = |request| match request {
        Request::Outputs(drv, _) => Request::Outputs(drv, outputs.clone()),
        other => other,
    };
    let mut all: Vec<Request> = requests.into_iter().map(change).collect();
    all.dedup();
    all
}

/// Whether a word names something of a store.
fn is_store_path(text: &str) -> bool {
    matches!(Target::parse(text), Target::Flake(_)) && text.starts_with('/') && text.contains("/store/")
}

/// A word and the outputs behind its `^`.
pub fn outputs_of(word: &str) -> (&str, Option<Wanted>) {
    match word.rsplit_once('^') {
        Some((text, "*")) => (text, Some(Wanted::All)),
        Some((text, names)) if !names.is_empty() && !names.contains('/') => {
            let names: BTreeSet<String> = names.split(',').map(str::to_owned).collect();
            (text, Some(Wanted::Names(names)))
        }
        _ => (word, None),
    }
}
