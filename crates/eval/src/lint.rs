//! Lints: ways of writing that are allowed and may be unwanted, each ignored, warned about, or refused.

use crate::diagnostics::literal;
use nival_diagnostics::{Diagnostic, SourceId, Span};
use nival_syntax::{Ast, Expr};

/// What is done about one way of writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lint {
    /// Nothing.
    #[default]
    Ignore,
    /// A warning is given.
    Warn,
    /// The text is refused.
    Fatal,
}

impl Lint {
    /// Reads a setting's value.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ignore" => Some(Self::Ignore),
            "warn" => Some(Self::Warn),
            "fatal" => Some(Self::Fatal),
            _ => None,
        }
    }
}

/// What is done about each way of writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lints {
    /// Addresses that are written without quotes.
    pub urls: Lint,
    /// Relative paths that begin with a name, such as `a/b`.
    pub short_paths: Lint,
    /// Paths that begin at the root or the home folder.
    pub absolute_paths: Lint,
}

impl Lints {
    /// Looks at a text that was read: what there is to warn about, or why it is refused.
    pub(crate) fn check(
        &self,
        ast: &Ast,
        text: &[u8],
        source: SourceId,
    ) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        if *self == Self::default() {
            return Ok(warnings);
        }
        for (expr, (start, end)) in ast.exprs.iter().zip(&ast.spans) {
            let Some((lint, message, help)) = self.look(ast, *expr, text.get(*start as usize)) else {
                continue;
            };
            let span = Span { source, start: *start, end: *end };
            let diagnostic = match lint {
                Lint::Ignore => continue,
                Lint::Warn => Diagnostic::warning(&literal::ENTRY, message),
                Lint::Fatal => Diagnostic::error(&literal::ENTRY, message),
            };
            let diagnostic = diagnostic.label(span, "").help(help);
            if lint == Lint::Warn { warnings.push(diagnostic) } else { errors.push(diagnostic) }
        }
        if errors.is_empty() { Ok(warnings) } else { Err(errors) }
    }

    fn look(&self, ast: &Ast, expr: Expr, first: Option<&u8>) -> Option<(Lint, String, String)> {
        match expr {
            // Every other text begins with a quote.
            Expr::Text(id) if first.is_some_and(u8::is_ascii_alphabetic) => {
                let url = String::from_utf8_lossy(ast.text(id));
                let verb = if self.urls == Lint::Fatal { "disallowed" } else { "discouraged" };
                let message = format!("URL literals are {verb}");
                Some((self.urls, message, format!("write it as a string, `\"{url}\"` (lint-url-literals)")))
            }
            Expr::Path(id) => {
                let path = String::from_utf8_lossy(ast.text(id));
                if path.starts_with(['/', '~']) {
                    let message = format!("absolute path literals are not portable: `{path}`");
                    let help =
                        "write a string, a relative path, or a parameter (lint-absolute-path-literals)";
                    return Some((self.absolute_paths, message, help.to_owned()));
                }
                if path.starts_with('.') {
                    return None;
                }
                let message =
                    format!("relative path literal `{path}` should be prefixed with `.` for clarity");
                Some((self.short_paths, message, format!("write `./{path}` (lint-short-path-literals)")))
            }
            _ => None,
        }
    }
}
