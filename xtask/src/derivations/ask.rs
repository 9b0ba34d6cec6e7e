//! Asking both programs for the derivations of many attributes at a time.

use super::Tally;
use crate::command::Failure;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How many attributes one process is asked for.
const AT_ONCE: usize = 125;

/// The two programs.
pub struct Programs {
    /// The other one's `nix-instantiate`.
    pub peer: String,
    /// Ours.
    pub nival: String,
    /// Where expressions are written.
    pub folder: PathBuf,
}

/// For each attribute its derivation, `-` where it is none, or `!` where an error is caught.
type Found = BTreeMap<String, String>;

impl Programs {
    /// The names of a set.
    pub fn names(&self, set: &str) -> Result<Vec<String>, Failure> {
        let text = format!(r#"builtins.concatStringsSep "\n" (builtins.attrNames ({set}))"#);
        let said = self.run(false, &text)?.ok_or_else(|| Failure::Said(format!("there is no {set}")))?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// Compares the derivations of attributes of a set.
    pub fn all(&self, set: &str, names: &[String]) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        for names in names.chunks(AT_ONCE) {
            let theirs = self.found(false, set, names)?;
            let known: Vec<String> = theirs.keys().cloned().collect();
            tally.left_out += names.len() - known.len();
            let ours = self.found(true, set, &known)?;
            for (name, path) in theirs {
                match ours.get(&name) {
                    Some(own) if *own == path && path.ends_with(".drv") => tally.equal += 1,
                    Some(own) if *own == path => tally.none += 1,
                    own => tally.different.push(format!(
                        "{name}: {path} there, {} here",
                        own.map_or("an error", String::as_str)
                    )),
                }
            }
        }
        Ok(tally)
    }

    /// What one program finds; without those that end in an error which nothing catches.
    fn found(&self, own: bool, set: &str, names: &[String]) -> Result<Found, Failure> {
        if names.is_empty() {
            return Ok(Found::new());
        }
        let list: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        let text = format!(
            r#"let
              set = {set};
              one = name: let
                found = builtins.tryEval (let value = set.${{name}}; in
                  if builtins.isAttrs value && value.type or "" == "derivation" then value.drvPath else "-");
              in "${{name}} ${{if found.success then builtins.unsafeDiscardStringContext found.value else "!"}}";
            in builtins.concatStringsSep "\n" (map one [ {} ])"#,
            list.join(" ").replace("${", "\\${")
        );
        if let Some(said) = self.run(own, &text)? {
            let pair =
                |line: &str| line.split_once(' ').map(|(name, path)| (name.to_owned(), path.to_owned()));
            return Ok(said.lines().filter_map(pair).collect());
        }
        if names.len() == 1 {
            return Ok(Found::new());
        }
        let (left, right) = names.split_at(names.len() / 2);
        let mut found = self.found(own, set, left)?;
        found.append(&mut self.found(own, set, right)?);
        Ok(found)
    }

    /// The string that an expression is; nothing where it ends in an error.
    fn run(&self, own: bool, text: &str) -> Result<Option<String>, Failure> {
        let said = |error: std::io::Error| Failure::Said(error.to_string());
        let file = std::path::absolute(self.folder.join("ask.nix")).map_err(said)?;
        std::fs::write(&file, text).map_err(said)?;
        let mut command = if own {
            let mut command = Command::new(&self.nival);
            command.arg("instantiate");
            command
        } else {
            Command::new(&self.peer)
        };
        command.args(["--eval", "--readonly-mode", "--raw"]).arg(&file);
        let home = |name: &str| absolute(&self.folder, name);
        command.env("HOME", home("home")).env("XDG_CACHE_HOME", home("cache"));
        command.env("NIVAL_DATA_DIR", home("data")).stderr(Stdio::null());
        let output = command.output().map_err(said)?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
    }
}

fn absolute(folder: &Path, name: &str) -> PathBuf {
    std::path::absolute(folder.join(name)).unwrap_or_else(|_| folder.join(name))
}

/// So many of the names as a seed draws them.
pub fn draw(mut names: Vec<String>, seed: u64, count: usize) -> Vec<String> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for at in (1..names.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        names.swap(at, (state % (at as u64 + 1)) as usize);
    }
    names.truncate(count);
    names
}
