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
            let date = date.map(|seconds| format!(" ({})", day(seconds))).unwrap_or_default();
            format!("'{}'{date}", locked.locked)
        }
    }
}

/// `2026-01-02` of seconds since 1970.
fn day(seconds: u64) -> String {
    let shifted = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
