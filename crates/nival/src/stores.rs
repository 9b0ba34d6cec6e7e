//! Which stores a command works with: the own one, others by their addresses, and what paths are meant.

use crate::context::{Context, absolute, cache_folder_of_nix, environment, transport_options};
use crate::error::Error;
use clap::Args;
use nival_engine::{Caches, NixSettings};
use nival_store::binary_cache::{Lifetimes, Remembered};
use nival_store::daemon::DEFAULT_SOCKET;
use nival_store::stores::{self, CopyOptions, Opener, Store, Trust, copy};
use nival_store::{LocalStore, PathInfo};
use nival_store_model::{StoreDir, StorePath};
use nival_transport::Transport;
use nival_transport::ssh::split_words;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Settings of nix.conf on the command line.
#[derive(Args, Clone, Default)]
pub struct SettingArguments {
    /// Set a setting of nix.conf
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"])]
    pub option: Vec<String>,
    /// Keys whose signatures count
    #[arg(long, value_name = "KEYS")]
    pub trusted_public_keys: Option<String>,
    /// Caches to bring paths from
    #[arg(long, value_name = "ADDRESSES")]
    pub substituters: Option<String>,
    #[arg(long, value_name = "FEATURES", hide = true)]
    pub extra_experimental_features: Vec<String>,
}

impl SettingArguments {
    /// The settings of the environment with these above them.
    pub fn read(&self) -> Result<NixSettings, Error> {
        let mut settings =
            NixSettings::read(&environment()).map_err(|error| Error::plain(error.diagnostic()))?;
        for features in &self.extra_experimental_features {
            settings.set("extra-experimental-features", features);
        }
        for (name, value) in
            [("trusted-public-keys", &self.trusted_public_keys), ("substituters", &self.substituters)]
        {
            if let Some(value) = value {
                settings.set(name, value);
            }
        }
        for pair in self.option.chunks_exact(2) {
            if let [name, value] = pair {
                settings.set(name, value);
            }
        }
        Ok(settings)
    }
}

/// Stores that were opened for a command.
pub struct Stores {
    /// What others are opened with.
    pub opener: Opener,
    /// The one that is worked with.
    pub store: Arc<dyn Store>,
}

