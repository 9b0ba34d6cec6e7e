//! Doing what was planned, as many things at once as the settings allow.

use super::plan::{Plan, What, known_outputs};
use super::{Answer, Outcome, Request, Run, Wanted};
use crate::build_error::BuildError;
use crate::derivation::{Structured, Wishes, must_resolve, resolve};
use crate::elsewhere::{Builds, Elsewhere, Machines, Place};
use crate::events::Event;
use crate::one::{Job, Surroundings, build_one, known_paths};
use crate::outputs::Mode;
use nival_store::Realisation;
use nival_store_model::{Derivation, StorePath};
use nival_transport::Cancel;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many downloads go on at once.
const BRINGS: usize = 16;

type Outputs = BTreeMap<String, StorePath>;

enum State {
    Waiting(usize),
    Running,
    Done(Outputs),
    Failed,
}

struct Scheduler<'a> {
    around: &'a Surroundings<'a>,
    run: &'a Run<'a>,
    plan: Plan,
    states: Vec<State>,
    builds: BinaryHeap<(usize, std::cmp::Reverse<usize>)>,
    brings: Vec<usize>,
    building: usize,
    /// What is built on other machines.
    elsewhere: HashSet<usize>,
    bringing: usize,
    failures: Vec<BuildError>,
    stop: Cancel,
    stopped: bool,
    first: BTreeSet<StorePath>,
    references: Mutex<HashMap<StorePath, Arc<Vec<StorePath>>>>,
}

pub(super) fn carry_out(
    around: &Surroundings<'_>,
    plan: Plan,
    requests: &[Request],
    run: &Run<'_>,
) -> Result<Outcome, BuildError> {
    let first = requests.iter().filter_map(|request| match request {
        Request::Outputs(drv, _) => Some(drv.clone()),
        Request::Path(_) => None,
    });
    let states = plan.nodes.iter().map(|node| State::Waiting(node.needs.len())).collect();
    let mut scheduler = Scheduler {
        around,
        run,
        states,
        builds: BinaryHeap::new(),
        brings: Vec::new(),
        building: 0,
        elsewhere: HashSet::new(),
        bringing: 0,
        failures: Vec::new(),
        stop: Cancel::default(),
        stopped: false,
        first: first.collect(),
        references: Mutex::default(),
        plan,
    };
    scheduler.work()?;
    Ok(scheduler.outcome(requests))
}

