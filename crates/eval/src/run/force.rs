//! Delaying expressions, and forcing what was delayed.

use crate::attrs;
use crate::code::{Node, NodeId, Run};
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::heap::{Content, Handle};
use crate::value::{Value, tag};

/// So many values are looked at each time, instead of remembering that they were looked at.
const FEW: u32 = 16;

impl Evaluator {
    /// What an expression will be, without running it; belongs into exactly one slot.
    #[inline]
    pub(crate) fn delay(&mut self, node: NodeId, frame: Handle) -> Value {
        match self.code.nodes.get(node) {
            Node::Const(value) => value,
            Node::Local(place) => attrs::load(&self.heap, frame + 1 + place),
            Node::Outer(depth, place) => {
                let outer = self.outer(frame, depth);
                attrs::load(&self.heap, outer + 1 + place)
            }
            Node::Lambda(lambda) if !self.as_written => Value::new(tag::LAMBDA, lambda, frame),
            _ => Value::new(tag::THUNK, node, frame),
        }
    }

    /// As `delay`, for an argument: an attribute of a set that is there already is passed as itself,
    /// so that no thunk keeps the caller's frame.
    #[inline(always)]
    pub(crate) fn delay_argument(&mut self, node: NodeId, frame: Handle) -> Value {
        match *self.code.nodes.at(node) {
            Node::Local(place) => attrs::load(&self.heap, frame + 1 + place),
            _ => self.delay_other_argument(node, frame),
        }
    }

    #[inline(never)]
    fn delay_other_argument(&mut self, node: NodeId, frame: Handle) -> Value {
        if let Node::Select(base, name, cache) = self.code.nodes.get(node)
            && !self.as_written
            && let Some(slot) = self.known_attribute(base, name, cache, frame)
        {
            return attrs::load(&self.heap, slot);
        }
        self.delay(node, frame)
    }

    /// The slot of an attribute that can be found without evaluating anything.
    fn known_attribute(
        &mut self,
        base: NodeId,
        name: nival_syntax::Symbol,
        cache: u32,
        frame: Handle,
    ) -> Option<Handle> {
        let slot = match self.code.nodes.get(base) {
            Node::Local(place) => frame + 1 + place,
            Node::Outer(depth, place) => self.outer(frame, depth) + 1 + place,
            Node::Select(base, name, cache) => self.known_attribute(base, name, cache, frame)?,
            _ => return None,
        };
        let mut value = self.heap.value(slot);
        if value.tag() == tag::REF {
            value = self.heap.value(value.handle());
        }
        if value.is_attrs() { self.find_cached(value.handle(), name, cache) } else { None }
    }

    /// As `delay`, where the current frame is not filled yet.
    #[inline]
    pub(crate) fn delay_in_new_frame(&mut self, node: NodeId, frame: Handle) -> Value {
        match self.code.nodes.get(node) {
            Node::Local(place) if self.as_written && self.heap.value(frame + 1 + place) == Value::NULL => {
                Value::new(tag::THUNK, node, frame)
            }
            Node::Local(place) => Value::reference(frame + 1 + place),
            _ => self.delay(node, frame),
        }
    }

    /// Fills places of a frame.
    pub(crate) fn initialize(&mut self, inits: Run, frame: Handle) {
        for at in inits.indices() {
            let init = self.code.inits.get(at);
            let value = self.delay_in_new_frame(init.node, frame);
            self.heap.set(frame + 1 + init.place, value);
        }
    }

    /// A form that may be stored in several places: what is delayed gets a slot of its own.
    #[inline]
    pub(crate) fn share(&mut self, value: Value) -> Value {
        if !value.is_raw_delayed() {
            return value;
        }
        let slot = self.heap.allocate(Content::Values, 1);
        self.heap.set(slot, value);
        Value::reference(slot)
    }

    /// Forces a value to weak head normal form.
    #[inline]
    pub fn force(&mut self, value: Value) -> EvalResult {
        if value.is_delayed() { self.force_delayed(value) } else { Ok(value) }
    }

    fn force_delayed(&mut self, value: Value) -> EvalResult {
        match value.tag() {
            tag::REF => self.force_slot(value.handle()),
            tag::THUNK => self.eval(value.detail(), value.handle()),
            tag::CALL => self.force_call(value),
            tag::LAZY => self.force_lazy(value),
            tag::MAPPED => self.force_mapped(value),
            _ => Err(self.infinite_recursion()),
        }
    }

