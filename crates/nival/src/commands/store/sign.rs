//! `nival store sign`

use crate::commands::subjects::Subjects;
use crate::context::Context;
use crate::error::Error;
use crate::stores::SettingArguments;
use clap::Args;
use nival_store::binary_cache::read_secret_key;
use nival_store_model::signature::fingerprint;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival store sign`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    subjects: Subjects,
    /// The file of the secret key
    #[arg(short, long, value_name = "FILE")]
    key_file: PathBuf,
    /// Also sign what the paths refer to
    #[arg(short, long)]
    recursive: bool,
    /// Sign everything that the store has
    #[arg(long, conflicts_with = "words")]
    all: bool,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Signs paths.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let key = read_secret_key(&arguments.key_file)?;
    let paths = match arguments.all {
        true => stores.store.all()?,
        false => arguments.subjects.paths(context, stores.store.dir())?,
    };
    let dir = stores.store.dir();
    let mut count = 0;
    for info in stores.infos(&paths, arguments.recursive)?.values() {
        let text = fingerprint(dir, &info.path, &info.nar_hash, info.nar_size, &info.references);
        let signature = key.sign(text.as_bytes()).to_string();
        if !info.signatures.contains(&signature) {
            stores.store.add_signatures(&info.path, &BTreeSet::from([signature]))?;
            count += 1;
        }
    }
    context.output.say(&format!("added {count} signatures"));
    Ok(ExitCode::SUCCESS)
}
