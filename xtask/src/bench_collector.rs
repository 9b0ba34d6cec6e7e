//! The garbage collector against C++ Nix, on two synthetic stores that are the same: liveness, then deletion.

use crate::command::Failure;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many paths there are where nothing else is said.
const PATHS: usize = 1_000_000;
/// To how many paths one refers at most.
const REFERENCES: u64 = 5;

/// Measures, and prints the rows of a table. `--paths COUNT` makes the stores smaller, `--peer-store PROGRAM` names
/// the other `nix-store`.
pub fn measure(nival: &Path, folder: &Path, words: &[String]) -> Result<(), Failure> {
    let option = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let count = option("--paths").and_then(|text| text.parse().ok()).unwrap_or(PATHS);
    let peer = option("--peer-store").unwrap_or_else(|| "nix-store".to_owned());
    std::fs::create_dir_all(folder).map_err(said)?;
    let own = folder.join("nix-store");
    std::os::unix::fs::symlink(nival, &own).map_err(said)?;
    let (ours, theirs) = (folder.join("ours"), folder.join("theirs"));
    for root in [&ours, &theirs] {
        make(&own, root, count)?;
    }
    println!("\n| {count} paths, half of them dead | ratio | ours | theirs |\n|---|---|---|---|");
    let live = |program: &Path, root: &Path| timed(program, root, &["--gc", "--print-dead"]);
    // The first turn of each reads the database into memory.
    live(&own, &ours)?;
    live(Path::new(&peer), &theirs)?;
    let (a, b) = (live(&own, &ours)?, live(Path::new(&peer), &theirs)?);
    if a.lines != b.lines {
        return Err(Failure::Said("the two programs do not agree on what is dead".to_owned()));
    }
    row("liveness (`--gc --print-dead`)", &a, &b);
    let delete = |program: &Path, root: &Path| timed(program, root, &["--gc"]);
    let (a, b) = (delete(&own, &ours)?, delete(Path::new(&peer), &theirs)?);
    row("deletion (`--gc`)", &a, &b);
    let left = |root: &Path| root.join("nix/store").read_dir().map(Iterator::count).map_err(said);
    if left(&ours)? != left(&theirs)? {
        return Err(Failure::Said("the two programs did not leave the same paths".to_owned()));
    }
    Ok(())
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}

/// One run: seconds, KiB at most, and what was printed, sorted.
struct Run {
    seconds: f64,
    memory: f64,
    lines: Vec<String>,
}

fn row(what: &str, ours: &Run, theirs: &Run) {
    println!(
        "| {what} | {:.3} | {:.1} s, {:.0} MiB | {:.1} s, {:.0} MiB |",
        ours.seconds / theirs.seconds,
        ours.seconds,
        ours.memory / 1024.0,
        theirs.seconds,
        theirs.memory / 1024.0,
    );
}

/// Runs a program by way of `time`, which tells the peak of memory.
fn timed(program: &Path, root: &Path, words: &[&str]) -> Result<Run, Failure> {
    let out = root.with_extension("out");
    let measured = root.with_extension("time");
    let mut command = Command::new("time");
    command.args(["-f", "%M", "-o"]).arg(&measured).arg(program).args(words);
    command.env("NIX_REMOTE", format!("local?root={}", root.display()));
    command.env("NIX_CONFIG", "build-users-group =\nkeep-derivations = true");
    command.stdout(File::create(&out).map_err(said)?).stderr(Stdio::null());
    let begin = Instant::now();
    let status = command.status().map_err(said)?;
    let seconds = begin.elapsed().as_secs_f64();
    if !status.success() {
        return Err(Failure::Said(format!("`{} {}` failed", program.display(), words.join(" "))));
    }
    let text = std::fs::read_to_string(&measured).map_err(said)?;
    let memory = text.trim().lines().last().and_then(|line| line.parse().ok()).unwrap_or(0.0);
    let mut lines: Vec<String> =
        std::fs::read_to_string(&out).map_err(said)?.lines().map(str::to_owned).collect();
    lines.sort();
    Ok(Run { seconds, memory, lines })
}

/// Makes a store with paths that refer to some of the thousand before each, of which every second row is dead: one
/// root keeps the first half.
fn make(program: &Path, root: &Path, count: usize) -> Result<(), Failure> {
    let place = root.join("nix/store");
    std::fs::create_dir_all(&place).map_err(said)?;
    let registration = root.join("registration");
    let mut out = BufWriter::new(File::create(&registration).map_err(said)?);
    let mut random = 1u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 33
    };
    for number in 0..count {
        File::create(place.join(name(number))).map_err(said)?;
        let mut references = Vec::new();
        for _ in 0..next() % (REFERENCES + 1) {
            let distance = 1 + next() as usize % 1000;
            references
                .extend(number.checked_sub(distance).filter(|at| (*at < count / 2) == (number < count / 2)));
        }
        // Whatever is kept hangs together.
        if number > 0 && number < count / 2 {
            references.push(number - 1);
        }
        references.sort_unstable();
        references.dedup();
        let mut text = format!("/nix/store/{}\n{EMPTY}\n96\n\n{}\n", name(number), references.len());
        for reference in references {
            let _ = writeln!(text, "/nix/store/{}", name(reference));
        }
        out.write_all(text.as_bytes()).map_err(said)?;
    }
    out.flush().map_err(said)?;
    let mut command = Command::new(program);
    command.arg("--load-db").env("NIX_REMOTE", root).stdin(File::open(&registration).map_err(said)?);
    if !command.status().map_err(said)?.success() {
        return Err(Failure::Said("the synthetic store cannot be registered".to_owned()));
    }
    let link = root.join("nix/var/nix/gcroots/bench");
    let target = PathBuf::from(format!("/nix/store/{}", name(count / 2 - 1)));
    std::os::unix::fs::symlink(target, link).map_err(said)
}

/// The hash of an empty file's NAR.
const EMPTY: &str = "0e4a25bc26bd4d9b4ca4bfc4e1d1bd1d4cb5d6a1c0a8ea52c8a9e3ab0b7e8f3d";

/// The name of a path: digits that are spread as hashes are, and a name of usual length.
fn name(number: usize) -> String {
    let digits = b"0123456789abcdfghijklmnpqrsvwxyz";
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash: String = (0..32)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(digits[(state >> 40) as usize % 32])
        })
        .collect();
    format!("{hash}-synthetic-package-{number}")
}
