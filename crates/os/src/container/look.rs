//! Looks at the data of a machine that is down with the machine's own programs: no process 1, no services.

use super::root;
use crate::Error;
use crate::error::Doing as _;
use crate::host;
use nival_sys::{namespace, process};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;

/// What is run over the data of a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Look {
    pub folder: PathBuf,
    pub store: PathBuf,
    pub generation: u64,
    pub command: Vec<String>,
}

/// `internal look`.
pub(crate) fn main(look: &str) -> ExitCode {
    let run = || -> Result<Infallible, Error> {
        let look: Look = serde_json::from_str(look).map_err(|error| Error::Manifest(error.to_string()))?;
        become_program(&look)
    };
    let Err(error) = run();
    eprintln!("nival: {error}");
    ExitCode::from(125)
}

fn become_program(look: &Look) -> Result<Infallible, Error> {
    let doing = || "look at the machine's data".to_owned();
    let user = !host::is_root();
    if user {
        let (uid, gid) = (process::user_id(), process::group_id());
        namespace::unshare(namespace::USER).doing(doing)?;
        let own = std::process::id().cast_signed();
        namespace::write_map(own, "setgroups", "deny").doing(doing)?;
        namespace::write_map(own, "uid_map", &format!("0 {uid} 1")).doing(doing)?;
        namespace::write_map(own, "gid_map", &format!("0 {gid} 1")).doing(doing)?;
    }
    namespace::unshare(namespace::MOUNT).doing(doing)?;
    root::build_view(&look.folder, &look.store, look.generation, user)?;
    let words: Vec<&OsStr> = look.command.iter().map(OsStr::new).collect();
    let program = words.first().copied().unwrap_or(OsStr::new("/usr/bin/true"));
    let environment = [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"), ("LANG", "C.UTF-8")];
    Err(Error::io(doing(), &process::exec(program, &words, &environment)))
}
