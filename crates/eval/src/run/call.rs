//! Calling functions.

use super::{Step, TailCalls};
use crate::attrs;
use crate::code::{LambdaCode, Level, Node, NodeId, Run};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::{Evaluator, NativeCode, Plain};
use crate::heap::{Content, Handle};
use crate::symbols;
use crate::value::{Value, tag};
use nival_syntax::Symbol;
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

/// So many arguments a builtin takes at most that is called without a vector of them.
const MOST_PLAIN: usize = 3;

impl Evaluator {
    /// A call with one argument.
    #[inline(never)]
    pub(super) fn call_of_one(&mut self, id: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.call_of_one(id, frame));
        }
        let Node::Call1(function, _) = *self.code.nodes.at(id) else { return Ok(Value::NULL) };
        let callee = self.eval(function, frame)?;
        if self.is_direct(callee, 1) {
            return self.builtin_of_one(id, frame, callee);
        }
        self.eval_slowly(id, frame, callee)
    }

    /// A call with several arguments.
    #[inline(never)]
    pub(super) fn call_of_many(&mut self, id: NodeId, frame: Handle) -> EvalResult {
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.call_of_many(id, frame));
        }
        let Node::Call(function, arguments) = *self.code.nodes.at(id) else { return Ok(Value::NULL) };
        let callee = self.eval(function, frame)?;
        if self.is_direct(callee, arguments.len) {
            return self.builtin_of_many(id, frame, callee);
        }
        self.eval_slowly(id, frame, callee)
    }

    /// Whether something is a builtin that gets as many arguments as it takes, and no more is to be done than calling it.
    #[inline]
    fn is_direct(&self, callee: Value, count: u32) -> bool {
        callee.tag() == tag::NATIVE
            && callee.detail() < self.plain.len()
            && self.plain.at(callee.detail()).arity == count
            && callee.handle() == 0
            && count as usize <= MOST_PLAIN
            && self.profile_depth == 0
    }

    /// Calls a builtin of one argument.
    #[inline(never)]
    fn builtin_of_one(&mut self, id: NodeId, frame: Handle, callee: Value) -> EvalResult {
        let Node::Call1(_, argument) = *self.code.nodes.at(id) else { return Ok(Value::NULL) };
        let builtin = self.plain.get(callee.detail());
        let argument = if builtin.strict & 1 != 0 {
            match self.eval(argument, frame) {
                Ok(value) => value,
                Err(error) => return Err(self.calling_native(error, callee, id)),
            }
        } else {
            let value = self.delay_argument(argument, frame);
            self.share(value)
        };
        match self.run_builtin(builtin, &[argument]) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.calling_native(error, callee, id)),
        }
    }

    /// Calls a builtin of a few arguments.
    #[inline(never)]
    fn builtin_of_many(&mut self, id: NodeId, frame: Handle, callee: Value) -> EvalResult {
        let Node::Call(_, nodes) = *self.code.nodes.at(id) else { return Ok(Value::NULL) };
        let builtin = self.plain.get(callee.detail());
        let mut arguments = [Value::NULL; MOST_PLAIN];
        for (at, place) in arguments.iter_mut().enumerate().take(nodes.len as usize) {
            let argument = self.code.extra.get(nodes.start + at as u32);
            *place = if builtin.strict & (1 << at) == 0 {
                let value = self.delay_argument(argument, frame);
                self.share(value)
            } else {
                match self.eval(argument, frame) {
                    Ok(value) => value,
                    Err(error) if at == 0 => return Err(self.calling_native(error, callee, id)),
                    // A builtin may find fault with an earlier argument before it looks at this one.
                    Err(error) => self.lazy(&[], move |_, _| Err(error)),
                }
            };
        }
        match self.run_builtin(builtin, &arguments[..nodes.len as usize]) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.calling_native(error, callee, id)),
        }
    }

    #[inline]
    fn run_builtin(&mut self, builtin: Plain, arguments: &[Value]) -> EvalResult {
        let depth = self.depth;
        self.count_call()?;
        self.holding += builtin.holds;
        let result = match (builtin.run)(self, arguments) {
            Ok(value) => self.force(value),
            Err(error) => Err(error),
        };
        self.holding -= builtin.holds;
        self.depth = depth;
        result
    }

    /// What a call of a function of the language with one argument leaves to do; `None`: it has not all arguments yet.
    #[inline(always)]
    pub(super) fn call_one(
        &mut self,
        node: NodeId,
        callee: Value,
        argument: NodeId,
        frame: Handle,
        calls: &mut TailCalls,
    ) -> EvalResult<Option<(NodeId, Handle)>> {
        let &LambdaCode { body, size, arity, has_formals, .. } = self.code.lambdas.at(callee.detail());
        let have = self.started(callee);
        if have + 1 < arity {
            return Ok(None);
        }
        let argument =
            if has_formals { self.eval(argument, frame)? } else { self.delay_argument(argument, frame) };
        self.count_call_at(node)?;
        let inner = self.new_frame(callee, have, size);
        self.bind_last(callee, inner, argument, node)?;
        self.entered(node, callee, calls);
        Ok(Some((body, inner)))
    }

    /// What a call of a function of the language with several arguments leaves to do.
    #[inline(always)]
    pub(super) fn call_many(
        &mut self,
        node: NodeId,
        callee: Value,
        arguments: Run,
        frame: Handle,
        calls: &mut TailCalls,
    ) -> EvalResult<Step> {
        let &LambdaCode { body, size, arity, has_formals, .. } = self.code.lambdas.at(callee.detail());
        let have = self.started(callee);
        if have + arguments.len != arity {
            return self.call_unevenly(node, callee, frame, calls);
        }
        self.count_call_at(node)?;
        let last = self.code.extra.get(arguments.start + arguments.len - 1);
        let last = if has_formals { self.eval(last, frame)? } else { self.delay_argument(last, frame) };
        let inner = self.new_frame(callee, have, size);
        for index in 0..arguments.len - 1 {
            let argument = self.code.extra.get(arguments.start + index);
            let argument = self.delay_argument(argument, frame);
            self.heap.set(inner + 1 + have + index, argument);
        }
        self.bind_last(callee, inner, last, node)?;
        self.entered(node, callee, calls);
        Ok(Step::Run(body, inner))
    }

    /// Notes that a function was entered.
    #[inline]
    fn entered(&mut self, node: NodeId, callee: Value, calls: &mut TailCalls) {
        calls.entered(node, callee);
        if calls.mark > 0 {
            self.profile_call(callee, calls.mark);
        }
    }

    /// A call with more or fewer arguments than the function takes.
    #[inline(never)]
    fn call_unevenly(
        &mut self,
        node: NodeId,
        callee: Value,
        frame: Handle,
        calls: &mut TailCalls,
    ) -> EvalResult<Step> {
        let Node::Call(_, arguments) = *self.code.nodes.at(node) else { return Ok(Step::Done(Value::NULL)) };
        let mut callee = callee;
        let (mut at, end) = (arguments.start, arguments.start + arguments.len);
        self.count_call_at(node)?;
        while matches!(callee.tag(), tag::LAMBDA | tag::PARTIAL) {
            let &LambdaCode { body, size, arity, has_formals, .. } = self.code.lambdas.at(callee.detail());
            let have = self.started(callee);
            let missing = arity - have;
            if end - at < missing {
                let partial = self.partial(callee, end - at, |evaluator, index| {
                    let argument = evaluator.code.extra.get(at + index);
                    evaluator.delay_argument(argument, frame)
                });
                return Ok(Step::Done(partial));
            }
            let last = self.code.extra.get(at + missing - 1);
            let last = if has_formals { self.eval(last, frame)? } else { self.delay_argument(last, frame) };
            let inner = self.new_frame(callee, have, size);
            for index in have..arity - 1 {
                let argument = self.code.extra.get(at + index - have);
                let argument = self.delay_argument(argument, frame);
                self.heap.set(inner + 1 + index, argument);
            }
            self.bind_last(callee, inner, last, node)?;
            self.entered(node, callee, calls);
            at += missing;
            if at == end {
                return Ok(Step::Run(body, inner));
            }
            callee = self.eval(body, inner)?;
        }
        let nodes: SmallVec<[NodeId; 6]> = (at..end).map(|at| self.code.extra.get(at)).collect();
        self.call_values(node, callee, &nodes, frame).map(Step::Done)
    }

    /// A function that takes more arguments, with one.
    #[inline(never)]
    pub(super) fn partial_of_one(&mut self, argument: NodeId, frame: Handle, callee: Value) -> Value {
        let argument = self.delay_argument(argument, frame);
        self.partial(callee, 1, |_, _| argument)
    }

    /// A call of what is no function of the language.
    #[inline(never)]
    pub(super) fn call_other(&mut self, id: NodeId, frame: Handle, callee: Value) -> EvalResult {
        match *self.code.nodes.at(id) {
            Node::Call1(..) if self.is_direct(callee, 1) => self.builtin_of_one(id, frame, callee),
            Node::Call1(_, argument) => self.call_values(id, callee, &[argument], frame),
            Node::Call(_, arguments) if self.is_direct(callee, arguments.len) => {
                self.builtin_of_many(id, frame, callee)
            }
            Node::Call(_, arguments) => {
                self.count_call_at(id)?;
                let nodes: SmallVec<[NodeId; 6]> =
                    arguments.indices().map(|at| self.code.extra.get(at)).collect();
                self.call_values(id, callee, &nodes, frame)
            }
            _ => Ok(Value::NULL),
        }
    }

    /// How many arguments a function of the language has already.
    #[inline]
    fn started(&self, callee: Value) -> u32 {
        if callee.tag() == tag::PARTIAL { self.heap.pair(callee.handle()).1 } else { 0 }
    }

    /// How a function of the language looks from outside, given the arguments that it has already.
    pub(crate) fn level(&self, function: Value) -> Option<Level> {
        if !matches!(function.tag(), tag::LAMBDA | tag::PARTIAL) {
            return None;
        }
        let levels = self.code.lambdas.at(function.detail()).levels;
        Some(self.code.levels.get(levels + self.started(function)))
    }

    /// Where a forced function is written, if it is one of the language.
    pub(crate) fn function_span(&self, function: Value) -> Option<nival_diagnostics::Span> {
        let position = self.level(function)?.position;
        self.span_of((position, position + 1))
    }

    /// A function with some of its arguments.
    fn partial(
        &mut self,
        callee: Value,
        more: u32,
        mut argument: impl FnMut(&mut Self, u32) -> Value,
    ) -> Value {
        let have = self.started(callee);
        let at = self.heap.allocate(Content::Headed, (1 + have + more) as usize);
        let outer = if have > 0 { self.heap.pair(callee.handle()).0 } else { callee.handle() };
        self.heap.set_pair(at, outer, have + more);
        for index in 0..have {
            let value = attrs::load(&self.heap, callee.handle() + 1 + index);
            self.heap.set(at + 1 + index, value);
        }
        for index in 0..more {
            let value = argument(self, index);
            self.heap.set(at + 1 + have + index, value);
        }
        Value::new(tag::PARTIAL, callee.detail(), at)
    }

    /// The frame of a call, with the arguments that the function has already.
    #[inline]
    fn new_frame(&mut self, callee: Value, have: u32, size: u32) -> Handle {
        let inner = self.heap.allocate(Content::Headed, 1 + size as usize);
        if have == 0 {
            self.heap.set_pair(inner, callee.handle(), size);
            return inner;
        }
        let outer = self.heap.pair(callee.handle()).0;
        self.heap.set_pair(inner, outer, size);
        for index in 1..=have {
            let value = attrs::load(&self.heap, callee.handle() + index);
            self.heap.set(inner + index, value);
        }
        inner
    }

    /// Puts the last argument into the frame of a call; `node`: the call.
    #[inline]
    fn bind_last(&mut self, callee: Value, frame: Handle, argument: Value, node: NodeId) -> EvalResult<()> {
        let &LambdaCode { arity, whole, has_formals, .. } = self.code.lambdas.at(callee.detail());
        if whole {
            self.heap.set(frame + arity, argument);
        }
        if !has_formals {
            return Ok(());
        }
        match self.match_formals(callee.detail(), frame, argument) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.called_at(error, node)),
        }
    }

    #[cold]
    fn called_at(&self, error: EvalError, node: NodeId) -> EvalError {
        error.at(self.node_span(node), "called here")
    }

    /// Calls anything.
    fn call_values(&mut self, node: NodeId, callee: Value, nodes: &[NodeId], frame: Handle) -> EvalResult {
        let strict = match callee.tag() {
            tag::NATIVE => {
                let native = &self.natives[callee.detail() as usize];
                let have = if callee.handle() == 0 { 0 } else { self.heap.word(callee.handle()) as u32 };
                let needed = native.arity + native.captures - have;
                let done = have.saturating_sub(native.captures);
                if nodes.len() as u32 >= needed { native.strict >> done } else { 0 }
            }
            _ => 0,
        };
        let mut arguments = SmallVec::<[Value; 6]>::new();
        for (at, argument) in nodes.iter().enumerate() {
            let value = if at < 32 && strict & (1 << at) != 0 {
                match self.eval(*argument, frame) {
                    Ok(value) => value,
                    Err(error) if at == 0 => return Err(self.calling_native(error, callee, node)),
                    // A builtin may find fault with an earlier argument before it looks at this one.
                    Err(error) => self.lazy(&[], move |_, _| Err(error)),
                }
            } else {
                let value = self.delay_argument(*argument, frame);
                self.share(value)
            };
            arguments.push(value);
        }
        let holds = u32::from(arguments.spilled());
        self.holding += holds;
        let result = self.call(callee, &arguments);
        self.holding -= holds;
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(self.calling_native(error, callee, node)),
        }
    }

    #[cold]
    pub(super) fn calling_native(&self, error: EvalError, callee: Value, node: NodeId) -> EvalError {
        if callee.tag() != tag::NATIVE {
            return self.located(error, node);
        }
        let name = &self.natives[callee.detail() as usize].name;
        if !error.has_place() {
            return error.at(self.node_span(node), &format!("in this call of `{name}`"));
        }
        if error.wants_frames() {
            return error.frame(self.node_span(node), format!("while calling the builtin `{name}`"));
        }
        error
    }

    fn count_call_at(&mut self, node: NodeId) -> EvalResult<()> {
        match self.count_call() {
            Ok(()) => Ok(()),
            Err(error) => Err(self.located(error, node)),
        }
    }

    /// Counts a call; looks at interruption and memory now and then.
    #[inline]
    fn count_call(&mut self) -> EvalResult<()> {
        self.depth += 1;
        if self.depth > self.settings.max_call_depth {
            return Err(self.too_deep());
        }
        self.tick()
    }

    /// Looks at interruption and memory now and then: for whatever may take long.
    #[inline]
    pub(crate) fn tick(&mut self) -> EvalResult<()> {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks & self.tick_mask == 0 { self.look_around() } else { Ok(()) }
    }

    #[cold]
    fn look_around(&mut self) -> EvalResult<()> {
        let ended = self.ended.is_some_and(|flag| flag.load(Ordering::Relaxed));
        if ended || self.interrupt.load(Ordering::Relaxed) {
            return Err(EvalError::of(&diagnostics::interrupted::ENTRY, "evaluation was interrupted"));
        }
        self.collect_if_quiet();
        if self.heap.nearly_full() {
            return Err(self.out_of_memory());
        }
        Ok(())
    }

    /// Binds the formals to the attributes of a forced argument.
    #[inline(never)]
    fn match_formals(&mut self, id: u32, frame: Handle, argument: Value) -> EvalResult<()> {
        let lambda = &self.code.lambdas.get(id);
        if !argument.is_attrs() {
            return Err(self.wrong_type("a set (the function takes named arguments)", argument));
        }
        let set = argument.handle();
        let mut matched = 0;
        for at in lambda.formals.indices() {
            let formal = self.code.formals.get(at);
            match self.find_cached(set, formal.name, formal.cache) {
                Some(slot) => {
                    matched += 1;
                    let value = attrs::load(&self.heap, slot);
                    self.heap.set(frame + 1 + formal.place, value);
                }
                None => match formal.default {
                    Some(default) => {
                        let value = self.delay_in_new_frame(default, frame);
                        self.heap.set(frame + 1 + formal.place, value);
                    }
                    None => return Err(self.missing_argument(lambda, formal.name)),
                },
            }
        }
        if !lambda.ellipsis {
            let count = match attrs::flat_shape(&self.heap, set) {
                Some(shape) => attrs::shape_len(&self.heap, shape),
                None => {
                    let flat = attrs::flatten(&mut self.heap, set);
                    attrs::count_bound(&self.heap, flat)
                }
            };
            if count != matched {
                return Err(self.unexpected_argument(lambda, set));
            }
        }
        Ok(())
    }

    /// Where the last argument of a function is written.
    fn place_of_formals(&self, lambda: &LambdaCode) -> Option<nival_diagnostics::Span> {
        let position = self.code.levels.get(lambda.levels + lambda.arity - 1).position;
        self.span_of((position, position + 1))
    }

    fn function_name(&self, lambda: &LambdaCode) -> String {
        match self.code.levels.get(lambda.levels).name {
            Some(name) => format!("the function `{}`", self.name(name)),
            None => "this function".to_owned(),
        }
    }

    #[cold]
    fn missing_argument(&self, lambda: &LambdaCode, name: Symbol) -> EvalError {
        let name = self.name(name);
        let function = self.function_name(lambda);
        let place = self.place_of_formals(lambda);
        let error = EvalError::of(
            &diagnostics::missing_argument::ENTRY,
            format!("{function} was called without its required argument `{name}`"),
        );
        let error = match place {
            Some(span) => error.note(format!("the function is defined at {}", self.sources.place(span))),
            None => error,
        };
        error.help(format!("pass it: `{{ {name} = ...; }}`, or give it a default"))
    }

    #[cold]
    fn unexpected_argument(&mut self, lambda: &LambdaCode, set: Handle) -> EvalError {
        let formals: Vec<Symbol> =
            lambda.formals.indices().map(|at| self.code.formals.get(at).name).collect();
        let entries = attrs::entries(&mut self.heap, set);
        let found = entries.iter().find(|(name, ..)| !formals.contains(name));
        let (name, position) = found.map_or((symbols::NAME, 0), |(name, position, _)| (*name, *position));
        let text = self.name(name).to_owned();
        let near = crate::suggest::nearest(&text, formals.iter().map(|name| self.interner.name(*name)));
        let function = self.function_name(lambda);
        let mut error = EvalError::of(
            &diagnostics::unexpected_argument::ENTRY,
            format!("{function} was called with the unexpected argument `{text}`"),
        )
        .at(self.name_span(name, position), "not an argument of the function");
        if let Some(span) = self.place_of_formals(lambda) {
            error = error.note(format!("the function is defined at {}", self.sources.place(span)));
        }
        match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => {
                let known: Vec<String> =
                    formals.iter().map(|name| format!("`{}`", self.interner.name(*name))).collect();
                if known.is_empty() {
                    error
                } else {
                    error.help(format!("its arguments are {}", known.join(", ")))
                }
            }
        }
    }

    /// Calls a function with arguments; the result is forced.
    pub fn call(&mut self, function: Value, arguments: &[Value]) -> EvalResult {
        if self.stack_is_low() {
            let result = self.on_more_stack(|evaluator| evaluator.call(function, arguments));
            return self.hand_out(result);
        }
        if function.tag() != tag::LAMBDA || self.profile_depth > 0 {
            return self.call_anything(function, arguments);
        }
        let &LambdaCode { body, size, arity, has_formals, .. } = self.code.lambdas.at(function.detail());
        if arity as usize != arguments.len() || has_formals || arguments.iter().any(|a| a.is_raw_delayed()) {
            return self.call_anything(function, arguments);
        }
        // A function that gets just what it takes.
        let depth = self.depth;
        if let Err(error) = self.count_call() {
            self.depth = depth;
            return Err(error);
        }
        let outer = self.heap.enter();
        let frame = self.new_frame(function, 0, size);
        for (index, argument) in arguments.iter().enumerate() {
            self.heap.set(frame + 1 + index as u32, *argument);
        }
        let result = match self.eval(body, frame) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.calling(error, function)),
        };
        self.heap.leave(outer, result.as_ref().ok().copied());
        self.depth = depth;
        result
    }

    /// As `call`, for any function and arguments.
    #[inline(never)]
    fn call_anything(&mut self, function: Value, arguments: &[Value]) -> EvalResult {
        let (depth, mark) = (self.depth, self.profile_depth);
        if mark > 0 {
            self.profile_call(function, mark);
        }
        let result = self.call_inner(function, arguments);
        if self.profile_depth != mark {
            self.profile_leave(mark);
        }
        self.depth = depth;
        result
    }

    fn call_inner(&mut self, function: Value, arguments: &[Value]) -> EvalResult {
        let mut callee = self.force(function)?;
        let mut rest = arguments;
        self.count_call()?;
        while !rest.is_empty() {
            match callee.tag() {
                tag::LAMBDA | tag::PARTIAL => (callee, rest) = self.call_lambda(callee, rest)?,
                tag::NATIVE => (callee, rest) = self.call_native(callee, rest)?,
                tag::ATTRS => {
                    let Some((slot, _)) = attrs::find(&self.heap, callee.handle(), symbols::FUNCTOR) else {
                        return Err(self.not_a_function(callee));
                    };
                    self.count_call()?;
                    let functor = self.force_slot(slot)?;
                    callee = self.call(functor, &[callee])?;
                }
                _ => return Err(self.not_a_function(callee)),
            }
        }
        Ok(callee)
    }

    /// Calls a function of the language with as many arguments as it takes, or keeps them.
    #[inline]
    fn call_lambda<'a>(&mut self, callee: Value, arguments: &'a [Value]) -> EvalResult<(Value, &'a [Value])> {
        let (lambda, have) = (self.code.lambdas.get(callee.detail()), self.started(callee));
        let missing = (lambda.arity - have) as usize;
        if arguments.len() < missing {
            let partial = self.partial(callee, arguments.len() as u32, |evaluator, index| {
                evaluator.share(arguments[index as usize])
            });
            return Ok((partial, &[]));
        }
        let (now, rest) = arguments.split_at(missing);
        let last = now[missing - 1];
        let last = if lambda.has_formals { self.force(last)? } else { self.share(last) };
        let mut before = SmallVec::<[Value; 6]>::new();
        for argument in &now[..missing - 1] {
            before.push(self.share(*argument));
        }
        let outer = self.heap.enter();
        let frame = self.new_frame(callee, have, lambda.size);
        for (index, argument) in before.iter().enumerate() {
            self.heap.set(frame + 1 + have + index as u32, *argument);
        }
        if lambda.whole {
            self.heap.set(frame + lambda.arity, last);
        }
        let bound =
            if lambda.has_formals { self.match_formals(callee.detail(), frame, last) } else { Ok(()) };
        let result = match bound {
            Ok(()) => self.eval(lambda.body, frame).map_err(|error| self.calling(error, callee)),
            Err(error) => Err(error),
        };
        self.heap.leave(outer, result.as_ref().ok().copied());
        Ok((result?, rest))
    }

    #[cold]
    fn calling(&self, error: EvalError, function: Value) -> EvalError {
        let lambda = self.code.lambdas.at(function.detail());
        let level = self.code.levels.get(lambda.levels);
        match level.name {
            Some(name) if error.wants_frames() => {
                let span = self.span_of((level.position, level.position + 1));
                error.frame(span, format!("while calling the function `{}`", self.name(name)))
            }
            _ => error,
        }
    }

    /// Calls a native function with as many arguments as it takes, or keeps them.
    fn call_native<'a>(&mut self, callee: Value, arguments: &'a [Value]) -> EvalResult<(Value, &'a [Value])> {
        let id = callee.detail() as usize;
        let mut all = self.captures(callee.handle());
        let wanted = (self.natives[id].arity + self.natives[id].captures) as usize;
        let taken = arguments.len().min(wanted - all.len());
        for argument in &arguments[..taken] {
            let argument = self.share(*argument);
            all.push(argument);
        }
        if all.len() < wanted {
            let at = self.store_captures(&all);
            return Ok((Value::new(tag::NATIVE, callee.detail(), at), &arguments[taken..]));
        }
        let captures = self.natives[id].captures as usize;
        let code = self.natives[id].code.clone();
        let holds = u32::from(!self.natives[id].quiet || all.spilled());
        self.holding += holds;
        let result = match code {
            NativeCode::Builtin(run) => run(self, &all),
            NativeCode::Closure(run) => {
                // It may keep an argument in its own data.
                self.heap.keep_all();
                run(self, &all[..captures], &all[captures..])
            }
            NativeCode::Secret => Err(self.not_a_function(callee)),
        };
        self.holding -= holds;
        Ok((self.force(result?)?, &arguments[taken..]))
    }

    #[cold]
    fn not_a_function(&mut self, value: Value) -> EvalError {
        let shown = self.describe(value);
        EvalError::of(
            &diagnostics::not_a_function::ENTRY,
            format!("attempt to call something that is not a function: {shown}"),
        )
        .help("a `;` or an operator may be missing before the argument, or there is one argument too many")
    }
}
