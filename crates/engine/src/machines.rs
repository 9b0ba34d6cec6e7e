//! Other machines that build, by the setting `builders` and the file that it usually names, `machines` beside nix.conf.

use nival_build::elsewhere::{Builds, Elsewhere, Machines, Place};
use nival_build::{BuildError, Event, Job, Surroundings};
use nival_store::stores::{CopyOptions, Opener, RemoteBuilder, Store, Trust, closure, copy};
use nival_store::{BuildStatus, Error};
use nival_store_model::{OutputKind, StorePath};
use nival_sys::lock::{self, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One machine, as a line describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineLine {
    /// The address of its store.
    pub url: String,
    /// Systems that it builds for.
    pub systems: BTreeSet<String>,
    /// The file of the key for ssh.
    pub key: Option<String>,
    /// How many builds it takes at once.
    pub jobs: usize,
    /// How quick it is, seen from others.
    pub speed: f64,
    /// What it has.
    pub features: BTreeSet<String>,
    /// What a derivation must ask for, so that it is built there.
    pub mandatory: BTreeSet<String>,
    /// Its own key in base64, for ssh.
    pub public_key: Option<String>,
}

impl MachineLine {
    /// Reads the lines of a text; `@FILE` stands for the lines of a file, and one that is not there for none.
    ///
    /// # Errors
    /// What is wrong with a line.
    pub fn parse_all(text: &str, system: &str) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            for entry in line.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
                match entry.strip_prefix('@') {
                    None => all.push(Self::parse(entry, system)?),
                    Some(file) => match std::fs::read_to_string(file.trim()) {
                        Ok(inner) => all.extend(Self::parse_all(&inner, system)?),
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                        Err(error) => return Err(format!("cannot read `{}`: {error}", file.trim())),
                    },
                }
            }
        }
        Ok(all)
    }

    fn parse(line: &str, system: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |at: usize| words.get(at).copied().filter(|word| *word != "-");
        let list = |at: usize| -> BTreeSet<String> {
            word(at).unwrap_or_default().split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect()
        };
        let url = word(0).ok_or_else(|| format!("there is no store in `{line}`"))?;
        let number = |at: usize| -> Result<Option<f64>, String> {
            let wrong = |text: &str| format!("`{text}` in `{line}` is no number");
            let found = word(at).map(|text| text.parse::<f64>().map_err(|_| wrong(text))).transpose()?;
            found.map_or(Ok(None), |found| {
                if found >= 0.0 { Ok(Some(found)) } else { Err(wrong(word(at).unwrap_or_default())) }
            })
        };
        let systems = list(1);
        Ok(Self {
            url: if is_address(url) { url.to_owned() } else { format!("ssh://{url}") },
            systems: if systems.is_empty() { [system.to_owned()].into() } else { systems },
            key: word(2).map(str::to_owned),
            jobs: number(3)?.unwrap_or(1.0) as usize,
            speed: number(4)?.filter(|speed| *speed > 0.0).unwrap_or(1.0),
            features: list(5),
            mandatory: list(6),
            public_key: word(7).map(str::to_owned),
        })
    }

    fn fits(&self, system: &str, features: &BTreeSet<String>) -> bool {
        self.systems.contains(system)
            && features.iter().all(|one| self.features.contains(one) || self.mandatory.contains(one))
            && self.mandatory.is_subset(features)
    }

    /// The address without its parameters.
    fn name(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    /// The address with what else is known.
    fn address(&self) -> String {
        let mut address = self.url.clone();
        let more = [("ssh-key", &self.key), ("base64-ssh-public-host-key", &self.public_key)];
        for (name, value) in more.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(&format!(
                "{name}={}",
                value.replace('%', "%25").replace('&', "%26").replace('+', "%2B")
            ));
        }
        address
    }
}

/// Whether a text is an address already, and not just the name of a machine.
fn is_address(text: &str) -> bool {
    let first = text.split('?').next().unwrap_or_default();
    text.contains('/') || matches!(first, "" | "auto" | "daemon" | "local")
}

/// The machines that the settings name.
pub struct OtherMachines {
    machines: Vec<Arc<OtherMachine>>,
}

struct OtherMachine {
    line: MachineLine,
    opener: Opener,
    /// Where the files are that say which places are taken, by all processes of this machine.
    load: PathBuf,
    substitutes: bool,
    store: Mutex<Option<Arc<dyn Store>>>,
    is_gone: AtomicBool,
}

impl fmt::Debug for OtherMachines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.machines.iter().map(|machine| &machine.line)).finish()
    }
}

