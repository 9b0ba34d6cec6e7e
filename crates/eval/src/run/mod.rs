//! Running the program.

mod arithmetic;
mod call;
mod coerce;
mod collect;
mod compare;
mod force;
mod operators;
mod select;
mod sets;

pub(crate) use arithmetic::Number;

use crate::code::{Node, NodeId};
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::heap::{Content, Handle};
use crate::value::{Value, tag};

/// What a call in tail position leaves to do.
pub(crate) enum Step {
    Done(Value),
    /// Run a node in a frame.
    Run(NodeId, Handle),
}

/// The calls in tail position that one evaluation went through.
pub(crate) struct TailCalls {
    /// The first call, and what was called.
    first: Option<(NodeId, Value)>,
    /// Where the profile was before.
    mark: u32,
}

impl TailCalls {
    #[inline]
    fn entered(&mut self, node: NodeId, function: Value) {
        if self.first.is_none() {
            self.first = Some((node, function));
        }
    }
}

/// A new piece of stack, and how much of it is kept in reserve.
const STACK_PIECE: usize = 16 << 20;
const STACK_RESERVE: usize = 256 << 10;

impl Evaluator {
    /// Runs a node in a frame; the value is forced.
    #[inline]
    pub(crate) fn eval(&mut self, node: NodeId, frame: Handle) -> EvalResult {
        match self.code.nodes.get(node) {
            Node::Const(value) if !value.is_delayed() => return Ok(value),
            Node::Local(place) => {
                let value = self.heap.value(frame + 1 + place);
                if !value.is_delayed() {
                    return Ok(value);
                }
            }
            _ => {}
        }
        self.eval_node(node, frame)
    }

    /// What needs no bookkeeping for calls.
    fn eval_node(&mut self, id: NodeId, frame: Handle) -> EvalResult {
        match self.code.nodes.get(id) {
            Node::Local(place) => self.variable(id, frame + 1 + place),
            Node::Outer(depth, place) => {
                let slot = self.outer(frame, depth) + 1 + place;
                self.variable(id, slot)
            }
            Node::Select(base, name, cache) => {
                if self.stack_is_low() {
                    return self.on_more_stack(|evaluator| evaluator.eval_node(id, frame));
                }
                self.select_node(id, base, name, cache, frame)
            }
            Node::Lambda(lambda) => Ok(Value::new(tag::LAMBDA, lambda, frame)),
            // No calls of its own, and nothing that could be given back when it is done.
            node @ (Node::Set(_)
            | Node::RecSet(_)
            | Node::List(_)
            | Node::Scoped { .. }
            | Node::SelectOr { .. }
            | Node::EqualBeginning(..)
            | Node::SelectPath(..)
            | Node::Update(..)
            | Node::Concat(..)) => {
                if self.stack_is_low() {
                    return self.on_more_stack(|evaluator| evaluator.eval_node(id, frame));
                }
                self.simple(id, node, frame)
            }
            _ => self.eval_slowly(id, frame),
        }
    }

