//! Expressions whose match depends on the order in which ways are tried.
//!
//! C++ Nix runs libstdc++'s depth-first matcher. It tries all alternatives and takes the longest, but a repetition that
//! led to a match is not tried with fewer rounds; and at one place it may be entered twice, so that the last round of
//! `(a*)+` is an empty one. Here the same ways are tried in the same order; whether there is a match at all, and where
//! it begins, is known before.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// How many steps are taken before the search is given up: about a fifth of a second.
const STEPS: usize = 32_000_000;

/// A part of the matcher; numbers are places in the program.
enum Step {
    /// One byte of a set, then the next step.
    Byte(Box<[bool; 256]>),
    /// Nothing, at a place that fits.
    Look(Look),
    /// The start (even) or end (odd) of a group.
    Mark(usize),
    /// Another round at the first, if one is left to take at this place, or on at the second.
    Repeat {
        body: usize,
        after: usize,
    },
    /// The first way, or the second.
    Either(usize, usize),
    Jump(usize),
    Accept,
}

/// A program for one expression.
pub(super) struct Program {
    steps: Vec<Step>,
    groups: usize,
}

/// What is undone when a way turns out to be wrong.
enum Undo {
    /// Go on here.
    Try { step: usize, at: usize },
    /// A group's mark was this.
    Mark(usize, Option<usize>),
    /// A repetition was entered at this place so many times.
    Round(usize, (usize, u8)),
    /// The second of two ways is still to be tried.
    Other { step: usize, at: usize },
    /// Whether the first of two ways led to a match.
    Found(bool),
}

/// From where a match goes where, by group.
pub(super) type Spans = Vec<Option<(usize, usize)>>;

/// Whether the match depends on the order: alternatives, and groups in rounds that may be empty.
pub(super) fn is_needed(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Alternation(_) => true,
        HirKind::Repetition(repetition) => {
            let several = repetition.max.is_none_or(|max| max > 1);
            let empty = repetition.sub.properties().minimum_len() == Some(0);
            let groups = repetition.sub.properties().explicit_captures_len() > 0;
            several && empty && groups || is_needed(&repetition.sub)
        }
        HirKind::Capture(capture) => is_needed(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(is_needed),
        _ => false,
    }
}

impl Program {
    /// Compiles an expression with so many groups; `None` where it gets too large.
    pub(super) fn new(hir: &Hir, groups: usize) -> Option<Self> {
        let mut program = Self { steps: Vec::new(), groups };
        program.compile(hir)?;
        program.push(Step::Accept)?;
        Some(program)
    }

    fn push(&mut self, step: Step) -> Option<usize> {
        self.steps.push(step);
        (self.steps.len() < 100_000).then(|| self.steps.len() - 1)
    }

    fn bytes(&mut self, fits: impl Fn(u8) -> bool) -> Option<()> {
        let mut set = Box::new([false; 256]);
        for byte in 0..=255 {
            set[usize::from(byte)] = fits(byte);
        }
        self.push(Step::Byte(set)).map(drop)
    }

