//! The contents of a commit.

use super::program::{Git, output, plain, text_of};
use super::{Options, Place, export, large_files, last_modified, revision_count, signature, submodules};
use crate::fetchers::attributes::Attribute;
use crate::fetchers::cache::now;
use crate::fetchers::error::{At as _, Error};
use crate::fetchers::fetch::Fetcher;
use crate::fetchers::input::Input;
use nival_store_model::Hash;
use nival_sys::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The branch that the cache's own repositories start with; nothing is ever on it.
const NO_BRANCH: &str = "__nix_dummy_branch";

pub(super) fn take(
    fetcher: &Fetcher,
    input: &Input,
    place: &Place,
    options: Options,
    to: &Path,
) -> Result<(Input, Option<String>), Error> {
    let mut result = input.clone();
    let repository = Repository { fetcher, place, options };
    let (git, reference, revision) = match place {
        Place::Local(path) => {
            let git = Git::worktree(path);
            let reference = repository.reference(input, || head_of(&git))?;
            let revision = match input.revision()? {
                Some(revision) => revision,
                None => resolve(&git, &reference)?,
            };
            (git, reference, revision)
        }
        Place::Remote(url) => repository.clone_of(input, &url.to_string())?,
    };
    result.attributes.set("ref", reference.as_str());
    result.attributes.set("rev", revision.as_str());
    let is_shallow = git.maybe(&["rev-parse", "--is-shallow-repository"]).as_deref() == Some("true");
    if is_shallow && !options.shallow {
        return Err(Error::Refused(format!(
            "`{}` is a shallow git repository, which needs `shallow = true;`",
            place.shown()
        )));
    }
    if signature::is_wanted(&input.attributes)? {
        signature::verify(fetcher, &git, &input.attributes, &revision)?;
    }
    if !result.attributes.has("lastModified") {
        result.attributes.set("lastModified", Attribute::Int(last_modified(&git, &revision)?));
    }
    if !options.shallow && !result.attributes.has("revCount") {
        result.attributes.set("revCount", Attribute::Int(revision_count(fetcher, &git, &revision)?));
    }
    let fingerprint = result.fingerprint();
    let known = fingerprint.as_ref().and_then(|print| fetcher.cache.get("git", &[print.as_str()]));
    if known.and_then(|known| fetcher.known(known.value.text("hash").ok()??)).is_some() {
        return Ok((result, fingerprint));
    }
    let inside = export::export(&git, &revision, options.export_ignore, to)?;
    if options.large_files {
        let remote = match place {
            Place::Local(_) => None,
            Place::Remote(url) => Some(url.to_string()),
        };
        large_files::fill(fetcher, &git, &revision, remote.as_deref(), to)?;
    }
    if options.submodules {
        submodules::of_commit(fetcher, &git, to, &inside, &reference, options)?;
    }
    Ok((result, fingerprint))
}

fn head_of(git: &Git) -> Option<String> {
    git.maybe(&["symbolic-ref", "--quiet", "HEAD"])
}

fn resolve(git: &Git, reference: &str) -> Result<String, Error> {
    let text = git
        .text(&["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")], "find a branch")
        .or_else(|_| {
            git.text(&["rev-parse", "--verify", "--quiet", reference], &format!("find `{reference}`"))
        })?;
    Ok(text.trim().to_owned())
}

struct Repository<'r> {
    fetcher: &'r Fetcher,
    place: &'r Place,
    options: Options,
}

