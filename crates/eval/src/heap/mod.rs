//! The heap: one reservation of 8-byte words that never move, named by 32-bit handles.
//!
//! Handle 0 is never given out. A word holds a [`Value`], a pair of 32-bit
//! numbers (headers, shape entries) or eight bytes of a string. Fresh words are
//! zero, which reads as `null`. Everything above this module works with handles
//! and words; this is the only module of the crate with `unsafe` code.
//!
//! Why one reservation: a handle becomes an address by one addition. Only pages
//! that are touched take memory. How memory is reclaimed is described in
//! docs/design/0001-evaluator.md.

mod collect;
mod growing;
mod hints;
mod pages;
mod table;

pub(crate) use collect::Marker;
pub(crate) use table::{Table, roomy};

use crate::value::Value;
use std::ptr::NonNull;

/// The index of a word.
pub(crate) type Handle = u32;

/// The largest reservation: all words that a handle can name.
const MAX_WORDS: usize = 1 << 32;
/// The smallest reservation that is worth starting with.
const MIN_WORDS: usize = 1 << 20;
/// So many words are there without being asked for: what a short evaluation needs.
const FIRST_PIECE: usize = 16 << 10;
/// At most so many words are asked for at once.
const LARGEST_PIECE: usize = 128 << 10;
/// At least so many, and at most a quarter of what there is already.
const SMALLEST_PIECE: usize = 4 << 10;

/// What the words of an object hold, for the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Values.
    Values = 1,
    /// A pair of handles (or small numbers), then values.
    Headed = 2,
    /// Nothing that refers to anything.
    Raw = 3,
}

/// A region of the heap: where it begins, and what of it is kept.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    start: usize,
    kept: usize,
}

/// All values of one evaluator.
pub(crate) struct Heap {
    base: NonNull<u64>,
    /// Two bits for each word: what the object that begins there holds.
    kinds: NonNull<u8>,
    reserved: usize,
    next: usize,
    /// Where the place ends that `next` is in: a gap, or what the kernel was asked for at once.
    end: usize,
    /// Where certain shapes and texts may be.
    hints: hints::Hints,
    /// Names and positions of a set that is being made.
    pub(crate) names: Vec<u64>,
    /// The slots that its values come from.
    pub(crate) slots: Vec<Handle>,
    /// Lists that have room behind their ends.
    growing: growing::Growing,
    /// The end of all objects, up to date while `next` is in a gap.
    top: usize,
    /// Gaps that are free, the first one last.
    runs: Vec<(Handle, Handle)>,
    collected: bool,
    /// Words in use after the last collection, and how many there were.
    live: usize,
    collections: u32,
    /// From how many words in use on a collection is worth it.
    next_collection: usize,
    /// Where the innermost region begins; 0: there is none.
    region: usize,
    /// The highest handle of the innermost region, or of those inside of it, that is referred to from
    /// outside of its region.
    kept: usize,
    /// Allocation stops here: the smaller of the reservation and `max-memory`.
    limit: usize,
}

impl Heap {
    /// Reserves address space for at most `max_bytes` (0: as much as handles can name).
    pub(crate) fn new(max_bytes: usize) -> Option<Self> {
        let wanted = if max_bytes == 0 { MAX_WORDS } else { (max_bytes / 8).clamp(MIN_WORDS, MAX_WORDS) };
        let mut words = wanted;
        loop {
            if let (Some(base), Some(kinds)) = (pages::zeroed(words * 8), pages::zeroed(words / 4)) {
                let base = base.cast::<u64>();
                return Some(Self::of(base, kinds, words));
            }
            if words <= MIN_WORDS {
                return None;
            }
            words /= 2;
        }
    }

    fn of(base: NonNull<u64>, kinds: NonNull<u8>, words: usize) -> Self {
        Self {
            base,
            kinds,
            reserved: words,
            next: 16,
            end: FIRST_PIECE,
            hints: hints::Hints::default(),
            names: Vec::new(),
            slots: Vec::new(),
            growing: growing::Growing::default(),
            top: 16,
            runs: Vec::new(),
            collected: false,
            live: 0,
            collections: 0,
            next_collection: usize::MAX,
            region: 0,
            kept: 0,
            limit: words,
        }
    }

