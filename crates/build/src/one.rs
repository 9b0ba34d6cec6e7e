//! Building one derivation whose inputs are there.

use crate::build_error::BuildError;
use crate::builtin;
use crate::derivation::{Place, Structured, Wishes, output_placeholder, prepare};
use crate::events::{Event, Observer};
use crate::log::Log;
use crate::outputs::{Finished, Mode};
use crate::sandbox::{Answer, Bind, BindKind, Cell, File, Running};
use crate::settings::{BuildSettings, Confinement};
use crate::surroundings;
use crate::users::{self, BuildUser};
use nival_store::{LocalStore, PathInfo};
use nival_store_model::store_path::output_path_name;
use nival_store_model::{Algorithm, Derivation, Hash, OutputKind, StorePath};
use nival_sys::process::{AsReadable, Ended, wait_readable};
use nival_sys::{fs, owner, pty};
use nival_transport::Cancel;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read as _;
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
        let reason = "nothing is to be built here (`max-jobs = 0`)".to_owned();
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
    /// Holds the builder's folder and the place where its root is mounted.
    top: PathBuf,
    /// Where the builder makes outputs.
    outputs: PathBuf,
    tail: VecDeque<String>,
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
            top,
            outputs,
            tail: VecDeque::new(),
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

    fn make_folders(&self) -> Result<(), BuildError> {
        let failed = |error| BuildError::sandbox("make the builder's folders", error);
        if let Some(parent) = self.top.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::remove_tree(&self.top).map_err(failed)?;
        let mut folders = vec![self.top.clone(), self.top.join("build")];
        if self.confined {
            fs::remove_tree(&self.outputs).map_err(failed)?;
            folders.extend([self.top.join("root"), self.top.join("tmp"), self.outputs.clone()]);
        }
        for folder in &folders {
            fs::create_dir(folder).map_err(failed)?;
            fs::set_mode(folder, 0o700).map_err(failed)?;
        }
        if self.confined {
            fs::set_mode(&self.top.join("tmp"), 0o1777).map_err(failed)?;
        } else if self.user.is_some() {
            fs::set_mode(&self.top, 0o711).map_err(failed)?;
        }
        if let Some(user) = &self.user {
            for folder in ["build", "tmp"].map(|name| self.top.join(name)) {
                if folder.exists() {
                    owner::set_owner(&folder, user.user.user, user.user.group).map_err(failed)?;
                }
            }
            if self.confined {
                owner::set_owner(&self.outputs, user.user.user, user.user.group).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn run_builtin(&mut self, name: &str, log: &mut Option<Log>) -> Result<(), BuildError> {
        let store = self.around.store;
        let outputs =
            self.scratch.iter().map(|(name, path)| (name.clone(), self.outputs.join(path.base_name())));
        let outputs: BTreeMap<String, PathBuf> = outputs.collect();
        let physical = |path: &str| match store.dir().parse_prefix(path) {
            Ok((path, "")) => store.physical(&path),
            Ok((path, rest)) => store.physical(&path).join(rest.trim_start_matches('/')),
            Err(_) => PathBuf::from(path),
        };
        let mut lines = Vec::new();
        let result = builtin::run(
            name,
            &mut builtin::Work {
                derivation: self.job.derivation,
                outputs,
                scratch: self.top.join("build"),
                physical: &physical,
                settings: self.around.settings,
                cancel: self.around.cancel,
                say: &mut |text| lines.push(text.to_owned()),
            },
        );
        if let Err(text) = &result {
            lines.push(format!("{text}\n"));
        }
        for line in lines {
            self.heard(line.as_bytes(), &mut Vec::new(), log)?;
        }
        if self.around.cancel.is_cancelled() {
            return Err(BuildError::Cancelled);
        }
        result.map_err(|_| self.failure("failed with exit code 1".to_owned()))
    }

    fn run_builder(
        &mut self,
        structured: Option<Structured>,
        log: &mut Option<Log>,
    ) -> Result<(), BuildError> {
        let failed = |doing: &'static str| move |error| BuildError::sandbox(doing, error);
        let cell = self.cell(structured)?;
        let (shown, terminal) =
            pty::open(Path::new("/dev/pts")).map_err(failed("make a terminal for the builder"))?;
        pty::make_raw(&terminal).map_err(failed("make a terminal for the builder"))?;
        if let Some(user) = &self.user {
            owner::set_owner_of(&terminal, user.user.user, user.user.group)
                .map_err(failed("give the builder its terminal"))?;
        }
        let mut running = Running::start(&self.around.settings.program, &cell, &terminal, &self.top)?;
        drop(terminal);
        let mut shown = std::fs::File::from(shown);
        let mut watch = Watch::new(self.around.settings);
        let mut line = Vec::new();
        let ended = loop {
            let ready = {
                let answers = running.descriptor();
                let both: [&dyn AsReadable; 2] = [&shown, &answers];
                wait_readable(&both, 100).map_err(failed("wait for the builder"))?
            };
            let mut is_over = false;
            if ready[0] {
                let count = self.hear(&mut shown, &mut line, log)?;
                watch.heard(count);
                is_over = count == 0;
            }
            if is_over || ready[1] {
                match if is_over { running.last_answer() } else { running.answer() } {
                    Answer::Started => {}
                    Answer::Failed(text) => {
                        let (doing, error) = text.split_once(": ").unwrap_or((&text, "failed"));
                        let doing = doing.trim_start_matches("cannot ").to_owned();
                        return Err(BuildError::sandbox(doing, std::io::Error::other(error.to_owned())));
                    }
                    Answer::Ended(ended) => break ended,
                    Answer::Gone => break Ended::Signal(9),
                }
            }
            if self.around.cancel.is_cancelled() {
                running.kill();
                running.wait();
                return Err(BuildError::Cancelled);
            }
            if let Some((limit, setting)) = watch.passed() {
                running.kill();
                running.wait();
                let drv = self.around.store.dir().print(self.job.drv);
                return Err(BuildError::Limit { drv, limit, setting });
            }
        };
        running.wait();
        while wait_readable(&[&shown], 0).is_ok_and(|ready| ready[0])
            && self.hear(&mut shown, &mut line, log)? > 0
        {}
        if !line.is_empty() {
            self.heard(b"\n", &mut line, log)?;
        }
        match ended {
            Ended::Code(0) => Ok(()),
            Ended::Code(code) => Err(self.failure(format!("failed with exit code {code}"))),
            Ended::Signal(signal) => Err(self.failure(format!("failed due to signal {signal}"))),
        }
    }

    /// Reads what the builder says; the number of bytes, 0 at the end.
    fn hear(
        &mut self,
        shown: &mut std::fs::File,
        line: &mut Vec<u8>,
        log: &mut Option<Log>,
    ) -> Result<usize, BuildError> {
        let mut buffer = [0; 4096];
        // A terminal that nobody holds any more is an error to read.
        let count = shown.read(&mut buffer).unwrap_or(0);
        self.heard(&buffer[..count], line, log)?;
        Ok(count)
    }

    fn heard(&mut self, bytes: &[u8], line: &mut Vec<u8>, log: &mut Option<Log>) -> Result<(), BuildError> {
        for byte in bytes {
            if *byte != b'\n' {
                line.push(*byte);
                continue;
            }
            let mut text = std::mem::take(line);
            let shown = String::from_utf8_lossy(&text).into_owned();
            let shown = shown.trim_end_matches('\r');
            if let Some(json) = shown.strip_prefix("@nix ") {
                if let Some(name) = phase(json) {
                    self.around.observer.tell(Event::Phase { drv: self.job.drv, name: &name });
                }
                continue;
            }
            // A line that was written over several times counts as it looks in the end.
            let last = shown.rsplit('\r').next().unwrap_or(shown);
            self.around.observer.tell(Event::Line { drv: self.job.drv, text: last });
            self.tail.push_back(last.to_owned());
            if self.tail.len() > self.around.settings.log_lines {
                self.tail.pop_front();
            }
            if let Some(log) = log {
                text.push(b'\n');
                log.add(&text).map_err(|error| BuildError::sandbox("write the log", error))?;
            }
        }
        Ok(())
    }

    fn failure(&self, ended: String) -> BuildError {
        let drv = self.around.store.dir().print(self.job.drv);
        BuildError::Builder { drv, ended, tail: self.tail.iter().cloned().collect(), kept: None }
    }

    fn cell(&self, structured: Option<Structured>) -> Result<Cell, BuildError> {
        let settings = self.around.settings;
        let folder = match self.confined {
            true => settings.inner_folder.clone(),
            false => self.top.join("build").to_string_lossy().into_owned(),
        };
        let host_network = has_host_network(self.job.derivation);
        let place = Place {
            store: self.around.store,
            folder: &folder,
            cores: settings.processors(),
            inputs: self.job.inputs,
            rewrites: &self.rewrites,
            caller: &settings.caller,
            is_fixed: host_network,
        };
        let prepared = prepare(self.job.derivation, &self.wishes, structured, &place)?;
        for (name, contents) in &prepared.files {
            let path = self.top.join("build").join(name);
            let failed = |error| BuildError::sandbox(format!("write `{name}` for the builder"), error);
            fs::write_new(&path, contents, 0o644).map_err(failed)?;
            if let Some(user) = &self.user {
                owner::set_owner(&path, user.user.user, user.user.group).map_err(failed)?;
            }
        }
        let joined = |(name, value): (&Vec<u8>, &Vec<u8>)| [name.as_slice(), b"=", value].concat();
        Ok(Cell {
            confined: self.confined,
            root: self.top.join("root"),
            host_network,
            user: 1000,
            group: 100,
            outside: self.user.as_ref().map(|user| user.user),
            binds: if self.confined { self.binds(host_network)? } else { Vec::new() },
            files: self.files(host_network),
            shared_memory: settings.shared_memory.clone(),
            filter_calls: settings.filter_calls,
            allow_new_privileges: settings.allow_new_privileges,
            is_32_bit: settings.system == "x86_64-linux" && self.job.derivation.system == b"i686-linux",
            directory: PathBuf::from(folder),
            builder: self.job.derivation.builder.clone(),
            arguments: prepared.arguments,
            environment: prepared.environment.iter().map(joined).collect(),
        })
    }

    fn files(&self, host_network: bool) -> Vec<File> {
        let folder = &self.around.settings.inner_folder;
        let file = |path: &str, contents: String| File { path: path.into(), contents };
        let mut files = vec![
            file(
                "/etc/passwd",
                format!(
                    "root:x:0:0:Nix build user:{folder}:/noshell\nnixbld:x:1000:100:Nix build user:{folder}:/noshell\n\
                     nobody:x:65534:65534:Nobody:/:/noshell\n"
                ),
            ),
            file("/etc/group", "root:x:0:\nnixbld:!:100:\nnogroup:x:65534:\n".to_owned()),
        ];
        if host_network {
            files.push(file("/etc/nsswitch.conf", "hosts: files dns\nservices: files\n".to_owned()));
        } else {
            files.push(file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n".to_owned()));
        }
        files
    }

    fn binds(&self, host_network: bool) -> Result<Vec<Bind>, BuildError> {
        let settings = self.around.settings;
        let store = self.around.store;
        let mut binds = Vec::new();
        let mut bind = |source: PathBuf, target: PathBuf, kind| binds.push(Bind { source, target, kind });
        bind(self.outputs.clone(), store.dir().as_str().into(), BindKind::Writable);
        bind(self.top.join("build"), settings.inner_folder.clone().into(), BindKind::Writable);
        bind(self.top.join("tmp"), "/tmp".into(), BindKind::Writable);
        let mut devices = vec!["full", "null", "random", "tty", "urandom", "zero"];
        if settings.features.contains("kvm") {
            devices.push("kvm");
        }
        for device in devices {
            let path = Path::new("/dev").join(device);
            bind(path.clone(), path, BindKind::Optional);
        }
        if host_network {
            for file in ["/etc/resolv.conf", "/etc/services", "/etc/hosts"] {
                bind(file.into(), file.into(), BindKind::Optional);
            }
            if let Some(certificates) = &settings.transport.certificates {
                bind(certificates.clone(), certificates.clone(), BindKind::Optional);
            }
        }
        let own: BTreeSet<&StorePath> = self.scratch.values().collect();
        for path in self.job.inputs.iter().filter(|path| !own.contains(path)) {
            bind(store.physical(path), store.dir().print(path).into(), BindKind::ReadOnly);
        }
        let around_it = match &self.wishes.debian_root {
            Some(root) => surroundings::binds(store, self.job, root)?,
            None => Vec::new(),
        };
        let top = |path: &Path| path.components().nth(1).map(|part| part.as_os_str().to_owned());
        let own: BTreeSet<_> = around_it.iter().filter_map(|bind| top(&bind.target)).collect();
        // What a root of packages brings is not the host's.
        for path in settings.host_paths.iter().filter(|p| top(&p.target).is_none_or(|t| !own.contains(&t))) {
            let kind = if path.optional { BindKind::Optional } else { BindKind::Writable };
            let text = path.source.to_string_lossy();
            let inner = store.dir().parse_prefix(&text).ok();
            let source = inner.map_or_else(
                || path.source.clone(),
                |(inner, rest)| store.physical(&inner).join(rest.trim_start_matches('/')),
            );
            bind(source, path.target.clone(), kind);
        }
        for path in &self.wishes.impure_host_paths {
            let allowed = |prefix: &String| Path::new(path).starts_with(prefix);
            if !settings.allowed_host_paths.iter().any(allowed) {
                let reason = format!(
                    "it asks for the host's `{path}`, which `allowed-impure-host-deps` does not allow"
                );
                return Err(BuildError::Unfit { drv: store.dir().print(self.job.drv), reason });
            }
            bind(path.into(), path.into(), BindKind::Optional);
        }
        binds.extend(around_it);
        Ok(binds)
    }

    /// Removes the build's folders; the builder's own is kept where that is wanted of a failure.
    fn clean_up<T>(&self, mut result: Result<T, BuildError>) -> Result<T, BuildError> {
        let keep = self.around.settings.keep_failed && !self.job.derivation.builder.starts_with(b"builtin:");
        let mut is_kept = false;
        if let Err(BuildError::Builder { kept, .. } | BuildError::NotDeterministic { folder: kept, .. }) =
            &mut result
            && keep
        {
            let place = self.top.join("build");
            let opened = fs::set_mode(&self.top, 0o755).and_then(|()| fs::set_mode(&place, 0o755));
            if opened.is_ok() {
                *kept = Some(place);
                is_kept = true;
            }
        }
        if !is_kept {
            // What cannot be removed is removed when the next build of this process's number begins.
            let _ = fs::remove_tree(&self.top);
        }
        if self.confined {
            let _ = fs::remove_tree(&self.outputs);
        } else if result.is_err() {
            for path in self.scratch.values().filter(|path| !self.valid.values().any(|valid| valid == *path))
            {
                let _ = fs::remove_tree(&self.around.store.physical(path));
            }
        }
        result
    }
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

/// The phase that a builder's message in JSON names.
fn phase(json: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(json).ok()?;
    match message["action"].as_str()? {
        "setPhase" => message["phase"].as_str().map(str::to_owned),
        "result" if message["type"] == 104 => message["fields"][0].as_str().map(str::to_owned),
        _ => None,
    }
}

/// The limits of one build, and how near it is to them.
struct Watch {
    began: Instant,
    last_word: Instant,
    said: u64,
    timeout: Option<Duration>,
    silence: Option<Duration>,
    size: Option<u64>,
}

impl Watch {
    fn new(settings: &BuildSettings) -> Self {
        let now = Instant::now();
        Self {
            began: now,
            last_word: now,
            said: 0,
            timeout: settings.timeout,
            silence: settings.max_silent_time,
            size: settings.max_log_size,
        }
    }

    fn heard(&mut self, count: usize) {
        self.said += count as u64;
        if count > 0 {
            self.last_word = Instant::now();
        }
    }

    /// The limit that was passed, with the name of its setting.
    fn passed(&self) -> Option<(String, &'static str)> {
        let over = |since: Instant, limit: Option<Duration>| limit.filter(|limit| since.elapsed() >= *limit);
        if let Some(limit) = over(self.began, self.timeout) {
            return Some((format!("timed out after {} seconds", limit.as_secs()), "timeout"));
        }
        if let Some(limit) = over(self.last_word, self.silence) {
            return Some((
                format!("timed out after {} seconds of silence", limit.as_secs()),
                "max-silent-time",
            ));
        }
        let size = self.size.filter(|limit| self.said > *limit)?;
        Some((format!("was killed after writing more than {size} bytes of log output"), "max-build-log-size"))
    }
}