impl OtherMachines {
    /// The machines of some lines. `load` is the folder where those who use them tell each other; with `substitutes`
    /// they bring what their own caches have.
    pub fn new(lines: Vec<MachineLine>, opener: &Opener, load: PathBuf, substitutes: bool) -> Self {
        let machine = |line| {
            Arc::new(OtherMachine {
                line,
                opener: opener.clone(),
                load: load.clone(),
                substitutes,
                store: Mutex::new(None),
                is_gone: AtomicBool::new(false),
            })
        };
        Self { machines: lines.into_iter().map(machine).collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.machines.is_empty()
    }
}

impl Machines for OtherMachines {
    fn place(&self, system: &str, features: &BTreeSet<String>) -> Place {
        let mut place = Place::Nowhere;
        let mut best: Option<(f64, f64, Kept)> = None;
        for machine in &self.machines {
            if machine.is_gone.load(Ordering::Relaxed) || !machine.line.fits(system, features) {
                continue;
            }
            place = Place::Busy;
            let Some((load, free)) = machine.free_place() else { continue };
            let (load, speed) = (load as f64 / machine.line.speed, machine.line.speed);
            // The least loaded, and of those the quickest.
            if best.as_ref().is_none_or(|(l, s, _)| load < *l || load == *l && speed > *s) {
                best = Some((load, speed, Kept { machine: Arc::clone(machine), _place: free }));
            }
        }
        best.map_or(place, |(_, _, kept)| Place::Free(Box::new(kept)))
    }
}

impl OtherMachine {
    /// A place that nobody has, with how many are taken.
    fn free_place(&self) -> Option<(usize, File)> {
        let (mut taken, mut free) = (0, None);
        // Without the folder nobody can be told; the machine says itself what is too much.
        nival_sys::fs::create_dir_all(&self.load).ok()?;
        let name: String = self
            .line
            .url
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || ".-@".contains(c) { c } else { '_' })
            .collect();
        for number in 0..self.line.jobs {
            let file = nival_sys::fs::open_private(&self.load.join(format!("{name}-{number}"))).ok()?;
            if lock::take(&file, Kind::Exclusive, false).unwrap_or(false) {
                free.get_or_insert(file);
            } else {
                taken += 1;
            }
        }
        free.map(|free| (taken, free))
    }

    fn store(&self) -> Result<Arc<dyn Store>, Error> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*store {
            return Ok(Arc::clone(store));
        }
        let opened = self.opener.open(&self.line.address(), false)?.0;
        Ok(Arc::clone(store.insert(opened)))
    }
}

/// A place of a machine that is kept.
struct Kept {
    machine: Arc<OtherMachine>,
    /// Its lock is given back with it.
    _place: File,
}

impl Builds for Kept {
    fn name(&self) -> &str {
        self.machine.line.name()
    }

    fn build(
        &self,
        around: &Surroundings<'_>,
        job: &Job<'_>,
    ) -> Result<BTreeMap<String, StorePath>, Elsewhere> {
        let gone = |why: String| {
            self.machine.is_gone.store(true, Ordering::Relaxed);
            Elsewhere::Unreachable(why)
        };
        let store = self.machine.store().map_err(|error| gone(error.to_string()))?;
        let Some(builder) = store.builder() else { return Err(gone("it builds nothing".to_owned())) };
        let failed = |error: Error| Elsewhere::Failed(BuildError::Store(error));
        let inputs: Vec<StorePath> = job.inputs.iter().cloned().collect();
        if self.machine.substitutes {
            builder.substitute(&inputs).map_err(failed)?;
        }
        self.send(around, &*store, &inputs).map_err(failed)?;
        let result = self.built(around, job, &*store, builder).map_err(failed)?;
        if !result.status.is_success() {
            return Err(Elsewhere::Failed(self.failure(around, job, &result)));
        }
        let mut outputs = known_outputs(around, job)?;
        outputs.extend(result.paths());
        let paths: Vec<StorePath> = outputs.values().cloned().collect();
        let options = CopyOptions { closure: true, ..everything() };
        copy(&*store, around.store, &paths, &options, &|_| {}).map_err(failed)?;
        Ok(outputs)
    }
}

/// The paths of outputs that are known before the build.
fn known_outputs(
    around: &Surroundings<'_>,
    job: &Job<'_>,
) -> Result<BTreeMap<String, StorePath>, BuildError> {
    let mut known = BTreeMap::new();
    for (name, output) in &job.derivation.outputs {
        if let Some(path) = output.path(around.store.dir(), &job.derivation.name, name)? {
            known.insert(name.clone(), path);
        }
    }
    Ok(known)
}

/// Machines that build are trusted: what they are given, and what they made.
fn everything() -> CopyOptions {
    CopyOptions { trust: Trust::everything(), closure: false, jobs: 2, keys: Vec::new() }
}

