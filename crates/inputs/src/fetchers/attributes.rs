//! The attributes that an input is made of.

use super::error::Error;
use std::collections::BTreeMap;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// A text.
    Text(String),
    /// A number.
    Int(u64),
    /// Yes or no.
    Bool(bool),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Attributes by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attributes(pub BTreeMap<String, Attribute>);

impl Attributes {
    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: impl Into<Attribute>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Removes an attribute.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Whether there is an attribute of that name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text, where there is one.
    ///
    /// # Errors
    /// [`Error::Reference`] where the attribute is of another type.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Attribute::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Error::Reference(format!("the attribute `{name}` of an input must be a string"))),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// [`Error::Reference`].
    pub fn expect_text(&self, name: &str) -> Result<&str, Error> {
        let missing = || Error::Reference(format!("an input lacks the attribute `{name}`: {}", self.json()));
        self.text(name)?.ok_or_else(missing)
    }

    /// A number, where there is one.
    ///
    /// # Errors
    /// [`Error::Reference`].
    pub fn int(&self, name: &str) -> Result<Option<u64>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Attribute::Int(int)) => Ok(Some(*int)),
            Some(_) => {
                Err(Error::Reference(format!("the attribute `{name}` of an input must be an integer")))
            }
        }
    }

    /// Yes or no; no where there is no such attribute.
    ///
    /// # Errors
    /// [`Error::Reference`].
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.0.get(name) {
            None => Ok(false),
            Some(Attribute::Bool(value)) => Ok(*value),
            Some(_) => Err(Error::Reference(format!("the attribute `{name}` of an input must be a Boolean"))),
        }
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        let value = |value: &Attribute| match value {
            Attribute::Text(text) => serde_json::Value::from(text.as_str()),
            Attribute::Int(int) => serde_json::Value::from(*int),
            Attribute::Bool(yes) => serde_json::Value::from(*yes),
        };
        serde_json::Value::Object(self.0.iter().map(|(name, v)| (name.clone(), value(v))).collect())
    }

    /// From JSON.
    ///
    /// # Errors
    /// [`Error::Reference`] where a value is neither a text, a number that is not negative, nor a Boolean.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, Error> {
        let wrong = || Error::Reference(format!("no attributes of an input: {json}"));
        let mut all = BTreeMap::new();
        for (name, value) in json.as_object().ok_or_else(wrong)? {
            let value = match value {
                serde_json::Value::String(text) => Attribute::Text(text.clone()),
                serde_json::Value::Bool(yes) => Attribute::Bool(*yes),
                serde_json::Value::Number(number) => Attribute::Int(number.as_u64().ok_or_else(wrong)?),
                _ => return Err(wrong()),
            };
            all.insert(name.clone(), value);
        }
        Ok(Self(all))
    }
}
