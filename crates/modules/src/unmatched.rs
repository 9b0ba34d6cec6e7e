//! Definitions for which there is no option.

use crate::definition::{Definition, Property, content_of, property};
use crate::diagnostics;
use crate::location::Location;
use crate::tree::{Child, Node};
use nival_diagnostics::{Diagnostic, Span};
use nival_eval::{EvalError, EvalResult, Evaluator, Kind, Value};
use std::rc::Rc;

struct Unmatched {
    location: Location,
    definition: Definition,
    siblings: Vec<String>,
}

/// Looks through the whole tree for definitions without an option.
///
/// # Errors
/// `NV0301` for the first, naming all others.
pub(crate) fn check(ev: &mut Evaluator, root: &Rc<Node>) -> EvalResult<()> {
    let mut found = Vec::new();
    look(ev, root, &mut found)?;
    let Some(first) = found.first() else { return Ok(()) };
    let mut diagnostic = Diagnostic::error(
        &diagnostics::unknown_option::ENTRY,
        format!("there is no option `{}`", first.location),
    );
    if let Some(span) = first.definition.position {
        diagnostic = diagnostic.label(span, "no such option");
    }
    for span in passed_on(ev, first.definition.value)? {
        diagnostic = diagnostic.label(span, "what is defined here is passed on to it");
    }
    diagnostic = suggest(ev, root, first, diagnostic)?;
    for other in &found[1..] {
        let place = match other.definition.position {
            Some(span) => ev.sources().place(span),
            None => other.definition.file.to_string(),
        };
        diagnostic = diagnostic.note(format!("there is no option `{}` either ({place})", other.location));
    }
    Err(EvalError::thrown(diagnostic))
}

/// The places of definitions that a module passes on under another name, as that of a renamed option does.
fn passed_on(ev: &mut Evaluator, value: Value) -> EvalResult<Vec<Span>> {
    let (mut waiting, mut places) = (vec![value], Vec::new());
    while let Some(value) = waiting.pop() {
        match property(ev, value)? {
            Some(Property::Merge) => {
                let contents = ev.select(value, "contents")?;
                waiting.extend(ev.expect_list(contents)?.into_iter().rev());
            }
            Some(Property::If | Property::Override | Property::Order) => waiting.push(content_of(ev, value)?),
            Some(Property::Definition) => places.extend(Definition::passed_on(ev, value, None)?.position),
            Some(_) => {}
            // Names on the way to the option that is meant.
            None if ev.kind(value)? == Kind::Attrs && places.is_empty() => {
                waiting.extend(ev.attributes(value)?.into_iter().take(1).map(|attribute| attribute.value));
            }
            None => {}
        }
    }
    Ok(places)
}

fn look(ev: &mut Evaluator, node: &Rc<Node>, found: &mut Vec<Unmatched>) -> EvalResult<()> {
    if node.definitions.is_empty() {
        return Ok(());
    }
    let names = node.names(ev)?;
    let by_name = node.by_name(ev)?;
    // What a freeform type allows is allowed in the folders below, too.
    if node.freeform(ev)?.is_some() {
        return Ok(());
    }
    let mut strangers: Vec<_> = by_name
        .iter()
        .filter(|(name, _)| !names.iter().any(|(declared, _)| declared == *name))
        .map(|(name, definitions)| (ev.name(*name).to_owned(), definitions.clone()))
        .filter(|(name, _)| name != "_module")
        .collect();
    strangers.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, definitions) in strangers {
        let siblings = names.iter().map(|(name, _)| ev.name(*name).to_owned()).collect::<Vec<_>>();
        for definition in definitions {
            let location = node.location.child(&name);
            found.push(Unmatched { location, definition, siblings: siblings.clone() });
        }
    }
    for (name, declarations) in names.iter() {
        if by_name.contains_key(name)
            && let Child::Folder(folder) = &*node.child(ev, *name, declarations)?
        {
            look(ev, folder, found)?;
        }
    }
    Ok(())
}

fn suggest(
    ev: &mut Evaluator,
    root: &Rc<Node>,
    wrong: &Unmatched,
    diagnostic: Diagnostic,
) -> EvalResult<Diagnostic> {
    let name = wrong.location.last();
    let mut near: Vec<(f64, String)> = wrong
        .siblings
        .iter()
        .map(|sibling| (strsim::jaro_winkler(&name, sibling), sibling.clone()))
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let text = wrong.location.to_string();
    let parent = text.strip_suffix(&*name).unwrap_or_default();
    let mut names: Vec<String> =
        near.into_iter().take(3).map(|(_, sibling)| format!("`{parent}{sibling}`")).collect();
    if names.is_empty() {
        names = elsewhere(ev, root, &name)?;
    }
    if !names.is_empty() {
        return Ok(diagnostic.help(format!("did you mean {}?", names.join(" or "))));
    }
    if wrong.siblings.len() <= 12 && !wrong.siblings.is_empty() {
        let all: Vec<_> = wrong.siblings.iter().map(|sibling| format!("`{sibling}`")).collect();
        return Ok(diagnostic.help(format!("there are {}", all.join(", "))));
    }
    Ok(diagnostic.help("declare it with `options`, or remove the definition"))
}

/// Options of that very name in other folders of the tree, two folders deep.
fn elsewhere(ev: &mut Evaluator, root: &Rc<Node>, name: &str) -> EvalResult<Vec<String>> {
    let mut found = Vec::new();
    let mut waiting = vec![(root.clone(), 0)];
    while let Some((node, depth)) = waiting.pop() {
        for (symbol, declarations) in node.names(ev)?.iter() {
            let here = ev.name(*symbol).to_owned();
            if strsim::jaro_winkler(&here, name) > 0.92 {
                found.push(format!("`{}`", node.location.child(&here)));
            }
            if depth < 2
                && let Child::Folder(folder) = &*node.child(ev, *symbol, declarations)?
            {
                waiting.push((folder.clone(), depth + 1));
            }
        }
    }
    found.sort();
    found.truncate(3);
    Ok(found)
}
