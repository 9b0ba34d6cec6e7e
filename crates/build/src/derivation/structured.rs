//! Structured attributes: what a builder reads as JSON, and as declarations of its shell.

use super::resolve::output_placeholder;
use crate::build_error::BuildError;
use nival_store_model::{Derivation, Output, StoreDir};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The attributes of `__json`, each with its text as the evaluator wrote it.
pub struct Structured(BTreeMap<String, Box<RawValue>>);

impl Structured {
    /// The structured attributes of a derivation, where it has some.
    ///
    /// # Errors
    /// [`BuildError::Malformed`] where `__json` is no JSON.
    pub fn of(derivation: &Derivation) -> Result<Option<Self>, BuildError> {
        let Some(text) = derivation.environment.get(b"__json".as_slice()) else { return Ok(None) };
        let parsed = serde_json::from_slice(text).map_err(|error| BuildError::Malformed {
            drv: derivation.name.clone(),
            problem: format!("the attribute `__json` is no JSON object: {error}"),
        })?;
        Ok(Some(Self(parsed)))
    }

    /// An attribute's value.
    pub fn value(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    /// Sets an attribute to what a text of JSON says.
    pub(super) fn set(&mut self, name: &str, value: &Value) {
        if let Ok(raw) = RawValue::from_string(value.to_string()) {
            self.0.insert(name.to_owned(), raw);
        }
    }

    /// All attributes as JSON, in the order of their names.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Declarations for bash of what it can hold: texts, whole numbers, booleans, nothing, and lists and sets of these.
    pub(super) fn shell(&self) -> String {
        let mut text = String::new();
        for (name, raw) in &self.0 {
            if !is_variable(name) {
                continue;
            }
            let Ok(value) = serde_json::from_str::<Value>(raw.get()) else { continue };
            if let Some(simple) = simple(&value) {
                text.push_str(&format!("declare {name}={simple}\n"));
            } else if let Value::Array(list) = &value {
                let items: Option<Vec<String>> = list.iter().map(simple).collect();
                if let Some(items) = items {
                    let items: String = items.iter().map(|item| format!("{item} ")).collect();
                    text.push_str(&format!("declare -a {name}=({items})\n"));
                }
            } else if let Value::Object(set) = &value {
                let mut sorted: Vec<_> = set.iter().collect();
                sorted.sort_by_key(|(key, _)| key.as_str());
                let items: Option<Vec<String>> = sorted
                    .into_iter()
                    .map(|(key, value)| Some(format!("[{}]={} ", quoted(key), simple(value)?)))
                    .collect();
                if let Some(items) = items {
                    text.push_str(&format!("declare -A {name}=({})\n", items.concat()));
                }
            }
        }
        text
    }
}

/// The structured attributes as a shell outside of a build reads them: declarations for bash, and JSON; outputs have the
/// paths that they will have. `None` for a derivation without.
///
/// # Errors
/// As [`Structured::of`].
pub fn structured_attributes(
    dir: &StoreDir,
    derivation: &Derivation,
) -> Result<Option<(String, String)>, BuildError> {
    let Some(mut structured) = Structured::of(derivation)? else { return Ok(None) };
    let path = |(name, output): (&String, &Output)| {
        let path = output.path(dir, &derivation.name, name).ok().flatten();
        (name.clone(), path.map_or_else(|| output_placeholder(name), |path| dir.print(&path)))
    };
    let outputs: BTreeMap<String, String> = derivation.outputs.iter().map(path).collect();
    structured.set("outputs", &serde_json::json!(outputs));
    Ok(Some((structured.shell(), structured.json())))
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

fn simple(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(quoted(text)),
        Value::Null => Some("''".to_owned()),
        Value::Bool(is) => Some(if *is { "1" } else { "" }.to_owned()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(whole.to_string()),
            None => number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| format!("{n:.0}")),
        },
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_declares_what_it_can_hold() {
        let text = r#"{"a-b":1,"f":1.5,"flag":true,"l":["x","it's",2],"m":{"k 1":"v","a":false},"n":null,"nested":[[1]],"s":"t","w":2.0}"#;
        let environment = BTreeMap::from([(b"__json".to_vec(), text.as_bytes().to_vec())]);
        let derivation = Derivation { environment, ..Derivation::default() };
        let structured = Structured::of(&derivation).expect("JSON").expect("attributes");
        assert_eq!(structured.json(), text);
        assert_eq!(
            structured.shell(),
            "declare flag=1\ndeclare -a l=('x' 'it'\\''s' 2 )\ndeclare -A m=(['a']= ['k 1']='v' )\n\
             declare n=''\ndeclare s='t'\ndeclare w=2\n"
        );
    }
}
