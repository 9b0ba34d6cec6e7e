//! Repositories inside of repositories.

use super::program::{Git, output, plain, text_of};
use super::{Options, take};
use crate::fetchers::attributes::{Attribute, Attributes};
use crate::fetchers::error::{At as _, Error};
use crate::fetchers::fetch::Fetcher;
use crate::fetchers::input::Input;
use nival_sys::fs;
use std::collections::BTreeMap;
use std::path::Path;

/// One submodule as `.gitmodules` describes it.
struct Submodule {
    path: String,
    url: String,
    branch: Option<String>,
}

fn parse(file: &Path) -> Result<Vec<Submodule>, Error> {
    let arguments = ["config", "--null", "--list", "--file", &text_of(file)];
    let listed = output(plain().args(arguments), "read .gitmodules")?;
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for entry in listed.split(|c| *c == 0) {
        let entry = String::from_utf8_lossy(entry).into_owned();
        let Some((key, value)) = entry.split_once('\n') else { continue };
        let Some((name, field)) = key.strip_prefix("submodule.").and_then(|key| key.rsplit_once('.')) else {
            continue;
        };
        all.entry(name.to_owned()).or_default().insert(field.to_owned(), value.to_owned());
    }
    let made = all.into_values().filter_map(|mut fields| {
        let path = fields.remove("path")?;
        let is_inside =
            !path.starts_with('/') && path.split('/').all(|part| part != ".." && !part.is_empty());
        let url = fields.remove("url")?;
        is_inside.then(|| Submodule { path, url, branch: fields.remove("branch") })
    });
    Ok(made.collect())
}

/// An address as it stands in `.gitmodules`, seen from the repository that it stands in.
fn resolved(git: &Git, url: &str) -> String {
    if !url.starts_with("./") && !url.starts_with("../") {
        return url.to_owned();
    }
    let origin = git.maybe(&["config", "--get", "remote.origin.url"]);
    let mut base = origin.unwrap_or_else(|| text_of(git.folder())).trim_end_matches('/').to_owned();
    let mut rest = url;
    loop {
        if let Some(behind) = rest.strip_prefix("./") {
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("../") {
            rest = behind;
            let end = base.rfind('/').unwrap_or(0);
            base.truncate(end);
        } else {
            return format!("{base}/{}", rest.trim_end_matches('/'));
        }
    }
}

/// Fetches the submodules of a commit into the folders that stand for them.
pub(super) fn of_commit(
    fetcher: &Fetcher,
    git: &Git,
    folder: &Path,
    inside: &BTreeMap<String, String>,
    reference: &str,
    options: Options,
) -> Result<(), Error> {
    let file = folder.join(".gitmodules");
    if !file.is_file() {
        return Ok(());
    }
    for submodule in parse(&file)? {
        let Some(revision) = inside.get(&submodule.path) else { continue };
        let mut attributes = Attributes::default();
        attributes.set("type", "git");
        attributes.set("url", resolved(git, &submodule.url));
        match submodule.branch.as_deref() {
            None | Some("") => {}
            Some(".") => attributes.set("ref", reference),
            Some(branch) => attributes.set("ref", branch),
        }
        attributes.set("rev", revision.as_str());
        attributes.set("submodules", Attribute::Bool(true));
        attributes.set("allRefs", Attribute::Bool(true));
        if options.large_files {
            attributes.set("lfs", Attribute::Bool(true));
        }
        place(fetcher, attributes, &folder.join(&submodule.path))?;
    }
    Ok(())
}

/// Takes the working trees of the submodules; whether one of them has changes.
pub(super) fn of_worktree(fetcher: &Fetcher, folder: &Path, to: &Path) -> Result<bool, Error> {
    let file = folder.join(".gitmodules");
    let mut dirty = false;
    if !file.exists() {
        return Ok(false);
    }
    for submodule in parse(&file)? {
        let mut attributes = Attributes::default();
        attributes.set("type", "git");
        attributes.set("url", text_of(&folder.join(&submodule.path)));
        attributes.set("submodules", Attribute::Bool(true));
        let found = place(fetcher, attributes, &to.join(&submodule.path))?;
        dirty |= !found.attributes.has("rev");
    }
    Ok(dirty)
}

/// Puts the contents of a repository where an empty folder, or nothing, is.
fn place(fetcher: &Fetcher, attributes: Attributes, at: &Path) -> Result<Input, Error> {
    let input = Input::from_attributes(&fetcher.settings, attributes)?;
    let _ = Options::of(&input)?;
    if let Some(parent) = at.parent() {
        fs::create_dir_all(parent).at(parent)?;
    }
    fs::remove_tree(at).at(at)?;
    let (found, fingerprint) = take(fetcher, &input, at)
        .map_err(|error| error.context(format!("while fetching the submodule `{}`", input.shown())))?;
    if !at.exists() {
        // Its contents are in the store already: they are copied from there.
        let known = fingerprint.and_then(|print| fetcher.cache.get("git", &[print.as_str()]));
        let known = known.and_then(|known| fetcher.known(known.value.text("hash").ok()??));
        let (path, _) = known.ok_or_else(|| Error::Io(at.to_owned(), std::io::ErrorKind::NotFound.into()))?;
        copy_tree(&fetcher.physical(&path), at)?;
    }
    Ok(found)
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    let metadata = from.symlink_metadata().at(from)?;
    if metadata.is_symlink() {
        return fs::symlink(&from.read_link().at(from)?, to).at(to);
    }
    if metadata.is_file() {
        let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0;
        return fs::copy_new(from, to, if executable { 0o755 } else { 0o644 }).at(to);
    }
    fs::create_dir(to).at(to)?;
    for entry in from.read_dir().at(from)? {
        let name = entry.at(from)?.file_name();
        copy_tree(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}
