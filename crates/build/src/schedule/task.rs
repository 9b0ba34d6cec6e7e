//! One thing of a plan: bringing paths, or building a derivation, here or on another machine.

use super::Run;
use super::plan::known_outputs;
use crate::build_error::BuildError;
use crate::derivation::{Structured, Wishes, must_resolve, resolve};
use crate::elsewhere::{Builds, Elsewhere, Machines, Place};
use crate::events::Event;
use crate::one::{Job, Surroundings, build_one, known_paths};
use crate::outputs::Mode;
use nival_store::Realisation;
use nival_store_model::{Derivation, StorePath};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The path of each output.
pub(super) type Outputs = BTreeMap<String, StorePath>;

/// Something that a thread does.
pub(super) enum Task {
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

pub(super) type Known = Mutex<HashMap<StorePath, Arc<Vec<StorePath>>>>;

impl Task {
    /// Does it; what it is told of the references of paths is kept for the next one.
    pub(super) fn run(
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
pub(super) fn place(around: &Surroundings<'_>, machines: &dyn Machines, derivation: &Derivation) -> Place {
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
pub(super) fn fits_here(around: &Surroundings<'_>, derivation: &Derivation) -> bool {
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
