//! What is wrong with modules, as diagnostics: they are caught where the library's own `throw` would be.

use super::lib::Lib;
use super::properties::part;
use crate::diagnostics;
use nival_diagnostics::{Diagnostic, Entry, Span};
use nival_eval::{EvalError, EvalResult, Evaluator, Symbol, Value};

/// How many definitions an error names.
const MOST_PLACES: usize = 8;

fn thrown(diagnostic: Diagnostic) -> EvalError {
    EvalError::thrown(diagnostic)
}

/// The name of an option from the list of its parts.
pub(super) fn location(ev: &mut Evaluator, names: Value) -> EvalResult<String> {
    let mut shown = crate::Location::default();
    for name in ev.expect_list(names)? {
        shown = shown.child(&ev.expect_string_context(name)?.0);
    }
    Ok(shown.to_string())
}

fn shown(ev: &mut Evaluator, names: Value) -> String {
    location(ev, names).unwrap_or_else(|_| "(an option)".to_owned())
}

/// Where a definition was written, if that is known: not in the library, which makes definitions of its own.
pub(super) fn place(ev: &mut Evaluator, lib: &Lib, def: Value) -> Option<Span> {
    place_of(ev, lib, (def, lib.names.value), lib.names.value)
}

/// Where an attribute of a definition was written, as a name that stands there.
fn place_of(ev: &mut Evaluator, lib: &Lib, (def, part): (Value, Symbol), name: Symbol) -> Option<Span> {
    let place = ev.place_of(def, part).ok()?;
    let span = ev.span_at(name, place)?;
    let in_library = ev.sources().name(span.source).starts_with(&lib.folder);
    (!in_library).then_some(span)
}

fn file(ev: &mut Evaluator, lib: &Lib, def: Value) -> String {
    let name = part(ev, def, lib.names.file).and_then(|file| text(ev, file));
    name.unwrap_or_else(|_| "(unknown file)".to_owned())
}

fn text(ev: &mut Evaluator, value: Value) -> EvalResult<String> {
    let how = nival_eval::Coercion { more: true, copy_to_store: false };
    Ok(ev.coerce_to_string(value, how)?.0)
}

/// The last of the names of an option, which stands where it is defined.
fn last(ev: &mut Evaluator, lib: &Lib, names: Value) -> Symbol {
    let last = ev.expect_list(names).ok().and_then(|names| names.last().copied());
    let text = last.and_then(|last| ev.expect_string_context(last).ok());
    text.map_or(lib.names.value, |(text, _)| ev.symbol(&text))
}

/// Marks the definitions of an option, or names their files.
fn mark(
    ev: &mut Evaluator,
    lib: &Lib,
    (names, defs): (Value, &[Value]),
    mut diagnostic: Diagnostic,
) -> Diagnostic {
    let written = last(ev, lib, names);
    for def in defs.iter().take(MOST_PLACES) {
        diagnostic = match place_of(ev, lib, (*def, lib.names.value), written) {
            Some(span) => diagnostic.label(span, "defined here"),
            None => {
                let file = file(ev, lib, *def);
                diagnostic.note(format!("defined in `{file}`"))
            }
        };
    }
    diagnostic
}

/// Adds which option was being evaluated.
pub(super) fn in_option(ev: &mut Evaluator, names: Value, error: EvalError) -> EvalError {
    let name = shown(ev, names);
    error.frame(None, format!("while evaluating the option `{name}`"))
}

/// `mkIf` with something else than a Boolean.
pub(super) fn condition(ev: &mut Evaluator, condition: Value) -> EvalError {
    let got = ev.print(condition);
    thrown(
        Diagnostic::error(
            &diagnostics::wrong_type::ENTRY,
            format!("`mkIf` takes a Boolean as its condition, not `{got}`"),
        )
        .help("write a comparison, such as `mkIf (config.NAME != null)`"),
    )
}

/// An option that its module alone may set.
pub(super) fn read_only(ev: &mut Evaluator, lib: &Lib, names: Value, defs: &[Value]) -> EvalError {
    let name = shown(ev, names);
    let diagnostic = Diagnostic::error(
        &diagnostics::read_only::ENTRY,
        format!("the option `{name}` is read-only, but it's set multiple times"),
    );
    thrown(
        mark(ev, lib, (names, defs), diagnostic)
            .help("remove the definition; look for another option that steers what you want"),
    )
}

/// An option without a value.
pub(super) fn undefined(ev: &mut Evaluator, names: Value) -> EvalError {
    let name = shown(ev, names);
    let message = format!("the option `{name}` was accessed but has no value defined");
    thrown(
        Diagnostic::error(&diagnostics::undefined_option::ENTRY, message)
            .help(format!("set it: `{name} = ...;`")),
    )
}

