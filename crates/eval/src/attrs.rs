//! Attribute sets in the heap.
//!
//! A *shape* is the sorted names of a set with the position of each definition;
//! all sets that one literal makes share it, and so do the results of `mapAttrs`
//! and of the same `//` done again. A set is a header (frame it is, if
//! recursive; shape) and a slot per name. `//` of something small onto something
//! large makes a *layer*: two sets and no copy; when somebody wants all names of
//! it, it is flattened once, in place.

use crate::heap::{Content, Handle, Heap};
use crate::value::Value;
use nival_syntax::Symbol;

/// Flag of a shape: made by a literal, or kept in the table of updates; worth caching.
pub(crate) const SHARED: u32 = 1;

/// In the place of a frame: the attributes of this set have no positions.
const NO_POSITIONS: Handle = 1;
/// The "shape" of a layer: then base and top, then an upper bound of the count.
const LAYER: Handle = 2;
/// The "shape" of a layer that was flattened: then the flat set.
const FORWARD: Handle = 3;
/// The shape without names.
pub(crate) const EMPTY_SHAPE: Handle = 4;
/// The set without attributes.
pub(crate) const EMPTY_SET: Handle = 6;

/// A base of at least this many attributes is layered under a small top.
const LAYER_MIN: u32 = 24;
/// The top must be this many times smaller than the base.
const LAYER_RATIO: u32 = 4;
/// Layers on layers are flattened at this depth.
const LAYER_DEPTH: u32 = 8;

/// Puts the constants at their fixed handles; called once, on a fresh heap.
pub(crate) fn prepare(heap: &mut Heap) {
    heap.set_pair(EMPTY_SHAPE, 0, SHARED);
    heap.set_pair(EMPTY_SET, 0, EMPTY_SHAPE);
}

/// Makes a shape of sorted names with positions.
pub(crate) fn new_shape(heap: &mut Heap, entries: &[(Symbol, u32)], flags: u32) -> Handle {
    if entries.is_empty() {
        return EMPTY_SHAPE;
    }
    let at = heap.allocate(Content::Raw, 1 + entries.len());
    heap.set_pair(at, entries.len() as u32, flags);
    for (index, (name, position)) in entries.iter().enumerate() {
        heap.set_pair(at + 1 + index as u32, name.0, *position);
    }
    at
}

/// How many names a shape has.
#[inline]
pub(crate) fn shape_len(heap: &Heap, shape: Handle) -> u32 {
    heap.pair(shape).0
}

/// The name and position at an index of a shape.
#[inline]
pub(crate) fn entry(heap: &Heap, shape: Handle, index: u32) -> (Symbol, u32) {
    let (name, position) = heap.pair(shape + 1 + index);
    (Symbol(name), position)
}

/// The index of a name.
pub(crate) fn index_of(heap: &Heap, shape: Handle, name: Symbol) -> Option<u32> {
    let len = shape_len(heap, shape) as usize;
    let words = heap.words(shape + 1, len);
    if len <= 8 {
        return words.iter().position(|word| *word as u32 == name.0).map(|at| at as u32);
    }
    words.binary_search_by_key(&name.0, |word| *word as u32).ok().map(|at| at as u32)
}

/// The shape of a set that is flat; `None` for a layer.
#[inline]
pub(crate) fn flat_shape(heap: &Heap, set: Handle) -> Option<Handle> {
    let shape = heap.pair(set).1;
    (shape > FORWARD).then_some(shape)
}

/// The shape of a flat set, if many sets have it.
pub(crate) fn shared_shape(heap: &Heap, set: Handle) -> Option<Handle> {
    flat_shape(heap, set).filter(|shape| heap.pair(*shape).1 == SHARED)
}

