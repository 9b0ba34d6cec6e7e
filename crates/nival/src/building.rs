//! What commands that build have in common: options, the build itself, links to results.

use crate::addresses::OwnAddresses;
use crate::build_progress::{BuildProgress, Logs, Wishes};
use crate::collecting::Collector;
use crate::commands::evaluation::Evaluation;
use crate::commands::realise::Source;
use crate::context::{Context, absolute, environment};
use crate::debugging::Connected;
use crate::error::Error;
use crate::free_space;
use clap::Args;
use nival_build::elsewhere::Machines;
use nival_build::{Answer, BuildError, Debugger, Mode, Observer, Outcome, Request, Run, Wanted};
use nival_diagnostics::Diagnostic;
use nival_engine::{Builds, MachineLine, NixSettings, OtherMachines, Session};
use nival_store::LocalStore;
use nival_store::RemoteError;
use nival_store::binary_cache::read_secret_key;
use nival_store::stores::{RemoteBuilder, Store};
use nival_store_model::StorePath;
use nival_store_model::signature::fingerprint;
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Options of every command that builds.
#[derive(Args, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches, most of them Nix's")]
pub struct Building {
    /// How many builders run at once
    #[arg(short = 'j', long, value_name = "COUNT")]
    pub max_jobs: Option<String>,
    /// How many processors each builder may use; 0 for all
    #[arg(long, value_name = "COUNT")]
    pub cores: Option<usize>,
    /// Machines that build too: `ssh-ng://HOST SYSTEMS KEY JOBS SPEED FEATURES`, several by `;`, or `@FILE`
    #[arg(long, value_name = "MACHINES")]
    pub builders: Option<String>,
    /// Build what does not depend on a failure
    #[arg(short = 'k', long)]
    pub keep_going: bool,
    /// Keep the folder of a build that failed
    #[arg(short = 'K', long)]
    pub keep_failed: bool,
    /// Build where a cache fails
    #[arg(long)]
    pub fallback: bool,
    /// Build again what is there, and compare
    #[arg(long, visible_alias = "rebuild")]
    pub check: bool,
    /// Build again what is there and is damaged
    #[arg(long, conflicts_with = "check")]
    pub repair: bool,
    /// Show what would be built and fetched, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// End a build that takes longer than this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// End a build that says nothing for this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub max_silent_time: Option<u64>,
    /// Start a shell in the place of a builder that fails, as it is then; `resume` goes on from the phase that failed
    #[arg(long)]
    pub debug_on_fail: bool,
    /// Run this in the place of a builder that fails, instead of a shell that is typed to
    #[arg(long, value_name = "COMMAND")]
    pub debug_command: Option<String>,
    /// Show all that builders say
    #[arg(short = 'L', long)]
    pub print_build_logs: bool,
    /// Whether they are shown without names, as some of Nix's programs do.
    #[arg(skip)]
    pub plain_logs: bool,
    /// Where Debian's files are fetched from, where that was typed.
    #[arg(skip)]
    pub source: Source,
}

impl Building {
    /// These options as settings of nix.conf.
    pub fn apply(&self, settings: &mut NixSettings) {
        let number = |value: Option<u64>| value.map(|value| value.to_string());
        for (name, value) in [
            ("builders", self.builders.clone()),
            ("max-jobs", self.max_jobs.clone()),
            ("cores", self.cores.map(|cores| cores.to_string())),
            ("timeout", number(self.timeout)),
            ("max-silent-time", number(self.max_silent_time)),
        ] {
            if let Some(value) = value {
                settings.set(name, &value);
            }
        }
        for (is_set, name) in
            [(self.keep_going, "keep-going"), (self.keep_failed, "keep-failed"), (self.fallback, "fallback")]
        {
            if is_set {
                settings.set(name, "true");
            }
        }
    }

    /// How outputs that are there are treated.
    pub fn mode(&self) -> Mode {
        match (self.check, self.repair) {
            (true, _) => Mode::Check,
            (_, true) => Mode::Repair,
            _ => Mode::Normal,
        }
    }

    /// What lets the user into the places of builders that fail, where that is wished.
    pub fn debugger(&self) -> Result<Option<Arc<dyn Debugger>>, Error> {
        if !self.debug_on_fail && self.debug_command.is_none() {
            return Ok(None);
        }
        let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if self.debug_command.is_none() && !is_terminal {
            let message = "`--debug-on-fail` starts a shell, and there is no terminal to type on";
            return Err(Error::plain(
                Diagnostic::error(&crate::diagnostics::usage::ENTRY, message)
                    .help("give it a command instead: `--debug-command COMMAND`"),
            ));
        }
        Ok(Some(Arc::new(Connected::new(self.debug_command.clone()))))
    }

