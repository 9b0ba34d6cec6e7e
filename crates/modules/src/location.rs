//! Where in the tree of options something lies.

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
