//! The paths that a command works on, by whatever leads to them.

use crate::building::known_outputs;
use crate::commands::evaluation::Evaluation;
use crate::commands::installables::{Installables, outputs_of};
use crate::context::Context;
use crate::error::Error;
use crate::stores::path_of;
use clap::Args;
use nival_build::Request;
use nival_store::stores::{Store, closure, references_first};
use nival_store_model::{StoreDir, StorePath};
use std::io::Read as _;
use std::path::Path;

/// The paths that a command works on.
#[derive(Args, Clone, Default)]
pub struct Subjects {
    /// Store paths, links that lead to them, outputs as DRV^out, or flakes such as .#name
    #[arg(value_name = "PATHS")]
    pub words: Vec<String>,
    /// Take attributes of this file
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "expr")]
    file: Option<String>,
    /// Take attributes of this expression
    #[arg(long, value_name = "EXPRESSION")]
    expr: Option<String>,
    /// Let values depend on the environment, the clock, and files outside of a flake
    #[arg(long)]
    impure: bool,
    /// Of what is evaluated, the derivation is meant
    #[arg(long)]
    derivation: bool,
    /// Read further paths from standard input, one a line
    #[arg(long)]
    stdin: bool,
}

impl Subjects {
    /// Whether nothing was named.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.file.is_none() && self.expr.is_none() && !self.stdin
    }

    /// The paths that are meant, for a store directory. What is evaluated is not built.
    pub fn paths(&self, context: &mut Context, dir: &StoreDir) -> Result<Vec<StorePath>, Error> {
        let mut words = self.words.clone();
        if self.stdin {
            let mut more = String::new();
            let read = std::io::stdin().read_to_string(&mut more);
            read.map_err(crate::stores::unreadable("standard input"))?;
            words.extend(more.lines().filter(|line| !line.is_empty()).map(str::to_owned));
        }
        if self.file.is_some() || self.expr.is_some() {
            return self.evaluated(context, words);
        }
        let mut paths = Vec::new();
        for word in words {
            let (text, outputs) = outputs_of(&word);
            if is_flake(text) {
                paths.extend(self.evaluated(context, vec![word])?);
                continue;
            }
            let (path, _) = path_of(dir, text)?;
            match outputs {
                Some(wanted) => {
                    let store = context.own_store()?;
                    paths.extend(known_outputs(&store, &Request::Outputs(path, wanted))?);
                }
                None => paths.push(path),
            }
        }
        Ok(paths)
    }

    /// The paths that are meant, where the outputs of a derivation stand for it.
    pub fn derivations(&self, context: &mut Context, dir: &StoreDir) -> Result<Vec<StorePath>, Error> {
        let words = self.words.iter().map(|word| {
            let (text, _) = outputs_of(word);
            text.split('!').next().unwrap_or(text).to_owned()
        });
        Self { words: words.collect(), derivation: true, ..self.clone() }.paths(context, dir)
    }

    fn evaluated(&self, context: &mut Context, words: Vec<String>) -> Result<Vec<StorePath>, Error> {
        let store = context.own_store()?;
        let installables = Installables {
            file: self.file.clone(),
            expr: self.expr.clone(),
            installables: words,
            ..Installables::default()
        };
        let evaluation = Evaluation { impure: self.impure, ..Evaluation::default() };
        let mut paths = Vec::new();
        for request in installables.wanted(context, &evaluation)? {
            match request {
                Request::Outputs(drv, _) if self.derivation => paths.push(drv),
                other => paths.extend(known_outputs(&store, &other)?),
            }
        }
        Ok(paths)
    }
}

/// The paths that a command works on, perhaps with what they refer to, or all.
#[derive(Args)]
pub struct Reaching {
    #[command(flatten)]
    subjects: Subjects,
    /// Everything that the store has
    #[arg(long, conflicts_with = "words")]
    all: bool,
    /// Also what the paths refer to
    #[arg(short, long)]
    recursive: bool,
}

impl Reaching {
    /// Whether nothing was named.
    pub fn is_empty(&self) -> bool {
        !self.all && self.subjects.is_empty()
    }

    /// The paths of a store that are meant; with `--recursive` each behind what it refers to.
    pub fn paths(&self, context: &mut Context, store: &dyn Store) -> Result<Vec<StorePath>, Error> {
        let paths = match self.all {
            true => store.all()?,
            false => self.subjects.paths(context, store.dir())?,
        };
        match self.recursive {
            true => Ok(references_first(&closure(store, &paths)?)),
            false => Ok(paths),
        }
    }
}

/// Whether a word names a flake, and nothing that leads to the store.
fn is_flake(word: &str) -> bool {
    let is_address = word.contains('#') || word.contains(':');
    is_address && !Path::new(word).exists() || Path::new(word).join("flake.nix").exists()
}
