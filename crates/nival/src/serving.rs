//! Building for clients of other machines, who speak the daemon's protocol or that of `nix-store --serve`.

use crate::building;
use crate::commands::realise::Source;
use crate::context::Context;
use crate::error::Error;
use nival_build::{Answer, BuildError, Event, Observer, Outcome, Request, Run, Silent, Surroundings, Wanted};
use nival_engine::{Builds, NixSettings};
use nival_store::serving::{Builder, Missing, Mode, Said, Tell, Wish};
use nival_store::{BuildResult, BuildStatus, LocalStore, Realisation};
use nival_store_model::{Derivation, StoreDir, StorePath};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Builds in the own store, with the settings that a client asked for above those of this machine.
pub struct OwnBuilder<'a> {
    context: RefCell<&'a mut Context>,
    store: Arc<LocalStore>,
    settings: NixSettings,
}

impl<'a> OwnBuilder<'a> {
    /// Builds by the settings of this machine.
    pub fn new(context: &'a mut Context, settings: NixSettings) -> Result<Self, Error> {
        let store = context.store()?;
        Ok(Self { context: RefCell::new(context), store, settings })
    }

    fn builds(&self) -> Result<Builds, String> {
        let mut context = self.context.borrow_mut();
        building::builds(&mut context, &self.settings, &Source::default(), Arc::new(Silent))
            .map_err(|error| error.into_diagnostic().message)
    }

    fn run(
        &self,
        requests: &[Request],
        run: Run<'_>,
        observer: &dyn Observer,
    ) -> Result<Outcome, (BuildStatus, String)> {
        let other = |text| (BuildStatus::Other, text);
        let builds = self.builds().map_err(other)?;
        let cancel = self.context.borrow().cancel.clone();
        let around = Surroundings {
            store: &self.store,
            settings: &builds.settings,
            observer,
            cancel: &cancel,
            sign: &*builds.sign,
        };
        let substituter = builds.substituter.as_deref().map(|from| from as &dyn nival_build::Substituter);
        nival_build::build(&around, requests, Run { substituter, fallback: builds.fallback, ..run })
            .map_err(|error| (status(&error), error.to_string()))
    }

    fn realisations(
        &self,
        derivation: &Derivation,
        outputs: &BTreeMap<String, StorePath>,
    ) -> Vec<Realisation> {
        let hashes = self.store.output_hashes(derivation).unwrap_or_default();
        let one = |(name, path): (&String, &StorePath)| {
            Some(Realisation {
                derivation: hashes.get(name)?.clone(),
                output: name.clone(),
                path: path.clone(),
                signatures: Default::default(),
            })
        };
        outputs.iter().filter_map(one).collect()
    }

    fn result(&self, request: &Request, answer: Answer, failures: &[BuildError]) -> BuildResult {
        match (answer, request) {
            (Ok(outputs), Request::Outputs(drv, _)) => {
                let read = self.store.read_derivation(drv);
                let outputs = read.map(|derivation| self.realisations(&derivation, &outputs));
                BuildResult {
                    status: BuildStatus::Built,
                    message: String::new(),
                    outputs: outputs.unwrap_or_default(),
                }
            }
            (Ok(_), Request::Path(_)) => {
                BuildResult { status: BuildStatus::Substituted, message: String::new(), outputs: Vec::new() }
            }
            (Err(error), _) => {
                // What is to blame is told with what it kept from being built.
                let causes = failures.iter().map(told).filter(|text| *text != told(&error));
                let lines: Vec<String> = std::iter::once(told(&error)).chain(causes).collect();
                let own = failures.iter().find(|failure| failure.to_string() == error.to_string());
                BuildResult::failed(own.map_or_else(|| status(&error), status), lines.join("\n"))
            }
        }
    }
}

/// An error with the last lines of the log, where a builder failed.
fn told(error: &BuildError) -> String {
    match error {
        BuildError::Builder { tail, .. } if !tail.is_empty() => {
            let lines: Vec<String> = tail.iter().map(|line| format!("> {line}")).collect();
            format!("{error}\nlast {} log lines:\n{}", lines.len(), lines.join("\n"))
        }
        _ => error.to_string(),
    }
}

fn status(error: &BuildError) -> BuildStatus {
    match error {
        BuildError::Builder { .. } => BuildStatus::Failed,
        BuildError::Limit { setting: "max-build-log-size", .. } => BuildStatus::LogLimit,
        BuildError::Limit { .. } => BuildStatus::TimedOut,
        BuildError::HashMismatch { .. } | BuildError::Output { .. } => BuildStatus::OutputRejected,
        BuildError::NotDeterministic { .. } => BuildStatus::NotDeterministic,
        BuildError::Malformed { .. } | BuildError::Unfit { .. } => BuildStatus::InputRejected,
        BuildError::Dependency { .. } => BuildStatus::DependencyFailed,
        BuildError::Missing { .. } => BuildStatus::NoSubstituters,
        _ => BuildStatus::Other,
    }
}

fn request(wish: &Wish) -> Request {
    match wish {
        Wish::Path(path) => Request::Path(path.clone()),
        Wish::Outputs(drv, None) => Request::Outputs(drv.clone(), Wanted::All),
        Wish::Outputs(drv, Some(names)) => Request::Outputs(drv.clone(), Wanted::Names(names.clone())),
    }
}

