//! Definitions: a value for an option, from a file, with the properties around it.

use crate::location::nearest;
use nival_diagnostics::{Diagnostic, Span};
use nival_eval::diagnostics::missing_attribute;
use nival_eval::{Attribute, EvalError, EvalResult, Evaluator, Kind, Value};
use std::rc::Rc;

/// The priority of a definition without `mkOverride`.
pub const DEFAULT_PRIORITY: i64 = 100;
/// The priority of an option's own `default`.
pub const OPTION_DEFAULT_PRIORITY: i64 = 1500;
/// The order of a definition without `mkOrder`.
pub const DEFAULT_ORDER: i64 = 1000;

/// A value that a module gives to an option.
#[derive(Clone)]
pub struct Definition {
    /// The module's file, as messages show it.
    pub file: Rc<str>,
    /// The value, maybe still inside of `mkIf` and its like.
    pub value: Value,
    /// The attribute that gives it.
    pub position: Option<Span>,
}

/// What a value's `_type` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    If,
    Merge,
    Override,
    Order,
    Definition,
    Option,
    OptionType,
    Other,
}

/// Reads the `_type` of a set; `None` where the value is no set or has none.
pub(crate) fn property(ev: &mut Evaluator, value: Value) -> EvalResult<Option<Property>> {
    if ev.kind(value)? != Kind::Attrs {
        return Ok(None);
    }
    let Some(tag) = ev.select_opt(value, "_type")? else { return Ok(None) };
    if ev.kind(tag)? != Kind::String {
        return Ok(None);
    }
    Ok(Some(match ev.expect_string_context(tag)?.0.as_str() {
        "if" => Property::If,
        "merge" => Property::Merge,
        "override" => Property::Override,
        "order" => Property::Order,
        "definition" => Property::Definition,
        "option" => Property::Option,
        "option-type" => Property::OptionType,
        _ => Property::Other,
    }))
}

/// A definition whose properties were taken off.
#[derive(Clone)]
pub(crate) struct Discharged {
    pub(crate) definition: Definition,
    pub(crate) priority: i64,
    pub(crate) order: i64,
}

/// Takes off `mkIf`, `mkMerge`, `mkOverride`, `mkOrder` and `mkDefinition`; what is conditioned away is left out.
pub(crate) fn discharge(
    ev: &mut Evaluator,
    definition: &Definition,
    out: &mut Vec<Discharged>,
) -> EvalResult<()> {
    let plain =
        Discharged { definition: definition.clone(), priority: DEFAULT_PRIORITY, order: DEFAULT_ORDER };
    discharge_inner(ev, plain, out)
}

fn discharge_inner(ev: &mut Evaluator, item: Discharged, out: &mut Vec<Discharged>) -> EvalResult<()> {
    let value = item.definition.value;
    let with = |value: Value| Discharged {
        definition: Definition { value, ..item.definition.clone() },
        ..item.clone()
    };
    match property(ev, value)? {
        Some(Property::Merge) => {
            let contents = ev.select(value, "contents")?;
            for content in ev.expect_list(contents)? {
                discharge_inner(ev, with(content), out)?;
            }
            Ok(())
        }
        Some(Property::If) => {
            let condition = ev.select(value, "condition")?;
            if !ev.expect_bool(condition)? {
                return Ok(());
            }
            let content = content_of(ev, value)?;
            discharge_inner(ev, with(content), out)
        }
        Some(Property::Override) => {
            let priority = ev.select(value, "priority")?;
            let priority = ev.expect_int(priority)?;
            let content = content_of(ev, value)?;
            discharge_inner(ev, Discharged { priority, ..with(content) }, out)
        }
        Some(Property::Order) => {
            let order = ev.select(value, "priority")?;
            let order = ev.expect_int(order)?;
            let content = content_of(ev, value)?;
            discharge_inner(ev, Discharged { order, ..with(content) }, out)
        }
        Some(Property::Definition) => {
            let definition = Definition::passed_on(ev, item.definition.value, item.definition.position)?;
            discharge_inner(ev, Discharged { definition, ..item }, out)
        }
        _ => {
            out.push(item);
            Ok(())
        }
    }
}

