//! Builds against C++ Nix, in pairs: sandbox on, the same settings (contents are brought to the disk before they are
//! registered, as is usual here), fresh derivations each time.

use crate::command::Failure;
use crate::peer;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const PAIRS: usize = 3;
const HOST_PATHS: &str = "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?";

const GRAPHS: &str = r#"{ count, seed }:
let
  one = name: needs: derivation {
    inherit name needs seed;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo $name > $out" ];
  };
  all = builtins.genList (n: one "leaf-${toString n}" [ ]) count;
in
{
  trivial = all;
  wide = one "top" all;
  chain = builtins.foldl' (before: n: one "link-${toString n}" [ before ]) (one "first" [ ]) (builtins.genList (n: n) count);
}
"#;

/// Measures, and prints the rows of a table.
pub fn measure(nival: &Path, folder: &Path) -> Result<(), Failure> {
    let nix = peer::nix()?;
    std::fs::create_dir_all(folder.join("conf")).map_err(said)?;
    let file = folder.join("graphs.nix");
    std::fs::write(&file, GRAPHS).map_err(said)?;
    let count = std::env::var("NIVAL_BENCH_BUILDS").unwrap_or_else(|_| "500".to_owned());
    println!("\n| builds | wall, ours / theirs | ours | theirs |\n|---|---|---|---|");
    for (what, attribute) in [
        ("trivial derivations", "trivial"),
        ("one graph, all of one needed by one", "wide"),
        ("a chain", "chain"),
    ] {
        let (mut ours, mut theirs, mut ours_again, mut theirs_again) = (vec![], vec![], vec![], vec![]);
        for turn in 0..PAIRS {
            let seed = format!("{attribute}-{turn}-{}", std::process::id());
            let words = ["--no-link", "--file"];
            let arguments = ["--argstr", "seed", seed.as_str(), "--arg", "count", count.as_str()];
            let mine = || {
                let mut command = Command::new(nival);
                command.arg("build").args(words).arg(&file).args(["-A", attribute]).args(arguments);
                command.args(["--option", "sandbox-paths", HOST_PATHS, "--option", "max-jobs", "2"]);
                command.arg("--data-dir").arg(folder.join("ours"));
                timed(command, folder)
            };
            let other = || {
                let mut command = Command::new(&nix);
                command.arg("build").args(words).arg(&file).arg(attribute).args(arguments);
                command
                    .arg("--impure")
                    .arg("--store")
                    .arg(format!("local?root={}", folder.join("theirs").display()));
                command.env("NIX_CONF_DIR", folder.join("conf")).env(
                    "NIX_CONFIG",
                    format!(
                        "fsync-store-paths = true\nbuild-users-group =\nbuild-hook =\nsandbox = true\nsubstituters =\nmax-jobs = 2\n\
                         experimental-features = nix-command\nsandbox-paths = {HOST_PATHS}\n"
                    ),
                );
                timed(command, folder)
            };
            ours.push(mine()?);
            theirs.push(other()?);
            ours_again.push(mine()?);
            theirs_again.push(other()?);
        }
        row(&format!("{count} {what}"), ours, theirs);
        row(&format!("{count} {what}, again"), ours_again, theirs_again);
    }
    Ok(())
}

fn row(what: &str, mut ours: Vec<f64>, mut theirs: Vec<f64>) {
    ours.sort_by(f64::total_cmp);
    theirs.sort_by(f64::total_cmp);
    let median = |all: &[f64]| all.get(all.len() / 2).copied().unwrap_or(0.0);
    let (a, b) = (median(&ours), median(&theirs));
    println!("| {what} | {:.2} | {a:.3} s | {b:.3} s |", a / b);
}

fn timed(mut command: Command, folder: &Path) -> Result<f64, Failure> {
    command.env("HOME", folder).env_remove("NIX_REMOTE").stdout(Stdio::null()).stderr(Stdio::piped());
    let begin = Instant::now();
    let output = command.output().map_err(said)?;
    if !output.status.success() {
        return Err(Failure::Said(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(begin.elapsed().as_secs_f64())
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}
