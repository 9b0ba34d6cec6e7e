//! `nival store add`

use crate::context::{Context, absolute};
use crate::error::Error;
use clap::{Args, ValueEnum};
use nival_store_model::{Algorithm, ContentMethod};
use std::path::PathBuf;
use std::process::ExitCode;

/// What of a file or tree its name follows from.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Its archive
    Nar,
    /// The bytes of one file
    Flat,
    /// The bytes of one file that may refer to other paths
    Text,
    /// What git would hash
    Git,
}

/// What can be typed behind `nival store add`.
#[derive(Args)]
pub struct Arguments {
    /// A file or tree
    path: PathBuf,
    /// The name behind the hash; that of the file where it is not given
    #[arg(short, long)]
    name: Option<String>,
    /// What of it is hashed
    #[arg(long, default_value = "nar")]
    mode: Mode,
    /// The algorithm
    #[arg(long, value_name = "NAME", default_value = "sha256", value_parser = crate::commands::hash::algorithm)]
    hash_algo: Algorithm,
    /// Compute the path only
    #[arg(long)]
    dry_run: bool,
}

/// What can be typed behind the older `add-file` and `add-path`.
#[derive(Args)]
pub struct OfKind {
    path: PathBuf,
    #[arg(short, long)]
    name: Option<String>,
    #[arg(long)]
    dry_run: bool,
}

/// Adds files of one kind.
pub fn of_kind(context: &mut Context, arguments: &OfKind, mode: Mode) -> Result<ExitCode, Error> {
    let arguments = Arguments {
        path: arguments.path.clone(),
        name: arguments.name.clone(),
        mode,
        hash_algo: Algorithm::Sha256,
        dry_run: arguments.dry_run,
    };
    run(context, &arguments)
}

/// Adds a file or tree.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let other = context.take_other_store()?;
    if let Some(other) = &other {
        context.use_scratch_store(&other.dir().clone())?;
    }
    let store = context.store()?;
    let source = absolute(arguments.path.clone());
    let usual = || source.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = arguments.name.clone().unwrap_or_else(usual);
    let method = match arguments.mode {
        Mode::Nar => ContentMethod::Recursive,
        Mode::Flat => ContentMethod::Flat,
        Mode::Text => ContentMethod::Text,
        Mode::Git => ContentMethod::Git,
    };
    if method != ContentMethod::Recursive && method != ContentMethod::Git && source.is_dir() {
        return Err(nival_store::Error::NotAFile(source).into());
    }
    let path = if arguments.dry_run {
        let hash = nival_store::archive::content_hash(&source, method, arguments.hash_algo)?;
        let found = store.dir().fixed_output_path(method, &hash, &Default::default(), &name);
        found.map_err(nival_store::Error::Name)?
    } else {
        store.add_fixed(&name, &source, method, arguments.hash_algo)?.path
    };
    if let Some(other) = other.filter(|_| !arguments.dry_run) {
        crate::stores::hand_over(context, &store, &*other, std::slice::from_ref(&path))?;
    }
    let text = store.dir().print(&path);
    context.output.result(&text, || text.clone().into());
    Ok(ExitCode::SUCCESS)
}
