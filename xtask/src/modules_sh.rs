//! The tests of nixpkgs' own module system, `lib/tests/modules.sh`, with native code in place of it.
//!
//! The script of the tree is run as it is, with two differences: its evaluator is this one, and what it says of errors is
//! compared by the option that they name. Each of its checks of errors is evaluated twice, once as the library is written
//! and once natively: the first must say what the script expects; the second must fail at the same option with a coded
//! error, or with the very same words.

use crate::command::{Failure, run};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Checks that are not equal, with the reason: by what the script expects.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        r"In module .*test-push-down-non-attrs.nix., you're trying to define a value of type `bool'\n\s*rather than an attribute set for the option",
        "it is the root that is no set, so there is no option to name",
    ),
    (
        "while evaluating a definition from `.*/define-enable-abort.nix",
        "the unknown option is named at once; the library aborts while it shows the definition",
    ),
    (
        "while evaluating the error message for definitions for .enable., which is an option that does not exist",
        "as the one before",
    ),
];

/// Takes the place of the script's own check of errors.
const CHECK: &str = r#"
checkConfigError() {
    local expected=$1 number theirs ours
    shift
    number=$(ls "$CHECKS" | wc -l)
    mkdir "$CHECKS/$number"
    loc > "$CHECKS/$number/place"
    printf '%s' "$expected" > "$CHECKS/$number/expected"
    if theirs="$(NIX_CONFIG='native-modules = false' evalConfig "$@" 2>&1 >/dev/null)"; then theirs=""; fi
    if ours="$(evalConfig "$@" 2>&1 >/dev/null)"; then ours=""; fi
    if echo "$theirs" | grep -zP --silent "$expected"; then touch "$CHECKS/$number/as-expected"; fi
    printf '%s' "$theirs" > "$CHECKS/$number/theirs"
    printf '%s' "$ours" > "$CHECKS/$number/ours"
    ((++pass))
}
"#;

/// What became of the checks of errors.
#[derive(Default)]
struct Tally {
    same_option: usize,
    same_words: usize,
    excepted: usize,
    wrong: Vec<String>,
}

/// Runs `--lib DIR`, a tree with `lib/tests/modules.sh`; `--nival PROGRAM` for another one than the release build, `--own` with
/// the library of Nival in place of the tree's.
pub fn run_tests(words: &[String]) -> Result<(), Failure> {
    let option = |name: &str| {
        let at = words.iter().position(|word| *word == format!("--{name}"));
        at.and_then(|at| words.get(at + 1).cloned())
    };
    let said = |error: std::io::Error| Failure::Said(error.to_string());
    let tree = option("lib").ok_or_else(|| Failure::Said("name the tree: --lib DIR".to_owned()))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let target = std::path::absolute(target).map_err(said)?;
    let nival = option("nival").map_or_else(|| target.join("release/nival"), PathBuf::from);
    let folder = target.join("modules-sh");
    let _ = std::fs::remove_dir_all(&folder);
    if words.iter().any(|word| word == "--own") {
        return crate::own_modules::run_tests(Path::new(&tree), &nival, &folder);
    }
    for name in ["bin", "checks"] {
        std::fs::create_dir_all(folder.join(name)).map_err(said)?;
    }
    std::os::unix::fs::symlink(std::path::absolute(nival).map_err(said)?, folder.join("bin/nix-instantiate"))
        .map_err(said)?;
    let mut copy = Command::new("cp");
    copy.args(["-r", "--"]).arg(Path::new(&tree).join("lib")).arg(&folder);
    run(copy)?;
    let passed = run_script(&folder)?;
    let tally = compare(&folder.join("checks"))?;
    let errors = tally.same_option + tally.same_words + tally.excepted + tally.wrong.len();
    println!("| checks | equal |\n|---|---|");
    println!("| of values | {} of {} |", passed.0 - errors, passed.0 - errors + passed.1);
    println!("| of errors, at the same option or argument | {} of {errors} |", tally.same_option);
    println!("| of errors, in the same words | {} of {errors} |", tally.same_words);
    println!("| of errors, excepted | {} of {errors} |", tally.excepted);
    tally.wrong.iter().for_each(|wrong| println!("{wrong}"));
    if passed.1 > 0 || !tally.wrong.is_empty() {
        return Err(Failure::Said(format!(
            "{} checks of values and {} of errors",
            passed.1,
            tally.wrong.len()
        )));
    }
    Ok(())
}

