//! Fetching: the arguments are read here, the world does the rest.

use super::Row;
use crate::context::{ContextElement, ContextId};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::{Kind, Value};
use crate::world::{FetchKind, FetchRequest, FetchValue};

pub(super) const ROWS: &[Row] = &[
    Row("__fetchurl", 1, 1, |e, a| fetch_file(e, a[0], FetchKind::Url)),
    Row("fetchTarball", 1, 1, |e, a| fetch_file(e, a[0], FetchKind::Tarball)),
    Row("fetchGit", 1, 1, |e, a| fetch_tree(e, a[0], FetchKind::Git)),
    Row("fetchMercurial", 1, 1, fetch_mercurial),
    Row("fetchTree", 1, 1, |e, a| fetch_tree(e, a[0], FetchKind::Tree)),
    Row("__fetchFinalTree", 1, 1, |e, a| fetch_tree(e, a[0], FetchKind::FinalTree)),
    Row("__fetchClosure", 1, 1, fetch_closure),
];

fn wrong(message: impl Into<String>) -> EvalError {
    EvalError::of(&diagnostics::invalid_argument::ENTRY, message)
}

/// What messages call a builtin.
fn name_of(kind: FetchKind) -> &'static str {
    match kind {
        FetchKind::Url => "fetchurl",
        FetchKind::Tarball => "fetchTarball",
        FetchKind::Git => "fetchGit",
        FetchKind::Mercurial => "fetchMercurial",
        FetchKind::Closure => "fetchClosure",
        FetchKind::Tree | FetchKind::FinalTree => "fetchTree",
    }
}

fn text(name: &str, text: String) -> (String, FetchValue) {
    (name.to_owned(), FetchValue::Text(text))
}

/// `fetchClosure`: the arguments are read as they come, so that the first wrong one is told.
fn fetch_closure(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let how = crate::Coercion { more: false, copy_to_store: false };
    let mut attributes = Vec::new();
    for attribute in evaluator.attributes(arguments[0])? {
        let name = evaluator.name(attribute.name).to_owned();
        let value = match name.as_str() {
            "fromPath" | "toPath" => FetchValue::Text(evaluator.coerce_to_string(attribute.value, how)?.0),
            "fromStore" => FetchValue::Text(evaluator.expect_string(attribute.value)?),
            "inputAddressed" => FetchValue::Bool(evaluator.expect_bool(attribute.value)?),
            _ => {
                return Err(wrong(format!("`fetchClosure` takes no argument `{name}`"))
                    .help("it takes `fromStore`, `fromPath`, `toPath` and `inputAddressed`"));
            }
        };
        attributes.push((name, value));
    }
    let has = |name: &str| attributes.iter().any(|(given, _)| given == name);
    for name in ["fromPath", "fromStore"] {
        if !has(name) {
            return Err(wrong(format!("`fetchClosure` needs the argument `{name}`")));
        }
    }
    if has("toPath") && attributes.contains(&("inputAddressed".to_owned(), FetchValue::Bool(true))) {
        return Err(wrong("`fetchClosure` has `inputAddressed = true` and `toPath`")
            .help("leave one of them out: what gets another path is named by its contents"));
    }
    let fetched = evaluator.world().fetch(&FetchRequest { kind: FetchKind::Closure, attributes })?;
    match fetched.into_iter().next() {
        Some((_, FetchValue::Text(path))) => Ok(store_string(evaluator, &path)),
        _ => Ok(Value::NULL),
    }
}

/// `fetchurl` and `fetchTarball`.
fn fetch_file(evaluator: &mut Evaluator, argument: Value, kind: FetchKind) -> EvalResult {
    let who = name_of(kind);
    let mut attributes = Vec::new();
    if evaluator.kind(argument)? == Kind::Attrs {
        for attribute in evaluator.attributes(argument)? {
            let name = evaluator.name(attribute.name).to_owned();
            if !["url", "sha256", "name"].contains(&name.as_str()) {
                return Err(wrong(format!("`{who}` takes no argument `{name}`"))
                    .help("it takes `url`, `name` and `sha256`"));
            }
            attributes.push(text(&name, evaluator.expect_string(attribute.value)?));
        }
        if !attributes.iter().any(|(name, _)| name == "url") {
            return Err(wrong(format!("`{who}` needs the argument `url`")));
        }
    } else {
        attributes.push(text("url", evaluator.expect_string(argument)?));
    }
    let fetched = evaluator.world().fetch(&FetchRequest { kind, attributes })?;
    match fetched.into_iter().find(|(name, _)| name == "outPath") {
        Some((_, FetchValue::Text(path))) => Ok(store_string(evaluator, &path)),
        _ => Ok(Value::NULL),
    }
}

