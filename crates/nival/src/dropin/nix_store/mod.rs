//! `nix-store`

mod archives;
mod collecting;
mod graphs;
mod paths;
mod query;
mod registry;

pub use collecting::{bytes, freed};
pub use registry::repair_one;

use super::words::{Words, usage};
use crate::context::{Context, absolute};
use crate::error::Error;
use nival_store::LocalStore;
use nival_store_model::StorePath;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// The operations: name, other names, what it does.
const OPERATIONS: &[(&str, &[&str], Operation)] = &[
    ("--realise", &["--realize", "-r"], paths::realise),
    ("--add", &["-A"], paths::add),
    ("--add-fixed", &[], paths::add_fixed),
    ("--print-fixed-path", &[], paths::print_fixed_path),
    ("--delete", &[], collecting::delete),
    ("--gc", &[], collecting::collect),
    ("--query", &["-q"], query::query),
    ("--print-env", &[], paths::print_environment),
    ("--read-log", &["-l"], paths::read_log),
    ("--dump-db", &[], registry::dump),
    ("--load-db", &[], registry::load),
    ("--register-validity", &[], registry::register),
    ("--check-validity", &[], registry::check),
    ("--dump", &[], archives::dump),
    ("--restore", &[], archives::restore),
    ("--export", &[], archives::export),
    ("--import", &[], archives::import),
    ("--serve", &[], serve),
    ("--init", &[], registry::init),
    ("--verify", &[], registry::verify),
    ("--verify-path", &[], registry::verify_path),
    ("--repair-path", &[], registry::repair_path),
    ("--optimise", &["--optimize"], registry::optimise),
    ("--generate-binary-cache-key", &[], paths::generate_key),
];

type Operation = fn(&mut Call<'_>) -> Result<ExitCode, Error>;

/// One call: what was typed, and what it works with.
struct Call<'a> {
    context: &'a mut Context,
    /// Options of the operation.
    flags: Vec<String>,
    /// Everything else.
    words: Vec<String>,
    /// Where a root is to be made.
    root: Option<PathBuf>,
    no_output: bool,
    verbose: u8,
}

/// Does what `nix-store` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let parsed = match Words::read(words) {
        Ok(parsed) => parsed,
        Err(error) => return super::run(&super::Common::default(), |_| Err(error)),
    };
    if parsed.version {
        println!("nix-store {}", crate::dropin::VERSION);
        return ExitCode::SUCCESS;
    }
    super::run(&parsed.common.clone(), |context| {
        let (operation, mut call) = read(context, parsed)?;
        operation(&mut call)
    })
}

fn read(context: &mut Context, parsed: Words) -> Result<(Operation, Call<'_>), Error> {
    let verbose = parsed.common.verbose;
    let mut call =
        Call { context, flags: Vec::new(), words: Vec::new(), root: None, no_output: false, verbose };
    let mut found: Option<(&str, Operation)> = None;
    let mut from_input = false;
    let mut rest = parsed.rest.into_iter();
    while let Some(word) = rest.next() {
        // Within a query short letters mean other things.
        let operation = OPERATIONS.iter().find(|(name, others, _)| {
            *name == word || others.contains(&word.as_str()) && (found.is_none() || word != "-r")
        });
        match (operation, word.as_str()) {
            (Some((name, _, operation)), _) => {
                if found.is_some_and(|(before, _)| before != *name) {
                    return Err(usage("only one operation may be specified"));
                }
                found = Some((name, *operation));
            }
            (_, "--help") => call.flags.push(word),
            (_, "--add-root") => {
                let link = rest.next().ok_or_else(|| usage("`--add-root` needs a link"))?;
                call.root = Some(absolute(PathBuf::from(link)));
            }
            // Every root is an indirect one.
            (_, "--indirect") => {}
            (_, "--stdin") => from_input = !std::io::stdin().is_terminal(),
            (_, "--no-output") => call.no_output = true,
            (_, "--max-freed" | "-j" | "--max-jobs" | "--cores" | "--timeout" | "--max-silent-time") => {
                let value = rest.next().ok_or_else(|| usage(&format!("`{word}` needs a value")))?;
                call.flags.extend([word, value]);
            }
            (_, other) if other.starts_with('-') && other != "-" => call.flags.push(word),
            _ => call.words.push(word),
        }
    }
    let Some((name, operation)) = found else {
        if call.flags.iter().any(|flag| flag == "--help") {
            return Ok((help, call));
        }
        return Err(usage("no operation specified"));
    };
    if from_input && !["--import", "--restore", "--serve"].contains(&name) {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| failed("read standard input", error))?;
        call.words.extend(text.split_whitespace().map(str::to_owned));
    }
    if call.flags.iter().any(|flag| flag == "--help") {
        return Ok((help, call));
    }
    Ok((operation, call))
}

