//! Derivations of every form, built by Nival and by C++ Nix: the same paths, contents and references; and C++ Nix
//! finds the store that Nival made whole.

use crate::command::{Failure, run};
use crate::peer;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What builders see of this host.
const HOST_PATHS: &str = "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?";
const FEATURES: &str = "nix-command flakes ca-derivations dynamic-derivations";

/// Builds all forms with both programs and compares.
pub fn compare() -> Result<(), Failure> {
    let nix = peer::nix()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let target = std::path::absolute(target).map_err(said)?;
    let folder = target.join("forms");
    let _ = Command::new("chmod").args(["-R", "u+w"]).arg(&folder).stderr(Stdio::null()).status();
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("conf")).map_err(said)?;
    let forms = std::path::absolute("crates/nival/tests/builds/forms.nix").map_err(said)?;
    let ours = folder.join("ours/store");
    let theirs = folder.join("theirs");
    let mut build = Command::new(target.join("debug/nival"));
    build.args(["build", "--no-link", "--file"]).arg(&forms).arg("--data-dir").arg(folder.join("ours"));
    build.args(["--option", "sandbox-paths", HOST_PATHS, "--option", "experimental-features", FEATURES]);
    build.args(["-A", "all"]).stdout(Stdio::null());
    run(build)?;
    let mut build = with_settings(&nix, &folder);
    build
        .args(["build", "--no-link", "--impure", "--file"])
        .arg(&forms)
        .arg("all")
        .arg("--store")
        .arg(root(&theirs));
    run(build)?;
    let (ours_known, theirs_known) = (known(&nix, &folder, &ours)?, known(&nix, &folder, &theirs)?);
    same(&ours_known, &theirs_known)?;
    let mut verify = with_settings(&nix, &folder);
    verify.args(["store", "verify", "--all", "--no-trust", "--store"]).arg(root(&ours));
    run(verify)?;
    eprintln!("forms: {} paths are the same, made by Nival and by C++ Nix", ours_known.len());
    Ok(())
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}

fn root(folder: &Path) -> String {
    format!("local?root={}", folder.display())
}

fn with_settings(nix: &Path, folder: &Path) -> Command {
    let mut command = Command::new(nix);
    let settings = format!(
        "build-users-group =\nbuild-hook =\nsandbox = true\nsubstituters =\nexperimental-features = {FEATURES}\n\
         sandbox-paths = {HOST_PATHS}\n"
    );
    command.env("NIX_CONFIG", settings).env("NIX_CONF_DIR", folder.join("conf")).env("HOME", folder);
    command.env_remove("NIX_REMOTE");
    command
}

/// What C++ Nix says of all paths of a store.
fn known(nix: &Path, folder: &Path, store: &Path) -> Result<Map<String, Value>, Failure> {
    let mut command = with_settings(nix, folder);
    command.args(["path-info", "--all", "--json", "--store"]).arg(root(store));
    let output = command.stderr(Stdio::inherit()).output().map_err(said)?;
    let parsed = serde_json::from_slice(&output.stdout);
    parsed.map_err(|error| {
        Failure::Said(format!("C++ Nix cannot tell what is in `{}`: {error}", store.display()))
    })
}

fn same(ours: &Map<String, Value>, theirs: &Map<String, Value>) -> Result<(), Failure> {
    let mut differences = Vec::new();
    for path in ours.keys().chain(theirs.keys()) {
        let (Some(a), Some(b)) = (ours.get(path), theirs.get(path)) else {
            differences.push(format!("only one of them has {path}"));
            continue;
        };
        for field in ["narHash", "narSize", "references", "ca", "deriver"] {
            // Two derivations can make the same contents: which one came first is chance.
            let by_contents = field == "deriver" && !a["ca"].is_null();
            if a[field] != b[field] && !by_contents {
                differences.push(format!("{path}: {field} is {} and {}", a[field], b[field]));
            }
        }
    }
    differences.dedup();
    match differences.is_empty() {
        true => Ok(()),
        false => Err(Failure::Said(differences.join("\n"))),
    }
}