impl Definition {
    /// The definition that a set `{ file; value; }` passes on, with the place of its value.
    pub(crate) fn passed_on(ev: &mut Evaluator, set: Value, position: Option<Span>) -> EvalResult<Self> {
        let (file, value) = (ev.symbol("file"), ev.symbol("value"));
        let Some(file) = ev.attribute(set, file)? else { return Err(not_passed_on("file", position)) };
        let file = ev.expect_string_context(file.value)?.0.into();
        let Some(value) = ev.attribute(set, value)? else { return Err(not_passed_on("value", position)) };
        Ok(Self { file, value: value.value, position: nearest(ev, value.position, position) })
    }

    /// The definition that an attribute of this one gives.
    pub(crate) fn below(&self, ev: &Evaluator, attribute: &Attribute) -> Self {
        let position = nearest(ev, attribute.position, self.position);
        Self { file: self.file.clone(), value: attribute.value, position }
    }
}

fn not_passed_on(name: &str, position: Option<Span>) -> EvalError {
    let mut diagnostic = Diagnostic::error(
        &missing_attribute::ENTRY,
        format!("a definition that is passed on lacks its `{name}`"),
    );
    if let Some(span) = position {
        diagnostic = diagnostic.label(span, "passed on here");
    }
    EvalError::new(diagnostic.help("write `lib.mkDefinition { file = ...; value = ...; }`"))
}

pub(crate) fn content_of(ev: &mut Evaluator, value: Value) -> EvalResult<Value> {
    Ok(ev.select_opt(value, "content")?.unwrap_or(Value::NULL))
}

/// Definitions that count: those of the strongest priority, in their order.
pub(crate) struct Effective {
    pub(crate) definitions: Vec<Definition>,
    pub(crate) priority: i64,
}

/// Takes the properties off all definitions and keeps the strongest, in order.
pub(crate) fn effective(ev: &mut Evaluator, definitions: &[Definition]) -> EvalResult<Effective> {
    let mut all = Vec::new();
    for definition in definitions {
        discharge(ev, definition, &mut all)?;
    }
    let priority = all.iter().map(|d| d.priority).min().unwrap_or(i64::MAX);
    all.retain(|d| d.priority == priority);
    all.sort_by_key(|d| d.order);
    Ok(Effective { definitions: all.into_iter().map(|d| d.definition).collect(), priority })
}

/// Splits definitions of a set into those of its attributes, with properties pushed down to each.
pub(crate) fn push_down(
    ev: &mut Evaluator,
    definition: &Definition,
    each: &mut dyn FnMut(&mut Evaluator, nival_eval::Symbol, Definition) -> EvalResult<()>,
) -> EvalResult<()> {
    let value = definition.value;
    match property(ev, value)? {
        Some(Property::Merge) => {
            let contents = ev.select(value, "contents")?;
            for content in ev.expect_list(contents)? {
                push_down(ev, &Definition { value: content, ..definition.clone() }, each)?;
            }
            Ok(())
        }
        Some(Property::If | Property::Override | Property::Order) => {
            let content = content_of(ev, value)?;
            let inner = Definition { value: content, ..definition.clone() };
            push_down(ev, &inner, &mut |ev, name, child| {
                let content = ev.symbol("content");
                let wrapper = ev.attrs(&[(content, child.value)]);
                let wrapped = ev.update(value, wrapper)?;
                each(ev, name, Definition { value: wrapped, ..child })
            })
        }
        Some(Property::Definition) => {
            let inner = Definition::passed_on(ev, definition.value, definition.position)?;
            push_down(ev, &inner, each)
        }
        _ => {
            for attribute in ev.attributes(value)? {
                let child = definition.below(ev, &attribute);
                each(ev, attribute.name, child)?;
            }
            Ok(())
        }
    }
}
