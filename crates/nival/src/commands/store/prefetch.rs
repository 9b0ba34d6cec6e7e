//! `nival store prefetch-file`, and what `nix-prefetch-url` does

use crate::commands::hash::algorithm;
use crate::context::{Context, cache_folder, current_folder, environment, transport_options};
use crate::diagnostics::bad_hash;
use crate::error::Error;
use crate::stores::SettingArguments;
use clap::Args;
use nival_diagnostics::Diagnostic;
use nival_engine::NixSettings;
use nival_inputs::fetchers::Fetcher;
use nival_store::LocalStore;
use nival_store_model::store_path::References;
use nival_store_model::{Algorithm, ContentMethod, Hash, StorePath};
use nival_sys::fs as sys;
use nival_transport::{NoProgress, Request, Transport};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival store prefetch-file`.
#[derive(Args)]
pub struct Arguments {
    /// Where the file is
    url: String,
    /// The name behind the hash; the address's last part where it is not given
    #[arg(long)]
    name: Option<String>,
    /// Refuse a file with another hash
    #[arg(long, value_name = "HASH")]
    expected_hash: Option<String>,
    /// The algorithm
    #[arg(long, value_name = "NAME", default_value = "sha256", value_parser = algorithm)]
    hash_type: Algorithm,
    /// Let the file be one that may be run; the hash is that of its archive then
    #[arg(long, conflicts_with = "unpack")]
    executable: bool,
    /// Unpack the archive, and add what it holds
    #[arg(long)]
    unpack: bool,
    #[command(flatten)]
    settings: SettingArguments,
}

/// What is to be downloaded.
pub struct Wanted {
    /// Where it is.
    pub url: String,
    /// The name behind the hash.
    pub name: Option<String>,
    /// The algorithm of the hash.
    pub algorithm: Algorithm,
    /// The hash that it must have.
    pub expected: Option<Hash>,
    /// Whether it is unpacked.
    pub unpack: bool,
    /// Whether it may be run.
    pub executable: bool,
}

/// Downloads a file and prints its hash.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let settings = arguments.settings.read()?;
    let expected = arguments.expected_hash.as_deref().map(|text| parse(text, arguments.hash_type));
    let wanted = Wanted {
        url: arguments.url.clone(),
        name: arguments.name.clone(),
        algorithm: arguments.hash_type,
        expected: expected.transpose()?,
        unpack: arguments.unpack,
        executable: arguments.executable,
    };
    let (path, hash) = context.interruptible(|context| prefetch(context, &settings, &wanted))?;
    let path = context.store()?.dir().print(&path);
    if context.output.is_json() {
        context.output.result("", || json!({ "hash": hash.sri(), "storePath": path }));
    } else {
        context.output.say(&format!("Downloaded '{}' to '{path}' (hash '{}').", wanted.url, hash.sri()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A hash that was typed.
pub fn parse(text: &str, algorithm: Algorithm) -> Result<Hash, Error> {
    let named = text.contains([':', '-']);
    let parsed = Hash::parse(text, if named { None } else { Some(algorithm) });
    parsed.map_err(|error| {
        let help = "a hash is `ALGORITHM-BASE64`, `ALGORITHM:DIGITS`, or digits";
        Error::plain(Diagnostic::error(&bad_hash::ENTRY, error.to_string()).help(help))
    })
}

/// Downloads a file into the store; its path and the hash that its name follows from.
pub fn prefetch(
    context: &mut Context,
    settings: &NixSettings,
    wanted: &Wanted,
) -> Result<(StorePath, Hash), Error> {
    let store = context.store()?;
    let is_tree = wanted.unpack || wanted.executable;
    let method = if is_tree { ContentMethod::Recursive } else { ContentMethod::Flat };
    let last =
        || wanted.url.split(['?', '#']).next().unwrap_or("").rsplit('/').next().unwrap_or("").to_owned();
    let name = wanted.name.clone().unwrap_or_else(last);
    nival_store_model::store_path::check_name(&name).map_err(nival_store::Error::Name)?;
    if let Some(hash) = &wanted.expected {
        let path = store.dir().fixed_output_path(method, hash, &References::default(), &name);
        let path = path.map_err(nival_store::Error::Name)?;
        if store.is_valid(&path)? {
            return Ok((path, hash.clone()));
        }
    }
    let algorithm = wanted.expected.as_ref().map_or(wanted.algorithm, Hash::algorithm);
    let (path, hash) = match wanted.unpack {
        true => unpacked(context, &store, settings, wanted, &name, algorithm)?,
        false => downloaded(context, &store, settings, wanted, &name, (method, algorithm))?,
    };
    match &wanted.expected {
        Some(expected) if *expected != hash => {
            let text =
                format!("hash mismatch for '{}': wanted {}, got {}", wanted.url, expected.sri(), hash.sri());
            let help = "if the file is the right one, take the hash that it has";
            Err(Error::plain(Diagnostic::error(&bad_hash::ENTRY, text).help(help)))
        }
        _ => Ok((path, hash)),
    }
}

fn unpacked(
    context: &Context,
    store: &std::sync::Arc<LocalStore>,
    settings: &NixSettings,
    wanted: &Wanted,
    name: &str,
    algorithm: Algorithm,
) -> Result<(StorePath, Hash), Error> {
    let mut options = transport_options();
    settings.apply_to(&mut options);
    let cache = cache_folder().unwrap_or_else(std::env::temp_dir);
    let mut fetching = settings.fetch_settings(&environment(), cache, current_folder().into());
    // What is asked for here is how the file is now.
    fetching.tarball_ttl = 0;
    let fetcher = Fetcher::new(fetching, store.clone(), options, context.cancel.clone());
    let (path, hash) =
        fetcher.fetch_tarball(&wanted.url, name).map_err(|error| Error::plain(error.diagnostic()))?;
    if algorithm == Algorithm::Sha256 {
        return Ok((path, hash));
    }
    let source = store.physical(&path);
    let info = store.add_fixed(name, &source, ContentMethod::Recursive, algorithm)?;
    Ok((info.path.clone(), info.content_address.map_or(hash, |address| address.hash)))
}

/// A file that goes when this does.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = sys::remove_tree(&self.0);
    }
}

fn downloaded(
    context: &Context,
    store: &LocalStore,
    settings: &NixSettings,
    wanted: &Wanted,
    name: &str,
    (method, algorithm): (ContentMethod, Algorithm),
) -> Result<(StorePath, Hash), Error> {
    let mut options = transport_options();
    settings.apply_to(&mut options);
    let transport = Transport::new(options, context.cancel.clone())?;
    let file = Temporary(store.staging(&format!("download-{name}")));
    let request = Request { address: wanted.url.clone(), to: file.0.clone(), ..Request::default() };
    transport.request(&request, &NoProgress)?;
    let failed = |error| nival_store::Error::Io { doing: format!("add `{name}` to the store"), error };
    sys::set_mode(&file.0, if wanted.executable { 0o755 } else { 0o644 }).map_err(failed)?;
    let hash = nival_store::archive::content_hash(&file.0, method, algorithm)?;
    if wanted.expected.as_ref().is_some_and(|expected| *expected != hash) {
        // It is not added, so that the message names it only.
        let path = store.dir().fixed_output_path(method, &hash, &References::default(), name);
        return Ok((path.map_err(nival_store::Error::Name)?, hash));
    }
    Ok((store.add_fixed(name, &file.0, method, algorithm)?.path, hash))
}
