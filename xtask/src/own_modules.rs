//! The tests of nixpkgs' own module system with the library of Nival in place of the tree's: its `lib`, its types, its engine.
//!
//! The script of the tree is run as it is, with two differences: its evaluator gives `lib` to the modules, and of an error
//! only that there is one is asked. Checks of what the library does not have are named here, with the reason.

use crate::command::{Failure, run};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules of the tests whose checks of values fail, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("./fileset.nix", "the library has no `lib.fileset`"),
    ("./gvariant.nix", "the library has no `lib.gvariant`"),
    ("./declare-attrList.nix", "the library has no `types.attrListOf`"),
    ("./types-valueMeta.nix", "options have no `valueMeta`"),
    ("./composed-types-valueMeta.nix", "options have no `valueMeta`"),
    ("./test-mergeAttrDefinitionsWithPrio.nix", "the library has no `mergeAttrDefinitionsWithPrio`"),
    ("./freeform-deprecated-malicous.nix", "a freeform type that is no set is refused"),
    ("./declaration-positions.nix", "where a line is not known, that of what surrounds it is given"),
    ("./freeform-submodules.nix", "a module that stands in a type has no file"),
    ("./types-attrTag.nix", "types are described in other words"),
    ("./mkDefinition.nix", "what `mkDefinition` passes on may be a default here"),
    ("./types.nix", "types are described in other words"),
];

/// Checks that fail and name no modules: what `evalModules` gives has no `graph`.
const WITHOUT_MODULES: usize = 1;

/// Stands in for the evaluator that the script calls.
const EVALUATOR: &str = r#"#!/usr/bin/env bash
script= words=()
while [ $# -gt 0 ]; do
    case "$1" in
        -E) script=$2; shift 2 ;;
        -A) words+=(-A "$2"); shift 2 ;;
        --timeout) shift 2 ;;
        --option) words+=(--option "$2" "$3"); shift 3 ;;
        *) shift ;;
    esac
done
from='import ./default.nix {'
exec timeout 60 "$NIVAL" eval --json --color never --expr "${script/"$from"/"$from inherit lib;"}" "${words[@]}"
"#;

/// Takes the place of the script's own check of errors.
const CHECK: &str = r#"
checkConfigError() {
    shift
    if evalConfig "$@" >/dev/null 2>&1; then
        echo "NO ERROR: $*"
        ((++fail))
    else
        ((++pass))
    fi
}
"#;

/// Runs the script of a tree.
pub fn run_tests(tree: &Path, nival: &Path, folder: &Path) -> Result<(), Failure> {
    let said = |error: std::io::Error| Failure::Said(error.to_string());
    std::fs::create_dir_all(folder.join("bin")).map_err(said)?;
    let evaluator = folder.join("bin/nix-instantiate");
    std::fs::write(&evaluator, EVALUATOR).map_err(said)?;
    std::fs::set_permissions(&evaluator, std::fs::Permissions::from_mode(0o755)).map_err(said)?;
    let mut copy = Command::new("cp");
    copy.args(["-r", "--"]).arg(tree.join("lib")).arg(folder);
    run(copy)?;
    let path = crate::modules_sh::with_check(folder, CHECK)?;
    let mut search = std::ffi::OsString::from(folder.join("bin"));
    search.push(":");
    search.push(std::env::var_os("PATH").unwrap_or_default());
    let nival: PathBuf = std::path::absolute(nival).map_err(said)?;
    let mut script = Command::new("bash");
    script.arg(&path).env("PATH", search).env("NIVAL", nival).env_remove("NIX_CONFIG");
    let output = script.output().map_err(said)?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let (passed, failed) = crate::modules_sh::counted(&words)?;
    let is_excepted = |line: &&str| EXCEPTIONS.iter().any(|(module, _)| line.contains(module));
    let begins = ["$ nix-instantiate", "NO ERROR: "];
    let calls = words.lines().filter(|line| begins.iter().any(|begin| line.starts_with(begin)));
    let (excepted, wrong): (Vec<&str>, Vec<&str>) = calls.partition(is_excepted);
    println!(
        "| checks | number |\n|---|---|\n| passed | {passed} |\n| excepted | {} |",
        excepted.len() + WITHOUT_MODULES
    );
    println!("| failed | {} |", wrong.len());
    EXCEPTIONS.iter().for_each(|(module, reason)| println!("excepted: {module}: {reason}"));
    wrong.iter().for_each(|line| println!("{line}"));
    if !wrong.is_empty() || excepted.len() + wrong.len() + WITHOUT_MODULES != failed {
        return Err(Failure::Said(format!(
            "{} of {failed} failures are not excepted",
            failed - excepted.len()
        )));
    }
    Ok(())
}