/// A fresh set of a shape; its slots are to be filled.
pub(crate) fn new_set(heap: &mut Heap, shape: Handle) -> Handle {
    let len = shape_len(heap, shape);
    if len == 0 {
        return EMPTY_SET;
    }
    let at = heap.allocate(Content::Headed, 1 + len as usize);
    heap.set_pair(at, 0, shape);
    at
}

/// Forgets where the attributes of a fresh flat set are defined.
pub(crate) fn drop_positions(heap: &mut Heap, set: Handle) {
    if set != EMPTY_SET {
        let shape = heap.pair(set).1;
        heap.set_pair(set, NO_POSITIONS, shape);
    }
}

fn has_positions(heap: &Heap, set: Handle) -> bool {
    heap.pair(set).0 != NO_POSITIONS
}

/// The slot and position of an attribute.
pub(crate) fn find(heap: &Heap, set: Handle, name: Symbol) -> Option<(Handle, u32)> {
    let mut set = set;
    loop {
        match heap.pair(set).1 {
            LAYER => {
                let (base, top) = heap.pair(set + 1);
                if let Some(found) = find(heap, top, name) {
                    return Some(found);
                }
                set = base;
            }
            FORWARD => set = heap.pair(set + 1).0,
            shape => {
                let index = index_of(heap, shape, name)?;
                let position = if has_positions(heap, set) { entry(heap, shape, index).1 } else { 0 };
                return Some((set + 1 + index, position));
            }
        }
    }
}

/// Finds one name in many sets, most of which have the shape of the one before: they must all stay while it is used.
pub(crate) struct Finder {
    name: Symbol,
    shape: Handle,
    index: Option<u32>,
}

impl Finder {
    pub(crate) fn new(name: Symbol) -> Self {
        Self { name, shape: EMPTY_SHAPE, index: None }
    }

    /// The slot and position of the attribute.
    #[inline]
    pub(crate) fn find(&mut self, heap: &Heap, set: Handle) -> Option<(Handle, u32)> {
        let Some(shape) = flat_shape(heap, set) else { return find(heap, set, self.name) };
        if shape != self.shape {
            (self.shape, self.index) = (shape, index_of(heap, shape, self.name));
        }
        let index = self.index?;
        let position = if has_positions(heap, set) { entry(heap, shape, index).1 } else { 0 };
        Some((set + 1 + index, position))
    }
}

/// What a slot holds, in a form that may be stored elsewhere.
#[inline]
pub(crate) fn load(heap: &Heap, slot: Handle) -> Value {
    let value = heap.value(slot);
    if value.is_raw_delayed() || value.is_filled_list() {
        return Value::reference(slot);
    }
    if value.is_delayed() {
        let inner = heap.value(value.handle());
        if !inner.is_delayed() && !inner.is_filled_list() {
            return inner;
        }
    }
    value
}

/// An upper bound of the number of attributes, exact for flat sets.
pub(crate) fn count_bound(heap: &Heap, set: Handle) -> u32 {
    match heap.pair(set).1 {
        LAYER => heap.pair(set + 2).0,
        FORWARD => count_bound(heap, heap.pair(set + 1).0),
        shape => shape_len(heap, shape),
    }
}

fn layer_depth(heap: &Heap, set: Handle) -> u32 {
    if heap.pair(set).1 == LAYER { heap.pair(set + 2).1 } else { 0 }
}

/// The base below all layers, and one set of all that is layered over it.
fn merged_tops(heap: &mut Heap, set: Handle) -> (Handle, Handle) {
    let mut tops = Vec::new();
    let mut base = set;
    loop {
        match heap.pair(base).1 {
            LAYER => {
                let (under, top) = heap.pair(base + 1);
                tops.push(flatten(heap, top));
                base = under;
            }
            FORWARD => base = heap.pair(base + 1).0,
            _ => break,
        }
    }
    let mut top = tops.first().copied().unwrap_or(EMPTY_SET);
    for under in tops.iter().skip(1) {
        top = merge(heap, *under, top, 0).0;
    }
    (base, top)
}

