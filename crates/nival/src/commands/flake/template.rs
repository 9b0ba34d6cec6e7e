//! `nival flake init` and `nival flake new`

use super::{LockArguments, locked, reference, typed, with_session};
use crate::building;
use crate::building::Building;
use crate::commands::evaluation::Evaluation;
use crate::context::{Context, absolute, current_folder};
use crate::error::{Error, unwritable};
use clap::Args;
use nival_build::Request;
use nival_diagnostics::Diagnostic;
use nival_engine::OutputSearch;
use nival_eval::{Coercion, ContextElement};
use nival_sys::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed behind `nival flake init`.
#[derive(Args)]
pub struct Init {
    #[command(flatten)]
    template: Template,
}

/// What can be typed behind `nival flake new`.
#[derive(Args)]
pub struct New {
    /// The folder that is made
    folder: PathBuf,
    #[command(flatten)]
    template: Template,
}

#[derive(Args)]
struct Template {
    /// The template, by its flake and name
    #[arg(short = 't', long, value_name = "FLAKE", default_value = "templates")]
    template: String,
    #[command(flatten)]
    lock: LockArguments,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// Copies a template into the current folder.
pub fn init(context: &mut Context, arguments: &Init) -> Result<ExitCode, Error> {
    copy(context, &arguments.template, Path::new(&current_folder()))
}

/// Copies a template into a new folder.
pub fn new(context: &mut Context, arguments: &New) -> Result<ExitCode, Error> {
    let folder = absolute(arguments.folder.clone());
    fs::create_dir_all(&folder).map_err(|error| Error::plain(unwritable(&folder, &error)))?;
    copy(context, &arguments.template, &folder)
}

fn copy(context: &mut Context, template: &Template, folder: &Path) -> Result<ExitCode, Error> {
    let (mut session, progress) = building::session(
        context,
        &template.evaluation,
        &Building::default(),
        &typed(Some(&template.template)),
    )?;
    let (source, welcome, requests) = with_session(context, &mut session, |context, session| {
        let (reference, fragment) = reference(session, Some(&template.template))?;
        let flags = template.lock.flags(session)?;
        let locked = locked(context, session, &reference, &flags)?;
        let search = OutputSearch {
            prefixes: vec!["templates.".to_owned()],
            defaults: vec!["templates.default".to_owned(), "defaultTemplate".to_owned()],
        };
        let (value, _) = session.flake_output(&locked, &fragment, &search)?;
        let ev = session.evaluator();
        let path = ev.select(value, "path")?;
        let (path, elements) = ev.coerce_to_string(path, Coercion { more: false, copy_to_store: true })?;
        let elements: Vec<ContextElement> = ev.context_elements(elements);
        let welcome = match ev.select_opt(value, "welcomeText")? {
            Some(text) => Some(ev.expect_string_context(text)?.0),
            None => None,
        };
        let requests = elements.iter().map(|element| session.request_of(element));
        Ok((path, welcome, requests.collect::<Result<Vec<Request>, _>>()?))
    })?;
    let (_, code) = building::build(context, session.builds(), &progress, &requests, &Building::default())?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let store = context.store()?;
    let (path, inner) = store.dir().parse_prefix(&source).map_err(nival_store::Error::Name)?;
    let source = store.physical(&path).join(inner.trim_start_matches('/'));
    let mut made = Made::default();
    made.copy(&source, folder)?;
    for file in &made.files {
        context.output.say(&format!("wrote: \"{}\"", file.display()));
    }
    if !made.files.is_empty() && folder.ancestors().any(|folder| folder.join(".git").exists()) {
        let mut git = std::process::Command::new("git");
        git.arg("-C").arg(folder).args(["add", "--force", "--intent-to-add", "--"]).args(&made.files);
        // Without the program the files are there all the same; only git does not know them.
        let _ = nival_sys::process::spawn(&mut git).and_then(|mut git| git.wait());
    }
    if let Some(text) = welcome {
        context.output.say(&format!("\n{}", text.trim_end()));
    }
    match made.conflicts.as_slice() {
        [] => Ok(ExitCode::SUCCESS),
        conflicts => {
            let all: Vec<_> = conflicts.iter().map(|path| path.display().to_string()).collect();
            let message = format!("{} files of the template are there with other contents", conflicts.len());
            Err(Error::plain(
                Diagnostic::error(&crate::diagnostics::in_the_way::ENTRY, message)
                    .note(format!("they were left as they are: {}", all.join(", ")))
                    .help("move them away, or merge them by hand"),
            ))
        }
    }
}

/// What was copied, and what was in the way.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    conflicts: Vec<PathBuf>,
}

impl Made {
    fn copy(&mut self, from: &Path, to: &Path) -> Result<(), Error> {
        let unreadable = |error| crate::stores::unreadable(&from.display().to_string())(error);
        let cannot_write = |error: std::io::Error| Error::plain(unwritable(to, &error));
        let kind = from.symlink_metadata().map_err(unreadable)?.file_type();
        let there = to.symlink_metadata().ok();
        if kind.is_dir() {
            if there.is_none() {
                fs::create_dir_all(to).map_err(cannot_write)?;
            }
            let mut names = Vec::new();
            for entry in from.read_dir().map_err(unreadable)? {
                names.push(entry.map_err(unreadable)?.file_name());
            }
            names.sort();
            return names.iter().try_for_each(|name| self.copy(&from.join(name), &to.join(name)));
        }
        if kind.is_symlink() {
            let target = from.read_link().map_err(unreadable)?;
            match there {
                None => fs::symlink(&target, to).map_err(cannot_write)?,
                Some(_) if to.read_link().ok().as_ref() == Some(&target) => return Ok(()),
                Some(_) => {
                    self.conflicts.push(to.to_owned());
                    return Ok(());
                }
            }
        } else {
            let contents = std::fs::read(from).map_err(unreadable)?;
            match there {
                None => {
                    use std::os::unix::fs::PermissionsExt as _;
                    let mode = from.metadata().map_err(unreadable)?.permissions().mode();
                    let mode = if mode & 0o100 == 0 { 0o644 } else { 0o755 };
                    fs::write_atomic(to, &contents, mode).map_err(cannot_write)?;
                }
                Some(_) if std::fs::read(to).ok().as_ref() == Some(&contents) => return Ok(()),
                Some(_) => {
                    self.conflicts.push(to.to_owned());
                    return Ok(());
                }
            }
        }
        self.files.push(to.to_owned());
        Ok(())
    }
}
