//! What an evaluation's profile says: phases, and which file cost what.

use nival_eval::{FrameKind, ProfileFrame};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How many files the table names.
const FILES: usize = 15;

/// The frames of a profile, each behind the one that it was called from.
pub struct Profile {
    /// The frames; the first is the root.
    pub frames: Vec<ProfileFrame>,
    /// For each frame, its microseconds with those of all frames below.
    pub totals: Vec<u64>,
}

/// What a file cost.
#[derive(Default)]
struct Cost {
    own: u64,
    reading: u64,
    calls: u64,
}

impl Profile {
    /// Sums the frames up.
    pub fn new(frames: Vec<ProfileFrame>) -> Self {
        let mut totals: Vec<u64> = frames.iter().map(|frame| frame.micros).collect();
        for at in (1..frames.len()).rev() {
            totals[frames[at].parent] += totals[at];
        }
        Self { frames, totals }
    }

    /// All of the time, in microseconds.
    pub fn total(&self) -> u64 {
        self.totals.first().copied().unwrap_or(0)
    }

    /// What the time went into, in the order in which it is told.
    pub fn phases(&self) -> Vec<(String, Duration)> {
        let of = |wanted: &dyn Fn(&ProfileFrame) -> bool| {
            Duration::from_micros(self.frames.iter().filter(|f| wanted(f)).map(|f| f.micros).sum())
        };
        let derives =
            |frame: &ProfileFrame| frame.kind == FrameKind::Builtin && frame.name == "derivationStrict";
        let copies = |frame: &ProfileFrame| {
            let by_builtin = matches!(frame.name.as_str(), "path" | "filterSource" | "toFile");
            frame.kind == FrameKind::Copying || frame.kind == FrameKind::Builtin && by_builtin
        };
        let fetches =
            |frame: &ProfileFrame| frame.kind == FrameKind::Builtin && frame.name.starts_with("fetch");
        let reads = |frame: &ProfileFrame| frame.kind == FrameKind::Reading;
        let count = self.frames.iter().filter(|frame| reads(frame)).map(|frame| frame.calls).sum::<u64>();
        let rest =
            |frame: &ProfileFrame| !(derives(frame) || copies(frame) || fetches(frame) || reads(frame));
        vec![
            (format!("reading {count} files"), of(&reads)),
            ("evaluating".to_owned(), of(&rest)),
            ("making derivations".to_owned(), of(&derives)),
            ("copying and hashing sources".to_owned(), of(&copies)),
            ("fetching".to_owned(), of(&fetches)),
        ]
    }

    /// The file that a frame's time belongs to: its own, or that of the function that called the builtin.
    fn file(&self, at: usize) -> &str {
        let mut at = at;
        while self.frames[at].file.is_empty() && at != 0 {
            at = self.frames[at].parent;
        }
        &self.frames[at].file
    }

    /// A table of the files that took the most time.
    pub fn files(&self) -> String {
        let mut costs: BTreeMap<&str, Cost> = BTreeMap::new();
        for (at, frame) in self.frames.iter().enumerate() {
            let cost = costs.entry(self.file(at)).or_default();
            match frame.kind {
                FrameKind::Reading => cost.reading += frame.micros,
                FrameKind::Function => {
                    cost.own += frame.micros;
                    cost.calls += frame.calls;
                }
                _ => cost.own += frame.micros,
            }
        }
        let mut sorted: Vec<_> = costs.into_iter().collect();
        sorted.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.own + cost.reading));
        let total = self.total().max(1);
        let mut text = String::from("\n   evaluating      reading  share       calls  file\n");
        for (file, cost) in sorted.iter().take(FILES) {
            let (own, reading) = (cost.own as f64 / 1e3, cost.reading as f64 / 1e3);
            let share = 100 * (cost.own + cost.reading) / total;
            let file = if file.is_empty() { "(what was typed)" } else { file };
            let _ = writeln!(text, "{own:10.1} ms {reading:9.1} ms  {share:4}%  {:10}  {file}", cost.calls);
        }
        text
    }
}
