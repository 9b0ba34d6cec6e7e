//! The options of a set of modules, as data for documents and searches.

use crate::error::Error;
use crate::machine::Machine;
use crate::session::Session;
use nival_eval::{EvalResult, Evaluator, Kind, Value};
use serde::{Deserialize, Serialize};

/// What is known of one option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionDescription {
    /// The path; `<name>` stands for any name.
    pub name: String,
    /// What it takes, in words.
    pub takes: String,
    /// What it is for.
    pub description: String,
    /// The value where nothing is defined, in the language; `None` where there is none or it is computed.
    pub default: Option<String>,
    /// An example, in the language.
    pub example: Option<String>,
    /// Whether it is for modules rather than for people.
    pub internal: bool,
    /// The files that declare it.
    pub declared: Vec<String>,
}

/// What a configuration makes of one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionState {
    /// Its value, in the language; `None` where it has none, or the value cannot be had.
    pub value: Option<String>,
    /// Who set it.
    pub set: Vec<Setting>,
}

/// A value that somebody gives to an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The place.
    pub place: String,
    /// The value, in the language.
    pub value: String,
    /// How strong it is: the lowest number wins; 100 where nothing is said.
    pub priority: i64,
    /// Whether a stronger one takes its place.
    pub is_overridden: bool,
}

const DEEPEST: u32 = 8;

impl Machine {
    /// All options that the machine's modules declare, sorted by name.
    ///
    /// # Errors
    /// What evaluating the declarations raises.
    pub fn options(&self, session: &mut Session) -> Result<Vec<OptionDescription>, Error> {
        session.described_options(self.options_value())
    }

    /// What the configuration makes of an option; `None` where there is no option of that name.
    ///
    /// # Errors
    /// What evaluating the modules raises.
    pub fn option_state(&self, session: &mut Session, name: &str) -> Result<Option<OptionState>, Error> {
        session.option_state(self.options_value(), name)
    }
}

impl Session {
    /// All options of a tree of options, ours or nixpkgs', sorted by name. Of a part that cannot be evaluated without a whole
    /// configuration nothing is listed.
    ///
    /// # Errors
    /// What the tree itself raises.
    pub fn described_options(&mut self, tree: Value) -> Result<Vec<OptionDescription>, Error> {
        let mut found = Vec::new();
        let top = Parent { path: "", declared: &[], depth: 0 };
        walk(&mut self.evaluator, tree, &top, &mut found)?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// What a tree of options says of one of them; `None` where there is none of that name.
    ///
    /// # Errors
    /// What the tree itself raises.
    pub fn option_state(&mut self, tree: Value, name: &str) -> Result<Option<OptionState>, Error> {
        let ev = &mut self.evaluator;
        let (mut place, mut parts) = (tree, name.split('.'));
        while text(ev, place, "_type")?.as_deref() != Some("option") {
            let Some(part) = parts.next() else { return Ok(None) };
            let Some(below) = ev.select_opt(place, part)? else { return Ok(None) };
            if ev.kind(below)? != Kind::Attrs {
                return Ok(None);
            }
            place = below;
        }
        // What lies below an option is part of its value.
        let inner: Vec<&str> = parts.collect();
        let mut set = Vec::new();
        if definitions(ev, place, &inner, &mut set).is_err() {
            set.clear();
        }
        let strongest = set.iter().map(|setting| setting.priority).min();
        for setting in &mut set {
            setting.is_overridden = Some(setting.priority) != strongest;
        }
        let value = value_below(ev, place, &inner);
        Ok(Some(OptionState { value, set }))
    }
}

fn value_below(ev: &mut Evaluator, option: Value, inner: &[&str]) -> Option<String> {
    let mut value = ev.select_opt(option, "value").ok()??;
    for part in inner {
        value = ev.select_opt(value, part).ok()??;
    }
    let value = ev.force_deep(value).ok()?;
    Some(ev.print(value))
}

/// Where an option is set, apart from its own default.
fn definitions(ev: &mut Evaluator, option: Value, inner: &[&str], set: &mut Vec<Setting>) -> EvalResult<()> {
    let Some(all) = ev.select_opt(option, "definitionsWithLocations")? else { return Ok(()) };
    let declared = files(ev, option).unwrap_or_default();
    for definition in ev.expect_list(all)? {
        let file = text(ev, definition, "file")?.unwrap_or_default();
        if declared.contains(&file) {
            continue;
        }
        let symbol = ev.symbol("value");
        let Some(attribute) = ev.attribute(definition, symbol)? else { continue };
        let whence = Whence { position: attribute.position, file: &file, priority: PLAIN };
        given(ev, attribute.value, &whence, inner, set)?;
    }
    Ok(())
}

/// The priority of a value that nothing is said of.
const PLAIN: i64 = 100;

/// Where a definition comes from, and how strong it is.
#[derive(Clone, Copy)]
struct Whence<'a> {
    position: Option<nival_diagnostics::Span>,
    file: &'a str,
    priority: i64,
}

