//! C++ Nix, the counterpart of comparisons: from Debian's packages, in a folder of its own.

use crate::command::{Failure, run};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version that everything is compared with; another one is said.
const VERSION: &str = "2.34";

/// The suite of Debian that has it.
const SUITE: &str = "sid";

/// The program: the one that `NIVAL_PEER_NIX` names, or that of a package that is brought below `target`.
///
/// Nothing of the machine is changed: apt works in folders of its own, with the mirror that it is set up with.
pub fn nix() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os("NIVAL_PEER_NIX") {
        return Ok(PathBuf::from(named));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let folder =
        std::path::absolute(target.join("peer-nix")).map_err(|error| Failure::Said(error.to_string()))?;
    let program = folder.join("nix");
    if !program.is_file() {
        bring(&folder)?;
    }
    let said = Command::new(&program).arg("--version").output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let said = said.map_err(|error| Failure::Said(format!("C++ Nix does not run: {error}")))?;
    if !said.contains(&format!(" {VERSION}.")) {
        eprintln!("xtask: the counterpart is `{said}`; what it does may differ from {VERSION}");
    }
    Ok(program)
}

/// The other program under one of its older names, such as `nix-store`.
pub fn program(name: &str) -> Result<PathBuf, Failure> {
    let said = |error: std::io::Error| Failure::Said(format!("C++ Nix as `{name}`: {error}"));
    let nix = nix()?;
    let beside = nix.with_file_name(name);
    if !beside.exists() {
        // The script that `bring` wrote, with the other name in it.
        let text = std::fs::read_to_string(&nix).map_err(said)?;
        let text = text.replace("--argv0 nix ", &format!("--argv0 {name} "));
        std::fs::write(&beside, text).map_err(said)?;
        std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o755)).map_err(said)?;
    }
    Ok(beside)
}

fn bring(folder: &Path) -> Result<(), Failure> {
    let script = r#"
        folder=$1 suite=$2
        mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial" "$folder/apt/etc" "$folder/root"
        mirror=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' |
            awk '$2 == "Debian" { print $1; exit }')
        [ -n "$mirror" ] || { echo "apt has no mirror of Debian, so C++ Nix cannot be fetched" >&2; exit 1; }
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$folder/apt/etc/sources.list"
        : > "$folder/apt/status"
        set -- -o Dir::State="$folder/apt" -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt" \
            -o Dir::Etc="$folder/apt/etc" -o Dir::Etc::sourcelist="$folder/apt/etc/sources.list" \
            -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none -qq
        apt-get "$@" update
        apt-get "$@" --yes --no-install-recommends --download-only install nix-bin >/dev/null
        for package in "$folder"/apt/archives/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
        rm -rf "$folder/apt"
    "#;
    let mut command = Command::new("sh");
    command.args(["-euc", script, "sh"]).arg(folder).arg(SUITE);
    run(command)?;
    let libraries = format!("{}/root/usr/lib/{}-linux-gnu", folder.display(), std::env::consts::ARCH);
    let loader = Path::new(&libraries).read_dir().ok().and_then(|mut entries| {
        entries.find_map(|entry| {
            let path = entry.ok()?.path();
            path.file_name()?.to_string_lossy().starts_with("ld-linux").then_some(path)
        })
    });
    let loader = loader.ok_or_else(|| Failure::Said("the packages of C++ Nix have no loader".to_owned()))?;
    let text = format!(
        "#!/bin/sh\nexec {} --library-path {libraries} --argv0 nix {}/root/usr/bin/nix \"$@\"\n",
        loader.display(),
        folder.display()
    );
    let said = |error: std::io::Error| Failure::Said(format!("cannot write `{}`: {error}", folder.display()));
    std::fs::write(folder.join("nix"), text).map_err(said)?;
    std::fs::set_permissions(folder.join("nix"), std::fs::Permissions::from_mode(0o755)).map_err(said)
}
