//! One store, two programs: random operations by Nival and by C++ Nix in turn, and then at the same time.
//!
//! Each operation checks what it came to; in the end both programs must find the store whole, know the same of it, and
//! agree on what is garbage. What somebody keeps by a link must still be there.

use crate::command::{Failure, cargo, run};
use crate::peer;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How many operations, and how many of them at the same time at the end of each round.
const OPERATIONS: usize = 200;
const AT_ONCE: usize = 20;

/// Runs the campaign: `--operations N`, `--at-once N`, `--seed S`.
pub fn run_campaign(words: &[String]) -> Result<(), Failure> {
    let number = |name: &str, usual: u64| {
        let at = words.iter().position(|word| word == name);
        at.and_then(|at| words.get(at + 1)?.parse().ok()).unwrap_or(usual)
    };
    let seed = number("--seed", 1);
    let operations = number("--operations", OPERATIONS as u64) as usize;
    let at_once = number("--at-once", AT_ONCE as u64) as usize;
    run(cargo(&["build", "--quiet", "--package", "nival"]))?;
    let place = Place::make()?;
    eprintln!("together: seed {seed}, {operations} operations in turn, {at_once} at once");
    let mut random = Random(seed);
    for turn in 0..operations {
        let operation = Operation::choose(&mut random, turn);
        let program = if random.below(2) == 0 { Program::Nival } else { Program::Nix };
        place
            .perform(operation, program, turn)
            .map_err(|failure| told(turn, operation, program, &failure))?;
    }
    place.at_once(&mut random, operations, at_once)?;
    place.both_agree()?;
    place.clean();
    eprintln!("together: {} operations, and both programs agree on the store", operations + at_once);
    Ok(())
}

fn told(turn: usize, operation: Operation, program: Program, failure: &Failure) -> Failure {
    Failure::Said(format!("operation {turn}, {operation:?} by {program:?}: {failure}"))
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}

/// Numbers that follow from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[derive(Clone, Copy, Debug)]
enum Program {
    Nival,
    Nix,
}

/// What is done with the store; numbers say of what.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Add(u64),
    AddFlat(u64),
    Build(u64),
    BuildChain(u64),
    Forget(u64),
    Collect,
    CollectSome,
    Delete,
    Optimise,
    Verify,
    ExportImport,
    Query,
}

impl Operation {
    fn choose(random: &mut Random, turn: usize) -> Self {
        let which = random.below(20);
        let what = random.below(12);
        match which {
            _ if turn < 4 => Self::BuildChain(what),
            0..=2 => Self::Add(what),
            3 => Self::AddFlat(what),
            4..=6 => Self::Build(what),
            7..=9 => Self::BuildChain(what),
            10 | 11 => Self::Forget(what),
            12 | 13 => Self::Collect,
            14 => Self::CollectSome,
            15 => Self::Delete,
            16 => Self::Optimise,
            17 => Self::Verify,
            18 => Self::ExportImport,
            _ => Self::Query,
        }
    }
}

/// The folder of a store with both programs.
struct Place {
    folder: PathBuf,
    nival: PathBuf,
    nix: PathBuf,
}

impl Place {
    fn make() -> Result<Self, Failure> {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        let target = std::path::absolute(target).map_err(said)?;
        let folder = target.join("together");
        let place = Self { nival: folder.join("nival"), nix: folder.join("nix"), folder };
        place.clean();
        for folder in [&place.nival, &place.nix, &place.folder.join("links"), &place.folder.join("conf")] {
            std::fs::create_dir_all(folder).map_err(said)?;
        }
        for name in ["nix-store", "nix-build", "nix-collect-garbage"] {
            std::os::unix::fs::symlink(target.join("debug/nival"), place.nival.join(name)).map_err(said)?;
            std::os::unix::fs::symlink(peer::program(name)?, place.nix.join(name)).map_err(said)?;
        }
        Ok(place)
    }

