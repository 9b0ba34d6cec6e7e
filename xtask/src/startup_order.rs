//! Which functions the program runs for the smallest evaluation, and behind them those that a build has where nothing is
//! to do, in a script for the linker that puts them side by side.
//!
//! A page of the program that is touched brings fifteen others along, and without this the functions that every command
//! runs lie scattered over all of it. What the file names and is no more, or what it lacks, costs a little memory only, so
//! it is made again now and then.

use crate::command::{Failure, cargo, run};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the script is kept, which `crates/nival/build.rs` gives to the linker.
const SCRIPT: &str = "crates/nival/startup.ld";

/// The commands whose functions come first.
const COMMANDS: [&[&str]; 3] = [
    &["instantiate", "--eval", "--readonly-mode", "-E", "1 + 1"],
    &["instantiate", "--eval", "--readonly-mode", "one.nix"],
    &["eval", "--read-only", "-E", "1 + 1"],
];

/// The command whose other functions come behind them; it has been run before.
const BUILD: &[&str] =
    &["build", "--no-link", "--file", "graph.nix", "--option", "sandbox-paths", "/bin /usr /lib /lib64?"];

/// What it builds.
const GRAPH: &str = r#"let
  one = name: needs: derivation {
    inherit name needs;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo $name > $out" ];
  };
in one "top" (builtins.genList (n: one "leaf-${toString n}" [ ]) 20)
"#;

/// Functions that are run whatever is added to the command: those that say which options there are.
const CLASSES: [&str; 1] = [".text.*augment_subcommands*"];

/// So many bytes of functions of one name are taken along, also where few of them were run.
const FEW: u64 = 24 << 10;

/// Runs the release build, or `--nival PROGRAM`, under callgrind, and writes the script.
pub fn write(words: &[String]) -> Result<(), Failure> {
    let said = |error: std::io::Error| Failure::Said(error.to_string());
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let nival = match words.iter().position(|word| word == "--nival").and_then(|at| words.get(at + 1)) {
        Some(program) => PathBuf::from(program),
        None => {
            run(cargo(&["build", "--release", "--package", "nival"]))?;
            target.join("release/nival")
        }
    };
    let nival = std::path::absolute(nival).map_err(said)?;
    let folder = std::path::absolute(target.join("startup-order")).map_err(said)?;
    std::fs::create_dir_all(&folder).map_err(said)?;
    std::fs::write(folder.join("one.nix"), "1 + 1").map_err(said)?;
    std::fs::write(folder.join("graph.nix"), GRAPH).map_err(said)?;
    let mut names = BTreeSet::new();
    for words in COMMANDS {
        names.extend(executed(&nival, words, &folder)?);
    }
    let sizes = sizes(&nival)?;
    let first = patterns(&names, &sizes);
    run(in_folder(Command::new(&nival), &folder, BUILD))?;
    names.extend(executed(&nival, BUILD, &folder)?);
    let others: BTreeSet<String> = patterns(&names, &sizes).difference(&first).cloned().collect();
    std::fs::write(SCRIPT, script(&[&first, &others])).map_err(said)?;
    println!("{SCRIPT}: {} and {} functions", first.len(), others.len());
    Ok(())
}

/// A command with a home and a store of its own.
fn in_folder(mut command: Command, folder: &Path, words: &[&str]) -> Command {
    for (name, below) in [("HOME", "home"), ("XDG_CACHE_HOME", "cache"), ("NIVAL_DATA_DIR", "data")] {
        command.env(name, folder.join(below));
    }
    command.args(words).current_dir(folder);
    command
}

/// The functions that a command runs.
fn executed(nival: &Path, words: &[&str], folder: &Path) -> Result<BTreeSet<String>, Failure> {
    let report = folder.join("callgrind");
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--demangle=no"]);
    command.arg(format!("--callgrind-out-file={}", report.display()));
    command.arg(nival);
    run(in_folder(command, folder, words))?;
    let text = std::fs::read_to_string(&report).map_err(|error| Failure::Said(error.to_string()))?;
    Ok(text.lines().filter_map(function).map(str::to_owned).collect())
}

