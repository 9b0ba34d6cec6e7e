//! Sources, spans, coded diagnostics, and how they are shown as text and JSON.
//!
//! A [`Diagnostic`] is data: a code, what is wrong, where (labels on spans of
//! [`Sources`]), why (notes, causes) and what to do (help). Nothing here prints;
//! [`render`] makes text, [`json`] makes JSON. Each code is described once by an
//! [`Entry`], in a file of its own in the crate that raises it.

mod entry;
mod json;
mod render;
mod source;

pub use entry::{Entry, Example};
pub use json::to_json;
pub use render::{RenderOptions, render};
pub use source::{Position, SourceId, Sources, Span};

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The command cannot do what was asked.
    Error,
    /// The command goes on, and somebody should look.
    Warning,
}

/// A place in a source with the words that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The text that is marked.
    pub span: Span,
    /// What is to be said about it; may be empty.
    pub text: String,
}

/// One step of the way from the cause to what the user asked for, cause first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it happened, if in a source.
    pub span: Option<Span>,
    /// What was being done, such as ``while evaluating the option `networking.hostName` ``.
    pub text: String,
}

/// One thing that is wrong, with everything that is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The entry of the catalogue that describes this kind of diagnostic.
    pub entry: &'static Entry,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong: lower case, no final period, names in backticks, the value last.
    pub message: String,
    /// Where: the first label is the primary one.
    pub labels: Vec<Label>,
    /// Facts that help to understand.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
    /// The way from the cause to what was asked for, cause first.
    pub trace: Vec<Frame>,
}

impl Diagnostic {
    /// Makes an error of the kind that `entry` describes.
    pub fn error(entry: &'static Entry, message: impl Into<String>) -> Self {
        Self {
            entry,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            trace: Vec::new(),
        }
    }

    /// Makes a warning of the kind that `entry` describes.
    pub fn warning(entry: &'static Entry, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(entry, message) }
    }

    /// Adds a marked place; the first one added is the primary one.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds the next step outward from the cause.
    #[must_use]
    pub fn frame(mut self, span: Option<Span>, text: impl Into<String>) -> Self {
        self.trace.push(Frame { span, text: text.into() });
        self
    }
}