    /// Forces what a slot holds, in place.
    #[inline]
    pub(crate) fn force_slot(&mut self, slot: Handle) -> EvalResult {
        let value = self.heap.value(slot);
        if !value.is_delayed() {
            return Ok(value);
        }
        self.force_delayed_slot(slot, value)
    }

    /// As `force_slot`, for a slot that holds `value`.
    #[inline(never)]
    pub(super) fn force_delayed_slot(&mut self, slot: Handle, value: Value) -> EvalResult {
        if value.tag() == tag::REF {
            return self.force_reference(slot, value.handle());
        }
        if value == Value::BLACKHOLE {
            return Err(self.infinite_recursion());
        }
        self.heap.set(slot, Value::BLACKHOLE);
        let result = if value.tag() == tag::THUNK {
            self.eval(value.detail(), value.handle())
        } else {
            self.force_delayed(value)
        };
        match result {
            Ok(forced) => {
                self.heap.set(slot, forced);
                self.heap.stored(slot, forced);
                Ok(forced)
            }
            Err(error) => {
                self.heap.set(slot, value);
                Err(error)
            }
        }
    }

    /// Forces a slot that refers to another one.
    fn force_reference(&mut self, slot: Handle, target: Handle) -> EvalResult {
        let mut forced = self.heap.value(target);
        if forced.is_delayed() {
            // Variables may refer to each other in a circle.
            self.heap.set(slot, Value::BLACKHOLE);
            let result = self.force_delayed_slot(target, forced);
            self.heap.set(slot, Value::reference(target));
            forced = result?;
        }
        // A list with elements stays where it is, and is referred to.
        if !forced.is_filled_list() {
            self.heap.set(slot, forced);
        }
        self.heap.stored(slot, forced);
        Ok(forced)
    }

    fn force_call(&mut self, value: Value) -> EvalResult {
        let at = value.handle();
        let count = value.detail() as usize;
        let function = self.heap.value(at);
        let mut arguments = smallvec::SmallVec::<[Value; 6]>::new();
        for index in 0..count {
            arguments.push(self.heap.value(at + 1 + index as u32));
        }
        let holds = u32::from(arguments.spilled());
        self.holding += holds;
        let result = self.call(function, &arguments);
        self.holding -= holds;
        result
    }

    fn force_mapped(&mut self, value: Value) -> EvalResult {
        let function = self.heap.value(value.handle());
        let (from, index) = (self.heap.value(value.handle() + 1), value.detail());
        match from.tag() {
            tag::LIST => {
                let item = attrs::load(&self.heap, from.handle() + index);
                self.call(function, &[item])
            }
            tag::ATTRS => {
                let (name, _, slot) = attrs::entry_of(&self.heap, from.handle(), index);
                let (name, item) = (self.name_value(name), attrs::load(&self.heap, slot));
                self.call(function, &[name, item])
            }
            _ => {
                let number = self.int(index.into());
                self.call(function, &[number])
            }
        }
    }

    /// What the results of a function for each element of something have in common; see [`tag::MAPPED`].
    pub(crate) fn mapped(&mut self, function: Value, from: Value) -> Handle {
        let at = self.heap.allocate(Content::Values, 2);
        self.heap.set(at, function);
        self.heap.set(at + 1, from);
        at
    }

    fn force_lazy(&mut self, value: Value) -> EvalResult {
        let index = value.detail();
        let Some(work) = self.lazies.get_mut(index as usize).and_then(Option::take) else {
            return Err(self.infinite_recursion());
        };
        let captures = self.captures(value.handle());
        self.heap.keep_all();
        self.holding += 1;
        let result = work(self, &captures);
        self.holding -= 1;
        self.free_lazies.push(index);
        match result {
            Ok(value) => self.force(value),
            Err(error) => Err(error),
        }
    }

    /// The values behind a count word.
    pub(crate) fn captures(&self, at: Handle) -> smallvec::SmallVec<[Value; 6]> {
        if at == 0 {
            return smallvec::SmallVec::new();
        }
        let count = self.heap.word(at) as usize;
        self.heap.words(at + 1, count).iter().map(|word| Value::from_bits(*word)).collect()
    }

