//! XML out.

use crate::attrs;
use crate::context::{ContextId, Gathered};
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::text::short_float;
use crate::value::{Value, tag};
use rustc_hash::FxHashSet;

struct Writer {
    out: Vec<u8>,
    context: Gathered,
    drawn: FxHashSet<String>,
    places: bool,
    strict: bool,
}

/// A text that has become longer than this gets room for a long one at once: what is not used of it takes no memory, while
/// one that grows by doubling is copied each time, and has been there twice.
const LONG: usize = 1 << 20;
const ROOM: usize = 64 << 20;

/// The bytes that cannot stand for themselves.
const IS_ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let (mut at, bytes) = (0, b"\"<>&\n");
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

impl Writer {
    fn indent(&mut self, depth: usize) {
        let len = self.out.len();
        if len > LONG && self.out.capacity() < ROOM {
            // Where there is no such room, it grows as others do.
            let _ = self.out.try_reserve_exact(ROOM - len);
        }
        self.out.resize(len + depth * 2, b' ');
    }

    fn open(&mut self, depth: usize, name: &str, attributes: &[(&str, &[u8])], empty: bool) {
        self.indent(depth);
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        for (name, value) in attributes {
            self.out.push(b' ');
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b"=\"");
            self.escaped(value);
            self.out.push(b'"');
        }
        self.out.extend_from_slice(if empty { b" />\n" } else { b">\n" });
    }

    fn escaped(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| IS_ESCAPED[usize::from(*byte)]) {
            self.out.extend_from_slice(&rest[..at]);
            self.out.extend_from_slice(match rest[at] {
                b'"' => b"&quot;",
                b'<' => b"&lt;",
                b'>' => b"&gt;",
                b'&' => b"&amp;",
                _ => b"&#xA;",
            });
            rest = &rest[at + 1..];
        }
        self.out.extend_from_slice(rest);
    }

    fn close(&mut self, depth: usize, name: &str) {
        self.indent(depth);
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b">\n");
    }
}

impl Evaluator {
    /// A value as XML, as `builtins.toXML` makes it; with `places`, as `nix-instantiate --eval --xml` does. What is not
    /// evaluated yet is evaluated where this is `strict`, and else shown as such.
    pub fn to_xml(&mut self, value: Value, places: bool, strict: bool) -> EvalResult<(Vec<u8>, ContextId)> {
        let mut writer = Writer {
            out: Vec::new(),
            context: Gathered::default(),
            drawn: FxHashSet::default(),
            places,
            strict,
        };
        writer.out.extend_from_slice(b"<?xml version='1.0' encoding='utf-8'?>\n<expr>\n");
        let value = self.force(value)?;
        self.holding(|evaluator| evaluator.xml_into(&mut writer, value, 1))?;
        writer.close(0, "expr");
        let context = self.contexts.gather(&writer.context);
        Ok((writer.out, context))
    }

    fn xml_into(&mut self, writer: &mut Writer, value: Value, depth: usize) -> EvalResult<()> {
        self.deeper(|evaluator| evaluator.xml_into_here(writer, value, depth))
    }

    fn xml_into_here(&mut self, writer: &mut Writer, value: Value, depth: usize) -> EvalResult<()> {
        let known = if writer.strict { Some(self.force(value)?) } else { self.known(value) };
        let Some(value) = known else {
            writer.open(depth, "unevaluated", &[], true);
            return Ok(());
        };
        match value.tag() {
            tag::NULL => writer.open(depth, "null", &[], true),
            tag::BOOL => {
                let text: &[u8] = if value == Value::TRUE { b"true" } else { b"false" };
                writer.open(depth, "bool", &[("value", text)], true);
            }
            tag::INT | tag::WIDE_INT => {
                let int = self.expect_int(value)?.to_string();
                writer.open(depth, "int", &[("value", int.as_bytes())], true);
            }
            tag::FLOAT => {
                let float = short_float(f64::from_bits(self.heap.word(value.handle())));
                writer.open(depth, "float", &[("value", float.as_bytes())], true);
            }
            tag::STRING => {
                writer.context.add(ContextId(value.detail()));
                self.check_text(writer.out.len() + self.heap.bytes(value.handle()).len())?;
                writer.open(depth, "string", &[("value", self.heap.bytes(value.handle()))], true);
            }
            tag::PATH => writer.open(depth, "path", &[("value", self.heap.bytes(value.handle()))], true),
            tag::LIST => {
                writer.open(depth, "list", &[], false);
                for index in 0..value.detail() {
                    self.xml_into(writer, Value::reference(value.handle() + index), depth + 1)?;
                }
                writer.close(depth, "list");
            }
            tag::ATTRS => self.xml_set(writer, value, depth)?,
            tag::LAMBDA | tag::PARTIAL => self.xml_function(writer, value, depth),
            _ => writer.open(depth, "unevaluated", &[], true),
        }
        Ok(())
    }

