//! Finding what is still referred to, and making room of the rest.
//!
//! Objects never move. The map of kinds says where each object begins and what its words
//! hold, so that marking is exact inside of the heap, and a handle that points inside of an
//! object finds it. Roots outside of the heap may be found by chance: whatever looks like a
//! handle on the native stack keeps the object it would point to.

use super::{Content, Handle, Heap};
use crate::value::{Value, tag};

/// A gap of at least this many words is used again.
const SMALLEST_RUN: usize = 16;
/// A number of 64 bits that no value has.
const POISON: u64 = 0xdead_beef_dead_bee2;
/// So much of a gap is made ready at a time: what the processor's cache holds.
const LARGEST_RUN: usize = 8192;

/// The "shape" of sets whose second word is a pair of sets too (see `attrs`).
const FIRST_SHAPE: u32 = 4;

/// Marks what roots refer to.
pub(crate) struct Marker<'a> {
    heap: &'a Heap,
    /// A bit for each word.
    marks: Vec<u64>,
    /// Objects whose words are to be looked at.
    work: Vec<Handle>,
}

impl<'a> Marker<'a> {
    pub(crate) fn new(heap: &'a Heap) -> Self {
        Self { heap, marks: vec![0; heap.top().div_ceil(64)], work: Vec::new() }
    }

    /// Marks what a value refers to.
    pub(crate) fn value(&mut self, value: Value) {
        if value.tag() > tag::INT && value != Value::BLACKHOLE {
            self.handle(value.handle());
        }
    }

    /// Marks the object that a handle points to, or into.
    pub(crate) fn handle(&mut self, handle: Handle) {
        if handle < 16 || handle as usize >= self.heap.top() {
            return;
        }
        // All words of an object are marked, so that whoever points inside of it need not find its start.
        if self.is_marked(handle) {
            return;
        }
        let start = self.heap.object_start(handle);
        let end = self.heap.object_end(start);
        for at in start as usize..end as usize {
            self.marks[at / 64] |= 1 << (at % 64);
        }
        if self.heap.kind(start) != Content::Raw as u8 {
            self.work.push(start);
        }
    }

    fn is_marked(&self, at: Handle) -> bool {
        self.marks[at as usize / 64] & (1 << (at % 64)) != 0
    }

    /// Marks all that is referred to from what was marked.
    pub(crate) fn finish(&mut self) {
        while let Some(start) = self.work.pop() {
            self.object(start);
        }
    }

    fn object(&mut self, start: Handle) {
        let end = self.heap.object_end(start);
        let mut at = start;
        if self.heap.kind(start) == Content::Headed as u8 {
            let (low, high) = self.heap.pair(start);
            self.handle(low);
            self.handle(high);
            at += 1;
            if high < FIRST_SHAPE && high > 1 && at < end {
                let (base, top) = self.heap.pair(at);
                self.handle(base);
                self.handle(top);
            }
        }
        while at < end {
            self.value(self.heap.value(at));
            at += 1;
        }
    }

    /// A bit for each word: whether something refers to it.
    pub(crate) fn marks(self) -> Marks {
        Marks { marks: self.marks, top: self.heap.top() }
    }
}

/// What a collection found.
pub(crate) struct Marks {
    marks: Vec<u64>,
    top: usize,
}

impl Marks {
    /// The runs of words that nothing refers to, each once, in order.
    fn gaps(&self) -> impl Iterator<Item = (usize, usize)> {
        let is_marked = |at: usize| self.marks[at / 64] & (1 << (at % 64)) != 0;
        let mut at = 16;
        std::iter::from_fn(move || {
            while at < self.top && is_marked(at) {
                at += if at.is_multiple_of(64) && self.marks[at / 64] == u64::MAX { 64 } else { 1 };
            }
            if at >= self.top {
                return None;
            }
            let start = at;
            while at < self.top && !is_marked(at) {
                at +=
                    if at.is_multiple_of(64) && self.marks[at / 64] == 0 { 64.min(self.top - at) } else { 1 };
            }
            Some((start, at))
        })
    }
}

impl Heap {
    /// What the object at a handle holds; 0 inside of an object.
    #[inline]
    pub(super) fn kind(&self, at: Handle) -> u8 {
        self.kinds_of_four(at as usize) >> (at % 4 * 2) & 3
    }

    fn object_start(&self, handle: Handle) -> Handle {
        let mut at = handle;
        while at > 16 && self.kind(at) == 0 {
            at -= if at % 4 == 3 && at > 20 && self.kinds_of_four(at as usize) == 0 { 4 } else { 1 };
        }
        at
    }

    pub(super) fn object_end(&self, start: Handle) -> Handle {
        let top = self.top();
        let mut at = start as usize + 1;
        while at < top && self.kind(at as Handle) == 0 {
            at += if at.is_multiple_of(4) && self.kinds_of_four(at) == 0 { 4 } else { 1 };
        }
        at.min(top) as Handle
    }

    /// To be called before marking: what is left of the current place is no part of an object.
    pub(crate) fn begin_collection(&mut self) {
        self.top = self.top();
        self.abandon_run();
        (self.next, self.end) = (self.top, self.top);
    }

    /// Begins to use the gaps that marking left. From now on nothing is given back by regions:
    /// they need what is allocated later to lie higher.
    /// With `poison` whoever still reads from them finds nonsense at once.
    pub(crate) fn reuse(&mut self, marks: &Marks, poison: bool) {
        self.forget_growing(0);
        self.hints = super::hints::Hints::default();
        self.collected = true;
        (self.region, self.kept) = (0, 0);
        self.runs.clear();
        for (start, end) in marks.gaps() {
            self.forget_kinds(start, end);
            self.set_kind(start, Content::Raw);
            if poison {
                self.words_mut(start as Handle, end - start).fill(POISON);
            }
            if end - start >= SMALLEST_RUN {
                // The very last handle of all is left out.
                self.runs.push((start as Handle, end.min(u32::MAX as usize) as Handle));
            }
        }
        self.runs.reverse();
        let free: usize = self.runs.iter().map(|(start, end)| (end - start) as usize).sum();
        // So much is made before the next collection that marking costs a part of it only.
        self.live = self.top - free;
        self.next_collection = self.top + (self.live / 4).saturating_sub(free);
        self.collections += 1;
    }

    /// Ends the use of the current gap: what is left of it is an object that nobody refers to.
    fn abandon_run(&mut self) {
        if self.next < self.end && self.next < self.top {
            self.set_kind(self.next, Content::Raw);
        }
    }

    /// Takes words where the current place has not enough.
    #[cold]
    pub(super) fn allocate_elsewhere(&mut self, content: Content, count: usize) -> Handle {
        if count < SMALLEST_RUN
            && let Some((start, end)) = self.runs.pop()
        {
            let (start, mut end) = (start as usize, end as usize);
            self.abandon_run();
            self.forget_kinds(start, end);
            if end - start > LARGEST_RUN {
                self.set_kind(start + LARGEST_RUN, Content::Raw);
                self.runs.push(((start + LARGEST_RUN) as Handle, end as Handle));
                end = start + LARGEST_RUN;
            }
            self.clear(start, end);
            (self.next, self.end) = (start, end);
            return self.allocate(content, count);
        }
        self.top = self.top();
        let start = self.top;
        if start + count > self.limit {
            super::exhausted();
        }
        if self.runs.is_empty() {
            self.abandon_run();
            self.extend(start, count);
            return self.allocate(content, count);
        }
        // Too large for a gap: at the top, while the gap stays in use.
        self.top = start + count;
        self.set_kind(start, content);
        start as Handle
    }
}
