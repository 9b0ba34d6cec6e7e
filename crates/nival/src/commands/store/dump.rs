//! `nival store dump-path`

use crate::context::Context;
use crate::error::Error;
use crate::stores::{SettingArguments, unreadable};
use clap::Args;
use std::io::Write as _;
use std::process::ExitCode;

/// What can be typed behind `nival store dump-path`.
#[derive(Args)]
pub struct Arguments {
    /// A store path, or a link that leads to one
    path: String,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Prints the archive of a path.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let (path, _) = stores.path(&arguments.path)?;
    nival_store::stores::valid_info(&*stores.store, &path)?;
    let mut out = std::io::stdout().lock();
    let failed = unreadable(&format!("the archive of `{path}`"));
    std::io::copy(&mut stores.store.nar(&path)?, &mut out).map_err(&failed)?;
    out.flush().map_err(&failed)?;
    Ok(ExitCode::SUCCESS)
}
