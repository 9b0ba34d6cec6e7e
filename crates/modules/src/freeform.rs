//! Values that no option stands for, where a freeform type allows them.

use crate::definition::Definition;
use crate::tree::{Child, Node};
use crate::types;
use nival_eval::{Attribute, EvalResult, Evaluator, Symbol, Value};
use std::rc::Rc;

/// The declared values of a root together with the free ones, which may lie in folders of declared ones, too.
pub(crate) fn config(
    ev: &mut Evaluator,
    root: &Rc<Node>,
    freeform: Value,
    declared: Value,
) -> EvalResult<Value> {
    let mut found = Found::default();
    gather(ev, root, &mut Vec::new(), &mut found)?;
    let free = types::merge(ev, freeform, &root.location, &found.definitions)?;
    let free = ev.force(free)?;
    let mut all = ev.update(free, declared)?;
    for path in found.folders {
        all = united(ev, [free, declared, all], &path)?;
    }
    Ok(all)
}

#[derive(Default)]
struct Found {
    /// Definitions without an option, each as a set of the path that leads to it.
    definitions: Vec<Definition>,
    /// Folders of declared options in which such ones lie.
    folders: Vec<Vec<Symbol>>,
}

fn gather(ev: &mut Evaluator, node: &Rc<Node>, path: &mut Vec<Symbol>, found: &mut Found) -> EvalResult<()> {
    let names = node.names(ev)?;
    let by_name = node.by_name(ev)?;
    let mut free: Vec<(Symbol, &Vec<Definition>)> = by_name
        .iter()
        .filter(|(name, _)| !names.iter().any(|(declared, _)| declared == *name))
        .map(|(name, definitions)| (*name, definitions))
        .collect();
    free.retain(|(name, _)| !path.is_empty() || ev.name(*name) != "_module");
    if !free.is_empty() && !path.is_empty() {
        found.folders.push(path.clone());
    }
    for (name, all) in free {
        for definition in all {
            let mut value = definition.value;
            for name in std::iter::once(&name).chain(path.iter().rev()) {
                let item = Attribute { name: *name, value, position: definition.position };
                value = ev.attrs_at(&[item]);
            }
            found.definitions.push(Definition { value, ..definition.clone() });
        }
    }
    for (name, declarations) in names.iter() {
        if by_name.contains_key(name)
            && let Child::Folder(folder) = &*node.child(ev, *name, declarations)?
        {
            path.push(*name);
            gather(ev, folder, path, found)?;
            path.pop();
        }
    }
    Ok(())
}

/// Of what is free, declared, and both together: both, with the folder at a path united from the two.
fn united(ev: &mut Evaluator, sets: [Value; 3], path: &[Symbol]) -> EvalResult<Value> {
    let [free, declared, all] = sets;
    let Some((name, rest)) = path.split_first() else { return ev.update(free, declared) };
    let mut inner = sets;
    for set in &mut inner {
        *set = match ev.attribute(*set, *name)? {
            Some(attribute) => ev.force(attribute.value)?,
            None => ev.attrs(&[]),
        };
    }
    let inner = united(ev, inner, rest)?;
    let changed = ev.attrs(&[(*name, inner)]);
    ev.update(all, changed)
}
