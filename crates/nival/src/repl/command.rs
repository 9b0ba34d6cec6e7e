//! Commands: lines that begin with a colon.

use super::documentation::document;
use super::{Repl, edit};
use crate::diagnostics::usage;
use crate::error::Error;
use nival_diagnostics::Diagnostic;

/// What `:?` says.
const HELP: &str = "The following commands are available:

  <expr>                       Evaluate and print expression
  <x> = <expr>                 Bind expression to variable
  :a, :add <expr>              Add attributes from resulting set to scope
  :b <expr>                    Build a derivation
  :bl <expr>                   Build a derivation, creating GC roots in the
                               working directory
  :e, :edit <expr>             Open package or function in $EDITOR
  :i <expr>                    Build derivation, then install result into
                               current profile
  :l, :load <path>             Load Nix expression and add it to scope
  :lf, :load-flake <ref>       Load Nix flake and add it to scope
  :ll, :last-loaded            Show most recently loaded variables added to scope
  :p, :print <expr>            Evaluate and print expression recursively
                               Strings are printed directly, without escaping.
  :q, :quit                    Exit
  :r, :reload                  Reload all files
  :sh <expr>                   Build dependencies of derivation, then start
                               nix-shell
  :t <expr>                    Describe result of evaluation
  :u <expr>                    Build derivation, then start nix-shell
  :doc <expr>                  Show documentation of a function or attribute
  :log <expr>                  Show logs for a derivation
  :te, :trace-enable [bool]    Enable, disable or toggle showing traces for
                               errors
  :?, :help                    Brings up this help menu";

/// A command with what stands behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Add(String),
    Build { expression: String, link: bool },
    Documentation(String),
    Edit(String),
    Install(String),
    LastLoaded,
    Load(String),
    LoadFlake(String),
    Log(String),
    Print(String),
    Quit,
    Reload,
    Shell(String),
    ShellWith(String),
    Trace(Option<bool>),
    Type(String),
}

fn wrong(message: String) -> Error {
    Error::plain(Diagnostic::error(&usage::ENTRY, message).help("`:?` lists all commands"))
}

impl Command {
    /// The command of a line that begins with a colon.
    pub(super) fn parse(line: &str) -> Option<Result<Self, Error>> {
        if !line.starts_with(':') {
            return None;
        }
        let end = line.find(char::is_whitespace).unwrap_or(line.len());
        let (name, rest) = (&line[..end], line[end..].trim());
        let with = |make: fn(String) -> Self| Ok(make(rest.to_owned()));
        Some(match name {
            ":?" | ":help" => Ok(Self::Help),
            ":a" | ":add" => with(Self::Add),
            ":b" | ":bl" => Ok(Self::Build { expression: rest.to_owned(), link: name == ":bl" }),
            ":doc" => with(Self::Documentation),
            ":e" | ":edit" => with(Self::Edit),
            ":i" => with(Self::Install),
            ":ll" | ":last-loaded" => Ok(Self::LastLoaded),
            ":l" | ":load" => with(Self::Load),
            ":lf" | ":load-flake" if rest.is_empty() => {
                Err(wrong("`:load-flake` needs a flake, such as `.` for the current folder".to_owned()))
            }
            ":lf" | ":load-flake" => with(Self::LoadFlake),
            ":log" => with(Self::Log),
            ":p" | ":print" => with(Self::Print),
            ":q" | ":quit" => Ok(Self::Quit),
            ":r" | ":reload" => Ok(Self::Reload),
            ":sh" => with(Self::Shell),
            ":u" => with(Self::ShellWith),
            ":t" => with(Self::Type),
            ":te" | ":trace-enable" => match rest {
                "" => Ok(Self::Trace(None)),
                "true" => Ok(Self::Trace(Some(true))),
                "false" => Ok(Self::Trace(Some(false))),
                other => Err(wrong(format!("unexpected argument '{other}' to {name}"))),
            },
            _ => Err(wrong(format!("unknown command '{name}'"))),
        })
    }

