//! `nixConfig` of flakes: settings that a flake asks for, each of which the user has to trust.
//!
//! What was answered for good is kept in `trusted-settings.json` of Nix's data folder, in Nix's own form.

use crate::context::Context;
use crate::diagnostics::untrusted_setting;
use crate::error::Error;
use nival_diagnostics::{Diagnostic, Sources};
use nival_engine::NixSettings;
use nival_sys::fs as sys;
use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;

/// Settings that change nothing but how things look or what they are called.
const HARMLESS: [&str; 6] = [
    "bash-prompt",
    "bash-prompt-prefix",
    "bash-prompt-suffix",
    "flake-registry",
    "commit-lock-file-summary",
    "commit-lockfile-summary",
];

/// For each setting and value that the user was asked about: whether it is trusted.
type Trusted = BTreeMap<String, BTreeMap<String, bool>>;

/// Sets what flakes ask for and the user trusts.
pub fn apply(context: &Context, nix: &mut NixSettings, asked: &[(String, String)]) -> Result<(), Error> {
    for (name, value) in asked {
        let plain = name.strip_prefix("extra-").unwrap_or(name);
        let taken = HARMLESS.contains(&plain)
            || nix.flag("accept-flake-config", false)
            || is_trusted(context, name, value)?;
        if taken {
            nix.set(name, value);
            continue;
        }
        let message = format!("the flake's setting `{name} = {value}` is ignored: it is not trusted");
        let warning = Diagnostic::warning(&untrusted_setting::ENTRY, message)
            .help("say `--accept-flake-config` to take what the flake asks for");
        context.output.diagnostic(&warning, &Sources::default(), 0);
    }
    Ok(())
}

/// What was answered before, or is answered now.
fn is_trusted(context: &Context, name: &str, value: &str) -> Result<bool, Error> {
    let file = file();
    let mut known = read(&file)?;
    if let Some(answer) = known.get(name).and_then(|values| values.get(value)) {
        context.output.say(&format!("`{name} = {value}`: as it was answered in {}", file.display()));
        return Ok(*answer);
    }
    let trusted = ask(&format!("do you want to allow configuration setting '{name}' to be set to '{value}'"));
    let word = if trusted { "trusted" } else { "untrusted" };
    if ask(&format!("do you want to permanently mark this value as {word}")) {
        known.entry(name.to_owned()).or_default().insert(value.to_owned(), trusted);
        let text = serde_json::to_string(&known).unwrap_or_default();
        let folder = file.parent().unwrap_or(&file).to_owned();
        sys::create_dir_all(&folder)
            .and_then(|()| sys::write_atomic(&file, text.as_bytes(), 0o644))
            .map_err(|error| Error::plain(crate::error::unwritable(&file, &error)))?;
    }
    Ok(trusted)
}

/// Asks at the terminal; where there is none, the answer is no.
fn ask(question: &str) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    eprint!("{question} (y/N)? ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && answer.trim().eq_ignore_ascii_case("y")
}

fn file() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || variable("HOME").unwrap_or_else(|| PathBuf::from("/root"));
    variable("NIX_DATA_HOME")
        .or_else(|| variable("XDG_DATA_HOME").map(|data| data.join("nix")))
        .unwrap_or_else(|| home().join(".local/share/nix"))
        .join("trusted-settings.json")
}

fn read(file: &std::path::Path) -> Result<Trusted, Error> {
    let Ok(text) = std::fs::read(file) else { return Ok(Trusted::new()) };
    serde_json::from_slice(&text).map_err(|error| {
        let message = format!("`{}` cannot be read: {error}", file.display());
        let made = Diagnostic::error(&untrusted_setting::ENTRY, message);
        Error::plain(made.help("mend or delete it; it says which settings of flakes are trusted"))
    })
}