    fn compile(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                for byte in &literal.0 {
                    self.bytes(|other| other == *byte)?;
                }
            }
            HirKind::Class(Class::Bytes(class)) => {
                self.bytes(|byte| class.iter().any(|range| (range.start()..=range.end()).contains(&byte)))?;
            }
            HirKind::Class(Class::Unicode(_)) => return None,
            HirKind::Look(look) => {
                self.push(Step::Look(*look))?;
            }
            HirKind::Capture(capture) => {
                let group = usize::try_from(capture.index).ok()?;
                self.push(Step::Mark(group * 2))?;
                self.compile(&capture.sub)?;
                self.push(Step::Mark(group * 2 + 1))?;
            }
            HirKind::Concat(parts) => {
                for part in parts {
                    self.compile(part)?;
                }
            }
            HirKind::Alternation(parts) => self.alternatives(parts)?,
            HirKind::Repetition(repetition) => {
                self.repetition(&repetition.sub, repetition.min, repetition.max)?
            }
        }
        Some(())
    }

    fn alternatives(&mut self, parts: &[Hir]) -> Option<()> {
        let (last, others) = parts.split_last()?;
        let mut ends = Vec::new();
        for part in others {
            let either = self.push(Step::Either(0, 0))?;
            self.compile(part)?;
            ends.push(self.push(Step::Jump(0))?);
            self.steps[either] = Step::Either(either + 1, self.steps.len());
        }
        self.compile(last)?;
        for end in ends {
            self.steps[end] = Step::Jump(self.steps.len());
        }
        Some(())
    }

    fn repetition(&mut self, sub: &Hir, min: u32, max: Option<u32>) -> Option<()> {
        for _ in 0..min {
            self.compile(sub)?;
        }
        let Some(max) = max else {
            let repeat = self.push(Step::Repeat { body: 0, after: 0 })?;
            self.compile(sub)?;
            self.push(Step::Jump(repeat))?;
            self.steps[repeat] = Step::Repeat { body: repeat + 1, after: self.steps.len() };
            return Some(());
        };
        let mut repeats = Vec::new();
        for _ in min..max {
            repeats.push(self.push(Step::Repeat { body: 0, after: 0 })?);
            self.compile(sub)?;
        }
        for repeat in repeats {
            self.steps[repeat] = Step::Repeat { body: repeat + 1, after: self.steps.len() };
        }
        Some(())
    }

    /// The match that begins at a place, and goes to the end of the text where it is to be `whole`; `None` where there
    /// is none, or where the search was given up.
    pub(super) fn find(&self, text: &[u8], start: usize, whole: bool) -> Option<Spans> {
        let mut search = Search {
            marks: vec![None; (self.groups + 1) * 2],
            rounds: vec![(0, 0); self.steps.len()],
            undo: Vec::new(),
            found: false,
        };
        let (mut step, mut at) = (0, start);
        let mut best: Option<(usize, Vec<Option<usize>>)> = None;
        for _ in 0..STEPS {
            if matches!(self.steps[step], Step::Accept) && (!whole || at == text.len()) {
                search.found = true;
                if best.as_ref().is_none_or(|(end, _)| *end < at) {
                    best = Some((at, search.marks.clone()));
                }
                if at == text.len() {
                    return best.map(|best| self.spans(start, best));
                }
            }
            match self.advance(&mut search, text, step, at).or_else(|| search.back()) {
                Some(next) => (step, at) = next,
                None => return best.map(|best| self.spans(start, best)),
            }
        }
        // The first match of a length counts, so that what was found is most often what a whole search finds.
        best.map(|best| self.spans(start, best))
    }

    fn spans(&self, start: usize, (end, marks): (usize, Vec<Option<usize>>)) -> Spans {
        let group = |group: usize| Some((marks[group * 2]?, marks[group * 2 + 1]?));
        std::iter::once(Some((start, end))).chain((1..=self.groups).map(group)).collect()
    }

    /// One step; `None` where this way ends.
    fn advance(&self, search: &mut Search, text: &[u8], step: usize, at: usize) -> Option<(usize, usize)> {
        let fits = match &self.steps[step] {
            Step::Accept => false,
            Step::Byte(set) => {
                return text
                    .get(at)
                    .is_some_and(|byte| set[usize::from(*byte)])
                    .then_some((step + 1, at + 1));
            }
            Step::Look(Look::Start) => at == 0,
            Step::Look(_) => at == text.len(),
            Step::Mark(mark) => {
                search.undo.push(Undo::Mark(*mark, search.marks[*mark]));
                search.marks[*mark] = Some(at);
                true
            }
            Step::Jump(to) => return Some((*to, at)),
            Step::Either(first, second) => {
                search.undo.push(Undo::Other { step: *second, at });
                return Some((*first, at));
            }
            Step::Repeat { body, after } => {
                let (place, count) = search.rounds[step];
                let fresh = count == 0 || place != at;
                if !fresh && count >= 2 {
                    return Some((*after, at));
                }
                search.undo.push(Undo::Try { step: *after, at });
                search.undo.push(Undo::Round(step, (place, count)));
                search.rounds[step] = (at, if fresh { 1 } else { count + 1 });
                return Some((*body, at));
            }
        };
        fits.then_some((step + 1, at))
    }
}

/// What is known on the way.
struct Search {
    marks: Vec<Option<usize>>,
    rounds: Vec<(usize, u8)>,
    undo: Vec<Undo>,
    /// Whether the way that is tried led to a match.
    found: bool,
}

impl Search {
    /// The next way that is left.
    fn back(&mut self) -> Option<(usize, usize)> {
        loop {
            match self.undo.pop()? {
                // A repetition that led to a match is not tried with fewer rounds.
                Undo::Try { .. } if self.found => {}
                Undo::Try { step, at } => return Some((step, at)),
                Undo::Other { step, at } => {
                    self.undo.push(Undo::Found(self.found));
                    self.found = false;
                    return Some((step, at));
                }
                Undo::Found(before) => self.found |= before,
                Undo::Mark(mark, was) => self.marks[mark] = was,
                Undo::Round(repeat, was) => self.rounds[repeat] = was,
            }
        }
    }
}
