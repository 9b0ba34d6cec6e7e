//! Every single value that modules give, with its place: what `plan` compares and `options` shows.

use crate::definition::{Definition, Property, content_of, property};
use crate::location::Location;
use nival_diagnostics::Span;
use nival_eval::{EvalResult, Evaluator, Kind, Value};

/// One value at the end of a path of names.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The path, such as `services.nginx.virtualHosts."x".root`.
    pub location: Location,
    /// The attribute that gives it.
    pub position: Option<Span>,
    /// The value.
    pub value: Value,
}

/// Lists the values of a module's `config` by descending through its sets; what `mkIf` conditions away is left out.
///
/// # Errors
/// What evaluating the sets and conditions on the way raises.
pub fn leaves(ev: &mut Evaluator, definition: &Definition) -> EvalResult<Vec<Leaf>> {
    let mut found = Vec::new();
    descend(ev, definition.value, definition.position, &Location::default(), 0, &mut found)?;
    Ok(found)
}

const DEEPEST: u32 = 16;

fn descend(
    ev: &mut Evaluator,
    value: Value,
    position: Option<Span>,
    location: &Location,
    depth: u32,
    found: &mut Vec<Leaf>,
) -> EvalResult<()> {
    let leaf = Leaf { location: location.clone(), position, value };
    if depth > DEEPEST || ev.kind(value)? != Kind::Attrs || ev.is_derivation(value)? {
        found.push(leaf);
        return Ok(());
    }
    match property(ev, value)? {
        Some(Property::If) => {
            let condition = ev.select(value, "condition")?;
            if ev.expect_bool(condition)? {
                let content = content_of(ev, value)?;
                descend(ev, content, position, location, depth, found)?;
            }
        }
        Some(Property::Merge) => {
            let contents = ev.select(value, "contents")?;
            for content in ev.expect_list(contents)? {
                descend(ev, content, position, location, depth, found)?;
            }
        }
        Some(Property::Override | Property::Order) => {
            let content = content_of(ev, value)?;
            descend(ev, content, position, location, depth, found)?;
        }
        Some(Property::Definition) => match ev.select_opt(value, "value")? {
            Some(inner) => descend(ev, inner, position, location, depth, found)?,
            None => found.push(leaf),
        },
        Some(_) => found.push(leaf),
        None => {
            let attributes = ev.attributes(value)?;
            if attributes.is_empty() {
                found.push(leaf);
            }
            for attribute in attributes {
                let child = location.child(ev.name(attribute.name));
                descend(ev, attribute.value, attribute.position.or(position), &child, depth + 1, found)?;
            }
        }
    }
    Ok(())
}
