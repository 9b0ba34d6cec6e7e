//! Calling functions.

use super::{Step, TailCalls};
use crate::attrs;
use crate::code::{LambdaCode, Level, NodeId, Run};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::{Builtin, Evaluator, NativeCode};
use crate::heap::{Content, Handle};
use crate::symbols;
use crate::value::{Value, tag};
use nival_syntax::Symbol;
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

impl Evaluator {
    pub(super) fn call_one(
        &mut self,
        node: NodeId,
        function: NodeId,
        argument: NodeId,
        frame: Handle,
        calls: &mut TailCalls,
    ) -> EvalResult<Step> {
        let callee = self.eval(function, frame)?;
        if callee.tag() == tag::LAMBDA {
            let lambda = self.code.lambdas.get(callee.detail());
            if lambda.arity == 1 {
                let argument = if lambda.has_formals {
                    self.eval(argument, frame)?
                } else {
                    self.delay_argument(argument, frame)
                };
                self.count_call_at(node)?;
                let inner = self.heap.allocate(Content::Headed, 1 + lambda.size as usize);
                self.heap.set_pair(inner, callee.handle(), lambda.size);
                self.bind_last(&lambda, inner, argument).map_err(|error| self.called_at(error, node))?;
                calls.entered(node, callee);
                if calls.mark > 0 {
                    self.profile_call(callee, calls.mark);
                }
                return Ok(Step::Run(lambda.body, inner));
            }
            let argument = self.delay_argument(argument, frame);
            let partial = self.partial(callee, 1, |_, _| argument);
            return Ok(Step::Done(partial));
        }
        if callee.tag() == tag::PARTIAL {
            let (lambda, have) = self.started(callee);
            self.count_call_at(node)?;
            if have + 1 == lambda.arity {
                let argument = if lambda.has_formals {
                    self.eval(argument, frame)?
                } else {
                    self.delay_argument(argument, frame)
                };
                let inner = self.enter_partial(callee, &lambda, have);
                self.bind_last(&lambda, inner, argument).map_err(|error| self.called_at(error, node))?;
                calls.entered(node, callee);
                if calls.mark > 0 {
                    self.profile_call(callee, calls.mark);
                }
                return Ok(Step::Run(lambda.body, inner));
            }
            let argument = self.delay_argument(argument, frame);
            let partial = self.partial(callee, 1, |_, _| argument);
            return Ok(Step::Done(partial));
        }
        match self.builtin_of_one(callee) {
            Some(builtin) => self.call_builtin_of_one(node, builtin, callee, argument, frame),
            None => self.call_other(node, callee, &[argument], frame),
        }
    }

    /// The code of a builtin that takes one argument, and whether it forces it and holds values; `None` for anything
    /// else, and where more is to be done than calling it.
    #[inline]
    fn builtin_of_one(&self, callee: Value) -> Option<(Builtin, bool, u32)> {
        if callee.tag() != tag::NATIVE
            || callee.handle() != 0
            || self.profile_depth > 0
            || self.stack_is_low()
        {
            return None;
        }
        let native = &self.natives[callee.detail() as usize];
        match native.code {
            NativeCode::Builtin(run) if native.arity == 1 => {
                Some((run, native.strict & 1 != 0, u32::from(!native.quiet)))
            }
            _ => None,
        }
    }

    fn call_builtin_of_one(
        &mut self,
        node: NodeId,
        (run, is_strict, holds): (Builtin, bool, u32),
        callee: Value,
        argument: NodeId,
        frame: Handle,
    ) -> EvalResult<Step> {
        let value = if is_strict {
            self.eval(argument, frame)
        } else {
            let value = self.delay_argument(argument, frame);
            Ok(self.share(value))
        };
        match value.and_then(|value| self.run_builtin(run, holds, &[value])) {
            Ok(value) => Ok(Step::Done(value)),
            Err(error) => Err(self.calling_native(error, callee, node)),
        }
    }

    pub(super) fn call_many(
        &mut self,
        node: NodeId,
        function: NodeId,
        arguments: Run,
        frame: Handle,
        calls: &mut TailCalls,
    ) -> EvalResult<Step> {
        let mut callee = self.eval(function, frame)?;
        let (mut at, end) = (arguments.start, arguments.start + arguments.len);
        self.count_call_at(node)?;
        while matches!(callee.tag(), tag::LAMBDA | tag::PARTIAL) {
            let (lambda, have) = self.started(callee);
            let missing = lambda.arity - have;
            if end - at < missing {
                let partial = self.partial(callee, end - at, |evaluator, index| {
                    let argument = evaluator.code.extra.get(at + index);
                    evaluator.delay_argument(argument, frame)
                });
                return Ok(Step::Done(partial));
            }
            let last = self.code.extra.get(at + missing - 1);
            let last =
                if lambda.has_formals { self.eval(last, frame)? } else { self.delay_argument(last, frame) };
            let inner = self.enter_partial(callee, &lambda, have);
            for index in have..lambda.arity - 1 {
                let argument = self.code.extra.get(at + index - have);
                let argument = self.delay_argument(argument, frame);
                self.heap.set(inner + 1 + index, argument);
            }
            self.bind_last(&lambda, inner, last).map_err(|error| self.called_at(error, node))?;
            calls.entered(node, callee);
            if calls.mark > 0 {
                self.profile_call(callee, calls.mark);
            }
            at += missing;
            if at == end {
                return Ok(Step::Run(lambda.body, inner));
            }
            callee = self.eval(lambda.body, inner)?;
        }
        let mut few = [0; 3];
        if (end - at) as usize <= few.len() {
            let count = (end - at) as usize;
            for (index, place) in few.iter_mut().enumerate().take(count) {
                *place = self.code.extra.get(at + index as u32);
            }
            return self.call_other(node, callee, &few[..count], frame);
        }
        let nodes: SmallVec<[NodeId; 6]> = (at..end).map(|at| self.code.extra.get(at)).collect();
        self.call_other(node, callee, &nodes, frame)
    }

