//! What a supervisor writes down, so that another one can take its machines over when it is killed.
//!
//! The lock beside the record is held by the supervisor alone: of several candidates one gets it.

use super::network::HubRecord;
use super::protocol::{Order, Orders};
use crate::container::link;
use crate::error::Doing as _;
use crate::host::Groups;
use crate::{Error, MachineFolder, names, state};
use nival_sys::{fs, owner};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What a supervisor's successor must know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// With the ports that were chosen and the control group that is divided.
    pub orders: Orders,
    pub hub: HubRecord,
}

/// The record of this supervisor while it is the one.
#[derive(Debug)]
pub(super) struct Turn {
    pub path: PathBuf,
    record: Mutex<Option<Record>>,
    _lock: File,
}

impl Turn {
    /// Makes a place for the record of a new supervisor.
    pub fn begin(sockets: &Path) -> Result<Self, Error> {
        let path = sockets.join(format!("supervisor-{}-{}.json", std::process::id(), names::now()));
        let lock = take(&path)?.ok_or_else(|| {
            let error = std::io::Error::other("another supervisor has it");
            Error::io("take the supervisor's record", &error)
        })?;
        Ok(Self { path, record: Mutex::new(None), _lock: lock })
    }

    /// Takes the turn of a supervisor that is gone; `None` where another candidate was faster, or there is no record.
    pub fn inherit(path: &Path) -> Result<Option<(Self, Record)>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        let Some(lock) = take(path)? else { return Ok(None) };
        let turn = Self { path: path.to_owned(), record: Mutex::new(None), _lock: lock };
        // Who had the lock before may have ended and removed the record.
        let Ok(record) = state::read_json(path) else {
            turn.end();
            return Ok(None);
        };
        Ok(Some((turn, record)))
    }

    pub fn write(&self, record: Record) -> Result<(), Error> {
        state::write_json(&self.path, &record)?;
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = Some(record);
        Ok(())
    }

    /// Notes that a machine has ended for good: it may be started by another supervisor from now on.
    pub fn forget(&self, index: usize) -> Result<(), Error> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(record) = record.as_mut() else { return Ok(()) };
        if let Some(order) = record.orders.machines.get_mut(index) {
            order.ended = true;
        }
        state::write_json(&self.path, record)
    }

    /// Leaves nothing behind.
    pub fn end(&self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(&self.path.with_extension("lock"));
    }
}

fn take(path: &Path) -> Result<Option<File>, Error> {
    let doing = || "take the supervisor's record".to_owned();
    let file = fs::open_rw(&path.with_extension("lock")).doing(doing)?;
    Ok(if owner::try_lock(&file).doing(doing)? { Some(file) } else { None })
}

/// Whether a machine that nobody stopped is gone with its supervisor and its monitor.
pub(crate) fn is_abandoned(sockets: &Path, folder: &MachineFolder, name: &str) -> bool {
    let entries = fs::read_dir(sockets).into_iter().flatten().flatten();
    let records = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "json"));
    let mut records = records.filter_map(|entry| state::read_json::<Record>(&entry.path()).ok());
    records.any(|record| record.orders.machines.iter().any(|order| order.name == name && !order.ended))
        && !stop_mark(sockets, name).exists()
        && !folder.is_held()
}

/// Cleans up after supervisors that are gone with all their machines: records, sockets and control groups.
pub(crate) fn sweep(sockets: &Path) {
    for entry in fs::read_dir(sockets).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with("supervisor-") || !name.ends_with(".json") {
            continue;
        }
        let Ok(record) = state::read_json::<Record>(&path) else { continue };
        let open: Vec<&Order> = record.orders.machines.iter().filter(|order| !order.ended).collect();
        let is_held = |order: &&Order| MachineFolder::new(&record.orders.data, &order.name).is_held();
        if open.iter().any(is_held) {
            continue;
        }
        let Ok(Some(_lock)) = take(&path) else { continue };
        for order in open {
            let folder = MachineFolder::new(&record.orders.data, &order.name);
            if let Some(base) = &record.orders.groups {
                let _ = Groups::of(base, folder.path(), &order.name).remove();
            }
            clean(sockets, &order.name);
        }
        record.hub.close();
        let _ = fs::remove_file(&path);
        let _ = fs::remove_file(&path.with_extension("lock"));
    }
    let _ = std::fs::remove_dir(sockets);
}

/// Removes the files by which a machine is reached while it runs.
pub(super) fn clean(sockets: &Path, name: &str) {
    for path in [socket(sockets, name), link::socket(sockets, name), stop_mark(sockets, name)] {
        let _ = fs::remove_file(&path);
    }
}

/// Where the clients of a machine connect.
pub(crate) fn socket(sockets: &Path, name: &str) -> PathBuf {
    sockets.join(format!("{name}.sock"))
}

/// The file that says that a machine is to be down, whoever its supervisor is.
pub(crate) fn stop_mark(sockets: &Path, name: &str) -> PathBuf {
    sockets.join(format!("{name}.stop"))
}