/// What one definition gives to a path below it, through the properties around it.
fn given(
    ev: &mut Evaluator,
    value: Value,
    whence: &Whence<'_>,
    inner: &[&str],
    set: &mut Vec<Setting>,
) -> EvalResult<()> {
    let tag = match ev.kind(value)? {
        Kind::Attrs => text(ev, value, "_type")?,
        _ => None,
    };
    match tag.as_deref() {
        Some(kind @ ("if" | "override" | "order")) => {
            let Some(content) = ev.select_opt(value, "content")? else { return Ok(()) };
            let mut whence = *whence;
            if kind == "if" {
                let condition = ev.select(value, "condition")?;
                if !ev.expect_bool(condition)? {
                    return Ok(());
                }
            }
            if kind == "override" {
                let priority = ev.select(value, "priority")?;
                whence.priority = ev.expect_int(priority)?;
            }
            return given(ev, content, &whence, inner, set);
        }
        Some("merge") => {
            let contents = ev.select(value, "contents")?;
            for content in ev.expect_list(contents)? {
                given(ev, content, whence, inner, set)?;
            }
            return Ok(());
        }
        _ => {}
    }
    if let Some((first, rest)) = inner.split_first() {
        if ev.kind(value)? != Kind::Attrs {
            return Ok(());
        }
        let symbol = ev.symbol(first);
        let Some(attribute) = ev.attribute(value, symbol)? else { return Ok(()) };
        let whence = Whence { position: attribute.position.or(whence.position), ..*whence };
        return given(ev, attribute.value, &whence, rest, set);
    }
    let place = match whence.position {
        Some(span) => ev.sources().place(span),
        None => whence.file.to_owned(),
    };
    let shown = ev.force_deep(value).map(|value| ev.print(value)).unwrap_or_else(|_| "(not data)".to_owned());
    set.push(Setting { place, value: shown, priority: whence.priority, is_overridden: false });
    Ok(())
}

/// What the options below another one have from it.
struct Parent<'a> {
    path: &'a str,
    declared: &'a [String],
    depth: u32,
}

fn walk(
    ev: &mut Evaluator,
    tree: Value,
    parent: &Parent<'_>,
    found: &mut Vec<OptionDescription>,
) -> EvalResult<()> {
    let Parent { path, depth, .. } = *parent;
    for attribute in ev.attributes(tree)? {
        let name = ev.name(attribute.name).to_owned();
        if name == "_module" || name == "_freeformOptions" || depth > DEEPEST {
            continue;
        }
        let name = if path.is_empty() { name } else { format!("{path}.{name}") };
        // One part that cannot be evaluated does not hide the others.
        let Ok(Kind::Attrs) = ev.kind(attribute.value) else { continue };
        if text(ev, attribute.value, "_type").ok().flatten().as_deref() == Some("option") {
            option(ev, attribute.value, &Parent { path: &name, ..*parent }, found)?;
        } else {
            walk(ev, attribute.value, &Parent { path: &name, depth: depth + 1, ..*parent }, found)?;
        }
    }
    Ok(())
}

/// A text, or the text of a set that surrounds one (`mdDoc`, `literalMD`).
fn text(ev: &mut Evaluator, set: Value, name: &str) -> EvalResult<Option<String>> {
    let Some(value) = ev.select_opt(set, name)? else { return Ok(None) };
    match ev.kind(value)? {
        Kind::String => Ok(Some(ev.expect_string_context(value)?.0)),
        Kind::Attrs if name != "text" => text(ev, value, "text"),
        _ => Ok(None),
    }
}

fn files(ev: &mut Evaluator, option: Value) -> EvalResult<Vec<String>> {
    let Some(all) = ev.select_opt(option, "declarations")? else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for file in ev.expect_list(all)? {
        files.push(match ev.kind(file)? {
            Kind::Path => ev.expect_path(file)?,
            _ => ev.expect_string_context(file)?.0,
        });
    }
    Ok(files)
}

fn flag(ev: &mut Evaluator, set: Value, name: &str) -> Option<bool> {
    let value = ev.select_opt(set, name).ok()??;
    ev.expect_bool(value).ok()
}

