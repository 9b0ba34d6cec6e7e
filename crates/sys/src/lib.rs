//! The only door to files, mounts, namespaces, processes, clock and locks, with faults that tests can inject.
//!
//! **Invariant**: every call that changes something outside of the process passes
//! [`fault::point`] first, so that a test can stop the program, or make the call
//! fail, at each of them in turn.

pub mod cgroup;
pub mod clock;
pub mod confine;
pub mod fault;
pub mod fs;
pub mod lock;
pub mod mount;
pub mod namespace;
pub mod network;
pub mod owner;
pub mod process;
pub mod pty;
pub mod signal;
pub mod socket;
