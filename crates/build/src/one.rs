//! Building one derivation whose inputs are there.

mod place;
mod running;

use crate::build_error::BuildError;
use crate::derivation::{Structured, Wishes, output_placeholder};
use crate::events::{Event, Observer};
use crate::log::Log;
use crate::outputs::{Finished, Mode};
use crate::settings::{BuildSettings, Confinement};
use crate::users::{self, BuildUser};
use nival_store::{LocalStore, PathInfo};
use nival_store_model::store_path::output_path_name;
use nival_store_model::{Algorithm, Derivation, Hash, OutputKind, StorePath};
use nival_sys::cgroup::limits::Limited;
use nival_transport::Cancel;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What every build of a run is given.
pub struct Surroundings<'a> {
    /// The store.
    pub store: &'a LocalStore,
    /// How builds are done.
    pub settings: &'a BuildSettings,
    /// Hears of what happens.
    pub observer: &'a dyn Observer,
    /// Ends everything.
    pub cancel: &'a Cancel,
    /// Signs what was built.
    pub sign: &'a (dyn Fn(&mut PathInfo) + Sync),
}

/// One derivation to build; its inputs are valid.
pub struct Job<'a> {
    /// The derivation's path.
    pub drv: &'a StorePath,
    /// The derivation, its inputs resolved.
    pub derivation: &'a Derivation,
    /// The closure of its inputs.
    pub inputs: &'a BTreeSet<StorePath>,
    /// How outputs that are there are treated.
    pub mode: Mode,
}

/// Builds one derivation, unless somebody else did meanwhile.
///
/// # Errors
/// Any [`BuildError`]; nothing of the failed build stays but its log, and its folder where that is wanted.
pub fn build_one(around: &Surroundings<'_>, job: &Job<'_>) -> Result<BTreeMap<String, PathInfo>, BuildError> {
    let known = known_paths(around.store, job.derivation)?;
    around.store.temp_root(job.drv)?;
    for path in known.values() {
        around.store.temp_root(path)?;
    }
    let locked: Vec<StorePath> = match known.is_empty() {
        // What floats has no path to lock: the derivation's own stands for it.
        true => vec![job.drv.clone()],
        false => known.values().cloned().collect(),
    };
    let locks = locked_paths(around, job.drv, &locked)?;
    let valid = valid_outputs(around.store, &known)?;
    if job.mode == Mode::Normal && valid.len() == job.derivation.outputs.len() {
        locks.finish();
        return infos(around.store, &valid);
    }
    let valid = if job.mode == Mode::Normal { valid } else { BTreeMap::new() };
    let structured = Structured::of(job.derivation)?;
    let wishes = Wishes::of(job.derivation, around.store.dir(), structured.as_ref())?;
    check_fitness(around, job, &wishes)?;
    if wishes.ignores_references {
        let text = "`exportReferencesGraph` in structured attributes is not a JSON object, so it is ignored";
        around.observer.tell(Event::Notice { text });
    }
    let mut build = Build::new(around, job, wishes, known, valid)?;
    let result = build.run(structured);
    let result = build.clean_up(result);
    if result.is_ok() {
        locks.finish();
    }
    result
}

fn infos(
    store: &LocalStore,
    paths: &BTreeMap<String, StorePath>,
) -> Result<BTreeMap<String, PathInfo>, BuildError> {
    let mut all = BTreeMap::new();
    for (name, path) in paths {
        if let Some(info) = store.info(path)? {
            all.insert(name.clone(), info);
        }
    }
    Ok(all)
}

/// The paths of outputs that are known before the build.
pub(crate) fn known_paths(
    store: &LocalStore,
    derivation: &Derivation,
) -> Result<BTreeMap<String, StorePath>, BuildError> {
    let mut known = BTreeMap::new();
    for (name, output) in &derivation.outputs {
        if let Some(path) = output.path(store.dir(), &derivation.name, name)? {
            known.insert(name.clone(), path);
        }
    }
    Ok(known)
}

fn valid_outputs(
    store: &LocalStore,
    known: &BTreeMap<String, StorePath>,
) -> Result<BTreeMap<String, StorePath>, BuildError> {
    let mut valid = BTreeMap::new();
    for (name, path) in known {
        if store.is_valid(path)? {
            valid.insert(name.clone(), path.clone());
        }
    }
    Ok(valid)
}

