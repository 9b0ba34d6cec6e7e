//! Hashes.

use super::Row;
use crate::attrs;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::Value;
use nival_store_model::{Algorithm, Hash};

pub(super) const ROWS: &[Row] = &[
    Row("__hashString", 2, 3, |e, a| {
        let algorithm = algorithm(e, a[0])?;
        let (text, _) = e.expect_bytes(a[1])?;
        let hash = Hash::of(algorithm, &text).base16();
        Ok(e.string(&hash))
    }),
    Row("__hashFile", 2, 3, |e, a| {
        let algorithm = algorithm(e, a[0])?;
        let path = e.real_path(a[1])?;
        let bytes = e.world().read_file(&path)?;
        let hash = Hash::of(algorithm, &bytes).base16();
        Ok(e.string(&hash))
    }),
    Row("__convertHash", 1, 1, convert),
];

fn algorithm(evaluator: &mut Evaluator, value: Value) -> EvalResult<Algorithm> {
    let name = evaluator.expect_string(value)?;
    Algorithm::from_name(&name).ok_or_else(|| {
        EvalError::of(&diagnostics::invalid_argument::ENTRY, format!("unknown hash algorithm `{name}`"))
            .help("use `md5`, `sha1`, `sha256`, `sha512` or `blake3`")
    })
}

/// Reads a hash in any of its spellings.
pub(crate) fn parse(text: &str, algorithm: Option<Algorithm>) -> EvalResult<Hash> {
    Hash::parse(text, algorithm)
        .map_err(|error| EvalError::of(&diagnostics::invalid_argument::ENTRY, error.to_string()))
}

fn convert(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let set = evaluator.expect_attrs(arguments[0])?;
    let text = evaluator.select(set, "hash")?;
    let text = evaluator.expect_string(text)?;
    let wanted = match attrs::find(&evaluator.heap, set.handle(), symbols::HASH_ALGO) {
        Some((slot, _)) => Some(algorithm(evaluator, Value::reference(slot))?),
        None => None,
    };
    let hash = parse(&text, wanted)?;
    let format = evaluator.select(set, "toHashFormat")?;
    let format = evaluator.expect_string(format)?;
    let text = match format.as_str() {
        "base16" => hash.base16(),
        "nix32" | "base32" => hash.base32(),
        "base64" => hash.sri().split_once('-').map_or_else(String::new, |(_, digits)| digits.to_owned()),
        "sri" => hash.sri(),
        _ => {
            return Err(EvalError::of(
                &diagnostics::invalid_argument::ENTRY,
                format!("unknown hash format `{format}`"),
            )
            .help("use `base16`, `nix32`, `base64` or `sri`"));
        }
    };
    Ok(evaluator.string(&text))
}
