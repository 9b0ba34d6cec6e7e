//! `--version`, as Nix's programs answer it: with `--verbose` also where settings and stores are.

use super::VERSION;
use nival_engine::NixSettings;
use nival_store::StoreConfig;
use std::ffi::OsString;
use std::path::Path;

/// The answer, where the version is asked for before anything else is.
pub fn asked(words: &[OsString]) -> Option<String> {
    let mut options = words.iter().skip(1).take_while(|word| word.to_string_lossy().starts_with('-'));
    options.clone().find(|word| *word == "--version")?;
    let program = Path::new(words.first()?).file_name()?.to_string_lossy().into_owned();
    let mut text = format!("{program} {VERSION}");
    if options.any(|word| word == "--verbose" || word.to_string_lossy().starts_with("-v")) {
        text.push_str(&places());
    }
    Some(text)
}

fn places() -> String {
    let environment = crate::context::environment();
    let usual = StoreConfig::below(Path::new("/"));
    let config = StoreConfig::from_environment(&environment).unwrap_or(usual);
    let (system, user) = NixSettings::files(&environment);
    let user: Vec<String> = user.iter().map(|file| file.display().to_string()).collect();
    format!(
        "\nSystem type: {}-linux\nAdditional system types: \nFeatures: gc, signed-caches\nSystem configuration file: {}\nUser configuration files: {}\nStore directory: {}\nState directory: {}",
        std::env::consts::ARCH,
        system.display(),
        user.join(":"),
        config.logical.as_str(),
        config.state.display(),
    )
}
