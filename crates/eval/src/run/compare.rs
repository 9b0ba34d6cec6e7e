//! Equality and order.

use super::arithmetic::Number;
use crate::attrs;
use crate::code::{Node, NodeId};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::heap::Handle;
use crate::symbols;
use crate::value::{Value, tag};
use std::cmp::Ordering;

impl Evaluator {
    #[inline(never)]
    pub(super) fn equal_nodes(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        let (left, right, wanted) = match *self.code.nodes.at(id) {
            Node::Equal(left, right) | Node::EqualBeginning(left, right) => (left, right, true),
            Node::NotEqual(left, right) => (left, right, false),
            _ => return Ok(false),
        };
        let left = self.eval(left, frame)?;
        let right = self.eval(right, frame)?;
        match self.equal_forced(left, right) {
            Ok(equal) => Ok(equal == wanted),
            Err(error) => Err(self.located(error, id)),
        }
    }

    #[inline]
    fn equal_forced(&mut self, left: Value, right: Value) -> EvalResult<bool> {
        if left.tag() != right.tag() && (left.tag() < tag::INT || right.tag() < tag::INT) {
            return Ok(false);
        }
        if left.tag() == right.tag() && left.tag() <= tag::INT {
            return Ok(left == right);
        }
        if left.tag() == tag::STRING && right.tag() == tag::STRING {
            return Ok(self.equal_texts(left, right));
        }
        if left.tag() == tag::LIST && right.tag() == tag::LIST && left.detail().min(right.detail()) == 0 {
            return Ok(left.detail() == right.detail());
        }
        self.equal(left, right)
    }

    /// `substring 0 (stringLength text) other == text`, without calling anything and without the part of the text, where
    /// all of them are what they seem to be.
    #[inline(never)]
    pub(super) fn equal_beginning(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        let Node::EqualBeginning(left, right) = *self.code.nodes.at(id) else { return Ok(false) };
        if let Node::Call(function, arguments) = self.code.nodes.get(left)
            && let Node::Call1(length, _) = self.code.nodes.get(self.code.extra.get(arguments.start + 1))
            && let Some(text) = self.known_variable(right, frame).filter(|text| text.is_string())
            && self.eval(function, frame)? == self.substring
            && self.eval(length, frame)? == self.string_length
        {
            let other = self.code.extra.get(arguments.start + 2);
            let other = match self.eval(other, frame) {
                Ok(other) => other,
                Err(error) => return Err(self.calling_native(error, self.substring, left)),
            };
            if other.is_string() {
                let text = self.heap.bytes(text.handle());
                return Ok(self.heap.bytes(other.handle()).starts_with(text));
            }
        }
        self.equal_nodes(id, frame)
    }

    /// What a variable is, if that is known already.
    fn known_variable(&self, node: NodeId, frame: Handle) -> Option<Value> {
        let slot = match self.code.nodes.get(node) {
            Node::Local(place) => frame + 1 + place,
            Node::Outer(depth, place) => self.outer(frame, depth) + 1 + place,
            _ => return None,
        };
        let value = self.heap.value(slot);
        let value = if value.tag() == tag::REF { self.heap.value(value.handle()) } else { value };
        (!value.is_delayed()).then_some(value)
    }

    #[inline(never)]
    pub(super) fn less_nodes(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        let (left, right, wanted) = match *self.code.nodes.at(id) {
            Node::Less(left, right) => (left, right, true),
            Node::NotLess(left, right) => (left, right, false),
            _ => return Ok(false),
        };
        let left = self.eval(left, frame)?;
        let right = self.eval(right, frame)?;
        if left.tag() == tag::INT && right.tag() == tag::INT {
            return Ok((left.as_small_int() < right.as_small_int()) == wanted);
        }
        if left.is_string() && right.is_string() {
            return Ok((self.heap.bytes(left.handle()) < self.heap.bytes(right.handle())) == wanted);
        }
        match self.less_than(left, right) {
            Ok(less) => Ok(less == wanted),
            Err(error) => Err(self.located(error, id)),
        }
    }

    /// Whether two texts are equal that are there already; `None` for anything else.
    #[inline]
    pub(crate) fn equal_known_texts(&self, left: Value, right: Value) -> Option<bool> {
        let known = |value: Value| {
            let value = if value.tag() == tag::REF { self.heap.value(value.handle()) } else { value };
            value.is_string().then_some(value)
        };
        let (left, right) = (known(left)?, known(right)?);
        // At the last level even that is one too many.
        (self.depth < self.settings.max_call_depth).then(|| self.equal_texts(left, right))
    }

    /// Whether two values are equal; functions never are.
    pub fn equal(&mut self, left: Value, right: Value) -> EvalResult<bool> {
        self.deeper(|evaluator| evaluator.equal_here(left, right))
    }