impl Repository<'_> {
    /// The branch or tag that is asked for, or the one that the repository stands at.
    fn reference(&self, input: &Input, head: impl FnOnce() -> Option<String>) -> Result<String, Error> {
        if let Some(reference) = input.reference() {
            return Ok(reference.to_owned());
        }
        Ok(head().unwrap_or_else(|| {
            self.fetcher
                .warn(format!("`{}` does not tell its main branch: `master` is taken", self.place.shown()));
            "master".to_owned()
        }))
    }

    /// A clone in the cache that has what is asked for.
    fn clone_of(&self, input: &Input, url: &str) -> Result<(Git, String, String), Error> {
        let name = Hash::sha256(url.as_bytes()).base32();
        let shallow = if self.options.shallow { "-shallow" } else { "" };
        let folder = self.fetcher.settings.cache.join("gitv3").join(format!("{name}{shallow}"));
        let git = Git::bare(&folder);
        let _lock = self.prepare(&git)?;
        let reference = self.reference(input, || self.remote_head(&git, url))?;
        let wanted = input.revision()?;
        if self.must_fetch(&git, &reference, wanted.as_deref()) {
            self.fetch(&git, url, &reference, wanted.as_deref())?;
            if input.reference().is_none() {
                let _ = git.maybe(&["symbolic-ref", "--", "HEAD", &reference]);
            }
        }
        let revision = match wanted {
            Some(wanted) if has(&git, &wanted) => wanted,
            Some(wanted) => {
                return Err(Error::Program {
                    doing: format!("find the revision `{wanted}` of `{url}`"),
                    said: format!("it is not on `{reference}`; `allRefs = true;` looks at all branches"),
                });
            }
            None => resolve(&git, &local_name(&reference))?,
        };
        Ok((git, reference, revision))
    }

    /// Makes the clone where there is none, and keeps others from changing it.
    fn prepare(&self, git: &Git) -> Result<std::fs::File, Error> {
        let folder = git.folder();
        let parent = folder.parent().unwrap_or(folder);
        fs::create_dir_all(parent).at(parent)?;
        let lock = folder.with_extension("lock");
        let file = fs::open_rw(&lock).at(&lock)?;
        file.lock().at(&lock)?;
        if !folder.join("HEAD").exists() {
            let mut command = plain();
            command.args(["-c", &format!("init.defaultBranch={NO_BRANCH}"), "init", "--quiet", "--bare"]);
            output(command.arg(folder), "make a repository in the cache")?;
        }
        Ok(file)
    }

    fn must_fetch(&self, git: &Git, reference: &str, revision: Option<&str>) -> bool {
        match revision {
            Some(revision) => !has(git, revision),
            None => self.options.all_refs || !self.is_fresh(&reference_file(git, reference)),
        }
    }

    fn is_fresh(&self, file: &Path) -> bool {
        let modified = file.metadata().map_or(0, |metadata| u64::try_from(metadata.mtime()).unwrap_or(0));
        modified.saturating_add(self.fetcher.settings.tarball_ttl) > now()
    }

    fn fetch(&self, git: &Git, url: &str, reference: &str, revision: Option<&str>) -> Result<(), Error> {
        let specification = match revision {
            _ if self.options.all_refs => "refs/*:refs/*".to_owned(),
            Some(revision) => revision.to_owned(),
            None if reference == "HEAD" => "HEAD:HEAD".to_owned(),
            None => format!("{0}:{0}", local_name(reference)),
        };
        let mut arguments = vec!["fetch", "--quiet", "--force"];
        if self.options.shallow {
            arguments.extend(["--depth", "1"]);
        }
        arguments.extend(["--", url, &specification]);
        let file = reference_file(git, reference);
        if let Err(error) = git.bytes(&arguments, &format!("fetch `{url}`")) {
            // A server that hands out no single revisions may still have it on the branch.
            let branch = format!("{0}:{0}", local_name(reference));
            let retried = revision.is_some() && !self.options.shallow && {
                let arguments = ["fetch", "--quiet", "--force", "--", url, &branch];
                git.bytes(&arguments, "fetch a branch").is_ok()
            };
            if !retried && !file.exists() {
                return Err(error);
            }
            if !retried {
                self.fetcher.warn(format!("`{url}` cannot be fetched: what was fetched earlier is used"));
            }
        }
        if revision.is_none() && file.exists() {
            let seconds = i64::try_from(now()).unwrap_or(0);
            fs::set_modified(&file, seconds).at(&file)?;
        }
        Ok(())
    }

    /// The main branch of a repository, by the cache while that is fresh.
    fn remote_head(&self, git: &Git, url: &str) -> Option<String> {
        let known = head_of(git).filter(|name| !name.ends_with(NO_BRANCH));
        if known.is_some() && self.is_fresh(&git.folder().join("HEAD")) {
            return known;
        }
        let listed =
            output(plain().args(["ls-remote", "--symref", "--", url, "HEAD"]), "ask for the main branch");
        match listed {
            Ok(listed) => {
                let listed = String::from_utf8_lossy(&listed).into_owned();
                let first = listed.lines().next()?;
                let (target, name) = first.split_once('\t')?;
                let target = target.strip_prefix("ref: ").unwrap_or(target);
                (name == "HEAD").then(|| target.to_owned())
            }
            Err(_) => {
                if let Some(known) = &known {
                    self.fetcher.warn(format!("`{url}` does not tell its main branch: `{known}` is taken"));
                }
                known
            }
        }
    }
}

fn has(git: &Git, revision: &str) -> bool {
    git.maybe(&["cat-file", "-e", &format!("{revision}^{{commit}}")]).is_some()
}

/// The whole name of a branch.
fn local_name(reference: &str) -> String {
    let is_whole = reference.starts_with("refs/") || reference == "HEAD";
    if is_whole { reference.to_owned() } else { format!("refs/heads/{reference}") }
}

fn reference_file(git: &Git, reference: &str) -> PathBuf {
    let name = if reference == "HEAD" { "FETCH_HEAD".to_owned() } else { local_name(reference) };
    PathBuf::from(text_of(git.folder())).join(name)
}
