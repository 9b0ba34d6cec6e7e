//! Addresses of stores: what can be typed, and opening what is meant.

use super::Store;
use crate::binary_cache::{BinaryCache, CacheOptions, Remembered};
use crate::config::pairs;
use crate::daemon::{DEFAULT_SOCKET, Daemon, Way};
use crate::error::Error;
use crate::remote_error::RemoteError;
use crate::serve::Served;
use crate::{LocalStore, StoreConfig};
use nival_store_model::StoreDir;
use nival_transport::Transport;
use nival_transport::ssh::{SshHost, split_words};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A kind of store and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A store on this disk; its text is read by [`StoreConfig::referred`].
    Local(String),
    /// A binary cache in a folder.
    Folder(PathBuf),
    /// A binary cache behind a web server.
    Web(String),
    /// The daemon that listens on a socket.
    Daemon(PathBuf),
    /// A store of another machine that is reached by ssh: who and where, as `USER@HOST:PORT`.
    Ssh {
        /// The machine.
        place: String,
        /// Whether it is spoken with by the daemon's protocol, as `ssh-ng` says, or by that of `nix-store --serve`.
        by_daemon: bool,
    },
}

/// An address with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    address: Address,
    parameters: Vec<(String, String)>,
    text: String,
}

impl Reference {
    /// Reads an address.
    ///
    /// # Errors
    /// [`RemoteError::Address`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (place, parameters) = text.split_once('?').unwrap_or((text, ""));
        let of = |address: Address| {
            Ok(Self { address, parameters: pairs(parameters).collect(), text: text.to_owned() })
        };
        let Some((scheme, rest)) = place.split_once("://") else {
            return match place {
                "daemon" => of(Address::Daemon(DEFAULT_SOCKET.into())),
                "" | "auto" | "local" => of(Address::Local(text.to_owned())),
                _ if place.starts_with("file:/") => {
                    of(Address::Folder(PathBuf::from(decoded(&place["file:".len()..]))))
                }
                _ if place.starts_with('/') || place.starts_with("./") || place.starts_with("../") => {
                    of(Address::Local(text.to_owned()))
                }
                _ => Err(refused(text, "it is no kind of store that is known")),
            };
        };
        match scheme {
            "daemon" | "unix" if rest.is_empty() => of(Address::Daemon(DEFAULT_SOCKET.into())),
            "unix" if rest.starts_with('/') => of(Address::Daemon(PathBuf::from(decoded(rest)))),
            "local" | "auto" => of(Address::Local(text.to_owned())),
            "file" if rest.starts_with('/') => of(Address::Folder(PathBuf::from(decoded(rest)))),
            "file" => Err(refused(text, "the folder must be an absolute path")),
            "ssh" | "ssh-ng" if !rest.is_empty() => {
                of(Address::Ssh { place: decoded(rest.trim_end_matches('/')), by_daemon: scheme == "ssh-ng" })
            }
            "http" | "https" if !rest.is_empty() => of(Address::Web(place.to_owned())),
            _ => Err(refused(text, &format!("stores of the kind `{scheme}` are not known"))),
        }
    }

    /// The address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// A parameter's value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn refused(text: &str, reason: &str) -> Error {
    RemoteError::Address { text: text.to_owned(), reason: reason.to_owned() }.into()
}

fn decoded(path: &str) -> String {
    pairs(&format!("x={path}")).next().map_or_else(|| path.to_owned(), |(_, value)| value)
}

fn decoded_key(text: &str) -> Option<String> {
    nival_store_model::base64::decode(text).and_then(|bytes| String::from_utf8(bytes).ok())
}

/// A store that was opened, and when it is asked: smaller first.
pub type Opened = (Arc<dyn Store>, i64);

/// What stores are opened with.
#[derive(Clone)]
pub struct Opener {
    /// The store that is meant where nothing is named.
    pub local: StoreConfig,
    /// The way to the network.
    pub transport: Arc<Transport>,
    /// What caches said in earlier runs.
    pub remembered: Option<Arc<Remembered>>,
    /// Whether what caches in folders say is remembered too.
    pub remembers_folders: bool,
    /// Where the daemon of this machine listens.
    pub daemon_socket: PathBuf,
    /// Further words for ssh.
    pub ssh_options: Vec<String>,
    /// Settings that a daemon is asked to use.
    pub daemon_settings: Vec<(String, String)>,
}

