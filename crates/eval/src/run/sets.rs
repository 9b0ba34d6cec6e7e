//! Making lists and sets.

use crate::attrs;
use crate::code::{NodeId, Run, SetCode};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::heap::{Content, Handle};
use crate::symbols;
use crate::value::Value;
use nival_syntax::Symbol;

impl Evaluator {
    pub(super) fn list_node(&mut self, items: Run, frame: Handle) -> Value {
        let first = self.heap.allocate(Content::Values, items.len as usize);
        for (index, at) in items.indices().enumerate() {
            let node = self.code.extra.get(at);
            let value = self.delay(node, frame);
            self.heap.set(first + index as u32, value);
        }
        Value::list(first, items.len as usize)
    }

    #[inline(never)]
    pub(super) fn plain_set(&mut self, node: NodeId, id: u32, frame: Handle) -> EvalResult {
        let code = &self.code.sets[id as usize];
        let (shape, values, sources) = (code.shape, code.values, code.sources);
        let dynamic = !code.computed.is_empty();
        self.initialize(sources, frame);
        let set = attrs::new_set(&mut self.heap, shape);
        for (index, at) in values.indices().enumerate() {
            let value = self.code.extra.get(at);
            let value = self.delay(value, frame);
            self.heap.set(set + 1 + index as u32, value);
        }
        if dynamic {
            return self.add_computed(node, id, set, frame);
        }
        Ok(Value::attrs(set))
    }

    #[inline(never)]
    pub(super) fn recursive_set(&mut self, node: NodeId, id: u32, frame: Handle) -> EvalResult {
        let code = &self.code.sets[id as usize];
        let SetCode { shape, values, sources, hidden, overrides, .. } = *code;
        let dynamic = !code.computed.is_empty();
        let set = self.heap.allocate(Content::Headed, 1 + (values.len + hidden) as usize);
        self.heap.set_pair(set, frame, shape);
        self.initialize(sources, set);
        for (index, at) in values.indices().enumerate() {
            let value = self.code.extra.get(at);
            let value = self.delay_in_new_frame(value, set);
            self.heap.set(set + 1 + index as u32, value);
        }
        let mut result = set;
        if let Some(index) = overrides {
            result = self.override_set(set, shape, index)?;
        }
        if dynamic {
            return self.add_computed(node, id, result, set);
        }
        Ok(Value::attrs(result))
    }

    /// The legacy `__overrides`: replaces attributes of the set, inside as outside.
    fn override_set(&mut self, set: Handle, shape: Handle, index: u32) -> EvalResult<Handle> {
        let overrides = self.force_slot(set + 1 + index)?;
        let overrides = self.expect_attrs(overrides)?;
        let mut added = Vec::new();
        for (name, position, slot) in attrs::entries(&mut self.heap, overrides.handle()) {
            let value = attrs::load(&self.heap, slot);
            match attrs::index_of(&self.heap, shape, name) {
                Some(at) => self.heap.set(set + 1 + at, value),
                None => added.push((name, position, value)),
            }
        }
        if added.is_empty() {
            return Ok(set);
        }
        let added = attrs::from_entries(&mut self.heap, &mut added);
        Ok(attrs::update(&mut self.heap, &mut self.updates, set, added))
    }

    #[inline(never)]
    fn add_computed(&mut self, node: NodeId, id: u32, set: Handle, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.add_computed(node, id, set, frame));
        }
        let count = self.code.sets[id as usize].computed.len();
        let mut added: Vec<(Symbol, u32, Value)> = Vec::with_capacity(count);
        for at in 0..count {
            let computed = self.code.sets[id as usize].computed[at];
            let name = self.holding(|evaluator| evaluator.eval(computed.name, frame))?;
            if name == Value::NULL {
                continue;
            }
            let name = self.attribute_name(name).map_err(|error| self.located(error, computed.name))?;
            let earlier = added.iter().find(|(other, ..)| *other == name).map(|(_, position, _)| *position);
            let earlier =
                earlier.or_else(|| attrs::find(&self.heap, set, name).map(|(_, position)| position));
            if let Some(earlier) = earlier {
                return Err(self.defined_twice(node, name, computed.position, earlier));
            }
            let value = self.delay(computed.value, frame);
            let value = self.share(value);
            added.push((name, computed.position, value));
        }
        let added = attrs::from_entries(&mut self.heap, &mut added);
        Ok(Value::attrs(attrs::update(&mut self.heap, &mut self.updates, set, added)))
    }

    #[cold]
    fn defined_twice(&self, node: NodeId, name: Symbol, position: u32, earlier: u32) -> EvalError {
        let name = self.name(name);
        let error = EvalError::of(
            &diagnostics::duplicate_computed::ENTRY,
            format!("the attribute `{name}` is defined twice in one set"),
        )
        .at(self.span_of((position, position + 1)), "its computed name is the same");
        let error = match self.span_of((earlier, earlier + 1)) {
            Some(span) => error.note(format!("first defined at {}", self.sources.place(span))),
            None => error,
        };
        self.located(error, node)
    }

    pub(super) fn current_position(&mut self, node: NodeId) -> Value {
        match self.node_span(node) {
            Some(span) => self.position_value(span),
            None => Value::NULL,
        }
    }

    /// `{ column, file, line }`; `null` for what was not read from a file, as in C++ Nix.
    pub(crate) fn position_value(&mut self, span: nival_diagnostics::Span) -> Value {
        if !self.sources.name(span.source).starts_with('/') {
            return Value::NULL;
        }
        let place = self.sources.position(span.source, span.start);
        let file = self.sources.name(span.source).to_owned();
        let file = self.string(&file);
        let (line, column) = (self.int(i64::from(place.line)), self.int(i64::from(place.column)));
        self.attrs(&[(symbols::FILE, file), (symbols::LINE, line), (symbols::COLUMN, column)])
    }
}
