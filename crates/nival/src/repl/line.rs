//! What a line is: definitions, an expression, or the beginning of something longer.

use nival_diagnostics::SourceId;
use nival_syntax::diagnostics::{unterminated_comment, unterminated_string};
use nival_syntax::{Expr, Interner, parse};

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Definitions such as `x = 1`, as the set of them.
    Bindings(String),
    /// An expression, or what is none at all: evaluating it tells why.
    Expression,
    /// It goes on in the next line.
    Incomplete,
}

/// How a text reads.
enum Reading {
    Whole {
        is_set: bool,
    },
    /// The text ends where more is wanted.
    Cut,
    Wrong,
}

fn reading(text: &str) -> Reading {
    let parsed = parse(text.as_bytes(), SourceId(0), &mut Interner::default());
    let Some(first) = parsed.errors.first() else {
        return Reading::Whole { is_set: matches!(parsed.ast.expr(parsed.root), Expr::Set(_)) };
    };
    let end = text.trim_end().len() as u32;
    let is_open = [&unterminated_comment::ENTRY, &unterminated_string::ENTRY];
    let at_end = first.labels.first().is_some_and(|label| label.span.start >= end);
    match at_end || is_open.iter().any(|open| std::ptr::eq(*open, first.entry)) {
        true => Reading::Cut,
        false => Reading::Wrong,
    }
}

/// Tells what a line is.
pub(super) fn read(text: &str) -> Line {
    for end in ["", "\n;"] {
        let set = format!("{{ {text}{end}\n}}");
        if matches!(reading(&set), Reading::Whole { is_set: true }) {
            return Line::Bindings(set);
        }
    }
    match reading(text) {
        Reading::Whole { .. } => Line::Expression,
        Reading::Cut => Line::Incomplete,
        Reading::Wrong if matches!(reading(&format!("{{ {text}")), Reading::Cut) => Line::Incomplete,
        Reading::Wrong => Line::Expression,
    }
}

/// Whether an expression goes on in the next line.
pub(super) fn is_incomplete(text: &str) -> bool {
    matches!(reading(text), Reading::Cut)
}

#[cfg(test)]
mod tests {
    use super::{Line, read};

    #[test]
    fn lines_are_told_apart() {
        let is_bindings = |text: &str| matches!(read(text), Line::Bindings(_));
        for text in [
            "x = 1",
            "x = 1;",
            "a.b.c = 1; d = 2",
            "inherit (a) b",
            "inherit x;",
            "x = 1 # one",
            "\"a b\" = 2",
        ] {
            assert!(is_bindings(text), "{text}");
        }
        for text in ["x", "x == 1", "{ a = 1; }", "a: b", "1 +* 2", "x.y", "}", "1 }; x = { 2"] {
            assert_eq!(read(text), Line::Expression, "{text}");
        }
        for text in
            ["x =", "x = {", "{ a = 1;", "let a = 1;", "f (", "1 +", "x = ''", "\"a", "/* why", "x = a:"]
        {
            assert_eq!(read(text), Line::Incomplete, "{text}");
        }
    }
}
