//! `nival develop` and `nival print-dev-env`

use crate::build_environment::{Environment, quoted};
use crate::building::{self, Building};
use crate::commands::evaluation::Evaluation;
use crate::commands::wanted::{Surroundings, Wanted};
use crate::context::Context;
use crate::error::Error;
use crate::inside::{self, Program};
use clap::Args;
use nival_build::{Request, Wanted as Outputs};
use nival_diagnostics::Diagnostic;
use nival_engine::{OutputSearch, Seen, Session, environment_derivation};
use nival_eval::Value;
use nival_store_model::StorePath;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed behind `nival develop`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// What is done in the environment.
#[derive(Args)]
pub struct Work {
    /// Run this program with its arguments instead of a shell
    #[arg(short = 'c', long, num_args = 1.., allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Run a phase of the build, such as configure or check, instead of a shell
    #[arg(long, value_name = "NAME", conflicts_with = "command")]
    phase: Option<String>,
    #[command(flatten)]
    surroundings: Surroundings,
}

/// What can be typed behind `nival print-dev-env`.
#[derive(Args)]
pub struct PrintArguments {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// An environment, and the bash that builds with it.
pub struct Found {
    /// What was looked at of the disk to find it.
    pub seen: Seen,
    /// The path that says it; it refers to all that the environment needs.
    pub said: Option<StorePath>,
    environment: Environment,
    bash: String,
    name: String,
}

/// Starts a shell, a program or a phase in the environment of a derivation.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match find(context, &arguments.wanted, &arguments.evaluation, &arguments.building)? {
        Ok(found) => Err(start(context, &found, &arguments.work)),
        Err(code) => Ok(code),
    }
}

/// Replaces this process by what works in an environment; returns only with an error.
pub fn start(context: &mut Context, found: &Found, work: &Work) -> Error {
    match program(found, work) {
        Ok(program) => inside::run(context, &program),
        Err(error) => error,
    }
}

fn program(found: &Found, arguments: &Work) -> Result<Program, Error> {
    let folder = own_folder()?;
    let own = script(found, &folder)?;
    let interactive = arguments.command.is_empty() && arguments.phase.is_none();
    // What a structured derivation is described by lies beside the script, and stays for the shell.
    let mut text = format!(
        "{own}command rm -rf {}\ncommand rmdir {} 2> /dev/null || :\n",
        quoted(&folder.join("rc").to_string_lossy()),
        quoted(&folder.to_string_lossy())
    );
    if let Some(phase) = &arguments.phase {
        text.push_str(&format!(
            "foundMakefile=1\nrunHook {}Phase\n",
            phase.strip_suffix("Phase").unwrap_or(phase)
        ));
    } else if !interactive {
        let words: Vec<String> = arguments.command.iter().map(|word| quoted(word)).collect();
        text.push_str(&format!("exec {}\n", words.join(" ")));
    } else {
        let before = "[ -n \"$PS1\" ] && [ -e ~/.bashrc ] && source ~/.bashrc;\nshopt -u expand_aliases\n";
        let prompt = format!("\\n\\[\\033[1;32m\\][{}:\\w]\\$\\[\\033[0m\\] ", found.name);
        text = format!("{before}{text}shopt -s expand_aliases\n[ -z \"$PS1\" ] || PS1={}\n", quoted(&prompt));
    }
    let rc = folder.join("rc");
    nival_sys::fs::write_atomic(&rc, text.as_bytes(), 0o600).map_err(|error| unwritable(&rc, &error))?;
    let bash = if interactive { interactive_bash(&found.bash) } else { found.bash.clone().into() };
    let mut words: Vec<OsString> = Vec::new();
    if interactive {
        words.push("--rcfile".into());
    }
    words.push(rc.into());
    Ok(Program { name: bash, arguments: words, environment: arguments.surroundings.environment() })
}

/// A new folder that nobody else can have made or look into.
fn own_folder() -> Result<PathBuf, Error> {
    let process = std::process::id();
    for number in 0..1000 {
        let folder = std::env::temp_dir().join(format!("nival-develop-{process}-{number}"));
        match nival_sys::fs::create_dir(&folder).and_then(|()| nival_sys::fs::set_mode(&folder, 0o700)) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(&folder, &error)),
            Ok(()) => return Ok(folder),
        }
    }
    Err(unwritable(&std::env::temp_dir(), &std::io::ErrorKind::AlreadyExists.into()))
}

/// Prints the script that brings a shell into the environment, or the environment as JSON.
pub fn print(context: &mut Context, arguments: &PrintArguments) -> Result<ExitCode, Error> {
    let found = find(context, &arguments.wanted, &arguments.evaluation, &arguments.building)?;
    match found {
        Ok(found) => show(context, &found, context.output.is_json()),
        Err(code) => Ok(code),
    }
}

