//! `nix-hash`

use super::words::{Words, usage};
use crate::context::{Context, absolute};
use crate::error::Error;
use nival_store::archive;
use nival_store_model::{Algorithm, ContentMethod, Hash, base32};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a hash is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    Base16,
    Base32,
    Base64,
    Sri,
}

/// Does what `nix-hash` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let parsed = match Words::read(words) {
        Ok(parsed) => parsed,
        Err(error) => return super::run(&super::Common::default(), |_| Err(error)),
    };
    if parsed.version {
        println!("nix-hash {}", crate::dropin::VERSION);
        return ExitCode::SUCCESS;
    }
    super::run(&parsed.common.clone(), |context| hash(context, parsed.rest))
}

fn hash(context: &mut Context, words: Vec<String>) -> Result<ExitCode, Error> {
    let (mut method, mut spelling, mut truncate, mut convert) =
        (ContentMethod::Recursive, Spelling::Base16, false, false);
    let mut algorithm = None;
    let mut subjects = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if let Some(named) = spelling_of(word.trim_start_matches("--to-").trim_start_matches("--"))
            && word.starts_with("--")
        {
            spelling = named;
            convert |= word.starts_with("--to-");
            continue;
        }
        match word.as_str() {
            "--flat" => method = ContentMethod::Flat,
            "--truncate" => truncate = true,
            "--type" => {
                let name = words.next().unwrap_or_default();
                let known = Algorithm::from_name(&name);
                algorithm = Some(known.ok_or_else(|| usage(&format!("unknown hash algorithm `{name}`")))?);
            }
            "--help" => {
                let text = "Usage: nix-hash [--flat] [--type ALGORITHM] [--base16|--base32|--base64|--sri] [--truncate] PATH...\n       \
                    nix-hash --to-base16|--to-base32|--to-base64|--to-sri [--type ALGORITHM] HASH...";
                context.output.text(text, true);
                return Ok(ExitCode::SUCCESS);
            }
            flag if flag.starts_with('-') => return Err(usage(&format!("unrecognised flag `{flag}`"))),
            _ => subjects.push(word),
        }
    }
    for subject in subjects {
        let hash = if convert {
            Hash::parse(&subject, algorithm).map_err(|error| usage(&error.to_string()))?
        } else {
            let path = absolute(PathBuf::from(subject));
            archive::content_hash(&path, method, algorithm.unwrap_or(Algorithm::Md5))?
        };
        context.output.text(&written(&hash, spelling, truncate), true);
    }
    Ok(ExitCode::SUCCESS)
}

fn spelling_of(name: &str) -> Option<Spelling> {
    Some(match name {
        "base16" => Spelling::Base16,
        "base32" => Spelling::Base32,
        "base64" => Spelling::Base64,
        "sri" => Spelling::Sri,
        _ => return None,
    })
}

/// A hash in a spelling; one that is longer than 20 bytes is folded to that where it is to be shortened.
fn written(hash: &Hash, spelling: Spelling, truncate: bool) -> String {
    let folded = hash.digest().len() > 20 && truncate;
    let mut short = [0; 20];
    if folded {
        for (n, byte) in hash.digest().iter().enumerate() {
            short[n % 20] ^= byte;
        }
    }
    let digest = if folded { &short[..] } else { hash.digest() };
    match spelling {
        Spelling::Base16 => digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        Spelling::Base32 => base32::encode(digest),
        Spelling::Base64 => nival_store_model::base64::encode(digest),
        Spelling::Sri => format!("{}-{}", hash.algorithm().name(), nival_store_model::base64::encode(digest)),
    }
}