impl<'a> Scheduler<'a> {
    fn work(&mut self) -> Result<(), BuildError> {
        let (done, results) = channel::<(usize, Result<Outputs, BuildError>)>();
        let around = Surroundings {
            store: self.around.store,
            settings: self.around.settings,
            observer: self.around.observer,
            cancel: &self.stop.clone(),
            sign: self.around.sign,
        };
        let references = std::mem::take(&mut self.references);
        let run = self.run;
        std::thread::scope(|scope| {
            let around = &around;
            let references = &references;
            for node in 0..self.plan.nodes.len() {
                if matches!(self.states[node], State::Waiting(0)) {
                    self.ready(node);
                }
            }
            loop {
                while let Some((node, task)) = self.next() {
                    let done: Sender<_> = done.clone();
                    scope.spawn(move || {
                        let result = task.run(around, run, references);
                        // The receiver outlives all of these.
                        let _ = done.send((node, result));
                    });
                }
                if self.building + self.bringing + self.elsewhere.len() == 0 {
                    return;
                }
                match results.recv_timeout(Duration::from_millis(100)) {
                    Ok((node, result)) => self.ended(node, result),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                if self.around.cancel.is_cancelled() {
                    self.halt();
                }
            }
        });
        if self.around.cancel.is_cancelled() { Err(BuildError::Cancelled) } else { Ok(()) }
    }

    /// Begins nothing more, and ends what runs.
    fn halt(&mut self) {
        self.stopped = true;
        self.stop.cancel();
    }

    /// Everything that a node waits for is there.
    fn ready(&mut self, node: usize) {
        match &self.plan.nodes[node].what {
            What::There(outputs) => {
                let outputs = outputs.clone();
                self.succeeded(node, outputs);
            }
            What::Missing(path) => {
                let error = BuildError::Missing { path: self.around.store.dir().print(path) };
                self.failed(node, error);
            }
            What::Bring(..) => self.brings.push(node),
            What::Build(_) => {
                self.builds.push((self.plan.nodes[node].height, std::cmp::Reverse(node)));
            }
        }
    }

    fn next(&mut self) -> Option<(usize, Task)> {
        if self.stopped {
            return None;
        }
        if self.bringing < BRINGS
            && let Some(node) = self.brings.pop()
        {
            self.bringing += 1;
            self.states[node] = State::Running;
            let What::Bring(outputs, _) = &self.plan.nodes[node].what else { return None };
            return Some((node, Task::Bring(outputs.clone())));
        }
        let (node, machine) = self.next_build()?;
        if machine.is_some() {
            self.elsewhere.insert(node);
        } else {
            self.building += 1;
        }
        self.states[node] = State::Running;
        let What::Build(derivation) = &self.plan.nodes[node].what else { return None };
        let drv = self.plan.name(node).clone();
        let mut inputs = BTreeMap::new();
        for (input, outputs) in &derivation.input_derivations {
            let made = self.plan.drvs.get(input).map(|node| &self.states[*node]);
            if let Some(State::Done(made)) = made {
                for output in outputs {
                    if let Some(path) = made.get(output) {
                        inputs.insert((input.clone(), output.clone()), path.clone());
                    }
                }
            }
        }
        let mode = if self.first.contains(&drv) { self.run.mode } else { Mode::Normal };
        Some((node, Task::Build { drv, derivation: derivation.clone(), inputs, mode, machine }))
    }

    /// The build that comes next, and the place on another machine that it has, if any.
    fn next_build(&mut self) -> Option<(usize, Option<Box<dyn Builds>>)> {
        let settings = self.around.settings;
        let is_free = self.building < settings.max_jobs.max(1);
        let Some(machines) = settings.machines.clone() else {
            return is_free.then(|| self.builds.pop()).flatten().map(|(_, node)| (node.0, None));
        };
        let (mut passed, mut found) = (Vec::new(), None);
        // As far as it is worth looking for one that fits.
        while found.is_none() && passed.len() < 100 {
            let Some(entry) = self.builds.pop() else { break };
            let node = entry.1.0;
            let What::Build(derivation) = &self.plan.nodes[node].what else { continue };
            // What is built again to be compared is compared with what this machine makes.
            let is_again = self.run.mode != Mode::Normal && self.first.contains(self.plan.name(node));
            let place = if is_again { Place::Nowhere } else { place(self.around, &*machines, derivation) };
            match place {
                Place::Free(machine) => found = Some((node, Some(machine))),
                // Where nothing is built here at all, that is the error.
                Place::Nowhere if is_free => found = Some((node, None)),
                Place::Busy if is_free && settings.max_jobs > 0 && fits_here(self.around, derivation) => {
                    found = Some((node, None));
                }
                Place::Nowhere | Place::Busy => passed.push(entry),
            }
        }
        self.builds.extend(passed);
        found
    }

    fn ended(&mut self, node: usize, result: Result<Outputs, BuildError>) {
        match &self.plan.nodes[node].what {
            What::Build(_) if self.elsewhere.remove(&node) => {}
            What::Build(_) => self.building -= 1,
            _ => self.bringing -= 1,
        }
        match result {
            Ok(outputs) => self.succeeded(node, outputs),
            Err(error) => self.failed(node, error),
        }
    }

    fn succeeded(&mut self, node: usize, outputs: Outputs) {
        self.states[node] = State::Done(outputs);
        for waiting in self.plan.nodes[node].needed_by.clone() {
            if let State::Waiting(left) = &mut self.states[waiting] {
                *left -= 1;
                if *left == 0 {
                    self.ready(waiting);
                }
            }
        }
    }

    fn failed(&mut self, node: usize, error: BuildError) {
        if let What::Bring(_, Some(derivation)) = &self.plan.nodes[node].what
            && (self.run.fallback || is_gone(&error))
            && !self.stopped
        {
            // Everything that it needs to be built is planned anew, apart from what is going on here.
            let derivation = derivation.clone();
            if let Ok(outputs) = self.build_apart(node, &derivation) {
                self.succeeded(node, outputs);
                return;
            }
        }
        // What was given up because something else failed has not failed.
        if matches!(error, BuildError::Cancelled) && self.stopped {
            return;
        }
        self.around.observer.tell(Event::Failed { drv: self.plan.name(node), error: &error });
        self.failures.push(error);
        self.mark_failed(node);
        if !self.around.settings.keep_going {
            self.halt();
        }
    }

    fn build_apart(&self, node: usize, _: &Arc<Derivation>) -> Result<Outputs, BuildError> {
        let drv = self.plan.name(node).clone();
        let request = Request::Outputs(drv, Wanted::All);
        let run = Run { substituter: None, ..*self.run };
        let outcome = super::build(self.around, std::slice::from_ref(&request), run)?;
        outcome.answers.into_iter().next().unwrap_or(Err(BuildError::Cancelled))
    }

    fn mark_failed(&mut self, node: usize) {
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            if !matches!(self.states[node], State::Failed) {
                self.states[node] = State::Failed;
                todo.extend(self.plan.nodes[node].needed_by.iter().copied());
            }
        }
    }