/// Prints an environment as a script or as JSON.
pub fn show(context: &Context, found: &Found, json: bool) -> Result<ExitCode, Error> {
    if json {
        context.output.text(&found.environment.to_json().to_string(), true);
        return Ok(ExitCode::SUCCESS);
    }
    let folder = context.data.join("cache/environments");
    let script = script(found, &folder)?;
    context.output.text(&script, false);
    Ok(ExitCode::SUCCESS)
}

/// The bash that a user types to: the one that is named, or that of the user's PATH, which can edit lines.
fn interactive_bash(builder: &str) -> OsString {
    if let Some(named) = std::env::var_os("NIX_BUILD_SHELL") {
        return named;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("bash")).find(|path| path.is_file());
    found.map_or_else(|| builder.into(), PathBuf::into_os_string)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::plain(crate::error::unwritable(path, error))
}

/// The script that brings a bash into an environment; attributes of a structured derivation are written into a folder.
pub fn script(found: &Found, folder: &Path) -> Result<String, Error> {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let outputs = here.join("outputs");
    let Some((shell, json)) = &found.environment.attributes else {
        return Ok(found.environment.script(&outputs, None));
    };
    nival_sys::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let hash = nival_engine::short_hash(format!("{shell}{json}").as_bytes());
    let files = [(format!("{hash}.attrs.sh"), shell), (format!("{hash}.attrs.json"), json)];
    for (name, text) in &files {
        let path = folder.join(name);
        let written = nival_sys::fs::write_atomic(&path, text.as_bytes(), 0o644);
        written.map_err(|error| unwritable(&path, &error))?;
    }
    let (shell, json) = (folder.join(&files[0].0), folder.join(&files[1].0));
    Ok(found.environment.script(&outputs, Some((&shell, &json))))
}

/// The outputs of flakes that are looked at: shells first, then packages.
pub fn search(system: &str) -> OutputSearch {
    let mut search = OutputSearch::packages(system);
    search.defaults.splice(0..0, [format!("devShells.{system}.default"), format!("devShell.{system}")]);
    search.prefixes.insert(0, format!("devShells.{system}."));
    search
}

/// Evaluates, builds what says the environment, and reads it; the exit code where a build failed.
pub fn find(
    context: &mut Context,
    wanted: &Wanted,
    evaluation: &Evaluation,
    building: &Building,
) -> Result<Result<Found, ExitCode>, Error> {
    let (mut session, progress) = building::session(context, evaluation, building, &wanted.flakes())?;
    let search = search(session.system());
    let drv = context.evaluating(&mut session, |context, session| {
        let value = wanted.evaluate(context, session, evaluation, &search, true)?;
        only_derivation(session, value, evaluation)
    });
    context.show_messages(&session);
    context.show_profile()?;
    let drv = drv.map_err(|error| context.failed(&session, &error))?;
    read(context, &session, &progress, &drv, building)
}

/// The one derivation that a value is.
pub fn only_derivation(
    session: &mut Session,
    value: Value,
    evaluation: &Evaluation,
) -> Result<StorePath, nival_engine::Error> {
    let automatic = evaluation.automatic(session)?;
    let found = session.derivations(value, &automatic)?;
    let paths: std::collections::BTreeSet<_> = found.iter().map(|found| &found.drv_path).collect();
    match Vec::from_iter(paths).as_slice() {
        [only] => session.store_path(only),
        all => Err(not_one(all.len())),
    }
}

fn not_one(count: usize) -> nival_engine::Error {
    let message = format!("an environment belongs to one derivation, and {count} were found");
    let entry = &nival_engine::diagnostics::no_environment::ENTRY;
    nival_engine::Error::Other(Box::new(
        Diagnostic::error(entry, message).help("select one of them with `-A`"),
    ))
}

/// Builds what says the environment of a derivation, and reads it; the exit code where the build failed.
pub fn read(
    context: &mut Context,
    session: &Session,
    progress: &crate::build_progress::BuildProgress,
    drv: &StorePath,
    building: &Building,
) -> Result<Result<Found, ExitCode>, Error> {
    let store = context.store()?;
    let asking = environment_derivation(&store, drv)?;
    let requests = [Request::Outputs(asking, Outputs::All)];
    let (answers, code) = building::build(context, session.builds(), progress, &requests, building)?;
    let Some(Ok(outputs)) = answers.into_iter().next().filter(|_| code == ExitCode::SUCCESS) else {
        return Ok(Err(code));
    };
    let read = |path: &StorePath| Some((path.clone(), std::fs::read(store.physical(path)).ok()?));
    let (path, said) = outputs.values().filter_map(read).find(|(_, text)| !text.is_empty()).unzip();
    let derivation = store.read_derivation(drv)?;
    let environment = said.as_deref().and_then(Environment::read).ok_or_else(|| {
        let message = format!("the builder of `{}` did not say its environment", derivation.name);
        Error::plain(Diagnostic::error(&nival_engine::diagnostics::no_environment::ENTRY, message))
    })?;
    let bash = String::from_utf8_lossy(&derivation.builder).into_owned();
    Ok(Ok(Found { seen: session.seen(), said: path, environment, bash, name: derivation.name }))
}
