//! `nival store cat`, `nival nar cat`

use crate::context::Context;
use crate::diagnostics::not_in_archive;
use crate::error::Error;
use crate::stores::{SettingArguments, unreadable};
use clap::Args;
use nival_diagnostics::Diagnostic;
use nival_store_model::nar::{Decoder, Event};
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival store cat`.
#[derive(Args)]
pub struct Arguments {
    /// A file of the store
    path: String,
    #[command(flatten)]
    settings: SettingArguments,
}

/// What can be typed behind `nival nar cat`.
#[derive(Args)]
pub struct NarArguments {
    /// The archive
    nar: PathBuf,
    /// The file in it
    path: String,
}

/// Prints a file of the store.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let (path, inside) = stores.path(&arguments.path)?;
    nival_store::stores::valid_info(&*stores.store, &path)?;
    print(stores.store.nar(&path)?, &inside)
}

/// Prints a file of an archive.
pub fn cat_nar(arguments: &NarArguments) -> Result<ExitCode, Error> {
    let failed = unreadable(&format!("`{}`", arguments.nar.display()));
    print(File::open(&arguments.nar).map_err(failed)?, &arguments.path)
}

/// The names on the way to a path inside.
pub fn parts(inside: &str) -> Vec<&str> {
    inside.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

fn print(nar: impl Read, inside: &str) -> Result<ExitCode, Error> {
    let wanted = parts(inside);
    let mut decoder = Decoder::new(BufReader::new(nar));
    let mut at: Vec<String> = Vec::new();
    let mut name = None;
    while let Some(event) = decoder.next().map_err(nival_store::Error::Archive)? {
        match event {
            Event::Entry(next) => name = Some(String::from_utf8_lossy(&next).into_owned()),
            Event::Directory => at.extend(name.take()),
            Event::EndDirectory => drop(at.pop()),
            Event::Symlink(_) => {}
            Event::File { .. } => {
                let here = at.iter().map(String::as_str).chain(name.as_deref());
                if here.eq(wanted.iter().copied()) {
                    let failed = unreadable(&format!("`{inside}`"));
                    let mut out = std::io::stdout().lock();
                    std::io::copy(&mut decoder.contents(), &mut out).map_err(&failed)?;
                    out.flush().map_err(&failed)?;
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }
    let text = format!("NAR does not contain regular file '/{}'", wanted.join("/"));
    Err(Error::plain(
        Diagnostic::error(&not_in_archive::ENTRY, text).help("`nival store ls -R` lists what is there"),
    ))
}
