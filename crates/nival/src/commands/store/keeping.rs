//! `nival store verify`, `optimise`, `delete`, `export`, `import` and `path-from-hash-part`

use crate::collecting::Collector;
use crate::context::Context;
use crate::dropin::{repair_one, store_path, usage};
use crate::error::Error;
use crate::output::bytes as sized;
use clap::Args;
use nival_store::{Corruption, DeleteOptions, LocalStore, Remedy, Repair, Verification};
use nival_store_model::StorePath;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{BufReader, BufWriter, IsTerminal as _, Write as _};
use std::process::ExitCode;

/// What can be typed behind `nival verify`, and behind `nival store verify` where no path is named.
#[derive(Args)]
pub struct Verify {
    /// Look only whether each path is there, without reading it
    #[arg(long)]
    quick: bool,
    /// Bring contents back, from caches or by building, and forget what is gone and not needed
    #[arg(long)]
    repair: bool,
}

/// Compares the store with its database, and mends it.
pub fn verify(context: &mut Context, arguments: &Verify) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let mut mend =
        |path: &StorePath| repair_one(context, path).map_err(|error| error.into_diagnostic().message);
    let how = Verification {
        contents: !arguments.quick,
        forget: arguments.repair,
        repair: if arguments.repair { Some(&mut mend as Repair<'_>) } else { None },
    };
    let found = store.verify_with(how, &mut |_| {})?;
    let checked = store.all()?.len();
    let (mut text, mut problems) = (String::new(), Vec::new());
    for (corruption, remedy) in &found {
        let (what, subject, detail) = told(&store, corruption);
        let done = match remedy {
            Remedy::None => "",
            Remedy::Forgotten => ", forgotten",
            Remedy::Repaired => ", repaired",
        };
        let _ = writeln!(text, "{what:<9} {subject}{detail}{done}");
        problems.push(json!({
            "problem": what, "subject": subject, "detail": detail.trim_start_matches(": "),
            "mended": *remedy != Remedy::None,
        }));
    }
    let left = found.iter().filter(|(_, remedy)| *remedy == Remedy::None).count();
    let _ = writeln!(text, "{checked} paths, {left} problems left of {}", found.len());
    context.output.result(&text, || json!({ "paths": checked, "problems": problems }));
    Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(store: &LocalStore, corruption: &Corruption) -> (&'static str, String, String) {
    let print = |path: &StorePath| store.dir().print(path);
    match corruption {
        Corruption::Missing(path) => ("missing", print(path), String::new()),
        Corruption::Modified { path, wanted, got } => {
            ("modified", print(path), format!(": wanted {}, got {}", wanted.sri(), got.sri()))
        }
        Corruption::Link { name, got } => ("modified", format!(".links/{name}"), format!(": got {got}")),
        Corruption::Unreadable(path, error) => ("broken", print(path), format!(": {error}")),
        Corruption::Database(text) => ("database", String::new(), text.clone()),
    }
}

/// Links equal files.
pub fn optimise(context: &mut Context) -> Result<ExitCode, Error> {
    let done = context.store()?.optimise(&mut |_| {})?;
    let text = format!("{} files became one with others; {} are free", done.files, sized(done.bytes));
    context.output.result(&text, || json!({ "files": done.files, "bytes": done.bytes }));
    Ok(ExitCode::SUCCESS)
}

/// What can be typed behind `nival store delete`.
#[derive(Args)]
pub struct Delete {
    /// Store paths, or links that lead to them
    #[arg(required = true)]
    paths: Vec<String>,
    /// Delete them although roots lead to them; what other paths refer to stays
    #[arg(long)]
    ignore_liveness: bool,
}

/// Deletes paths that nothing needs.
pub fn delete(context: &mut Context, arguments: &Delete) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let paths = paths(&store, &arguments.paths)?;
    let options = DeleteOptions { ignore_liveness: arguments.ignore_liveness };
    let result = Collector::new(context, 0)?.quiet().delete(&store, &paths, options)?;
    let text = format!("removed {} paths; {} are free", result.names.len(), sized(result.bytes));
    context.output.result(&text, || json!({ "removed": result.names, "bytes": result.bytes }));
    Ok(ExitCode::SUCCESS)
}

/// What can be typed behind `nival store export`.
#[derive(Args)]
pub struct Export {
    /// Store paths, or links that lead to them
    #[arg(required = true)]
    paths: Vec<String>,
    /// Write only these, without what they refer to
    #[arg(long)]
    no_recursive: bool,
}

/// Writes paths to standard output, for `nival store import` or `nix-store --import`.
pub fn export(context: &mut Context, arguments: &Export) -> Result<ExitCode, Error> {
    if std::io::stdout().is_terminal() {
        return Err(usage("an export is no text: send it to a file or a program"));
    }
    let store = context.store()?;
    let mut paths = paths(&store, &arguments.paths)?;
    if !arguments.no_recursive {
        paths = store.closure(&paths)?;
    }
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    store.export(&paths, &mut out)?;
    let flushed = out.flush();
    flushed.map_err(|error| {
        Error::from(nival_store::Error::Io { doing: "write an export".to_owned(), error })
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Reads paths from standard input.
pub fn import(context: &mut Context) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let imported = store.import(&mut BufReader::with_capacity(1 << 16, std::io::stdin().lock()))?;
    let names: Vec<_> = imported.iter().map(|path| store.dir().print(path)).collect();
    context.output.result(&names.join("\n"), || json!({ "paths": names }));
    Ok(ExitCode::SUCCESS)
}

/// What can be typed behind `nival store path-from-hash-part`.
#[derive(Args)]
pub struct HashPart {
    /// The 32 digits in front of a path's name
    hash_part: String,
}

/// Prints the path with a hash part.
pub fn path_from_hash_part(context: &mut Context, arguments: &HashPart) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let found = store.path_from_hash_part(&arguments.hash_part)?;
    let missing = || nival_store::Error::NotValid(arguments.hash_part.clone());
    let printed = store.dir().print(&found.ok_or_else(missing)?);
    context.output.result(&printed, || json!({ "path": printed }));
    Ok(ExitCode::SUCCESS)
}

fn paths(store: &LocalStore, words: &[String]) -> Result<Vec<StorePath>, Error> {
    words.iter().map(|word| store_path(store, word)).collect()
}
