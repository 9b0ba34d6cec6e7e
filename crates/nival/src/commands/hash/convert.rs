//! The spellings of a hash.

use super::algorithm;
use crate::context::Context;
use crate::diagnostics::bad_hash;
use crate::error::Error;
use clap::{Args, ValueEnum};
use nival_diagnostics::Diagnostic;
use nival_store_model::{Algorithm, Hash, base32, base64};
use std::process::ExitCode;

/// How a hash is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Digits of base 16
    Base16,
    /// Nix's own digits of base 32
    #[value(name = "nix32", alias = "base32")]
    Nix32,
    /// Digits of base 64
    Base64,
    /// The algorithm, a dash, and base 64
    Sri,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Base16 => "base16",
            Self::Nix32 => "nix32",
            Self::Base64 => "base64",
            Self::Sri => "sri",
        }
    }
}

/// What can be typed behind `nival hash convert`.
#[derive(Args)]
pub struct Arguments {
    /// Hashes in any spelling
    #[arg(required = true)]
    hashes: Vec<String>,
    /// Refuse hashes in another spelling than this
    #[arg(long)]
    from: Option<Format>,
    /// The new spelling
    #[arg(long, default_value = "sri")]
    to: Format,
    /// The algorithm, where the hashes do not say it
    #[arg(long, visible_alias = "algo", value_name = "NAME", value_parser = algorithm)]
    hash_algo: Option<Algorithm>,
}

/// What can be typed behind the older `to-*`.
#[derive(Args)]
pub struct To {
    #[arg(required = true)]
    hashes: Vec<String>,
    #[arg(long = "type", value_name = "NAME", value_parser = algorithm)]
    algorithm: Option<Algorithm>,
}

/// A hash in a spelling.
pub fn written(hash: &Hash, format: Format) -> String {
    match format {
        Format::Base16 => hash.base16(),
        Format::Nix32 => hash.base32(),
        Format::Base64 => base64::encode(hash.digest()),
        Format::Sri => hash.sri(),
    }
}

/// Writes hashes in another spelling.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    for text in &arguments.hashes {
        let hash = parsed(text, arguments.hash_algo)?;
        let found = spelling(text, &hash);
        if let Some(from) = arguments.from.filter(|from| *from != found) {
            let (found, from) = (found.name(), from.name());
            return Err(refused(format!(
                "input hash '{text}' has format '{found}', but '--from {from}' was specified"
            )));
        }
        context.output.text(&written(&hash, arguments.to), true);
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes hashes in the spelling that a command's name says.
pub fn to(context: &mut Context, arguments: &To, format: Format) -> Result<ExitCode, Error> {
    for text in &arguments.hashes {
        context.output.text(&written(&parsed(text, arguments.algorithm)?, format), true);
    }
    Ok(ExitCode::SUCCESS)
}

fn parsed(text: &str, algorithm: Option<Algorithm>) -> Result<Hash, Error> {
    Hash::parse(text, algorithm).map_err(|error| refused(error.to_string()))
}

fn refused(text: String) -> Error {
    let help = "a hash is `ALGORITHM-BASE64`, `ALGORITHM:DIGITS`, or digits with `--hash-algo`";
    Error::plain(Diagnostic::error(&bad_hash::ENTRY, text).help(help))
}

fn spelling(text: &str, hash: &Hash) -> Format {
    let length = hash.digest().len();
    let digits = match text.split_once(':') {
        Some((_, digits)) => digits,
        None if text.contains('-') => return Format::Sri,
        None => text,
    };
    match digits.len() {
        count if count == 2 * length => Format::Base16,
        count if count == base32::encoded_length(length) => Format::Nix32,
        _ => Format::Base64,
    }
}