    fn outcome(self, requests: &[Request]) -> Outcome {
        let dir = self.around.store.dir();
        let answer = |(request, node): (&Request, &usize)| -> Answer {
            match (&self.states[*node], request) {
                (State::Done(outputs), Request::Outputs(_, Wanted::Names(names))) => Ok(outputs
                    .iter()
                    .filter(|(name, _)| names.contains(*name))
                    .map(|(n, p)| (n.clone(), p.clone()))
                    .collect()),
                (State::Done(outputs), _) => Ok(outputs.clone()),
                (State::Waiting(_) | State::Running, _) if !self.failures.is_empty() => {
                    Err(BuildError::Cancelled)
                }
                _ => Err(BuildError::Dependency {
                    drv: dir.print(self.plan.name(*node)),
                    failed: self.failures.len().max(1),
                }),
            }
        };
        let answers = requests.iter().zip(&self.plan.requested).map(answer).collect();
        Outcome { answers, failures: self.failures }
    }
}

/// Something that a thread does.
enum Task {
    Bring(Outputs),
    Build {
        drv: StorePath,
        derivation: Arc<Derivation>,
        /// The path of each output of each input derivation that is wanted.
        inputs: BTreeMap<(StorePath, String), StorePath>,
        mode: Mode,
        /// The place on another machine, where it has one.
        machine: Option<Box<dyn Builds>>,
    },
}

type Known = Mutex<HashMap<StorePath, Arc<Vec<StorePath>>>>;

impl Task {
    fn run(
        self,
        around: &Surroundings<'_>,
        run: &Run<'_>,
        references: &Known,
    ) -> Result<Outputs, BuildError> {
        match self {
            Self::Bring(outputs) => {
                let paths: Vec<StorePath> = outputs.values().cloned().collect();
                if let Some(from) = run.substituter {
                    from.bring(&paths, &|event| around.observer.tell(event), around.cancel)?;
                }
                Ok(outputs)
            }
            Self::Build { drv, derivation, inputs, mode, machine } => {
                let outputs = built(around, &drv, &derivation, &inputs, mode, references, machine)?;
                around.observer.tell(Event::Built { drv: &drv, outputs: &outputs });
                after_build(around, &drv, &outputs)?;
                Ok(outputs)
            }
        }
    }
}

fn built(
    around: &Surroundings<'_>,
    drv: &StorePath,
    derivation: &Derivation,
    inputs: &BTreeMap<(StorePath, String), StorePath>,
    mode: Mode,
    references: &Known,
    machine: Option<Box<dyn Builds>>,
) -> Result<Outputs, BuildError> {
    let floats = !derivation.input_derivations.is_empty() && must_resolve(derivation);
    let store = around.store;
    if !floats {
        let mut direct: Vec<StorePath> = inputs.values().cloned().collect();
        direct.extend(derivation.input_sources.iter().cloned());
        let inputs = closure(around, direct, references)?;
        return made(around, &Job { drv, derivation, inputs: &inputs, mode }, machine);
    }
    let resolved = resolve(derivation, store.dir(), inputs);
    let resolved_path = store.add_derivation(&resolved)?;
    store.temp_root(&resolved_path)?;
    let known = known_outputs(store, &resolved_path, &resolved)?;
    let mut valid = known.len() == resolved.outputs.len();
    for path in known.values() {
        store.temp_root(path)?;
        valid &= store.is_valid(path)?;
    }
    let outputs: Outputs = if valid && mode == Mode::Normal {
        around.observer.tell(Event::Same { drv, resolved: &resolved_path });
        known
    } else {
        let direct = resolved.input_sources.iter().cloned().collect();
        let inputs = closure(around, direct, references)?;
        let job = Job { drv: &resolved_path, derivation: &resolved, inputs: &inputs, mode };
        made(around, &job, machine)?
    };
    register_outputs(around, derivation, &outputs)?;
    Ok(outputs)
}

/// Remembers what the outputs of a derivation turned out to be.
fn register_outputs(
    around: &Surroundings<'_>,
    derivation: &Derivation,
    outputs: &Outputs,
) -> Result<(), BuildError> {
    let hashes = around.store.output_hashes(derivation)?;
    for (name, path) in outputs {
        if let Some(hash) = hashes.get(name) {
            around.store.register_realisation(&Realisation {
                derivation: hash.clone(),
                output: name.clone(),
                path: path.clone(),
                signatures: BTreeSet::new(),
            })?;
        }
    }
    Ok(())
}

