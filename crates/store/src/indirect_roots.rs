//! Links to paths that lie anywhere and keep them from the collector: `result` and the like.
//!
//! A link beside the user's files names the path; a link in `gcroots/auto`, whose name follows from the first one's
//! place, leads there. The first one can be removed at any time, and the second one is then forgotten.

use crate::LocalStore;
use crate::error::{Doing as _, Error};
use nival_store_model::{Algorithm, Hash, StorePath};
use nival_sys::fs as sys;
use std::io;
use std::path::Path;

impl LocalStore {
    /// Makes a link at an absolute place to a path, which is a root from then on. What is there already is replaced
    /// where it is a link into the store, and nothing else.
    ///
    /// # Errors
    /// [`Error::Io`], with `AlreadyExists` where something else stands at the place.
    pub fn add_indirect_root(&self, link: &Path, path: &StorePath) -> Result<(), Error> {
        let doing = || format!("make the link `{}`", link.display());
        if let Some(folder) = link.parent() {
            sys::create_dir_all(folder).doing(doing)?;
        }
        if let Ok(there) = link.symlink_metadata() {
            let target = if there.is_symlink() { link.read_link().doing(doing)? } else { link.to_owned() };
            if !target.starts_with(self.dir().as_str()) {
                let error = io::Error::new(io::ErrorKind::AlreadyExists, "something else is there");
                return Err(error).doing(doing);
            }
        }
        self.temp_root(path)?;
        sys::symlink_atomic(Path::new(&self.dir().print(path)), link).doing(doing)?;
        self.register_indirect_root(link)
    }

    /// Lets the collector know of a link that lies anywhere.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn register_indirect_root(&self, link: &Path) -> Result<(), Error> {
        let doing = || format!("register the root `{}`", link.display());
        let folder = self.state().join("gcroots/auto");
        sys::create_dir_all(&folder).doing(doing)?;
        let name = Hash::of(Algorithm::Sha1, link.as_os_str().as_encoded_bytes()).base32();
        sys::symlink_atomic(link, &folder.join(name)).doing(doing)
    }
}
