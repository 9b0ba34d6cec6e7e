//! What evaluation fails with.

use nival_diagnostics::{Diagnostic, Entry, Frame, Label, Sources, Span};

/// The result of evaluating.
pub type EvalResult<T = crate::Value> = Result<T, EvalError>;

/// How many steps of the way outward are kept.
const MAX_FRAMES: usize = 400;

/// Why an evaluation failed; one pointer wide.
#[derive(Debug)]
pub struct EvalError(Box<Failure>);

#[derive(Debug)]
struct Failure {
    diagnostic: Diagnostic,
    catchable: bool,
}

impl EvalError {
    /// An error that passes through evaluation and is not caught by `tryEval`.
    pub fn new(diagnostic: Diagnostic) -> Self {
        Self(Box::new(Failure { diagnostic, catchable: false }))
    }

    /// An error that `tryEval` catches, as it does a `throw`.
    pub fn thrown(diagnostic: Diagnostic) -> Self {
        Self(Box::new(Failure { diagnostic, catchable: true }))
    }

    pub(crate) fn of(entry: &'static Entry, message: impl Into<String>) -> Self {
        Self::new(Diagnostic::error(entry, message))
    }

    pub(crate) fn catchable(entry: &'static Entry, message: impl Into<String>) -> Self {
        Self(Box::new(Failure { diagnostic: Diagnostic::error(entry, message), catchable: true }))
    }

    /// What happened, with places and the way outward, cause first.
    pub fn diagnostic(&self) -> Diagnostic {
        self.0.diagnostic.clone()
    }

    /// Adds a step outward.
    #[must_use]
    pub fn frame(mut self, span: Option<Span>, text: impl Into<String>) -> Self {
        if self.0.diagnostic.trace.len() < MAX_FRAMES {
            self.0.diagnostic = self.0.diagnostic.frame(span, text);
        }
        self
    }

    /// Whether it is a `throw` or a failed assertion, which `tryEval` catches.
    pub fn is_catchable(&self) -> bool {
        self.0.catchable
    }

    pub(crate) fn wants_frames(&self) -> bool {
        self.0.diagnostic.trace.len() < MAX_FRAMES
    }

    pub(crate) fn has_place(&self) -> bool {
        !self.0.diagnostic.labels.is_empty()
    }

    /// Marks a place, unless there is one already.
    pub(crate) fn at(mut self, span: Option<Span>, text: &str) -> Self {
        if let Some(span) = span
            && self.0.diagnostic.labels.is_empty()
        {
            self.0.diagnostic.labels.push(Label { span, text: text.to_owned() });
        }
        self
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.0.diagnostic.help.push(text.into());
        self
    }

    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.0.diagnostic.notes.push(text.into());
        self
    }
}

/// Makes the innermost place of the user's own files the primary one: what a library stumbled over is rarely its fault.
/// `is_own` tells of a source's name.
#[must_use]
pub fn own_file_first(
    mut diagnostic: Diagnostic,
    sources: &Sources,
    is_own: impl Fn(&str) -> bool,
) -> Diagnostic {
    let own = |span: Span| is_own(sources.name(span.source));
    if diagnostic.labels.first().is_none_or(|label| own(label.span)) && !diagnostic.labels.is_empty() {
        return diagnostic;
    }
    if let Some(at) = diagnostic.labels.iter().position(|label| own(label.span)) {
        diagnostic.labels.swap(0, at);
        return diagnostic;
    }
    let frame = diagnostic.trace.iter().position(|frame| frame.span.is_some_and(own));
    if let Some(Frame { span: Some(span), text }) = frame.map(|at| diagnostic.trace.remove(at)) {
        if let Some(raised) = diagnostic.labels.first_mut()
            && raised.text.is_empty()
        {
            "raised here".clone_into(&mut raised.text);
        }
        diagnostic.labels.insert(0, Label { span, text });
    }
    diagnostic
}

impl From<Box<Diagnostic>> for EvalError {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::new(*diagnostic)
    }
}
