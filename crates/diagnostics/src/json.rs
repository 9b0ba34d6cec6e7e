//! Diagnostics as JSON, one object each.

use crate::{Diagnostic, Severity, Sources, Span};
use serde_json::{Value, json};

/// Makes the JSON object of a diagnostic; places are `{file, line, column, end_line, end_column}`.
pub fn to_json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    json!({
        "code": diagnostic.entry.code,
        "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": diagnostic.message,
        "labels": diagnostic.labels.iter().map(|label| json!({
            "place": place(label.span, sources), "text": label.text,
        })).collect::<Vec<_>>(),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "trace": diagnostic.trace.iter().map(|frame| json!({
            "place": frame.span.map(|span| place(span, sources)), "text": frame.text,
        })).collect::<Vec<_>>(),
    })
}

fn place(span: Span, sources: &Sources) -> Value {
    let start = sources.position(span.source, span.start);
    let end = sources.position(span.source, span.end);
    json!({
        "file": sources.name(span.source),
        "line": start.line, "column": start.column,
        "end_line": end.line, "end_column": end.column,
    })
}
