//! Types: which values an option takes, and how several definitions become one.
//!
//! A type is a set of the language with `_type = "option-type"`. Those of our library
//! carry `_native`, the name of a [`Kind`], and its parameters; any other type is one of
//! the user's own, with `check` and `merge` in the language.

mod check;
mod containers;
mod free;
mod functions;
mod own;
mod scalars;
mod submodule;

pub(crate) use check::check;
pub(crate) use containers::merge_lazy_set;
pub(crate) use free::merge_unspecified;

use crate::definition::{Definition, effective};
use crate::diagnostics;
use crate::location::Location;
use nival_diagnostics::Diagnostic;
use nival_eval::{EvalError, EvalResult, Evaluator, Value};

/// The types that the engine knows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unspecified,
    Raw,
    Anything,
    Bool,
    Int,
    Float,
    Number,
    Str,
    SeparatedString,
    Path,
    Package,
    Enum,
    Attrs,
    ListOf,
    AttrsOf,
    LazyAttrsOf,
    NullOr,
    Either,
    Unique,
    CoercedTo,
    FunctionTo,
    Submodule,
}

const KINDS: [(&str, Kind); 22] = [
    ("unspecified", Kind::Unspecified),
    ("raw", Kind::Raw),
    ("anything", Kind::Anything),
    ("bool", Kind::Bool),
    ("int", Kind::Int),
    ("float", Kind::Float),
    ("number", Kind::Number),
    ("str", Kind::Str),
    ("separatedString", Kind::SeparatedString),
    ("path", Kind::Path),
    ("package", Kind::Package),
    ("enum", Kind::Enum),
    ("attrs", Kind::Attrs),
    ("listOf", Kind::ListOf),
    ("attrsOf", Kind::AttrsOf),
    ("lazyAttrsOf", Kind::LazyAttrsOf),
    ("nullOr", Kind::NullOr),
    ("either", Kind::Either),
    ("unique", Kind::Unique),
    ("coercedTo", Kind::CoercedTo),
    ("functionTo", Kind::FunctionTo),
    ("submodule", Kind::Submodule),
];

/// The engine's kind of a type; `None` for a type of the user's own.
pub(crate) fn kind(ev: &mut Evaluator, option_type: Value) -> EvalResult<Option<Kind>> {
    let Some(name) = ev.select_opt(option_type, "_native")? else { return Ok(None) };
    let name = ev.expect_string_context(name)?.0;
    Ok(KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind))
}

/// The text that messages show for a type.
pub(crate) fn describe(ev: &mut Evaluator, option_type: Value) -> EvalResult<String> {
    for field in ["description", "name"] {
        if let Some(text) = ev.select_opt(option_type, field)? {
            return Ok(ev.expect_string_context(text)?.0);
        }
    }
    Ok("unnamed type".to_owned())
}

/// Merges definitions, which have no properties left, into the value of an option.
///
/// # Errors
/// `NV0302` for a value that the type refuses, `NV0303` for values that exclude each other, or what evaluation raises.
pub(crate) fn merge(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    for definition in definitions {
        let fits = check(ev, option_type, definition.value).map_err(|error| {
            error.frame(definition.position, format!("while checking the definition of `{location}`"))
        })?;
        if !fits {
            return Err(wrong_type(ev, option_type, location, definition)?);
        }
    }
    let of_engine = match own::merges(ev, option_type)? {
        true => None,
        false => kind(ev, option_type)?,
    };
    match of_engine {
        None => own::merge(ev, option_type, location, definitions),
        Some(Kind::Unspecified) => merge_unspecified(ev, location, definitions),
        Some(Kind::Anything) => free::merge_anything(ev, location, definitions),
        Some(Kind::Raw) => one(location, definitions),
        Some(Kind::Attrs) => free::update_all(ev, definitions),
        Some(Kind::SeparatedString) => scalars::join(ev, option_type, definitions),
        Some(Kind::ListOf) => containers::merge_list(ev, option_type, location, definitions),
        Some(Kind::AttrsOf) => containers::merge_set(ev, option_type, location, definitions),
        Some(Kind::LazyAttrsOf) => containers::merge_lazy_elements(ev, option_type, location, definitions),
        Some(Kind::NullOr) => containers::merge_nullable(ev, option_type, location, definitions),
        Some(Kind::Either) => containers::merge_either(ev, option_type, location, definitions),
        Some(Kind::Unique) => {
            one(location, definitions)?;
            let element = ev.select(option_type, "elemType")?;
            merge(ev, element, location, definitions)
        }
        Some(Kind::CoercedTo) => functions::merge_coerced(ev, option_type, location, definitions),
        Some(Kind::FunctionTo) => functions::merge_function(ev, option_type, location, definitions),
        Some(Kind::Submodule) => submodule::merge(ev, option_type, location, definitions),
        Some(
            Kind::Bool
            | Kind::Int
            | Kind::Float
            | Kind::Number
            | Kind::Str
            | Kind::Path
            | Kind::Package
            | Kind::Enum,
        ) => scalars::equal(ev, location, definitions),
    }
}

