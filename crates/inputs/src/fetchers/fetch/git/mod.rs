//! Git repositories, by the user's own `git`: what it can reach, we can.

mod commit;
mod export;
mod large_files;
mod program;
mod signature;
mod submodules;
mod worktree;

use super::{Fetcher, Found};
use crate::fetchers::error::Error;
use crate::fetchers::input::Input;
use crate::fetchers::url::Url;
use program::Git;
use std::path::{Path, PathBuf};

/// Where a repository is.
enum Place {
    /// A folder of this machine with a working tree.
    Local(PathBuf),
    /// Anything else: it is cloned into the cache.
    Remote(Url),
}

impl Place {
    fn of(fetcher: &Fetcher, input: &Input) -> Result<Self, Error> {
        let mut url = Url::parse(input.attributes.expect_text("url")?, false)?;
        if url.scheme == "file" {
            let path = fetcher.settings.current_dir.join(url.file_path()?);
            let is_bare = path.exists() && !path.join(".git").exists();
            if !is_bare {
                return Ok(Self::Local(path));
            }
            url.query.clear();
        }
        // Old lock files have the folder of a flake in the address.
        url.query.remove("dir");
        Ok(Self::Remote(url))
    }

    /// What git and messages call it.
    fn shown(&self) -> String {
        match self {
            Self::Local(path) => path.display().to_string(),
            Self::Remote(url) => url.to_string(),
        }
    }
}

/// The folder of a repository with a working tree.
pub(in crate::fetchers) fn local_repository(input: &Input) -> Option<String> {
    let url = Url::parse(input.attributes.text("url").ok()??, false).ok()?;
    let path = url.file_path().ok().filter(|_| url.scheme == "file")?;
    let is_bare = Path::new(&path).exists() && !Path::new(&path).join(".git").exists();
    (!is_bare).then_some(path)
}

/// How the contents of a repository are taken.
#[derive(Clone, Copy)]
struct Options {
    shallow: bool,
    submodules: bool,
    large_files: bool,
    export_ignore: bool,
    all_refs: bool,
}

impl Options {
    fn of(input: &Input) -> Result<Self, Error> {
        let flag = |name: &str| input.attributes.flag(name);
        Ok(Self {
            shallow: flag("shallow")?,
            submodules: flag("submodules")?,
            large_files: flag("lfs")?,
            export_ignore: flag("exportIgnore")?,
            all_refs: flag("allRefs")?,
        })
    }
}

pub(super) fn fetch(fetcher: &Fetcher, input: &Input) -> Result<Found, Error> {
    let staged = super::Staged(fetcher.staging("git"));
    let (result, revision) = take(fetcher, input, &staged.0)?;
    let Some(fingerprint) = revision else {
        let (path, hash) = fetcher.adopt(&staged.0)?;
        return Ok(Found { path, hash, input: result });
    };
    // Nothing was written where the contents of the revision are known.
    let known = fetcher.cache.get("git", &[&fingerprint]);
    let known = known.and_then(|known| fetcher.known(known.value.text("hash").ok()??));
    let (path, hash) = match known {
        Some(known) if !staged.0.exists() => known,
        _ => {
            let (path, hash) = fetcher.adopt(&staged.0)?;
            let mut value = crate::fetchers::attributes::Attributes::default();
            value.set("hash", hash.sri());
            fetcher.cache.put("git", &[&fingerprint], &value);
            (path, hash)
        }
    };
    Ok(Found { path, hash, input: result })
}

/// Writes the contents into a new folder; the input with what is known of it, and what stands for its contents
/// where they are those of a revision. Contents that lie in the store are not written.
fn take(fetcher: &Fetcher, input: &Input, to: &Path) -> Result<(Input, Option<String>), Error> {
    let options = Options::of(input)?;
    if options.export_ignore && options.submodules {
        let text = "`exportIgnore` and `submodules` do not go together";
        return Err(Error::Reference(text.to_owned()));
    }
    let place = Place::of(fetcher, input)?;
    match &place {
        Place::Local(path) if input.reference().is_none() && input.revision()?.is_none() => {
            worktree::take(fetcher, input, path, options, to).map(|result| (result, None))
        }
        _ => commit::take(fetcher, input, &place, options, to),
    }
}

/// When a commit was made.
fn last_modified(git: &Git, revision: &str) -> Result<u64, Error> {
    let text = git.text(&["log", "-1", "--format=%ct", "--no-show-signature", revision], "read a commit")?;
    let said = text.clone();
    text.trim().parse().map_err(|_| Error::Program { doing: format!("read when {revision} was made"), said })
}

/// How many commits lead to a commit, itself included.
fn revision_count(fetcher: &Fetcher, git: &Git, revision: &str) -> Result<u64, Error> {
    if let Some(known) =
        fetcher.cache.get("count", &[revision]).and_then(|known| known.value.int("count").ok()?)
    {
        return Ok(known);
    }
    let text = git.text(&["rev-list", "--count", revision], "count commits")?;
    let said = text.clone();
    let count =
        text.trim().parse().map_err(|_| Error::Program { doing: "count commits".to_owned(), said })?;
    let mut value = crate::fetchers::attributes::Attributes::default();
    value.set("count", crate::fetchers::attributes::Attribute::Int(count));
    fetcher.cache.put("count", &[revision], &value);
    Ok(count)
}