    /// Stores values behind a count word; 0 for none.
    pub(crate) fn store_captures(&mut self, values: &[Value]) -> Handle {
        if values.is_empty() {
            return 0;
        }
        let at = self.heap.allocate(Content::Values, 1 + values.len());
        self.heap.set_word(at, values.len() as u64);
        for (index, value) in values.iter().enumerate() {
            let value = self.share(*value);
            self.heap.set(at + 1 + index as u32, value);
        }
        at
    }

    /// A delayed call that fills one slot: arguments must be shareable.
    pub(crate) fn raw_call(&mut self, function: Value, arguments: &[Value]) -> Value {
        let at = self.heap.allocate(Content::Values, 1 + arguments.len());
        self.heap.set(at, function);
        for (index, value) in arguments.iter().enumerate() {
            self.heap.set(at + 1 + index as u32, *value);
        }
        Value::new(tag::CALL, arguments.len() as u32, at)
    }

    /// Forces everything inside of a value.
    pub fn force_deep(&mut self, value: Value) -> EvalResult {
        let mut seen = rustc_hash::FxHashSet::default();
        // What was seen is known by its handle, so all of it has to stay.
        self.pinned.push(value);
        let result = self.force_deep_inner(value, &mut seen);
        self.pinned.pop();
        result
    }

    fn force_deep_inner(&mut self, value: Value, seen: &mut rustc_hash::FxHashSet<u64>) -> EvalResult {
        if value.tag() == tag::REF && self.depth < self.settings.max_call_depth {
            let inner = self.heap.value(value.handle());
            // What is inside takes a level, too.
            let room = self.depth + 1 < self.settings.max_call_depth;
            let is_plain = match inner.tag() {
                tag::LIST => room && self.is_plain(inner.handle(), inner.detail()),
                tag::ATTRS => match attrs::flat_shape(&self.heap, inner.handle()) {
                    Some(shape) => {
                        room && self.is_plain(inner.handle() + 1, attrs::shape_len(&self.heap, shape))
                    }
                    None => false,
                },
                _ => !inner.is_delayed(),
            };
            if is_plain {
                return Ok(inner);
            }
        }
        self.deeper(|evaluator| evaluator.force_deep_inner_here(value, seen))
    }

    /// Whether all of a few slots hold something that is there and holds nothing else: it need not be remembered.
    fn is_plain(&self, first: Handle, count: u32) -> bool {
        let is_plain = |slot: Handle| {
            let mut value = self.heap.value(slot);
            if value.tag() == tag::REF {
                value = self.heap.value(value.handle());
            }
            !value.is_delayed() && !matches!(value.tag(), tag::LIST | tag::ATTRS)
        };
        count <= FEW && (first..first + count).all(is_plain)
    }

    fn force_deep_inner_here(&mut self, value: Value, seen: &mut rustc_hash::FxHashSet<u64>) -> EvalResult {
        let value = self.force(value)?;
        match value.tag() {
            tag::LIST if value.detail() > 0 && seen.insert(value.bits()) => {
                for index in 0..value.detail() {
                    self.force_deep_inner(Value::reference(value.handle() + index), seen)?;
                }
            }
            tag::ATTRS if seen.insert(value.bits()) => {
                let flat = attrs::flatten(&mut self.heap, value.handle());
                for index in 0..attrs::count_bound(&self.heap, flat) {
                    let (name, position, slot) = attrs::entry_of(&self.heap, flat, index);
                    if let Err(error) = self.force_deep_inner(Value::reference(slot), seen) {
                        let span = self.name_span(name, position);
                        let text = format!("while evaluating the attribute `{}`", self.name(name));
                        return Err(error.frame(span, text));
                    }
                }
            }
            _ => {}
        }
        Ok(value)
    }

    #[cold]
    pub(crate) fn infinite_recursion(&self) -> EvalError {
        EvalError::of(
            &crate::diagnostics::infinite_recursion::ENTRY,
            "infinite recursion encountered: this value needs itself",
        )
        .help("look for a definition that refers to itself by way of the marked place")
    }

    #[cold]
    pub(crate) fn too_deep(&self) -> EvalError {
        EvalError::of(
            &crate::diagnostics::call_depth_exceeded::ENTRY,
            format!(
                "stack overflow; max-call-depth exceeded: calls are nested more than {} deep",
                self.settings.max_call_depth
            ),
        )
        .help("look for a function that calls itself without an end")
    }
}
