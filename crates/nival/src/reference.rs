//! The generated reference: commands, options of modules, error codes.

use crate::arguments::{Arguments, Shared, When};
use crate::catalogue;
use crate::context::Context;
use crate::error::{Error, unwritable};
use crate::output::Output;
use clap::CommandFactory as _;
use nival_diagnostics::Example;
use nival_sys::fs;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

const MADE: &str = "<!-- Made by `cargo xtask docs` from the program itself. -->\n";

/// `nival internal reference FOLDER`: with a store of its own, so that nothing of the user's is touched.
pub fn main(folder: &Path) -> ExitCode {
    let output = Output::new(When::Never, false);
    let data = std::env::temp_dir().join(format!("nival-reference-{}", std::process::id()));
    let shared = Shared { data_dir: Some(data.clone()), store: None, timings: false, show_trace: false };
    let result = Context::new(&shared, &output).and_then(|mut context| write(&mut context, folder));
    let _ = fs::remove_tree(&data);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Writes `commands.md`, `services.md`, `options.md`, `library.md` and `errors.md` into a folder.
fn write(context: &mut Context, folder: &Path) -> Result<(), Error> {
    let options = options(context)?;
    let mut services =
        format!("{MADE}<!-- Each service of the library; `nival service NAME` shows the same. -->\n");
    for name in nival_engine::service_names() {
        let manual = crate::commands::service::manual(context, &name)?;
        services.push_str(&crate::commands::service::page(&manual));
        services.push('\n');
    }
    let pages = [
        ("services.md", services),
        ("commands.md", commands()),
        ("errors.md", errors()),
        ("library.md", library()),
        ("options.md", options),
    ];
    for (name, text) in pages {
        let path = folder.join(name);
        let written =
            fs::create_dir_all(folder).and_then(|()| fs::write_atomic(&path, text.as_bytes(), 0o644));
        written.map_err(|error| Error::plain(unwritable(&path, &error)))?;
    }
    Ok(())
}

fn commands() -> String {
    let mut text = format!("{MADE}# Commands\n");
    let mut command = Arguments::command().term_width(100);
    command.build();
    describe(&mut text, &command, "");
    text
}

fn describe(text: &mut String, command: &clap::Command, parent: &str) {
    let name = format!("{parent}{}", command.get_name());
    let help = command.clone().disable_version_flag(true).render_long_help();
    let _ = write!(text, "\n## `{name}`\n\n```text\n{}\n```\n", trimmed(&help.to_string()));
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        describe(text, sub, &format!("{name} "));
    }
}

/// The text without spaces at the ends of lines.
fn trimmed(text: &str) -> String {
    text.trim().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn errors() -> String {
    let mut text = format!("{MADE}# Error codes\n");
    for entry in catalogue::entries() {
        let _ = write!(text, "\n## {}: {}\n\n{}\n\n", entry.code, entry.title, entry.page.trim());
        let _ = match entry.example {
            Example::Expression(code) => {
                write!(text, "```nix\n{}\n```\n", code.trim().replace('\0', "\u{2400}"))
            }
            Example::Configuration(code) => {
                write!(text, "```nix\n# configuration.nix\n{}\n```\n", code.trim().replace('\0', "\u{2400}"))
            }
            Example::Situation { story, .. } => writeln!(text, "Example: {story}"),
        };
    }
    text
}

fn library() -> String {
    let mut text = format!(
        "{MADE}# Library\n\nThe functions that modules and `nival eval -E` have as `lib`. Others have the names and meanings of nixpkgs' \
         library.\n"
    );
    for function in nival_engine::library_functions() {
        let _ = write!(text, "\n## `lib.{}`\n\n{}\n", function.name, function.description);
        if !function.examples.is_empty() {
            text.push_str("\n```nix\n");
            for (expression, value) in &function.examples {
                let _ = writeln!(text, "{expression}\n# {value}");
            }
            text.push_str("```\n");
        }
    }
    text
}

fn options(context: &mut Context) -> Result<String, Error> {
    let mut session = context.session()?;
    let machine = session.empty_machine();
    let options = machine.and_then(|machine| machine.options(&mut session));
    let options = options.map_err(|error| context.failed(&session, &error))?;
    let mut text =
        format!("{MADE}# Options\n\nWhat a configuration can say. `<name>` stands for a name of your own.\n");
    for option in options.iter().filter(|option| !option.internal) {
        let _ = write!(text, "\n## `{}`\n\n{}\n\n", option.name, option.description.trim());
        let _ = writeln!(text, "- takes: {}", option.takes);
        if let Some(default) = &option.default {
            let _ = writeln!(text, "- default: `{default}`");
        }
        if let Some(example) = &option.example {
            let _ = writeln!(text, "- example: `{example}`");
        }
    }
    Ok(text)
}