/// Builds a derivation that need not be in the store, and whose inputs are paths that are.
///
/// # Errors
/// Any [`BuildError`].
pub fn build_alone(
    around: &Surroundings<'_>,
    drv: &StorePath,
    derivation: &Derivation,
    mode: Mode,
) -> Result<BTreeMap<String, StorePath>, BuildError> {
    let direct = derivation.input_sources.iter().cloned().collect();
    let inputs = closure(around, direct, &Known::default())?;
    let outputs = made(around, &Job { drv, derivation, inputs: &inputs, mode }, None)?;
    if known_paths(around.store, derivation)?.len() < outputs.len() {
        register_outputs(around, derivation, &outputs)?;
    }
    around.observer.tell(Event::Built { drv, outputs: &outputs });
    Ok(outputs)
}

/// Builds here, or on another machine. One that cannot be reached is passed over.
fn made(
    around: &Surroundings<'_>,
    job: &Job<'_>,
    mut machine: Option<Box<dyn Builds>>,
) -> Result<Outputs, BuildError> {
    while let Some(there) = machine.take() {
        for path in known_paths(around.store, job.derivation)?.values() {
            around.store.temp_root(path)?;
        }
        around.observer.tell(Event::Elsewhere { drv: job.drv, machine: there.name() });
        match there.build(around, job) {
            Ok(outputs) => return Ok(outputs),
            Err(Elsewhere::Failed(error)) => return Err(error),
            Err(Elsewhere::Unreachable(why)) => {
                let text = format!("cannot build on `{}`: {why}", there.name());
                around.observer.tell(Event::Notice { text: &text });
            }
        }
        if let Some(machines) = &around.settings.machines
            && let Place::Free(next) = place(around, &**machines, job.derivation)
        {
            machine = Some(next);
        }
    }
    Ok(build_one(around, job)?.into_iter().map(|(name, info)| (name, info.path)).collect())
}

/// The place that other machines have for a derivation; none for one that is better built here.
fn place(around: &Surroundings<'_>, machines: &dyn Machines, derivation: &Derivation) -> Place {
    if derivation.builder.starts_with(b"builtin:") {
        return Place::Nowhere;
    }
    let structured = Structured::of(derivation).ok().flatten();
    let Ok(wishes) = Wishes::of(derivation, around.store.dir(), structured.as_ref()) else {
        // The build tells what is wrong with it.
        return Place::Nowhere;
    };
    if wishes.prefers_here && fits_here(around, derivation) && around.settings.max_jobs > 0 {
        return Place::Nowhere;
    }
    machines.place(&String::from_utf8_lossy(&derivation.system), &wishes.required_features)
}

/// Whether a derivation could be built here.
fn fits_here(around: &Surroundings<'_>, derivation: &Derivation) -> bool {
    let structured = Structured::of(derivation).ok().flatten();
    let wishes = Wishes::of(derivation, around.store.dir(), structured.as_ref());
    around.settings.runs(&String::from_utf8_lossy(&derivation.system))
        && wishes.is_ok_and(|wishes| wishes.required_features.is_subset(&around.settings.features))
}

/// The closure of paths, with what is known of the references of each kept for the next time.
fn closure(
    around: &Surroundings<'_>,
    direct: Vec<StorePath>,
    known: &Known,
) -> Result<BTreeSet<StorePath>, BuildError> {
    let mut closure = BTreeSet::new();
    let mut todo = direct;
    while let Some(path) = todo.pop() {
        if closure.contains(&path) {
            continue;
        }
        let found = known.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        let references = match found {
            Some(references) => references,
            None => {
                let info = around.store.info(&path)?;
                let info =
                    info.ok_or_else(|| BuildError::Missing { path: around.store.dir().print(&path) })?;
                let references = Arc::new(info.references);
                known.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), references.clone());
                references
            }
        };
        todo.extend(references.iter().filter(|path| !closure.contains(*path)).cloned());
        closure.insert(path);
    }
    Ok(closure)
}

/// Starts the program that the setting `post-build-hook` names.
fn after_build(around: &Surroundings<'_>, drv: &StorePath, outputs: &Outputs) -> Result<(), BuildError> {
    let Some(hook) = &around.settings.post_build_hook else { return Ok(()) };
    let dir = around.store.dir();
    let paths: Vec<String> = outputs.values().map(|path| dir.print(path)).collect();
    let mut command = std::process::Command::new(hook);
    command.env("DRV_PATH", dir.print(drv)).env("OUT_PATHS", paths.join(" "));
    let failed = |error| BuildError::sandbox("run the program of `post-build-hook`", error);
    let status =
        nival_sys::process::spawn(&mut command).and_then(|mut child| child.wait()).map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    Err(failed(std::io::Error::other(format!("it ended with {}", nival_sys::process::exit_code(status)))))
}

/// Whether a cache has lost what it says that it has: then it is built, as if no cache had it.
fn is_gone(error: &BuildError) -> bool {
    let BuildError::Store(nival_store::Error::Remote(error)) = error else { return false };
    matches!(**error, nival_store::RemoteError::Gone { .. })
}
