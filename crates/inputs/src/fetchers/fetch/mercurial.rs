//! Mercurial repositories, by the user's own `hg`: what it can reach, we can.

use super::tracked::copy_one;
use super::{Fetcher, Found, Staged, program};
use crate::fetchers::attributes::{Attribute, Attributes};
use crate::fetchers::error::{At as _, Error};
use crate::fetchers::input::Input;
use crate::fetchers::url::Url;
use nival_store_model::Hash;
use nival_sys::fs;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `hg` with the output that programs can read, whatever the user's settings are.
pub(crate) fn hg() -> Command {
    let mut command = Command::new("hg");
    command.env("HGPLAIN", "").env("HGENCODING", "utf-8").stdin(Stdio::null());
    command
}

/// What `hg` prints of one repository.
fn ask<S: AsRef<OsStr>>(folder: &Path, arguments: &[S], doing: &str) -> Result<String, Error> {
    let mut command = hg();
    command.args(arguments).arg("-R").arg(folder);
    let printed = program::output(&mut command, &format!("{doing} in `{}`", folder.display()))?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// The folder of a repository that is taken as it lies there.
pub(in crate::fetchers) fn local_folder(input: &Input) -> Option<String> {
    let url = Url::parse(input.attributes.text("url").ok()??, false).ok()?;
    let as_it_is = url.scheme == "file" && !input.attributes.has("ref") && !input.attributes.has("rev");
    as_it_is.then(|| url.file_path().ok()).flatten()
}

pub(super) fn fetch(fetcher: &Fetcher, input: &Input) -> Result<Found, Error> {
    if let Some(folder) = local_folder(input) {
        let folder = fetcher.settings.current_dir.join(folder);
        if folder.join(".hg").exists() && is_dirty(&folder)? {
            return working_tree(fetcher, input, &folder);
        }
    }
    commit(fetcher, input)
}

fn is_dirty(folder: &Path) -> Result<bool, Error> {
    let arguments = ["status", "--modified", "--added", "--removed"];
    Ok(!ask(folder, &arguments, "compare the working tree")?.is_empty())
}

/// What Mercurial tracks, as it lies there.
fn working_tree(fetcher: &Fetcher, input: &Input, folder: &Path) -> Result<Found, Error> {
    let text = format!("the Mercurial tree `{}` has changes that are not committed", folder.display());
    if !fetcher.settings.allow_dirty {
        return Err(Error::Refused(text));
    }
    if fetcher.settings.warn_dirty {
        fetcher.warn(text);
    }
    let mut result = input.clone();
    result.attributes.set("ref", ask(folder, &["branch"], "ask for the branch")?.trim_end());
    let mut command = hg();
    command.args(["status", "--clean", "--modified", "--added", "--no-status", "--print0", "-R"]).arg(folder);
    let listed = program::output(&mut command, &format!("list files in `{}`", folder.display()))?;
    let staged = Staged(fetcher.staging("hg"));
    fs::create_dir(&staged.0).at(&staged.0)?;
    for path in listed.split(|c| *c == 0).filter(|path| !path.is_empty()) {
        copy_one(folder, &staged.0, path)?;
    }
    let (path, hash) = fetcher.adopt(&staged.0)?;
    Ok(Found { path, hash, input: result })
}

/// The contents of a revision, or of the newest one of a branch or tag.
fn commit(fetcher: &Fetcher, input: &Input) -> Result<Found, Error> {
    let mut result = input.clone();
    let address = address(fetcher, input)?;
    let shown = address.to_string_lossy().into_owned();
    let reference = input.reference().unwrap_or("default").to_owned();
    result.attributes.set("ref", reference.as_str());
    let mut revision = input.revision()?;
    if let Some(revision) = revision.as_ref().filter(|revision| revision.len() != 40) {
        return Err(Error::Reference(format!(
            "`{revision}` is no revision of Mercurial: those are of SHA-1"
        )));
    }
    let pinned = revision.is_some();
    if !pinned {
        let known = fetcher.cache.get("hg-branch", &[&shown, &reference]).filter(|known| !known.expired);
        revision = known.and_then(|known| known.value.text("rev").ok()?.map(str::to_owned));
    }
    if let Some(found) = revision.as_deref().and_then(|revision| known(fetcher, &result, revision)) {
        return Ok(found);
    }
    let (clone, _lock) = clone_of(fetcher, &address, revision.as_deref())?;
    let wanted = revision.as_deref().unwrap_or(&reference);
    let arguments = ["log", "-r", wanted, "--template", "{node} {rev} {branch}"];
    let said = ask(&clone, &arguments, &format!("find `{wanted}` of `{shown}`"))?;
    let (node, count, branch) = parse(&said).ok_or_else(|| Error::Program {
        doing: format!("find `{wanted}` of `{shown}`"),
        said: format!("it does not stand for one revision: {said}"),
    })?;
    result.attributes.set("ref", branch);
    if let Some(found) = known(fetcher, &result, node) {
        return Ok(found);
    }
    let (path, hash) = export(fetcher, &clone, node)?;
    if !pinned {
        let mut value = Attributes::default();
        value.set("rev", node);
        fetcher.cache.put("hg-branch", &[&shown, &reference], &value);
    }
    let mut value = Attributes::default();
    value.set("hash", hash.sri());
    value.set("revCount", Attribute::Int(count));
    fetcher.cache.put("hg", &[node], &value);
    result.attributes.set("rev", node);
    result.attributes.set("revCount", Attribute::Int(count));
    Ok(Found { path, hash, input: result })
}

fn parse(said: &str) -> Option<(&str, u64, &str)> {
    let mut words = said.splitn(3, ' ');
    let (node, count, branch) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    (node.len() == 40).then_some((node, count, branch))
}

/// The contents of a revision that lie in the store.
fn known(fetcher: &Fetcher, input: &Input, revision: &str) -> Option<Found> {
    let known = fetcher.cache.get("hg", &[revision])?.value;
    let (path, hash) = fetcher.known(known.text("hash").ok()??)?;
    let mut input = input.clone();
    input.attributes.set("rev", revision);
    input.attributes.set("revCount", Attribute::Int(known.int("revCount").ok()??));
    Some(Found { path, hash, input })
}

/// What `hg` calls the repository.
fn address(fetcher: &Fetcher, input: &Input) -> Result<OsString, Error> {
    let url = Url::parse(input.attributes.expect_text("url")?, false)?;
    if url.scheme == "file" {
        return Ok(fetcher.settings.current_dir.join(url.file_path()?).into_os_string());
    }
    Ok(url.to_string().into())
}

/// A clone in the cache that has a revision, or what is new; and what keeps others from changing it.
fn clone_of(
    fetcher: &Fetcher,
    address: &OsStr,
    revision: Option<&str>,
) -> Result<(PathBuf, std::fs::File), Error> {
    let name = Hash::sha256(address.as_bytes()).base32();
    let parent = fetcher.settings.cache.join("hg");
    fs::create_dir_all(&parent).at(&parent)?;
    let lock = parent.join(format!("{name}.lock"));
    let file = fs::open_rw(&lock).at(&lock)?;
    file.lock().at(&lock)?;
    let folder = parent.join(name);
    let shown = address.to_string_lossy();
    if !folder.join(".hg").exists() {
        let mut command = hg();
        command.args(["clone", "--noupdate", "--"]).arg(address).arg(&folder);
        program::output(&mut command, &format!("clone `{shown}`"))?;
    } else if !revision.is_some_and(|revision| has(&folder, revision)) {
        pull(&folder, address, &format!("fetch `{shown}`"))?;
    }
    Ok((folder, file))
}

fn has(folder: &Path, revision: &str) -> bool {
    ask(folder, &["log", "-r", revision, "--template", "1"], "look for a revision")
        .is_ok_and(|said| said == "1")
}

fn pull(folder: &Path, address: &OsStr, doing: &str) -> Result<(), Error> {
    let pull = || {
        let mut command = hg();
        command.args(["pull", "-R"]).arg(folder).arg("--").arg(address);
        program::output(&mut command, doing).map(drop)
    };
    // An earlier pull that was cut off has left its journal, which keeps others from pulling.
    let cut_off = || folder.join(".hg/store/journal").exists();
    match pull() {
        Err(_) if cut_off() => {
            ask(folder, &["recover"], "take back a pull that was cut off")?;
            pull()
        }
        result => result,
    }
}

/// Writes the tree of a revision into the store.
fn export(
    fetcher: &Fetcher,
    clone: &Path,
    revision: &str,
) -> Result<(nival_store_model::StorePath, Hash), Error> {
    let staged = Staged(fetcher.staging("hg"));
    let arguments = [OsStr::new("archive"), OsStr::new("-r"), OsStr::new(revision), staged.0.as_os_str()];
    ask(clone, &arguments, "write a revision")?;
    let made_up = staged.0.join(".hg_archival.txt");
    fs::remove_file(&made_up).at(&made_up)?;
    fetcher.adopt(&staged.0)
}
