//! Interned names.

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::cmp::Ordering;
use std::hash::Hasher;

/// An interned name: equal names have equal symbols of one [`Interner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(pub u32);

/// All names that were seen, each stored once.
#[derive(Default)]
pub struct Interner {
    text: String,
    ends: Vec<u32>,
    /// The first bytes of each name, which decide most comparisons.
    beginnings: Vec<u64>,
    table: HashTable<u32>,
}

impl Interner {
    /// The symbol of a name.
    pub fn intern(&mut self, name: &str) -> Symbol {
        let hash = hash(name);
        let (text, ends) = (&self.text, &self.ends);
        if let Some(found) = self.table.find(hash, |id| slice(text, ends, *id) == name) {
            return Symbol(*found);
        }
        let id = self.ends.len() as u32;
        self.text.push_str(name);
        self.ends.push(self.text.len() as u32);
        self.beginnings.push(beginning(name));
        let (text, ends) = (&self.text, &self.ends);
        self.table.insert_unique(hash, id, |id| self::hash(slice(text, ends, *id)));
        Symbol(id)
    }

    /// The symbol of a name, if it was interned before.
    pub fn find(&self, name: &str) -> Option<Symbol> {
        self.table.find(hash(name), |id| slice(&self.text, &self.ends, *id) == name).map(|id| Symbol(*id))
    }

    /// The name of a symbol of this interner; empty for a foreign one.
    pub fn name(&self, symbol: Symbol) -> &str {
        if (symbol.0 as usize) < self.ends.len() { slice(&self.text, &self.ends, symbol.0) } else { "" }
    }

    /// The first eight bytes of a name of this interner, as a number that is ordered as names are where it differs.
    #[inline]
    pub fn beginning(&self, symbol: Symbol) -> u64 {
        self.beginnings.get(symbol.0 as usize).copied().unwrap_or_default()
    }

    /// Compares two names of this interner, byte by byte.
    pub fn compare(&self, a: Symbol, b: Symbol) -> Ordering {
        self.beginning(a).cmp(&self.beginning(b)).then_with(|| self.name(a).cmp(self.name(b)))
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no name was interned yet.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// The first eight bytes as a number that is ordered as they are; zeros stand for those that a short name lacks.
fn beginning(name: &str) -> u64 {
    let mut first = [0; 8];
    let len = name.len().min(8);
    first[..len].copy_from_slice(&name.as_bytes()[..len]);
    u64::from_be_bytes(first)
}

fn hash(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(name.as_bytes());
    hasher.finish()
}

fn slice<'a>(text: &'a str, ends: &[u32], id: u32) -> &'a str {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] as usize };
    &text[start..ends[id] as usize]
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn equal_names_have_equal_symbols() {
        let mut interner = Interner::default();
        let (a, b) = (interner.intern("alpha"), interner.intern("beta"));
        assert_ne!(a, b);
        assert_eq!(interner.intern("alpha"), a);
        assert_eq!(interner.name(b), "beta");
        assert_eq!(interner.find("gamma"), None);
    }

    #[test]
    fn names_compare_as_their_bytes_do() {
        let mut interner = Interner::default();
        let names = ["", "a", "a\0", "ab", "abcdefgh", "abcdefgha", "abcdefghb", "b", "ä"];
        let symbols = names.map(|name| interner.intern(name));
        for (x, a) in symbols.iter().enumerate() {
            for (y, b) in symbols.iter().enumerate() {
                assert_eq!(interner.compare(*a, *b), names[x].cmp(names[y]), "{x} {y}");
            }
        }
    }
}
