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
    /// The folder to write to; it is made where it is missing
    #[arg(default_value = ".")]
    folder: PathBuf,
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
    let prefix = format!("templates/{}/", arguments.template.name());
    let files: Vec<_> = nival_engine::library_files()
        .filter_map(|(name, contents)| Some((name.strip_prefix(&prefix)?, contents)))
        .collect();
    for (name, _) in &files {
        let target = arguments.folder.join(name);
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
        let target = arguments.folder.join(name);
        let folder = target.parent().unwrap_or(&arguments.folder).to_owned();
        let write = || fs::create_dir_all(&folder).and_then(|()| fs::write_atomic(&target, contents, 0o644));
        write().map_err(|error| Error::plain(crate::error::unwritable(&target, &error)))?;
        written.push(target.display().to_string());
    }
    let text =
        format!("wrote {}\n\nnext:  nival up --detach {}", written.join(", "), arguments.folder.display());
    context.output.result(&text, || json!({ "written": written }));
    Ok(ExitCode::SUCCESS)
}