impl Opener {
    /// Opens a store. With `create`, a cache in a folder is begun where there is none.
    ///
    /// # Errors
    /// [`RemoteError::Address`], [`RemoteError::Cache`], those of the local store.
    pub fn open(&self, text: &str, create: bool) -> Result<Opened, Error> {
        let reference = Reference::parse(text)?;
        match reference.address() {
            Address::Local(text) => {
                let config = self.local.clone().referred(text);
                let config = config.ok_or_else(|| refused(text, "it has parameters that are not known"))?;
                Ok((Arc::new(LocalStore::open_with(config)?), 0))
            }
            Address::Folder(folder) => self.cache(self.in_folder(&reference, folder, create)?),
            Address::Daemon(socket) => {
                let socket = if socket == Path::new(DEFAULT_SOCKET) { &self.daemon_socket } else { socket };
                let settings = self.daemon_settings.clone();
                Ok((Arc::new(Daemon::connect(socket, &self.local.logical, settings)?), 0))
            }
            Address::Ssh { place, by_daemon } => {
                let (way, settings) = (self.by_ssh(&reference, place, *by_daemon)?, &self.daemon_settings);
                let dir = self.directory(&reference);
                Ok(if *by_daemon {
                    (Arc::new(Daemon::reach(way, &dir, None)?), 0)
                } else {
                    (Arc::new(Served::reach(way, &dir, settings)?), 0)
                })
            }
            Address::Web(address) => {
                let options = CacheOptions::from_parameters(text, &reference.parameters)?;
                let (transport, remembered) = (self.transport.clone(), self.remembered.clone());
                let dir = &self.directory(&reference);
                self.cache(BinaryCache::on_web(address, dir, options, transport, remembered, create)?)
            }
        }
    }

    /// The program of another machine that speaks for its store.
    fn by_ssh(&self, reference: &Reference, place: &str, by_daemon: bool) -> Result<Way, Error> {
        let host = SshHost::parse(place).map_err(|error| refused(&reference.text, &error.to_string()))?;
        let mut host = SshHost { options: self.ssh_options.clone(), ..host };
        host.key = reference.parameter("ssh-key").map(PathBuf::from);
        host.compress = reference.parameter("compress").is_some_and(|value| value == "true");
        host.public_key = match reference.parameter("base64-ssh-public-host-key") {
            Some(text) => {
                Some(decoded_key(text).ok_or_else(|| refused(&reference.text, "its key is no base64"))?)
            }
            None => None,
        };
        let known = host.known_host().map_err(|error| refused(&reference.text, &error.to_string()))?;
        let (usual, word) = if by_daemon { ("nix-daemon", "--stdio") } else { ("nix-store", "--serve") };
        let mut words = split_words(reference.parameter("remote-program").unwrap_or(usual));
        words.push(word.to_owned());
        if !by_daemon {
            words.push("--write".to_owned());
        }
        if let Some(store) = reference.parameter("remote-store").filter(|store| !store.is_empty()) {
            words.extend(["--store".to_owned(), store.to_owned()]);
        }
        let scheme = if by_daemon { "ssh-ng" } else { "ssh" };
        Ok(Way::Ssh { host: Box::new(host), known, words, url: format!("{scheme}://{place}") })
    }

    fn cache(&self, cache: BinaryCache) -> Result<Opened, Error> {
        let priority = cache.priority();
        Ok((Arc::new(cache), priority))
    }

    fn in_folder(&self, reference: &Reference, folder: &Path, create: bool) -> Result<BinaryCache, Error> {
        let options = CacheOptions::from_parameters(&reference.text, &reference.parameters)?;
        let remembered = self.remembered.clone().filter(|_| self.remembers_folders);
        BinaryCache::in_folder(folder, &self.directory(reference), options, remembered, create)
    }

    /// The store directory that the paths of a cache are for.
    fn directory(&self, reference: &Reference) -> StoreDir {
        reference.parameter("store").map_or_else(|| self.local.logical.clone(), StoreDir::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        let address = |text: &str| Reference::parse(text).map(|reference| reference.address).ok();
        assert_eq!(address("file:///a%20b?compression=zstd"), Some(Address::Folder("/a b".into())));
        assert_eq!(address("unix:///run/d"), Some(Address::Daemon("/run/d".into())));
        assert_eq!(address("daemon"), Some(Address::Daemon(DEFAULT_SOCKET.into())));
        let ssh = |place: &str, by_daemon| Some(Address::Ssh { place: place.to_owned(), by_daemon });
        assert_eq!(address("ssh://me@h:22"), ssh("me@h:22", false));
        assert_eq!(address("ssh-ng://h?remote-program=x"), ssh("h", true));
        assert_eq!(address("https://h/c?priority=3"), Some(Address::Web("https://h/c".to_owned())));
        for local in ["", "auto", "local?root=/x", "/x", "./x"] {
            assert_eq!(address(local), Some(Address::Local(local.to_owned())));
        }
        for text in ["file://x", "gopher://x", "https://", "nonsense"] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
