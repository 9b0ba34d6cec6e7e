//! Errors, tracing, and when things are evaluated.

use super::Row;
use crate::Coercion;
use crate::context::Gathered;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::Value;
use nival_diagnostics::Diagnostic;

pub(super) const ROWS: &[Row] = &[
    Row("abort", 1, 1, |e, a| {
        let text = message(e, a[0])?;
        Err(EvalError::of(&diagnostics::aborted::ENTRY, format!("evaluation was aborted: {text}")))
    }),
    Row("throw", 1, 1, |e, a| {
        let text = message(e, a[0])?;
        Err(EvalError::catchable(&diagnostics::thrown::ENTRY, text))
    }),
    Row("__tryEval", 1, 0, try_eval),
    Row("__seq", 2, 1, |e, a| {
        e.force(a[0])?;
        Ok(a[1])
    }),
    Row("__deepSeq", 2, 1, |e, a| {
        e.force_deep(a[0])?;
        Ok(a[1])
    }),
    Row("__trace", 2, 1, trace),
    Row("__traceVerbose", 2, 0, |e, a| if e.settings.trace_verbose { trace(e, a) } else { Ok(a[1]) }),
    Row("__warn", 2, 1, warn),
    Row("__addErrorContext", 2, 0, add_error_context),
    Row("break", 1, 0, |_, a| Ok(a[0])),
];

fn message(evaluator: &mut Evaluator, value: Value) -> EvalResult<String> {
    Ok(evaluator.coerce_to_string(value, Coercion { more: false, copy_to_store: false })?.0)
}

fn try_eval(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (depth, used, limit) = (evaluator.depth, evaluator.stack_used, evaluator.stack_limit);
    let (success, value) = match evaluator.force(arguments[0]) {
        Ok(value) => (true, value),
        Err(error) if error.is_catchable() => (false, Value::FALSE),
        Err(error) => return Err(error),
    };
    (evaluator.depth, evaluator.stack_used, evaluator.stack_limit) = (depth, used, limit);
    Ok(evaluator.attrs(&[(symbols::SUCCESS, Value::bool(success)), (symbols::VALUE, value)]))
}

fn trace(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let value = evaluator.force(arguments[0])?;
    let text = if value.is_string() {
        crate::text::from_bytes(evaluator.heap.bytes(value.handle()).to_vec())
    } else {
        evaluator.print(value)
    };
    evaluator.world().trace(&text);
    Ok(arguments[1])
}

fn warn(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (text, _) = evaluator.expect_string_context(arguments[0])?;
    evaluator.world().warn(&Diagnostic::warning(&diagnostics::warned::ENTRY, text));
    if evaluator.settings.abort_on_warn {
        let message = "a warning ends the evaluation, as the setting `abort-on-warn` says";
        return Err(EvalError::of(&diagnostics::aborted::ENTRY, message));
    }
    Ok(arguments[1])
}

fn add_error_context(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    match evaluator.force(arguments[1]) {
        Ok(value) => Ok(value),
        Err(error) => {
            let (mut text, mut context) = (Vec::new(), Gathered::default());
            let how = Coercion { more: false, copy_to_store: false };
            match evaluator.append(&mut text, &mut context, arguments[0], how) {
                Ok(()) => Err(error.frame(None, crate::text::from_bytes(text))),
                // As in C++ Nix: what is wrong with the message is told first.
                Err(wrong) => Err(wrong),
            }
        }
    }
}