fn locked_paths(
    around: &Surroundings<'_>,
    drv: &StorePath,
    paths: &[StorePath],
) -> Result<nival_store::PathLocks, BuildError> {
    let mut told = false;
    loop {
        if let Some(locks) = around.store.lock_paths(paths, false)? {
            return Ok(locks);
        }
        if !told {
            around.observer.tell(Event::Waiting { drv });
            told = true;
        }
        if around.cancel.is_cancelled() {
            return Err(BuildError::Cancelled);
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}

fn check_fitness(around: &Surroundings<'_>, job: &Job<'_>, wishes: &Wishes) -> Result<(), BuildError> {
    let system = String::from_utf8_lossy(&job.derivation.system).into_owned();
    let drv = || around.store.dir().print(job.drv);
    if around.settings.max_jobs == 0 {
        let reason = "local builds are disabled (`max-jobs = 0`)".to_owned();
        return Err(BuildError::Unfit { drv: drv(), reason });
    }
    if !around.settings.runs(&system) && !job.derivation.builder.starts_with(b"builtin:") {
        let reason = format!("it is for `{system}`, and this machine is `{}`", around.settings.system);
        return Err(BuildError::Unfit { drv: drv(), reason });
    }
    let missing: Vec<&str> =
        wishes.required_features.difference(&around.settings.features).map(String::as_str).collect();
    if !missing.is_empty() {
        let reason =
            format!("it needs the features `{}`, which this machine does not have", missing.join("`, `"));
        return Err(BuildError::Unfit { drv: drv(), reason });
    }
    Ok(())
}

/// A build on its way.
struct Build<'a> {
    around: &'a Surroundings<'a>,
    job: &'a Job<'a>,
    wishes: Wishes,
    valid: BTreeMap<String, StorePath>,
    scratch: BTreeMap<String, StorePath>,
    rewrites: Vec<(Vec<u8>, Vec<u8>)>,
    confined: bool,
    user: Option<BuildUser>,
    /// The control groups of a builder that is limited.
    group: Option<Limited>,
    /// Holds the builder's folder and the place where its root is mounted.
    top: PathBuf,
    /// Where the builder makes outputs.
    outputs: PathBuf,
    tail: VecDeque<String>,
    /// The phase that the builder said that it is in.
    phase: Option<String>,
    /// Begins lines that come from the builder's place, and not from the builder.
    marker: String,
    /// The code of the builder that failed and whose place waits.
    stopped: Option<i32>,
}

impl<'a> Build<'a> {
    fn new(
        around: &'a Surroundings<'a>,
        job: &'a Job<'a>,
        wishes: Wishes,
        known: BTreeMap<String, StorePath>,
        valid: BTreeMap<String, StorePath>,
    ) -> Result<Self, BuildError> {
        let settings = around.settings;
        let builtin = job.derivation.builder.starts_with(b"builtin:");
        let confined = match settings.confinement {
            Confinement::On if wishes.no_chroot => {
                let reason = "it asks not to be confined (`__noChroot`), which the setting `sandbox` forbids"
                    .to_owned();
                return Err(BuildError::Unfit { drv: around.store.dir().print(job.drv), reason });
            }
            Confinement::On => true,
            Confinement::Off => false,
            Confinement::Relaxed => !has_host_network(job.derivation) && !wishes.no_chroot,
        };
        let diverted = around.store.config().physical != Path::new(around.store.dir().as_str());
        let confined = (confined || diverted) && !builtin;
        if wishes.debian_root.is_some() && !confined && !builtin {
            let reason = "it is built inside a root of Debian packages, which needs the setting `sandbox`";
            let drv = around.store.dir().print(job.drv);
            return Err(BuildError::Unfit { drv, reason: reason.to_owned() });
        }
        let state = around.store.state();
        let user =
            if builtin { None } else { users::acquire(state, settings.users_group.as_deref(), confined)? };
        let top = top_folder(settings, state);
        let outputs = match confined || builtin {
            true => {
                let mut name = around.store.physical(job.drv).into_os_string();
                name.push(".chroot");
                PathBuf::from(name)
            }
            false => around.store.config().physical.clone(),
        };
        let mut build = Self {
            around,
            job,
            wishes,
            valid,
            scratch: BTreeMap::new(),
            rewrites: Vec::new(),
            confined: confined || builtin,
            user,
            group: None,
            top,
            outputs,
            tail: VecDeque::new(),
            phase: None,
            marker: marker(job),
            stopped: None,
        };
        build.choose_scratch(&known)?;
        Ok(build)
    }

    /// Chooses the path under which the builder makes each output.
    fn choose_scratch(&mut self, known: &BTreeMap<String, StorePath>) -> Result<(), BuildError> {
        let dir = self.around.store.dir();
        let zero = Hash::new(Algorithm::Sha256, &[0; 32]).unwrap_or_else(|| Hash::sha256(b""));
        for (name, output) in &self.job.derivation.outputs {
            let path_name = output_path_name(&self.job.derivation.name, name);
            let path = match known.get(name) {
                Some(path) if self.confined || !self.around.store.physical(path).exists() => path.clone(),
                Some(path) if !self.around.store.is_valid(path)? => path.clone(),
                Some(path) => {
                    let kind = format!("rewrite:{}:{}", self.job.drv, path);
                    let scratch = dir.make(&kind, &zero, path.name())?;
                    let pair =
                        (path.hash_part().as_bytes().to_vec(), scratch.hash_part().as_bytes().to_vec());
                    self.rewrites.push(pair);
                    scratch
                }
                None => {
                    let unique = match output.kind {
                        OutputKind::Impure { .. } => format!("{:?}", Instant::now()),
                        _ => String::new(),
                    };
                    dir.make(&format!("rewrite:{}:name:{name}{unique}", self.job.drv), &zero, &path_name)?
                }
            };
            let pair = (output_placeholder(name).into_bytes(), dir.print(&path).into_bytes());
            self.rewrites.push(pair);
            self.scratch.insert(name.clone(), path);
        }
        Ok(())
    }

    fn run(&mut self, structured: Option<Structured>) -> Result<BTreeMap<String, PathInfo>, BuildError> {
        self.make_folders()?;
        self.around.observer.tell(Event::Started { drv: self.job.drv });
        let mut log = self.around.settings.keep_log.then(|| {
            Log::new(&self.around.store.config().log, self.job.drv, self.around.settings.compress_log)
        });
        let builder = self.job.derivation.builder.strip_prefix(b"builtin:".as_slice());
        let ended = match builder.map(String::from_utf8_lossy) {
            Some(name) => self.run_builtin(&name, &mut log),
            None => self.run_builder(structured, &mut log),
        };
        if let Some(log) = log {
            log.finish().map_err(|error| BuildError::sandbox("write the log", error))?;
        }
        ended?;
        self.register()
    }

    fn register(&self) -> Result<BTreeMap<String, PathInfo>, BuildError> {
        let builtin = self.job.derivation.builder.starts_with(b"builtin:");
        Finished {
            store: self.around.store,
            drv: self.job.drv,
            derivation: self.job.derivation,
            wishes: &self.wishes,
            inputs: self.job.inputs,
            scratch: &self.scratch,
            folder: &self.outputs,
            valid: &self.valid,
            mode: self.job.mode,
            builder: self.user.as_ref().map(|user| user.user.user),
            copied: !builtin && (has_host_network(self.job.derivation) || !self.confined),
            keep_failed: self.around.settings.keep_failed,
            sign: self.around.sign,
        }
        .register()
    }

    fn failure(&self, ended: String) -> BuildError {
        let drv = self.around.store.dir().print(self.job.drv);
        BuildError::Builder { drv, ended, tail: self.tail.iter().cloned().collect(), kept: None }
    }
}

/// A word that no builder can know.
fn marker(job: &Job<'_>) -> String {
    let random = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), job.drv);
    let more = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), random);
    format!("@nival {random:016x}{more:016x}")
}

fn top_folder(settings: &BuildSettings, state: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = settings.folder.clone().unwrap_or_else(|| state.join("builds"));
    folder.join(format!("nix-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Whether a builder may use the host's network: where what it makes is checked by its hash, or is impure.
fn has_host_network(derivation: &Derivation) -> bool {
    derivation
        .outputs
        .values()
        .any(|o| matches!(o.kind, OutputKind::Fixed { .. } | OutputKind::Impure { .. }))
}