    /// The heap of a machine that gives no memory: room for constants only.
    pub(crate) fn none() -> Self {
        Self::new(1).unwrap_or_else(|| exhausted())
    }

    /// Bytes in use.
    pub(crate) fn used_bytes(&self) -> usize {
        self.top() * 8
    }

    /// Bytes that may still be taken.
    pub(crate) fn free_bytes(&self) -> usize {
        (self.limit - self.top()) * 8
    }

    /// The end of all objects.
    #[inline]
    fn top(&self) -> usize {
        self.next.max(self.top)
    }

    /// Says from how many bytes on a collection is worth it.
    pub(crate) fn collect_from(&mut self, bytes: usize) {
        self.next_collection = if bytes == 0 { usize::MAX } else { bytes / 8 };
    }

    /// How many collections there were, and the bytes that the last one found in use.
    pub(crate) fn collections(&self) -> (u32, usize) {
        (self.collections, self.live * 8)
    }

    /// Whether it is time for a collection.
    #[inline]
    pub(crate) fn wants_collection(&self) -> bool {
        self.runs.is_empty() && self.top() >= self.next_collection
    }

    /// Whether less than a sixteenth (at most 64 MiB) of the limit is left.
    pub(crate) fn nearly_full(&self) -> bool {
        self.runs.is_empty() && self.limit - self.top() < (self.limit / 16).min(8 << 20)
    }

    /// Takes `count` fresh zero words. When the heap is full the words are the
    /// reserved last ones, and [`Heap::nearly_full`] has long been true.
    #[inline]
    pub(crate) fn allocate(&mut self, content: Content, count: usize) -> Handle {
        let start = self.next;
        let end = start + count;
        if end > self.end {
            return self.allocate_elsewhere(content, count);
        }
        self.next = end;
        // No kind is noted for what is free.
        debug_assert!(self.kind(start as Handle) == 0);
        self.set_kinds_of_four(start, self.kinds_of_four(start) | (content as u8) << (start % 4 * 2));
        start as Handle
    }

    /// Begins a region: what is allocated until [`Heap::leave`] may be given back at once.
    #[inline]
    pub(crate) fn enter(&mut self) -> Region {
        let outer = Region { start: self.region, kept: self.kept };
        (self.region, self.kept) = (if self.collected { 0 } else { self.next }, 0);
        outer
    }

    /// Ends the region that began with `outer`. What was allocated in it is given back if `result`
    /// refers to nothing of it, and nothing of it was stored outside of it (see [`Heap::stored`]).
    #[inline]
    pub(crate) fn leave(&mut self, outer: Region, result: Option<Value>) {
        let (start, kept) = (self.region, self.kept);
        if let Some(result) = result
            && kept < start
            && !self.collected
            && self.next > start
            && result.is_older_than(start)
        {
            self.release(start);
        }
        (self.region, self.kept) = (outer.start, outer.kept.max(kept));
    }

    /// To be told of each value that is stored in a slot of an object that was there before: then
    /// the regions stay that the slot is outside of and the value is inside of.
    #[inline]
    pub(crate) fn stored(&mut self, slot: Handle, value: Value) {
        if (slot as usize) < self.region && value.tag() > crate::value::tag::INT {
            self.keep(value.handle());
        }
    }

    /// To be told of each handle that is kept outside of the heap: its region stays.
    #[inline]
    pub(crate) fn keep(&mut self, handle: Handle) {
        self.kept = self.kept.max(handle as usize);
    }

    /// All regions that have begun stay.
    #[inline]
    pub(crate) fn keep_all(&mut self) {
        self.kept = usize::MAX;
    }

    /// Ends all regions, after a panic went through them.
    pub(crate) fn forget_regions(&mut self) {
        (self.region, self.kept) = (0, 0);
    }

    /// Whether something was there before the innermost region began.
    #[inline]
    pub(crate) fn is_before_region(&self, handle: Handle) -> bool {
        (handle as usize) < self.region || self.region == 0
    }

    /// Gives back everything from a handle on.
    fn release(&mut self, start: usize) {
        debug_assert!(start >= 16 && start <= self.top());
        self.forget_growing(start);
        let count = self.next - start;
        self.words_mut(start as Handle, count).fill(0);
        self.forget_kinds(start, self.next);
        self.next = start;
    }

