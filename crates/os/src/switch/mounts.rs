//! Exchanges the roots that the machine shows, with no moment without one.

use super::executor::Work;
use crate::Error;
use crate::compose::Composition;
use crate::error::Doing as _;
use nival_sys::{fs, mount};
use std::path::Path;

const ROOTS: &str = "/run/nival/roots";

/// Lets the machine show a composition: its own root at `/system`, and all further roots.
pub(super) fn show(work: &Work<'_>, composition: &Composition) -> Result<(), Error> {
    for (name, root) in &composition.roots {
        let place = Path::new(ROOTS).join(name);
        fs::create_dir_all(&place).doing(|| format!("make `{}`", place.display()))?;
        exchange(work, root, &place)?;
    }
    exchange(work, composition, Path::new("/system"))?;
    for entry in fs::read_dir(ROOTS).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.to_str().is_some_and(|name| composition.roots.contains_key(name)) {
            let place = entry.path();
            while mount::stacked_at(&place).doing(|| "read the table of mounts".to_owned())? > 0 {
                mount::detach(&place).doing(|| format!("take `{}` away", place.display()))?;
            }
            let _ = std::fs::remove_dir(&place);
        }
    }
    Ok(())
}

/// Puts the new root beneath the one that is shown, then takes that one away. Can be done again after it was broken off.
fn exchange(work: &Work<'_>, wanted: &Composition, place: &Path) -> Result<(), Error> {
    let doing = || format!("exchange the root at `{}`", place.display());
    while mount::stacked_at(place).doing(doing)? > 1 {
        mount::detach(place).doing(doing)?;
    }
    let shown = std::fs::read_to_string(place.join(crate::compose::MARK)).unwrap_or_default();
    if shown == wanted.key {
        return Ok(());
    }
    let new = wanted.mount(&work.store, work.state, work.user)?;
    if mount::stacked_at(place).doing(doing)? == 0 {
        return mount::attach(&new, place).doing(doing);
    }
    mount::attach_beneath(&new, place).and_then(|()| mount::detach(place)).doing(doing)
}
