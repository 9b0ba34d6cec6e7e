//! `nival init`

use crate::context::Context;
use crate::diagnostics;
use crate::error::Error;
use clap::Args;
use nival_diagnostics::Diagnostic;
use nival_sys::fs;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival init`.
#[derive(Args)]
pub struct Arguments {
    /// The folder to write to, which is made where it is missing; or the word `service`, and then a name
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Behind the word `service`: the name of a service of your own, which is written into the folder of that name
    #[arg(conflicts_with = "template")]
    name: Option<String>,
    /// What to start from
    #[arg(long, value_enum, default_value = "web")]
    template: Template,
}

/// What to start from.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Template {
    /// A web server and a database
    Web,
    /// A machine with nothing but the base system
    Minimal,
    /// A service of your own
    Service,
}

impl Template {
    fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Minimal => "minimal",
            Self::Service => "service",
        }
    }
}

/// Writes a commented configuration; never over a file that is there.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (template, name) = match &arguments.name {
        None => (arguments.template.name(), None),
        Some(name) => ("own-service", Some(service_name(&arguments.folder, name)?)),
    };
    let folder = name.map_or_else(|| arguments.folder.clone(), PathBuf::from);
    let prefix = format!("templates/{template}/");
    let named = |text: &str| text.replace("NAME", name.unwrap_or("NAME"));
    let files: Vec<_> = nival_engine::library_files()
        .filter_map(|(file, contents)| Some((named(file.strip_prefix(&prefix)?), contents)))
        .map(|(file, contents)| (file, named(&String::from_utf8_lossy(contents))))
        .collect();
    for (name, _) in &files {
        let target = folder.join(name);
        if target.symlink_metadata().is_ok() {
            return Err(Error::plain(
                Diagnostic::error(
                    &diagnostics::in_the_way::ENTRY,
                    format!("the file is there already: `{}`", target.display()),
                )
                .help("name another folder, or move the file away"),
            ));
        }
    }
    let mut written = Vec::new();
    for (name, contents) in files {
        let target = folder.join(name);
        let parent = target.parent().unwrap_or(&folder).to_owned();
        let write = || {
            fs::create_dir_all(&parent).and_then(|()| fs::write_atomic(&target, contents.as_bytes(), 0o644))
        };
        write().map_err(|error| Error::plain(crate::error::unwritable(&target, &error)))?;
        written.push(target.display().to_string());
    }
    let mut text = format!("wrote {}\n\nnext:  nival up --detach {}", written.join(", "), folder.display());
    if name.is_some() {
        text.push_str(&format!("\ntest:  nival up --detach {}", folder.join("test.nix").display()));
        text.push_str(&format!("\nread:  nival service -c {0} {0}", folder.display()));
    }
    context.output.result(&text, || json!({ "written": written }));
    Ok(ExitCode::SUCCESS)
}

/// Checks `nival init service NAME`.
fn service_name<'a>(word: &std::path::Path, name: &'a str) -> Result<&'a str, Error> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    let message = if word.as_os_str() != "service" {
        format!("two words are given, and the first is not `service`: `{}`", word.display())
    } else if !first || !name.chars().all(fine) || name.len() > 24 {
        format!("a service's name has small letters, digits and `-`, at most 24 of them: `{name}`")
    } else {
        return Ok(name);
    };
    let diagnostic = Diagnostic::error(&diagnostics::usage::ENTRY, message);
    Err(Error::plain(diagnostic.help("write `nival init FOLDER`, or `nival init service NAME`")))
}
