//! Values as expressions, the way `nix-instantiate --eval` prints them.

use crate::attrs;
use crate::evaluator::Evaluator;
use crate::text::short_float;
use crate::value::{Value, tag};
use rustc_hash::FxHashSet;

/// How much of a value a message shows.
const SHORT: usize = 60;

impl Evaluator {
    /// What is forced already as an expression; never evaluates.
    pub fn print(&mut self, value: Value) -> String {
        let mut out = Vec::new();
        self.print_into(&mut out, value, &mut FxHashSet::default(), usize::MAX);
        super::from_bytes(out)
    }

    /// The start of it, for messages.
    pub(crate) fn print_short(&mut self, value: Value) -> String {
        let mut out = Vec::new();
        self.print_into(&mut out, value, &mut FxHashSet::default(), SHORT);
        let text = super::from_bytes(out);
        if text.chars().count() <= SHORT + 4 {
            return text;
        }
        let cut: String = text.chars().take(SHORT).collect();
        format!("{cut}…")
    }

    fn print_into(&mut self, out: &mut Vec<u8>, value: Value, seen: &mut FxHashSet<u64>, limit: usize) {
        if out.len() > limit.saturating_mul(2) {
            return;
        }
        if self.stack_is_low() {
            let _ = self.on_more_stack(|evaluator| {
                evaluator.print_into(out, value, seen, limit);
                Ok(())
            });
            return;
        }
        let slot = self.slot_of(value);
        let Some(value) = self.known(value) else {
            out.extend_from_slice(if limit == usize::MAX { b"<CODE>" } else { "…".as_bytes() });
            return;
        };
        match value.tag() {
            tag::NULL => out.extend_from_slice(b"null"),
            tag::BOOL => out.extend_from_slice(if value == Value::TRUE { b"true" } else { b"false" }),
            tag::INT => out.extend_from_slice(value.as_small_int().to_string().as_bytes()),
            tag::WIDE_INT => {
                out.extend_from_slice((self.heap.word(value.handle()) as i64).to_string().as_bytes())
            }
            tag::FLOAT => {
                out.extend_from_slice(short_float(f64::from_bits(self.heap.word(value.handle()))).as_bytes());
            }
            tag::STRING => quote(out, self.heap.bytes(value.handle())),
            tag::PATH => out.extend_from_slice(self.heap.bytes(value.handle())),
            tag::LAMBDA | tag::PARTIAL => out.extend_from_slice(b"<LAMBDA>"),
            tag::NATIVE => {
                let partial = value.handle() != 0;
                out.extend_from_slice(if partial { b"<PRIMOP-APP>" } else { b"<PRIMOP>" });
            }
            tag::LIST => self.print_list(out, value, slot, seen, limit),
            _ => self.print_set(out, value, seen, limit),
        }
    }

    /// The slot that a value finally lives in.
    fn slot_of(&self, value: Value) -> Option<u32> {
        let mut slot = None;
        let mut value = value;
        while value.tag() == tag::REF {
            slot = Some(value.handle());
            value = self.heap.value(value.handle());
        }
        slot
    }

    /// Lists are told apart by where they are kept, sets by themselves, as C++ Nix does.
    fn print_list(
        &mut self,
        out: &mut Vec<u8>,
        list: Value,
        slot: Option<u32>,
        seen: &mut FxHashSet<u64>,
        limit: usize,
    ) {
        let key = slot.map_or(list.bits(), |slot| Value::reference(slot).bits());
        if list.detail() > 0 && !seen.insert(key) {
            out.extend_from_slice("«repeated»".as_bytes());
            return;
        }
        out.extend_from_slice(b"[ ");
        for index in 0..list.detail() {
            if out.len() > limit.saturating_mul(2) {
                break;
            }
            self.print_into(out, Value::reference(list.handle() + index), seen, limit);
            out.push(b' ');
        }
        out.push(b']');
    }

    fn print_set(&mut self, out: &mut Vec<u8>, set: Value, seen: &mut FxHashSet<u64>, limit: usize) {
        let mut entries = attrs::entries(&mut self.heap, set.handle());
        if !entries.is_empty() && !seen.insert(set.bits()) {
            out.extend_from_slice("«repeated»".as_bytes());
            return;
        }
        self.sort_by_name(&mut entries);
        out.extend_from_slice(b"{ ");
        for (name, _, slot) in entries {
            if out.len() > limit.saturating_mul(2) {
                break;
            }
            let name = self.interner.name(name);
            if is_identifier(name) {
                out.extend_from_slice(name.as_bytes())
            } else {
                quote(out, name.as_bytes())
            }
            out.extend_from_slice(b" = ");
            self.print_into(out, Value::reference(slot), seen, limit);
            out.extend_from_slice(b"; ");
        }
        out.push(b'}');
    }
}

pub(super) fn is_identifier(name: &str) -> bool {
    let keyword =
        matches!(name, "if" | "then" | "else" | "assert" | "with" | "let" | "in" | "rec" | "inherit" | "or");
    let mut bytes = name.bytes();
    !keyword
        && bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\'' | b'-'))
}

pub(super) fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'$' if text.get(at + 1) == Some(&b'{') => out.extend_from_slice(b"\\$"),
            byte => out.push(*byte),
        }
    }
    out.push(b'"');
}
