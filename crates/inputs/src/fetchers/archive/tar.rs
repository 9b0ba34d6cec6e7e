//! Tar archives, in all forms that GNU, POSIX and old programs write.

use super::tree::Target;
use crate::fetchers::error::Error;
use std::io::Read;
use tar::{Archive, EntryType};

pub(super) fn unpack(archive: Box<dyn Read>, target: &mut Target<'_>) -> Result<(), Error> {
    let mut archive = Archive::new(archive);
    let mut entries = 0u64;
    let all = archive.entries().map_err(|error| target.wrong(error.to_string()))?;
    for entry in all {
        let mut entry = entry.map_err(|error| target.wrong(error.to_string()))?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            entries += 1;
            continue;
        }
        entries += 1;
        target.newest = target.newest.max(modified(&mut entry));
        let name = entry.path_bytes().into_owned();
        let link = entry.link_name_bytes().map(|link| link.into_owned());
        let executable = entry.header().mode().unwrap_or(0) & 0o100 != 0;
        match kind {
            EntryType::Directory => target.folder(&name)?,
            EntryType::Symlink => target.link(&name, &link.unwrap_or_default())?,
            EntryType::Link => target.hard_link(&name, &link.unwrap_or_default())?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse if name.ends_with(b"/") => {
                target.folder(&name)?;
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                target.file(&name, executable, &mut entry)?;
            }
            other => {
                let shown = String::from_utf8_lossy(&name);
                return Err(target.wrong(format!("`{shown}` is neither file, folder nor link ({other:?})")));
            }
        }
    }
    if entries == 0 {
        return Err(target.wrong("it is empty, or of a form that is not known"));
    }
    Ok(())
}

/// The time of modification; an extended header can tell it more exactly.
fn modified<R: Read>(entry: &mut tar::Entry<'_, R>) -> u64 {
    if let Ok(Some(extensions)) = entry.pax_extensions() {
        for extension in extensions.flatten() {
            if extension.key_bytes() == b"mtime"
                && let Ok(text) = extension.value()
                && let Some(seconds) = text.split('.').next().and_then(|text| text.parse().ok())
            {
                return seconds;
            }
        }
    }
    entry.header().mtime().unwrap_or(0)
}