fn new_layer(heap: &mut Heap, base: Handle, top: Handle, depth: u32) -> Handle {
    let count = count_bound(heap, base) + count_bound(heap, top);
    let at = heap.allocate(Content::Headed, 3);
    heap.set_pair(at, 0, LAYER);
    heap.set_pair(at + 1, base, top);
    heap.set_pair(at + 2, count, depth);
    at
}

/// Fewer layers with the same attributes: as long as they are small they become one, and the base
/// is not copied.
fn collapse(heap: &mut Heap, set: Handle) -> Handle {
    let (base, top) = merged_tops(heap, set);
    if count_bound(heap, top) * LAYER_RATIO <= count_bound(heap, base) {
        return new_layer(heap, base, top, 1);
    }
    let flat = merge(heap, base, top, 0).0;
    forward(heap, set, flat)
}

/// Makes a layer stand for a flat set.
fn forward(heap: &mut Heap, set: Handle, flat: Handle) -> Handle {
    heap.set_pair(set, 0, FORWARD);
    heap.set_pair(set + 1, flat, 0);
    heap.stored(set, Value::attrs(flat));
    flat
}

/// A flat set with the same attributes.
pub(crate) fn flatten(heap: &mut Heap, set: Handle) -> Handle {
    match heap.pair(set).1 {
        LAYER => {
            let (base, top) = merged_tops(heap, set);
            let flat = merge(heap, base, top, 0).0;
            forward(heap, set, flat)
        }
        FORWARD => heap.pair(set + 1).0,
        _ => set,
    }
}

/// Merges two flat sets, `right` wins; gives the set and its shape. With a known
/// resulting shape no new one is made.
pub(crate) fn merge(heap: &mut Heap, left: Handle, right: Handle, known: Handle) -> (Handle, Handle) {
    let (mut names, mut slots) = (std::mem::take(&mut heap.names), std::mem::take(&mut heap.slots));
    names.clear();
    slots.clear();
    walk(heap, left, right, &mut names, &mut slots);
    let shape = if known == 0 { heap.shape_of(&names) } else { known };
    let set = heap.allocate(Content::Headed, 1 + slots.len());
    heap.set_pair(set, 0, shape);
    for (at, slot) in slots.iter().enumerate() {
        let value = load(heap, *slot);
        heap.set(set + 1 + at as u32, value);
    }
    (heap.names, heap.slots) = (names, slots);
    (set, shape)
}

/// Walks two sorted sets at once: shape word and slot of each attribute of both, those of `right` where both have one.
fn walk(heap: &Heap, left: Handle, right: Handle, names: &mut Vec<u64>, slots: &mut Vec<Handle>) {
    let words = |set: Handle| {
        let shape = heap.pair(set).1;
        heap.words(shape + 1, shape_len(heap, shape) as usize)
    };
    let mask = |set: Handle| if has_positions(heap, set) { u64::MAX } else { u64::from(u32::MAX) };
    let (left_words, right_words, left_mask, right_mask) =
        (words(left), words(right), mask(left), mask(right));
    names.reserve(left_words.len() + right_words.len());
    slots.reserve(left_words.len() + right_words.len());
    let (mut l, mut r) = (0, 0);
    while let (Some(a), Some(b)) = (left_words.get(l), right_words.get(r)) {
        let (first, second) = (*a as u32, *b as u32);
        if first < second {
            names.push(a & left_mask);
            slots.push(left + 1 + l as u32);
        } else {
            names.push(b & right_mask);
            slots.push(right + 1 + r as u32);
        }
        l += usize::from(first <= second);
        r += usize::from(first >= second);
    }
    let rest = |words: &[u64], from: usize, set: Handle| set + 1 + from as u32..set + 1 + words.len() as u32;
    names.extend(left_words[l..].iter().map(|word| word & left_mask));
    slots.extend(rest(left_words, l, left));
    names.extend(right_words[r..].iter().map(|word| word & right_mask));
    slots.extend(rest(right_words, r, right));
}

