//! TOML in.

use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::Value;
use ::toml::Value as Toml;

impl Evaluator {
    /// A value from TOML, as `builtins.fromTOML` reads it.
    pub(crate) fn read_toml(&mut self, text: &str) -> EvalResult {
        let table: ::toml::Table = text.parse().map_err(|error: ::toml::de::Error| {
            EvalError::of(
                &diagnostics::invalid_data::ENTRY,
                format!("this is not valid TOML: {}", error.message()),
            )
        })?;
        self.toml_value(&Toml::Table(table))
    }

    fn toml_value(&mut self, toml: &Toml) -> EvalResult {
        Ok(match toml {
            Toml::String(text) => self.data_string(text)?,
            Toml::Integer(int) => self.int(*int),
            Toml::Float(float) => self.float(*float),
            Toml::Boolean(value) => Value::bool(*value),
            Toml::Datetime(_) => {
                return Err(EvalError::of(
                    &diagnostics::invalid_data::ENTRY,
                    "dates and times in TOML are not supported",
                ));
            }
            Toml::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    values.push(self.toml_value(item)?);
                }
                self.list(&values)
            }
            Toml::Table(fields) => {
                let mut values = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    self.data_string(name)?;
                    let name = self.symbol(name);
                    values.push((name, self.toml_value(value)?));
                }
                self.attrs(&values)
            }
        })
    }
}