/// All functions of the program with their sizes.
fn sizes(nival: &Path) -> Result<BTreeMap<String, u64>, Failure> {
    let output = Command::new("nm").arg("--print-size").arg(nival).output();
    let output = output.map_err(|error| Failure::Command(format!("nm ({error})")))?;
    let mut sizes = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let [_, size, "t" | "T" | "w" | "W", name] = line.split(' ').collect::<Vec<_>>()[..] {
            sizes.insert(name.to_owned(), u64::from_str_radix(size, 16).unwrap_or(0));
        }
    }
    Ok(sizes)
}

/// What stands for the functions that were run: without what differs from one build to the next, but where that would take
/// many others along.
fn patterns(names: &BTreeSet<String>, sizes: &BTreeMap<String, u64>) -> BTreeSet<String> {
    let (mut ran, mut all) = (BTreeMap::new(), BTreeMap::new());
    for (name, size) in sizes {
        let Some(pattern) = pattern(name) else { continue };
        *all.entry(pattern.clone()).or_insert(0) += size;
        if names.contains(name) {
            *ran.entry(pattern).or_insert(0) += size;
        }
    }
    let mut patterns: BTreeSet<String> = CLASSES.map(str::to_owned).into();
    for name in names.iter().filter(|name| sizes.contains_key(*name)) {
        let Some(pattern) = pattern(name) else { continue };
        if all[&pattern] <= FEW.max(ran[&pattern] * 2) {
            patterns.insert(pattern);
        } else {
            patterns.insert(format!(".text.{}*", name.split(".llvm.").next().unwrap_or(name)));
        }
    }
    patterns
}

/// The name in a line of a report of callgrind that gives a function its number.
fn function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("fn=(").or_else(|| line.strip_prefix("cfn=("))?;
    let (_, name) = rest.split_once(") ")?;
    Some(name.split('\'').next().unwrap_or(name))
}

/// The pattern of a function's section, without what differs from one build to the next; none for what is no symbol.
fn pattern(name: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    if name.is_empty() || name.starts_with("0x") || !name.chars().all(is_name) {
        return None;
    }
    let name = name.split(".llvm.").next().unwrap_or(name);
    if let Some(at) = name.rfind("17h").filter(|_| name.starts_with("_ZN")) {
        return Some(format!(".text.{}*", &name[..at + 3]));
    }
    if !name.starts_with("_R") {
        return Some(format!(".text.{name}"));
    }
    // The number of a crate stands between `Cs` and `_`; a name may go on behind its end.
    let mut parts = name.split("Cs");
    let mut made = format!(".text.{}", parts.next().unwrap_or_default());
    for part in parts {
        made += "Cs*";
        made += part.find('_').map_or(part, |at| &part[at..]);
    }
    Some(made + "*")
}

fn script(groups: &[&BTreeSet<String>]) -> String {
    let mut text =
        "/* Functions that the smallest evaluation runs, side by side, and those of a build: made by \
        `cargo xtask startup-order`. */\n\
        SECTIONS {\n  .text.startup_order : {\n"
            .to_owned();
    for name in groups.iter().copied().flatten() {
        text += &format!("    *({name})\n");
    }
    text + "  }\n} INSERT BEFORE .text;\n"
}

#[cfg(test)]
mod tests {
    use super::{function, pattern};

    #[test]
    fn names_lose_what_differs_between_builds() {
        let of = |line| function(line).and_then(pattern);
        let legacy = "fn=(12) _ZN5nival4main17h0123456789abcdefE.llvm.77'2";
        assert_eq!(of(legacy).as_deref(), Some(".text._ZN5nival4main17h*"));
        assert_eq!(of("cfn=(3) _RNvCs4dYU_3std4fold").as_deref(), Some(".text._RNvCs*_3std4fold*"));
        assert_eq!(of("fn=(4) mi_malloc").as_deref(), Some(".text.mi_malloc"));
        assert_eq!(of("fn=(5) 0x0000000000001050"), None);
        assert_eq!(of("fn=(6) (below main)"), None);
        assert_eq!(of("calls=1 2"), None);
    }
}
