//! Values as text and text as values: printing, JSON, XML, TOML, numbers.

mod from_json;
mod grisu;
mod json;
mod numbers;
mod parsed;
mod pretty;
mod print;
mod show;
mod toml;
mod xml;

pub use pretty::Pretty;

pub(crate) use numbers::{fixed_float, json_float, short_float};

/// Bytes as a string; what is no UTF-8 is replaced.
pub(crate) fn from_bytes(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
