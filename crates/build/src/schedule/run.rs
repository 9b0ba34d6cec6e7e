//! Doing what was planned, as many things at once as the settings allow.

use super::plan::{Plan, What};
use super::substituter::Without;
use super::task::{Known, Outputs, Task, fits_here, place};
use super::{Answer, Outcome, Request, Run, Wanted};
use crate::build_error::BuildError;
use crate::elsewhere::{Builds, Place};
use crate::events::Event;
use crate::one::Surroundings;
use crate::outputs::Mode;
use nival_store_model::StorePath;
use nival_transport::Cancel;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How many downloads go on at once.
const BRINGS: usize = 16;

/// How far apart two failures are that are told in the order in which their builds were begun.
const SAME_MOMENT: Duration = Duration::from_millis(30);

/// What became of one thing that was begun.
type Made = Result<Outputs, BuildError>;

enum State {
    Waiting(usize),
    Running,
    Done(Outputs),
    Failed,
}

/// Which of two builds comes first: the greater one. The longest chain is begun first, since it decides how long it all
/// takes; where one is built at a time it decides nothing. Else they come in the order of their names.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    height: usize,
    name: Reverse<String>,
    node: Reverse<usize>,
}

struct Scheduler<'a> {
    around: &'a Surroundings<'a>,
    run: &'a Run<'a>,
    plan: Plan,
    states: Vec<State>,
    builds: BinaryHeap<Turn>,
    brings: Vec<usize>,
    building: usize,
    /// What is built on other machines.
    elsewhere: HashSet<usize>,
    /// What was begun, and as which one.
    begun: HashMap<usize, usize>,
    bringing: usize,
    failures: Vec<BuildError>,
    /// What failed first.
    culprit: Option<usize>,
    stop: Cancel,
    stopped: bool,
    first: BTreeSet<StorePath>,
    references: Known,
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
        begun: HashMap::new(),
        bringing: 0,
        failures: Vec::new(),
        culprit: None,
        stop: Cancel::default(),
        stopped: false,
        first: first.collect(),
        references: Known::default(),
        plan,
    };
    scheduler.work()?;
    Ok(scheduler.outcome(requests))
}

impl<'a> Scheduler<'a> {
    fn work(&mut self) -> Result<(), BuildError> {
        let (done, results) = channel::<(usize, Made)>();
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
                    self.begun.insert(node, self.begun.len());
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
                    Ok(first) => {
                        for (node, result) in self.with_earlier(first, &results) {
                            self.ended(node, result);
                        }
                    }
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

    /// A result, and where it ends everything also those that come at the same moment of what was begun before, in the
    /// order in which they were begun: what is told does not depend on chance then.
    fn with_earlier(&self, first: (usize, Made), results: &Receiver<(usize, Made)>) -> Vec<(usize, Made)> {
        let node = first.0;
        let ends = first.1.is_err() && !self.stopped && !self.around.settings.keep_going;
        let begun = |node: usize| self.begun.get(&node).copied().unwrap_or(usize::MAX);
        let is_earlier = |other: usize| begun(other) < begun(node);
        let running = |node: usize| matches!(self.states[node], State::Running);
        let mut left =
            self.begun.keys().filter(|other| ends && running(**other) && is_earlier(**other)).count();
        let mut all = vec![first];
        let until = Instant::now() + SAME_MOMENT;
        while left > 0
            && let Ok(other) = results.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            left -= usize::from(is_earlier(other.0));
            all.push(other);
        }
        all.sort_by_key(|(node, _)| begun(*node));
        all
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
                let is_single = self.around.settings.max_jobs <= 1 && self.around.settings.machines.is_none();
                let height = if is_single { 0 } else { self.plan.nodes[node].height };
                let name = Reverse(self.plan.name(node).name().to_owned());
                self.builds.push(Turn { height, name, node: Reverse(node) });
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
            return is_free.then(|| self.builds.pop()).flatten().map(|turn| (turn.node.0, None));
        };
        let (mut passed, mut found) = (Vec::new(), None);
        // As far as it is worth looking for one that fits.
        while found.is_none() && passed.len() < 100 {
            let Some(entry) = self.builds.pop() else { break };
            let node = entry.node.0;
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

    fn ended(&mut self, node: usize, result: Made) {
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
        if let What::Bring(outputs, Some(_)) = &self.plan.nodes[node].what
            && (self.run.fallback || is_gone(&error))
            && !self.stopped
        {
            let paths = outputs.values().cloned().collect();
            if let Ok(outputs) = self.build_apart(node, paths) {
                self.succeeded(node, outputs);
                return;
            }
        }
        // What was given up because something else failed has not failed; what fails at the same moment depends on
        // chance, and is not told either.
        if self.stopped {
            return;
        }
        self.around.observer.tell(Event::Failed { drv: self.plan.name(node), error: &error });
        self.failures.push(error);
        self.culprit.get_or_insert(node);
        self.mark_failed(node);
        if !self.around.settings.keep_going {
            self.halt();
        }
    }

    /// Builds what could not be brought: everything that it needs is planned anew, apart from what goes on here.
    fn build_apart(&self, node: usize, paths: BTreeSet<StorePath>) -> Result<Outputs, BuildError> {
        let drv = self.plan.name(node).clone();
        let request = Request::Outputs(drv, Wanted::All);
        let without = self.run.substituter.map(|inner| Without { inner, paths });
        let substituter = without.as_ref().map(|without| without as &dyn super::Substituter);
        let run = Run { substituter, ..*self.run };
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
        // Where what failed first was itself requested, the rest was given up with it.
        let keeps_going = self.around.settings.keep_going;
        let is_given_up =
            !keeps_going && self.culprit.is_some_and(|node| self.plan.requested.contains(&node));
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
                _ if is_given_up && self.culprit != Some(*node) => Err(BuildError::Cancelled),
                _ => {
                    let needs = self.plan.nodes[*node].needs.iter();
                    let failed = needs.filter(|need| matches!(self.states[**need], State::Failed)).count();
                    Err(BuildError::Dependency {
                        drv: dir.print(self.plan.name(*node)),
                        failed: failed.max(1),
                    })
                }
            }
        };
        let answers = requests.iter().zip(&self.plan.requested).map(answer).collect();
        Outcome { answers, failures: self.failures }
    }
}

/// Whether a cache has lost what it says that it has: then it is built, as if no cache had it.
fn is_gone(error: &BuildError) -> bool {
    let BuildError::Store(nival_store::Error::Remote(error)) = error else { return false };
    matches!(**error, nival_store::RemoteError::Gone { .. })
}