    /// The expression behind the command, where one belongs there.
    pub(super) fn expression(&self) -> Option<&str> {
        match self {
            Self::Add(text)
            | Self::Build { expression: text, .. }
            | Self::Documentation(text)
            | Self::Edit(text)
            | Self::Install(text)
            | Self::Log(text)
            | Self::Print(text)
            | Self::Shell(text)
            | Self::ShellWith(text)
            | Self::Type(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }
}

impl Repl<'_> {
    /// Does what a command asks for.
    pub(super) fn obey(&mut self, command: &Command) -> Result<(), Error> {
        match command {
            Command::Help => println!("{HELP}"),
            Command::Add(text) => {
                let value = self.evaluate(text)?;
                self.add(value)?;
            }
            Command::Build { expression, link } => self.build(expression, *link)?,
            Command::Documentation(text) => println!("{}", document(self, text)?),
            Command::Edit(text) => {
                edit::edit(self, text)?;
                self.reload()?;
            }
            Command::Install(text) => self.run_with_derivation("nix-env", &["-i"], text)?,
            Command::LastLoaded => self.last_loaded()?,
            Command::Load(file) => {
                self.with(|session, _| {
                    session.forget_files();
                    Ok(())
                })?;
                self.load_file(file)?;
            }
            Command::LoadFlake(flake) => self.load_flake(flake)?,
            Command::Log(text) => self.log(text)?,
            Command::Print(text) => self.print_all(text)?,
            Command::Quit => {}
            Command::Reload => self.reload()?,
            Command::Shell(text) => self.run_with_derivation("nix-shell", &[], text)?,
            Command::ShellWith(text) => {
                let text = format!(
                    "(import <nixpkgs> {{}}).runCommand \"shell\" {{ buildInputs = [ ({text}\n) ]; }} \"\""
                );
                self.run_with_derivation("nix-shell", &[], &text)?;
            }
            Command::Trace(wanted) => {
                let shown = wanted.unwrap_or(!self.context.show_trace);
                self.context.show_trace = shown;
                println!("{}showing error traces", if shown { "" } else { "not " });
            }
            Command::Type(text) => println!("{}", self.type_of(text)?),
        }
        Ok(())
    }

    fn last_loaded(&self) -> Result<(), Error> {
        let state = self.state.borrow();
        let names = state.scope.last().ok_or_else(|| wrong("nothing has been loaded yet".to_owned()))?;
        println!("{}", names.join("\n"));
        Ok(())
    }

    /// Prints all levels of a value; a string as it is.
    fn print_all(&self, text: &str) -> Result<(), Error> {
        let value = self.evaluate(text)?;
        let is_string = self.with(|session, _| {
            let evaluator = session.evaluator();
            match evaluator.kind(value)? {
                nival_eval::Kind::String => Ok(Some(evaluator.expect_string_context(value)?.0)),
                _ => Ok(None),
            }
        })?;
        match is_string {
            Some(text) => println!("{text}"),
            None => self.print(text, usize::MAX)?,
        }
        Ok(())
    }

    fn type_of(&self, text: &str) -> Result<String, Error> {
        let value = self.evaluate(text)?;
        self.with(|session, _| {
            let evaluator = session.evaluator();
            if let Some((name, is_partial)) = evaluator.builtin_name(value) {
                let partial = if is_partial { "partially applied " } else { "" };
                return Ok(format!("the {partial}built-in function '{name}'"));
            }
            let name = match evaluator.type_name(value)? {
                "int" => "an integer",
                "float" => "a float",
                "bool" => "a Boolean",
                "string" if evaluator.has_context(value) => "a string with context",
                "string" => "a string",
                "path" => "a path",
                "null" => "null",
                "set" => "a set",
                "list" => "a list",
                _ => "a function",
            };
            Ok(name.to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Command;

    #[test]
    fn commands_have_long_and_short_names() {
        let read = |line: &str| Command::parse(line).and_then(Result::ok);
        assert_eq!(read(":bl  a b "), Some(Command::Build { expression: "a b".to_owned(), link: true }));
        assert_eq!(read(":load ./x.nix"), read(":l ./x.nix"));
        assert_eq!(read(":te"), Some(Command::Trace(None)));
        assert_eq!(read(":quit"), Some(Command::Quit));
        assert!(Command::parse("x: x").is_none());
        for wrong in [":te maybe", ":nothing", ":lf", ":"] {
            assert!(matches!(Command::parse(wrong), Some(Err(_))), "{wrong}");
        }
    }
}
