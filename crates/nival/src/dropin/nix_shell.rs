//! `nix-shell`
//!
//! Everything that a derivation is built from is brought; then a shell starts that has read the standard
//! environment's setup. A script may begin with `#! /usr/bin/env nix-shell` and say in its next lines, each
//! beginning with `#! nix-shell`, which options it wants.

mod start;

use super::Common;
use crate::building::{self, Building};
use crate::commands::evaluation::{Evaluation, file_expression};
use crate::commands::installables::linked;
use crate::context::{Context, absolute, current_folder};
use crate::error::Error;
use crate::patterns::{Case, Pattern};
use clap::Parser;
use nival_build::{Request, Wanted};
use nival_diagnostics::Diagnostic;
use nival_engine::{Argument, Expression, Session};
use nival_store_model::{Derivation, StorePath};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Start a shell in which a derivation could be built
#[derive(Parser)]
#[command(name = "nix-shell", version = crate::dropin::VERSION, args_override_self = true)]
pub struct DropIn {
    /// The file with the derivation, `./shell.nix` or `./default.nix` where none is named; with `-p` packages
    words: Vec<String>,
    /// The words are packages of `<nixpkgs>`
    #[arg(short = 'p', long)]
    packages: bool,
    /// The word is an expression
    #[arg(short = 'E', long, alias = "expr")]
    expression: bool,
    /// Select what this path leads to
    #[arg(short = 'A', long = "attr", value_name = "PATH")]
    attribute: Option<String>,
    /// Run this in the shell, and end
    #[arg(long, value_name = "COMMAND", conflicts_with = "command")]
    run: Option<String>,
    /// Run this in the interactive shell
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// Clear the environment, but for what a shell needs
    #[arg(long, overrides_with = "impure_shell")]
    pure: bool,
    /// Keep the environment, as it is without options
    #[arg(long = "impure-shell", hide = true)]
    impure_shell: bool,
    /// Keep this variable where the environment is cleared
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Do not build what the shell needs and that is called so, a regular expression
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// With which program a script is run
    #[arg(short = 'i', value_name = "PROGRAM", default_value = "bash")]
    interpreter: String,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
    #[command(flatten)]
    common: Common,
}

/// A script that this program is the interpreter of, with its arguments.
pub struct Script {
    path: String,
    arguments: Vec<String>,
}

/// Does what `nix-shell` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let (words, script) = match of_script(&words) {
        Some((own, script)) => (own, Some(script)),
        None => (words, None),
    };
    let arguments = DropIn::parse_from(super::settings_as_options(words.into_iter()));
    super::run(&arguments.common, |context| start(context, &arguments, script.as_ref()))
}

