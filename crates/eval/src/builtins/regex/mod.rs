//! `match` and `split` with POSIX extended regular expressions.
//!
//! The expressions are read by [`syntax`] and run by `regex-automata`, on bytes.
//! A whole match prefers what the language's own order of trying prefers; a
//! search is leftmost and longest, so its end is found with an automaton that
//! follows all ways at once, and the groups are then taken of exactly that; where
//! they depend on how empty rounds are counted, by [`backtrack`].

mod backtrack;
mod syntax;

use self::backtrack::{Program, is_needed};
use super::Row;
use crate::context::ContextId;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::Value;
use regex_automata::hybrid::dfa::DFA;
use regex_automata::meta::Regex;
use regex_automata::util::syntax::Config as SyntaxConfig;
use regex_automata::{Anchored, Input, MatchKind};
use std::rc::Rc;

pub(super) const ROWS: &[Row] = &[Row("__match", 2, 3, whole), Row("__split", 2, 3, split)];

/// An expression that is ready to run.
pub(crate) struct Compiled {
    whole: Regex,
    search: Regex,
    longest: Option<DFA>,
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
    let longest = if translated.choices {
        DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All))
            .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
            .syntax(config)
            .build(&translated.pattern)
            .ok()
    } else {
        None
    };
    let mut parser = regex_syntax::ParserBuilder::new();
    let hir = parser
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(&translated.pattern)
        .ok()?;
    let exact = if is_needed(&hir) { Program::new(&hir, translated.groups) } else { None };
    Some(Compiled { whole, search, longest, exact, groups: translated.groups })
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
    let spans = match regex.exact.as_ref().and_then(|exact| exact.groups(&text)) {
        Some(spans) => spans,
        None => {
            (0..=regex.groups).map(|at| captures.get_group(at).map(|span| (span.start, span.end))).collect()
        }
    };
    Ok(group_values(evaluator, &text, &spans[1..]))
}

/// The leftmost longest match from `from` on, with its groups.
fn find(regex: &Compiled, text: &[u8], from: usize) -> Option<Vec<Option<(usize, usize)>>> {
    let mut captures = regex.search.create_captures();
    regex.search.search_captures(&Input::new(text).range(from..), &mut captures);
    let first = captures.get_match()?;
    let mut end = first.end();
    if let Some(dfa) = &regex.longest {
        let input = Input::new(text).range(first.start()..).anchored(Anchored::Yes);
        if let Ok(Some(half)) = dfa.try_search_fwd(&mut dfa.create_cache(), &input) {
            end = half.offset();
        }
    }
    let shift = first.start();
    let spans = |captures: &regex_automata::util::captures::Captures, shift: usize| {
        (0..=regex.groups)
            .map(|at| captures.get_group(at).map(|span| (span.start + shift, span.end + shift)))
            .collect::<Vec<_>>()
    };
    if let Some(mut found) = regex.exact.as_ref().and_then(|exact| exact.groups(&text[shift..end])) {
        for span in found.iter_mut().flatten() {
            *span = (span.0 + shift, span.1 + shift);
        }
        found[0] = Some((shift, end));
        return Some(found);
    }
    if end == first.end() {
        return Some(spans(&captures, 0));
    }
    let mut exact = regex.whole.create_captures();
    regex.whole.captures(&text[shift..end], &mut exact);
    let mut found = if exact.is_match() { spans(&exact, shift) } else { spans(&captures, 0) };
    found[0] = Some((shift, end));
    Some(found)
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
