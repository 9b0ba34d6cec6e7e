//! What a campaign found.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What a campaign found.
#[derive(Default)]
pub struct Report {
    pub phase: String,
    /// How many interruptions there were.
    pub runs: usize,
    /// How they ended, such as `old` and `new`.
    pub ends: BTreeMap<String, usize>,
    /// The longest time until everything was well again, and after what.
    pub worst: (Duration, String),
    pub bad: Vec<String>,
}

impl Report {
    pub fn new(phase: &str) -> Self {
        Self { phase: phase.to_owned(), ..Self::default() }
    }

    /// Notes how one interruption ended: a word, how long it took, or what is bad.
    pub fn note(&mut self, point: &str, end: Result<(&str, Duration), String>) {
        self.runs += 1;
        match end {
            Ok((word, time)) => {
                *self.ends.entry(word.to_owned()).or_default() += 1;
                if time > self.worst.0 {
                    self.worst = (time, point.to_owned());
                }
            }
            Err(reason) => {
                println!("  BAD {}: {point}: {reason}", self.phase);
                self.bad.push(format!("{point}: {reason}"));
            }
        }
    }

    /// Takes what another worker found in.
    pub fn join(&mut self, other: Self) {
        self.runs += other.runs;
        for (word, count) in other.ends {
            *self.ends.entry(word).or_default() += count;
        }
        if other.worst.0 > self.worst.0 {
            self.worst = other.worst;
        }
        self.bad.extend(other.bad);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends: Vec<String> = self.ends.iter().map(|(word, count)| format!("{count} {word}")).collect();
        write!(
            f,
            "| {} | {} | {} | {:.1} s ({}) | {} bad |",
            self.phase,
            self.runs,
            ends.join(", "),
            self.worst.0.as_secs_f64(),
            self.worst.1,
            self.bad.len()
        )
    }
}
