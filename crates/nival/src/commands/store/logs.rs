//! `nival store copy-log`, `nival store copy-sigs`

use crate::commands::subjects::Subjects;
use crate::context::Context;
use crate::error::Error;
use crate::stores::SettingArguments;
use clap::Args;
use nival_store::RemoteError;
use std::process::ExitCode;

/// What can be typed behind `nival store copy-log`.
#[derive(Args)]
pub struct CopyLog {
    #[command(flatten)]
    subjects: Subjects,
    /// The store that is copied from; the own one where it is not given
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// The store that is copied to; the own one where it is not given
    #[arg(long, value_name = "ADDRESS", required_unless_present = "from")]
    to: Option<String>,
    #[command(flatten)]
    settings: SettingArguments,
}

/// What can be typed behind `nival store copy-sigs`.
#[derive(Args)]
pub struct CopySigs {
    /// Store paths, or links that lead to them
    paths: Vec<String>,
    /// A store to take signatures from; may be given several times
    #[arg(short, long = "substituter", value_name = "ADDRESS", required = true)]
    stores: Vec<String>,
    /// Also of what the paths refer to
    #[arg(short, long)]
    recursive: bool,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Copies logs.
pub fn copy_log(context: &mut Context, arguments: &CopyLog) -> Result<ExitCode, Error> {
    let settings = arguments.settings.read()?;
    let opener = context.opener(&settings)?;
    let mut side = |address: &Option<String>, create| match address {
        Some(address) => Ok(opener.open(address, create)?.0),
        None => context.any_store(&opener),
    };
    let (from, to) = (side(&arguments.from, false)?, side(&arguments.to, true)?);
    for path in arguments.subjects.derivations(context, from.dir())? {
        let deriver = from.info(&path)?.and_then(|info| info.deriver).filter(|_| !path.is_derivation());
        let derivation = deriver.unwrap_or(path);
        let missing = || RemoteError::Missing {
            path: format!("the log of {}", from.dir().print(&derivation)),
            causes: vec![format!("{} does not have it", from.url())],
        };
        let log = from.log(&derivation)?.ok_or_else(|| nival_store::Error::from(missing()))?;
        to.add_log(&derivation, &log)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies signatures.
pub fn copy_sigs(context: &mut Context, arguments: &CopySigs) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let others = arguments.stores.iter().map(|address| Ok(stores.opener.open(address, false)?.0));
    let others = others.collect::<Result<Vec<_>, Error>>()?;
    let mut count = 0;
    for info in stores.infos(&stores.paths(&arguments.paths)?, arguments.recursive)?.values() {
        for other in &others {
            let Some(found) = other.info(&info.path)? else { continue };
            let is_same = found.nar_hash == info.nar_hash && found.references == info.references;
            let new: std::collections::BTreeSet<_> =
                found.signatures.difference(&info.signatures).cloned().collect();
            if is_same && !new.is_empty() {
                count += new.len();
                stores.store.add_signatures(&info.path, &new)?;
            }
        }
    }
    context.output.say(&format!("imported {count} signatures"));
    Ok(ExitCode::SUCCESS)
}
