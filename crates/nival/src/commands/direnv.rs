//! `nival direnv`: the environment of `nival develop` for direnv, by a line of `.envrc`: `eval "$(nival direnv)"`.
//!
//! What was printed is kept in `.direnv/nival` with the times and sizes of all that the evaluation looked at, and a root that
//! keeps what the environment needs. As long as none of them changed, the same is printed again and nothing is evaluated.

use crate::build_environment::quoted;
use crate::building::Building;
use crate::commands::develop::{Found, find, script};
use crate::commands::evaluation::Evaluation;
use crate::commands::wanted::Wanted;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_engine::Seen;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed behind `nival direnv`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// More entries of trees that were copied are not looked at one by one: such an environment is evaluated each time.
const MOST: usize = 20_000;

/// Prints the script for direnv.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let kept = Kept::of(context)?;
    if let Some(script) = kept.current() {
        context.output.text(&script, false);
        return Ok(ExitCode::SUCCESS);
    }
    let store = context.store()?;
    if store.config().physical != Path::new(store.dir().as_str()) {
        let text = "warning: the store lies elsewhere, so that shells of this host do not find its programs; `nival develop` does";
        context.output.say(text);
    }
    let found = find(context, &arguments.wanted, &arguments.evaluation, &arguments.building);
    match (found, kept.script()) {
        (Ok(Ok(found)), _) => {
            let text = kept.keep(context, &arguments.wanted, &found)?;
            context.output.text(&text, false);
            Ok(ExitCode::SUCCESS)
        }
        // Half an environment is worse than the one that was: it stays until the fault is mended.
        (Err(error), Some(before)) => {
            context.output.error(&error);
            context.output.say("the environment stays as it was before");
            context.output.text(&before, false);
            Ok(ExitCode::SUCCESS)
        }
        (Ok(Err(_)), Some(before)) => {
            context.output.say("the environment stays as it was before");
            context.output.text(&before, false);
            Ok(ExitCode::SUCCESS)
        }
        (Ok(Err(code)), None) => {
            context.output.text("false", true);
            Ok(code)
        }
        (Err(error), None) => {
            // Bash goes on behind a command that failed within `$(...)`; this fails where it is evaluated.
            context.output.text("false", true);
            Err(error)
        }
    }
}

/// What is kept of an environment, for these words in this folder.
struct Kept {
    folder: PathBuf,
    key: String,
}

impl Kept {
    fn of(context: &Context) -> Result<Self, Error> {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let own = std::env::current_exe().ok().and_then(|own| mark(&own));
        let words: Vec<_> = std::env::args_os().skip(1).collect();
        let variables = ["NIX_PATH", "NIX_CONFIG", "NIX_REMOTE", "NIX_STORE_DIR"].map(std::env::var_os);
        let all = format!("{words:?} {variables:?} {own:?} {}", context.data.display());
        let folder = here.join(".direnv/nival");
        nival_sys::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        Ok(Self { folder, key: nival_engine::short_hash(all.as_bytes()) })
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", self.key))
    }

    /// What was printed the last time.
    fn script(&self) -> Option<String> {
        std::fs::read_to_string(self.file("sh")).ok()
    }

    /// What was printed the last time, if all is as it was then.
    fn current(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.file("json")).ok()?;
        let marks: BTreeMap<String, Json> = serde_json::from_str(&text).ok()?;
        let is_same = |(path, then): (&String, &Json)| json!(mark(Path::new(path))) == *then;
        // The root leads to nothing where somebody collected what it kept.
        let link = self.file("root");
        let is_rooted = link.symlink_metadata().is_ok();
        (is_rooted && marks.iter().all(is_same)).then(|| self.script()).flatten()
    }

    /// Keeps what an environment is and what it depends on; the script.
    fn keep(&self, context: &mut Context, wanted: &Wanted, found: &Found) -> Result<String, Error> {
        let files = depended(&root_of(wanted), &found.seen);
        let mut text = String::from("type watch_file > /dev/null 2>&1 && watch_file");
        for file in &files {
            text.push_str(&format!(" {}", quoted(&file.to_string_lossy())));
        }
        // The builder's temporary folders are none of the shell's.
        text.push_str("\nfor nival_name in NIX_BUILD_TOP TMP TMPDIR TEMP TEMPDIR; do\n");
        text.push_str("  eval \"nival_was_$nival_name=\\${$nival_name-} nival_is_$nival_name=\\${$nival_name+set}\"\ndone\n");
        text.push_str(&script(found, &self.folder)?);
        text.push_str("\nfor nival_name in NIX_BUILD_TOP TMP TMPDIR TEMP TEMPDIR; do\n");
        text.push_str("  if eval \"[ -n \\\"\\$nival_is_$nival_name\\\" ]\"; then eval \"export $nival_name=\\$nival_was_$nival_name\"; else unset \"$nival_name\"; fi\n");
        text.push_str("  unset \"nival_was_$nival_name\" \"nival_is_$nival_name\"\ndone\nunset nival_name\n");
        if let Some(path) = &found.said {
            context.store()?.add_indirect_root(&self.file("root"), path)?;
        }
        let write = |kind: &str, text: &str| {
            let path = self.file(kind);
            nival_sys::fs::write_atomic(&path, text.as_bytes(), 0o644)
                .map_err(|error| unwritable(&path, &error))
        };
        write("sh", &text)?;
        let marks: BTreeMap<String, Json> =
            files.iter().map(|file| (file.to_string_lossy().into_owned(), json!(mark(file)))).collect();
        if marks.len() <= MOST {
            write("json", &json!(marks).to_string())?;
        }
        Ok(text)
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::plain(crate::error::unwritable(path, error))
}

/// What tells one state of a file from another: its time, size and number. `None` where it is not there.
fn mark(path: &Path) -> Option<(i64, i64, u64, u64)> {
    let found = path.metadata().ok()?;
    Some((found.mtime(), found.mtime_nsec(), found.len(), found.ino()))
}

/// The folder of the flake that is meant, if it is one of this disk.
fn root_of(wanted: &Wanted) -> PathBuf {
    let text = wanted.target.as_deref().unwrap_or(".");
    let place = text.split(['#', '?']).next().unwrap_or_default().trim_start_matches("path:");
    let place = if place.is_empty() { "." } else { place };
    crate::context::absolute(PathBuf::from(place))
}

/// The files that what was seen depends on. A flake is read from its copy in the store: its own files stand for that.
fn depended(root: &Path, seen: &Seen) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    let outside = |path: &str| -> Option<PathBuf> {
        match path.strip_prefix("/nix/store/") {
            None => Some(PathBuf::from(path)),
            Some(inner) => {
                let (_, rest) = inner.split_once('/')?;
                Some(root.join(rest)).filter(|own| own.exists())
            }
        }
    };
    for path in seen.files.iter().filter(|path| path.starts_with('/')) {
        all.extend(outside(path));
    }
    for tree in seen.trees.iter().filter_map(|path| outside(path)) {
        entries(&tree, &mut all);
    }
    if root.join("flake.nix").exists() {
        all.extend(["flake.nix", "flake.lock"].map(|name| root.join(name)));
    }
    all
}

fn entries(place: &Path, all: &mut BTreeSet<PathBuf>) {
    // What is written here is no part of it.
    let is_own = place.file_name().is_some_and(|name| name == ".direnv" || name == ".git");
    if is_own || all.len() > MOST {
        return;
    }
    all.insert(place.to_owned());
    if place.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        for entry in place.read_dir().into_iter().flatten().flatten() {
            entries(&entry.path(), all);
        }
    }
}
