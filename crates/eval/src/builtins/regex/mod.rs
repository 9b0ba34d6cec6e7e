//! `match` and `split` with POSIX extended regular expressions.
//!
//! The expressions are read by [`syntax`] and run by `regex-automata`, on bytes. Where the match or its groups depend
//! on the order in which ways are tried, they are found by [`backtrack`].

mod backtrack;
mod syntax;

use self::backtrack::{Program, Spans, is_needed};
use super::Row;
use crate::context::ContextId;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::Value;
use regex_automata::Input;
use regex_automata::meta::Regex;
use regex_automata::util::syntax::Config as SyntaxConfig;
use std::rc::Rc;

pub(super) const ROWS: &[Row] = &[Row("__match", 2, 3, whole), Row("__split", 2, 3, split)];

/// An expression that is ready to run.
pub(crate) struct Compiled {
    whole: Regex,
    search: Regex,
    exact: Option<Program>,
    groups: usize,
}

fn compile(pattern: &[u8]) -> Option<Compiled> {
    let translated = syntax::translate(pattern)?;
    let config = SyntaxConfig::new().unicode(false).utf8(false).dot_matches_new_line(true);
    let build = |pattern: &str| {
        Regex::builder()
            .configure(Regex::config().utf8_empty(false).nfa_size_limit(Some(64 << 20)))
            .syntax(config)
            .build(pattern)
            .ok()
    };
    let whole = build(&format!("\\A(?:{})\\z", translated.pattern))?;
    let search = build(&translated.pattern)?;
    let mut parser = regex_syntax::ParserBuilder::new();
    let hir = parser
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(&translated.pattern)
        .ok()?;
    let exact = if is_needed(&hir) { Program::new(&hir, translated.groups) } else { None };
    Some(Compiled { whole, search, exact, groups: translated.groups })
}

fn compiled(evaluator: &mut Evaluator, pattern: &[u8]) -> EvalResult<Rc<Compiled>> {
    if let Some(known) = evaluator.outside.regexes.get(pattern) {
        return Ok(Rc::clone(known));
    }
    let Some(made) = compile(pattern) else {
        return Err(EvalError::of(
            &diagnostics::invalid_regex::ENTRY,
            format!("`{}` is not a valid regular expression", String::from_utf8_lossy(pattern)),
        )
        .help("regular expressions are POSIX extended ones: `[[:space:]]`, no `\\s`"));
    };
    let made = Rc::new(made);
    evaluator.outside.regexes.insert(pattern.to_vec(), Rc::clone(&made));
    Ok(made)
}

fn group_values(evaluator: &mut Evaluator, text: &[u8], spans: &[Option<(usize, usize)>]) -> Value {
    let groups: Vec<Value> = spans
        .iter()
        .map(|span| match span {
            Some((start, end)) => evaluator.make_string(&text[*start..*end], ContextId::EMPTY),
            None => Value::NULL,
        })
        .collect();
    evaluator.list(&groups)
}

fn whole(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let pattern = evaluator.expect_bytes(arguments[0])?.0;
    let regex = compiled(evaluator, &pattern)?;
    let (text, _) = evaluator.expect_bytes(arguments[1])?;
    if regex.groups == 0 {
        return Ok(if regex.whole.is_match(&text[..]) { Value::list(1, 0) } else { Value::NULL });
    }
    let mut captures = regex.whole.create_captures();
    regex.whole.captures(&text[..], &mut captures);
    if !captures.is_match() {
        return Ok(Value::NULL);
    }
    let spans = match regex.exact.as_ref().and_then(|exact| exact.find(&text, 0, true)) {
        Some(spans) => spans,
        None => {
            (0..=regex.groups).map(|at| captures.get_group(at).map(|span| (span.start, span.end))).collect()
        }
    };
    Ok(group_values(evaluator, &text, &spans[1..]))
}

/// The leftmost match from `from` on, with its groups.
fn find(regex: &Compiled, text: &[u8], from: usize) -> Option<Spans> {
    let mut captures = regex.search.create_captures();
    regex.search.search_captures(&Input::new(text).range(from..), &mut captures);
    let start = captures.get_match()?.start();
    let exact = regex.exact.as_ref().and_then(|exact| exact.find(text, start, false));
    Some(exact.unwrap_or_else(|| {
        (0..=regex.groups).map(|at| captures.get_group(at).map(|span| (span.start, span.end))).collect()
    }))
}

fn split(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let pattern = evaluator.expect_bytes(arguments[0])?.0;
    let regex = compiled(evaluator, &pattern)?;
    let (text, context) = evaluator.expect_bytes(arguments[1])?;
    let mut parts = Vec::new();
    let (mut from, mut last) = (0, 0);
    while from <= text.len() {
        let Some(found) = find(&regex, &text, from) else { break };
        let (start, end) = found[0].unwrap_or((text.len(), text.len()));
        // An empty match right behind the one before does not count.
        parts.push(evaluator.make_string(&text[last..start], context));
        parts.push(group_values(evaluator, &text, &found[1..]));
        last = end;
        from = if end == start { end + 1 } else { end };
    }
    if parts.is_empty() {
        return Ok(evaluator.list(&[arguments[1]]));
    }
    parts.push(evaluator.make_string(&text[last..], context));
    Ok(evaluator.list(&parts))
}
