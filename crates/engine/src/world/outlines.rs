//! What derivations that are not written need and yield: their outlines, kept in little room.
//!
//! A long evaluation makes tens of thousands of them, and most of an outline is the paths of its inputs, each of which
//! stands in many others. So an outline is cut into pieces, an input each, and each piece is kept once.

use nival_syntax::Interner;
use std::collections::HashMap;

/// Where one piece of an outline ends and the next one begins.
const BETWEEN: char = '(';

/// How many bytes of a path tell it from all others: its hash.
const KEY: usize = 32;

/// The outlines of derivations, by their paths.
#[derive(Default)]
pub(super) struct Outlines {
    pieces: Interner,
    /// The pieces of all outlines, one after the other.
    order: Vec<u32>,
    /// Which part of `order` belongs to a path.
    places: HashMap<[u8; KEY], (u32, u32)>,
    /// Outlines that are no text.
    odd: HashMap<Box<str>, Box<[u8]>>,
}

/// The hash in a path of a store.
fn key(path: &str) -> Option<[u8; KEY]> {
    let name = path.rsplit('/').next()?;
    name.as_bytes().get(..KEY)?.try_into().ok()
}

impl Outlines {
    /// Keeps an outline.
    pub(super) fn insert(&mut self, path: &str, outline: &[u8]) {
        let (Ok(text), Some(key)) = (std::str::from_utf8(outline), key(path)) else {
            self.odd.insert(path.into(), outline.into());
            return;
        };
        let start = self.order.len() as u32;
        for piece in text.split(BETWEEN) {
            self.order.push(self.pieces.intern(piece).0);
        }
        self.places.insert(key, (start, self.order.len() as u32 - start));
    }

    /// The outline of a derivation that was kept.
    pub(super) fn get(&self, path: &str) -> Option<Vec<u8>> {
        if let Some(odd) = self.odd.get(path) {
            return Some(odd.to_vec());
        }
        let (start, count) = *self.places.get(&key(path)?)?;
        let ids = self.order.get(start as usize..(start + count) as usize)?;
        let mut outline = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            if at > 0 {
                outline.push(BETWEEN as u8);
            }
            outline.extend_from_slice(self.pieces.name(nival_syntax::Symbol(*id)).as_bytes());
        }
        Some(outline)
    }
}

#[cfg(test)]
mod tests {
    use super::Outlines;

    #[test]
    fn outlines_come_back_as_they_were() {
        let path = |name: &str| format!("/nix/store/{}-{name}.drv", "0".repeat(31) + &name[..1]);
        let a = br#"Derive([("out","/x","","")],[("/y.drv",["out"]),("/z.drv",["dev"])],[],"s","b(c",[],[])"#;
        let b = br#"Derive([("out","/w","","")],[("/y.drv",["out"]),("/v.drv",["dev"])],[],"s","b",[],[])"#;
        let odd = b"Derive(\xff)";
        let mut outlines = Outlines::default();
        outlines.insert(&path("a"), a);
        outlines.insert(&path("b"), b);
        outlines.insert(&path("c"), odd);
        outlines.insert("short", b);
        assert_eq!(outlines.get(&path("a")).as_deref(), Some(&a[..]));
        assert_eq!(outlines.get(&path("b")).as_deref(), Some(&b[..]));
        assert_eq!(outlines.get(&path("c")).as_deref(), Some(&odd[..]));
        assert_eq!(outlines.get("short").as_deref(), Some(&b[..]));
        assert_eq!(outlines.get(&path("d")), None);
    }
}
