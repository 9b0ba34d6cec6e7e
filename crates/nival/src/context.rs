//! What every command works with: folders, the store, the network.

use crate::arguments::Shared;
use crate::error::Error;
use crate::output::Output;
use crate::profile::Profile;
use nival_diagnostics::Diagnostic;
use nival_engine::{NixSettings, Session, SessionOptions};
use nival_os::{Config, Machines};
use nival_store::stores::{Address, Reference, Store};
use nival_store::{LocalStore, StoreConfig};
use nival_store_model::StoreDir;
use nival_sys::signal;
use nival_transport::{Cancel, Options, Proxies, Transport};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What every command works with.
pub struct Context {
    /// How results are shown.
    pub output: Output,
    /// The folder of the store and the machines' data.
    pub data: PathBuf,
    /// Whether the whole trace of an error is shown.
    pub show_trace: bool,
    /// Set by Ctrl-C.
    pub cancel: Cancel,
    /// Where a flame graph of the evaluation goes.
    pub flame: Option<PathBuf>,
    profile: Option<Profile>,
    timings: bool,
    phases: Vec<(String, Duration)>,
    /// What else is told of where time went.
    notes: Vec<String>,
    started: Instant,
    store: Option<Arc<LocalStore>>,
    data_is_named: bool,
    named_store: Option<String>,
    scratch: Option<Scratch>,
}

/// A folder for a store of which nothing is kept.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans the temporary folder.
        let _ = nival_sys::fs::remove_tree(&self.0);
    }
}

impl Context {
    /// Prepares a command; opens nothing yet.
    pub fn new(shared: &Shared, output: &Output) -> Result<Self, Error> {
        Ok(Self {
            output: *output,
            data: absolute(shared.data_dir.clone().unwrap_or_else(default_data)),
            data_is_named: shared.data_dir.is_some(),
            named_store: shared.store.clone(),
            show_trace: shared.show_trace,
            cancel: Cancel::default(),
            flame: None,
            profile: None,
            timings: shared.timings,
            phases: Vec::new(),
            notes: Vec::new(),
            started: Instant::now(),
            store: None,
            scratch: None,
        })
    }

    /// The store that was named, where it is no folder of this disk: a cache, or something behind a daemon. Once it was
    /// taken, [`Self::store`] is the own one, and what is made there has to be copied.
    pub fn take_other_store(&mut self) -> Result<Option<Arc<dyn Store>>, Error> {
        let is_other = |address: &String| {
            let reference = Reference::parse(address);
            reference.is_ok_and(|reference| !matches!(reference.address(), Address::Local(_)))
        };
        let Some(address) = self.named_store.clone().filter(is_other) else { return Ok(None) };
        let settings = NixSettings::read(&environment()).map_err(|error| Error::plain(error.diagnostic()))?;
        let store = self.opener(&settings)?.open(&address, true)?.0;
        self.named_store = None;
        Ok(Some(store))
    }

    /// The own store, also where another one was named.
    pub fn own_store(&mut self) -> Result<Arc<LocalStore>, Error> {
        self.take_other_store()?;
        self.store()
    }

    /// Lets [`Self::store`] be one that is removed at the end, for the paths of a store directory.
    pub fn use_scratch_store(&mut self, directory: &StoreDir) -> Result<(), Error> {
        let root = self.scratch_folder()?;
        let own = StoreConfig { logical: directory.clone(), ..StoreConfig::below(&root) };
        self.store = Some(Arc::new(LocalStore::open_with(own)?));
        Ok(())
    }

    fn scratch_folder(&mut self) -> Result<PathBuf, Error> {
        if let Some(scratch) = &self.scratch {
            return Ok(scratch.0.clone());
        }
        let folder = std::env::temp_dir().join(format!("nival-scratch-{}", std::process::id()));
        let made = nival_sys::fs::create_dir_all(&folder);
        made.map_err(|error| Error::plain(crate::error::unwritable(&folder, &error)))?;
        self.scratch = Some(Scratch(folder.clone()));
        Ok(folder)
    }