fn mode_of(mode: Mode) -> nival_build::Mode {
    match mode {
        Mode::Normal => nival_build::Mode::Normal,
        Mode::Repair => nival_build::Mode::Repair,
        Mode::Check => nival_build::Mode::Check,
    }
}

impl Builder for OwnBuilder<'_> {
    fn set(&mut self, settings: &[(String, String)]) {
        for (name, value) in settings {
            self.settings.set(name, value);
        }
    }

    fn build(&self, wishes: &[Wish], mode: Mode, tell: Tell<'_>) -> Vec<BuildResult> {
        let requests: Vec<Request> = wishes.iter().map(request).collect();
        let telling = Telling { tell, dir: self.store.dir().clone() };
        let run = Run { mode: mode_of(mode), ..Run::default() };
        match self.run(&requests, run, &telling) {
            Ok(Outcome { answers, failures }) => {
                let both = requests.iter().zip(answers);
                both.map(|(request, answer)| self.result(request, answer, &failures)).collect()
            }
            Err((status, text)) => vec![BuildResult::failed(status, text); wishes.len()],
        }
    }

    fn build_derivation(
        &self,
        path: &StorePath,
        derivation: &Derivation,
        mode: Mode,
        tell: Tell<'_>,
    ) -> BuildResult {
        let builds = match self.builds() {
            Ok(builds) => builds,
            Err(text) => return BuildResult::failed(BuildStatus::Other, text),
        };
        let cancel = self.context.borrow().cancel.clone();
        let telling = Telling { tell, dir: self.store.dir().clone() };
        let around = Surroundings {
            store: &self.store,
            settings: &builds.settings,
            observer: &telling,
            cancel: &cancel,
            sign: &*builds.sign,
        };
        match nival_build::build_alone(&around, path, derivation, mode_of(mode)) {
            Ok(outputs) => BuildResult {
                status: BuildStatus::Built,
                message: String::new(),
                outputs: self.realisations(derivation, &outputs),
            },
            Err(error) => {
                telling.tell(Event::Failed { drv: path, error: &error });
                BuildResult::failed(status(&error), told(&error))
            }
        }
    }

    fn missing(&self, wishes: &[Wish]) -> Result<Missing, String> {
        // Of a derivation that is not here nothing can be said; clients ask before they send it.
        let is_here = |wish: &&Wish| match wish {
            Wish::Path(_) => true,
            Wish::Outputs(drv, _) => self.store.is_valid(drv).unwrap_or(false),
        };
        let (here, gone): (Vec<&Wish>, Vec<&Wish>) = wishes.iter().partition(is_here);
        let requests: Vec<Request> = here.into_iter().map(request).collect();
        let planned = Planned::default();
        let run = Run { dry: true, ..Run::default() };
        let outcome = self.run(&requests, run, &planned).map_err(|(_, text)| text)?;
        let mut missing = planned.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for wish in gone {
            let (Wish::Path(path) | Wish::Outputs(path, _)) = wish;
            missing.unknown.insert(path.clone());
        }
        for (request, answer) in requests.iter().zip(&outcome.answers) {
            if let (Request::Path(path), Err(BuildError::Missing { .. })) = (request, answer) {
                missing.unknown.insert(path.clone());
            }
        }
        Ok(missing)
    }

    fn substitute(&self, paths: &[StorePath], tell: Tell<'_>) {
        let Ok(builds) = self.builds() else { return };
        let Some(from) = &builds.substituter else { return };
        let offered = from.offered(paths).map(|offered| offered.whole).unwrap_or_default();
        let offered: Vec<StorePath> = offered.into_iter().collect();
        let telling = Telling { tell, dir: self.store.dir().clone() };
        let cancel = self.context.borrow().cancel.clone();
        if let Err(error) = from.bring(&offered, &|event| telling.tell(event), &cancel) {
            tell(Said::Note(&error.to_string()));
        }
    }
}

/// Tells a client what happens.
struct Telling<'a> {
    tell: Tell<'a>,
    dir: StoreDir,
}

impl Observer for Telling<'_> {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Started { drv } | Event::Elsewhere { drv, .. } => {
                (self.tell)(Said::Started(drv, &self.dir.print(drv)));
            }
            Event::Line { drv, text } => (self.tell)(Said::Line(drv, text)),
            Event::Built { drv, .. } | Event::Failed { drv, .. } => (self.tell)(Said::Ended(drv)),
            Event::Notice { text } => (self.tell)(Said::Note(text)),
            Event::Fetching { path, from } => {
                (self.tell)(Said::Note(&format!("copying path '{}' from '{from}'...", self.dir.print(path))));
            }
            Event::Planned { .. }
            | Event::Phase { .. }
            | Event::Debugged { .. }
            | Event::Waiting { .. }
            | Event::Same { .. }
            | Event::Fetched { .. } => {}
        }
    }
}

/// Keeps what would be done.
#[derive(Default)]
struct Planned(Mutex<Missing>);

impl Observer for Planned {
    fn tell(&self, event: Event<'_>) {
        if let Event::Planned { build, fetch, unknown, download, unpacked } = event {
            let mut missing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            missing.build.extend(build.iter().cloned());
            missing.bring.extend(fetch.iter().cloned());
            missing.unknown.extend(unknown.iter().cloned());
            missing.download += download;
            missing.unpacked += unpacked;
        }
    }
}
