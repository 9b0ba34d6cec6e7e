//! The one way out to the network: HTTP with retries, resume, proxies, netrc and progress.
//!
//! A [`Download`] names a file by its addresses, size and SHA-256; [`Transport`] brings
//! it whole and checked to its place, or says for each address what was wrong. What
//! has arrived stays beside the place as `NAME.part`, and a later call goes on from there.
//!
//! **Invariant**: a file that stands at its place has the hash that was asked for; and
//! nothing here reads the environment: proxies, netrc and certificates are arguments.

mod client;
pub mod diagnostics;
mod download;
mod error;
mod netrc;
mod parallel;
mod request;
mod resolver;
pub mod ssh;
mod stream;
mod upload;

pub use error::{Error, Failure, FailureKind};
pub use request::{Request, Response};
pub use stream::Stream;

use client::Client;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How the network is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// What servers are told about who asks.
    pub user_agent: String,
    /// How often one address is tried again after a fault that may pass.
    pub retries: u32,
    /// How many files are fetched at the same time.
    pub parallel: usize,
    /// How long a server may stay silent.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// Proxies to go through.
    pub proxies: Proxies,
    /// A netrc file with names and passwords for hosts; one that is missing has none.
    pub netrc: Option<PathBuf>,
    /// A file of certificates (PEM) to trust in place of those that are built in.
    pub certificates: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("nival/", env!("CARGO_PKG_VERSION")).to_owned(),
            retries: 4,
            parallel: 8,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(30),
            proxies: Proxies::default(),
            netrc: None,
            certificates: None,
        }
    }
}

/// Proxies, as the usual environment variables name them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http://`.
    pub http: Option<String>,
    /// For `https://`.
    pub https: Option<String>,
    /// Hosts to reach without, with commas between them.
    pub none_for: Option<String>,
}

/// A flag by which another thread ends what is under way.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends what is under way as soon as it looks.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Lets what is begun from now on go its way, after [`cancel`](Self::cancel) has ended what was under way.
    pub fn reset(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// True after [`cancel`](Self::cancel).
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag itself, for work that asks it often.
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// The flag itself, for what sets it.
    pub fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Is told how far things are, from several threads; what begins while something else goes on adds to it.
pub trait Progress: Sync {
    /// A number of files begins, of so many bytes where that is known.
    fn begin(&self, _files: u64, _bytes: Option<u64>) {}
    /// So many bytes more have arrived, or were there already; negative where some were thrown away.
    fn advance(&self, _bytes: i64) {}
    /// A file is in its place.
    fn file_done(&self, _name: &str) {}
    /// All is done.
    fn end(&self) {}
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}

/// A file to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// What messages call it.
    pub name: String,
    /// Where it is, tried in order: `http://`, `https://`, `file://`, or an absolute path.
    pub addresses: Vec<String>,
    /// Its size, where it is known.
    pub size: Option<u64>,
    /// Its SHA-256, where it is known.
    pub sha256: Option<[u8; 32]>,
    /// Where it is to be; the folder must be there.
    pub to: PathBuf,
}

/// The way out.
#[derive(Debug)]
pub struct Transport {
    client: Client,
    options: Options,
    cancel: Cancel,
}

impl Transport {
    /// Makes a way out.
    ///
    /// # Errors
    /// A proxy, netrc or certificate file that cannot be used.
    pub fn new(options: Options, cancel: Cancel) -> Result<Self, Error> {
        Ok(Self { client: Client::new(&options)?, options, cancel })
    }

    /// The flag that ends what is under way.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Fetches one file to its place; one that is there already with the right size and hash stays.
    ///
    /// # Errors
    /// What was wrong with each of the addresses, a fault of the disk, or that it was cancelled.
    pub fn download(&self, download: &Download, progress: &dyn Progress) -> Result<(), Error> {
        download::run(self, download, progress)
    }

    /// Fetches several files at the same time; the first fault ends the rest, which goes on from there next time.
    ///
    /// # Errors
    /// The first fault; see [`download`](Self::download).
    pub fn download_all(&self, downloads: &[Download], progress: &dyn Progress) -> Result<(), Error> {
        parallel::run(self, downloads, progress)
    }

    /// Fetches a file whose size and hash are not known, where it is not the version that is known already.
    ///
    /// # Errors
    /// What was wrong with the address, a fault of the disk, or that it was cancelled.
    pub fn request(&self, request: &Request, progress: &dyn Progress) -> Result<Response, Error> {
        request::run(self, request, progress)
    }

    /// Opens an address to be read while it arrives.
    ///
    /// # Errors
    /// What was wrong with the address. The stream's own errors hold an [`Error`].
    pub fn stream(&self, address: &str) -> Result<Stream<'_>, Error> {
        Stream::open(self, address)
    }

    /// Sends a file to an address by `PUT`, as contents of a kind such as `text/plain`; what was wrong with the address
    /// is the inner error.
    ///
    /// # Errors
    /// That it was cancelled.
    pub fn put(
        &self,
        address: &str,
        file: &std::path::Path,
        kind: &str,
    ) -> Result<Result<(), FailureKind>, Error> {
        upload::run(self, address, file, kind)
    }

    /// Fetches something small into memory, of at most `limit` bytes.
    ///
    /// # Errors
    /// What was wrong with the address, or that it is larger than the limit.
    pub fn get(&self, address: &str, limit: u64) -> Result<Vec<u8>, Error> {
        download::get(self, address, limit)
    }
}
