//! What of a diagnostic a user wants to see: the user's own places. The library's are there for `--show-trace`.

use nival_diagnostics::{Diagnostic, Sources, Span};

/// A diagnostic without the library's places, where it has places of the user's own, and how many of its frames are shown,
/// of at most so many: those that say something new come first.
pub fn relevant(diagnostic: &Diagnostic, sources: &Sources, most: usize) -> (Diagnostic, usize) {
    let mut diagnostic = diagnostic.clone();
    let is_library = |span: Span| sources.name(span.source).starts_with(nival_engine::LIBRARY_ROOT);
    if diagnostic.labels.first().is_some_and(|label| !is_library(label.span)) {
        diagnostic.labels.retain(|label| !is_library(label.span));
    }
    // Steps without a place tell where it is where nothing else does.
    let is_placed = !diagnostic.labels.is_empty();
    let mut seen: Vec<Span> = diagnostic.labels.iter().map(|label| label.span).collect();
    let (mut new, mut rest) = (Vec::new(), Vec::new());
    for frame in std::mem::take(&mut diagnostic.trace) {
        match frame.span {
            Some(span) if is_library(span) || seen.contains(&span) => rest.push(frame),
            Some(span) => {
                seen.push(span);
                new.push(frame);
            }
            None if is_placed => rest.push(frame),
            None => new.push(frame),
        }
    }
    let shown = most.min(new.len());
    new.append(&mut rest);
    diagnostic.trace = new;
    (diagnostic, shown)
}

#[cfg(test)]
mod tests {
    use super::relevant;
    use nival_diagnostics::{Diagnostic, Frame, Sources, Span};

    #[test]
    fn the_librarys_places_give_way_to_the_users_own() {
        let mut sources = Sources::default();
        let library = sources.add("/nival/library/lib/lists.nix", b"abc".to_vec());
        let own = sources.add("/home/me/configuration.nix", b"abc".to_vec());
        let at = |source, start| Span { source, start, end: start + 1 };
        let mut diagnostic = Diagnostic::error(&crate::diagnostics::usage::ENTRY, "wrong")
            .label(at(own, 0), "this")
            .label(at(library, 0), "in this call");
        for (span, text) in [(at(own, 0), "again"), (at(library, 1), "inner"), (at(own, 2), "outer")] {
            diagnostic.trace.push(Frame { span: Some(span), text: text.to_owned() });
        }
        let (shown, frames) = relevant(&diagnostic, &sources, 3);
        assert_eq!(shown.labels.len(), 1);
        assert_eq!(frames, 1);
        let texts: Vec<_> = shown.trace.iter().map(|frame| frame.text.as_str()).collect();
        assert_eq!(texts, ["outer", "again", "inner"]);

        // Where the library's place is the only one, it is shown.
        let only =
            Diagnostic::error(&crate::diagnostics::usage::ENTRY, "wrong").label(at(library, 0), "here");
        assert_eq!(relevant(&only, &sources, 3).0.labels.len(), 1);
    }
}