/// Table of the shapes that updates of shared shapes result in.
pub(crate) type Updates = rustc_hash::FxHashMap<(Handle, Handle), Handle>;

/// `left // right`
pub(crate) fn update(heap: &mut Heap, updates: &mut Updates, left: Handle, right: Handle) -> Handle {
    let (left_count, right_count) = (count_bound(heap, left), count_bound(heap, right));
    if right_count == 0 {
        return left;
    }
    if left_count == 0 {
        return right;
    }
    let small_top = left_count >= LAYER_MIN && right_count * LAYER_RATIO <= left_count;
    if small_top {
        let base = if layer_depth(heap, left) >= LAYER_DEPTH { collapse(heap, left) } else { left };
        let depth = layer_depth(heap, base) + 1;
        let top = flatten(heap, right);
        return new_layer(heap, base, top, depth);
    }
    let (left, right) = (flatten(heap, left), flatten(heap, right));
    let (left_shape, right_shape) = (heap.pair(left).1, heap.pair(right).1);
    let shared = heap.pair(left_shape).1 & heap.pair(right_shape).1 & SHARED != 0;
    if !shared || !has_positions(heap, left) || !has_positions(heap, right) {
        return merge(heap, left, right, 0).0;
    }
    let known = updates.get(&(left_shape, right_shape)).copied();
    let (set, shape) = merge(heap, left, right, known.unwrap_or(0));
    if known.is_none() {
        let len = shape_len(heap, shape);
        if len <= 256 {
            heap.set_pair(shape, len, SHARED);
        }
        heap.keep(shape.max(left_shape).max(right_shape));
        updates.insert((left_shape, right_shape), shape);
    }
    set
}

/// Makes a set of entries in any order; the later of two equal names wins.
pub(crate) fn from_entries(heap: &mut Heap, entries: &mut Vec<(Symbol, u32, Value)>) -> Handle {
    if entries.is_empty() {
        return EMPTY_SET;
    }
    entries.sort_by_key(|(name, ..)| *name);
    let mut kept = 0;
    for at in 0..entries.len() {
        if at + 1 < entries.len() && entries[at + 1].0 == entries[at].0 {
            continue;
        }
        entries[kept] = entries[at];
        kept += 1;
    }
    entries.truncate(kept);
    from_sorted(heap, entries)
}

/// Makes a set of entries that are sorted by name, each once.
pub(crate) fn from_sorted(heap: &mut Heap, entries: &[(Symbol, u32, Value)]) -> Handle {
    if entries.is_empty() {
        return EMPTY_SET;
    }
    let mut names = std::mem::take(&mut heap.names);
    names.clear();
    names.extend(entries.iter().map(|(name, position, _)| u64::from(name.0) | u64::from(*position) << 32));
    let shape = heap.shape_of(&names);
    heap.names = names;
    let set = heap.allocate(Content::Headed, 1 + entries.len());
    heap.set_pair(set, 0, shape);
    for (index, (_, _, value)) in entries.iter().enumerate() {
        let at = set + 1 + index as u32;
        heap.set(at, *value);
    }
    set
}

/// An attribute of a flat set: name, position, slot.
pub(crate) fn entry_of(heap: &Heap, flat: Handle, index: u32) -> (Symbol, u32, Handle) {
    let (name, position) = entry(heap, heap.pair(flat).1, index);
    (name, if has_positions(heap, flat) { position } else { 0 }, flat + 1 + index)
}

/// All attributes of a set: name, position, slot; sorted by symbol.
pub(crate) fn entries(heap: &mut Heap, set: Handle) -> Vec<(Symbol, u32, Handle)> {
    let flat = flatten(heap, set);
    (0..count_bound(heap, flat)).map(|index| entry_of(heap, flat, index)).collect()
}