    /// Goes on at the end of all objects, with room for `count` words and some more: the kernel gives their pages
    /// at once.
    fn extend(&mut self, start: usize, count: usize) {
        let more = (start / 4).clamp(SMALLEST_PIECE, LARGEST_PIECE);
        let end = (start + count).next_multiple_of(512).saturating_add(more).min(self.limit);
        let (from, bytes) = (self.base.as_ptr() as usize + start * 8, (end - start) * 8);
        let kinds = self.kinds.as_ptr() as usize + start / 4;
        // Who fills something large may be interrupted meanwhile, and the kernel may not.
        if count <= LARGEST_PIECE {
            // SAFETY: both ranges are inside of the reservations, and giving pages changes no contents.
            unsafe {
                pages::touch(from, bytes);
                pages::touch(kinds, bytes / 32);
            }
        }
        (self.next, self.end) = (start, end);
    }

    /// The word at a handle.
    #[inline]
    pub(crate) fn word(&self, at: Handle) -> u64 {
        debug_assert!((at as usize) < self.top());
        // SAFETY: handles come from `allocate` (plus an offset inside of the
        // object), so `at` is below `next`, which is inside of the reservation.
        unsafe { *self.base.as_ptr().add(at as usize) }
    }

    /// Overwrites the word at a handle.
    #[inline]
    pub(crate) fn set_word(&mut self, at: Handle, word: u64) {
        debug_assert!((at as usize) < self.top());
        // SAFETY: as in `word`; `&mut self` makes the access exclusive.
        unsafe { *self.base.as_ptr().add(at as usize) = word }
    }

    /// The value in a slot.
    #[inline]
    pub(crate) fn value(&self, at: Handle) -> Value {
        Value::from_bits(self.word(at))
    }

    /// Overwrites the value in a slot.
    #[inline]
    pub(crate) fn set(&mut self, at: Handle, value: Value) {
        self.set_word(at, value.bits());
    }

    /// Two numbers of a header: low and high.
    #[inline]
    pub(crate) fn pair(&self, at: Handle) -> (u32, u32) {
        let word = self.word(at);
        (word as u32, (word >> 32) as u32)
    }

    /// Overwrites two numbers of a header.
    #[inline]
    pub(crate) fn set_pair(&mut self, at: Handle, low: u32, high: u32) {
        self.set_word(at, u64::from(low) | (u64::from(high) << 32));
    }