    /// What is wished of the progress.
    pub fn wishes(&self) -> Wishes {
        let logs = if self.print_build_logs { Logs::Named } else { Logs::Hidden };
        Wishes { logs: if self.plain_logs { Logs::Plain } else { logs }, quiet: false, dry: self.dry_run }
    }
}

/// How this machine builds, by its settings; `progress` hears of what happens.
pub fn builds(
    context: &mut Context,
    nix: &NixSettings,
    source: &Source,
    progress: Arc<dyn Observer + Send + Sync>,
) -> Result<Builds, Error> {
    let mut builds =
        Builds { observer: progress, fallback: nix.flag("fallback", false), ..Builds::default() };
    builds.settings.transport = crate::context::transport_options();
    nix.apply_to(&mut builds.settings.transport);
    let (transport, cancel) = (builds.settings.transport.clone(), context.cancel.clone());
    builds.settings.addresses = Arc::new(OwnAddresses::new(source.clone(), transport, cancel));
    builds.settings.caller = crate::context::environment();
    nix.apply_to_builds(&mut builds.settings);
    let dir = context.store()?.dir().clone();
    let files = nix.list("secret-key-files");
    let keys = files.iter().map(|file| read_secret_key(Path::new(file)));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    builds.sign = Arc::new(move |info| {
        let text = fingerprint(&dir, &info.path, &info.nar_hash, info.nar_size, &info.references);
        info.signatures.extend(keys.iter().map(|key| key.sign(text.as_bytes()).to_string()));
    });
    builds.settings.machines = machines(context, nix, &builds.settings.system)?;
    if !nix.substituters().is_empty() {
        builds.substituter = Some(Arc::new(context.caches(nix)?));
    }
    Ok(builds)
}

/// The machines that build too: those of the setting `builders`, or of the file `machines` beside nix.conf.
fn machines(
    context: &mut Context,
    nix: &NixSettings,
    system: &str,
) -> Result<Option<Arc<dyn Machines>>, Error> {
    let usual = || {
        let (file, _) = NixSettings::files(&environment());
        format!("@{}", file.with_file_name("machines").display())
    };
    let text = nix.text("builders").map_or_else(usual, str::to_owned);
    let lines = MachineLine::parse_all(&text, system).map_err(|problem| {
        let message = format!("the setting `builders` cannot be read: {problem}");
        let help = "a machine is a line such as `ssh-ng://HOST x86_64-linux KEY-FILE 4`";
        Error::plain(Diagnostic::error(&crate::diagnostics::usage::ENTRY, message).help(help))
    })?;
    // `auto` is the own store.
    let lines: Vec<_> = lines.into_iter().filter(|line| line.url != "auto").collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let load = context.store()?.state().join("current-load");
    let substitutes = nix.flag("builders-use-substitutes", false);
    Ok(Some(Arc::new(OtherMachines::new(lines, &context.opener(nix)?, load, substitutes))))
}

/// A session whose evaluation builds what it needs, with the progress that shows it.
pub fn session(
    context: &mut Context,
    evaluation: &Evaluation,
    building: &Building,
    flakes: &[String],
) -> Result<(Session, Arc<BuildProgress>), Error> {
    let store = context.store()?;
    let progress = Arc::new(BuildProgress::new(&context.output, building.wishes(), store.dir().as_str()));
    let session = evaluation.session_for_builds(context, building, flakes, progress.clone())?;
    Ok((session, progress))
}

/// Builds what is requested, and shows what failed. The answers are those of the requests; the code is 0 only where all
/// went well.
pub fn build(
    context: &mut Context,
    builds: &Builds,
    progress: &BuildProgress,
    requests: &[Request],
    building: &Building,
) -> Result<(Vec<Answer>, ExitCode), Error> {
    let run = Run { mode: building.mode(), dry: building.dry_run, ..Run::default() };
    let (store, cancel) = (context.store()?, context.cancel.clone());
    let collector = Collector::new(context, 0)?.quiet();
    let outcome = context.interruptible(|_| {
        free_space::watch(&store, &collector, || builds.build(&store, &cancel, requests, run))
    });
    progress.finish();
    let Outcome { answers, failures } = outcome?;
    let answered: Vec<_> = requests.iter().zip(&answers).collect();
    let code = show_failures(context, &store, &failures, &answered);
    Ok((answers, code))
}

