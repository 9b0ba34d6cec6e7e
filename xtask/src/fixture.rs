//! What the tests of `nival-os` work on: a machine's manifest, and a store with its packages.

use crate::command::{Failure, cargo};
use serde_json::Value;
use std::path::PathBuf;

/// A folder that is removed in the end.
pub struct Machine {
    folder: PathBuf,
}

/// Builds the first example into a store of its own.
pub fn machine() -> Result<Machine, Failure> {
    let folder = std::env::temp_dir().join(format!("nival-tests-{}", std::process::id()));
    let machine = Machine { folder };
    let example = machine.folder.join("web");
    let site = example.join("site");
    let copied = std::fs::create_dir_all(&site)
        .and_then(|()| std::fs::copy("examples/web/configuration.nix", example.join("configuration.nix")))
        .and_then(|_| std::fs::copy("examples/web/site/index.html", site.join("index.html")));
    copied.map_err(|error| Failure::Said(format!("{}: {error}", example.display())))?;
    let mut command = cargo(&["run", "--quiet", "--package", "nival", "--", "--json", "build"]);
    command.arg(&example).env("NIVAL_DATA_DIR", &machine.folder).stderr(std::process::Stdio::inherit());
    let output = command.output().map_err(|error| Failure::Command(format!("nival build ({error})")))?;
    if !output.status.success() {
        return Err(Failure::Command("nival build examples/web".to_owned()));
    }
    let built: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::Said(format!("nival build --json gave no JSON: {error}")))?;
    std::fs::write(machine.manifest(), built[0]["manifest"].to_string())
        .map_err(|error| Failure::Said(format!("{}: {error}", machine.manifest().display())))?;
    Ok(machine)
}

impl Machine {
    fn manifest(&self) -> PathBuf {
        self.folder.join("manifest.json")
    }

    /// The variables by which the tests find it.
    pub fn variables(&self) -> [(&'static str, PathBuf); 2] {
        [("NIVAL_TEST_MANIFEST", self.manifest()), ("NIVAL_TEST_STORE", self.folder.join("store"))]
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "chmod -R u+w \"$0\"; rm -rf \"$0\""]).arg(&self.folder);
        let _ = command.status();
    }
}
