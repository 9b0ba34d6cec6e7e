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
    names: Vec<Name>,
    table: HashTable<u32>,
}

/// Where a name is, with its first bytes, which decide most comparisons.
#[derive(Clone, Copy)]
struct Name {
    beginning: u64,
    start: u32,
    end: u32,
}

impl Name {
    fn text(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }

    /// Whether this is that name, which begins so.
    fn is(self, text: &str, name: &[u8], beginning: u64) -> bool {
        let len = (self.end - self.start) as usize;
        self.beginning == beginning && len == name.len() && (len <= 8 || self.text(text).as_bytes() == name)
    }
}

impl Interner {
    /// The symbol of a name.
    pub fn intern(&mut self, name: &str) -> Symbol {
        self.intern_bytes(name.as_bytes())
    }

    /// As [`Self::intern`], for bytes; what is no text in them is replaced.
    pub fn intern_bytes(&mut self, name: &[u8]) -> Symbol {
        let (hash, beginning) = (hash(name), beginning(name));
        let (text, names) = (&self.text, &self.names);
        // All names are texts, so what is one of them is a text too.
        if let Some(found) = self.table.find(hash, |id| names[*id as usize].is(text, name, beginning)) {
            return Symbol(*found);
        }
        match str::from_utf8(name) {
            Ok(name) => self.add(name, hash, beginning),
            Err(_) => self.intern(&String::from_utf8_lossy(name)),
        }
    }

    #[cold]
    fn add(&mut self, name: &str, hash: u64, beginning: u64) -> Symbol {
        let (id, start) = (self.names.len() as u32, self.text.len() as u32);
        self.text.push_str(name);
        self.names.push(Name { beginning, start, end: self.text.len() as u32 });
        let (text, names) = (&self.text, &self.names);
        self.table.insert_unique(hash, id, |id| self::hash(names[*id as usize].text(text).as_bytes()));
        Symbol(id)
    }

    /// The symbol of a name, if it was interned before.
    pub fn find(&self, name: &str) -> Option<Symbol> {
        let name = name.as_bytes();
        let beginning = beginning(name);
        let is_name = |id: &u32| self.names[*id as usize].is(&self.text, name, beginning);
        self.table.find(hash(name), is_name).map(|id| Symbol(*id))
    }

    /// The name of a symbol of this interner; empty for a foreign one.
    pub fn name(&self, symbol: Symbol) -> &str {
        self.names.get(symbol.0 as usize).map_or("", |name| name.text(&self.text))
    }

    /// The first eight bytes of a name of this interner, as a number that is ordered as names are where it differs.
    #[inline]
    pub fn beginning(&self, symbol: Symbol) -> u64 {
        self.names.get(symbol.0 as usize).map_or(0, |name| name.beginning)
    }

    /// Compares two names of this interner, byte by byte.
    pub fn compare(&self, a: Symbol, b: Symbol) -> Ordering {
        self.beginning(a).cmp(&self.beginning(b)).then_with(|| self.name(a).cmp(self.name(b)))
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no name was interned yet.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// The first eight bytes as a number that is ordered as they are; zeros stand for those that a short name lacks.
fn beginning(name: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = name.len().min(8);
    first[..len].copy_from_slice(&name[..len]);
    u64::from_be_bytes(first)
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(name);
    hasher.finish()
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
        let no_text = interner.intern_bytes(b"a\xffb");
        assert_eq!(interner.name(no_text), "a\u{fffd}b");
        assert_eq!(interner.intern_bytes(b"a\xffb"), no_text);
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
