//! What the subcommands of `nix` work on: flakes, paths of the store, attributes of a file or an expression.

use crate::building::{self, Building};
use crate::commands::build::derivation_requests;
use crate::commands::evaluation::{Evaluation, Target, file_expression};
use crate::commands::flake::LockArguments;
use crate::context::{Context, absolute, current_folder};
use crate::error::Error;
use clap::Args;
use nival_build::{Request, Wanted};
use nival_engine::{Automatic, Expression, OutputSearch, Session};
use nival_eval::Value;
use nival_store_model::StorePath;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

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
    /// Read further things that are meant from standard input, one a line
    #[arg(long)]
    pub stdin: bool,
    #[command(flatten)]
    pub lock: LockArguments,
}

/// One thing that was named.
pub enum Named {
    /// Something of the store.
    Stored(Request),
    /// A value, with the outputs that are wanted of it where they are named.
    Value(Value, Option<Wanted>),
}

/// What was built of each request: outputs by name.
pub type Made = Vec<(Request, BTreeMap<String, StorePath>)>;

impl Installables {
    /// The same options with one other word.
    #[must_use]
    pub fn only(&self, word: &str) -> Self {
        Self { installables: vec![word.to_owned()], ..self.clone() }
    }

    /// Builds all that was named; the exit code tells whether all went well.
    pub fn build(
        &self,
        context: &mut Context,
        evaluation: &Evaluation,
        building: &Building,
    ) -> Result<(Made, ExitCode), Error> {
        let (mut session, progress) = building::session(context, evaluation, building, &self.flakes())?;
        let found = self.requests(context, &mut session, evaluation);
        context.show_messages(&session);
        let requests = found.map_err(|error| context.failed(&session, &error))?;
        let (answers, code) = building::build(context, session.builds(), &progress, &requests, building)?;
        let code = if code == ExitCode::SUCCESS { code } else { ExitCode::FAILURE };
        Ok((building::made(requests, answers), code))
    }

    /// What is meant by all that was named, without building it.
    pub fn wanted(&self, context: &mut Context, evaluation: &Evaluation) -> Result<Vec<Request>, Error> {
        let mut session = evaluation.session(context, false, &self.flakes())?;
        let found = self.requests(context, &mut session, evaluation);
        context.show_messages(&session);
        found.map_err(|error| context.failed(&session, &error))
    }

    /// The flakes that are meant.
    pub fn flakes(&self) -> Vec<String> {
        if self.file.is_some() || self.expr.is_some() {
            return Vec::new();
        }
        if self.installables.is_empty() {
            return vec![".".to_owned()];
        }
        let flake = |text: &&String| !is_store_path(text);
        let named = self.installables.iter().filter(flake);
        named.map(|text| if text.is_empty() { ".".to_owned() } else { text.clone() }).collect()
    }

    /// All that was named; without a word it is the flake of this folder, or all of the file or expression.
    pub fn named(
        &self,
        context: &Context,
        session: &mut Session,
        automatic: &Automatic,
    ) -> Result<Vec<Named>, nival_engine::Error> {
        let search = OutputSearch::packages(session.system());
        self.named_in(context, session, automatic, &search)
    }

    /// As [`Self::named`], where a flake's outputs are searched in another way.
    pub fn named_in(
        &self,
        context: &Context,
        session: &mut Session,
        automatic: &Automatic,
        search: &OutputSearch,
    ) -> Result<Vec<Named>, nival_engine::Error> {
        let words = self.words()?;
        let root = self.root(session)?;
        let mut all = Vec::new();
        for word in &words {
            if root.is_none()
                && let Some(request) = linked(session, word)?
            {
                all.push(Named::Stored(request));
                continue;
            }
            let (text, outputs) = outputs_of(word);
            let value = match root {
                Some(root) => session.select(root, text.trim_start_matches('.'), automatic)?,
                None => self.flake(context, session, if text.is_empty() { "." } else { text }, search)?,
            };
            all.push(Named::Value(value, outputs));
        }
        Ok(all)
    }

    /// All words that were typed or are read; the empty one where there are none.
    fn words(&self) -> Result<Vec<String>, nival_engine::Error> {
        let mut words = self.installables.clone();
        if self.stdin {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| nival_engine::Error::Io("standard input".into(), error))?;
            words.extend(text.split_whitespace().map(str::to_owned));
        } else if words.is_empty() {
            words.push(String::new());
        }
        Ok(words)
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
            (Some(file), _) => file_expression(file),
            (None, Some(text)) => Expression::Text(text.clone(), base),
            (None, None) => return Ok(None),
        };
        session.evaluate(&expression).map(Some)
    }

    fn flake(
        &self,
        context: &Context,
        session: &mut Session,
        text: &str,
        search: &OutputSearch,
    ) -> Result<Value, nival_engine::Error> {
        let (reference, fragment) = session.parse_flake(text, Path::new(&current_folder()))?;
        let flags = self.lock.flags(session)?;
        let locked = session.lock_flake(&reference, &flags)?;
        if let Some(file) = &locked.written {
            context.output.say(&format!("wrote {}:\n{}", file.display(), locked.changes.trim_end()));
        }
        Ok(session.flake_output(&locked, &fragment, search)?.0)
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

/// What a word names of the store, itself or through a link; outputs may stand behind it.
pub fn linked(session: &Session, word: &str) -> Result<Option<Request>, nival_engine::Error> {
    if let Some(request) = session.stored_request(word)? {
        return Ok(Some(request));
    }
    let (place, outputs) = outputs_of(word);
    if !place.contains('/') && outputs.is_none() || !Path::new(place).is_symlink() {
        return Ok(None);
    }
    let Ok(path) = session.stored_behind(&absolute(Path::new(place).to_owned())) else { return Ok(None) };
    let rest = word.get(place.len()..).unwrap_or_default();
    session.stored_request(&format!("{}{rest}", session.printed(&path)))
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