    /// The store, opened at the first call.
    pub fn store(&mut self) -> Result<Arc<LocalStore>, Error> {
        if let Some(store) = &self.store {
            return Ok(store.clone());
        }
        if let Some(rest) = self.named_store.as_deref().and_then(|name| name.strip_prefix("dummy://")) {
            let parameters = rest.trim_start_matches('?').split('&');
            let named = parameters.filter_map(|pair| pair.strip_prefix("store=")).next();
            let directory = named.map_or_else(|| self.own_store_config().logical, StoreDir::new);
            self.use_scratch_store(&directory)?;
            return self.store();
        }
        let store = LocalStore::open_with(self.store_config()?)?;
        store.clean_staging()?;
        let store = Arc::new(store);
        self.store = Some(store.clone());
        Ok(store)
    }

    /// Ends the work with the store: what was added is in it.
    pub fn finish(&self) -> Result<(), Error> {
        self.store.as_ref().map_or(Ok(()), |store| Ok(store.write_pending()?))
    }

    /// Where the store lies: where it is said, else where Nix's environment says, else below the data folder.
    fn store_config(&self) -> Result<StoreConfig, Error> {
        let own = self.own_store_config();
        let mut config = match &self.named_store {
            Some(reference) => {
                own.referred(reference).ok_or_else(|| Error::plain(unknown_store(reference)))?
            }
            None => own,
        };
        let mut nix = NixSettings::read(&environment()).map_err(|error| Error::plain(error.diagnostic()))?;
        for (name, value) in given_settings() {
            nix.set(&name, &value);
        }
        for (name, value) in nix.all() {
            config.settings.set(name, value);
        }
        Ok(config)
    }

    /// Where the store lies where none is named: where Nix's environment says, else below the data folder.
    pub fn own_store_config(&self) -> StoreConfig {
        let own = StoreConfig::below(&self.store_root());
        if self.data_is_named {
            return own;
        }
        StoreConfig::from_environment(&environment()).unwrap_or(own)
    }

    /// The address of the store that was named.
    pub fn named_store(&self) -> Option<&str> {
        self.named_store.as_deref()
    }

    /// The data folder that was named.
    pub fn named_data(&self) -> Option<&Path> {
        self.data_is_named.then_some(self.data.as_path())
    }

    /// The physical folder that holds `nix/store`.
    pub fn store_root(&self) -> PathBuf {
        self.data.join("store")
    }

    /// The machines of the data folder.
    pub fn machines(&self) -> Machines {
        Machines::new(Config {
            data: self.data.clone(),
            store: self.store_root(),
            runtime: runtime_folder(&self.data),
        })
    }

    /// A new evaluator over the store.
    pub fn session(&mut self) -> Result<Session, Error> {
        self.session_with(|_| {})
    }

    /// A new evaluator over the store, with other options.
    pub fn session_with(&mut self, change: impl FnOnce(&mut SessionOptions)) -> Result<Session, Error> {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        let mut options = SessionOptions {
            environment: environment(),
            current_dir: current_folder().into(),
            search_path: search_path(),
            now: Some(now),
            system: format!("{}-linux", std::env::consts::ARCH),
            ..SessionOptions::default()
        };
        options.transport = transport_options();
        options.cancel = self.cancel.clone();
        options.cache = cache_folder();
        change(&mut options);
        Ok(Session::new(self.store()?, options))
    }

    /// The way out to the network, with the user's proxies and credentials.
    pub fn transport(&self) -> Result<Transport, Error> {
        Ok(Transport::new(transport_options(), self.cancel.clone())?)
    }

