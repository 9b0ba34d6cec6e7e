//! Where a user's own profile lies.

use crate::context::{Context, environment};
use crate::environment::failed;
use crate::error::Error;
use nival_engine::NixSettings;
use nival_store::{Profile, StoreConfig};
use nival_sys::fs as sys;
use std::path::{Path, PathBuf};

/// The profile of this user: beside Nix's where the store is Nix's, else of the own store.
pub fn default_profile(context: &mut Context) -> Result<Profile, Error> {
    let store = context.store()?;
    let state = &store.config().state;
    let variables = environment();
    let of_nix = StoreConfig::from_environment(&variables).is_some_and(|config| config.state == *state);
    let home = variables.get("HOME").filter(|home| home.starts_with('/'));
    let Some(home) = home.filter(|_| of_nix || state == Path::new("/nix/var/nix")) else {
        return Ok(Profile::new(&state.join("profiles/default")));
    };
    let is_root = nival_sys::process::user_id() == 0;
    let own = match variables.get("XDG_STATE_HOME").filter(|folder| folder.starts_with('/')) {
        Some(folder) => PathBuf::from(folder).join("nix"),
        None => Path::new(home).join(".local/state/nix"),
    };
    let folder = if is_root { state.join("profiles/per-user/root") } else { own.join("profiles") };
    let failed = failed("prepare the user's profile");
    sys::create_dir_all(&folder).map_err(&failed)?;
    let profile = folder.join("profile");
    let settings = NixSettings::read(&variables).map_err(|error| Error::plain(error.diagnostic()))?;
    let link = match settings.flag("use-xdg-base-directories", false) {
        true => own.join("profile"),
        false => Path::new(home).join(".nix-profile"),
    };
    if let Some(folder) = link.parent() {
        sys::create_dir_all(folder).map_err(&failed)?;
    }
    for (link, wanted) in [(&link, true), (&state.join("profiles/default"), is_root)] {
        if wanted && link.symlink_metadata().is_err() {
            sys::symlink_atomic(&profile, link).map_err(&failed)?;
        }
    }
    let target = link.read_link().map_err(&failed)?;
    Ok(Profile::new(&link.parent().unwrap_or(Path::new(home)).join(target)))
}
