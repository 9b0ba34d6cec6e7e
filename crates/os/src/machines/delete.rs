//! Deleting a machine's data, files of its sub-ids among them.

use super::Machines;
use crate::error::Doing as _;
use crate::host::{self, IdRange};
use crate::{Error, MachineFolder};
use nival_sys::{fs, namespace, owner, process};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitCode};

impl Machines {
    /// Deletes a machine that is down: its data and all its generations.
    ///
    /// # Errors
    /// [`Error::Running`], [`Error::UnknownMachine`], or what could not be deleted.
    pub fn delete(&self, name: &str) -> Result<(), Error> {
        let folder = self.known(name)?;
        let lock = fs::open_rw(&folder.lock()).doing(|| "lock the machine".to_owned())?;
        if !owner::try_lock(&lock).doing(|| "lock the machine".to_owned())? {
            return Err(Error::Running(name.to_owned()));
        }
        if host::is_root() {
            return delete(&folder);
        }
        let range = IdRange::find()?;
        let doing = || format!("delete `{name}`");
        let (stream, there) = UnixStream::pair().doing(doing)?;
        let mut command = Command::new("/proc/self/exe");
        command.args(["internal", "delete"]).arg(folder.path()).stdin(OwnedFd::from(there));
        let mut child = process::spawn(&mut command).doing(doing)?;
        drop(command);
        let mut byte = [0u8; 1];
        let ready = nival_sys::socket::receive(&stream, &mut byte).doing(doing)?;
        if ready.0 == 1 {
            host::hand_out(&range, child.id())?;
            nival_sys::socket::send(&stream, b"1", &[]).doing(doing)?;
        }
        let status = child.wait().doing(doing)?;
        if status.success() {
            Ok(())
        } else {
            Err(Error::io(doing(), &std::io::Error::other("not all of it could be deleted")))
        }
    }
}

/// `internal delete`: input is the stream over which ids are handed out.
pub(crate) fn delete_main(folder: &str) -> ExitCode {
    let run = || -> Result<(), Error> {
        let doing = || "make a user namespace".to_owned();
        let stream = UnixStream::from(process::copy_fd(0).doing(doing)?);
        namespace::unshare(namespace::USER).doing(doing)?;
        nival_sys::socket::send(&stream, b"1", &[]).doing(doing)?;
        let mut byte = [0u8; 1];
        nival_sys::socket::receive(&stream, &mut byte).doing(doing)?;
        process::become_user(0, 0, &[]).doing(doing)?;
        delete(&MachineFolder::from(Path::new(folder).to_owned()))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nival: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Moves the folder aside first, so that what is left after an interruption is no machine.
fn delete(folder: &MachineFolder) -> Result<(), Error> {
    let path = folder.path();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".deleted-{name}"));
    fs::remove_tree(&aside)
        .and_then(|()| fs::rename(path, &aside))
        .and_then(|()| fs::remove_tree(&aside))
        .doing(|| format!("delete `{name}`"))
}