    /// Does something that Ctrl-C ends in good order: what is under way is given up, and what is finished is kept. Where
    /// that takes longer than two seconds, the program ends at once.
    pub fn interruptible<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let signals = [signal::INTERRUPT, signal::TERMINATE];
        let _in_good_order = signal::Deadline::silent(Duration::from_secs(2));
        let _ends_it = signal::Link::new(self.cancel.shared());
        if signal::catch(&signals).is_err() {
            return work(self);
        }
        let result = work(self);
        signal::release(&signals);
        result
    }

    /// Evaluates something that Ctrl-C ends within a tenth of a second, with a coded error and exit code 130: the
    /// evaluator looks at the signal's flag, and where it does not get to that, the program says the same and ends.
    pub fn evaluating<T>(
        &mut self,
        session: &mut Session,
        work: impl FnOnce(&mut Self, &mut Session) -> T,
    ) -> T {
        let entry = &nival_eval::diagnostics::interrupted::ENTRY;
        let words = format!("\nerror[{}]: evaluation was interrupted\n", entry.code);
        let signals = [signal::INTERRUPT, signal::TERMINATE];
        if signal::catch(&signals).is_err() {
            return work(self, session);
        }
        let deadline = signal::Deadline::new(Duration::from_millis(40), &words);
        session.evaluator().interrupted_by(signal::flag());
        let profiled = self.timings || self.flame.is_some();
        if profiled {
            session.evaluator().begin_profile(nival_sys::clock::ticking());
        }
        let result = work(self, session);
        drop(deadline);
        signal::release(&signals);
        if profiled {
            let profile = Profile::new(session.evaluator().take_profile());
            self.phases.extend(profile.phases());
            self.notes.extend(session.module_systems());
            self.profile = Some(profile);
        }
        result
    }

    /// Turns an error of the engine into one that can be shown, with the session's sources.
    pub fn failed(&self, session: &Session, error: &nival_engine::Error) -> Error {
        let is_own =
            |name: &str| !name.starts_with(nival_engine::LIBRARY_ROOT) && !name.starts_with("/nix/store/");
        let diagnostic = nival_eval::own_file_first(error.diagnostic(), session.sources(), is_own);
        Error::marked(diagnostic, session.sources(), self.show_trace)
    }

    /// An error that marks places in a session's sources.
    pub fn marked(&self, session: &Session, diagnostic: nival_diagnostics::Diagnostic) -> Error {
        Error::marked(diagnostic, session.sources(), self.show_trace)
    }

    /// Shows what evaluation said on the side.
    pub fn show_messages(&self, session: &Session) {
        let (traces, warnings) = session.take_messages();
        for text in traces {
            self.output.say(&format!("trace: {text}"));
        }
        for warning in warnings {
            self.output.diagnostic(&warning, session.sources(), 0);
        }
    }

    /// Measures a phase of the command.
    pub fn phase<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let begin = Instant::now();
        let result = work(self);
        self.phases.push((name.to_owned(), begin.elapsed()));
        result
    }

    /// Adds a phase that was measured elsewhere.
    pub fn add_phase(&mut self, name: &str, time: Duration) {
        self.phases.push((name.to_owned(), time));
    }

    /// The phases so far with their durations in seconds.
    pub fn phases(&self) -> Vec<(String, f64)> {
        self.phases.iter().map(|(name, time)| (name.clone(), time.as_secs_f64())).collect()
    }

    /// Seconds since the command began.
    pub fn elapsed(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Prints the durations of all phases where they are asked for.
    pub fn show_timings(&self) {
        if self.timings {
            for note in &self.notes {
                eprintln!("            {note}");
            }
            for (name, seconds) in self.phases() {
                eprintln!("{seconds:8.3} s  {name}");
            }
            eprintln!("{:8.3} s  all", self.elapsed());
        }
    }

    /// What is asked for of an evaluation's profile: its files on standard error, the flame graph in its file.
    pub fn show_profile(&self) -> Result<(), Error> {
        let Some(profile) = &self.profile else { return Ok(()) };
        if self.timings {
            eprint!("{}", profile.files());
        }
        if let Some(path) = &self.flame {
            let written = nival_sys::fs::write_atomic(path, crate::flame::draw(profile).as_bytes(), 0o644);
            written.map_err(|error| Error::plain(crate::error::unwritable(path, &error)))?;
            self.output.say(&format!("wrote {}", path.display()));
        }
        Ok(())
    }
}

