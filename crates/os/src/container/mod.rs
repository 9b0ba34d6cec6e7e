//! A machine as a container: its namespaces, its root, its process 1, and the way in.
//!
//! A *monitor* process per machine makes process 1 and waits for it. The machine dies with its monitor; where the
//! supervisor is gone, the monitor finds a new one, and the machine's services notice nothing.

mod alone;
pub(crate) mod enter;
mod first;
pub(crate) mod link;
pub(crate) mod look;
pub(crate) mod monitor;
mod root;
mod switch_unit;

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// All that is needed to make one machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub name: String,
    pub generation: u64,
    /// The folder of the machine on the host.
    pub folder: PathBuf,
    /// The folder that contains `nix/store`.
    pub store: PathBuf,
    /// Whether the machine runs in a user namespace.
    pub user: bool,
    /// The control group of the machine's processes.
    pub group: PathBuf,
    /// The control group of the monitor.
    pub monitor_group: PathBuf,
    /// The copy of this program that runs inside of the machine.
    pub runtime: PathBuf,
    /// The folder of sockets.
    pub sockets: PathBuf,
    /// What a new supervisor takes over from.
    pub record: PathBuf,
    pub hosts: String,
    pub resolv: String,
}

/// What process 1 reports before it becomes systemd.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The namespaces are there; the network can be set up.
    Ready,
    /// The console comes with this message.
    Console,
    /// It went wrong.
    Failed(crate::Error),
}
