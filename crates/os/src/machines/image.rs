//! Writing an image of one service of a machine.

use crate::compose::{Store, compose};
use crate::image::{self, Written};
use crate::manifest::{Manifest, Start};
use crate::{Error, Machines, State, host};
use std::path::Path;

impl Machines {
    /// Writes an OCI image of one service to a file; `texts` are searched for paths of the store that belong to it.
    ///
    /// # Errors
    /// [`Error::NeedsRoot`] where the owners of files cannot be set, what composing gives, and what the system says.
    pub fn write_image(
        &self,
        manifest: &Manifest,
        service: (&str, &Start),
        texts: &str,
        to: &Path,
    ) -> Result<Written, Error> {
        if !host::is_root() {
            return Err(Error::NeedsRoot("write the owners of an image's files".to_owned()));
        }
        // Ids are chosen anew for each image, so that the same configuration gives the same one everywhere.
        let place = self.config.data.join("images").join(&manifest.name);
        let state = State::new(place.clone());
        let store = Store::below(&self.config.store);
        let result = compose(&store, &state, manifest)
            .and_then(|composition| image::write(&store, &state, &composition, service, texts, to));
        let _ = nival_sys::fs::remove_tree(&place);
        result
    }
}
