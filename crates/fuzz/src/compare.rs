//! Both programs beside each other.

use crate::Options;
use crate::generate::Generator;
use crate::node::Node;
use crate::ours::Ours;
use crate::peer::{Outcome, Peer};
use crate::signatures;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

/// Shows a value as a string: all of it down to some depth, with contexts, with what functions are left out.
const SHOW: &str = include_str!("show.nix");

/// How often a difference is tried to be made smaller.
const TRIES: usize = 400;

/// How many differences end the run.
const ENOUGH: usize = 25;

/// What came of a run.
pub struct Report {
    seed: u64,
    count: u64,
    values: u64,
    caught: u64,
    errors: u64,
    ended: u64,
    used: BTreeMap<&'static str, u64>,
    differences: Vec<String>,
}

impl Report {
    /// Whether nothing differs.
    pub fn is_good(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}\n")?;
        }
        let share = self.values * 100 / self.count.max(1);
        writeln!(
            f,
            "seed {}: {} expressions, {} values ({share} %), {} caught, {} other errors, {} ends of the other program, {} differences",
            self.seed,
            self.count,
            self.values,
            self.caught,
            self.errors,
            self.ended,
            self.differences.len()
        )?;
        let least = self.used.iter().min_by_key(|(_, count)| **count);
        if let Some((name, count)) = least {
            writeln!(f, "{} builtins were called; `{name}` least: {count} times", self.used.len())?;
        }
        Ok(())
    }
}

struct Pair<'f> {
    ours: Ours,
    peer: Peer,
    program: String,
    folder: &'f Path,
    number: u64,
}

impl Pair<'_> {
    /// Gives an expression to both.
    fn ask(&mut self, text: &str) -> io::Result<(Outcome, Outcome)> {
        self.number += 1;
        let file = self.folder.join("expression").join(format!("{}.nix", self.number));
        std::fs::write(&file, text)?;
        let show = self.folder.join("show.nix");
        let line = format!(
            "let r = builtins.tryEval (import {} (import {})); in \"@@\" + (if r.success then \"=\" + r.value else \"caught\")",
            show.display(),
            file.display()
        );
        let theirs = self.peer.ask(&line, self.number)?;
        let ours = self.ours.ask(&line);
        std::fs::remove_file(&file)?;
        if theirs == Outcome::Ended {
            self.peer = Peer::start(&self.program, self.folder)?;
        }
        Ok((ours, theirs))
    }

    /// The smallest expression found that still differs in the same way.
    fn shrink(&mut self, node: Node, kind: (bool, bool)) -> io::Result<Node> {
        let (mut best, mut tries) = (node, 0);
        'again: loop {
            let mut candidates = best.smaller();
            candidates.sort_by_key(Node::size);
            for candidate in candidates {
                tries += 1;
                if tries > TRIES {
                    break 'again;
                }
                let smaller = candidate.render().len() < best.render().len();
                if !smaller {
                    continue;
                }
                let (ours, theirs) = self.ask(&candidate.render())?;
                if ours != theirs && (is_value(&ours), is_value(&theirs)) == kind {
                    best = candidate;
                    continue 'again;
                }
            }
            break;
        }
        Ok(best)
    }
}

fn is_value(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Value(_))
}

/// Runs the comparison.
pub fn run(options: &Options) -> io::Result<Report> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().canonicalize()?;
    prepare(&path)?;
    let ours = Ours::start(&path).map_err(|error| io::Error::other(error.to_string()))?;
    let peer = Peer::start(&options.peer, &path)?;
    let mut pair = Pair { ours, peer, program: options.peer.clone(), folder: &path, number: 0 };
    let mut report = Report {
        seed: options.seed,
        count: 0,
        values: 0,
        caught: 0,
        errors: 0,
        ended: 0,
        used: signatures::names().map(|name| (name, 0)).collect(),
        differences: Vec::new(),
    };
    let range = options.only.map_or(0..options.count, |only| only..only + 1);
    for index in range {
        let mut generator = Generator::new(options.seed, index, &path);
        let node = generator.expression();
        let text = node.render();
        if options.show {
            eprintln!("{index}: {text}");
        }
        let (ours, theirs) = pair.ask(&text)?;
        report.count += 1;
        match &theirs {
            Outcome::Value(_) => report.values += 1,
            Outcome::Caught => report.caught += 1,
            Outcome::Error => report.errors += 1,
            Outcome::Ended => report.ended += 1,
        }
        // What ends in an error may have done so before a builtin was called.
        for name in generator.used {
            if is_value(&theirs) || matches!(name, "abort" | "throw") {
                *report.used.entry(name).or_default() += 1;
            }
        }
        if theirs == Outcome::Ended {
            eprintln!("the other program ended, or gave no answer, at {index}: {text}\n");
        } else if ours != theirs {
            let kind = (is_value(&ours), is_value(&theirs));
            let small = pair.shrink(node, kind)?.render();
            let (ours, theirs) = pair.ask(&small)?;
            let said = |outcome: &Outcome, message: &str| match outcome {
                Outcome::Error => format!("error: {}", message.trim()),
                Outcome::Ended => "the program ended".to_owned(),
                Outcome::Caught => "a caught error".to_owned(),
                Outcome::Value(text) => text.clone(),
            };
            report.differences.push(format!(
                "difference at {index}: {small}\n  ours:   {}\n  theirs: {}",
                said(&ours, &pair.ours.message),
                said(&theirs, &pair.peer.message)
            ));
            eprintln!("{}\n", report.differences.last().map_or("", String::as_str));
        }
        if report.differences.len() >= ENOUGH {
            break;
        }
    }
    Ok(report)
}

/// Writes the files that expressions read.
fn prepare(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder.join("expression"))?;
    std::fs::create_dir_all(folder.join("tree/sub"))?;
    std::fs::write(folder.join("show.nix"), SHOW)?;
    std::fs::write(folder.join("tree/text"), "one\ntwo\n")?;
    std::fs::write(folder.join("tree/empty"), "")?;
    std::fs::write(folder.join("tree/sub/value.nix"), "{ a = 1; f = x: [ x x ]; }")?;
    std::fs::write(folder.join("tree/sub/scoped.nix"), "y + 1")?;
    std::fs::write(folder.join("tree/default.nix"), "{ x ? 2 }: x * 3")?;
    std::os::unix::fs::symlink("text", folder.join("tree/link"))
}
