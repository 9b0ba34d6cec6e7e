//! What `develop`, `print-dev-env`, `run` and `shell` are told to work with.

use crate::commands::evaluation::{Evaluation, Target};
use crate::context::{Context, current_folder};
use clap::Args;
use nival_engine::{OutputSearch, Session};
use nival_eval::Value;
use std::ffi::OsString;
use std::path::Path;

/// What is meant, where a command works with one thing.
#[derive(Args, Clone, Default)]
pub struct Wanted {
    /// A flake such as .#name, a file, or a folder; the current folder where nothing is named
    #[arg(conflicts_with_all = ["expr", "file"])]
    pub target: Option<String>,
    /// What this expression gives
    #[arg(short = 'E', long, value_name = "EXPRESSION")]
    pub expr: Option<String>,
    /// What this file gives, whatever it is called
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "expr")]
    pub file: Option<String>,
    /// Select what this path leads to
    #[arg(short = 'A', long = "attr", value_name = "PATH")]
    pub attribute: Option<String>,
}

impl Wanted {
    fn target(&self) -> Target {
        match (&self.file, &self.target) {
            (Some(file), _) => Target::File(file.clone(), String::new()),
            (None, Some(text)) => Target::parse(text),
            (None, None) => Target::parse("."),
        }
    }

    /// The flake that it is, if it is one.
    pub fn flakes(&self) -> Vec<String> {
        if self.expr.is_some() { Vec::new() } else { Target::flakes(&[self.target()]) }
    }

    /// The value that is meant; a folder without a flake means its `shell.nix` where `shell` is set and there is one.
    pub fn evaluate(
        &self,
        context: &Context,
        session: &mut Session,
        evaluation: &Evaluation,
        search: &OutputSearch,
        shell: bool,
    ) -> Result<Value, nival_engine::Error> {
        let automatic = evaluation.automatic(session)?;
        let value = if let Some(text) = &self.expr {
            session.evaluate_with_library(text, &current_folder())?
        } else {
            let target = match self.target() {
                Target::File(path, fragment) if shell && Path::new(&path).join("shell.nix").is_file() => {
                    Target::File(Path::new(&path).join("shell.nix").to_string_lossy().into_owned(), fragment)
                }
                other => other,
            };
            target.evaluate_with(context, session, &automatic, search)?
        };
        session.select(value, self.attribute.as_deref().unwrap_or_default(), &automatic)
    }
}

/// How the environment of a program is made.
#[derive(Args, Clone, Default)]
pub struct Surroundings {
    /// Clear the environment, but for what is kept
    #[arg(short = 'i', long, visible_alias = "ignore-env")]
    pub ignore_environment: bool,
    /// Keep this variable where the environment is cleared
    #[arg(long = "keep-env-var", alias = "keep", value_name = "NAME", requires = "ignore_environment")]
    pub kept: Vec<String>,
    /// Unset this variable
    #[arg(long = "unset-env-var", alias = "unset", value_name = "NAME")]
    pub unset: Vec<String>,
    /// Set this variable
    #[arg(long = "set-env-var", num_args = 2, value_names = ["NAME", "VALUE"])]
    pub set: Vec<String>,
}

impl Surroundings {
    /// The environment that a program gets.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let unset = |name: &OsString| self.unset.iter().any(|other| other.as_str() == name);
        let kept = |name: &OsString| {
            !self.ignore_environment || self.kept.iter().any(|other| other.as_str() == name)
        };
        let replaced = |name: &OsString| self.set.iter().step_by(2).any(|other| other.as_str() == name);
        let mut all: Vec<(OsString, OsString)> =
            std::env::vars_os().filter(|(name, _)| kept(name) && !unset(name) && !replaced(name)).collect();
        all.extend(self.set.chunks_exact(2).map(|pair| ((&pair[0]).into(), (&pair[1]).into())));
        all
    }
}
