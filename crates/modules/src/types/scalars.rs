//! Types whose values are single things.

use super::{conflict, show};
use crate::definition::Definition;
use crate::diagnostics;
use crate::location::Location;
use nival_eval::{ContextId, EvalResult, Evaluator, Value};

/// The value that all definitions agree on.
pub(super) fn equal(
    ev: &mut Evaluator,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let Some(first) = definitions.first() else { return Ok(Value::NULL) };
    for other in &definitions[1..] {
        if !ev.equal(first.value, other.value)? {
            let texts: Vec<_> = definitions.iter().map(|d| format!("{} here", show(ev, d.value))).collect();
            let message = format!("definitions exclude each other for the option `{location}`");
            return Err(conflict(&diagnostics::conflict::ENTRY, message, definitions, &texts));
        }
    }
    Ok(first.value)
}

/// All texts, joined by the type's separator.
pub(super) fn join(ev: &mut Evaluator, option_type: Value, definitions: &[Definition]) -> EvalResult<Value> {
    let separator = ev.select(option_type, "separator")?;
    let (separator, _) = ev.expect_string_context(separator)?;
    let (mut text, mut context) = (String::new(), ContextId::EMPTY);
    for (n, definition) in definitions.iter().enumerate() {
        let (part, with) = ev.expect_string_context(definition.value)?;
        if n > 0 {
            text.push_str(&separator);
        }
        text.push_str(&part);
        context = ev.join_contexts(context, with);
    }
    Ok(ev.string_with(&text, context))
}
