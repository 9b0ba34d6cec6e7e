//! What changed between two lock files, as text.

use super::lock_file::{Edge, LockFile};

/// What changed between two lock files: a line or three for each input.
pub fn difference(old: &LockFile, new: &LockFile) -> String {
    let (before, after) = (old.all_inputs(), new.all_inputs());
    let mut paths: Vec<_> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut text = String::new();
    for path in paths {
        let name = path.join("/");
        match (before.get(path), after.get(path)) {
            (None, Some(edge)) => text += &format!("• Added input '{name}':\n    {}\n", shown(new, edge)),
            (Some(_), None) => text += &format!("• Removed input '{name}'\n"),
            (Some(from), Some(to)) if !same(old, from, new, to) => {
                let (from, to) = (shown(old, from), shown(new, to));
                text += &format!("• Updated input '{name}':\n    {from}\n  → {to}\n");
            }
            _ => {}
        }
    }
    text
}

fn same(old: &LockFile, from: &Edge, new: &LockFile, to: &Edge) -> bool {
    match (from, to) {
        (Edge::Node(from), Edge::Node(to)) => {
            let reference =
                |file: &LockFile, node: usize| file.nodes[node].locked.as_ref().map(|l| l.locked.clone());
            reference(old, *from) == reference(new, *to)
        }
        (Edge::Follows(from), Edge::Follows(to)) => from == to,
        _ => false,
    }
}

fn shown(file: &LockFile, edge: &Edge) -> String {
    match edge {
        Edge::Follows(path) => format!("follows '{}'", path.join("/")),
        Edge::Node(node) => {
            let Some(locked) = &file.nodes[*node].locked else { return "the flake itself".to_owned() };
            let date = locked.locked.input.attributes.int("lastModified").ok().flatten();
            let date = date
                .map(|seconds| {
                    format!(" ({})", crate::utc_text(i64::try_from(seconds).unwrap_or(i64::MAX), "%Y-%m-%d"))
                })
                .unwrap_or_default();
            format!("'{}'{date}", locked.locked)
        }
    }
}
