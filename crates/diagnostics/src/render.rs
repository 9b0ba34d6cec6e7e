//! Diagnostics as text for people.

use crate::{Diagnostic, Label, Severity, SourceId, Sources};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::borrow::Cow;

/// How text is made.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions {
    /// Colours by escape sequences.
    pub color: bool,
    /// Columns to fit snippets into.
    pub width: usize,
    /// How many frames of the trace are shown; the rest is counted.
    pub frames: usize,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { color: false, width: 100, frames: 3 }
    }
}

/// Makes the text of a diagnostic, without a final line break.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, options: RenderOptions) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = without_colors(&diagnostic.message);
    let mut group = Group::with_title(level.primary_title(&*message).id(diagnostic.entry.code));
    let primary = diagnostic.labels.first().map(|label| label.span.source);
    let mut seen: Vec<SourceId> = Vec::new();
    for label in &diagnostic.labels {
        if seen.contains(&label.span.source) {
            continue;
        }
        seen.push(label.span.source);
        let id = label.span.source;
        let text = text_of(sources, id);
        let mut snippet = Snippet::source(text).path(sources.name(id)).fold(true);
        for (at, label) in diagnostic.labels.iter().filter(|l| l.span.source == id).enumerate() {
            let kind = if at == 0 && primary == Some(id) {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let (start, end) = range(label, text);
            let mut annotation = kind.span(start..end);
            if !label.text.is_empty() {
                annotation = annotation.label(label.text.as_str());
            }
            snippet = snippet.annotation(annotation);
        }
        group = group.element(snippet);
    }
    let shown = diagnostic.trace.iter().take(options.frames);
    let frames: Vec<String> = shown
        .map(|frame| match frame.span {
            Some(span) => format!("{} ({})", frame.text, sources.place(span)),
            None => frame.text.clone(),
        })
        .collect();
    let notes: Vec<_> = diagnostic.notes.iter().chain(&frames).map(|text| without_colors(text)).collect();
    for text in &notes {
        group = group.element(Level::NOTE.message(&**text));
    }
    let hidden = diagnostic.trace.len().saturating_sub(options.frames);
    let more = format!("{hidden} more steps: run again with --show-trace");
    if hidden > 0 {
        group = group.element(Level::NOTE.message(more.as_str()));
    }
    for text in &diagnostic.help {
        group = group.element(Level::HELP.message(text.as_str()));
    }
    let renderer = if options.color { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(options.width).decor_style(DecorStyle::Ascii).render(&[group]).to_string()
}

/// The text without the sequences that set colours: libraries put them into what they throw.
fn without_colors(text: &str) -> Cow<'_, str> {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or("");
    if first.len() == text.len() {
        return Cow::Borrowed(text);
    }
    let mut out = first.to_owned();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';'));
        match end {
            Some(end) if part[end..].starts_with('m') => out.push_str(&part[end + 1..]),
            _ => {
                out.push_str("\u{1b}[");
                out.push_str(part);
            }
        }
    }
    Cow::Owned(out)
}

fn text_of(sources: &Sources, id: SourceId) -> &str {
    std::str::from_utf8(sources.text(id)).unwrap_or("")
}

fn range(label: &Label, text: &str) -> (usize, usize) {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(label.span.start as usize);
    (start, floor(label.span.end as usize).max(start))
}

#[cfg(test)]
mod tests {
    use super::without_colors;

    #[test]
    fn colours_of_libraries_are_left_out() {
        assert_eq!(without_colors("plain"), "plain");
        assert_eq!(without_colors("a \u{1b}[1;35m\"b\"\u{1b}[0m c"), "a \"b\" c");
        assert_eq!(without_colors("\u{1b}[2J"), "\u{1b}[2J");
    }
}
