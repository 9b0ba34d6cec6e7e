//! Operators on sets, lists and strings.

use crate::attrs;
use crate::code::{Node, NodeId, Run};
use crate::context::Gathered;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::heap::{Content, Handle};
use crate::value::{Value, tag};
use crate::{Coercion, ContextId};

impl Evaluator {
    pub(super) fn assertion(&mut self, node: NodeId, condition: NodeId, frame: Handle) -> EvalResult<()> {
        if self.condition(condition, frame)? {
            return Ok(());
        }
        let text = self.node_span(condition).map(|span| {
            let text = self.sources.text(span.source);
            String::from_utf8_lossy(&text[span.start as usize..span.end as usize]).into_owned()
        });
        let message = match text {
            Some(text) if text.len() < 200 && !text.contains('\n') => format!("assertion `{text}` failed"),
            _ => "assertion failed".to_owned(),
        };
        let error = EvalError::catchable(&diagnostics::assertion_failed::ENTRY, message);
        Err(self.located(error.at(self.node_span(condition), "this is false"), node))
    }

    fn set_operand(&mut self, node: NodeId, frame: Handle) -> EvalResult<Handle> {
        let value = self.eval(node, frame)?;
        if value.is_attrs() {
            return Ok(value.handle());
        }
        let error = self.wrong_type("a set", value);
        Err(self.located(error, node))
    }

    #[inline(never)]
    pub(super) fn update_nodes(&mut self, id: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.update_nodes(id, frame));
        }
        let Node::Update(left, right) = *self.code.nodes.at(id) else { return Ok(Value::NULL) };
        // The right one first, as in C++ Nix: it tells which of two errors is seen.
        let right = self.set_operand(right, frame)?;
        let left = self.set_operand(left, frame)?;
        Ok(Value::attrs(attrs::update(&mut self.heap, &mut self.updates, left, right)))
    }

    /// Both sides are evaluated before either is looked at, as C++ Nix does it.
    #[inline(never)]
    pub(super) fn concat_nodes(&mut self, id: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.concat_nodes(id, frame));
        }
        let Node::Concat(left, right) = *self.code.nodes.at(id) else { return Ok(Value::NULL) };
        let values = [self.eval(left, frame)?, self.eval(right, frame)?];
        for (value, node) in values.into_iter().zip([left, right]) {
            if value.tag() != tag::LIST {
                let error = self.wrong_type("a list", value);
                return Err(self.located(error, node));
            }
        }
        Ok(self.concat(&values))
    }

    /// One list of several forced lists.
    pub(crate) fn concat(&mut self, lists: &[Value]) -> Value {
        let mut filled = lists.iter().filter(|list| list.detail() > 0);
        if let (first, None) = (filled.next(), filled.next()) {
            return first.copied().unwrap_or(Value::list(1, 0));
        }
        let total: usize = lists.iter().map(|list| list.detail() as usize).sum();
        if let [left, right] = lists {
            let (end, count) = (left.handle() + left.detail(), right.detail() as usize);
            if self.heap.grow(end, count) {
                self.copy_items(*right, end);
                return Value::list(left.handle(), total);
            }
            let at = self.heap.allocate_joined(left.detail() as usize, count);
            self.copy_items(*left, at);
            self.copy_items(*right, at + left.detail());
            return Value::list(at, total);
        }
        let at = self.heap.allocate(Content::Values, total);
        let mut next = at;
        for list in lists {
            self.copy_items(*list, next);
            next += list.detail();
        }
        Value::list(at, total)
    }

    /// Puts the elements of a list, shared with it, into slots.
    fn copy_items(&mut self, list: Value, to: Handle) {
        for index in 0..list.detail() {
            let value = attrs::load(&self.heap, list.handle() + index);
            self.heap.set(to + index, value);
            self.heap.stored(to + index, value);
        }
    }

    pub(super) fn interpolate(&mut self, node: NodeId, parts: Run, frame: Handle) -> EvalResult {
        let mut text = self.take_buffer();
        let mut context = Gathered::default();
        for at in parts.indices() {
            let part = self.code.extra.get(at);
            let value = self.eval(part, frame)?;
            if let Err(error) = self.append(&mut text, &mut context, value, Coercion::INTERPOLATION) {
                let error = self.located(error, part);
                return Err(self.located(error, node));
            }
        }
        let context = self.contexts.gather(&context);
        let made = self.make_string(&text, context);
        self.give_buffer(text);
        Ok(made)
    }

    pub(super) fn interpolate_path(&mut self, node: NodeId, parts: Run, frame: Handle) -> EvalResult {
        let mut text = Vec::new();
        let mut context = Gathered::default();
        for at in parts.indices() {
            let part = self.code.extra.get(at);
            let value = self.eval(part, frame)?;
            let how = Coercion { more: false, copy_to_store: false };
            self.append(&mut text, &mut context, value, how).map_err(|error| self.located(error, part))?;
        }
        let context = self.contexts.gather(&context);
        self.path_without_context(&text, context).map_err(|error| self.located(error, node))
    }

    pub(super) fn path_without_context(&mut self, text: &[u8], context: ContextId) -> EvalResult {
        if !context.is_empty() {
            return Err(EvalError::of(
                &diagnostics::string_has_context::ENTRY,
                "a string that refers to a store path cannot be appended to a path",
            ));
        }
        let text = String::from_utf8_lossy(text);
        Ok(self.path(&crate::paths::canonical(&text)))
    }

    /// `+` on what is neither two numbers: strings and paths.
    pub(super) fn add_texts(&mut self, left: Value, right: Value) -> EvalResult {
        if left.is_string() && right.is_string() {
            let context = self.contexts.join(ContextId(left.detail()), ContextId(right.detail()));
            let at = self.heap.join_bytes(left.handle(), right.handle());
            return Ok(Value::new(tag::STRING, context.0, at));
        }
        let mut text = Vec::new();
        let mut context = Gathered::default();
        let how = Coercion { more: false, copy_to_store: left.is_string() };
        self.append(&mut text, &mut context, left, how)?;
        self.append(&mut text, &mut context, right, how)?;
        let context = self.contexts.gather(&context);
        if left.tag() == tag::PATH {
            return self.path_without_context(&text, context);
        }
        Ok(self.make_string(&text, context))
    }

    /// What is said when a value has the wrong type.
    #[cold]
    pub(crate) fn wrong_type(&mut self, expected: &str, value: Value) -> EvalError {
        let shown = self.describe(value);
        let message = format!("expected {expected}, found {shown}");
        match self.secret_name(value) {
            Some(_) => crate::secret::misused(message),
            None => EvalError::of(&diagnostics::type_mismatch::ENTRY, message),
        }
    }

    /// A short text of a value with its type.
    #[cold]
    pub(crate) fn describe(&mut self, value: Value) -> String {
        let kind = match value.tag() {
            tag::NULL => return "null".to_owned(),
            tag::BOOL => "the Boolean",
            tag::INT | tag::WIDE_INT => "the integer",
            tag::FLOAT => "the float",
            tag::STRING => "the string",
            tag::PATH => "the path",
            tag::LIST => "the list",
            tag::ATTRS => "the set",
            tag::LAMBDA | tag::PARTIAL | tag::NATIVE => {
                return match self.secret_name(value) {
                    Some(name) => format!("the secret `{name}`"),
                    None => "a function".to_owned(),
                };
            }
            _ => "a value that is not evaluated",
        };
        let shown = self.print_short(value);
        format!("{kind} `{shown}`")
    }
}