    fn eval_slowly(&mut self, node: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.eval_slowly(node, frame));
        }
        let depth = self.depth;
        let outer = self.heap.enter();
        let mut calls = TailCalls { first: None, mark: self.profile_depth };
        let result = self.run(node, frame, &mut calls);
        if self.profile_depth != calls.mark {
            self.profile_leave(calls.mark);
        }
        self.depth = depth;
        match result {
            Ok(value) => {
                self.heap.leave(outer, Some(value));
                Ok(value)
            }
            Err(error) => {
                self.heap.leave(outer, None);
                Err(self.leaving_call(error, calls.first))
            }
        }
    }

    /// Tells of the call that led out of the expression.
    #[cold]
    fn leaving_call(&self, error: EvalError, call: Option<(NodeId, Value)>) -> EvalError {
        match call {
            Some((node, function)) if error.wants_frames() => {
                let lambda = self.code.lambdas.get(function.detail());
                let text = match self.code.levels.get(lambda.levels).name {
                    Some(name) => format!("while calling the function `{}`", self.name(name)),
                    None => "while calling a function".to_owned(),
                };
                error.frame(self.node_span(node), text)
            }
            _ => error,
        }
    }

    /// Does several things on the evaluator's own stack: each call from outside would set one up.
    pub fn on_own_stack<T>(&mut self, work: impl FnOnce(&mut Self) -> EvalResult<T>) -> EvalResult<T> {
        if self.stack_is_low() { self.on_more_stack(work) } else { work(self) }
    }

    #[inline]
    pub(crate) fn stack_is_low(&self) -> bool {
        let here = 0u8;
        (std::ptr::from_ref(&here) as usize) < self.stack_limit
    }

    /// Goes one level deeper into a value: counted as C++ Nix counts it, on a stack that has room.
    pub(crate) fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> EvalResult<T>) -> EvalResult<T> {
        self.depth += 1;
        let result = if self.depth > self.settings.max_call_depth {
            Err(self.too_deep())
        } else {
            self.tick().and_then(|()| self.on_own_stack(work))
        };
        self.depth -= 1;
        result
    }

    /// Goes on with a fresh piece of stack below.
    #[cold]
    pub(crate) fn on_more_stack<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> EvalResult<T>,
    ) -> EvalResult<T> {
        if self.stack_used + STACK_PIECE > self.settings.max_stack {
            return Err(self.too_deep());
        }
        // Whatever is evaluated from outside comes by here first, as nothing has a limit then.
        self.guarded(|evaluator| evaluator.on_fresh_stack(work))
    }

    fn on_fresh_stack<T>(&mut self, work: impl FnOnce(&mut Self) -> EvalResult<T>) -> EvalResult<T> {
        let (limit, used, outer_top) = (self.stack_limit, self.stack_used, self.stack_top);
        self.stack_used += STACK_PIECE;
        let here = 0u8;
        self.stack_pieces.push((std::ptr::from_ref(&here).expose_provenance(), outer_top));
        let result = stacker::grow(STACK_PIECE, || {
            let here = 0u8;
            let top = std::ptr::from_ref(&here).expose_provenance();
            self.stack_limit = top - (STACK_PIECE - STACK_RESERVE);
            // The first function's frame is in the highest page of the piece.
            self.stack_top = top.next_multiple_of(4096);
            work(self)
        });
        self.stack_pieces.pop();
        (self.stack_limit, self.stack_used, self.stack_top) = (limit, used, outer_top);
        result
    }

    fn run(&mut self, mut node: NodeId, mut frame: Handle, calls: &mut TailCalls) -> EvalResult {
        loop {
            let step = match self.code.nodes.get(node) {
                Node::Const(value) => {
                    return if value.is_delayed() { self.force(value) } else { Ok(value) };
                }
                Node::Local(place) => return self.variable(node, frame + 1 + place),
                Node::Outer(depth, place) => {
                    let slot = self.outer(frame, depth) + 1 + place;
                    return self.variable(node, slot);
                }
                Node::If(condition, yes, no) => {
                    node = if self.condition(condition, frame)? { yes } else { no };
                    continue;
                }
                Node::Let { inits, body } => {
                    self.initialize(inits, frame);
                    node = body;
                    continue;
                }
                Node::LetFrame { block, body } => {
                    let block = self.code.blocks.get(block);
                    let inner = self.heap.allocate(Content::Headed, 1 + block.size as usize);
                    self.heap.set_pair(inner, frame, 0);
                    self.initialize(block.inits, inner);
                    (node, frame) = (body, inner);
                    continue;
                }
                Node::With { scope, place, body } => {
                    let scope = self.delay(scope, frame);
                    self.heap.set(frame + 1 + place, scope);
                    node = body;
                    continue;
                }
                Node::Assert(condition, body) => {
                    self.assertion(node, condition, frame)?;
                    node = body;
                    continue;
                }
                Node::Call1(function, argument) => self.call_one(node, function, argument, frame, calls),
                Node::Call(function, arguments) => self.call_many(node, function, arguments, frame, calls),
                Node::Select(base, name, cache) => return self.select_node(node, base, name, cache, frame),
                other => return self.simple(node, other, frame),
            };
            match step {
                Ok(Step::Done(value)) => return Ok(value),
                Ok(Step::Run(next, inner)) => (node, frame) = (next, inner),
                Err(error) => return Err(error),
            }
        }
    }

    /// The nodes that never end in a call in tail position.
    fn simple(&mut self, id: NodeId, node: Node, frame: Handle) -> EvalResult {
        match node {
            Node::Lambda(lambda) => Ok(Value::new(tag::LAMBDA, lambda, frame)),
            Node::Scoped { name, scope, cache, level } => self.scoped(id, name, (scope, cache, level), frame),
            Node::CurrentPosition => Ok(self.current_position(id)),
            Node::Interpolate(parts) => self.interpolate(id, parts, frame),
            Node::InterpolatePath(parts) => self.interpolate_path(id, parts, frame),
            Node::List(items) => Ok(self.list_node(items, frame)),
            Node::Set(set) => self.plain_set(id, set, frame),
            Node::RecSet(set) => self.recursive_set(id, set, frame),
            Node::SelectOr { base, path, default } => self.select_or(id, base, path, default, frame),
            Node::SelectPath(base, path) => self.select_path(id, base, path, frame),
            Node::HasAttr(base, path) => Ok(Value::bool(self.has_path(base, path, frame)?)),
            Node::Not(inner) => Ok(Value::bool(!self.condition(inner, frame)?)),
            Node::Negate(inner) => self.negate(id, inner, frame),
            Node::And(l, r) => Ok(Value::bool(self.condition(l, frame)? && self.condition(r, frame)?)),
            Node::Or(l, r) => Ok(Value::bool(self.condition(l, frame)? || self.condition(r, frame)?)),
            Node::Implies(l, r) => Ok(Value::bool(!self.condition(l, frame)? || self.condition(r, frame)?)),
            Node::Equal(l, r) => Ok(Value::bool(self.equal_nodes(id, l, r, frame)?)),
            Node::EqualBeginning(l, r) => Ok(Value::bool(self.equal_beginning(id, l, r, frame)?)),
            Node::NotEqual(l, r) => Ok(Value::bool(!self.equal_nodes(id, l, r, frame)?)),
            Node::Less(l, r) => Ok(Value::bool(self.less_nodes(id, l, r, frame)?)),
            Node::NotLess(l, r) => Ok(Value::bool(!self.less_nodes(id, l, r, frame)?)),
            Node::Update(l, r) => self.update_nodes(l, r, frame),
            Node::Concat(l, r) => self.concat_nodes(l, r, frame),
            Node::Add(l, r) => self.add_nodes(id, l, r, frame),
            Node::Subtract(l, r) => self.subtract_nodes(id, l, r, frame),
            Node::Multiply(l, r) => self.multiply_nodes(id, l, r, frame),
            Node::Divide(l, r) => self.divide_nodes(id, l, r, frame),
            _ => Ok(Value::NULL),
        }
    }

    #[inline]
    pub(super) fn outer(&self, frame: Handle, depth: u32) -> Handle {
        let mut frame = frame;
        for _ in 0..depth {
            frame = self.heap.pair(frame).0;
        }
        frame
    }

    #[inline]
    fn variable(&mut self, node: NodeId, slot: Handle) -> EvalResult {
        let value = self.heap.value(slot);
        if !value.is_delayed() {
            return Ok(value);
        }
        match self.force_slot(slot) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.located(error, node)),
        }
    }

    /// Marks the node's place in an error that has none yet.
    #[cold]
    pub(crate) fn located(&self, error: EvalError, node: NodeId) -> EvalError {
        error.at(self.node_span(node), "")
    }

    /// Evaluates a condition.
    fn condition(&mut self, node: NodeId, frame: Handle) -> EvalResult<bool> {
        if !self.stack_is_low() {
            // What is a Boolean in any case needs no bookkeeping for calls.
            match self.code.nodes.get(node) {
                Node::Equal(l, r) => return self.equal_nodes(node, l, r, frame),
                Node::EqualBeginning(l, r) => return self.equal_beginning(node, l, r, frame),
                Node::NotEqual(l, r) => return Ok(!self.equal_nodes(node, l, r, frame)?),
                Node::And(l, r) => return Ok(self.condition(l, frame)? && self.condition(r, frame)?),
                Node::Or(l, r) => return Ok(self.condition(l, frame)? || self.condition(r, frame)?),
                Node::Not(inner) => return Ok(!self.condition(inner, frame)?),
                Node::HasAttr(base, path) => return self.has_path(base, path, frame),
                Node::Less(l, r) => return self.less_nodes(node, l, r, frame),
                Node::NotLess(l, r) => return Ok(!self.less_nodes(node, l, r, frame)?),
                _ => {}
            }
        }
        let value = self.eval(node, frame)?;
        match value {
            Value::TRUE => Ok(true),
            Value::FALSE => Ok(false),
            other => {
                let error = self.wrong_type("a Boolean", other);
                Err(self.located(error, node))
            }
        }
    }
}