    fn clean(&self) {
        let _ = Command::new("chmod").args(["-R", "u+w"]).arg(&self.folder).stderr(Stdio::null()).status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    fn command(&self, program: Program, name: &str, words: &[&str]) -> Command {
        let folder = if matches!(program, Program::Nival) { &self.nival } else { &self.nix };
        let mut command = Command::new(folder.join(name));
        command.args(words).stdin(Stdio::null()).current_dir(&self.folder);
        command.env("NIX_STORE_DIR", self.store()).env("NIX_STATE_DIR", self.folder.join("var"));
        command.env("NIX_LOG_DIR", self.folder.join("log")).env("NIX_CONF_DIR", self.folder.join("conf"));
        command.env("HOME", &self.folder).env("NO_COLOR", "1");
        for name in ["NIX_REMOTE", "NIVAL_DATA_DIR", "NIX_PATH"] {
            command.env_remove(name);
        }
        command.env("NIX_CONFIG", "sandbox = false\nbuild-users-group =\nsubstituters =\nbuild-hook =\n");
        command
    }

    fn fine(&self, program: Program, name: &str, words: &[&str]) -> Result<String, Failure> {
        let output = self.command(program, name, words).output().map_err(said)?;
        printed(&output, name, words)
    }

    fn perform(&self, operation: Operation, program: Program, turn: usize) -> Result<(), Failure> {
        let run = |name: &str, words: &[&str]| self.fine(program, name, words);
        match operation {
            Operation::Add(what) | Operation::AddFlat(what) => {
                let file = self.folder.join(format!("file-{what}"));
                let text = format!("contents {what}\n").repeat(what as usize + 1);
                std::fs::write(&file, &text).map_err(said)?;
                let file = file.display().to_string();
                let added = match operation {
                    Operation::Add(_) => run("nix-store", &["--add", &file])?,
                    _ => run("nix-store", &["--add-fixed", "sha256", &file])?,
                };
                // Another program may have collected it at once.
                let found = std::fs::read_to_string(&added);
                if found.is_ok_and(|found| found != text) {
                    return Err(Failure::Said(format!("{added} has other contents")));
                }
            }
            Operation::Build(what) => self.build(program, &expression(what, false), what, turn)?,
            Operation::BuildChain(what) => self.build(program, &expression(what, true), what, turn)?,
            Operation::Forget(what) => {
                for link in self.links()?.iter().filter(|link| link.ends_with(&format!("-{what}"))) {
                    // Another operation at the same time may have been quicker.
                    let _ = std::fs::remove_file(link);
                }
            }
            Operation::Collect => drop(run("nix-store", &["--gc"])?),
            Operation::CollectSome => drop(run("nix-store", &["--gc", "--max-freed", "100"])?),
            Operation::Delete => {
                let dead = run("nix-store", &["--gc", "--print-dead"])?;
                if let Some(path) = dead.lines().next() {
                    // Others may need it, or it is gone already.
                    let _ = self.command(program, "nix-store", &["--delete", path]).output();
                }
            }
            Operation::Optimise => drop(run("nix-store", &["--optimise"])?),
            Operation::Verify => drop(run("nix-store", &["--verify", "--check-contents"])?),
            Operation::ExportImport => self.export_and_import(program)?,
            Operation::Query => {
                for link in self.links()? {
                    let Ok(target) = std::fs::read_link(&link) else { continue };
                    let target = target.display().to_string();
                    let _ = self.command(program, "nix-store", &["-qR", &target]).output();
                }
            }
        }
        Ok(())
    }

    fn build(&self, program: Program, text: &str, what: u64, turn: usize) -> Result<(), Failure> {
        let link = self.folder.join(format!("links/{turn}-{what}")).display().to_string();
        let built = self.fine(program, "nix-build", &["-E", text, "-o", &link])?;
        let found = std::fs::read_to_string(&built).unwrap_or_default();
        if !found.contains(&format!("built {what}\n")) {
            return Err(Failure::Said(format!("{built} does not hold what was built")));
        }
        Ok(())
    }

    fn export_and_import(&self, program: Program) -> Result<(), Failure> {
        let Some(link) = self.links()?.into_iter().next() else { return Ok(()) };
        let Ok(target) = std::fs::read_link(&link) else { return Ok(()) };
        let closure = self.fine(program, "nix-store", &["-qR", &target.display().to_string()])?;
        let mut words = vec!["--export"];
        words.extend(closure.lines());
        let output = self.command(program, "nix-store", &words).output().map_err(said)?;
        if !output.status.success() {
            return Err(Failure::Said(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let file = self.folder.join("export");
        std::fs::write(&file, output.stdout).map_err(said)?;
        let other = if matches!(program, Program::Nival) { Program::Nix } else { Program::Nival };
        let mut import = self.command(other, "nix-store", &["--import"]);
        let output = import.stdin(std::fs::File::open(&file).map_err(said)?).output().map_err(said)?;
        printed(&output, "nix-store", &["--import"]).map(drop)
    }

    fn links(&self) -> Result<Vec<String>, Failure> {
        let mut all = Vec::new();
        for entry in self.folder.join("links").read_dir().map_err(said)? {
            all.push(entry.map_err(said)?.path().display().to_string());
        }
        all.sort();
        Ok(all)
    }

    /// What has a link is there.
    fn links_are_valid(&self) -> Result<(), Failure> {
        for link in self.links()? {
            if !Path::new(&link).exists() {
                return Err(Failure::Said(format!("what `{link}` leads to is gone")));
            }
        }
        Ok(())
    }

    /// Many operations of both programs at the same time. What is built meanwhile has links, so it must stay.
    fn at_once(&self, random: &mut Random, first: usize, count: usize) -> Result<(), Failure> {
        let mut all = Vec::new();
        for turn in first..first + count {
            let operation = match Operation::choose(random, turn) {
                // A path that one of them verifies can be collected by another one.
                Operation::Verify | Operation::Forget(_) | Operation::ExportImport => Operation::Collect,
                other => other,
            };
            all.push((turn, operation, if turn % 2 == 0 { Program::Nival } else { Program::Nix }));
        }
        let failures: Vec<Failure> = std::thread::scope(|scope| {
            let threads: Vec<_> = all
                .iter()
                .map(|(turn, operation, program)| {
                    scope.spawn(|| {
                        let done = self.perform(*operation, *program, *turn);
                        done.map_err(|failure| told(*turn, *operation, *program, &failure))
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()?.err()).collect()
        });
        match failures.into_iter().next() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn both_agree(&self) -> Result<(), Failure> {
        let both = |words: &[&str]| -> Result<String, Failure> {
            let sorted = |text: String| {
                let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines.join("\n")
            };
            let ours = sorted(self.fine(Program::Nival, "nix-store", words)?);
            let theirs = sorted(self.fine(Program::Nix, "nix-store", words)?);
            if ours == theirs {
                return Ok(ours);
            }
            Err(Failure::Said(format!("`nix-store {}` differs:\n{ours}\n---\n{theirs}", words.join(" "))))
        };
        self.links_are_valid()?;
        both(&["--verify", "--check-contents"])?;
        both(&["--dump-db"])?;
        both(&["--gc", "--print-dead"])?;
        both(&["--gc", "--print-live"])?;
        for link in self.links()? {
            let target = std::fs::read_link(&link).map_err(said)?;
            both(&["-qR", &target.display().to_string()])?;
        }
        for entry in self.store().read_dir().map_err(said)? {
            let name = entry.map_err(said)?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".lock") {
                return Err(Failure::Said(format!("a lock stayed behind: {name}")));
            }
        }
        Ok(())
    }
}

/// A derivation; with `chain` one that needs others, and has two outputs.
fn expression(what: u64, chain: bool) -> String {
    let leaf = |what: u64| {
        format!(
            "derivation {{ name = \"leaf-{what}\"; system = builtins.currentSystem; builder = \"/bin/sh\"; \
             args = [ \"-c\" \"echo built {what} > $out; echo self $out >> $out\" ]; }}"
        )
    };
    if !chain {
        return leaf(what);
    }
    format!(
        "let leaf = {}; source = builtins.toFile \"source-{what}\" \"source {what}\"; in derivation {{ \
         name = \"chain-{what}\"; system = builtins.currentSystem; builder = \"/bin/sh\"; \
         outputs = [ \"out\" \"more\" ]; inherit leaf source; \
         args = [ \"-c\" \"echo more $leaf > $more; echo built {what} > $out; echo $more $leaf $source >> $out\" ]; }}",
        leaf(what % 5)
    )
}

fn printed(output: &Output, name: &str, words: &[&str]) -> Result<String, Failure> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(Failure::Said(format!("`{name} {}` ended with {}:\n{text}", words.join(" "), output.status)))
}

#[cfg(test)]
mod tests {
    use super::{Operation, Random};

    #[test]
    fn campaign_follows_from_its_seed() {
        let choose = |seed| {
            let mut random = Random(seed);
            (0..50).map(|turn| format!("{:?}", Operation::choose(&mut random, turn))).collect::<Vec<_>>()
        };
        assert_eq!(choose(7), choose(7));
        assert_ne!(choose(7), choose(8));
    }
}
