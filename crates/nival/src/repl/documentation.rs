//! What is known of a function or attribute: where it is defined, and the comment `/** ... */` in front of it.

use super::Repl;
use crate::diagnostics::usage;
use crate::error::Error;
use nival_diagnostics::{Diagnostic, Span};
use nival_engine::Session;
use nival_eval::{Kind, Value};

/// How often a function in a set's `__functor` is followed.
const FUNCTORS: usize = 100;

/// The documentation of the value of an expression.
pub(super) fn document(repl: &Repl<'_>, text: &str) -> Result<String, Error> {
    let value = repl.evaluate(text)?;
    if let Some(found) = repl.with(|session, _| of_function(session, value, FUNCTORS))? {
        return Ok(found);
    }
    if let Some((set, name)) = selection(text) {
        let set = repl.evaluate(set)?;
        if let Some(found) = repl.with(|session, _| of_attribute(session, set, name))? {
            return Ok(found);
        }
    }
    Err(Error::plain(
        Diagnostic::error(&usage::ENTRY, "value does not have documentation")
            .help("functions have it, and attributes that are named with their set, as in `lib.version`"),
    ))
}

/// An expression such as `a.b.c` as the set and the name in it.
fn selection(text: &str) -> Option<(&str, &str)> {
    let (set, name) = text.trim().rsplit_once('.')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '\'');
    (!set.trim().is_empty() && !name.is_empty() && name.chars().all(is_plain)).then_some((set, name))
}

fn of_function(
    session: &mut Session,
    value: Value,
    functors: usize,
) -> Result<Option<String>, nival_engine::Error> {
    let evaluator = session.evaluator();
    if let Some((name, _)) = evaluator.builtin_name(value) {
        let name = name.trim_start_matches("__").to_owned();
        return Ok(super::builtins::of(&name).map(|text| format!("`builtins.{name}`\n\n{text}")));
    }
    match evaluator.kind(value)? {
        Kind::Function => {
            let name = evaluator.name_of_function(value).map(|name| format!(" `{name}`")).unwrap_or_default();
            let Some(span) = evaluator.function_position(value) else { return Ok(None) };
            let mut text = format!("Function{name}\\\n  … defined at {}", at(session, span));
            if let Some(comment) = comment(session, span) {
                text.push_str(&format!("\n\n{comment}"));
            }
            Ok(Some(text))
        }
        Kind::Attrs if functors > 0 => {
            let Some(functor) = evaluator.select_opt(value, "__functor")? else { return Ok(None) };
            let function = evaluator.call(functor, &[value])?;
            let function = evaluator.force(function)?;
            of_function(session, function, functors - 1)
        }
        _ => Ok(None),
    }
}

fn of_attribute(
    session: &mut Session,
    set: Value,
    name: &str,
) -> Result<Option<String>, nival_engine::Error> {
    let evaluator = session.evaluator();
    if evaluator.kind(set)? != Kind::Attrs {
        return Ok(None);
    }
    let symbol = evaluator.symbol(name);
    let Some(span) = evaluator.attribute(set, symbol)?.and_then(|attribute| attribute.position) else {
        return Ok(None);
    };
    let comment = comment(session, span).unwrap_or_else(|| "No documentation found.".to_owned());
    Ok(Some(format!("Attribute `{name}`\n\n  … defined at {}\n\n{comment}", at(session, span))))
}

fn at(session: &Session, span: Span) -> String {
    let position = session.sources().position(span.source, span.start);
    format!("{}:{}:{}", session.sources().name(span.source), position.line, position.column)
}

fn comment(session: &Session, span: Span) -> Option<String> {
    let text = session.sources().text(span.source);
    let before = String::from_utf8_lossy(text.get(..span.start as usize)?).into_owned();
    in_front(&before)
}

/// The comment that ends where a text ends, or in front of the name that something is defined under there.
fn in_front(before: &str) -> Option<String> {
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || c == '(');
    if let Some(found) = ending(before) {
        return Some(found);
    }
    let is_name = |c: char| c.is_alphanumeric() || "._-'\"".contains(c);
    let name = before.strip_suffix('=')?.trim_end();
    ending(name.trim_end_matches(is_name).trim_end())
}

/// The text of a comment `/** ... */` at the end of a text, without what is only there to indent it.
fn ending(text: &str) -> Option<String> {
    let inner = text.strip_suffix("*/")?;
    let start = inner.rfind("/*")?;
    let inner = inner[start..].strip_prefix("/**")?;
    let mut lines: Vec<&str> = inner.lines().collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    for (number, line) in lines.iter_mut().enumerate() {
        *line = if number == 0 { line.trim_start() } else { line.get(common..).unwrap_or("") }.trim_end();
    }
    Some(lines.join("\n").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{in_front, selection};

    #[test]
    fn comments_are_found_in_front_of_functions_and_names() {
        let text = "{\n  /**\n    One.\n\n      two\n  */\n  a.b = ";
        assert_eq!(in_front(text).as_deref(), Some("One.\n\n  two"));
        assert_eq!(in_front("{ x = /** here */ ").as_deref(), Some("here"));
        assert_eq!(in_front("{ /** there */\n x = (").as_deref(), Some("there"));
        for none in ["{ x = ", "{ /* plain */ x = ", "/** far */ { y = 1; x = "] {
            assert_eq!(in_front(none), None, "{none}");
        }
        assert_eq!(selection("(import ./x).lib.y"), Some(("(import ./x).lib", "y")));
        assert_eq!(selection("f (a.b)"), None);
    }
}
