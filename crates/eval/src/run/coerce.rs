//! Turning values into strings.

use crate::context::{ContextElement, ContextId, Gathered};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::{Value, tag};
use crate::{AddPath, Coercion};

impl Coercion {
    /// As `"${...}"` does it.
    pub(crate) const INTERPOLATION: Self = Self { more: false, copy_to_store: true };
}

impl Evaluator {
    /// Makes a string of bytes.
    pub(crate) fn make_string(&mut self, text: &[u8], context: ContextId) -> Value {
        let at = self.heap.text_of(text);
        Value::new(tag::STRING, context.0, at)
    }

    /// An empty buffer, used before if possible.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Keeps a buffer for the next text, unless it grew large.
    pub(crate) fn give_buffer(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() < 1 << 20 {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }

    /// Appends a value as a string.
    pub(crate) fn append(
        &mut self,
        text: &mut Vec<u8>,
        context: &mut Gathered,
        value: Value,
        how: Coercion,
    ) -> EvalResult<()> {
        let mut known = value;
        if known.tag() == tag::REF {
            known = self.heap.value(known.handle());
        }
        // A string that is there takes no level of its own.
        if known.is_string() && self.depth < self.settings.max_call_depth {
            return self.append_string(text, context, known);
        }
        self.deeper(|evaluator| evaluator.append_here(text, context, value, how))
    }

    #[inline]
    fn append_string(&mut self, text: &mut Vec<u8>, context: &mut Gathered, value: Value) -> EvalResult<()> {
        let bytes = self.heap.bytes(value.handle());
        self.check_text(text.len() + bytes.len())?;
        text.extend_from_slice(self.heap.bytes(value.handle()));
        context.add(ContextId(value.detail()));
        Ok(())
    }

    fn append_here(
        &mut self,
        text: &mut Vec<u8>,
        context: &mut Gathered,
        value: Value,
        how: Coercion,
    ) -> EvalResult<()> {
        let value = self.force(value)?;
        match value.tag() {
            tag::STRING => self.append_string(text, context, value),
            tag::PATH => self.append_path(text, context, value, how),
            tag::ATTRS => self.append_set(text, context, value, how),
            _ if how.more => self.append_more(text, context, value, how),
            _ => {
                let error = self.no_text(value, "a string");
                Err(match value.tag() {
                    tag::INT | tag::WIDE_INT | tag::FLOAT | tag::BOOL | tag::LIST | tag::NULL => {
                        error.help("use `toString`")
                    }
                    _ => error,
                })
            }
        }
    }

    fn append_path(
        &mut self,
        text: &mut Vec<u8>,
        context: &mut Gathered,
        value: Value,
        how: Coercion,
    ) -> EvalResult<()> {
        if !how.copy_to_store {
            text.extend_from_slice(self.heap.bytes(value.handle()));
            return Ok(());
        }
        let path = String::from_utf8_lossy(self.heap.bytes(value.handle())).into_owned();
        let store_path = self.copy_to_store(&path)?;
        text.extend_from_slice(store_path.as_bytes());
        let element = self.contexts.of(&[ContextElement::Plain(store_path)]);
        context.add(element);
        Ok(())
    }

    /// Copies a path into the store, once.
    pub(crate) fn copy_to_store(&mut self, path: &str) -> EvalResult<String> {
        if let Some(known) = self.outside.copied.get(path) {
            return Ok(known.clone());
        }
        let name = crate::paths::base_name(path).to_owned();
        let request = AddPath { name: &name, path, recursive: true, sha256: None, filter: None };
        let store_path = self.profiled_copying(|evaluator| evaluator.world().add_path(request))?;
        self.outside.copied.insert(path.to_owned(), store_path.clone());
        Ok(store_path)
    }

    fn append_set(
        &mut self,
        text: &mut Vec<u8>,
        context: &mut Gathered,
        value: Value,
        how: Coercion,
    ) -> EvalResult<()> {
        let set = value.handle();
        if let Some(slot) = self.find_remembered(set, symbols::TO_STRING) {
            let function = self.force_slot(slot)?;
            let result = self.call(function, &[value])?;
            return self.append(text, context, result, how);
        }
        if let Some(slot) = self.find_remembered(set, symbols::OUT_PATH) {
            let result = self.force_slot(slot)?;
            return self.append(text, context, result, how);
        }
        let shown = self.print_short(value);
        Err(EvalError::of(
            &diagnostics::cannot_coerce::ENTRY,
            format!("cannot turn the set `{shown}` into a string"),
        )
        .help("only a set with `outPath` or `__toString` can stand for a string"))
    }

    fn append_more(
        &mut self,
        text: &mut Vec<u8>,
        context: &mut Gathered,
        value: Value,
        how: Coercion,
    ) -> EvalResult<()> {
        match value.tag() {
            tag::NULL => {}
            tag::BOOL => {
                if value == Value::TRUE {
                    text.push(b'1');
                }
            }
            tag::INT | tag::WIDE_INT | tag::FLOAT => match self.number(value) {
                Some(super::arithmetic::Number::Int(int)) => {
                    text.extend_from_slice(int.to_string().as_bytes())
                }
                Some(super::arithmetic::Number::Float(float)) => {
                    text.extend_from_slice(crate::text::fixed_float(float).as_bytes());
                }
                None => {}
            },
            tag::LIST => {
                for index in 0..value.detail() {
                    let item = self.force_slot(value.handle() + index)?;
                    self.append(text, context, item, how)?;
                    // An empty list adds no space.
                    let empty = item.tag() == tag::LIST && item.detail() == 0;
                    if index + 1 < value.detail() && !empty {
                        text.push(b' ');
                    }
                }
            }
            _ => {
                return Err(self.no_text(value, "a string"));
            }
        }
        Ok(())
    }

    /// The error for a value that has no text.
    #[cold]
    pub(crate) fn no_text(&mut self, value: Value, wanted: &str) -> EvalError {
        let shown = self.describe(value);
        let message = format!("cannot turn {shown} into {wanted}");
        match self.secret_name(value) {
            Some(_) => crate::secret::misused(message),
            None => EvalError::of(&diagnostics::cannot_coerce::ENTRY, message),
        }
    }
}
