//! What `options.nix` and `types.nix` spend their time on: names of options, equal values, checks of definitions.

use super::errors;
use super::lib::Lib;
use super::properties::part;
use nival_eval::{EvalResult, Evaluator, Value};

/// Words of the language, which are quoted where they are names of options.
const KEYWORDS: [&[u8]; 10] =
    [b"assert", b"else", b"if", b"in", b"inherit", b"let", b"or", b"rec", b"then", b"with"];

/// Whether a part of an option's name is written as it is.
fn is_plain(part: &[u8]) -> bool {
    if part == b"*" || (part.len() > 1 && part.starts_with(b"<") && part.ends_with(b">")) {
        return true;
    }
    let begins = part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"_'-".contains(byte);
    begins && part.iter().all(inner) && !KEYWORDS.contains(&part)
}

/// `showOption parts`; whatever needs quotes is left to the library.
pub(super) fn show_option(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let mut shown = Vec::new();
    for (at, name) in ev.expect_list(arguments[0])?.into_iter().enumerate() {
        let name = ev.force(name)?;
        let Some(text) = ev.text_of(name).filter(|text| is_plain(text) && !ev.has_context(name)) else {
            return ev.call(lib.original("showOption"), arguments);
        };
        if at > 0 {
            shown.push(b'.');
        }
        shown.extend_from_slice(text);
    }
    Ok(ev.string(&String::from_utf8_lossy(&shown)))
}

/// `mergeEqualOption loc defs`
pub(super) fn merge_equal(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let defs = ev.expect_list(arguments[1])?;
    let Some((first, others)) = defs.split_first() else {
        return ev.call(lib.original("mergeEqualOption"), arguments);
    };
    let value = part(ev, *first, lib.names.value)?;
    for other in others {
        let other_value = part(ev, *other, lib.names.value)?;
        if !ev.equal(other_value, value)? {
            return Err(errors::conflict(ev, lib, arguments[0], &[*first, *other]));
        }
    }
    Ok(value)
}

/// `checkDefsForError check loc defs`
pub(super) fn check_definitions(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    for def in ev.expect_list(arguments[2])? {
        let value = part(ev, def, lib.names.value)?;
        let fits = ev.call(arguments[0], &[value])?;
        if !ev.expect_bool(fits)? {
            return ev.call(lib.original("checkDefsForError"), arguments);
        }
    }
    Ok(Value::NULL)
}
