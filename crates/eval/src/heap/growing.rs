//! Lists that grow at their end: `list ++ [ x ]`, again and again, copies nothing but now and then.
//!
//! A list that was joined from a long left and a short right side gets room behind its end. Who joins it with another
//! short one writes that there: the old list, which is shorter, stays what it is. Only one list can end where the room
//! begins; a second join of the same old list copies.

use super::{Content, Handle, Heap};

/// How many lists can grow at a time.
const GROWING: usize = 4;
/// Lists that are shorter are copied.
const SHORTEST: usize = 32;
/// The left side must be so many times longer than the right one.
const RATIO: usize = 8;

/// Where lists end, and where the room behind them ends.
#[derive(Clone, Copy, Default)]
pub(super) struct Growing {
    places: [(Handle, Handle); GROWING],
    /// The next one that is forgotten.
    oldest: usize,
    /// The highest end of all rooms.
    highest: usize,
}

impl Growing {
    fn add(&mut self, end: Handle, room: Handle) {
        self.places[self.oldest] = (end, room);
        self.oldest = (self.oldest + 1) % GROWING;
        self.highest = self.highest.max(room as usize);
    }
}

impl Heap {
    /// Takes room for `count` more words right behind a list that ends at `end`.
    pub(crate) fn grow(&mut self, end: Handle, count: usize) -> bool {
        let fits = |place: &&mut (Handle, Handle)| place.0 == end && (place.1 - place.0) as usize >= count;
        match self.growing.places.iter_mut().find(fits) {
            Some(place) if end != 0 => {
                place.0 += count as Handle;
                true
            }
            _ => false,
        }
    }

    /// Fresh words for a list of two others, with room behind it where it may grow again.
    pub(crate) fn allocate_joined(&mut self, left: usize, right: usize) -> Handle {
        let total = left + right;
        if total < SHORTEST || right * RATIO > left {
            return self.allocate(Content::Values, total);
        }
        let room = total / 2;
        let at = self.allocate(Content::Values, total + room);
        let end = at + total as Handle;
        self.growing.add(end, end + room as Handle);
        at
    }

    /// To be told from where on words are given back.
    #[inline]
    pub(super) fn forget_growing(&mut self, start: usize) {
        if self.growing.highest > start {
            self.growing = Growing::default();
        }
    }
}
