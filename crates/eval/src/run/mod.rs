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

/// What a call leaves to do.
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
    #[inline(always)]
    pub(crate) fn eval(&mut self, node: NodeId, frame: Handle) -> EvalResult {
        self.eval_node(node, frame)
    }

    /// Goes to what runs a kind of node. Each arm is nothing but a call in tail position, so that this needs no stack
    /// of its own; who is called reads the node again, and looks whether there is stack.
    #[inline(never)]
    fn eval_node(&mut self, id: NodeId, frame: Handle) -> EvalResult {
        match *self.code.nodes.at(id) {
            Node::Const(value) => self.force(value),
            Node::Local(place) => self.variable(id, frame + 1 + place),
            Node::Outer(depth, place) => {
                let slot = self.outer(frame, depth) + 1 + place;
                self.variable(id, slot)
            }
            Node::Lambda(lambda) => Ok(Value::new(tag::LAMBDA, lambda, frame)),
            Node::Select(..) => self.select_node(id, frame),
            Node::Call1(..) => self.call_of_one(id, frame),
            Node::Call(..) => self.call_of_many(id, frame),
            Node::Set(set) => self.plain_set(id, set, frame),
            Node::RecSet(set) => self.recursive_set(id, set, frame),
            Node::Scoped { .. } => self.scoped(id, frame),
            Node::Update(..) => self.update_nodes(id, frame),
            Node::Concat(..) => self.concat_nodes(id, frame),
            Node::SelectOr { .. } => self.select_or(id, frame),
            Node::Equal(..)
            | Node::EqualBeginning(..)
            | Node::NotEqual(..)
            | Node::And(..)
            | Node::Or(..)
            | Node::Implies(..)
            | Node::Not(..)
            | Node::HasAttr(..)
            | Node::Less(..)
            | Node::NotLess(..) => self.boolean_value(id, frame),
            Node::If(..)
            | Node::Let { .. }
            | Node::LetFrame { .. }
            | Node::With { .. }
            | Node::Assert(..) => self.eval_slowly(id, frame, Value::NULL),
            // No calls in tail position.
            _ => self.simple(id, frame),
        }
    }

    /// Runs what may end in calls, in a region of its own. `callee`: what a call has found out to be called, or `null`.
    #[inline(never)]
    pub(super) fn eval_slowly(&mut self, node: NodeId, frame: Handle, callee: Value) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.eval_slowly(node, frame, callee));
        }
        let depth = self.depth;
        let outer = self.heap.enter();
        let mut calls = TailCalls { first: None, mark: self.profile_depth };
        let result = self.run(node, frame, callee, &mut calls);
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

    #[inline(always)]
    fn run(
        &mut self,
        mut node: NodeId,
        mut frame: Handle,
        mut callee: Value,
        calls: &mut TailCalls,
    ) -> EvalResult {
        loop {
            match *self.code.nodes.at(node) {
                Node::Const(value) => return self.force(value),
                Node::Local(place) => return self.variable(node, frame + 1 + place),
                Node::If(condition, yes, no) => {
                    node = if self.condition(condition, frame)? { yes } else { no };
                }
                Node::Let { inits, body } => {
                    self.initialize(inits, frame);
                    node = body;
                }
                Node::LetFrame { block, body } => {
                    let block = self.code.blocks.get(block);
                    let inner = self.heap.allocate(Content::Headed, 1 + block.size as usize);
                    self.heap.set_pair(inner, frame, 0);
                    self.initialize(block.inits, inner);
                    (node, frame) = (body, inner);
                }
                Node::With { scope, place, body } => {
                    let scope = self.delay(scope, frame);
                    self.heap.set(frame + 1 + place, scope);
                    node = body;
                }
                Node::Assert(condition, body) => {
                    self.assertion(node, condition, frame)?;
                    node = body;
                }
                Node::Call1(function, argument) => {
                    let known = std::mem::replace(&mut callee, Value::NULL);
                    let callee = if known == Value::NULL { self.eval(function, frame)? } else { known };
                    if !matches!(callee.tag(), tag::LAMBDA | tag::PARTIAL) {
                        return self.call_other(node, frame, callee);
                    }
                    match self.call_one(node, callee, argument, frame, calls)? {
                        Some(step) => (node, frame) = step,
                        None => return Ok(self.partial_of_one(argument, frame, callee)),
                    }
                }
                Node::Call(function, arguments) => {
                    let known = std::mem::replace(&mut callee, Value::NULL);
                    let callee = if known == Value::NULL { self.eval(function, frame)? } else { known };
                    if !matches!(callee.tag(), tag::LAMBDA | tag::PARTIAL) {
                        return self.call_other(node, frame, callee);
                    }
                    match self.call_many(node, callee, arguments, frame, calls)? {
                        Step::Done(value) => return Ok(value),
                        Step::Run(body, inner) => (node, frame) = (body, inner),
                    }
                }
                _ => return self.eval_node(node, frame),
            }
        }
    }

    /// The nodes that never end in a call in tail position.
    #[inline(never)]
    fn simple(&mut self, id: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.simple(id, frame));
        }
        match *self.code.nodes.at(id) {
            Node::List(items) => Ok(self.list_node(items, frame)),
            Node::CurrentPosition => Ok(self.current_position(id)),
            Node::Interpolate(parts) => self.interpolate(id, parts, frame),
            Node::InterpolatePath(parts) => self.interpolate_path(id, parts, frame),
            Node::SelectPath(base, path) => self.select_path(id, base, path, frame),
            Node::Negate(inner) => self.negate(id, inner, frame),
            Node::Add(l, r) => self.add_nodes(id, l, r, frame),
            Node::Subtract(l, r) => self.subtract_nodes(id, l, r, frame),
            Node::Multiply(l, r) => self.multiply_nodes(id, l, r, frame),
            Node::Divide(l, r) => self.divide_nodes(id, l, r, frame),
            _ => Ok(Value::NULL),
        }
    }

    /// What is a Boolean in any case, as a value: what was made on the way is given back.
    #[inline(never)]
    fn boolean_value(&mut self, id: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.boolean_value(id, frame));
        }
        let outer = self.heap.enter();
        let result = self.condition(id, frame);
        self.heap.leave(outer, result.as_ref().ok().map(|_| Value::NULL));
        result.map(Value::bool)
    }

    /// Evaluates a condition; goes to what runs it, as `eval_node` does.
    #[inline(never)]
    fn condition(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        match *self.code.nodes.at(id) {
            Node::Equal(..) | Node::NotEqual(..) => self.equal_nodes(id, frame),
            Node::EqualBeginning(..) => self.equal_beginning(id, frame),
            Node::And(..) => self.both(id, frame),
            Node::Or(..) | Node::Implies(..) => self.either(id, frame),
            Node::Not(..) => self.not(id, frame),
            Node::HasAttr(..) => self.has_path(id, frame),
            Node::Less(..) | Node::NotLess(..) => self.less_nodes(id, frame),
            _ => self.any_condition(id, frame),
        }
    }

    #[inline(never)]
    fn both(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.both(id, frame));
        }
        let Node::And(l, r) = *self.code.nodes.at(id) else { return Ok(false) };
        if self.condition(l, frame)? { self.condition(r, frame) } else { Ok(false) }
    }

    /// `||` and `->`.
    #[inline(never)]
    fn either(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.either(id, frame));
        }
        let (l, r, enough) = match *self.code.nodes.at(id) {
            Node::Or(l, r) => (l, r, true),
            Node::Implies(l, r) => (l, r, false),
            _ => return Ok(false),
        };
        if self.condition(l, frame)? == enough { Ok(true) } else { self.condition(r, frame) }
    }

    #[inline(never)]
    fn not(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.not(id, frame));
        }
        let Node::Not(inner) = *self.code.nodes.at(id) else { return Ok(false) };
        Ok(!self.condition(inner, frame)?)
    }

    /// A condition that may be no Boolean.
    #[inline(never)]
    fn any_condition(&mut self, id: NodeId, frame: Handle) -> EvalResult<bool> {
        match self.eval(id, frame)? {
            Value::TRUE => Ok(true),
            Value::FALSE => Ok(false),
            other => Err(self.no_condition(id, other)),
        }
    }

    #[cold]
    fn no_condition(&mut self, node: NodeId, value: Value) -> EvalError {
        let error = self.wrong_type("a Boolean", value);
        self.located(error, node)
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
        if value.is_delayed() { self.delayed_variable(node, slot) } else { Ok(value) }
    }

    #[inline(never)]
    fn delayed_variable(&mut self, node: NodeId, slot: Handle) -> EvalResult {
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
}
