//! Groups of expressions that repeat what may be empty.
//!
//! What such a group holds depends on how often an empty round is taken. C++ Nix runs libstdc++'s depth-first matcher:
//! at one place a repetition may be entered twice, so that the last round of `(a*)+` is an empty one. Here the same
//! ways are tried in the same order; whether there is a match at all is known before.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// How many steps are taken before the search is given up.
const STEPS: usize = 4_000_000;

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
}

/// Whether groups depend on how empty rounds are counted.
pub(super) fn is_needed(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let several = repetition.max.is_none_or(|max| max > 1);
            let empty = repetition.sub.properties().minimum_len() == Some(0);
            let groups = repetition.sub.properties().explicit_captures_len() > 0;
            several && empty && groups || is_needed(&repetition.sub)
        }
        HirKind::Capture(capture) => is_needed(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(is_needed),
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

    /// The groups of the first way in which the expression is all of the text; `None` where the search was given up.
    pub(super) fn groups(&self, text: &[u8]) -> Option<Vec<Option<(usize, usize)>>> {
        let mut marks: Vec<Option<usize>> = vec![None; (self.groups + 1) * 2];
        let mut rounds: Vec<(usize, u8)> = vec![(0, 0); self.steps.len()];
        let mut undo: Vec<Undo> = Vec::new();
        let (mut step, mut at) = (0, 0);
        for _ in 0..STEPS {
            let fits = match &self.steps[step] {
                Step::Accept if at == text.len() => break,
                Step::Accept => false,
                Step::Byte(set) => text.get(at).is_some_and(|byte| set[usize::from(*byte)]),
                Step::Look(Look::Start) => at == 0,
                Step::Look(_) => at == text.len(),
                Step::Mark(mark) => {
                    undo.push(Undo::Mark(*mark, marks[*mark]));
                    marks[*mark] = Some(at);
                    true
                }
                Step::Jump(to) => {
                    step = *to;
                    continue;
                }
                Step::Either(first, second) => {
                    undo.push(Undo::Try { step: *second, at });
                    step = *first;
                    continue;
                }
                Step::Repeat { body, after } => {
                    let (place, count) = rounds[step];
                    let fresh = count == 0 || place != at;
                    undo.push(Undo::Try { step: *after, at });
                    if fresh || count < 2 {
                        undo.push(Undo::Round(step, (place, count)));
                        rounds[step] = (at, if fresh { 1 } else { count + 1 });
                        step = *body;
                        continue;
                    }
                    false
                }
            };
            if fits {
                at += usize::from(matches!(self.steps[step], Step::Byte(_)));
                step += 1;
                continue;
            }
            loop {
                match undo.pop()? {
                    Undo::Try { step: to, at: place } => {
                        (step, at) = (to, place);
                        break;
                    }
                    Undo::Mark(mark, was) => marks[mark] = was,
                    Undo::Round(repeat, was) => rounds[repeat] = was,
                }
            }
        }
        if !matches!(self.steps[step], Step::Accept) || at != text.len() {
            return None;
        }
        Some((0..=self.groups).map(|group| Some((marks[group * 2]?, marks[group * 2 + 1]?))).collect())
    }
}
