//! `outputOf`: an output of a derivation that is named by a string.

use super::Row;
use crate::Coercion;
use crate::builtins::derivation::unknown_output;
use crate::context::ContextElement;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::Value;
use nival_store_model::StoreDir;

pub(super) const ROWS: &[Row] = &[Row("__outputOf", 2, 3, output_of)];

fn wrong(message: String) -> EvalError {
    EvalError::of(&diagnostics::invalid_argument::ENTRY, message)
}

fn output_of(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let drv = derivation_path(evaluator, arguments[0])?;
    let output = evaluator.expect_string(arguments[1])?;
    let world = evaluator.world();
    let dir = StoreDir::new(world.store_dir());
    let path = dir.parse(&drv).map_err(|error| wrong(error.to_string()))?;
    let derivation = world.read_derivation(&drv)?;
    let Some(found) = derivation.outputs.get(&output) else {
        let known: Vec<&str> = derivation.outputs.keys().map(String::as_str).collect();
        return Err(wrong(format!("the derivation `{drv}` has no output `{output}`"))
            .help(format!("its outputs are: {}", known.join(", "))));
    };
    let known = found.path(&dir, &derivation.name, &output).map_err(|error| wrong(error.to_string()))?;
    let text = known.map_or_else(|| unknown_output(&path, &output), |path| dir.print(&path));
    let context = evaluator.context(&[ContextElement::Output { drv, output }]);
    Ok(evaluator.string_with(&text, context))
}

/// The derivation that a string refers to: it has to be its path, and refer to nothing else.
fn derivation_path(evaluator: &mut Evaluator, value: Value) -> EvalResult<String> {
    let how = Coercion { more: false, copy_to_store: false };
    let (text, context) = evaluator.coerce_to_string(value, how)?;
    let elements = evaluator.context_elements(context);
    let path = match elements.as_slice() {
        [ContextElement::Plain(path)] => path,
        [ContextElement::DrvDeep(path)] => {
            return Err(wrong(format!("the string `{text}` refers to all that `{path}` needs and makes"))
                .help("apply `builtins.unsafeDiscardOutputDependency` to it"));
        }
        [ContextElement::Output { .. }] => {
            return Err(wrong(format!("the derivation `{text}` is itself what a build makes"))
                .help("this version builds only derivations that evaluation makes"));
        }
        other => {
            let count = other.len();
            return Err(wrong(format!(
                "the string `{text}` must refer to one derivation, and refers to {count}"
            )));
        }
    };
    if *path != text {
        return Err(wrong(format!(
            "the string is `{text}`, and should be the path that it refers to: `{path}`"
        )));
    }
    Ok(text)
}
