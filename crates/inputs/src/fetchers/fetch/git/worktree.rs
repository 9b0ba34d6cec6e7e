//! The contents of a working tree: what git tracks, as it lies there.

use super::program::Git;
use super::{Options, export, last_modified, revision_count, signature, submodules};
use crate::fetchers::attributes::Attribute;
use crate::fetchers::error::{At as _, Error};
use crate::fetchers::fetch::Fetcher;
use crate::fetchers::fetch::tracked::copy_one;
use crate::fetchers::input::{Input, NO_REVISION};
use nival_sys::fs;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

pub(super) fn take(
    fetcher: &Fetcher,
    input: &Input,
    folder: &Path,
    options: Options,
    to: &Path,
) -> Result<Input, Error> {
    if !folder.join(".git").exists() {
        return Err(Error::Program {
            doing: format!("open the git repository `{}`", folder.display()),
            said: "there is none".to_owned(),
        });
    }
    let git = Git::worktree(folder);
    let head = git.maybe(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
    let status = ["status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all"];
    let mut dirty = !git.bytes(&status, "compare the working tree")?.is_empty();
    if signature::is_wanted(&input.attributes)? {
        let Some(head) = head.as_deref().filter(|_| !dirty) else {
            let shown = folder.display();
            return Err(Error::Refused(format!(
                "commits of `{shown}` have to be verified, and it has changes that are not committed"
            )));
        };
        signature::verify(fetcher, &git, &input.attributes, head)?;
    }
    copy(&git, folder, options, to)?;
    if options.submodules {
        dirty |= submodules::of_worktree(fetcher, folder, to)?;
    }
    let mut result = input.clone();
    if dirty {
        refuse_or_warn(fetcher, folder)?;
        if let Some(head) = &head {
            result.attributes.set("dirtyRev", format!("{head}-dirty"));
            result.attributes.set("dirtyShortRev", format!("{}-dirty", &head[..7.min(head.len())]));
        }
    } else {
        if let Some(reference) = git.maybe(&["symbolic-ref", "--quiet", "HEAD"]) {
            result.attributes.set("ref", reference);
        }
        result.attributes.set("rev", head.as_deref().unwrap_or(NO_REVISION));
        if !options.shallow {
            let count = match &head {
                Some(head) => revision_count(fetcher, &git, head)?,
                None => 0,
            };
            result.attributes.set("revCount", Attribute::Int(count));
        }
    }
    let modified = head.map_or(Ok(0), |head| last_modified(&git, &head))?;
    result.attributes.set("lastModified", Attribute::Int(modified));
    Ok(result)
}

fn refuse_or_warn(fetcher: &Fetcher, folder: &Path) -> Result<(), Error> {
    let text = format!("the git tree `{}` has changes that are not committed", folder.display());
    if !fetcher.settings.allow_dirty {
        return Err(Error::Refused(text));
    }
    if fetcher.settings.warn_dirty {
        fetcher.warn(text);
    }
    Ok(())
}

/// Copies what git tracks.
fn copy(git: &Git, folder: &Path, options: Options, to: &Path) -> Result<(), Error> {
    let listed = git.bytes(&["ls-files", "-z", "--cached", "--stage"], "list files")?;
    let mut paths: Vec<&[u8]> = Vec::new();
    for line in listed.split(|c| *c == 0).filter(|line| !line.is_empty()) {
        let Some(tab) = line.iter().position(|c| *c == b'\t') else { continue };
        if !line.starts_with(b"160000") {
            paths.push(&line[tab + 1..]);
        }
    }
    paths.dedup();
    let ignored = if options.export_ignore { export::ignored(git, &[], &paths)? } else { Default::default() };
    fs::create_dir(to).at(to)?;
    for path in paths {
        if !export::is_below(path, &ignored) {
            copy_one(folder, to, path)?;
        } else if folder.join(OsStr::from_bytes(path)).symlink_metadata().is_ok() {
            make_folders(to, path, &ignored)?;
        }
    }
    Ok(())
}

/// Makes the folders above a file that is left out, down to one that is left out itself.
fn make_folders(to: &Path, path: &[u8], ignored: &HashSet<Vec<u8>>) -> Result<(), Error> {
    let ends = path.iter().enumerate().filter(|(_, c)| **c == b'/').map(|(at, _)| at);
    for end in ends.take_while(|end| !ignored.contains(&path[..*end])) {
        let folder = to.join(OsStr::from_bytes(&path[..end]));
        fs::create_dir_all(&folder).at(&folder)?;
    }
    Ok(())
}
