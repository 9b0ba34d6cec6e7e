//! `nival hash`: hashes of files and trees, and their spellings

mod convert;

use crate::context::Context;
use crate::error::Error;
use clap::{Args, Subcommand, ValueEnum};
use nival_store::archive;
use nival_store_model::{Algorithm, ContentMethod, Hash};
use std::path::PathBuf;
use std::process::ExitCode;

pub use convert::{Format, written};

/// What can be typed behind `nival hash`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Hash files and trees as the store does
    Path(OfPath),
    /// Hash the bytes of files
    File(OfFile),
    /// Write hashes in another spelling
    Convert(convert::Arguments),
    #[command(hide = true, name = "to-base16")]
    ToBase16(convert::To),
    #[command(hide = true, name = "to-base32")]
    ToBase32(convert::To),
    #[command(hide = true, name = "to-base64")]
    ToBase64(convert::To),
    #[command(hide = true, name = "to-sri")]
    ToSri(convert::To),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// The archive of a file or tree
    Nar,
    /// The bytes of one file
    Flat,
    /// What git would hash
    Git,
}

#[derive(Args)]
struct OfPath {
    /// What is hashed
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// What of it is hashed
    #[arg(long, default_value = "nar")]
    mode: Mode,
    /// The algorithm: md5, sha1, sha256, sha512 or blake3
    #[arg(long, alias = "type", value_name = "NAME", default_value = "sha256", value_parser = algorithm)]
    algo: Algorithm,
    #[command(flatten)]
    spelling: Spelling,
}

#[derive(Args)]
struct OfFile {
    /// What is hashed
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The algorithm: md5, sha1, sha256, sha512 or blake3
    #[arg(long = "type", alias = "algo", value_name = "NAME", default_value = "sha256", value_parser = algorithm)]
    algo: Algorithm,
    #[command(flatten)]
    spelling: Spelling,
}

#[derive(Args)]
struct Spelling {
    /// How the hash is written
    #[arg(long, default_value = "sri")]
    format: Format,
    #[arg(long, hide = true, conflicts_with_all = ["base32", "base64", "sri"])]
    base16: bool,
    #[arg(long, hide = true, conflicts_with_all = ["base64", "sri"])]
    base32: bool,
    #[arg(long, hide = true, conflicts_with = "sri")]
    base64: bool,
    #[arg(long, hide = true)]
    sri: bool,
}

impl Spelling {
    fn format(&self) -> Format {
        match (self.base16, self.base32, self.base64, self.sri) {
            (true, ..) => Format::Base16,
            (_, true, ..) => Format::Nix32,
            (_, _, true, _) => Format::Base64,
            (.., true) => Format::Sri,
            _ => self.format,
        }
    }
}

/// An algorithm by its name.
pub fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(name).ok_or_else(|| format!("unknown hash algorithm '{name}'"))
}

/// Hashes, or writes hashes in another spelling.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.command {
        Command::Path(of) => {
            for path in &of.paths {
                let hash = match of.mode {
                    Mode::Nar => archive::content_hash(path, ContentMethod::Recursive, of.algo)?,
                    Mode::Git => archive::content_hash(path, ContentMethod::Git, of.algo)?,
                    Mode::Flat => bytes_of(path, of.algo)?,
                };
                context.output.text(&written(&hash, of.spelling.format()), true);
            }
        }
        Command::File(of) => {
            for path in &of.paths {
                context.output.text(&written(&bytes_of(path, of.algo)?, of.spelling.format()), true);
            }
        }
        Command::Convert(arguments) => return convert::run(context, arguments),
        Command::ToBase16(to) => return convert::to(context, to, Format::Base16),
        Command::ToBase32(to) => return convert::to(context, to, Format::Nix32),
        Command::ToBase64(to) => return convert::to(context, to, Format::Base64),
        Command::ToSri(to) => return convert::to(context, to, Format::Sri),
    }
    Ok(ExitCode::SUCCESS)
}

/// The hash of what can be read from a path, a pipe too.
fn bytes_of(path: &std::path::Path, algorithm: Algorithm) -> Result<Hash, Error> {
    let mut hasher = nival_store_model::Hasher::new(algorithm);
    let failed = || crate::stores::unreadable(&path.display().to_string());
    let mut file = std::fs::File::open(path).map_err(failed())?;
    std::io::copy(&mut file, &mut hasher).map_err(failed())?;
    Ok(hasher.finish())
}
