//! What a crash leaves of a store, at every moment.
//!
//! Commands that add, build, switch profiles, link equal files and collect are run one after the other in one store, and
//! all that they do to its folder is recorded. Then the store is made anew as it would be after each single operation:
//! with all that was written, without what was not brought to the disk, and with a part of that. Each time it is opened
//! and verified: what is registered is whole and has its hash, and what a profile leads to is registered.

mod disk;
mod trace;

use crate::command::Failure;
use disk::{Disk, Loss};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const HOST_PATHS: &str = "/bin=/bin /usr=/usr /lib=/lib /lib64=/lib64?";

/// Three derivations: one of several files, one that refers to it, and one that is built in.
const GRAPH: &str = r#"{ turn }:
let
  one = name: script: derivation {
    inherit name turn;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/bin:/usr/bin";
    args = [ "-ec" script ];
  };
  files = one "files" "mkdir -p $out/bin; echo $turn > $out/a; echo $turn > $out/b; echo run > $out/bin/c; chmod +x $out/bin/c; ln -s a $out/l";
in
{
  environment = derivation {
    name = "environment";
    system = "builtin";
    builder = "builtin:buildenv";
    manifest = one "top" "echo ${files} > $out";
    derivations = [ "true" 5 1 files ];
  };
}
"#;

/// A store on the disk, with the programs under Nix's names.
struct Lab {
    folder: PathBuf,
}

/// A moment of the record.
struct Moment {
    command: usize,
    operation: String,
    disk: Disk,
}

/// One thing that was bad.
struct Bad(String);

impl Drop for Lab {
    fn drop(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", "chmod -R u+w \"$0\"; rm -rf \"$0\""]).arg(&self.folder);
        // What stays is a temporary folder.
        let _ = command.status();
    }
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}

impl Lab {
    fn new(program: &Path) -> Result<Self, Failure> {
        // Memory is quick, and nothing of this is to last.
        let base =
            Some(PathBuf::from("/dev/shm")).filter(|path| path.is_dir()).unwrap_or(std::env::temp_dir());
        let lab = Self { folder: base.join(format!("nival-crashes-{}", std::process::id())) };
        std::fs::create_dir_all(lab.folder.join("programs")).map_err(said)?;
        std::fs::create_dir_all(lab.folder.join("tree/sub")).map_err(said)?;
        for (name, text) in [("tree/x", "one"), ("tree/sub/y", "two"), ("graph.nix", GRAPH)] {
            std::fs::write(lab.folder.join(name), text).map_err(said)?;
        }
        let program = std::path::absolute(program).map_err(said)?;
        for name in ["nix-store", "nix-build", "nix-env", "nix-collect-garbage"] {
            std::os::unix::fs::symlink(&program, lab.folder.join("programs").join(name)).map_err(said)?;
        }
        Ok(lab)
    }

