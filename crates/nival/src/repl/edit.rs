//! Opening the file where something is defined in the user's editor.

use super::{Repl, outside};
use crate::error::Error;
use nival_engine::Session;
use nival_eval::{Coercion, Kind, Value};
use std::process::Command;

/// Editors that go to a line by `+LINE`.
const WITH_LINES: [&str; 5] = ["emacs", "nano", "vim", "kak", "vi"];

/// Opens the place where the value of an expression is defined, and waits for the editor.
pub(super) fn edit(repl: &Repl<'_>, text: &str) -> Result<(), Error> {
    let value = repl.evaluate(text)?;
    let (file, line) = repl.with(|session, _| place(session, value))?;
    let named = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok());
    let named = named.filter(|editor| !editor.trim().is_empty()).unwrap_or_else(|| "cat".to_owned());
    let mut words = named.split_whitespace();
    let program = words.next().unwrap_or("cat");
    let mut command = Command::new(program);
    command.args(words);
    if line > 0 && WITH_LINES.iter().any(|name| program.contains(name)) {
        command.arg(format!("+{line}"));
    }
    outside::run(command.arg(file), program)
}

/// The file and line where a value is defined: a path or string names the file itself, a function is where it is
/// written, and of a package `meta.position` tells it.
fn place(session: &mut Session, value: Value) -> Result<(String, u32), nival_engine::Error> {
    let how = Coercion { more: false, copy_to_store: false };
    let evaluator = session.evaluator();
    match evaluator.kind(value)? {
        Kind::Path | Kind::String => Ok((evaluator.coerce_to_string(value, how)?.0, 0)),
        Kind::Function => match evaluator.function_position(value) {
            Some(span) => {
                let file = evaluator.sources().name(span.source).to_owned();
                Ok((file, evaluator.sources().position(span.source, span.start).line))
            }
            None => Err(session.no_derivation(value)),
        },
        _ => {
            let meta = evaluator.select(value, "meta")?;
            let position = evaluator.select(meta, "position")?;
            let text = evaluator.coerce_to_string(position, how)?.0;
            let (file, line) = text.rsplit_once(':').unwrap_or((&text, "0"));
            Ok((file.to_owned(), line.parse().unwrap_or(0)))
        }
    }
}
