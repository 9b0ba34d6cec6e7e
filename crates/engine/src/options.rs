//! The options of a set of modules, as data for documents and searches.

use crate::error::Error;
use crate::machine::Machine;
use crate::session::Session;
use nival_eval::{EvalResult, Evaluator, Kind, Value};

/// What is known of one option.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

const DEEPEST: u32 = 8;

impl Machine {
    /// All options that the machine's modules declare, sorted by name.
    ///
    /// # Errors
    /// What evaluating the declarations raises.
    pub fn options(&self, session: &mut Session) -> Result<Vec<OptionDescription>, Error> {
        let mut found = Vec::new();
        let tree = self.options_value();
        walk(&mut session.evaluator, tree, "", 0, &mut found)?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }
}

fn walk(
    ev: &mut Evaluator,
    tree: Value,
    path: &str,
    depth: u32,
    found: &mut Vec<OptionDescription>,
) -> EvalResult<()> {
    for attribute in ev.attributes(tree)? {
        let name = ev.name(attribute.name).to_owned();
        if path.is_empty() && name == "_module" || depth > DEEPEST {
            continue;
        }
        let name = if path.is_empty() { name } else { format!("{path}.{name}") };
        if ev.kind(attribute.value)? != Kind::Attrs {
            continue;
        }
        if text(ev, attribute.value, "_type")?.as_deref() == Some("option") {
            option(ev, attribute.value, &name, depth, found)?;
        } else {
            walk(ev, attribute.value, &name, depth + 1, found)?;
        }
    }
    Ok(())
}

fn text(ev: &mut Evaluator, set: Value, name: &str) -> EvalResult<Option<String>> {
    let Some(value) = ev.select_opt(set, name)? else { return Ok(None) };
    if ev.kind(value)? != Kind::String {
        return Ok(None);
    }
    Ok(Some(ev.expect_string_context(value)?.0))
}

fn option(
    ev: &mut Evaluator,
    value: Value,
    name: &str,
    depth: u32,
    found: &mut Vec<OptionDescription>,
) -> EvalResult<()> {
    let internal = match ev.select_opt(value, "internal")? {
        Some(flag) => ev.expect_bool(flag)?,
        None => false,
    };
    let option_type = ev.select_opt(value, "type")?;
    let takes = match option_type {
        Some(option_type) => text(ev, option_type, "description")?.unwrap_or_default(),
        None => "anything".to_owned(),
    };
    found.push(OptionDescription {
        name: name.to_owned(),
        takes,
        description: text(ev, value, "description")?.unwrap_or_default(),
        default: in_words(ev, value, "default"),
        example: in_words(ev, value, "example"),
        internal,
    });
    match option_type {
        Some(option_type) => below(ev, option_type, name, depth + 1, found),
        None => Ok(()),
    }
}

/// Descends into sets of submodules, lists of them, and submodules.
fn below(
    ev: &mut Evaluator,
    option_type: Value,
    name: &str,
    depth: u32,
    found: &mut Vec<OptionDescription>,
) -> EvalResult<()> {
    if depth > DEEPEST {
        return Ok(());
    }
    let kind = text(ev, option_type, "_native")?.unwrap_or_default();
    let inner = match kind.as_str() {
        "attrsOf" | "lazyAttrsOf" => format!("{name}.<name>"),
        "listOf" => format!("{name}.*"),
        _ => name.to_owned(),
    };
    if let Some(element) = ev.select_opt(option_type, "elemType")? {
        return below(ev, element, &inner, depth + 1, found);
    }
    if let Some(sub) = ev.select_opt(option_type, "getSubOptions")? {
        let prefix = ev.list(&[]);
        let tree = ev.call(sub, &[prefix])?;
        return walk(ev, tree, &inner, depth + 1, found);
    }
    Ok(())
}

/// A value in the language; `None` where it is missing or cannot be told without a configuration.
fn in_words(ev: &mut Evaluator, set: Value, name: &str) -> Option<String> {
    let value = ev.select_opt(set, name).ok()??;
    if ev.kind(value).ok()? == Kind::Attrs
        && text(ev, value, "_type").ok()?.as_deref() == Some("literalExpression")
    {
        return text(ev, value, "text").ok()?;
    }
    let value = ev.force_deep(value).ok()?;
    Some(ev.print(value))
}
