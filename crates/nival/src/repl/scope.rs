//! The variables that are at hand.

use nival_engine::Session;
use nival_eval::{Evaluator, Value};
use std::collections::BTreeSet;

/// How many of the names that were added are told.
const TOLD: usize = 20;

/// The variables that are at hand.
pub(super) struct Scope {
    set: Value,
    names: BTreeSet<String>,
    last: Option<Vec<String>>,
}

impl Scope {
    /// No variables but those of the language.
    pub(super) fn new(evaluator: &mut Evaluator) -> Self {
        let set = evaluator.attrs(&[]);
        evaluator.keep(set);
        Self { set, names: evaluator.global_names().map(str::to_owned).collect(), last: None }
    }

    /// Evaluates an expression over the variables.
    pub(super) fn evaluate(&self, session: &mut Session, text: &str) -> Result<Value, nival_engine::Error> {
        let base = crate::context::current_folder();
        let evaluator = session.evaluator();
        let value = evaluator.eval_text("(expression)", text, &base, Some(self.set))?;
        let value = evaluator.force(value)?;
        evaluator.keep(value);
        Ok(value)
    }

    /// Makes variables of the attributes of a set; their names.
    pub(super) fn add(
        &mut self,
        evaluator: &mut Evaluator,
        value: Value,
    ) -> Result<Vec<String>, nival_engine::Error> {
        let value = evaluator.expect_attrs(value)?;
        self.set = evaluator.update(self.set, value)?;
        evaluator.keep(self.set);
        let mut names = Vec::new();
        for attribute in evaluator.attributes(value)? {
            names.push(evaluator.name(attribute.name).to_owned());
        }
        names.sort();
        self.names.extend(names.iter().cloned());
        self.last = Some(names.clone());
        Ok(names)
    }

    /// All names, those of the language with them.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// The names that were added last.
    pub(super) fn last(&self) -> Option<&[String]> {
        self.last.as_deref()
    }
}

/// What is said of variables that were added.
pub(super) fn added(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(TOLD).map(|name| shown(name)).collect();
    let mut text = format!("Added {} variables.\n{}", names.len(), shown.join(", "));
    if names.len() > TOLD {
        text.push_str(&format!("\n... and {} more; view with :ll", names.len() - TOLD));
    }
    text
}

/// A name as it is written in a set.
fn shown(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '\'' | '-');
    let keywords = ["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"];
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.chars().all(is_plain) && !keywords.contains(&name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${"))
}

#[cfg(test)]
mod tests {
    use super::added;

    #[test]
    fn twenty_of_the_added_names_are_told() {
        let names: Vec<String> = ["a", "if", "with spaces"].map(str::to_owned).to_vec();
        assert_eq!(added(&names), "Added 3 variables.\na, \"if\", \"with spaces\"");
        let many: Vec<String> = (0..23).map(|number| format!("n{number}")).collect();
        assert!(added(&many).ends_with("n19\n... and 3 more; view with :ll"));
    }
}