fn option(
    ev: &mut Evaluator,
    value: Value,
    parent: &Parent<'_>,
    found: &mut Vec<OptionDescription>,
) -> EvalResult<()> {
    let Parent { path: name, depth, .. } = *parent;
    // A module that stands in a type has no file of its own.
    let mut declared = files(ev, value).unwrap_or_default();
    declared.retain(|file| file != "(unknown file)");
    if declared.is_empty() {
        declared = parent.declared.to_vec();
    }
    let internal = flag(ev, value, "internal") == Some(true) || flag(ev, value, "visible") == Some(false);
    let option_type = ev.select_opt(value, "type").ok().flatten();
    let option_type = option_type.filter(|option_type| matches!(ev.kind(*option_type), Ok(Kind::Attrs)));
    let takes = match option_type {
        Some(option_type) => text(ev, option_type, "description").ok().flatten().unwrap_or_default(),
        None => "anything".to_owned(),
    };
    let default = text(ev, value, "defaultText").ok().flatten().or_else(|| in_words(ev, value, "default"));
    found.push(OptionDescription {
        name: name.to_owned(),
        takes,
        description: text(ev, value, "description").ok().flatten().unwrap_or_default(),
        default,
        example: in_words(ev, value, "example"),
        internal,
        declared: declared.clone(),
    });
    match option_type {
        Some(option_type) => {
            // A type that cannot be looked into has no options below it.
            let inner = Parent { path: name, declared: &declared, depth: depth + 1 };
            let _ = below(ev, option_type, value, &inner, found);
            Ok(())
        }
        None => Ok(()),
    }
}

/// Descends into sets of submodules, lists of them, and submodules.
fn below(
    ev: &mut Evaluator,
    option_type: Value,
    option: Value,
    parent: &Parent<'_>,
    found: &mut Vec<OptionDescription>,
) -> EvalResult<()> {
    let Parent { path: name, depth, .. } = *parent;
    if depth > DEEPEST {
        return Ok(());
    }
    let Some(kind) = text(ev, option_type, "_native")? else {
        return foreign(ev, option_type, option, parent, found);
    };
    let inner = match kind.as_str() {
        "attrsOf" | "lazyAttrsOf" => {
            let placeholder = text(ev, option_type, "placeholder")?;
            format!("{name}.<{}>", placeholder.as_deref().unwrap_or("name"))
        }
        "listOf" => format!("{name}.*"),
        _ => name.to_owned(),
    };
    if let Some(element) = ev.select_opt(option_type, "elemType")? {
        let inner = Parent { path: &inner, depth: depth + 1, ..*parent };
        return below(ev, element, option, &inner, found);
    }
    if let Some(sub) = ev.select_opt(option_type, "getSubOptions")? {
        let prefix = ev.list(&[]);
        let tree = ev.call(sub, &[prefix])?;
        return walk(ev, tree, &Parent { path: &inner, depth: depth + 1, ..*parent }, found);
    }
    Ok(())
}

/// The options below one of a type of nixpkgs' library, which name their whole place themselves.
fn foreign(
    ev: &mut Evaluator,
    option_type: Value,
    option: Value,
    parent: &Parent<'_>,
    found: &mut Vec<OptionDescription>,
) -> EvalResult<()> {
    let Some(sub) = ev.select_opt(option_type, "getSubOptions")? else { return Ok(()) };
    let location = match ev.select_opt(option, "loc")? {
        Some(location) => location,
        None => {
            let parts: Vec<Value> = parent.path.split('.').map(|part| ev.string(part)).collect();
            ev.list(&parts)
        }
    };
    let tree = ev.call(sub, &[location])?;
    let mut inner = Vec::new();
    walk_located(ev, tree, &Parent { depth: parent.depth + 1, ..*parent }, &mut inner)?;
    found.append(&mut inner);
    Ok(())
}

/// As [`walk`], with each option's own `loc` as its name.
fn walk_located(
    ev: &mut Evaluator,
    tree: Value,
    parent: &Parent<'_>,
    found: &mut Vec<OptionDescription>,
) -> EvalResult<()> {
    if parent.depth > DEEPEST {
        return Ok(());
    }
    for attribute in ev.attributes(tree)? {
        if matches!(ev.name(attribute.name), "_module" | "_freeformOptions") {
            continue;
        }
        let Ok(Kind::Attrs) = ev.kind(attribute.value) else { continue };
        if text(ev, attribute.value, "_type").ok().flatten().as_deref() != Some("option") {
            let _ = walk_located(ev, attribute.value, &Parent { depth: parent.depth + 1, ..*parent }, found);
            continue;
        }
        let Ok(Some(location)) = ev.select_opt(attribute.value, "loc") else { continue };
        let Ok(parts) = ev.expect_list(location) else { continue };
        let mut name = String::new();
        for part in parts {
            let Ok((part, _)) = ev.expect_string_context(part) else { continue };
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&part);
        }
        option(ev, attribute.value, &Parent { path: &name, ..*parent }, found)?;
    }
    Ok(())
}

/// A value in the language; `None` where it is missing or cannot be told without a configuration.
fn in_words(ev: &mut Evaluator, set: Value, name: &str) -> Option<String> {
    let value = ev.select_opt(set, name).ok()??;
    if ev.kind(value).ok()? == Kind::Attrs
        && matches!(
            text(ev, value, "_type").ok()?.as_deref(),
            Some("literalExpression" | "literalExample" | "literalMD" | "literalDocBook")
        )
    {
        return text(ev, value, "text").ok()?;
    }
    let value = ev.force_deep(value).ok()?;
    Some(ev.print(value))
}
