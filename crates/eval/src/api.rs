//! Making and looking at values from Rust.

use crate::attrs;
use crate::context::{ContextElement, ContextId, Gathered};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::{Evaluator, Native, NativeCode};
use crate::heap::Content;
use crate::symbols;
use crate::value::{Kind, Value, tag};
use nival_diagnostics::{Diagnostic, Entry, Span};
use nival_syntax::Symbol;
use std::rc::Rc;

/// An attribute of a set.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: Symbol,
    /// Its value, perhaps delayed.
    pub value: Value,
    /// Where it is defined, if in a source.
    pub position: Option<Span>,
}

/// How a value becomes a string.
#[derive(Clone, Copy, Debug)]
pub struct Coercion {
    /// As `toString`: numbers, Booleans, `null` and lists too.
    pub more: bool,
    /// Paths are copied into the store.
    pub copy_to_store: bool,
}

/// The named arguments of a function.
#[derive(Clone, Debug)]
pub struct Formals {
    /// Whether further ones are allowed.
    pub ellipsis: bool,
    /// The arguments, sorted by symbol.
    pub names: Vec<Formal>,
}

/// One named argument.
#[derive(Clone, Copy, Debug)]
pub struct Formal {
    /// Its name.
    pub name: Symbol,
    /// Whether it may be left out.
    pub has_default: bool,
    /// Where it is named.
    pub position: Option<Span>,
}

impl Evaluator {
    /// The kind of a value; forces it.
    pub fn kind(&mut self, value: Value) -> EvalResult<Kind> {
        let value = self.force(value)?;
        Ok(value.known_kind().unwrap_or(Kind::Null))
    }

    /// Whether a value needs no more evaluation to be looked at.
    pub fn is_forced(&self, value: Value) -> bool {
        self.known(value).is_some()
    }

    /// The forced form of a value, if it was forced already.
    pub fn known(&self, value: Value) -> Option<Value> {
        let mut value = value;
        while value.tag() == tag::REF {
            value = self.heap.value(value.handle());
        }
        (!value.is_delayed()).then_some(value)
    }