    fn equal_here(&mut self, left: Value, right: Value) -> EvalResult<bool> {
        let left = self.force(left)?;
        let right = self.force(right)?;
        match (left.tag(), right.tag()) {
            (tag::STRING, tag::STRING) | (tag::PATH, tag::PATH) => Ok(self.equal_texts(left, right)),
            (tag::NULL, tag::NULL) => Ok(true),
            (tag::BOOL, tag::BOOL) | (tag::INT, tag::INT) => Ok(left == right),
            (tag::LIST, tag::LIST) => self.equal_lists(left, right),
            (tag::ATTRS, tag::ATTRS) => self.equal_sets(left, right),
            (tag::LAMBDA | tag::PARTIAL | tag::NATIVE, tag::LAMBDA | tag::PARTIAL | tag::NATIVE) => {
                self.never_a_secret(left, right)
            }
            _ => match (self.number(left), self.number(right)) {
                (Some(Number::Int(a)), Some(Number::Int(b))) => Ok(a == b),
                (Some(a), Some(b)) => Ok(a.as_float() == b.as_float()),
                // Whether there is one may be asked.
                _ if left.tag() == tag::NULL || right.tag() == tag::NULL => Ok(false),
                _ => self.never_a_secret(left, right),
            },
        }
    }

    #[inline]
    fn equal_texts(&self, left: Value, right: Value) -> bool {
        left.handle() == right.handle()
            || self.heap.word(left.handle()) == self.heap.word(right.handle())
                && self.heap.bytes(left.handle()) == self.heap.bytes(right.handle())
    }

    /// Two elements. What is one and the same thing is equal, even if it is a function:
    /// C++ Nix compares the addresses first, and nixpkgs relies on it.
    fn equal_slots(&mut self, left: Handle, right: Handle) -> EvalResult<bool> {
        let (left, right) = (self.force_slot(left)?, self.force_slot(right)?);
        if left == right && left.tag() != tag::FLOAT {
            return Ok(true);
        }
        self.equal(left, right)
    }

    fn equal_lists(&mut self, left: Value, right: Value) -> EvalResult<bool> {
        if left.detail() != right.detail() {
            return Ok(false);
        }
        for index in 0..left.detail() {
            if !self.equal_slots(left.handle() + index, right.handle() + index)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_sets(&mut self, left: Value, right: Value) -> EvalResult<bool> {
        if left == right {
            return Ok(true);
        }
        if self.is_derivation_set(left.handle())? && self.is_derivation_set(right.handle())? {
            let a = attrs::find(&self.heap, left.handle(), symbols::OUT_PATH);
            let b = attrs::find(&self.heap, right.handle(), symbols::OUT_PATH);
            if let (Some((a, _)), Some((b, _))) = (a, b) {
                let (a, b) = (self.force_slot(a)?, self.force_slot(b)?);
                return self.equal(a, b);
            }
        }
        let (left, right) =
            (attrs::flatten(&mut self.heap, left.handle()), attrs::flatten(&mut self.heap, right.handle()));
        let (a, b) = (self.heap.pair(left).1, self.heap.pair(right).1);
        let len = attrs::shape_len(&self.heap, a);
        if len != attrs::shape_len(&self.heap, b) {
            return Ok(false);
        }
        for index in 0..len {
            if a != b && attrs::entry(&self.heap, a, index).0 != attrs::entry(&self.heap, b, index).0 {
                return Ok(false);
            }
        }
        for index in 0..len {
            if !self.equal_slots(left + 1 + index, right + 1 + index)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a set is a derivation: its `type` is `"derivation"`.
    pub(crate) fn is_derivation_set(&mut self, set: Handle) -> EvalResult<bool> {
        let Some(slot) = self.find_remembered(set, symbols::TYPE) else { return Ok(false) };
        let value = self.force_slot(slot)?;
        Ok(value.is_string() && self.heap.bytes(value.handle()) == b"derivation")
    }

    /// Whether the first comes before the second: numbers, strings, paths, and lists of them.
    pub fn less_than(&mut self, left: Value, right: Value) -> EvalResult<bool> {
        self.tick()?;
        let left = self.force(left)?;
        let right = self.force(right)?;
        if let (Some(a), Some(b)) = (self.number(left), self.number(right)) {
            return Ok(match (a, b) {
                (Number::Int(a), Number::Int(b)) => a < b,
                _ => a.as_float() < b.as_float(),
            });
        }
        match (left.tag(), right.tag()) {
            (tag::STRING, tag::STRING) | (tag::PATH, tag::PATH) => {
                let order = self.heap.bytes(left.handle()).cmp(self.heap.bytes(right.handle()));
                Ok(order == Ordering::Less)
            }
            (tag::LIST, tag::LIST) => self.less_lists(left, right),
            _ => {
                let (a, b) = (self.describe(left), self.describe(right));
                Err(EvalError::of(
                    &diagnostics::cannot_compare::ENTRY,
                    format!("cannot compare {a} with {b}"),
                )
                .help("numbers, strings, paths, and lists of them can be compared, each with its like"))
            }
        }
    }

    fn less_lists(&mut self, left: Value, right: Value) -> EvalResult<bool> {
        let mut index = 0;
        loop {
            if index == right.detail() {
                return Ok(false);
            }
            if index == left.detail() {
                return Ok(true);
            }
            let a = self.force_slot(left.handle() + index)?;
            let b = self.force_slot(right.handle() + index)?;
            if !self.equal(a, b)? {
                return self.on_own_stack(|evaluator| evaluator.less_than(a, b));
            }
            index += 1;
        }
    }
}