impl Kept {
    fn send(&self, around: &Surroundings<'_>, to: &dyn Store, paths: &[StorePath]) -> Result<(), Error> {
        // One at a time: each who sends finds what the others have sent.
        let lock = self.machine.load.join("upload-lock");
        let file = nival_sys::fs::open_private(&lock).ok();
        let held = file.as_ref().map(|file| lock::take(file, Kind::Exclusive, true));
        let sent = copy(around.store, to, paths, &everything(), &|_| {});
        drop(held);
        sent.map(drop)
    }

    fn built(
        &self,
        around: &Surroundings<'_>,
        job: &Job<'_>,
        store: &dyn Store,
        builder: &dyn RemoteBuilder,
    ) -> Result<nival_store::BuildResult, Error> {
        let mut line = |text: &str| around.observer.tell(Event::Line { drv: job.drv, text });
        let by_contents =
            |kind: &OutputKind| !matches!(kind, OutputKind::InputAddressed(_) | OutputKind::Deferred);
        let may_be_sent = store.trusts_client().unwrap_or(true)
            || job.derivation.outputs.values().all(|output| by_contents(&output.kind));
        if may_be_sent {
            let mut derivation = job.derivation.clone();
            if !derivation.input_derivations.is_empty() {
                derivation.input_derivations.clear();
                derivation.input_sources = job.inputs.clone();
            }
            return builder.build_derivation(job.drv, &derivation, &mut line);
        }
        // A machine that does not trust this user takes all derivations, and finds the path of each itself.
        let drvs: Vec<StorePath> =
            closure(around.store, std::slice::from_ref(job.drv))?.into_keys().collect();
        self.send(around, store, &drvs)?;
        let wanted = [format!("{}!*", around.store.dir().print(job.drv))];
        let results = builder.build(&wanted, &mut line)?;
        let none = || nival_store::BuildResult::failed(BuildStatus::Other, "it gave no result".to_owned());
        Ok(results.into_iter().next().unwrap_or_else(none))
    }

    fn failure(
        &self,
        around: &Surroundings<'_>,
        job: &Job<'_>,
        result: &nival_store::BuildResult,
    ) -> BuildError {
        let drv = around.store.dir().print(job.drv);
        let name = self.machine.line.name();
        let (tail, said): (Vec<&str>, Vec<&str>) =
            result.message.trim().lines().partition(|line| line.starts_with("> "));
        let tail = tail.into_iter().map(|line| line.trim_start_matches("> ").to_owned()).collect();
        // What another of these programs says of its builder is said as of one here.
        let why = said.first().copied().unwrap_or("it gave no reason");
        let why = why.strip_suffix(&format!(": `{drv}`")).unwrap_or(why);
        let ended = match why.strip_prefix("the builder ") {
            Some(ended) => format!("{ended} on `{name}`"),
            None => format!("failed on `{name}`: {why}"),
        };
        match result.status {
            BuildStatus::TimedOut => BuildError::Limit { drv, limit: ended, setting: "timeout" },
            BuildStatus::LogLimit => BuildError::Limit { drv, limit: ended, setting: "max-build-log-size" },
            _ => BuildError::Builder { drv, ended, tail, kept: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_nix_does() {
        let text =
            "ssh-ng://a x86_64-linux,i686-linux /key 4 2.5 kvm,big kvm ABC= # said\n\n me@b ; /store - - 2";
        let lines = MachineLine::parse_all(text, "here").unwrap();
        let urls: Vec<&str> = lines.iter().map(|line| line.url.as_str()).collect();
        assert_eq!(urls, ["ssh-ng://a", "ssh://me@b", "/store"]);
        assert_eq!((lines[0].jobs, lines[0].speed, lines[2].jobs), (4, 2.5, 2));
        assert_eq!(lines[0].address(), "ssh-ng://a?ssh-key=/key&base64-ssh-public-host-key=ABC=");
        assert_eq!(lines[1].systems, ["here".to_owned()].into());
        let asks = |features: &[&str]| features.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>();
        assert!(lines[0].fits("i686-linux", &asks(&["kvm", "big"])));
        assert!(!lines[0].fits("i686-linux", &asks(&["big"])), "what is mandatory must be asked for");
        assert!(!lines[1].fits("here", &asks(&["kvm"])) && lines[1].fits("here", &asks(&[])));
        for wrong in ["a - - x", "a - - -1", "- x"] {
            assert!(MachineLine::parse_all(wrong, "here").is_err(), "{wrong}");
        }
        assert_eq!(MachineLine::parse_all("@/no/such/file", "here").unwrap(), []);
    }
}
