//! Whether a value fits a type.

use super::{Kind, kind};
use nival_eval::{EvalResult, Evaluator, Kind as ValueKind, Value};

/// Looks at a value as far as its type needs to: elements of lists and sets are checked where they are merged.
pub(crate) fn check(ev: &mut Evaluator, option_type: Value, value: Value) -> EvalResult<bool> {
    let Some(kind) = kind(ev, option_type)? else {
        return match ev.select_opt(option_type, "check")? {
            Some(function) => call_check(ev, function, value),
            None => Ok(true),
        };
    };
    if !check_kind(ev, kind, option_type, value)? || problem(ev, option_type, value)?.is_some() {
        return Ok(false);
    }
    match ev.select_opt(option_type, "check")? {
        Some(function) => call_check(ev, function, value),
        None => Ok(true),
    }
}

/// What a type that looks closely at its values says to one that is of its kind: its `problem`.
fn problem(ev: &mut Evaluator, option_type: Value, value: Value) -> EvalResult<Option<String>> {
    let Some(function) = ev.select_opt(option_type, "problem")? else { return Ok(None) };
    let answer = ev.call(function, &[value])?;
    if ev.kind(answer)? == ValueKind::Null {
        return Ok(None);
    }
    Ok(Some(ev.expect_string_context(answer)?.0))
}

fn call_check(ev: &mut Evaluator, function: Value, value: Value) -> EvalResult<bool> {
    let answer = ev.call(function, &[value])?;
    ev.expect_bool(answer)
}

fn check_kind(ev: &mut Evaluator, kind: Kind, option_type: Value, value: Value) -> EvalResult<bool> {
    match kind {
        Kind::Unspecified | Kind::Raw | Kind::Anything => return Ok(true),
        Kind::NullOr => {
            if ev.kind(value)? == ValueKind::Null {
                return Ok(true);
            }
            let element = ev.select(option_type, "elemType")?;
            return check(ev, element, value);
        }
        Kind::Unique => {
            let element = ev.select(option_type, "elemType")?;
            return check(ev, element, value);
        }
        Kind::Either => {
            let left = ev.select(option_type, "left")?;
            let right = ev.select(option_type, "right")?;
            return Ok(check(ev, left, value)? || check(ev, right, value)?);
        }
        Kind::CoercedTo => {
            let from = ev.select(option_type, "coercedType")?;
            let to = ev.select(option_type, "finalType")?;
            return Ok(check(ev, from, value)? || check(ev, to, value)?);
        }
        Kind::Enum => return is_member(ev, option_type, value),
        _ => {}
    }
    let found = ev.kind(value)?;
    Ok(match kind {
        Kind::Bool => found == ValueKind::Bool,
        Kind::Int => found == ValueKind::Int && in_range(ev, option_type, value)?,
        Kind::Float => found == ValueKind::Float,
        Kind::Number => matches!(found, ValueKind::Int | ValueKind::Float),
        Kind::Str | Kind::SeparatedString => found == ValueKind::String,
        Kind::Path => is_path(ev, value, found)?,
        Kind::Package => is_path(ev, value, found)? || ev.is_derivation(value)?,
        Kind::Attrs | Kind::AttrsOf | Kind::LazyAttrsOf => found == ValueKind::Attrs,
        Kind::ListOf => {
            found == ValueKind::List
                && (ev.select_opt(option_type, "nonEmpty")?.is_none() || !ev.expect_list(value)?.is_empty())
        }
        Kind::FunctionTo => {
            found == ValueKind::Function
                || (found == ValueKind::Attrs && ev.select_opt(value, "__functor")?.is_some())
        }
        Kind::Submodule => matches!(found, ValueKind::Attrs | ValueKind::Function | ValueKind::Path),
        _ => true,
    })
}

fn in_range(ev: &mut Evaluator, option_type: Value, value: Value) -> EvalResult<bool> {
    let number = ev.expect_int(value)?;
    let (least, most) = bounds(ev, option_type)?;
    Ok(least.is_none_or(|least| least <= number) && most.is_none_or(|most| number <= most))
}