impl Context {
    /// What stores are opened with.
    pub fn opener(&self, settings: &NixSettings) -> Result<Opener, Error> {
        let mut options = transport_options();
        settings.apply_to(&mut options);
        let seconds =
            |name: &str, usual: i64| settings.text(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
        let usual = Lifetimes::default();
        let lifetimes = Lifetimes {
            positive: seconds("narinfo-cache-positive-ttl", usual.positive),
            negative: seconds("narinfo-cache-negative-ttl", usual.negative),
            about: seconds("narinfo-cache-meta-ttl", usual.about),
        };
        let file = cache_folder_of_nix().map(|folder| folder.join("binary-cache-v7.sqlite"));
        let variables = environment();
        let socket = variables.get("NIX_DAEMON_SOCKET_PATH").map_or(DEFAULT_SOCKET, String::as_str);
        let asked = ["max-jobs", "cores", "keep-going", "keep-failed", "fallback", "substitute"];
        let asked =
            asked.into_iter().filter_map(|name| Some((name.to_owned(), settings.text(name)?.to_owned())));
        Ok(Opener {
            daemon_socket: PathBuf::from(socket),
            ssh_options: split_words(variables.get("NIX_SSHOPTS").map_or("", String::as_str)),
            daemon_settings: asked.collect(),
            local: self.own_store_config(),
            transport: Arc::new(Transport::new(options, self.cancel.clone())?),
            // What Nix's own tests try the memory with.
            remembers_folders: variables.get("_NIX_FORCE_HTTP").is_some_and(|value| value == "1"),
            // Without it everything works, only slower.
            remembered: file.and_then(|file| Remembered::open(&file, lifetimes).ok()).map(Arc::new),
        })
    }

    /// The stores of a command.
    pub fn stores(&mut self, arguments: &SettingArguments) -> Result<Stores, Error> {
        let settings = arguments.read()?;
        let opener = self.opener(&settings)?;
        let store = self.any_store(&opener)?;
        Ok(Stores { opener, store })
    }

    /// The store that was named, of whatever kind, or the own one.
    pub fn any_store(&mut self, opener: &Opener) -> Result<Arc<dyn Store>, Error> {
        match self.named_store() {
            Some(address) => Ok(opener.open(address, false)?.0),
            None => Ok(self.store()?),
        }
    }

    /// The caches of the settings, for the own store.
    pub fn caches(&mut self, settings: &NixSettings) -> Result<Caches, Error> {
        let output = self.output;
        let warning = move |error: &nival_store::Error| {
            output.diagnostic(&error.diagnostic(), &nival_diagnostics::Sources::default(), 0);
        };
        Ok(Caches::new(self.store()?, self.opener(settings)?, settings, Box::new(warning))?)
    }
}

/// Copies paths with all that they refer to from the own store into another one.
pub fn hand_over(
    context: &mut Context,
    from: &LocalStore,
    to: &dyn Store,
    paths: &[StorePath],
) -> Result<(), Error> {
    let options = CopyOptions { trust: Trust::everything(), closure: true, jobs: 8, keys: Vec::new() };
    let output = context.output;
    let url = to.url();
    let begin = |info: &PathInfo| {
        output.say(&format!("copying path '{}' to '{url}'...", from.dir().print(&info.path)));
    };
    context.interruptible(|_| copy(from, to, paths, &options, &begin))?;
    Ok(())
}

/// As [`hand_over`], without a word of each path.
pub fn send(
    context: &mut Context,
    from: &LocalStore,
    to: &dyn Store,
    paths: &[StorePath],
) -> Result<(), Error> {
    let options = CopyOptions { trust: Trust::everything(), closure: true, jobs: 4, keys: Vec::new() };
    context.interruptible(|_| copy(from, to, paths, &options, &|_| {}))?;
    Ok(())
}

impl Stores {
    /// The path that a text names: itself, or a link that leads to it, with what follows it.
    pub fn path(&self, text: &str) -> Result<(StorePath, String), Error> {
        path_of(self.store.dir(), text)
    }

    /// The paths that texts name.
    pub fn paths(&self, texts: &[String]) -> Result<Vec<StorePath>, Error> {
        texts.iter().map(|text| Ok(self.path(text)?.0)).collect()
    }

    /// What is known of paths, or of all that they refer to.
    pub fn infos(
        &self,
        paths: &[StorePath],
        recursive: bool,
    ) -> Result<BTreeMap<StorePath, PathInfo>, Error> {
        if recursive {
            return Ok(stores::closure(&*self.store, paths)?);
        }
        let info = |path: &StorePath| Ok((path.clone(), stores::valid_info(&*self.store, path)?));
        paths.iter().map(info).collect()
    }
}

/// The store path that a text names: itself, or a link that leads to it; and what follows it.
pub fn path_of(dir: &StoreDir, text: &str) -> Result<(StorePath, String), Error> {
    let mut place = absolute(PathBuf::from(text));
    for _ in 0..40 {
        if let Some((path, rest)) = place.to_str().and_then(|text| dir.parse_prefix(text).ok()) {
            return Ok((path, rest.to_owned()));
        }
        match followed(&place) {
            Some(next) => place = next,
            None => break,
        }
    }
    if !text.contains('/')
        && let Ok(path) = StorePath::parse(text)
    {
        return Ok((path, String::new()));
    }
    Ok(dir
        .parse_prefix(text)
        .map(|(path, rest)| (path, rest.to_owned()))
        .map_err(nival_store::Error::Name)?)
}

/// A path with its first link followed.
fn followed(place: &Path) -> Option<PathBuf> {
    let mut done = PathBuf::from("/");
    let mut parts = place.components();
    parts.next();
    while let Some(part) = parts.next() {
        let next = done.join(part);
        if let Ok(target) = next.read_link() {
            return Some(absolute(done.join(target)).join(parts.as_path()));
        }
        done = next;
    }
    None
}

/// The error of something that cannot be read.
pub fn unreadable(what: &str) -> impl Fn(std::io::Error) -> Error + use<> {
    let doing = format!("read {what}");
    move |error| nival_store::Error::Io { doing: doing.clone(), error }.into()
}
