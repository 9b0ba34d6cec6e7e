//! Relations between packages: the lists that `Depends:` and its like hold.

use crate::compare_versions;
use std::cmp::Ordering;

/// How the version of a target is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// No version is asked for.
    Any,
    /// `<<`
    Less,
    /// `<=`, and the old `<`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`, and the old `>`
    GreaterOrEqual,
    /// `>>`
    Greater,
    /// `!=`, which no package should use
    NotEqual,
}

impl Operator {
    /// True where `version` is what `wanted` asks for; a missing version (empty) is only fit for no wish.
    pub fn holds(self, version: &str, wanted: &str) -> bool {
        if self == Operator::Any || wanted.is_empty() {
            return true;
        }
        if version.is_empty() {
            return false;
        }
        let order = compare_versions(version, wanted);
        match self {
            Operator::Any => true,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Equal => order == Ordering::Equal,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Greater => order == Ordering::Greater,
            Operator::NotEqual => order != Ordering::Equal,
        }
    }

    /// The sign as a control file writes it; empty for [`Operator::Any`].
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Any => "",
            Operator::Less => "<<",
            Operator::LessOrEqual => "<=",
            Operator::Equal => "=",
            Operator::GreaterOrEqual => ">=",
            Operator::Greater => ">>",
            Operator::NotEqual => "!=",
        }
    }
}

/// What stands behind the colon of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qualifier<'t> {
    /// Nothing: the architecture of the package that asks.
    None,
    /// `:any`: any architecture, of packages that allow it.
    Any,
    /// `:amd64` and the like; `:native` is the machine's own.
    Architecture(&'t str),
}

/// One alternative of one relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation<'t> {
    /// The name without its qualifier.
    pub name: &'t str,
    /// The qualifier of the name.
    pub qualifier: Qualifier<'t>,
    /// How the version is compared.
    pub operator: Operator,
    /// The version to compare with; empty for none.
    pub version: &'t str,
    /// True where `|` follows: the next relation is an alternative to this one.
    pub or: bool,
}

/// Reads a list of relations; what is malformed ends the list with an error.
#[derive(Clone, Debug)]
pub struct Relations<'t> {
    rest: &'t str,
}

impl<'t> Relations<'t> {
    /// Starts at the beginning of a field's value.
    pub fn new(value: &'t str) -> Self {
        Self { rest: value.trim() }
    }

    fn fail(&mut self) -> Option<Result<Relation<'t>, &'t str>> {
        Some(Err(std::mem::take(&mut self.rest)))
    }
}

impl<'t> Iterator for Relations<'t> {
    /// The relation, or the part of the text that is none.
    type Item = Result<Relation<'t>, &'t str>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.trim_start();
        if text.is_empty() {
            return None;
        }
        let bytes = text.as_bytes();
        let ends = |b: &u8| b.is_ascii_whitespace() || b"(),|[]<>".contains(b);
        let name_end = bytes.iter().position(ends).unwrap_or(bytes.len());
        if name_end == 0 {
            return self.fail();
        }
        let (name, qualifier) = split_qualifier(&text[..name_end]);
        let mut rest = text[name_end..].trim_start();
        let (mut operator, mut version) = (Operator::Any, "");
        if let Some(inner) = rest.strip_prefix('(') {
            let Some((inside, after)) = inner.split_once(')') else { return self.fail() };
            (operator, version) = split_operator(inside);
            if version.is_empty() {
                return self.fail();
            }
            rest = after.trim_start();
        }
        let or = match rest.as_bytes().first() {
            None | Some(b',') => false,
            Some(b'|') => true,
            Some(_) => return self.fail(),
        };
        self.rest = rest.get(1..).unwrap_or("");
        Some(Ok(Relation { name, qualifier, operator, version, or }))
    }
}

fn split_qualifier(name: &str) -> (&str, Qualifier<'_>) {
    match name.rsplit_once(':') {
        None => (name, Qualifier::None),
        Some((name, "any")) => (name, Qualifier::Any),
        Some((name, architecture)) => (name, Qualifier::Architecture(architecture)),
    }
}

fn split_operator(inside: &str) -> (Operator, &str) {
    let inside = inside.trim();
    let signs = [
        ("<<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        ("<", Operator::LessOrEqual),
        (">>", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
        (">", Operator::GreaterOrEqual),
        ("!=", Operator::NotEqual),
        ("=", Operator::Equal),
    ];
    for (sign, operator) in signs {
        if let Some(version) = inside.strip_prefix(sign) {
            return (operator, version.trim());
        }
    }
    (Operator::Equal, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_alternatives_versions_and_qualifiers() {
        let all: Vec<_> = Relations::new("a (>= 1~), b:any|c:amd64 (<<2), d ( = 3 )").collect();
        let relation =
            |name, qualifier, operator, version, or| Ok(Relation { name, qualifier, operator, version, or });
        assert_eq!(
            all,
            [
                relation("a", Qualifier::None, Operator::GreaterOrEqual, "1~", false),
                relation("b", Qualifier::Any, Operator::Any, "", true),
                relation("c", Qualifier::Architecture("amd64"), Operator::Less, "2", false),
                relation("d", Qualifier::None, Operator::Equal, "3", false),
            ]
        );
        assert!(Relations::new("a (>= 1, b").any(|r| r.is_err()));
        assert!(Relations::new("a b").any(|r| r.is_err()));
        assert_eq!(Relations::new(" ").count(), 0);
    }
}