/// `fetchTree` and `fetchGit`.
fn fetch_tree(evaluator: &mut Evaluator, argument: Value, kind: FetchKind) -> EvalResult {
    let how = crate::Coercion { more: false, copy_to_store: false };
    let mut attributes = Vec::new();
    if evaluator.kind(argument)? != Kind::Attrs {
        attributes.push(text("url", evaluator.coerce_to_string(argument, how)?.0));
        return fetched(evaluator, FetchRequest { kind, attributes });
    }
    for attribute in evaluator.attributes(argument)? {
        let name = evaluator.name(attribute.name).to_owned();
        if kind == FetchKind::Git && name == "type" {
            return Err(wrong("`fetchGit` takes no argument `type`"));
        }
        if kind == FetchKind::Tree && name == "name" {
            return Err(wrong("`fetchTree` takes no argument `name`"));
        }
        let value = match evaluator.kind(attribute.value)? {
            Kind::Int => {
                let number = evaluator.expect_int(attribute.value)?;
                if number < 0 {
                    let who = name_of(kind);
                    return Err(wrong(format!(
                        "the argument `{name}` of `{who}` may not be negative: `{number}`"
                    )));
                }
                FetchValue::Int(number)
            }
            Kind::Bool => FetchValue::Bool(evaluator.expect_bool(attribute.value)?),
            Kind::String | Kind::Path => {
                FetchValue::Text(evaluator.coerce_to_string(attribute.value, how)?.0)
            }
            _ if name == "publicKeys" => FetchValue::Text(evaluator.to_json(attribute.value, true)?.0),
            _ => return Err(other_type(evaluator, &name, attribute.value, kind)),
        };
        attributes.push((name, value));
    }
    if kind != FetchKind::Git && !attributes.iter().any(|(name, _)| name == "type") {
        return Err(wrong("`fetchTree` needs the argument `type`"));
    }
    fetched(evaluator, FetchRequest { kind, attributes })
}

#[cold]
fn other_type(evaluator: &mut Evaluator, name: &str, value: Value, kind: FetchKind) -> EvalError {
    let found = evaluator.type_name(value).unwrap_or("value");
    let who = name_of(kind);
    EvalError::of(
        &diagnostics::type_mismatch::ENTRY,
        format!("the argument `{name}` of `{who}` must be a string, a Boolean or an integer, not a {found}"),
    )
}

fn fetch_mercurial(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let how = crate::Coercion { more: false, copy_to_store: false };
    let mut attributes = Vec::new();
    if evaluator.kind(arguments[0])? == Kind::Attrs {
        for attribute in evaluator.attributes(arguments[0])? {
            let name = evaluator.name(attribute.name).to_owned();
            let value = match name.as_str() {
                "url" => evaluator.coerce_to_string(attribute.value, how)?.0,
                "rev" | "name" => evaluator.expect_string(attribute.value)?,
                _ => return Err(wrong(format!("`fetchMercurial` takes no argument `{name}`"))),
            };
            attributes.push(text(&name, value));
        }
        let is_url = |(name, value): &(String, FetchValue)| {
            name == "url" && !matches!(value, FetchValue::Text(text) if text.is_empty())
        };
        if !attributes.iter().any(is_url) {
            return Err(wrong("`fetchMercurial` needs the argument `url`"));
        }
    } else {
        attributes.push(text("url", evaluator.coerce_to_string(arguments[0], how)?.0));
    }
    fetched(evaluator, FetchRequest { kind: FetchKind::Mercurial, attributes })
}

fn store_string(evaluator: &mut Evaluator, path: &str) -> Value {
    let context = evaluator.context(&[ContextElement::Plain(path.to_owned())]);
    evaluator.string_with(path, context)
}

/// The set of what was fetched.
fn fetched(evaluator: &mut Evaluator, request: FetchRequest) -> EvalResult {
    let fetched = evaluator.world().fetch(&request)?;
    Ok(evaluator.fetched_set(&fetched))
}

impl Evaluator {
    /// The set that stands for something that was fetched: `outPath` refers to the store.
    pub fn fetched_set(&mut self, attributes: &[(String, FetchValue)]) -> Value {
        let mut entries = Vec::new();
        for (name, value) in attributes {
            let value = match value {
                FetchValue::Text(text) if name == "outPath" => store_string(self, text),
                FetchValue::Text(text) => self.string_with(text, ContextId::EMPTY),
                FetchValue::Int(int) => self.int(*int),
                FetchValue::Bool(value) => Value::bool(*value),
            };
            entries.push((self.symbol(name), value));
        }
        self.attrs(&entries)
    }
}