    /// The name of a value's type as `builtins.typeOf` gives it; forces it.
    pub fn type_name(&mut self, value: Value) -> EvalResult<&'static str> {
        Ok(match self.kind(value)? {
            Kind::Null => "null",
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::String => "string",
            Kind::Path => "path",
            Kind::List => "list",
            Kind::Attrs => "set",
            Kind::Function => "lambda",
        })
    }

    /// A Boolean.
    pub fn expect_bool(&mut self, value: Value) -> EvalResult<bool> {
        match self.force(value)? {
            Value::TRUE => Ok(true),
            Value::FALSE => Ok(false),
            other => Err(self.wrong_type("a Boolean", other)),
        }
    }

    /// An integer.
    pub fn expect_int(&mut self, value: Value) -> EvalResult<i64> {
        let value = self.force(value)?;
        match value.tag() {
            tag::INT => Ok(value.as_small_int()),
            tag::WIDE_INT => Ok(self.heap.word(value.handle()) as i64),
            _ => Err(self.wrong_type("an integer", value)),
        }
    }

    /// A float, or an integer as one.
    pub fn expect_float(&mut self, value: Value) -> EvalResult<f64> {
        let value = self.force(value)?;
        match self.number(value) {
            Some(number) => Ok(number.as_float()),
            None => Err(self.wrong_type("a float", value)),
        }
    }

    /// The bytes and the context of a string.
    /// A forced string.
    pub(crate) fn expect_text(&mut self, value: Value) -> EvalResult {
        let value = self.force(value)?;
        if value.is_string() { Ok(value) } else { Err(self.wrong_type("a string", value)) }
    }

    pub(crate) fn expect_bytes(&mut self, value: Value) -> EvalResult<(Vec<u8>, ContextId)> {
        let value = self.expect_text(value)?;
        Ok((self.heap.bytes(value.handle()).to_vec(), ContextId(value.detail())))
    }

    /// A string with its context.
    pub fn expect_string_context(&mut self, value: Value) -> EvalResult<(String, ContextId)> {
        let (bytes, context) = self.expect_bytes(value)?;
        Ok((crate::text::from_bytes(bytes), context))
    }

    /// A string with what it refers to.
    pub fn expect_string_elements(&mut self, value: Value) -> EvalResult<(String, Vec<ContextElement>)> {
        let (text, context) = self.expect_string_context(value)?;
        Ok((text, self.contexts.elements(context)))
    }

    /// A string that refers to no store path.
    pub fn expect_string(&mut self, value: Value) -> EvalResult<String> {
        let (text, context) = self.expect_string_context(value)?;
        if context.is_empty() {
            return Ok(text);
        }
        Err(self.unwanted_context(&text, context))
    }

    #[cold]
    pub(crate) fn unwanted_context(&mut self, text: &str, context: ContextId) -> EvalError {
        let first = self.contexts.elements(context).into_iter().next();
        let path = match first {
            Some(ContextElement::Plain(path) | ContextElement::DrvDeep(path)) => path,
            Some(ContextElement::Output { drv, .. }) => drv,
            None => String::new(),
        };
        EvalError::of(
            &diagnostics::string_has_context::ENTRY,
            format!("the string `{text}` is not allowed to refer to a store path (such as `{path}`)"),
        )
        .help("`builtins.unsafeDiscardStringContext` removes the reference, if that is what you mean")
    }

    /// A path.
    pub fn expect_path(&mut self, value: Value) -> EvalResult<String> {
        let value = self.force(value)?;
        if value.tag() != tag::PATH {
            return Err(self.wrong_type("a path", value));
        }
        Ok(crate::text::from_bytes(self.heap.bytes(value.handle()).to_vec()))
    }

    /// The elements of a list, unforced.
    pub fn expect_list(&mut self, value: Value) -> EvalResult<Vec<Value>> {
        let list = self.forced_list(value)?;
        Ok((0..list.detail()).map(|index| attrs::load(&self.heap, list.handle() + index)).collect())
    }

    /// A forced list.
    pub(crate) fn forced_list(&mut self, value: Value) -> EvalResult {
        let value = self.force(value)?;
        if value.tag() == tag::LIST { Ok(value) } else { Err(self.wrong_type("a list", value)) }
    }

    /// The forced set.
    pub fn expect_attrs(&mut self, value: Value) -> EvalResult {
        let value = self.force(value)?;
        if value.is_attrs() { Ok(value) } else { Err(self.wrong_type("a set", value)) }
    }

    /// The forced function, or a set that can be called.
    pub fn expect_function(&mut self, value: Value) -> EvalResult {
        let value = self.force(value)?;
        if self.is_callable(value) { Ok(value) } else { Err(self.wrong_type("a function", value)) }
    }

    pub(crate) fn is_callable(&self, value: Value) -> bool {
        match value.tag() {
            tag::LAMBDA | tag::PARTIAL | tag::NATIVE => true,
            tag::ATTRS => attrs::find(&self.heap, value.handle(), symbols::FUNCTOR).is_some(),
            _ => false,
        }
    }

    /// A value as a string.
    pub fn coerce_to_string(&mut self, value: Value, how: Coercion) -> EvalResult<(String, ContextId)> {
        let (text, context) = self.coerce_bytes(value, how)?;
        Ok((crate::text::from_bytes(text), context))
    }

    pub(crate) fn coerce_bytes(&mut self, value: Value, how: Coercion) -> EvalResult<(Vec<u8>, ContextId)> {
        let (mut text, mut context) = (Vec::new(), Gathered::default());
        self.append(&mut text, &mut context, value, how)?;
        Ok((text, self.contexts.gather(&context)))
    }

    /// Whether a value is a derivation.
    pub fn is_derivation(&mut self, value: Value) -> EvalResult<bool> {
        let value = self.force(value)?;
        if value.is_attrs() { self.is_derivation_set(value.handle()) } else { Ok(false) }
    }

    /// The attributes of a set, sorted by name.
    pub fn attributes(&mut self, set: Value) -> EvalResult<Vec<Attribute>> {
        let set = self.expect_attrs(set)?;
        let mut entries = self.guarded(|evaluator| Ok(attrs::entries(&mut evaluator.heap, set.handle())))?;
        self.sort_by_name(&mut entries);
        Ok(entries
            .into_iter()
            .map(|(name, position, slot)| Attribute {
                name,
                value: attrs::load(&self.heap, slot),
                position: self.name_span(name, position),
            })
            .collect())
    }

    /// Sorts attributes by their names. The beginnings of the names are gathered first, so that most comparisons
    /// look at what lies side by side.
    pub(crate) fn sort_by_name<T: Copy>(&self, entries: &mut Vec<(Symbol, u32, T)>) {
        let mut order: Vec<(u64, u32)> = Vec::with_capacity(entries.len());
        for (index, (name, ..)) in entries.iter().enumerate() {
            order.push((self.interner.beginning(*name), index as u32));
        }
        order.sort_unstable_by(|(a, at), (b, bt)| {
            a.cmp(b).then_with(|| {
                let name = |index: u32| self.interner.name(entries[index as usize].0);
                name(*at).cmp(name(*bt))
            })
        });
        *entries = order.iter().map(|(_, index)| entries[*index as usize]).collect();
    }

    /// One attribute of a set; only the set is forced.
    pub fn attribute(&mut self, set: Value, name: Symbol) -> EvalResult<Option<Attribute>> {
        let set = self.expect_attrs(set)?;
        Ok(attrs::find(&self.heap, set.handle(), name).map(|(slot, position)| Attribute {
            name,
            value: attrs::load(&self.heap, slot),
            position: self.name_span(name, position),
        }))
    }

    /// The unforced value of an attribute that may be missing, by its symbol; only the set is forced.
    #[inline]
    pub fn find(&mut self, set: Value, name: Symbol) -> EvalResult<Option<Value>> {
        let set = self.expect_attrs(set)?;
        Ok(attrs::find(&self.heap, set.handle(), name).map(|(slot, _)| attrs::load(&self.heap, slot)))
    }

    /// As [`Self::find`], for what may be no set: then nothing is found.
    #[inline]
    pub fn find_in(&mut self, value: Value, name: Symbol) -> EvalResult<Option<Value>> {
        let value = self.force(value)?;
        if value.is_attrs() { self.find(value, name) } else { Ok(None) }
    }

    /// The attributes of a set in no order: name, value, and where each is defined for [`Self::attrs_of`].
    pub fn entries(&mut self, set: Value) -> EvalResult<Vec<(Symbol, u32, Value)>> {
        let set = self.expect_attrs(set)?;
        let entries = self.guarded(|evaluator| Ok(attrs::entries(&mut evaluator.heap, set.handle())))?;
        let load = |(name, position, slot)| (name, position, attrs::load(&self.heap, slot));
        Ok(entries.into_iter().map(load).collect())
    }

    /// Makes a set of attributes with the places that [`Self::entries`] gave; the later of two equal names wins.
    pub fn attrs_of(&mut self, entries: &mut Vec<(Symbol, u32, Value)>) -> Value {
        for (_, _, value) in entries.iter_mut() {
            *value = self.share(*value);
        }
        Value::attrs(attrs::from_entries(&mut self.heap, entries))
    }

    /// Where an attribute is defined, as [`Self::entries`] gives it; 0 where that is not known.
    pub fn place_of(&mut self, set: Value, name: Symbol) -> EvalResult<u32> {
        let set = self.expect_attrs(set)?;
        Ok(attrs::find(&self.heap, set.handle(), name).map_or(0, |(_, position)| position))
    }

    /// Where an attribute is defined that [`Self::entries`] gave a place of.
    pub fn span_at(&self, name: Symbol, place: u32) -> Option<Span> {
        self.name_span(name, place)
    }

    /// The text of a forced string.
    #[inline]
    pub fn text_of(&self, value: Value) -> Option<&[u8]> {
        value.is_string().then(|| self.heap.bytes(value.handle()))
    }

    /// Whether a forced string refers to anything.
    pub fn has_context(&self, value: Value) -> bool {
        value.is_string() && value.detail() != ContextId::EMPTY.0
    }

    /// Whether a list has no elements; forces it.
    pub fn is_empty_list(&mut self, value: Value) -> EvalResult<bool> {
        Ok(self.forced_list(value)?.detail() == 0)
    }

    /// Does something that may nest deeply, on another piece of stack where this one ends.
    pub fn deeper_by<T>(&mut self, work: impl FnOnce(&mut Self) -> EvalResult<T>) -> EvalResult<T> {
        self.deeper(work)
    }

    /// The string that a symbol stands for.
    pub fn symbol_value(&mut self, name: Symbol) -> Value {
        self.name_value(name)
    }

    /// The forced value of an attribute that must be there.
    pub fn select(&mut self, set: Value, name: &str) -> EvalResult {
        let set = self.expect_attrs(set)?;
        let name = self.symbol(name);
        match attrs::find(&self.heap, set.handle(), name) {
            Some((slot, _)) => self.force_slot(slot),
            None => Err(self.missing_in(set.handle(), name)),
        }
    }

    /// The unforced value of an attribute that may be missing.
    pub fn select_opt(&mut self, set: Value, name: &str) -> EvalResult<Option<Value>> {
        let name = self.symbol(name);
        Ok(self.attribute(set, name)?.map(|attribute| attribute.value))
    }

    /// `left // right`
    pub fn update(&mut self, left: Value, right: Value) -> EvalResult {
        let left = self.expect_attrs(left)?;
        let right = self.expect_attrs(right)?;
        Ok(Value::attrs(attrs::update(&mut self.heap, &mut self.updates, left.handle(), right.handle())))
    }

    /// Makes an integer.
    #[inline]
    pub fn int(&mut self, value: i64) -> Value {
        match Value::small_int(value) {
            Some(value) => value,
            None => {
                let at = self.heap.allocate(Content::Raw, 1);
                self.heap.set_word(at, value as u64);
                Value::new(tag::WIDE_INT, 0, at)
            }
        }
    }

    /// Makes a float.
    pub fn float(&mut self, value: f64) -> Value {
        let at = self.heap.allocate(Content::Raw, 1);
        self.heap.set_word(at, value.to_bits());
        Value::new(tag::FLOAT, 0, at)
    }

    /// Makes a string without context.
    pub fn string(&mut self, text: &str) -> Value {
        self.make_string(text.as_bytes(), ContextId::EMPTY)
    }

    /// Makes a string with a context.
    pub fn string_with(&mut self, text: &str, context: ContextId) -> Value {
        self.make_string(text.as_bytes(), context)
    }

    /// Makes a path from an absolute one.
    pub fn path(&mut self, absolute: &str) -> Value {
        let at = self.heap.allocate_bytes(absolute.as_bytes());
        Value::new(tag::PATH, 0, at)
    }

    /// Makes a list.
    pub fn list(&mut self, items: &[Value]) -> Value {
        if items.is_empty() {
            return Value::list(1, 0);
        }
        let first = self.heap.allocate(Content::Values, items.len());
        for (index, item) in items.iter().enumerate() {
            let item = self.share(*item);
            self.heap.set(first + index as u32, item);
        }
        Value::list(first, items.len())
    }

    /// Makes a set; the later of two equal names wins.
    pub fn attrs(&mut self, items: &[(Symbol, Value)]) -> Value {
        let mut entries = Vec::with_capacity(items.len());
        for (name, value) in items {
            entries.push((*name, 0, self.share(*value)));
        }
        Value::attrs(attrs::from_entries(&mut self.heap, &mut entries))
    }

    /// Makes a set whose attributes know where they are defined.
    pub fn attrs_at(&mut self, items: &[Attribute]) -> Value {
        let mut entries = Vec::with_capacity(items.len());
        for item in items {
            let position = item.position.map_or(0, |span| {
                self.source_bases.get(span.source.0 as usize).map_or(0, |base| base + span.start + 1)
            });
            entries.push((item.name, position, self.share(item.value)));
        }
        Value::attrs(attrs::from_entries(&mut self.heap, &mut entries))
    }

    /// Makes a function of `arity` arguments (at least one), which come one by one.
    pub fn function(
        &mut self,
        name: &str,
        arity: usize,
        captures: &[Value],
        run: impl Fn(&mut Evaluator, &[Value], &[Value]) -> EvalResult + 'static,
    ) -> Value {
        self.natives.push(Native {
            name: name.into(),
            arity: arity.max(1) as u32,
            strict: 0,
            captures: captures.len() as u32,
            quiet: false,
            code: NativeCode::Closure(Rc::new(run)),
        });
        let id = self.natives.len() as u32 - 1;
        let at = self.store_captures(captures);
        Value::new(tag::NATIVE, id, at)
    }

    /// Makes a value that is computed when it is forced, once.
    pub fn lazy(
        &mut self,
        captures: &[Value],
        run: impl FnOnce(&mut Evaluator, &[Value]) -> EvalResult + 'static,
    ) -> Value {
        let index = match self.free_lazies.pop() {
            Some(index) => {
                self.lazies[index as usize] = Some(Box::new(run));
                index
            }
            None => {
                self.lazies.push(Some(Box::new(run)));
                self.lazies.len() as u32 - 1
            }
        };
        let at = self.store_captures(captures);
        self.share(Value::new(tag::LAZY, index, at))
    }

    /// Makes a value that is a call, done when it is forced.
    pub fn lazy_call(&mut self, function: Value, arguments: &[Value]) -> Value {
        let function = self.share(function);
        let arguments: Vec<Value> = arguments.iter().map(|argument| self.share(*argument)).collect();
        let call = self.raw_call(function, &arguments);
        self.share(call)
    }

    /// Makes a value that is an attribute of a set, selected when it is forced.
    pub fn lazy_select(&mut self, set: Value, path: &[Symbol]) -> Value {
        let path = path.to_vec();
        self.lazy(&[set], move |evaluator, captures| {
            let mut value = captures[0];
            for name in &path {
                let set = evaluator.expect_attrs(value)?;
                value = match attrs::find(&evaluator.heap, set.handle(), *name) {
                    Some((slot, _)) => evaluator.force_slot(slot)?,
                    None => return Err(evaluator.missing_in(set.handle(), *name)),
                };
            }
            Ok(value)
        })
    }

    /// The named arguments of a function of the language; `None` for any other value.
    pub fn formals(&mut self, function: Value) -> EvalResult<Option<Formals>> {
        let value = self.force(function)?;
        let Some(level) = self.level(value).filter(|level| level.has_formals) else { return Ok(None) };
        let names = level
            .formals
            .indices()
            .map(|at| {
                let formal = self.code.formals.get(at);
                Formal {
                    name: formal.name,
                    has_default: formal.default.is_some(),
                    position: self.name_span(formal.name, formal.position),
                }
            })
            .collect();
        Ok(Some(Formals { ellipsis: level.ellipsis, names }))
    }

    /// Where a function of the language is written.
    pub fn function_position(&mut self, function: Value) -> Option<Span> {
        let value = self.known(function)?;
        self.function_span(value)
    }

    /// What a context holds.
    pub fn context_elements(&self, context: ContextId) -> Vec<ContextElement> {
        self.contexts.elements(context)
    }

    /// The context of several elements.
    pub fn context(&mut self, elements: &[ContextElement]) -> ContextId {
        self.contexts.of(elements)
    }

    /// Both contexts in one.
    pub fn join_contexts(&mut self, a: ContextId, b: ContextId) -> ContextId {
        self.contexts.join(a, b)
    }

    /// The set `builtins`.
    pub fn builtins(&mut self) -> Value {
        self.builtins
    }

    /// Makes an error of a catalogue entry.
    pub fn throw(&self, entry: &'static Entry, message: impl Into<String>, span: Option<Span>) -> EvalError {
        self.fail(entry, message).at(span, "")
    }

    /// Hands a warning to the world.
    pub fn warn(&mut self, diagnostic: Diagnostic) {
        self.world().warn(&diagnostic);
    }
}
