//! How builds are done on this machine; names and defaults follow nix.conf where nothing better is known.

use crate::addresses::{Addresses, NoAddresses};
use crate::debugging::Debugger;
use crate::elsewhere::Machines;
use nival_sys::cgroup::limits::Limits;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Whether builders are confined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confinement {
    /// All of them.
    #[default]
    On,
    /// None.
    Off,
    /// All but those of fixed outputs and those that ask not to be.
    Relaxed,
}

/// A path of the host that builders see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPath {
    /// Where they see it.
    pub target: PathBuf,
    /// Where it lies.
    pub source: PathBuf,
    /// Whether it may be missing.
    pub optional: bool,
}

impl HostPath {
    /// Reads `TARGET`, `TARGET=SOURCE`, each with `?` behind where it may be missing.
    pub fn parse(text: &str) -> Self {
        let (text, optional) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
        let (target, source) = text.split_once('=').unwrap_or((text, text));
        Self { target: target.into(), source: source.into(), optional }
    }
}

/// How builds are done on this machine.
#[derive(Clone, Debug)]
pub struct BuildSettings {
    /// This program's own file, which is started as the warden of each builder.
    pub program: PathBuf,
    /// How many builders run at once; with 0 nothing is built here.
    pub max_jobs: usize,
    /// How many processors each may use; 0 for all.
    pub cores: usize,
    /// The system that is built for.
    pub system: String,
    /// Further systems whose programs run here.
    pub extra_platforms: BTreeSet<String>,
    /// What this machine has, such as `kvm`.
    pub features: BTreeSet<String>,
    /// Whether builders are confined.
    pub confinement: Confinement,
    /// Paths of the host that builders see.
    pub host_paths: Vec<HostPath>,
    /// Where the builder's folder is, as it sees it.
    pub inner_folder: String,
    /// How much may lie in `/dev/shm`.
    pub shared_memory: String,
    /// Whether calls are forbidden that make what a store cannot hold.
    pub filter_calls: bool,
    /// Whether programs may gain rights.
    pub allow_new_privileges: bool,
    /// Paths of the host that derivations may ask for.
    pub allowed_host_paths: Vec<String>,
    /// Where builds have their folders; the store's state folder where nothing is said.
    pub folder: Option<PathBuf>,
    /// The group whose members builders become, where this process is root.
    pub users_group: Option<String>,
    /// How long a build may take.
    pub timeout: Option<Duration>,
    /// How long a builder may say nothing.
    pub max_silent_time: Option<Duration>,
    /// How many bytes it may say.
    pub max_log_size: Option<u64>,
    /// How much memory and how many processes it may have.
    pub limits: Limits,
    /// Whether each builder has a control group of its own, also without limits.
    pub use_groups: bool,
    /// Whether logs are kept, and whether compressed.
    pub keep_log: bool,
    /// Whether logs are compressed.
    pub compress_log: bool,
    /// How many lines of the log an error shows.
    pub log_lines: usize,
    /// Whether the folder of a build that failed is kept.
    pub keep_failed: bool,
    /// Whether what does not depend on a failure is built.
    pub keep_going: bool,
    /// Variables of the caller that builders of fixed outputs may be given.
    pub caller: BTreeMap<String, String>,
    /// Servers that have files by their hash.
    pub hashed_mirrors: Vec<String>,
    /// How the built-in fetchers use the network.
    pub transport: nival_transport::Options,
    /// Knows where files are that have no address.
    pub addresses: Arc<dyn Addresses>,
    /// A program that is started behind each build.
    pub post_build_hook: Option<PathBuf>,
    /// Other machines that build.
    pub machines: Option<Arc<dyn Machines>>,
    /// Lets somebody into the places of builders that fail.
    pub debugger: Option<Arc<dyn Debugger>>,
}

/// How many processors this process may use: looked up once, since that reads several files.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

impl Default for BuildSettings {
    fn default() -> Self {
        let processors = processors();
        Self {
            program: PathBuf::from("/proc/self/exe"),
            max_jobs: processors,
            cores: 0,
            system: format!("{}-linux", std::env::consts::ARCH),
            extra_platforms: if cfg!(target_arch = "x86_64") {
                BTreeSet::from(["i686-linux".to_owned()])
            } else {
                BTreeSet::new()
            },
            features: ["nixos-test", "benchmark", "big-parallel"].map(str::to_owned).into(),
            confinement: Confinement::On,
            host_paths: Vec::new(),
            inner_folder: "/build".to_owned(),
            shared_memory: "50%".to_owned(),
            filter_calls: true,
            allow_new_privileges: false,
            allowed_host_paths: Vec::new(),
            folder: None,
            users_group: None,
            timeout: None,
            max_silent_time: None,
            max_log_size: None,
            limits: Limits::default(),
            use_groups: false,
            keep_log: true,
            compress_log: true,
            log_lines: 25,
            keep_failed: false,
            keep_going: false,
            caller: BTreeMap::new(),
            hashed_mirrors: Vec::new(),
            transport: nival_transport::Options::default(),
            addresses: Arc::new(NoAddresses),
            post_build_hook: None,
            machines: None,
            debugger: None,
        }
    }
}

impl BuildSettings {
    /// How many processors a builder may use.
    pub fn processors(&self) -> usize {
        match self.cores {
            0 => processors(),
            cores => cores,
        }
    }

    /// Whether programs of a system run here.
    pub fn runs(&self, system: &str) -> bool {
        system == self.system || system == "builtin" || self.extra_platforms.contains(system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_paths_have_sources_and_may_be_missing() {
        let path = |target: &str, source: &str, optional| HostPath {
            target: target.into(),
            source: source.into(),
            optional,
        };
        assert_eq!(HostPath::parse("/bin/sh=/x/bash"), path("/bin/sh", "/x/bash", false));
        assert_eq!(HostPath::parse("/dev/kvm?"), path("/dev/kvm", "/dev/kvm", true));
    }
}
