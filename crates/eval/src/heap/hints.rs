//! What was made before, and is made again: shapes without a literal of their own, and longer texts.
//!
//! A hint says where something may be. It keeps nothing: what it points to may have been given back, and something else
//! be there. So it is compared; what reads the same is as good, and it is older than whoever will refer to it, as every
//! object is that another one is made with. A collection forgets all hints, since nothing marks what they point to.

use super::{Content, Handle, Heap};

/// How many shapes, and how many texts, are remembered, as a power of two.
const BITS: u32 = 13;
/// An odd number with its bits spread.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
/// Shorter texts are not looked for.
const SHORTEST: usize = 24;

/// Where certain shapes and texts may be.
#[derive(Default)]
pub(super) struct Hints {
    shapes: Vec<Handle>,
    texts: Vec<Handle>,
}

/// The place of something in a table, made when it is first needed.
fn place(table: &mut Vec<Handle>, hash: u64) -> &mut Handle {
    if table.is_empty() {
        *table = vec![0; 1 << BITS];
    }
    &mut table[(hash >> (64 - BITS)) as usize]
}

fn mixed(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(MIX)
}

impl Heap {
    /// A shape without flags, of names with positions.
    pub(crate) fn shape_of(&mut self, names: &[u64]) -> Handle {
        let hash = names.iter().fold(0, |hash, word| mixed(hash, *word));
        let known = *place(&mut self.hints.shapes, hash);
        if self.may_be(known, names.len())
            && self.pair(known).0 as usize == names.len()
            && self.words(known + 1, names.len()) == names
        {
            return known;
        }
        let at = self.allocate(Content::Raw, 1 + names.len());
        self.set_word(at, names.len() as u64);
        self.words_mut(at + 1, names.len()).copy_from_slice(names);
        *place(&mut self.hints.shapes, hash) = at;
        at
    }

    /// A string object, the same as before where there was one of these bytes.
    pub(crate) fn text_of(&mut self, bytes: &[u8]) -> Handle {
        if bytes.len() < SHORTEST {
            return self.allocate_bytes(bytes);
        }
        let (words, rest) = bytes.as_chunks::<8>();
        let hash = words.iter().fold(bytes.len() as u64, |hash, word| mixed(hash, u64::from_le_bytes(*word)));
        let hash = rest.iter().fold(hash, |hash, byte| mixed(hash, u64::from(*byte)));
        let known = *place(&mut self.hints.texts, hash);
        if self.may_be(known, bytes.len().div_ceil(8))
            && self.word(known) == bytes.len() as u64
            && self.bytes(known) == bytes
        {
            return known;
        }
        let at = self.allocate_bytes(bytes);
        *place(&mut self.hints.texts, hash) = at;
        at
    }

    /// Whether an object without values begins there, and so many words behind its first are in use.
    fn may_be(&self, known: Handle, count: usize) -> bool {
        known != 0 && known as usize + 1 + count <= self.top() && self.kind(known) == Content::Raw as u8
    }
}