/// Puts another check of errors into the tree's script, and gives its path.
pub(crate) fn with_check(folder: &Path, check: &str) -> Result<PathBuf, Failure> {
    let said = |error: std::io::Error| Failure::Said(error.to_string());
    let path = folder.join("lib/tests/modules.sh");
    let text = std::fs::read_to_string(&path).map_err(said)?;
    let first = text.match_indices("\ncheck").find(|(at, _)| {
        let line = text[at + 1..].lines().next().unwrap_or_default();
        !line.contains("()")
    });
    let Some((first, _)) = first else { return Err(Failure::Said("the script checks nothing".to_owned())) };
    std::fs::write(&path, format!("{}{check}{}", &text[..first], &text[first..])).map_err(said)?;
    Ok(path)
}

/// How many checks the script says that passed and failed.
pub(crate) fn counted(words: &str) -> Result<(usize, usize), Failure> {
    let count = |what: &str| {
        let line = words.lines().rev().find_map(|line| line.strip_suffix(what)?.trim().parse().ok());
        line.ok_or_else(|| Failure::Said(format!("the script did not end: {words}")))
    };
    Ok((count("Pass")?, count("Fail")?))
}

/// Runs the tree's script with the other check of errors; how many checks passed and failed.
fn run_script(folder: &Path) -> Result<(usize, usize), Failure> {
    let said = |error: std::io::Error| Failure::Said(error.to_string());
    let path = with_check(folder, CHECK)?;
    let mut search = std::ffi::OsString::from(folder.join("bin"));
    search.push(":");
    search.push(std::env::var_os("PATH").unwrap_or_default());
    let mut script = Command::new("bash");
    let script = script.arg(&path).env("PATH", search).env("CHECKS", folder.join("checks"));
    let output = script.env_remove("NIX_CONFIG").output().map_err(said)?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let counted = counted(&words)?;
    if counted.1 > 0 {
        println!("{words}");
    }
    Ok(counted)
}

fn compare(checks: &Path) -> Result<Tally, Failure> {
    let said = |error: std::io::Error| Failure::Said(error.to_string());
    let mut tally = Tally::default();
    for number in 0..std::fs::read_dir(checks).map_err(said)?.count() {
        let check = checks.join(number.to_string());
        let read = |name: &str| std::fs::read_to_string(check.join(name)).map_err(said);
        let (expected, theirs, ours) = (read("expected")?, read("theirs")?, read("ours")?);
        if EXCEPTIONS.iter().any(|(known, _)| *known == expected) {
            tally.excepted += 1;
            continue;
        }
        let hint = "if you get an infinite recursion here";
        let same_hint = theirs.contains(hint) == ours.contains(hint);
        let reason = if !check.join("as-expected").exists() {
            "the library as it is written says something else"
        } else if ours.is_empty() {
            "no error"
        } else if !same_hint {
            "a hint of infinite recursion on one side only"
        } else if message(&theirs) == message(&ours) {
            tally.same_words += 1;
            continue;
        } else if same_option(&theirs, &ours) {
            tally.same_option += 1;
            continue;
        } else {
            "another option"
        };
        let mut text = String::new();
        let _ = write!(text, "{}: {reason}\n  expected: {expected}", read("place")?.trim());
        let _ = write!(text, "\n  theirs: {}\n  ours: {}", message(&theirs), message(&ours));
        tally.wrong.push(text);
    }
    Ok(tally)
}

/// The line that says what is wrong.
fn message(text: &str) -> &str {
    text.lines().find(|line| line.contains("error:")).unwrap_or(text).trim().trim_end_matches('.')
}

/// All lines that say it, without those of where.
fn statement(text: &str) -> String {
    let begin = text.lines().skip_while(|line| !line.contains("error:"));
    let where_ =
        |line: &&str| !["at ", "|", "=", "-->"].iter().any(|word| line.trim_start().starts_with(word));
    begin.take_while(where_).collect::<Vec<_>>().join(" ")
}

/// Whether a coded error names the option that the library's words name first.
fn same_option(theirs: &str, ours: &str) -> bool {
    let ours_is_native = ours.contains("nival explain NV03");
    let plain = |text: &str| {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.replace(['"', '`'], "'").replace("''", "'")
    };
    let (ours, words) = (plain(message(ours)), plain(&statement(theirs)));
    match option_in(&words) {
        Some(name) => ours_is_native && option_in(&ours) == Some(name),
        // Not of an option, but of something else that has a name, such as an argument.
        None => {
            let name = plain(message(theirs)).split('\'').nth(1).map(|name| format!("'{name}'"));
            ours_is_native && name.is_some_and(|name| ours.contains(&name))
        }
    }
}

/// The first option that a text names.
fn option_in(text: &str) -> Option<&str> {
    let at = ["option '", "option(s) with prefix '", "declaration at option path '"]
        .iter()
        .filter_map(|words| Some(text.find(words)? + words.len()))
        .min()?;
    let rest = &text[at..];
    rest.find('\'').map(|end| &rest[..end])
}
