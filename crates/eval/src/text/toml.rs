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
            Toml::Datetime(time) if self.settings.features.contains("parse-toml-timestamps") => {
                let (kind, value) = (self.string("timestamp"), self.string(&timestamp(time)));
                let (kind_name, value_name) = (self.symbol("_type"), self.symbol("value"));
                self.attrs(&[(kind_name, kind), (value_name, value)])
            }
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

/// A date, a time or both, with as many digits of seconds as are needed, in threes.
fn timestamp(time: &::toml::value::Datetime) -> String {
    let mut text = String::new();
    if let Some(date) = time.date {
        text += &format!("{:04}-{:02}-{:02}", date.year, date.month, date.day);
    }
    if let Some(clock) = time.time {
        if time.date.is_some() {
            text.push('T');
        }
        text += &format!("{:02}:{:02}:{:02}", clock.hour, clock.minute, clock.second.unwrap_or(0));
        let nanoseconds = clock.nanosecond.unwrap_or(0);
        text += &match nanoseconds {
            0 => String::new(),
            n if n % 1_000_000 == 0 => format!(".{:03}", n / 1_000_000),
            n if n % 1000 == 0 => format!(".{:06}", n / 1000),
            n => format!(".{n:09}"),
        };
    }
    match time.offset {
        None => {}
        Some(::toml::value::Offset::Z) => text.push('Z'),
        Some(::toml::value::Offset::Custom { minutes }) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            text += &format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        }
    }
    text
}
