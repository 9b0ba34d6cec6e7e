//! Strings.

use super::Row;
use crate::Coercion;
use crate::context::{ContextId, Gathered};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::{Value, tag};
use smallvec::SmallVec;

const PLAIN: Coercion = Coercion { more: false, copy_to_store: false };

pub(super) const ROWS: &[Row] = &[
    Row("toString", 1, 1, |e, a| {
        let value = e.force(a[0])?;
        if value.is_string() {
            return Ok(value);
        }
        let (text, context) = e.coerce_bytes(value, Coercion { more: true, copy_to_store: false })?;
        Ok(e.make_string(&text, context))
    }),
    Row("__stringLength", 1, 1, |e, a| {
        let value = e.force(a[0])?;
        if value.is_string() {
            return Ok(e.int(e.heap.bytes(value.handle()).len() as i64));
        }
        let (text, _) = e.coerce_bytes(a[0], Coercion::INTERPOLATION)?;
        Ok(e.int(text.len() as i64))
    }),
    Row("__substring", 3, 7, substring),
    Row("__concatStringsSep", 2, 3, concat_with),
    Row("__replaceStrings", 3, 0, replace),
    Row("baseNameOf", 1, 1, base_name),
    Row("dirOf", 1, 1, folder),
];

fn substring(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let start = evaluator.expect_int(arguments[0])?;
    let len = evaluator.expect_int(arguments[1])?;
    if start < 0 {
        return Err(EvalError::of(
            &diagnostics::invalid_argument::ENTRY,
            format!("the start of `substring` is negative: `{start}`"),
        ));
    }
    let len = if len < 0 { usize::MAX } else { len as usize };
    let range = |total: usize| {
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(total);
        start..start.saturating_add(len).min(total)
    };
    let value = evaluator.force(arguments[2])?;
    if value.is_string() {
        let range = range(evaluator.heap.bytes(value.handle()).len());
        let part = evaluator.heap.part_of_bytes(value.handle(), range);
        return Ok(Value::new(tag::STRING, value.detail(), part));
    }
    let (text, context) = evaluator.coerce_bytes(value, Coercion::INTERPOLATION)?;
    Ok(evaluator.make_string(&text[range(text.len())], context))
}

fn concat_with(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (separator, context) = evaluator.expect_bytes(arguments[0])?;
    let mut context = Gathered::of(context);
    let mut text = evaluator.take_buffer();
    let list = evaluator.forced_list(arguments[1])?;
    for index in 0..list.detail() {
        if index > 0 {
            evaluator.check_text(text.len() + separator.len())?;
            text.extend_from_slice(&separator);
        }
        let item = Value::reference(list.handle() + index);
        evaluator.append(&mut text, &mut context, item, Coercion::INTERPOLATION)?;
    }
    let context = evaluator.contexts.gather(&context);
    let made = evaluator.make_string(&text, context);
    evaluator.give_buffer(text);
    Ok(made)
}

fn replace(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let items = evaluator.forced_list(arguments[0])?;
    let to = evaluator.forced_list(arguments[1])?;
    if items.detail() != to.detail() {
        let (items, to) = (items.detail(), to.detail());
        return Err(EvalError::of(
            &diagnostics::invalid_argument::ENTRY,
            format!("`replaceStrings` got {items} strings to replace by {to} strings"),
        ));
    }
    let mut from = SmallVec::<[SmallVec<[u8; 16]>; 4]>::new();
    let (mut begins, mut has_empty) = ([false; 256], false);
    for index in 0..items.detail() {
        let item = evaluator.expect_text(Value::reference(items.handle() + index))?;
        let item = SmallVec::from_slice(evaluator.heap.bytes(item.handle()));
        match item.first() {
            Some(first) => begins[usize::from(*first)] = true,
            None => has_empty = true,
        }
        from.push(item);
    }
    let (text, mut context) = evaluator.expect_bytes(arguments[2])?;
    let mut made = SmallVec::<[Option<(Vec<u8>, ContextId)>; 4]>::from_elem(None, from.len());
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at <= text.len() {
        if !has_empty {
            // Nothing begins before the next of those bytes.
            let plain = text[at..].iter().position(|byte| begins[usize::from(*byte)]);
            let end = plain.map_or(text.len(), |count| at + count);
            out.extend_from_slice(&text[at..end]);
            at = end;
        }
        let found = from.iter().position(|from| text[at..].starts_with(from.as_slice()));
        let mut step = 1;
        if let Some(index) = found {
            if made[index].is_none() {
                let replacement = Value::reference(to.handle() + index as u32);
                made[index] = Some(evaluator.expect_bytes(replacement)?);
            }
            if let Some((replacement, more)) = &made[index] {
                context = evaluator.contexts.join(context, *more);
                evaluator.check_text(out.len() + replacement.len())?;
                out.extend_from_slice(replacement);
            }
            step = from[index].len();
        }
        if found.is_none() || step == 0 {
            out.extend(text.get(at));
            step = 1;
        }
        at += step;
    }
    Ok(evaluator.make_string(&out, context))
}

fn base_name(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (text, context) = evaluator.coerce_bytes(arguments[0], PLAIN)?;
    let end = if text.last() == Some(&b'/') { text.len() - 1 } else { text.len() };
    let start = text[..end].iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    Ok(evaluator.make_string(&text[start..end], context))
}

fn folder(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let value = evaluator.force(arguments[0])?;
    if value.tag() == tag::PATH {
        let path = evaluator.expect_path(value)?;
        return Ok(evaluator.path(crate::paths::parent(&path)));
    }
    let (text, context) = evaluator.coerce_bytes(value, PLAIN)?;
    let folder: &[u8] = match text.iter().rposition(|b| *b == b'/') {
        None => b".",
        Some(0) => b"/",
        Some(at) => &text[..at],
    };
    Ok(evaluator.make_string(folder, context))
}