    /// A run of words.
    #[inline]
    pub(crate) fn words(&self, at: Handle, count: usize) -> &[u64] {
        assert!(at as usize + count <= self.top());
        // SAFETY: the range is inside of what was allocated (checked above).
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(at as usize), count) }
    }

    #[inline(always)]
    fn kinds_of_four(&self, at: usize) -> u8 {
        debug_assert!(at < self.reserved);
        // SAFETY: a byte for each four words of the reservation, in which all handles are.
        unsafe { *self.kinds.as_ptr().add(at / 4) }
    }

    #[inline(always)]
    fn set_kinds_of_four(&mut self, at: usize, kinds: u8) {
        debug_assert!(at < self.reserved);
        // SAFETY: as in `kinds_of_four`.
        unsafe { *self.kinds.as_ptr().add(at / 4) = kinds }
    }

    #[inline(always)]
    fn set_kind(&mut self, at: usize, kind: Content) {
        let shift = at % 4 * 2;
        let kinds = self.kinds_of_four(at);
        self.set_kinds_of_four(at, (kinds & !(3 << shift)) | (kind as u8) << shift);
    }

    /// No objects begin in a range any more.
    fn forget_kinds(&mut self, start: usize, end: usize) {
        // Bits of the first and of the last byte that are not of the range.
        let before = (1u8 << (start % 4 * 2)) - 1;
        let behind = !0u8 << (end % 4 * 2);
        let (first, last) = (start / 4 * 4, end / 4 * 4);
        if first == last {
            self.set_kinds_of_four(first, self.kinds_of_four(first) & (before | behind));
            return;
        }
        self.set_kinds_of_four(first, self.kinds_of_four(first) & before);
        for at in (first + 4..last).step_by(4) {
            self.set_kinds_of_four(at, 0);
        }
        if behind != !0 {
            self.set_kinds_of_four(last, self.kinds_of_four(last) & behind);
        }
    }

    /// Makes the words of a range fresh.
    fn clear(&mut self, start: usize, end: usize) {
        self.words_mut(start as Handle, end - start).fill(0);
    }

    fn words_mut(&mut self, at: Handle, count: usize) -> &mut [u64] {
        assert!(at as usize + count <= self.top());
        // SAFETY: the range is inside of what was allocated (checked above); `&mut self` makes it exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr().add(at as usize), count) }
    }

    /// Stores bytes as a string object: a length word, then the bytes.
    pub(crate) fn allocate_bytes(&mut self, bytes: &[u8]) -> Handle {
        let at = self.allocate(Content::Raw, 1 + bytes.len().div_ceil(8));
        self.set_word(at, bytes.len() as u64);
        let target = at as usize + 1;
        assert!(target + bytes.len().div_ceil(8) <= self.top());
        // SAFETY: the words from `target` on were just allocated and hold at
        // least `bytes.len()` bytes; `bytes` cannot overlap them, because a
        // borrow of the heap would forbid `&mut self`.
        unsafe {
            std::ptr::copy_nonoverlapping(
                bytes.as_ptr(),
                self.base.as_ptr().add(target).cast::<u8>(),
                bytes.len(),
            );
        }
        at
    }

    /// A string object of two others, one behind the other.
    pub(crate) fn join_bytes(&mut self, left: Handle, right: Handle) -> Handle {
        let (left_len, right_len) = (self.word(left) as usize, self.word(right) as usize);
        let total = left_len + right_len;
        let at = self.allocate(Content::Raw, 1 + total.div_ceil(8));
        self.set_word(at, total as u64);
        for (from, len, offset) in [(left, left_len, 0), (right, right_len, left_len)] {
            let (from_end, at_end) =
                (from as usize + 1 + len.div_ceil(8), at as usize + 1 + total.div_ceil(8));
            assert!(from_end <= at as usize || (from as usize >= at_end && from_end <= self.top()));
            // SAFETY: the source lies wholly below or above the fresh object (checked above), so the two do not
            // overlap; the fresh object has room for `total` bytes, of which `offset..offset + len` is a part.
            unsafe {
                let source = self.base.as_ptr().add(from as usize + 1).cast::<u8>();
                let target = self.base.as_ptr().add(at as usize + 1).cast::<u8>().add(offset);
                std::ptr::copy_nonoverlapping(source, target, len);
            }
        }
        at
    }

    /// A string object of a part of another one; the other one itself where that is all of it.
    pub(crate) fn part_of_bytes(&mut self, of: Handle, range: std::ops::Range<usize>) -> Handle {
        let len = self.word(of) as usize;
        if range == (0..len) {
            return of;
        }
        let count = range.len();
        assert!(range.start <= range.end && range.end <= len);
        let at = self.allocate(Content::Raw, 1 + count.div_ceil(8));
        self.set_word(at, count as u64);
        let (of_end, at_end) = (of as usize + 1 + len.div_ceil(8), at as usize + 1 + count.div_ceil(8));
        assert!(of_end <= at as usize || (of as usize >= at_end && of_end <= self.top()));
        // SAFETY: the source lies wholly below or above the fresh object (checked above), so the two do not
        // overlap; the range is inside of the source, and the fresh object has room for `count` bytes.
        unsafe {
            let source = self.base.as_ptr().add(of as usize + 1).cast::<u8>().add(range.start);
            let target = self.base.as_ptr().add(at as usize + 1).cast::<u8>();
            std::ptr::copy_nonoverlapping(source, target, count);
        }
        at
    }

    /// The bytes of a string object.
    #[inline]
    pub(crate) fn bytes(&self, at: Handle) -> &[u8] {
        let len = self.word(at) as usize;
        assert!(at as usize + 1 + len.div_ceil(8) <= self.top());
        // SAFETY: inside of what was allocated (checked above); every byte of
        // the reservation is initialized (zeroed).
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(at as usize + 1).cast::<u8>(), len) }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: both were reserved in `new` with these very sizes, and nothing refers to them any more.
        unsafe {
            pages::give_back(self.base.cast(), self.reserved * 8);
            pages::give_back(self.kinds, self.reserved / 4);
        }
    }
}