/// Brings what is requested into another store, which builds nothing itself: what it has stays as it is, and the rest is
/// built in the own store where the setting `builders` has `auto`, and copied. `None` where a build failed.
pub fn for_other(
    context: &mut Context,
    builds: &Builds,
    progress: &BuildProgress,
    requests: &[Request],
    building: &Building,
    settings: &NixSettings,
    other: &dyn Store,
) -> Result<Option<Vec<StorePath>>, Error> {
    let store = context.store()?;
    let mut known = Some(Vec::new());
    for request in requests {
        let paths = known_outputs(&store, request)?;
        let is_there = !paths.is_empty() && other.valid_among(&paths)?.len() == paths.len();
        match &mut known {
            Some(all) if is_there => all.extend(paths),
            _ => known = None,
        }
    }
    if known.is_some() {
        return Ok(known);
    }
    if let Some(builder) = other.builder() {
        return build_there(context, &store, requests, progress, other, builder);
    }
    let builders = settings.text("builders").unwrap_or_default();
    if !builders.split([';', '\n']).any(|line| line.split_whitespace().next() == Some("auto")) {
        let message = format!("`{}` builds nothing, and does not have all that is asked for", other.url());
        let help = "build without `--store` and copy the result there, or give `--builders auto`";
        return Err(Error::plain(
            Diagnostic::error(&crate::diagnostics::no_store::ENTRY, message).help(help),
        ));
    }
    let mut builds = builds.clone();
    builds.settings.max_jobs = builds.settings.max_jobs.max(1);
    let (answers, code) = build(context, &builds, progress, requests, building)?;
    if code != ExitCode::SUCCESS {
        return Ok(None);
    }
    let paths: Vec<StorePath> =
        answers.into_iter().filter_map(Result::ok).flat_map(BTreeMap::into_values).collect();
    crate::stores::hand_over(context, &store, other, &paths)?;
    Ok(Some(paths))
}

/// Lets another store build what is requested, once it has the derivations.
fn build_there(
    context: &mut Context,
    store: &LocalStore,
    requests: &[Request],
    progress: &BuildProgress,
    other: &dyn Store,
    builder: &dyn RemoteBuilder,
) -> Result<Option<Vec<StorePath>>, Error> {
    let drvs: Vec<StorePath> = requests.iter().map(subject_of).cloned().collect();
    let there = other.valid_among(&drvs)?;
    let missing: Vec<StorePath> = drvs.into_iter().filter(|path| !there.contains(path)).collect();
    let missing: Vec<StorePath> = store.valid_of(&missing)?.into_iter().collect();
    crate::stores::send(context, store, other, &missing)?;
    let wanted: Vec<String> = requests.iter().map(|request| written(store, request, '!')).collect();
    let mut line = |text: &str| progress.remark(text);
    let results = context.interruptible(|_| builder.build(&wanted, &mut line))?;
    let (mut paths, mut is_fine) = (Vec::new(), true);
    for (request, result) in requests.iter().zip(&results) {
        if !result.status.is_success() {
            is_fine = false;
            let error = RemoteError::Daemon { place: other.url(), reason: result.message.clone() };
            context.output.error(&Error::plain(error.diagnostic()));
        } else if result.outputs.is_empty() {
            paths.extend(known_outputs(store, request)?);
        } else {
            paths.extend(result.paths().into_values());
        }
    }
    Ok(is_fine.then_some(paths))
}

fn subject_of(request: &Request) -> &StorePath {
    let (Request::Outputs(path, _) | Request::Path(path)) = request;
    path
}

/// A request with the names of all outputs that it wants.
fn with_outputs(store: &LocalStore, request: &Request) -> String {
    if let Request::Outputs(drv, Wanted::All) = request
        && let Ok(derivation) = store.read_derivation(drv)
    {
        let names = Wanted::Names(derivation.outputs.into_keys().collect());
        return written(store, &Request::Outputs(drv.clone(), names), '^');
    }
    written(store, request, '^')
}