    /// A program over the store in a folder, below another one where that is named.
    fn command(&self, root: &Path, words: &[&str], under: &[&str]) -> Command {
        let (name, rest) = words.split_first().unwrap_or((&"", &[]));
        let program = self.folder.join("programs").join(name);
        let mut command = match under.split_first() {
            Some((first, more)) => {
                let mut command = Command::new(first);
                command.args(more).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(rest).current_dir(&self.folder).stdin(Stdio::null());
        command
            .env("NIX_REMOTE", format!("local?root={}", root.display()))
            .env("HOME", self.folder.join("home"));
        command.env(
            "NIX_CONFIG",
            format!("build-users-group =\nsandbox = true\nsandbox-paths = {HOST_PATHS}\n"),
        );
        command
    }

    /// What is done to the store, in this order.
    fn work(&self, root: &Path) -> Vec<Vec<String>> {
        let profile = root.join("nix/var/nix/profiles/mine").display().to_string();
        let words = |text: &str| -> Vec<String> {
            text.split(' ').map(|word| word.replace("PROFILE", &profile)).collect()
        };
        [
            "nix-store --add tree",
            "nix-build graph.nix -A environment --argstr turn one --no-out-link",
            "nix-env -p PROFILE -f graph.nix --argstr turn one -A environment --set",
            "nix-env -p PROFILE -f graph.nix --argstr turn two -A environment --set",
            "nix-store --optimise",
            "nix-env -p PROFILE --rollback",
            "nix-env -p PROFILE --delete-generations 2",
            "nix-store --gc",
            "nix-build graph.nix -A environment --argstr turn two --no-out-link",
            "nix-collect-garbage -d",
        ]
        .map(words)
        .to_vec()
    }

    /// Runs all commands and gives every moment of them.
    fn record(&self) -> Result<Vec<Moment>, Failure> {
        let root = self.folder.join("recorded");
        std::fs::create_dir_all(&root).map_err(said)?;
        let trace = self.folder.join("trace").display().to_string();
        let under =
            ["strace", "-f", "-y", "-xx", "-s", "1000000000", "-e", "trace=file,desc,chdir", "-o", &trace];
        let mut disk = Disk::default();
        let mut moments = Vec::new();
        for (number, words) in self.work(&root).iter().enumerate() {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = self.command(&root, &words, &under).output().map_err(said)?;
            if !output.status.success() {
                let error = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(Failure::Said(format!("`{}` failed:\n{error}", words.join(" "))));
            }
            let text = String::from_utf8_lossy(&std::fs::read(&trace).map_err(said)?).into_owned();
            for operation in trace::read(&text, &root) {
                if disk.apply(&operation) {
                    let operation = format!("{operation:?}").chars().take(200).collect();
                    moments.push(Moment { command: number, operation, disk: disk.clone() });
                }
            }
            self.compare(&root, &disk)?;
        }
        Ok(moments)
    }

    /// Fails where the record is not what is there: then it would prove nothing.
    fn compare(&self, root: &Path, disk: &Disk) -> Result<(), Failure> {
        let copy = self.folder.join("compared");
        disk.restore(&copy, Loss::None).map_err(said)?;
        let mut command = Command::new("diff");
        // What is mapped into memory is not seen; the database does without it after a crash.
        command.args(["--recursive", "--no-dereference", "--brief", "--exclude=*-shm"]).arg(root).arg(&copy);
        let output = command.output().map_err(said)?;
        remove(&copy)?;
        match output.stdout.is_empty() {
            true => Ok(()),
            false => Err(Failure::Said(format!(
                "the record is not what is there:\n{}",
                String::from_utf8_lossy(&output.stdout)
            ))),
        }
    }

    /// Opens and verifies the store as it would be at a moment.
    fn check(&self, moment: &Moment, loss: Loss, turn: usize) -> Result<Option<Bad>, Failure> {
        let root = self.folder.join(format!("crash-{turn}"));
        moment.disk.restore(&root, loss).map_err(said)?;
        let bad = self.verify(&root, moment)?;
        remove(&root)?;
        Ok(bad.map(|text| Bad(format!("{loss:?} after {}: {}\n{text}", moment.command, moment.operation))))
    }

    fn verify(&self, root: &Path, moment: &Moment) -> Result<Option<String>, Failure> {
        let run = |words: &[&str]| self.command(root, words, &[]).output().map_err(said);
        let text = |output: &Output| {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            format!("{}{errors}", String::from_utf8_lossy(&output.stdout))
        };
        let verified = run(&["nix-store", "--verify", "--check-contents"])?;
        if !verified.status.success() {
            return Ok(Some(text(&verified)));
        }
        for (link, target) in moment.disk.links(Path::new("nix/var/nix/profiles")) {
            let Some(target) = target.to_str().filter(|target| target.starts_with("/nix/store/")) else {
                continue;
            };
            let valid = run(&["nix-store", "--check-validity", target])?;
            if !valid.status.success() {
                return Ok(Some(format!(
                    "{} leads to what is not registered\n{}",
                    link.display(),
                    text(&valid)
                )));
            }
        }
        Ok(None)
    }
}

fn remove(folder: &Path) -> Result<(), Failure> {
    let status = Command::new("sh").args(["-c", "chmod -R u+w \"$0\"; rm -rf \"$0\""]).arg(folder).status();
    status.map(drop).map_err(said)
}

/// Records, and checks every so many moments in all three ways.
pub fn run(program: &Path, every: usize, jobs: usize, seed: u64) -> Result<(), Failure> {
    let lab = Lab::new(program)?;
    let moments = lab.record()?;
    let losses = [Loss::None, Loss::All, Loss::Some(seed | 1)];
    let chosen: Vec<&Moment> = moments.iter().skip(seed as usize % every).step_by(every).collect();
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<Bad>> = Mutex::new(Vec::new());
    let failed: Mutex<Option<Failure>> = Mutex::new(None);
    let work = || loop {
        let turn = next.fetch_add(1, Ordering::SeqCst);
        let Some(moment) = chosen.get(turn / losses.len()) else { return };
        match lab.check(moment, losses[turn % losses.len()], turn) {
            Ok(None) => {}
            Ok(Some(bad)) => found.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(bad),
            Err(failure) => {
                *failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(failure);
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    if let Some(failure) = failed.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        return Err(failure);
    }
    let found = found.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    println!(
        "{} commands, {} operations recorded; {} stores after a crash were opened and verified, {} bad",
        lab.work(Path::new("")).len(),
        moments.len(),
        chosen.len() * losses.len(),
        found.len()
    );
    for bad in found.iter().take(5) {
        println!("{}", bad.0);
    }
    match found.len() {
        0 => Ok(()),
        count => Err(Failure::Said(format!("{count} stores were not whole after a crash"))),
    }
}