/// The last resort when one single object is larger than the rest of the heap.
#[cold]
fn exhausted() -> ! {
    std::panic::resume_unwind(Box::new(HeapExhausted))
}

/// What unwinds when the heap is full; the evaluator's entry points turn it into an error.
pub(crate) struct HeapExhausted;

/// Calls with each four bytes of the native stack between two addresses, read as a handle.
pub(crate) fn scan_stack(low: usize, high: usize, mut found: impl FnMut(Handle)) {
    let mut at = low.next_multiple_of(4);
    while at + 4 <= high {
        // SAFETY: the caller gives a part of this thread's own stack that is in use, all of which is
        // readable; the read is volatile, as the bytes belong to other variables.
        found(unsafe { std::ptr::with_exposed_provenance::<Handle>(at).read_volatile() });
        at += 4;
    }
}

/// Calls with the processor's registers that a function keeps for its caller.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
pub(crate) fn with_registers<T>(work: impl FnOnce(&[u64]) -> T) -> T {
    let mut kept = [0u64; 6];
    // SAFETY: the registers are stored into an array that is large enough, and nothing else is touched.
    unsafe {
        std::arch::asm!(
            "mov [{0}], rbx", "mov [{0} + 8], rbp", "mov [{0} + 16], r12",
            "mov [{0} + 24], r13", "mov [{0} + 32], r14", "mov [{0} + 40], r15",
            in(reg) kept.as_mut_ptr(), options(nostack, preserves_flags)
        );
    }
    work(&kept)
}

/// Calls with the processor's registers that a function keeps for its caller.
#[cfg(target_arch = "aarch64")]
#[inline(never)]
pub(crate) fn with_registers<T>(work: impl FnOnce(&[u64]) -> T) -> T {
    let mut kept = [0u64; 12];
    // SAFETY: the registers are stored into an array that is large enough, and nothing else is touched.
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{0}]", "stp x21, x22, [{0}, #16]", "stp x23, x24, [{0}, #32]",
            "stp x25, x26, [{0}, #48]", "stp x27, x28, [{0}, #64]", "stp x29, x30, [{0}, #80]",
            in(reg) kept.as_mut_ptr(), options(nostack, preserves_flags)
        );
    }
    work(&kept)
}

/// Whether the native stack can be searched here.
pub(crate) const CAN_COLLECT: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

/// The highest address of this thread's stack.
#[cfg(target_os = "linux")]
pub(crate) fn thread_stack_top() -> Option<usize> {
    // SAFETY: the attributes are filled by the call that comes first, and destroyed in the end.
    unsafe {
        let mut attributes = std::mem::zeroed::<libc::pthread_attr_t>();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return None;
        }
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        let known = libc::pthread_attr_getstack(&raw const attributes, &raw mut low, &raw mut size) == 0;
        libc::pthread_attr_destroy(&raw mut attributes);
        known.then(|| low as usize + size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_kinds_of_a_range_are_forgotten() {
        for start in 16..28 {
            for end in start..32 {
                let mut heap = Heap::new(1).unwrap();
                (16..32).for_each(|at| heap.set_kind(at, Content::Raw));
                heap.forget_kinds(start, end);
                for at in 16..32 {
                    let wanted = if (start..end).contains(&at) { 0 } else { Content::Raw as u8 };
                    assert_eq!(heap.kind(at as Handle), wanted, "{at} of {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn what_is_allocated_beyond_a_piece_is_fresh_and_in_one() {
        let mut heap = Heap::new(0).unwrap();
        for count in [1, FIRST_PIECE - 20, 3, LARGEST_PIECE + 1, 2, SMALLEST_PIECE * 40] {
            let at = heap.allocate(Content::Raw, count);
            assert!(heap.words(at, count).iter().all(|word| *word == 0));
            heap.words_mut(at, count).fill(u64::MAX);
            assert_eq!(heap.object_end(at) as usize, at as usize + count);
        }
    }
}