/// Definitions that are not of the option's type.
pub(super) fn wrong_type(
    ev: &mut Evaluator,
    lib: &Lib,
    (names, option_type): (Value, Value),
    defs: &[Value],
    head: Option<Value>,
) -> EvalError {
    let name = shown(ev, names);
    let wanted = described(ev, lib, option_type);
    let mut invalid = Vec::new();
    let check = part(ev, option_type, lib.names.check).unwrap_or(Value::NULL);
    for def in defs {
        let value = part(ev, *def, lib.names.value).and_then(|value| ev.call(check, &[value]));
        if value.ok() == Some(Value::FALSE) {
            invalid.push(*def);
        }
    }
    let mut diagnostic = Diagnostic::error(
        &diagnostics::wrong_type::ENTRY,
        format!("a definition for the option `{name}` is not of type `{wanted}`"),
    );
    if let Some(head) = head.filter(|_| invalid.is_empty())
        && let Ok(message) = part(ev, head, lib.names.message).and_then(|message| text(ev, message))
    {
        diagnostic = diagnostic.note(message);
    }
    thrown(mark(ev, lib, (names, &invalid), diagnostic).help(format!("give it a value of type `{wanted}`")))
}

fn described(ev: &mut Evaluator, lib: &Lib, option_type: Value) -> String {
    let described = part(ev, option_type, lib.names.description).and_then(|value| text(ev, value));
    described.unwrap_or_else(|_| "(of the user's own)".to_owned())
}

/// A type whose check was replaced.
pub(super) fn incoherent(ev: &mut Evaluator, lib: &Lib, names: Value, option_type: Value) -> EvalError {
    let (name, wanted) = (shown(ev, names), described(ev, lib, option_type));
    let message = format!(
        "the option `{name}` has a type `{wanted}` that uses an ad-hoc `type // {{ check = ...; }}` override, which is incompatible with the v2 merge mechanism"
    );
    thrown(
        Diagnostic::error(&diagnostics::wrong_type::ENTRY, message)
            .help("use `lib.types.addCheck TYPE CHECK` instead of `TYPE // { check = CHECK; }`"),
    )
}

/// A type whose `merge.v2` gives something else than is agreed.
pub(super) fn malformed_merge(ev: &mut Evaluator, names: Value, part: Symbol, missing: bool) -> EvalError {
    let (name, part) = (shown(ev, names), ev.name(part).to_owned());
    let what = if missing { "without" } else { "with an unknown" };
    EvalError::new(
        Diagnostic::error(
            &diagnostics::wrong_type::ENTRY,
            format!("the type of the option `{name}` merges to a set {what} attribute `{part}`"),
        )
        .help("`merge.v2` returns `{ headError; value; valueMeta; }`"),
    )
}

/// What holds options is defined as something else than a set.
pub(super) fn not_a_folder(ev: &mut Evaluator, lib: &Lib, prefix: Value, def: Value) -> EvalError {
    let name = shown(ev, prefix);
    let written = last(ev, lib, prefix);
    let config = part(ev, def, lib.names.config).and_then(|config| ev.type_name(config)).unwrap_or("null");
    let message = if name.is_empty() {
        format!("a module's configuration is an attribute set, not a value of type `{config}`")
    } else {
        format!(
            "a value of type `{config}` is given for the option `{name}`, which holds options and takes an attribute set"
        )
    };
    let mut diagnostic = Diagnostic::error(&diagnostics::wrong_type::ENTRY, message);
    diagnostic = match place_of(ev, lib, (def, lib.names.config), written) {
        Some(span) => diagnostic.label(span, "defined here"),
        None => {
            let file = file(ev, lib, def);
            diagnostic.note(format!("defined in `{file}`"))
        }
    };
    thrown(diagnostic.help("define the options below it"))
}

/// Declarations that are no set.
pub(super) fn not_declarations(ev: &mut Evaluator, prefix: Value, options: Value) -> EvalError {
    let (name, got) = (shown(ev, prefix), ev.type_name(options).unwrap_or("null"));
    thrown(
        Diagnostic::error(
            &diagnostics::not_a_module::ENTRY,
            format!("an option declaration for `{name}` has type `{got}` rather than an attribute set"),
        )
        .help("did you mean to define this outside of `options`?"),
    )
}

/// An option that is declared twice.
pub(super) fn twice(ev: &mut Evaluator, names: Value, file: Value, others: Value) -> EvalError {
    let (name, file) = (shown(ev, names), text(ev, file).unwrap_or_default());
    let mut before = Vec::new();
    for other in ev.expect_list(others).unwrap_or_default() {
        before.push(text(ev, other).map_or_else(|_| "(unknown file)".to_owned(), |file| format!("`{file}`")));
    }
    let message = format!("the option `{name}` in `{file}` is already declared in {}", before.join(" and "));
    thrown(
        Diagnostic::error(&diagnostics::declared_twice::ENTRY, message)
            .help("give one of them another name, or declare it once and set it in the other module"),
    )
}

