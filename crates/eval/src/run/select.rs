//! Selecting attributes, and variables that come from `with`.

use crate::attrs;
use crate::code::{Name, Node, NodeId};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::{Evaluator, RECENT_SLOTS};
use crate::heap::Handle;
use crate::value::Value;
use nival_syntax::Symbol;

/// The index in an inline cache that means: sets of this shape do not have it.
const NOT_THERE: u32 = u32::MAX;

impl Evaluator {
    #[inline(never)]
    pub(super) fn select_node(&mut self, node: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.select_node(node, frame));
        }
        let Node::Select(base, name, cache) = *self.code.nodes.at(node) else { return Ok(Value::NULL) };
        let set = self.eval(base, frame)?;
        if !set.is_attrs() {
            let error = self.wrong_type("a set", set);
            return Err(self.selecting(error, node, name));
        }
        let at = set.handle();
        let Some(slot) = self.find_cached(at, name, cache) else {
            return Err(self.missing_attribute(node, at, name));
        };
        let value = self.heap.value(slot);
        if !value.is_delayed() {
            return Ok(value);
        }
        match self.force_slot(slot) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.evaluating_attribute(error, node, at, name)),
        }
    }

    /// The slot of an attribute; where it is in sets of the same shape is remembered.
    #[inline]
    pub(super) fn find_cached(&mut self, set: Handle, name: Symbol, cache: u32) -> Option<Handle> {
        let (known, index) = self.code.caches.get(cache);
        // What is known is the shape of flat sets.
        if self.heap.pair(set).1 == known {
            return (index != NOT_THERE).then(|| set + 1 + index);
        }
        self.find_first(set, name, cache)
    }

    /// As `find_cached`, for a set whose shape is not the one that is remembered.
    #[inline(never)]
    fn find_first(&mut self, set: Handle, name: Symbol, cache: u32) -> Option<Handle> {
        let Some(shape) = attrs::flat_shape(&self.heap, set) else {
            return self.find_layered(set, name);
        };
        let index = attrs::index_of(&self.heap, shape, name);
        if self.heap.is_before_region(shape) {
            self.heap.keep(shape);
            self.code.caches.set(cache, (shape, index.unwrap_or(NOT_THERE)));
        }
        index.map(|index| set + 1 + index)
    }

    /// The slot of an attribute of a set that may be a layer; what was found is remembered:
    /// neither sets nor the slots of what they were layered from ever change places.
    fn find_layered(&mut self, set: Handle, name: Symbol) -> Option<Handle> {
        let place = (set ^ name.0.wrapping_mul(0x9e37_79b1)) as usize % RECENT_SLOTS;
        let (known_set, known_name, slot) = self.recent_slots[place];
        if known_set == set && known_name == name.0 {
            return (slot != 0).then_some(slot);
        }
        let (slot, _) = attrs::find(&self.heap, set, name)?;
        if self.heap.is_before_region(set.max(slot)) {
            self.heap.keep(set.max(slot));
            self.recent_slots[place] = (set, name.0, slot);
        }
        Some(slot)
    }

    /// As `find_layered`, for any set; that a name is not there is remembered too.
    pub(super) fn find_remembered(&mut self, set: Handle, name: Symbol) -> Option<Handle> {
        let place = (set ^ name.0.wrapping_mul(0x9e37_79b1)) as usize % RECENT_SLOTS;
        let (known_set, known_name, slot) = self.recent_slots[place];
        if known_set == set && known_name == name.0 {
            return (slot != 0).then_some(slot);
        }
        let slot = attrs::find(&self.heap, set, name).map_or(0, |(slot, _)| slot);
        if self.heap.is_before_region(set.max(slot)) {
            self.heap.keep(set.max(slot));
            self.recent_slots[place] = (set, name.0, slot);
        }
        (slot != 0).then_some(slot)
    }

    /// As [`Self::find_cached`], for a component of a path.
    fn find_component(&mut self, set: Handle, component: Name, name: Symbol) -> Option<Handle> {
        match component {
            Name::Static(_, cache) => self.find_cached(set, name, cache),
            Name::Dynamic(_) => attrs::find(&self.heap, set, name).map(|(slot, _)| slot),
        }
    }

    #[cold]
    fn selecting(&self, error: EvalError, node: NodeId, name: Symbol) -> EvalError {
        self.located(error, node).help(format!("the attribute `{}` is selected from it", self.name(name)))
    }

    #[cold]
    fn evaluating_attribute(
        &mut self,
        error: EvalError,
        node: NodeId,
        set: Handle,
        name: Symbol,
    ) -> EvalError {
        let error = self.located(error, node);
        if !error.wants_frames() {
            return error;
        }
        let position = attrs::find(&self.heap, set, name).map_or(0, |(_, position)| position);
        let span = self.name_span(name, position).or_else(|| self.node_span(node));
        error.frame(span, format!("while evaluating the attribute `{}`", self.name(name)))
    }

    #[cold]
    pub(crate) fn missing_attribute(&mut self, node: NodeId, set: Handle, name: Symbol) -> EvalError {
        let error = self.missing_in(set, name);
        let span = self.node_span(node);
        // Mark the name at the end of `a.b.name`, not all of it.
        let len = self.name(name).len() as u32;
        let span = span.map(|span| nival_diagnostics::Span {
            start: span.end.saturating_sub(len).max(span.start),
            ..span
        });
        error.at(span, "not there")
    }

    /// The error of a name that a set does not have.
    #[cold]
    pub(crate) fn missing_in(&mut self, set: Handle, name: Symbol) -> EvalError {
        let entries = attrs::entries(&mut self.heap, set);
        let text = self.name(name).to_owned();
        let near = crate::suggest::nearest(&text, entries.iter().map(|(name, ..)| self.interner.name(*name)));
        let error =
            EvalError::of(&diagnostics::missing_attribute::ENTRY, format!("attribute `{text}` is missing"));
        match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if entries.is_empty() => error.note("the set is empty"),
            None => {
                let mut names: Vec<&str> =
                    entries.iter().map(|(name, ..)| self.interner.name(*name)).collect();
                names.sort_unstable();
                let more = names.len().saturating_sub(8);
                names.truncate(8);
                let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
                error.note(format!(
                    "the set has {}{rest}",
                    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
                ))
            }
        }
    }

    /// The name of a component of a path.
    pub(super) fn component(&mut self, name: Name, frame: Handle) -> EvalResult<Symbol> {
        match name {
            Name::Static(name, _) => Ok(name),
            Name::Dynamic(node) => {
                let value = self.eval(node, frame)?;
                self.attribute_name(value).map_err(|error| self.located(error, node))
            }
        }
    }

    /// The symbol of a string that names an attribute.
    pub(crate) fn attribute_name(&mut self, value: Value) -> EvalResult<Symbol> {
        let value = self.force(value)?;
        if !value.is_string() {
            return Err(self.wrong_type("a string (the name of an attribute)", value));
        }
        let handle = value.handle();
        let place = handle as usize % crate::evaluator::RECENT_NAMES;
        let (known, symbol) = self.recent_names[place];
        if known == handle {
            return Ok(Symbol(symbol));
        }
        let symbol = self.interner.intern_bytes(self.heap.bytes(handle));
        if self.heap.is_before_region(handle) {
            self.heap.keep(handle);
            self.recent_names[place] = (handle, symbol.0);
        }
        Ok(symbol)
    }

    pub(super) fn select_path(&mut self, node: NodeId, base: NodeId, path: u32, frame: Handle) -> EvalResult {
        let mut value = self.eval(base, frame)?;
        for at in 0..self.code.paths[path as usize].len() {
            let component = self.code.paths[path as usize][at];
            let name = self.component(component, frame)?;
            if !value.is_attrs() {
                let error = self.wrong_type("a set", value);
                return Err(self.selecting(error, node, name));
            }
            let set = value.handle();
            let Some(slot) = self.find_component(set, component, name) else {
                return Err(self.missing_attribute(node, set, name));
            };
            value = match self.force_slot(slot) {
                Ok(value) => value,
                Err(error) => return Err(self.evaluating_attribute(error, node, set, name)),
            };
        }
        Ok(value)
    }

    #[inline(never)]
    pub(super) fn select_or(&mut self, node: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.select_or(node, frame));
        }
        let Node::SelectOr { base, path, default } = *self.code.nodes.at(node) else {
            return Ok(Value::NULL);
        };
        let mut value = self.eval(base, frame)?;
        for at in 0..self.code.paths[path as usize].len() {
            let component = self.code.paths[path as usize][at];
            let name = self.component(component, frame)?;
            if !value.is_attrs() {
                return self.eval(default, frame);
            }
            let set = value.handle();
            let Some(slot) = self.find_component(set, component, name) else {
                return self.eval(default, frame);
            };
            value = match self.force_slot(slot) {
                Ok(value) => value,
                Err(error) => return Err(self.evaluating_attribute(error, node, set, name)),
            };
        }
        Ok(value)
    }

    #[inline(never)]
    pub(super) fn has_path(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        let Node::HasAttr(base, path) = *self.code.nodes.at(id) else { return Ok(false) };
        let mut value = self.eval(base, frame)?;
        let len = self.code.paths[path as usize].len();
        for at in 0..len {
            let component = self.code.paths[path as usize][at];
            let name = self.component(component, frame)?;
            if !value.is_attrs() {
                return Ok(false);
            }
            let Some(slot) = self.find_component(value.handle(), component, name) else {
                return Ok(false);
            };
            if at + 1 < len {
                value = self.force_slot(slot)?;
            }
        }
        Ok(true)
    }

    /// A variable that a `with` brings: the innermost scope that has it.
    #[inline(never)]
    pub(super) fn scoped(&mut self, node: NodeId, frame: Handle) -> EvalResult {
        let Node::Scoped { scope, cache, level, .. } = *self.code.nodes.at(node) else {
            return Ok(Value::NULL);
        };
        // The frame of the innermost `with` settles all sets that are looked at, and so the slot.
        let innermost = self.code.scopes.get(scope - 1);
        let home = self.outer(frame, u32::from(level - innermost.level));
        let (known, slot) = self.code.caches.get(cache);
        if known == home {
            return self.variable(node, slot);
        }
        self.find_scoped(node, home)
    }

    #[inline(never)]
    fn find_scoped(&mut self, node: NodeId, home: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.find_scoped(node, home));
        }
        let Node::Scoped { name, scope, cache, .. } = *self.code.nodes.at(node) else {
            return Ok(Value::NULL);
        };
        let innermost = self.code.scopes.get(scope - 1);
        let mut next = scope;
        let mut seen = smallvec::SmallVec::<[Handle; 4]>::new();
        while next != 0 {
            let with = self.code.scopes.get(next - 1);
            let slot = self.outer(home, u32::from(innermost.level - with.level)) + 1 + with.place;
            let set = match self.force_slot(slot) {
                Ok(set) => set,
                Err(error) => return Err(self.located(error, node)),
            };
            if !set.is_attrs() {
                let error = self.wrong_type("a set (after `with`)", set);
                return Err(self.located(error, node));
            }
            if let Some(slot) = self.find_remembered(set.handle(), name) {
                if self.heap.is_before_region(home.max(slot)) {
                    self.heap.keep(home.max(slot));
                    self.code.caches.set(cache, (home, slot));
                }
                return self.variable(node, slot);
            }
            seen.push(set.handle());
            next = with.outer;
        }
        Err(self.undefined(node, name, &seen))
    }

    #[cold]
    fn undefined(&mut self, node: NodeId, name: Symbol, scopes: &[Handle]) -> EvalError {
        let text = self.name(name).to_owned();
        let mut near = None;
        for scope in scopes {
            let entries = attrs::entries(&mut self.heap, *scope);
            let names = entries.iter().map(|(name, ..)| self.interner.name(*name));
            near = near.or_else(|| crate::suggest::nearest(&text, names).map(str::to_owned));
        }
        let error =
            EvalError::of(&diagnostics::undefined_variable::ENTRY, format!("undefined variable `{text}`"))
                .at(self.node_span(node), "not defined here");
        match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(
                "no `with` around this place brings it; define it with `let` or take it as an argument",
            ),
        }
    }
}
