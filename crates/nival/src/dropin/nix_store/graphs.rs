//! What paths refer to, drawn: as a tree, for Graphviz, and as GraphML.

use crate::error::Error;
use nival_store::LocalStore;
use nival_store_model::StorePath;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A path and what it refers to, as a tree; what was shown already is marked.
pub fn tree(store: &LocalStore, path: &StorePath, done: &mut BTreeSet<StorePath>) -> Result<String, Error> {
    let mut text = String::new();
    branch(store, path, ("", ""), done, &mut text)?;
    Ok(text)
}

fn branch(
    store: &LocalStore,
    path: &StorePath,
    (first, rest): (&str, &str),
    done: &mut BTreeSet<StorePath>,
    text: &mut String,
) -> Result<(), Error> {
    let printed = store.dir().print(path);
    if !done.insert(path.clone()) {
        let _ = writeln!(text, "{first}{printed} [...]");
        return Ok(());
    }
    let _ = writeln!(text, "{first}{printed}");
    let references = store.valid_info(path)?.references;
    let sorted = store.sorted_by_references(&references)?;
    for (number, reference) in sorted.iter().enumerate() {
        let last = number + 1 == sorted.len();
        let (own, below) = if last { ("└───", "    ") } else { ("├───", "│   ") };
        branch(store, reference, (&format!("{rest}{own}"), &format!("{rest}{below}")), done, text)?;
    }
    Ok(())
}

/// The closure of paths for Graphviz.
pub fn dot(store: &LocalStore, paths: &[StorePath]) -> Result<String, Error> {
    let colors = ["red", "green", "blue", "magenta", "burlywood", "yellowgreen", "dodgerblue"];
    let mut text = "digraph G {\n".to_owned();
    let mut color = 0;
    each(store, paths, |path, references| {
        let is_derivation = path.is_derivation();
        let (shape, fill) = if is_derivation { ("oval", "red") } else { ("box", "white") };
        let _ = writeln!(
            text,
            "\"{path}\" [label = \"{}\", shape = {shape}, style = filled, fillcolor = \"{fill}\"];",
            path.name()
        );
        for reference in references.iter().filter(|reference| *reference != path) {
            color += 1;
            let _ = writeln!(
                text,
                "\"{reference}\" -> \"{path}\" [color = \"{}\"];",
                colors[color % colors.len()]
            );
        }
    })?;
    text.push_str("}\n");
    Ok(text)
}

/// The closure of paths as GraphML.
pub fn graph_ml(store: &LocalStore, paths: &[StorePath]) -> Result<String, Error> {
    let mut text = "<?xml version='1.0' encoding='utf-8'?>\n\
        <graphml xmlns='http://graphml.graphdrawing.org/xmlns'\n    \
        xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'\n    \
        xsi:schemaLocation='http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd'>\n\
        <key id='narSize' for='node' attr.name='narSize' attr.type='long'/>\
        <key id='name' for='node' attr.name='name' attr.type='string'/>\
        <key id='type' for='node' attr.name='type' attr.type='string'/>\
        <graph id='G' edgedefault='directed'>\n"
        .to_owned();
    let mut sizes = Vec::new();
    each(store, paths, |path, references| sizes.push((path.clone(), references.to_vec())))?;
    for (path, references) in sizes {
        let size = store.valid_info(&path)?.nar_size;
        let kind = if path.is_derivation() { "derivation" } else { "output-path" };
        let name = path.name().strip_suffix(".drv").unwrap_or(path.name());
        let _ = writeln!(
            text,
            "<node id=\"{path}\"><data key=\"narSize\">{size}</data><data key=\"name\">{name}</data>\
             <data key=\"type\">{kind}</data></node>"
        );
        for reference in references.iter().filter(|reference| **reference != path) {
            let _ = writeln!(text, "  <edge source=\"{path}\" target=\"{reference}\"/>");
        }
    }
    text.push_str("</graph>\n</graphml>\n");
    Ok(text)
}

/// Visits the closure of paths.
fn each(
    store: &LocalStore,
    paths: &[StorePath],
    mut visit: impl FnMut(&StorePath, &[StorePath]),
) -> Result<(), Error> {
    for path in store.closure(paths)? {
        visit(&path, &store.references(&path)?);
    }
    Ok(())
}