    /// The function that a closure runs, and how many arguments it has already.
    #[inline]
    fn started(&self, callee: Value) -> (LambdaCode, u32) {
        let lambda = self.code.lambdas.get(callee.detail());
        let have = if callee.tag() == tag::PARTIAL { self.heap.pair(callee.handle()).1 } else { 0 };
        (lambda, have)
    }

    /// How a function of the language looks from outside, given the arguments that it has already.
    pub(crate) fn level(&self, function: Value) -> Option<Level> {
        if !matches!(function.tag(), tag::LAMBDA | tag::PARTIAL) {
            return None;
        }
        let (lambda, have) = self.started(function);
        Some(self.code.levels.get(lambda.levels + have))
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
        let (_, have) = self.started(callee);
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
    fn enter_partial(&mut self, callee: Value, lambda: &LambdaCode, have: u32) -> Handle {
        let inner = self.heap.allocate(Content::Headed, 1 + lambda.size as usize);
        if have == 0 {
            self.heap.set_pair(inner, callee.handle(), lambda.size);
            return inner;
        }
        let outer = self.heap.pair(callee.handle()).0;
        self.heap.set_pair(inner, outer, lambda.size);
        for index in 0..have {
            let value = attrs::load(&self.heap, callee.handle() + 1 + index);
            self.heap.set(inner + 1 + index, value);
        }
        inner
    }

    /// Puts the last argument into the frame of a call.
    #[inline]
    fn bind_last(&mut self, lambda: &LambdaCode, frame: Handle, argument: Value) -> EvalResult<()> {
        if lambda.whole {
            self.heap.set(frame + lambda.arity, argument);
        }
        if lambda.has_formals { self.match_formals(lambda, frame, argument) } else { Ok(()) }
    }

    #[cold]
    fn called_at(&self, error: EvalError, node: NodeId) -> EvalError {
        error.at(self.node_span(node), "called here")
    }

    /// Calls what is not a plain function of the language.
    fn call_other(
        &mut self,
        node: NodeId,
        callee: Value,
        nodes: &[NodeId],
        frame: Handle,
    ) -> EvalResult<Step> {
        if callee.tag() == tag::NATIVE && callee.handle() == 0 {
            let native = &self.natives[callee.detail() as usize];
            if let NativeCode::Builtin(run) = native.code
                && native.arity as usize == nodes.len()
                && nodes.len() <= 3
            {
                let (strict, holds) = (native.strict, u32::from(!native.quiet));
                let mark = self.profile_depth;
                let result = self.call_builtin((run, strict, holds), callee, nodes, frame);
                if self.profile_depth != mark {
                    self.profile_leave(mark);
                }
                return result.map(Step::Done).map_err(|error| self.calling_native(error, callee, node));
            }
        }
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
            Ok(value) => Ok(Step::Done(value)),
            Err(error) => Err(self.calling_native(error, callee, node)),
        }
    }

    /// Calls a builtin that gets all of its arguments at once, as most calls of builtins are.
    fn call_builtin(
        &mut self,
        (run, strict, holds): (Builtin, u32, u32),
        callee: Value,
        nodes: &[NodeId],
        frame: Handle,
    ) -> EvalResult {
        let mut arguments = [Value::NULL; 3];
        for (at, node) in nodes.iter().enumerate() {
            arguments[at] = if strict & (1 << at) == 0 {
                let value = self.delay_argument(*node, frame);
                self.share(value)
            } else {
                match self.eval(*node, frame) {
                    Ok(value) => value,
                    Err(error) if at == 0 => return Err(error),
                    // A builtin may find fault with an earlier argument before it looks at this one.
                    Err(error) => self.lazy(&[], move |_, _| Err(error)),
                }
            };
        }
        let arguments = &arguments[..nodes.len()];
        if self.profile_depth > 0 {
            self.profile_call(callee, self.profile_depth);
        }
        if self.stack_is_low() {
            return self.on_more_stack(|evaluator| evaluator.run_builtin(run, holds, arguments));
        }
        self.run_builtin(run, holds, arguments)
    }

    #[inline]
    fn run_builtin(&mut self, run: Builtin, holds: u32, arguments: &[Value]) -> EvalResult {
        let depth = self.depth;
        self.count_call()?;
        self.holding += holds;
        let result = match run(self, arguments) {
            Ok(value) => self.force(value),
            Err(error) => Err(error),
        };
        self.holding -= holds;
        self.depth = depth;
        result
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
    fn match_formals(&mut self, lambda: &LambdaCode, frame: Handle, argument: Value) -> EvalResult<()> {
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
        let (lambda, have) = self.started(callee);
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
        let frame = self.enter_partial(callee, &lambda, have);
        for (index, argument) in before.iter().enumerate() {
            self.heap.set(frame + 1 + have + index as u32, *argument);
        }
        let bound = self.bind_last(&lambda, frame, last);
        let result = match bound {
            Ok(()) => self.eval(lambda.body, frame).map_err(|error| self.calling(error, &lambda)),
            Err(error) => Err(error),
        };
        self.heap.leave(outer, result.as_ref().ok().copied());
        Ok((result?, rest))
    }

    #[cold]
    fn calling(&self, error: EvalError, lambda: &LambdaCode) -> EvalError {
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
