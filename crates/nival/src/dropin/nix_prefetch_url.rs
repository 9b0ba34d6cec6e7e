//! `nix-prefetch-url`

use super::Common;
use crate::commands::hash::{Format, algorithm, written};
use crate::commands::store::{Wanted, parse_hash, prefetch};
use crate::stores::SettingArguments;
use clap::Parser;
use nival_store_model::Algorithm;
use std::ffi::OsString;
use std::process::ExitCode;

/// Download a file into the store, and print its hash
#[derive(Parser)]
#[command(name = "nix-prefetch-url", version = crate::dropin::VERSION, args_override_self = true)]
struct DropIn {
    /// Where the file is
    url: String,
    /// The hash that it must have
    hash: Option<String>,
    /// The algorithm of the hash
    #[arg(long = "type", value_name = "NAME", default_value = "sha256", value_parser = algorithm)]
    algorithm: Algorithm,
    /// Also print the path
    #[arg(long, env = "PRINT_PATH", num_args = 0, value_parser = clap::builder::FalseyValueParser::new())]
    print_path: bool,
    /// Unpack the archive, and add what it holds
    #[arg(long)]
    unpack: bool,
    /// Let the file be one that may be run
    #[arg(long)]
    executable: bool,
    /// The name behind the hash
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    settings: SettingArguments,
    #[command(flatten)]
    common: Common,
}

/// Does what `nix-prefetch-url` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let arguments = DropIn::parse_from(words);
    super::run(&arguments.common, |context| {
        let settings = arguments.settings.read()?;
        let expected = arguments.hash.as_deref().map(|text| parse_hash(text, arguments.algorithm));
        let wanted = Wanted {
            url: arguments.url.clone(),
            name: arguments.name.clone(),
            algorithm: arguments.algorithm,
            expected: expected.transpose()?,
            unpack: arguments.unpack,
            executable: arguments.executable,
        };
        let (path, hash) = context.interruptible(|context| prefetch(context, &settings, &wanted))?;
        let path = context.store()?.dir().print(&path);
        if !arguments.print_path && !arguments.common.quiet {
            context.output.say(&format!("path is '{path}'"));
        }
        let is_md5 = hash.algorithm() == Algorithm::Md5;
        context.output.text(&written(&hash, if is_md5 { Format::Base16 } else { Format::Nix32 }), true);
        if arguments.print_path {
            context.output.text(&path, true);
        }
        Ok(ExitCode::SUCCESS)
    })
}
