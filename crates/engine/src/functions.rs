//! What the comments of the library's functions say: descriptions and examples.

use crate::library::library_files;

/// A function of the library with its comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryFunction {
    /// Its name below `lib`, such as `net.port`.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Expressions with what they evaluate to; those of `lib.NAME` are variables in them.
    pub examples: Vec<(String, String)>,
}

/// The functions of `library/lib` that have a comment, by file and in the order in which they are written.
///
/// A comment stands right before its function. A line `Example: EXPRESSION => VALUE` in it is an example.
pub fn library_functions() -> Vec<LibraryFunction> {
    let mut all = Vec::new();
    for (path, contents) in library_files() {
        let name = path.strip_prefix("lib/").and_then(|name| name.strip_suffix(".nix"));
        let Some(file) = name.filter(|name| *name != "default") else { continue };
        read(file, &String::from_utf8_lossy(contents), &mut all);
    }
    all
}

fn read(file: &str, text: &str, all: &mut Vec<LibraryFunction>) {
    let (mut description, mut examples) = (Vec::new(), Vec::new());
    let before = all.len();
    for line in text.lines() {
        if line == "in" {
            // What was defined so far is the file's own.
            all.truncate(before);
        }
        // Functions of the file's set are indented by two spaces; deeper ones are nobody else's.
        if let Some(comment) = line.strip_prefix("  #") {
            let comment = comment.trim();
            let example = comment.strip_prefix("Example: ").and_then(|example| example.rsplit_once(" => "));
            match example {
                Some((expression, value)) => examples.push((expression.to_owned(), value.to_owned())),
                None => description.push(comment.to_owned()),
            }
            continue;
        }
        let name = line.strip_prefix("  ").and_then(|line| line.split_once(" =")).map(|(name, _)| name);
        let plain =
            |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_'-".contains(&byte));
        if let Some(name) = name.filter(plain).filter(|_| !description.is_empty()) {
            all.push(LibraryFunction {
                name: format!("{file}.{name}"),
                description: description.join("\n").trim().to_owned(),
                examples: std::mem::take(&mut examples),
            });
        }
        description.clear();
        examples.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{LibraryFunction, read};

    #[test]
    fn comments_stand_before_their_functions() {
        let mut all = Vec::new();
        read(
            "f",
            "let\n  # inner\n  x = 1;\nin\n{\n  # Adds.\n  #\n  # Example: add 1 2 => 3\n  add = a: b: a + b;\n  # lost\n\n  y = 1;\n}",
            &mut all,
        );
        let function = |name: &str, description: &str, examples: &[(&str, &str)]| LibraryFunction {
            name: name.to_owned(),
            description: description.to_owned(),
            examples: examples.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        };
        assert_eq!(all, [function("f.add", "Adds.", &[("add 1 2", "3")])]);
    }
}