/// A request as it is typed, with `^`, and as the daemon's protocol has it, with `!`.
fn written(store: &LocalStore, request: &Request, mark: char) -> String {
    match request {
        Request::Path(path) => store.dir().print(path),
        Request::Outputs(drv, Wanted::All) => format!("{}{mark}*", store.dir().print(drv)),
        Request::Outputs(drv, Wanted::Names(names)) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{}{mark}{}", store.dir().print(drv), names.join(","))
        }
    }
}

/// The paths that a request stands for, as far as they are known without building.
pub fn known_outputs(store: &LocalStore, request: &Request) -> Result<Vec<StorePath>, Error> {
    let (drv, wanted) = match request {
        Request::Path(path) => return Ok(vec![path.clone()]),
        Request::Outputs(drv, wanted) => (drv, wanted),
    };
    let is_wanted = |name: &String| match wanted {
        Wanted::All => true,
        Wanted::Names(names) => names.contains(name),
    };
    let outputs = store.outputs_of(drv)?.into_iter().filter(|(name, _)| is_wanted(name));
    Ok(outputs.filter_map(|(_, path)| path).collect())
}

/// Shows what failed, each once, and then what depended on it; tells the exit code.
fn show_failures(
    context: &Context,
    store: &LocalStore,
    failures: &[BuildError],
    answered: &[(&Request, &Answer)],
) -> ExitCode {
    let mut code = 0;
    for error in failures {
        show_failure(context, error);
        let own = error.exit_code();
        code = if code == 0 {
            own
        } else if code >= 100 && own >= 100 {
            code | own
        } else {
            code.max(own)
        };
    }
    let mut failed = Vec::new();
    for (request, answer) in answered {
        let Err(error) = answer else { continue };
        let names_it = |failure: &BuildError| failure.to_string().contains(&subject(error));
        let given_up = matches!(error, BuildError::Cancelled) && !failures.is_empty();
        if !given_up {
            failed.push(request);
            if !failures.iter().any(names_it) {
                show_failure(context, error);
            }
        }
        code = if code == 0 { error.exit_code() } else { code };
    }
    if context.output.is_plain() && failed.len() > 1 {
        let failed: Vec<String> = failed.into_iter().map(|request| with_outputs(store, request)).collect();
        let message = format!("build of '{}' failed", failed.join("', '"));
        context.output.error(&Error::plain(Diagnostic::error(&nival_build::diagnostics::NV0537, message)));
    }
    ExitCode::from(code)
}

/// Shows an error of a build; by one of Nix's programs in its words.
fn show_failure(context: &Context, error: &BuildError) {
    let mut diagnostic = error.diagnostic();
    if let Some(words) = error.words_of_nix().filter(|_| context.output.is_plain()) {
        diagnostic.message = words;
    }
    context.output.error(&Error::plain(diagnostic));
}

/// The derivation that an error is about.
fn subject(error: &BuildError) -> String {
    match error {
        BuildError::Dependency { drv, .. } => drv.clone(),
        other => other.to_string(),
    }
}

/// Makes a link to a result, which the collector regards as a root.
pub fn link(store: &LocalStore, link: &Path, path: &StorePath) -> Result<PathBuf, Error> {
    let link = absolute(link.to_owned());
    store.add_indirect_root(&link, path)?;
    Ok(link)
}

/// The names of links to results: `result`, `result-dev`, and a number where there is more than one derivation.
pub fn link_names(base: &Path, made: &[(Request, BTreeMap<String, StorePath>)]) -> Vec<(PathBuf, StorePath)> {
    let mut links: Vec<(PathBuf, StorePath)> = Vec::new();
    let mut subjects: Vec<&StorePath> = Vec::new();
    for (request, outputs) in made {
        let (Request::Outputs(subject, _) | Request::Path(subject)) = request;
        let number = subjects.iter().position(|known| *known == subject).unwrap_or_else(|| {
            subjects.push(subject);
            subjects.len() - 1
        });
        for (output, path) in outputs {
            let mut name = base.as_os_str().to_owned();
            if number > 0 {
                name.push(format!("-{}", number + 1));
            }
            if output != "out" && !output.is_empty() {
                name.push(format!("-{output}"));
            }
            links.push((PathBuf::from(name), path.clone()));
        }
    }
    links
}

/// What was made of each request, in their order, and nothing of those that failed.
pub fn made(requests: Vec<Request>, answers: Vec<Answer>) -> Vec<(Request, BTreeMap<String, StorePath>)> {
    requests.into_iter().zip(answers).filter_map(|(request, answer)| Some((request, answer.ok()?))).collect()
}
