//! What happens while things are built, told to whoever shows it.

use crate::build_error::BuildError;
use nival_store_model::StorePath;
use std::collections::BTreeMap;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// What is going to be done; more may follow as outputs turn out.
    Planned {
        /// Derivations that will be built.
        build: &'a [StorePath],
        /// Paths that will be brought from caches, with the bytes to download and the bytes that they unpack to.
        fetch: &'a [StorePath],
        /// What paths that a cache has refer to, and no cache has: what refers to these is built.
        unknown: &'a [StorePath],
        /// Bytes to download.
        download: u64,
        /// Bytes that they unpack to.
        unpacked: u64,
    },
    /// A builder was started.
    Started {
        /// The derivation.
        drv: &'a StorePath,
    },
    /// Another machine builds it.
    Elsewhere {
        /// The derivation.
        drv: &'a StorePath,
        /// The machine.
        machine: &'a str,
    },
    /// A builder said a line; without its end.
    Line {
        /// The derivation.
        drv: &'a StorePath,
        /// The line.
        text: &'a str,
    },
    /// Something that the user should know of all builds of this machine.
    Notice {
        /// What it is.
        text: &'a str,
    },
    /// A builder began a phase.
    Phase {
        /// The derivation.
        drv: &'a StorePath,
        /// The phase, such as `buildPhase`.
        name: &'a str,
    },
    /// A builder failed, and somebody looks around in its place; or has left it.
    Debugged {
        /// The derivation.
        drv: &'a StorePath,
        /// Whether this is the beginning.
        begins: bool,
    },
    /// Somebody else builds it at the moment.
    Waiting {
        /// The derivation.
        drv: &'a StorePath,
    },
    /// It was built.
    Built {
        /// The derivation.
        drv: &'a StorePath,
        /// Its outputs.
        outputs: &'a BTreeMap<String, StorePath>,
    },
    /// It turned out to be the same as another one: what depends on it need not be built again.
    Same {
        /// The derivation.
        drv: &'a StorePath,
        /// The derivation with its inputs' paths in place.
        resolved: &'a StorePath,
    },
    /// It was not built.
    Failed {
        /// The derivation.
        drv: &'a StorePath,
        /// Why.
        error: &'a BuildError,
    },
    /// A path is being brought from a cache.
    Fetching {
        /// The path.
        path: &'a StorePath,
        /// The cache.
        from: &'a str,
    },
    /// A path was brought from a cache.
    Fetched {
        /// The path.
        path: &'a StorePath,
    },
}

/// Hears of what happens; from several threads.
pub trait Observer: Sync {
    /// Something happened.
    fn tell(&self, event: Event<'_>);
}

/// Shows nothing.
pub struct Silent;

impl Observer for Silent {
    fn tell(&self, _: Event<'_>) {}
}
