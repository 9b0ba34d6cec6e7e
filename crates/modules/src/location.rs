//! Where in the tree of options something lies.

use nival_diagnostics::Span;
use nival_eval::Evaluator;
use std::fmt;
use std::rc::Rc;

/// A path of option names, such as `services.nginx.enable`; cheap to extend and to share.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Location(Option<Rc<Step>>);

#[derive(PartialEq, Eq)]
struct Step {
    parent: Location,
    name: Rc<str>,
}

impl Location {
    /// One name further.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Self(Some(Rc::new(Step { parent: self.clone(), name: name.into() })))
    }

    /// The names from the root on.
    pub fn names(&self) -> Vec<Rc<str>> {
        let mut names = match &self.0 {
            None => return Vec::new(),
            Some(step) => step.parent.names(),
        };
        names.extend(self.0.iter().map(|step| step.name.clone()));
        names
    }

    /// The last name; empty at the root.
    pub fn last(&self) -> Rc<str> {
        self.0.as_ref().map_or_else(|| "".into(), |step| step.name.clone())
    }
}

/// The folder below which the library's files are known; nothing there is a user's own.
pub const LIBRARY_ROOT: &str = "/nival/library";

/// The place that messages mark: one's own, or that around it where the own one lies in the library and the other does not.
pub(crate) fn nearest(ev: &Evaluator, own: Option<Span>, around: Option<Span>) -> Option<Span> {
    let in_library = |span: Span| ev.sources().name(span.source).starts_with(LIBRARY_ROOT);
    match (own, around) {
        (Some(own), Some(around))
            if own.source != around.source && in_library(own) && !in_library(around) =>
        {
            Some(around)
        }
        _ => own.or(around),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.names().iter().enumerate() {
            if n > 0 {
                f.write_str(".")?;
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-'".contains(c);
            let starts_plain =
                name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '<' || c == '*');
            let is_placeholder = name.starts_with('<') && name.ends_with('>');
            let is_plain = starts_plain && name.chars().all(|c| plain(c) || "<>*".contains(c));
            if is_placeholder || is_plain {
                f.write_str(name)?;
            } else {
                write!(f, "\"{name}\"")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
