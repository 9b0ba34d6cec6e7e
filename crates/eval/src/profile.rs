//! What an evaluation spends its time on: a tree of who called whom.
//!
//! There is no clock here. Whoever wants a profile gives a counter of microseconds that somebody else moves on; each time
//! a function or builtin is entered or left, what passed since the last time is put down to where evaluation was. So a
//! profile costs a few percent where it is asked for, and a branch per call where it is not.

use crate::evaluator::Evaluator;
use crate::value::{Value, tag};
use nival_diagnostics::SourceId;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a part of the time went into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Work {
    /// The root: what was asked for.
    All,
    /// A function of the language, by its code.
    Lambda(u32),
    /// A builtin.
    Native(u32),
    /// Reading a file and making a program of it.
    Reading(u32),
    /// Copying a path into the store, or hashing it for that.
    Copying,
}

struct Branch {
    parent: u32,
    work: Work,
    micros: u64,
    calls: u64,
}

/// A profile that is being taken.
pub(crate) struct Profile {
    clock: &'static AtomicU64,
    seen: u64,
    branches: Vec<Branch>,
    known: FxHashMap<(u32, Work), u32>,
    path: Vec<u32>,
}

/// The kind of work that a frame of a profile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// What was asked for.
    Root,
    /// A function of the language.
    Function,
    /// A builtin.
    Builtin,
    /// Reading a file and making a program of it.
    Reading,
    /// Copying into the store, or hashing for that.
    Copying,
}

/// One frame of a profile: a function where it was called from.
#[derive(Clone, Debug)]
pub struct ProfileFrame {
    /// The frame that it was called from, by its index; the root is its own.
    pub parent: usize,
    /// What it is.
    pub kind: FrameKind,
    /// What it is called.
    pub name: String,
    /// The file and line, where there is one.
    pub place: String,
    /// The file alone.
    pub file: String,
    /// Microseconds, without those of frames below.
    pub micros: u64,
    /// How often it was entered from there.
    pub calls: u64,
}

impl Profile {
    fn new(clock: &'static AtomicU64) -> Self {
        let root = Branch { parent: 0, work: Work::All, micros: 0, calls: 1 };
        let seen = clock.load(Ordering::Relaxed);
        Self { clock, seen, branches: vec![root], known: FxHashMap::default(), path: vec![0] }
    }

    /// Puts the time that passed down to where evaluation was.
    fn put_down(&mut self) {
        let now = self.clock.load(Ordering::Relaxed);
        if now != self.seen
            && let Some(top) = self.path.last()
        {
            self.branches[*top as usize].micros += now.saturating_sub(self.seen);
            self.seen = now;
        }
    }

    fn enter(&mut self, work: Work) {
        self.put_down();
        let parent = self.path.last().copied().unwrap_or(0);
        // Recursion is one frame: a tree that is as deep as the calls shows nothing.
        if self.branches[parent as usize].work == work {
            self.branches[parent as usize].calls += 1;
            self.path.push(parent);
            return;
        }
        let next = self.branches.len() as u32;
        let at = *self.known.entry((parent, work)).or_insert(next);
        if at == next {
            self.branches.push(Branch { parent, work, micros: 0, calls: 0 });
        }
        self.branches[at as usize].calls += 1;
        self.path.push(at);
    }

    fn leave(&mut self, mark: u32) {
        self.put_down();
        self.path.truncate(mark as usize);
    }
}

impl Evaluator {
    /// Begins to take a profile; `clock` counts microseconds and is moved on by somebody else.
    pub fn begin_profile(&mut self, clock: &'static AtomicU64) {
        self.profile = Some(Box::new(Profile::new(clock)));
        self.profile_depth = 1;
    }

    /// Ends the profile: all frames, each behind the one that it was called from.
    pub fn take_profile(&mut self) -> Vec<ProfileFrame> {
        let Some(mut profile) = self.profile.take() else { return Vec::new() };
        self.profile_depth = 0;
        profile.put_down();
        profile.branches.iter().map(|branch| self.profile_frame(branch)).collect()
    }

    fn profile_frame(&self, branch: &Branch) -> ProfileFrame {
        let (kind, name, place, file) = match branch.work {
            Work::All => (FrameKind::Root, "evaluation".to_owned(), String::new(), String::new()),
            Work::Lambda(id) => {
                let level = self.code.levels.get(self.code.lambdas.get(id).levels);
                let name =
                    level.name.map_or_else(|| "function".to_owned(), |name| self.name(name).to_owned());
                let span = self.span_of((level.position, level.position + 1));
                let place = span.map(|span| self.sources.place(span)).unwrap_or_default();
                let file = span.map(|span| self.sources.name(span.source).to_owned()).unwrap_or_default();
                (FrameKind::Function, name, place, file)
            }
            Work::Native(id) => {
                let name = self.natives.get(id as usize).map(|native| native.name.to_string());
                (FrameKind::Builtin, name.unwrap_or_default(), String::new(), String::new())
            }
            Work::Reading(id) => {
                let file = self.sources.name(SourceId(id)).to_owned();
                let short = file.rsplit('/').next().unwrap_or_default().to_owned();
                (FrameKind::Reading, format!("reading {short}"), file.clone(), file)
            }
            Work::Copying => {
                (FrameKind::Copying, "copying into the store".to_owned(), String::new(), String::new())
            }
        };
        ProfileFrame {
            parent: branch.parent as usize,
            kind,
            name,
            place,
            file,
            micros: branch.micros,
            calls: branch.calls,
        }
    }

    fn profile_work(&mut self, work: Work) {
        if let Some(profile) = &mut self.profile {
            profile.enter(work);
            self.profile_depth = profile.path.len() as u32;
        }
    }

    /// A function is called; calls in tail position take the place of the one before, which began at `mark`.
    #[cold]
    pub(crate) fn profile_call(&mut self, function: Value, mark: u32) {
        self.profile_leave(mark);
        match function.tag() {
            tag::LAMBDA | tag::PARTIAL => self.profile_work(Work::Lambda(function.detail())),
            tag::NATIVE => self.profile_work(Work::Native(function.detail())),
            _ => {}
        }
    }

    /// Back to where evaluation was at `mark`.
    #[cold]
    pub(crate) fn profile_leave(&mut self, mark: u32) {
        if let Some(profile) = &mut self.profile {
            profile.leave(mark);
            self.profile_depth = mark;
        }
    }

    /// Does something that is a frame of its own.
    pub(crate) fn profiled_reading<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let (mark, source) = (self.profile_depth, self.source_bases.len() as u32);
        if mark > 0 {
            self.profile_work(Work::Reading(source));
        }
        let result = work(self);
        if mark > 0 {
            self.profile_leave(mark);
        }
        result
    }

    /// As [`Self::profiled_reading`], for what is copied into the store.
    pub(crate) fn profiled_copying<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.profile_depth;
        if mark > 0 {
            self.profile_work(Work::Copying);
        }
        let result = work(self);
        if mark > 0 {
            self.profile_leave(mark);
        }
        result
    }
}
