//! JSON in and out.

use crate::attrs;
use crate::context::{ContextId, Gathered};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::text::json_float;
use crate::value::{Value, tag};

impl Evaluator {
    /// A value as JSON, as `builtins.toJSON` makes it.
    pub fn to_json(&mut self, value: Value, copy_to_store: bool) -> EvalResult<(String, ContextId)> {
        let (mut out, mut context) = (Vec::new(), Gathered::default());
        self.holding(|evaluator| evaluator.json_into(&mut out, &mut context, value, copy_to_store))?;
        let context = self.contexts.gather(&context);
        Ok((super::from_bytes(out), context))
    }

    fn json_into(
        &mut self,
        out: &mut Vec<u8>,
        context: &mut Gathered,
        value: Value,
        copy: bool,
    ) -> EvalResult<()> {
        self.deeper(|evaluator| evaluator.json_into_here(out, context, value, copy))
    }

    fn json_into_here(
        &mut self,
        out: &mut Vec<u8>,
        context: &mut Gathered,
        value: Value,
        copy: bool,
    ) -> EvalResult<()> {
        let value = self.force(value)?;
        match value.tag() {
            tag::NULL => out.extend_from_slice(b"null"),
            tag::BOOL => out.extend_from_slice(if value == Value::TRUE { b"true" } else { b"false" }),
            tag::INT => out.extend_from_slice(value.as_small_int().to_string().as_bytes()),
            tag::WIDE_INT => {
                out.extend_from_slice((self.heap.word(value.handle()) as i64).to_string().as_bytes())
            }
            tag::FLOAT => {
                out.extend_from_slice(json_float(f64::from_bits(self.heap.word(value.handle()))).as_bytes())
            }
            tag::STRING => {
                context.add(ContextId(value.detail()));
                let text = self.heap.bytes(value.handle());
                self.check_text(out.len() + text.len())?;
                if std::str::from_utf8(text).is_err() {
                    let shown = self.describe(value);
                    return Err(EvalError::of(
                        &diagnostics::cannot_coerce::ENTRY,
                        format!("cannot turn {shown} into JSON: it is not valid UTF-8"),
                    ));
                }
                quote(out, text);
            }
            tag::PATH => {
                let how = crate::Coercion { more: false, copy_to_store: copy };
                let mut text = Vec::new();
                self.append(&mut text, context, value, how)?;
                quote(out, &text);
            }
            tag::LIST => {
                out.push(b'[');
                for index in 0..value.detail() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.json_into(out, context, Value::reference(value.handle() + index), copy)?;
                }
                out.push(b']');
            }
            tag::ATTRS => self.json_set(out, context, value, copy)?,
            _ => {
                return Err(self.no_text(value, "JSON"));
            }
        }
        Ok(())
    }

    fn json_set(
        &mut self,
        out: &mut Vec<u8>,
        context: &mut Gathered,
        set: Value,
        copy: bool,
    ) -> EvalResult<()> {
        if attrs::find(&self.heap, set.handle(), symbols::TO_STRING).is_some() {
            let how = crate::Coercion { more: false, copy_to_store: false };
            let mut text = Vec::new();
            self.append(&mut text, context, set, how)?;
            quote(out, &text);
            return Ok(());
        }
        if let Some((slot, _)) = attrs::find(&self.heap, set.handle(), symbols::OUT_PATH) {
            return self.json_into(out, context, Value::reference(slot), copy);
        }
        let mut entries = attrs::entries(&mut self.heap, set.handle());
        self.sort_by_name(&mut entries);
        out.push(b'{');
        for (index, (name, position, slot)) in entries.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            quote(out, self.interner.name(name).as_bytes());
            out.push(b':');
            if let Err(error) = self.json_into(out, context, Value::reference(slot), copy) {
                let span = self.name_span(name, position);
                return Err(
                    error.frame(span, format!("while evaluating the attribute `{}`", self.name(name)))
                );
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// A string that was read from data.
    pub(super) fn data_string(&mut self, text: &str) -> EvalResult {
        if text.contains('\0') {
            return Err(EvalError::of(
                &diagnostics::invalid_data::ENTRY,
                "a string in the data holds a zero byte",
            ));
        }
        Ok(self.string(text))
    }
}

fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(*byte),
        }
    }
    out.push(b'"');
}