    fn xml_set(&mut self, writer: &mut Writer, set: Value, depth: usize) -> EvalResult<()> {
        if !self.is_derivation_set(set.handle())? {
            writer.open(depth, "attrs", &[], false);
            self.xml_attributes(writer, set, depth)?;
            writer.close(depth, "attrs");
            return Ok(());
        }
        let mut texts: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
        for (text, name) in texts.iter_mut().zip([symbols::DRV_PATH, symbols::OUT_PATH]) {
            if let Some((slot, _)) = attrs::find(&self.heap, set.handle(), name) {
                let value = Value::reference(slot);
                let known = if writer.strict { Some(self.force(value)?) } else { self.known(value) };
                if let Some(value) = known.filter(|value| value.is_string()) {
                    *text = self.heap.bytes(value.handle()).to_vec();
                }
            }
        }
        let mut shown: Vec<(&str, &[u8])> = Vec::new();
        if !texts[0].is_empty() {
            shown.push(("drvPath", &texts[0]));
        }
        if !texts[1].is_empty() {
            shown.push(("outPath", &texts[1]));
        }
        writer.open(depth, "derivation", &shown, false);
        let drv = String::from_utf8_lossy(&texts[0]).into_owned();
        if !drv.is_empty() && writer.drawn.insert(drv) {
            self.xml_attributes(writer, set, depth)?;
        } else {
            writer.open(depth + 1, "repeated", &[], true);
        }
        writer.close(depth, "derivation");
        Ok(())
    }

    fn xml_attributes(&mut self, writer: &mut Writer, set: Value, depth: usize) -> EvalResult<()> {
        let mut entries = attrs::entries(&mut self.heap, set.handle());
        self.sort_by_name(&mut entries);
        for (name, position, slot) in entries {
            let place = if writer.places { self.name_span(name, position) } else { None };
            let text = self.interner.name(name).as_bytes().to_vec();
            let place = place.map(|span| {
                let at = self.sources.position(span.source, span.start);
                (at.column.to_string(), at.line.to_string(), self.sources.name(span.source).to_owned())
            });
            let mut shown = placed(&place);
            let at = shown.iter().position(|(key, _)| *key > "name").unwrap_or(shown.len());
            shown.insert(at, ("name", &text));
            writer.open(depth + 1, "attr", &shown, false);
            self.xml_into(writer, Value::reference(slot), depth + 2)?;
            writer.close(depth + 1, "attr");
        }
        Ok(())
    }

    fn xml_function(&mut self, writer: &mut Writer, function: Value, depth: usize) {
        let Some(lambda) = self.level(function) else { return };
        let place = if writer.places { self.span_of((lambda.position, lambda.position + 1)) } else { None };
        let place = place.map(|span| {
            let at = self.sources.position(span.source, span.start);
            (at.column.to_string(), at.line.to_string(), self.sources.name(span.source).to_owned())
        });
        let shown = placed(&place);
        writer.open(depth, "function", &shown, false);
        let argument = lambda.argument.map(|name| self.interner.name(name).as_bytes().to_vec());
        if lambda.has_formals {
            let mut shown: Vec<(&str, &[u8])> = Vec::new();
            if lambda.ellipsis {
                shown.push(("ellipsis", b"1"));
            }
            if let Some(argument) = &argument {
                shown.insert(0, ("name", argument));
                shown.sort_by_key(|(key, _)| *key);
            }
            writer.open(depth + 1, "attrspat", &shown, false);
            let mut names: Vec<&str> = lambda
                .formals
                .indices()
                .map(|at| self.interner.name(self.code.formals.get(at).name))
                .collect();
            names.sort_unstable();
            for name in names {
                writer.open(depth + 2, "attr", &[("name", name.as_bytes())], true);
            }
            writer.close(depth + 1, "attrspat");
        } else if let Some(argument) = &argument {
            writer.open(depth + 1, "varpat", &[("name", argument)], true);
        }
        writer.close(depth, "function");
    }
}

/// The attributes that say where something is: column, line and path; texts that are no files have no path.
fn placed(place: &Option<(String, String, String)>) -> Vec<(&str, &[u8])> {
    let Some((column, line, path)) = place else { return Vec::new() };
    let mut shown: Vec<(&str, &[u8])> = vec![("column", column.as_bytes()), ("line", line.as_bytes())];
    if path.starts_with('/') {
        shown.push(("path", path.as_bytes()));
    }
    shown
}