/// The value of an option of this type that has no definition at all; `None` where it needs one.
pub(crate) fn empty_value(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
) -> EvalResult<Option<Value>> {
    match kind(ev, option_type)? {
        Some(Kind::ListOf) if ev.select_opt(option_type, "nonEmpty")?.is_none() => Ok(Some(ev.list(&[]))),
        Some(Kind::AttrsOf | Kind::LazyAttrsOf | Kind::Attrs) => Ok(Some(ev.attrs(&[]))),
        Some(Kind::NullOr) => Ok(Some(Value::NULL)),
        Some(Kind::Submodule) => submodule::merge(ev, option_type, location, &[]).map(Some),
        Some(Kind::Unique) => {
            let element = ev.select(option_type, "elemType")?;
            empty_value(ev, element, location)
        }
        Some(Kind::CoercedTo) => {
            let element = ev.select(option_type, "finalType")?;
            empty_value(ev, element, location)
        }
        _ => match ev.select_opt(option_type, "emptyValue")? {
            Some(set) => ev.select_opt(set, "value"),
            None => Ok(None),
        },
    }
}

/// The type of an option that is declared twice; `None` where the two do not go together.
pub(crate) fn merge_types(ev: &mut Evaluator, left: Value, right: Value) -> EvalResult<Option<Value>> {
    let kinds = (kind(ev, left)?, kind(ev, right)?);
    let (Some(a), Some(b)) = kinds else { return own::merge_types(ev, left, right) };
    if a != b {
        return Ok(None);
    }
    match a {
        Kind::Submodule => {
            let classes = [crate::native::class(ev, left)?, crate::native::class(ev, right)?];
            if classes[0].is_some() && classes[1].is_some() && classes[0] != classes[1] {
                return Ok(None);
            }
            let more = ev.select(right, "modules")?;
            let more = ev.expect_list(more)?;
            let merged = with_modules(ev, left, &more)?;
            match ev.select_opt(right, "class")? {
                Some(class) if classes[0].is_none() => {
                    let name = ev.symbol("class");
                    let changed = ev.attrs(&[(name, class)]);
                    ev.update(merged, changed).map(Some)
                }
                _ => Ok(Some(merged)),
            }
        }
        Kind::AttrsOf | Kind::LazyAttrsOf
            if placeholder(ev, right)?.is_some() && placeholder(ev, left)?.is_none() =>
        {
            merge_types(ev, right, left)
        }
        Kind::AttrsOf | Kind::LazyAttrsOf
            if placeholder(ev, right)?.is_some() && placeholder(ev, left)? != placeholder(ev, right)? =>
        {
            Ok(None)
        }
        Kind::ListOf | Kind::AttrsOf | Kind::LazyAttrsOf | Kind::NullOr | Kind::FunctionTo | Kind::Unique => {
            let (one, other) = (ev.select(left, "elemType")?, ev.select(right, "elemType")?);
            let Some(element) = merge_types(ev, one, other)? else { return Ok(None) };
            made_again(ev, left, element, &["elemType", "nestedTypes"]).map(Some)
        }
        Kind::Either => {
            let mut sides = Vec::new();
            for name in ["left", "right"] {
                let (one, other) = (ev.select(left, name)?, ev.select(right, name)?);
                let Some(merged) = merge_types(ev, one, other)? else { return Ok(None) };
                sides.push((ev.symbol(name), merged));
            }
            let changed = ev.attrs(&sides);
            ev.update(left, changed).map(Some)
        }
        Kind::CoercedTo => Ok(None),
        Kind::Enum => {
            let (make, ours, others) =
                (ev.select(left, "_with")?, ev.select(left, "values")?, ev.select(right, "values")?);
            let mut all = ev.expect_list(ours)?;
            for other in ev.expect_list(others)? {
                let mut is_new = true;
                for known in &all {
                    is_new &= !ev.equal(*known, other)?;
                }
                if is_new {
                    all.push(other);
                }
            }
            let all = ev.list(&all);
            ev.call(make, &[all]).map(Some)
        }
        // Texts of different patterns and numbers of different limits do not go together.
        _ => Ok((describe(ev, left)? == describe(ev, right)?).then_some(left)),
    }
}

/// What a name in a type of sets is called, where the type says it.
fn placeholder(ev: &mut Evaluator, option_type: Value) -> EvalResult<Option<String>> {
    let Some(text) = ev.select_opt(option_type, "placeholder")? else { return Ok(None) };
    Ok(Some(ev.expect_string_context(text)?.0))
}

/// Whether a type is a set of modules of its own.
pub(crate) fn is_submodule(ev: &mut Evaluator, option_type: Value) -> EvalResult<bool> {
    Ok(kind(ev, option_type)? == Some(Kind::Submodule))
}

