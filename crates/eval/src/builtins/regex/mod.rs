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
use std::cell::OnceCell;
use std::rc::Rc;

pub(super) const ROWS: &[Row] = &[Row("__match", 2, 3, whole), Row("__split", 2, 3, split)];

/// An expression that is ready to run.
pub(crate) struct Compiled {
    /// As it is searched for.
    pattern: String,
    /// Made when it is needed first, as most expressions are used in one way only; `None` where it would be too large.
    whole: OnceCell<Option<Regex>>,
    search: OnceCell<Option<Regex>>,
    exact: Option<Program>,
    groups: usize,
}

impl Compiled {
    /// Matches a whole text; `written` is the expression as the user wrote it.
    fn whole(&self, written: &[u8]) -> EvalResult<&Regex> {
        let made = self.whole.get_or_init(|| build(&format!("\\A(?:{})\\z", self.pattern)));
        made.as_ref().ok_or_else(|| invalid(written))
    }

    /// Finds parts of a text; `written` is the expression as the user wrote it.
    fn search(&self, written: &[u8]) -> EvalResult<&Regex> {
        self.search.get_or_init(|| build(&self.pattern)).as_ref().ok_or_else(|| invalid(written))
    }
}

fn build(pattern: &str) -> Option<Regex> {
    // Tables of all states cost more than the texts of most expressions are long.
    let config = Regex::config().utf8_empty(false).nfa_size_limit(Some(64 << 20)).dfa(false);
    let syntax = SyntaxConfig::new().unicode(false).utf8(false).dot_matches_new_line(true);
    Regex::builder().configure(config).syntax(syntax).build(pattern).ok()
}

fn compile(pattern: &[u8]) -> Option<Compiled> {
    let translated = syntax::translate(pattern)?;
    let mut parser = regex_syntax::ParserBuilder::new();
    let hir = parser
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(&translated.pattern)
        .ok()?;
    let exact = if is_needed(&hir) { Program::new(&hir, translated.groups) } else { None };
    let (whole, search) = (OnceCell::new(), OnceCell::new());
    Some(Compiled { pattern: translated.pattern, whole, search, exact, groups: translated.groups })
}

fn invalid(pattern: &[u8]) -> EvalError {
    EvalError::of(
        &diagnostics::invalid_regex::ENTRY,
        format!("`{}` is not a valid regular expression", String::from_utf8_lossy(pattern)),
    )
    .help("regular expressions are POSIX extended ones: `[[:space:]]`, no `\\s`")
}

fn compiled(evaluator: &mut Evaluator, pattern: &[u8]) -> EvalResult<Rc<Compiled>> {
    if let Some(known) = evaluator.outside.regexes.get(pattern) {
        return Ok(Rc::clone(known));
    }
    let Some(made) = compile(pattern) else {
        return Err(invalid(pattern));
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
    let matcher = regex.whole(&pattern)?;
    if regex.groups == 0 {
        return Ok(if matcher.is_match(&text[..]) { Value::list(1, 0) } else { Value::NULL });
    }
    let mut captures = matcher.create_captures();
    matcher.captures(&text[..], &mut captures);
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
fn find(regex: &Compiled, searcher: &Regex, text: &[u8], from: usize) -> Option<Spans> {
    let mut captures = searcher.create_captures();
    searcher.search_captures(&Input::new(text).range(from..), &mut captures);
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
    let searcher = regex.search(&pattern)?;
    let (mut from, mut last) = (0, 0);
    while from <= text.len() {
        let Some(found) = find(&regex, searcher, &text, from) else { break };
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