/// The options of a script's own lines, and the script.
fn of_script(all: &[OsString]) -> Option<(Vec<OsString>, Script)> {
    let path = all.get(1)?.to_str()?;
    let text = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines();
    if path.starts_with('-') || !lines.next()?.starts_with("#!") {
        return None;
    }
    let mut own = vec![all[0].clone()];
    for line in lines {
        let Some(rest) = line.strip_prefix("#!").map(str::trim_start) else { continue };
        if let Some(options) = rest.strip_prefix("nix-shell") {
            own.extend(split(options).into_iter().map(OsString::from));
        }
    }
    let arguments = all[2..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
    Some((own, Script { path: path.to_owned(), arguments }))
}

/// The words of a line, as a shell splits it: quotes of both kinds, and backslashes.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(letters.next()),
            (letter, None) if letter.is_whitespace() => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

fn start(context: &mut Context, arguments: &DropIn, script: Option<&Script>) -> Result<ExitCode, Error> {
    let (mut session, progress) =
        building::session(context, &arguments.evaluation, &arguments.building, &[])?;
    let drv = context.evaluating(&mut session, |_, session| derivation(session, arguments, script));
    context.show_messages(&session);
    let drv = drv.map_err(|error| context.failed(&session, &error))?;
    let store = context.store()?;
    let derivation = store.read_derivation(&drv)?;
    let requests = inputs(&derivation, &arguments.exclude)?;
    let (_, code) = building::build(context, session.builds(), &progress, &requests, &arguments.building)?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    start::shell(context, arguments, &derivation, script)
}

/// The one derivation that is meant.
fn derivation(
    session: &mut Session,
    arguments: &DropIn,
    script: Option<&Script>,
) -> Result<StorePath, nival_engine::Error> {
    let base = current_folder();
    if let [word] = arguments.words.as_slice()
        && !arguments.packages
        && !arguments.expression
        && let Some(Request::Outputs(drv, _)) = linked(session, word)?
    {
        return Ok(drv);
    }
    let inside = ("inNixShell".to_owned(), Argument::Expression("true".to_owned(), base.clone()));
    let automatic = arguments.evaluation.automatic_with(session, &[inside])?;
    let value = session.evaluate(&expression(arguments, script, base))?;
    let value = session.select(value, arguments.attribute.as_deref().unwrap_or_default(), &automatic)?;
    let found = session.derivations(value, &automatic)?;
    let paths: BTreeSet<&String> = found.iter().map(|found| &found.drv_path).collect();
    match Vec::from_iter(paths).as_slice() {
        [only] => session.store_path(only),
        all => {
            let message = format!("nix-shell needs a single derivation, and {} were found", all.len());
            let entry = &nival_engine::diagnostics::no_environment::ENTRY;
            let diagnostic = Diagnostic::error(entry, message).help("select one of them with `-A`");
            Err(nival_engine::Error::Other(Box::new(diagnostic)))
        }
    }
}

fn expression(arguments: &DropIn, script: Option<&Script>, base: String) -> Expression {
    if arguments.packages {
        let packages: Vec<String> = arguments.words.iter().map(|word| format!("({word})")).collect();
        let text = format!(
            "{{ ... }}@arguments: with import <nixpkgs> (removeAttrs arguments [ \"inNixShell\" ]); (pkgs.runCommandCC or pkgs.runCommand) \"shell\" {{ buildInputs = [ {} ]; }} \"\"",
            packages.join(" ")
        );
        return Expression::Text(text, base);
    }
    if arguments.expression {
        return Expression::Text(arguments.words.join(" "), base);
    }
    // The files that a script names lie beside it.
    let folder =
        script.and_then(|script| Path::new(&script.path).parent().map(Path::to_owned)).unwrap_or_default();
    let usual = if folder.join("shell.nix").is_file() { "shell.nix" } else { "default.nix" };
    let word = arguments.words.first().map_or(usual, String::as_str);
    if word.contains("://") {
        return file_expression(word);
    }
    let path = absolute(folder.join(word));
    let shell = path.join("shell.nix");
    Expression::File(if shell.is_file() { shell } else { path }.to_string_lossy().into_owned())
}

/// What a derivation is built from, but for what is left out.
fn inputs(derivation: &Derivation, excluded: &[String]) -> Result<Vec<Request>, Error> {
    let wrong = |error| super::usage(&format!("`--exclude` takes a regular expression: {error}"));
    let excluded: Vec<Pattern> = excluded
        .iter()
        .map(|pattern| Pattern::of_parts(pattern, Case::Same).map_err(wrong))
        .collect::<Result<_, _>>()?;
    let is_left_out = |path: &StorePath| excluded.iter().any(|pattern| pattern.matches(path.base_name()));
    let derivations = derivation.input_derivations.iter().filter(|(path, _)| !is_left_out(path));
    let built =
        derivations.map(|(path, outputs)| Request::Outputs(path.clone(), Wanted::Names(outputs.clone())));
    let sources = derivation.input_sources.iter().filter(|path| !path.is_derivation());
    Ok(built.chain(sources.map(|path| Request::Path(path.clone()))).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_are_split_as_shells_do() {
        let words = super::split(r#" -i "python3 -u" -p 'a b' c\ d "" "#);
        assert_eq!(words, ["-i", "python3 -u", "-p", "a b", "c d", ""]);
    }
}