/// A submodule with more modules.
pub(crate) fn with_modules(ev: &mut Evaluator, submodule: Value, more: &[Value]) -> EvalResult<Value> {
    let modules = ev.select(submodule, "modules")?;
    let mut modules = ev.expect_list(modules)?;
    modules.extend(more);
    let modules = ev.list(&modules);
    made_again(ev, submodule, modules, &["modules"])
}

/// A type with another argument; what else it says, such as a check of the user's own, stays.
///
/// Types of the library say in `_with` how they are made of that argument.
fn made_again(ev: &mut Evaluator, option_type: Value, argument: Value, names: &[&str]) -> EvalResult<Value> {
    let make = ev.select(option_type, "_with")?;
    let made = ev.call(make, &[argument])?;
    let mut changed = Vec::new();
    for name in names.iter().chain(&["_with", "getSubOptions"]) {
        if let Some(value) = ev.select_opt(made, name)? {
            changed.push((ev.symbol(name), value));
        }
    }
    let changed = ev.attrs(&changed);
    ev.update(option_type, changed)
}

/// The single definition's value.
fn one(location: &Location, definitions: &[Definition]) -> EvalResult<Value> {
    match definitions {
        [only] => Ok(only.value),
        _ => Err(conflict(
            &diagnostics::not_unique::ENTRY,
            format!("the option takes one definition, and has {}: `{location}`", definitions.len()),
            definitions,
            &[],
        )),
    }
}

/// Merges what is found for one element: takes properties off, keeps the strongest; `None` where nothing is left.
fn element(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Option<Value>> {
    let effective = effective(ev, definitions)?;
    if effective.definitions.is_empty() {
        return Ok(None);
    }
    merge(ev, option_type, location, &effective.definitions).map(Some)
}

/// An error that marks every definition, with a text for each where there is one.
fn conflict(
    entry: &'static nival_diagnostics::Entry,
    message: String,
    definitions: &[Definition],
    texts: &[String],
) -> EvalError {
    let mut diagnostic = Diagnostic::error(entry, message);
    for (n, definition) in definitions.iter().enumerate() {
        let text = texts.get(n).map_or("defined here", String::as_str);
        match definition.position {
            Some(span) => diagnostic = diagnostic.label(span, text),
            None => diagnostic = diagnostic.note(format!("{text} in `{}`", definition.file)),
        }
    }
    EvalError::thrown(diagnostic.help("keep one of them, or say which is stronger: `lib.mkForce VALUE`"))
}

fn wrong_type(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definition: &Definition,
) -> EvalResult<EvalError> {
    let (wanted, got) = (describe(ev, option_type)?, ev.type_name(definition.value)?);
    let got = if ev.secret_name(definition.value).is_some() { "secret" } else { got };
    let shown = show(ev, definition.value);
    let check::Hints { problem, hints } = check::hints(ev, option_type, definition.value)?;
    let wanted = with_article(&wanted);
    let message = match &problem {
        Some(_) => format!("the option `{location}` takes {wanted}, and {shown} will not do"),
        None => format!("the option `{location}` takes {wanted}, not {shown}"),
    };
    let mut diagnostic = Diagnostic::error(&diagnostics::wrong_type::ENTRY, message);
    let said = problem.unwrap_or_else(|| format!("this is {}", with_article(type_word(got))));
    match definition.position {
        Some(span) => diagnostic = diagnostic.label(span, said),
        None => diagnostic = diagnostic.note(said).note(format!("defined in `{}`", definition.file)),
    }
    if got == "secret" {
        diagnostic = diagnostic.help(
            "name it as a file: `lib.secrets.file config.secrets.NAME`; or put it into one: `secretTemplates`",
        );
    }
    for hint in hints {
        diagnostic = diagnostic.help(hint);
    }
    Ok(EvalError::thrown(diagnostic))
}

fn type_word(name: &str) -> &str {
    match name {
        "int" => "integer",
        "bool" => "boolean",
        "lambda" => "function",
        other => other,
    }
}

/// A short text of a value that was looked at already.
fn show(ev: &mut Evaluator, value: Value) -> String {
    if let Some(name) = ev.secret_name(value) {
        return format!("the secret `{name}`");
    }
    let text = ev.print(value);
    if text.chars().count() > 60 {
        return format!("`{}...`", text.chars().take(57).collect::<String>());
    }
    format!("`{text}`")
}

fn with_article(text: &str) -> String {
    let is_plural = text.ends_with('s') && !text.starts_with("list of") && !text.starts_with("set of");
    if text.starts_with("one of") || text.starts_with("null or") || is_plural {
        return text.to_owned();
    }
    let article = if text.starts_with(['a', 'e', 'i', 'o', 'u', 'I']) { "an" } else { "a" };
    format!("{article} {text}")
}