/// Serves one client by input and output; what changes the store with `--write` only.
fn serve(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let may_write = call.take(&["--write"]);
    call.no_more_flags()?;
    super::nix_daemon::serve(call.context, super::nix_daemon::Protocol::Legacy { may_write })
}

fn help(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let mut text = "Usage: nix-store OPERATION [OPTION]... [PATH]...\n\nOperations:\n".to_owned();
    for (name, others, _) in OPERATIONS {
        text.push_str(&format!("  {}\n", [&[*name], *others].concat().join(", ")));
    }
    call.context.output.text(&text, false);
    Ok(ExitCode::SUCCESS)
}

/// Something of the operating system's that did not work.
fn failed(doing: &str, error: std::io::Error) -> Error {
    Error::from(nival_store::Error::Io { doing: doing.to_owned(), error })
}

impl Call<'_> {
    fn store(&mut self) -> Result<Arc<LocalStore>, Error> {
        self.context.store()
    }

    /// Takes an option out; whether it was there.
    fn take(&mut self, names: &[&str]) -> bool {
        let before = self.flags.len();
        self.flags.retain(|flag| !names.contains(&flag.as_str()));
        self.flags.len() != before
    }

    /// Takes an option with its value out.
    fn take_value(&mut self, name: &str) -> Option<String> {
        let at = self.flags.iter().position(|flag| flag == name)?;
        self.flags.remove(at);
        Some(self.flags.remove(at))
    }

    /// Refuses options that nobody took.
    fn no_more_flags(&self) -> Result<(), Error> {
        match self.flags.first() {
            Some(flag) => Err(usage(&format!("unknown flag `{flag}`"))),
            None => Ok(()),
        }
    }

    /// Refuses words that are no options.
    fn no_words(&self) -> Result<(), Error> {
        if self.words.is_empty() { Ok(()) } else { Err(usage("no arguments expected")) }
    }

    /// The paths that the words name.
    fn paths(&mut self) -> Result<Vec<StorePath>, Error> {
        let store = self.store()?;
        self.words.iter().map(|word| store_path(&store, word)).collect()
    }

    fn print(&self, text: &str) {
        self.context.output.text(text, true);
    }
}

/// The store path that a word names, through links as far as they lead outside of the store.
pub fn store_path(store: &LocalStore, word: &str) -> Result<StorePath, Error> {
    let mut place = absolute(PathBuf::from(word));
    for _ in 0..64 {
        if let Some(path) = store.in_store(&place) {
            return Ok(path);
        }
        let Ok(target) = place.read_link() else { break };
        place = normal(&place.parent().unwrap_or(Path::new("/")).join(target));
    }
    // A folder above may be the link.
    let whole = place.canonicalize().ok();
    if let Some(path) = whole.and_then(|place| {
        store.in_store(&place).or_else(|| {
            let inner = place.strip_prefix(&store.config().physical).ok()?;
            StorePath::parse(inner.components().next()?.as_os_str().to_str()?).ok()
        })
    }) {
        return Ok(path);
    }
    store.dir().parse(word).map_err(|error| Error::from(nival_store::Error::from(error)))
}

/// A path without `.` and `..`, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts
}