/// The data folder where none is named: the system's as root, else the user's own.
fn default_data() -> PathBuf {
    if nival_sys::process::user_id() == 0 {
        return PathBuf::from("/var/lib/nival");
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/".into()));
    let folder = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    folder.unwrap_or_else(|| home().join(".local/share")).join("nival")
}

/// The folder for sockets of running machines: of its own for each data folder, with a short path.
fn runtime_folder(data: &Path) -> PathBuf {
    let base = if nival_sys::process::user_id() == 0 {
        PathBuf::from("/run/nival")
    } else {
        // The same one where a shell does not have the variable, as behind `sudo`.
        let usual = || PathBuf::from(format!("/run/user/{}", nival_sys::process::user_id()));
        let named = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(usual, PathBuf::from);
        match Some(named).filter(|path| path.is_dir()) {
            Some(folder) => folder.join("nival"),
            None => std::env::temp_dir().join(format!("nival-{}", nival_sys::process::user_id())),
        }
    };
    let hash = nival_engine::short_hash(data.as_os_str().as_encoded_bytes());
    base.join(hash)
}

/// How the network is used: with the user's proxies, credentials and certificates.
pub fn transport_options() -> Options {
    let variable = |name: &str| std::env::var(name).or_else(|_| std::env::var(name.to_uppercase())).ok();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    Options {
        user_agent: format!("nival/{}", env!("CARGO_PKG_VERSION")),
        proxies: Proxies {
            http: variable("http_proxy"),
            https: variable("https_proxy"),
            none_for: variable("no_proxy"),
        },
        netrc: std::env::var_os("NETRC").map(PathBuf::from).or_else(|| home.map(|home| home.join(".netrc"))),
        certificates: ["NIX_SSL_CERT_FILE", "SSL_CERT_FILE"]
            .iter()
            .find_map(std::env::var_os)
            .map(PathBuf::from),
        ..Options::default()
    }
}

/// The settings that were typed: `--option NAME VALUE`, wherever it stands.
pub fn given_settings() -> Vec<(String, String)> {
    let words: Vec<_> = crate::dropin::settings_as_options(std::env::args_os())
        .into_iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let triples = words.windows(3).filter(|triple| triple[0] == "--option");
    triples.map(|triple| (triple[1].clone(), triple[2].clone())).collect()
}

/// The user's folder for what can be fetched again.
pub fn cache_folder() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let usual =
        || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")).filter(|path| path.is_absolute());
    Some(named.or_else(usual)?.join("nival"))
}

/// The folder of what Nix keeps for the user's convenience, where what both read and write in the same form lies.
pub fn cache_folder_of_nix() -> Option<PathBuf> {
    let named = std::env::var_os("NIX_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| Some(cache_folder()?.with_file_name("nix")))
}

/// The environment, as far as it is text.
pub fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

fn unknown_store(reference: &str) -> Diagnostic {
    let message = format!("this is no store that can be used: `{reference}`");
    Diagnostic::error(&crate::diagnostics::no_store::ENTRY, message)
        .help("name a folder, or write `local?root=FOLDER`")
}

/// Makes a path absolute without asking the disk; `..` takes the part before it away, as in the language.
pub fn absolute(path: PathBuf) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in std::path::absolute(&path).unwrap_or(path).components() {
        match part {
            std::path::Component::ParentDir => drop(normal.pop()),
            other => normal.push(other),
        }
    }
    normal
}

fn search_path() -> Vec<(String, String)> {
    let entries = nival_engine::split_nix_path(&std::env::var("NIX_PATH").unwrap_or_default());
    let entries = entries.into_iter().filter(|entry| !entry.is_empty());
    entries
        .map(|entry| match entry.split_once('=') {
            Some((prefix, path)) => (prefix.to_owned(), path.to_owned()),
            None => (String::new(), entry),
        })
        .collect()
}

/// The current folder, as text.
pub fn current_folder() -> String {
    std::env::current_dir().unwrap_or_else(|_| Path::new("/").to_owned()).to_string_lossy().into_owned()
}
