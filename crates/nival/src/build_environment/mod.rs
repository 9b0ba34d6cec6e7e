//! What a build begins with, as bash said it: variables and functions, and how a shell takes them over.

mod bash;
mod declared;

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

pub use bash::quoted;

/// Variables that say something about the bash that was asked, not about the build.
const NOT_OF_THE_BUILD: &[&str] = &[
    "_",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "HOSTNAME",
    "PIPESTATUS",
    "PWD",
    "RANDOM",
    "SECONDS",
    "SHLVL",
];

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// A text, and whether programs are told of it.
    Text { exported: bool, value: String },
    /// A list of texts.
    Array(Vec<String>),
    /// Texts by name.
    Table(BTreeMap<String, String>),
}

/// What a build begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Variables by name.
    pub variables: BTreeMap<String, Variable>,
    /// The bodies of functions by name.
    pub functions: BTreeMap<String, String>,
    /// The attributes of a structured derivation, for shells and as JSON.
    pub attributes: Option<(String, String)>,
}

impl Environment {
    /// Reads what the script said: parts that end with zero bytes.
    pub fn read(said: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(said);
        let mut parts = text.split('\0');
        let mut environment = Self::default();
        loop {
            match parts.next()? {
                "variables" => {
                    let all = declared::variables(parts.next()?);
                    let wanted = |name: &str| {
                        !NOT_OF_THE_BUILD.contains(&name)
                            && !name.starts_with("BASH_")
                            && !name.starts_with("COMP_")
                    };
                    environment.variables = all.into_iter().filter(|(name, _)| wanted(name)).collect();
                }
                "function" => {
                    let (name, text) = (parts.next()?, parts.next()?);
                    let body = text.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}'));
                    environment.functions.insert(name.to_owned(), body?.0.to_owned());
                }
                "attributes" => {
                    environment.attributes = Some((parts.next()?.to_owned(), parts.next()?.to_owned()));
                }
                _ => break,
            }
        }
        (!environment.variables.is_empty()).then_some(environment)
    }

    /// The text of a variable.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.variables.get(name)? {
            Variable::Text { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The derivation's outputs with their paths.
    pub fn outputs(&self) -> Vec<(String, String)> {
        match self.variables.get("outputs") {
            Some(Variable::Table(table)) => table.clone().into_iter().collect(),
            Some(Variable::Text { value, .. }) => {
                let path = |name: &str| Some((name.to_owned(), self.text(name)?.to_owned()));
                value.split_whitespace().filter_map(path).collect()
            }
            _ => Vec::new(),
        }
    }

    /// As JSON, in the form that Nix's `print-dev-env --json` has.
    pub fn to_json(&self) -> Json {
        let mut variables = Map::new();
        for (name, variable) in &self.variables {
            let value = match variable {
                Variable::Text { exported, value } => {
                    json!({ "type": if *exported { "exported" } else { "var" }, "value": value })
                }
                Variable::Array(items) => json!({ "type": "array", "value": items }),
                Variable::Table(table) => json!({ "type": "associative", "value": table }),
            };
            variables.insert(name.clone(), value);
        }
        let mut all = Map::new();
        all.insert("bashFunctions".to_owned(), json!(self.functions));
        if let Some((shell, json)) = &self.attributes {
            all.insert("structuredAttrs".to_owned(), json!({ ".attrs.json": json, ".attrs.sh": shell }));
        }
        all.insert("variables".to_owned(), Json::Object(variables));
        Json::Object(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bash_says_is_read() {
        let said = "variables\0declare -x A=\"one \\\"two\\\" \\$three\nfour\"\ndeclare -- b=$'tab\\there\\n\\E[0m'\ndeclare -a list=([0]=\"x\" [1]=\"y z\")\ndeclare -A table=([a]=\"1\" [\"b c\"]=\"2\" )\ndeclare -ir NUMBER=\"3\"\ndeclare -x UNSET\ndeclare -x PWD=\"/\"\n\0function\0hello\0hello () \n{ \n    echo \"}\"\n}\0";
        let environment = Environment::read(said.as_bytes()).expect("read");
        let text = |exported: bool, value: &str| Variable::Text { exported, value: value.to_owned() };
        assert_eq!(environment.variables["A"], text(true, "one \"two\" $three\nfour"));
        assert_eq!(environment.variables["b"], text(false, "tab\there\n\u{1b}[0m"));
        assert_eq!(environment.variables["list"], Variable::Array(vec!["x".to_owned(), "y z".to_owned()]));
        assert_eq!(environment.variables["NUMBER"], text(false, "3"));
        let Variable::Table(table) = &environment.variables["table"] else { panic!("a table") };
        assert_eq!(table["b c"], "2");
        assert!(!environment.variables.contains_key("UNSET") && !environment.variables.contains_key("PWD"));
        assert_eq!(environment.functions["hello"], " \n    echo \"}\"\n");
        assert!(environment.to_bash(&[]).contains("A='one \"two\" $three\nfour'\nexport A\n"));
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
