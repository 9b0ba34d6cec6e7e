//! `nival key`: keys that sign store paths

use crate::context::Context;
use crate::error::Error;
use crate::stores::unreadable;
use clap::{Args, Subcommand};
use nival_store::RemoteError;
use nival_store_model::{KeyError, SecretKey};
use std::io::Read as _;
use std::process::ExitCode;

/// What can be typed behind `nival key`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print a new secret key
    #[command(alias = "generate-secret")]
    Generate(Generate),
    /// Read a secret key from standard input and print the public one that checks its signatures
    #[command(alias = "convert-secret-to-public")]
    Convert,
}

#[derive(Args)]
struct Generate {
    /// The key's name, such as cache.example.org-1
    #[arg(value_name = "NAME", required_unless_present = "key_name")]
    name: Option<String>,
    #[arg(long, value_name = "NAME", hide = true)]
    key_name: Option<String>,
}

/// Makes or converts a key.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let text = match &arguments.command {
        Command::Generate(generate) => {
            let name = generate.name.as_ref().or(generate.key_name.as_ref());
            new_key(name.map_or("", String::as_str))?.to_text()
        }
        Command::Convert => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(unreadable("standard input"))?;
            let key: Result<SecretKey, KeyError> = text.trim().parse();
            let key = key.map_err(|error| broken("standard input", &error))?;
            key.public().to_string()
        }
    };
    context.output.text(&text, false);
    Ok(ExitCode::SUCCESS)
}

fn broken(place: &str, error: &KeyError) -> Error {
    let error = RemoteError::Key { place: place.to_owned(), reason: error.to_string() };
    nival_store::Error::from(error).into()
}

/// A new key from the system's source of randomness.
pub fn new_key(name: &str) -> Result<SecretKey, Error> {
    if name.is_empty() || name.contains([':', ' ', '\n']) {
        return Err(broken(name, &KeyError::Form("key's name")));
    }
    let mut seed = [0; 32];
    let mut source = std::fs::File::open("/dev/urandom").map_err(unreadable("/dev/urandom"))?;
    source.read_exact(&mut seed).map_err(unreadable("/dev/urandom"))?;
    Ok(SecretKey::from_seed(name, seed))
}