/// An option of which others are said to lie below, though its type holds none.
pub(super) fn no_nesting(ev: &mut Evaluator, names: Value, file: Value, wanted: &str) -> EvalError {
    let (name, file) = (shown(ev, names), text(ev, file).unwrap_or_default());
    let message = format!(
        "the option `{name}` in module `{file}` would be a parent of other options, but its type `{wanted}` does not support nested options"
    );
    thrown(
        Diagnostic::error(&diagnostics::declared_twice::ENTRY, message).help("give one of them another name"),
    )
}

/// Something that has a `_type`, but not that of an option, where an option is declared.
pub(super) fn not_an_option(ev: &mut Evaluator, names: Value, file: Value, tag: Value) -> EvalError {
    let (name, file) = (shown(ev, names), text(ev, file).unwrap_or_default());
    let tag = text(ev, tag).unwrap_or_default();
    let message = format!(
        "in module `{file}`: expected an option declaration at option path `{name}` but got an attribute set with type {tag}"
    );
    let help = if tag == "option-type" {
        "wrap the type: `lib.mkOption { type = TYPE; description = \"...\"; }`"
    } else {
        "declare it with `lib.mkOption { ... }`"
    };
    thrown(Diagnostic::error(&diagnostics::not_a_module::ENTRY, message).help(help))
}

/// A definition for which there is no option.
pub(super) fn unknown(
    ev: &mut Evaluator,
    lib: &Lib,
    (names, name): (Value, &str),
    (def, near): (Value, &[String]),
    nothing_declared: bool,
) -> EvalError {
    let entry: &'static Entry = &diagnostics::unknown_option::ENTRY;
    let diagnostic = Diagnostic::error(entry, format!("the option `{name}` does not exist"));
    let mut diagnostic = mark(ev, lib, (names, &[def]), diagnostic);
    if nothing_declared {
        diagnostic = diagnostic.note("no options are declared here at all");
    }
    thrown(match near {
        [] if nothing_declared => diagnostic.help("declare it under `options` rather than under `config`"),
        [] => diagnostic.help("declare it with `options`, or remove the definition"),
        near => diagnostic.help(format!("did you mean {}?", near.join(" or "))),
    })
}

/// Definitions that exclude each other.
pub(super) fn conflict(ev: &mut Evaluator, lib: &Lib, names: Value, defs: &[Value]) -> EvalError {
    let name = shown(ev, names);
    let message = format!("the option `{name}` has conflicting definition values");
    let diagnostic = Diagnostic::error(&diagnostics::conflict::ENTRY, message);
    thrown(
        mark(ev, lib, (names, defs), diagnostic)
            .help("keep one of them, or say which is stronger: `lib.mkForce VALUE` or `lib.mkDefault VALUE`"),
    )
}

/// An argument of a module that nobody gives.
pub(super) fn missing_argument(ev: &mut Evaluator, given: Value, name: &str) -> EvalError {
    let mut known: Vec<String> = Vec::new();
    for (name, ..) in ev.entries(given).unwrap_or_default() {
        known.push(format!("`{}`", ev.name(name)));
    }
    known.sort();
    let message = format!("a module wants an argument that nobody gives: `{name}`");
    EvalError::new(
        Diagnostic::error(&diagnostics::missing_argument::ENTRY, message)
            .help(format!("give it with `_module.args.{name} = ...;`"))
            .note(format!("`_module.args` has {}", known.join(", "))),
    )
}

/// Something that is no module.
pub(super) fn not_a_module(ev: &mut Evaluator, file: Value, key: Value) -> EvalError {
    let (file, key) = (text(ev, file).unwrap_or_default(), text(ev, key).unwrap_or_default());
    let message = format!("module {file} ({key}) does not look like a module");
    thrown(
        Diagnostic::error(&diagnostics::not_a_module::ENTRY, message)
            .help("write `{ OPTION = VALUE; }` or `{ config, lib, ... }: { OPTION = VALUE; }`"),
    )
}

/// Something beside `config` and `options`.
pub(super) fn unsupported(ev: &mut Evaluator, key: Value, name: &str) -> EvalError {
    let key = text(ev, key).unwrap_or_default();
    let message = format!(
        "module `{key}` has an unsupported attribute `{name}`: it has `config` or `options` at its top level"
    );
    thrown(
        Diagnostic::error(&diagnostics::not_a_module::ENTRY, message)
            .help(format!("move it: `config.{name} = ...;`")),
    )
}
