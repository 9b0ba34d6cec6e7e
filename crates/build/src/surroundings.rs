//! The root of Debian packages that a builder runs in, where its derivation names one.
//!
//! The root is a path of the store that `builtin:debian-root` made. Its folders are seen at the top, read-only, so that
//! programs find everything where Debian puts it, and nothing of the host.

use crate::build_error::BuildError;
use crate::one::Job;
use crate::sandbox::{Bind, BindKind};
use nival_store::LocalStore;
use std::path::Path;

/// What every builder has of its own.
const OWN: [&str; 8] = ["build", "dev", "nix", "proc", "run", "sys", "tmp", "home"];
/// Files of `/etc` that are made for each builder.
const OWN_FILES: [&str; 5] = ["group", "hosts", "nsswitch.conf", "passwd", "resolv.conf"];

/// What of a root is seen, and where.
///
/// # Errors
/// [`BuildError::Malformed`] where it is no input of the derivation, or cannot be read.
pub(crate) fn binds(store: &LocalStore, job: &Job<'_>, root: &str) -> Result<Vec<Bind>, BuildError> {
    let malformed = |problem| BuildError::Malformed { drv: store.dir().print(job.drv), problem };
    let path = store.dir().parse(root).ok().filter(|path| job.inputs.contains(path));
    let path = path.ok_or_else(|| malformed(format!("`__debianRoot` names what is no input: `{root}`")))?;
    let physical = store.physical(&path);
    let mut binds = Vec::new();
    let mut add = |folder: &Path, target: &Path, without: &[&str]| -> std::io::Result<()> {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let name = entry.file_name();
            if !without.iter().any(|other| name == *other) {
                let target = target.join(&name);
                binds.push(Bind { source: entry.path(), target, kind: BindKind::ReadOnly });
            }
        }
        Ok(())
    };
    let etc = physical.join("etc");
    let added = add(&physical, Path::new("/"), &[&OWN[..], &["etc"]].concat())
        .and_then(|()| if etc.is_dir() { add(&etc, Path::new("/etc"), &OWN_FILES) } else { Ok(()) });
    added.map_err(|error| malformed(format!("`__debianRoot` cannot be read: {error}")))?;
    Ok(binds)
}
