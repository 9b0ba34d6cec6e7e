//! What is particular to derivations with structured attributes.

use crate::diagnostics::ineffective_attribute::ENTRY;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use nival_diagnostics::Diagnostic;

/// Checks of outputs that structured attributes have for each output only.
const PER_OUTPUT: [&str; 6] = [
    "allowedReferences",
    "allowedRequisites",
    "disallowedReferences",
    "disallowedRequisites",
    "maxClosureSize",
    "maxSize",
];

/// Structured attributes that were handed over as a text: read, and written as all others are.
pub(super) fn handed_over(evaluator: &mut Evaluator, derivation: &str, text: Vec<u8>) -> EvalResult<Vec<u8>> {
    let message = format!(
        "in derivation `{derivation}`: setting structured attributes via `__json` is deprecated, and may be disallowed in \
         future versions of Nix"
    );
    evaluator.warn(Diagnostic::warning(&ENTRY, message).help("set `__structuredAttrs = true` instead"));
    let value = evaluator.from_json(&crate::text::from_bytes(text))?;
    let value = evaluator.expect_attrs(value)?;
    Ok(evaluator.to_json(value, false)?.0.into_bytes())
}

/// Tells of an attribute that does nothing where attributes are structured.
pub(super) fn tell_ineffective(evaluator: &mut Evaluator, derivation: &str, name: &str) {
    if PER_OUTPUT.contains(&name) {
        let message = format!(
            "in a derivation named `{derivation}`, `structuredAttrs` disables the effect of the derivation attribute \
             `{name}`; use `outputChecks.<output>.{name}` instead"
        );
        evaluator.warn(Diagnostic::warning(&ENTRY, message));
    }
}