fn bounds(ev: &mut Evaluator, option_type: Value) -> EvalResult<(Option<i64>, Option<i64>)> {
    let mut both = [None, None];
    for (n, name) in ["min", "max"].into_iter().enumerate() {
        if let Some(bound) = ev.select_opt(option_type, name)?
            && ev.kind(bound)? == ValueKind::Int
        {
            both[n] = Some(ev.expect_int(bound)?);
        }
    }
    Ok((both[0], both[1]))
}

fn is_path(ev: &mut Evaluator, value: Value, found: ValueKind) -> EvalResult<bool> {
    Ok(match found {
        ValueKind::Path => true,
        ValueKind::String => ev.expect_string_context(value)?.0.starts_with('/'),
        ValueKind::Attrs => ev.select_opt(value, "outPath")?.is_some(),
        _ => false,
    })
}

fn is_member(ev: &mut Evaluator, option_type: Value, value: Value) -> EvalResult<bool> {
    let values = ev.select(option_type, "values")?;
    for member in ev.expect_list(values)? {
        if ev.equal(member, value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is said of a value that a type does not take.
pub(super) struct Hints {
    /// What is wrong with one of the right kind.
    pub(super) problem: Option<String>,
    /// What would be right.
    pub(super) hints: Vec<String>,
}

/// What would be right, in words, where that can be told from the type and the value.
pub(super) fn hints(ev: &mut Evaluator, option_type: Value, value: Value) -> EvalResult<Hints> {
    let found = ev.kind(value)?;
    let (mut hints, mut wrong) = (Vec::new(), None);
    match kind(ev, option_type)? {
        Some(Kind::Enum) => {
            let values = ev.select(option_type, "values")?;
            if found == ValueKind::String {
                let wrong = ev.expect_string_context(value)?.0;
                for member in ev.expect_list(values)? {
                    if ev.kind(member)? == ValueKind::String {
                        let text = ev.expect_string_context(member)?.0;
                        if strsim::jaro_winkler(&text, &wrong) > 0.8 {
                            hints.push(format!("did you mean `\"{text}\"`?"));
                        }
                    }
                }
            }
        }
        Some(Kind::Int) if found == ValueKind::String => {
            let text = ev.expect_string_context(value)?.0;
            if text.parse::<i64>().is_ok() {
                hints.push(format!("write the number without quotes: `{text}`"));
            }
        }
        Some(Kind::Bool) if found == ValueKind::String => {
            let text = ev.expect_string_context(value)?.0;
            if text == "true" || text == "false" {
                hints.push(format!("write it without quotes: `{text}`"));
            }
        }
        Some(Kind::Str | Kind::SeparatedString) if matches!(found, ValueKind::Int | ValueKind::Bool) => {
            let text = ev.print(value);
            hints.push(format!("write it in quotes: `\"{text}\"`"));
        }
        Some(Kind::ListOf) if found != ValueKind::List => {
            hints.push("put it into a list: `[ VALUE ]`".to_owned())
        }
        Some(Kind::NullOr | Kind::Unique) => {
            let element = ev.select(option_type, "elemType")?;
            return super::check::hints(ev, element, value);
        }
        // Of two types, the one that the value is meant for by its kind.
        Some(Kind::Either) => {
            for side in ["left", "right"] {
                let side = ev.select(option_type, side)?;
                if let Some(of_side) = kind(ev, side)?
                    && check_kind(ev, of_side, side, value)?
                {
                    return super::check::hints(ev, side, value);
                }
            }
        }
        _ => {}
    }
    if let Some(of_type) = kind(ev, option_type)?
        && check_kind(ev, of_type, option_type, value)?
        && let Some(text) = problem(ev, option_type, value)?
    {
        wrong = Some(text);
    }
    if let Some(text) = ev.select_opt(option_type, "hint")? {
        hints.push(ev.expect_string_context(text)?.0);
    }
    Ok(Hints { problem: wrong, hints })
}
