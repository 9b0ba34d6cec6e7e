//! Reading the text of a lock, with the line of what is wrong.

use super::{FORMAT, Lock, LockedPackage, LockedRelease, LockedRepository, LockedRoot};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(rename = "nival-lock")]
    format: u32,
    releases: BTreeMap<String, ReleaseForm>,
    roots: BTreeMap<String, RootForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseForm {
    architecture: String,
    repositories: BTreeMap<String, RepositoryForm>,
    packages: Vec<PackageForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryForm {
    suite: String,
    url: Option<String>,
    key: Option<String>,
    #[serde(default)]
    dates: Vec<String>,
    snapshots: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackageForm {
    name: String,
    version: String,
    architecture: String,
    repository: String,
    path: String,
    size: u64,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RootForm {
    release: String,
    requests: Vec<String>,
    recommends: bool,
    packages: Vec<String>,
}

/// The line, from 1, and what is wrong there.
type Wrong = (usize, String);

pub(super) fn parse(text: &[u8]) -> Result<Lock, Wrong> {
    if let Some(line) = text.split(|b| *b == b'\n').position(is_merge_mark) {
        return Err((line + 1, "a merge left its marks".to_owned()));
    }
    let file: FileForm = serde_json::from_slice(text).map_err(|error| (error.line(), plain(&error)))?;
    if file.format != FORMAT {
        return Err((line_of(text, "nival-lock"), format!("the format {} is not known", file.format)));
    }
    let mut lock = Lock::default();
    for (name, release) in file.releases {
        let release = read_release(text, release)?;
        lock.releases.insert(name, release);
    }
    for (name, form) in file.roots {
        let RootForm { release, requests, recommends, packages } = form;
        let known = lock.releases.get(&release);
        let missing =
            packages.iter().find(|package| known.and_then(|release| release.find(package)).is_none());
        if let Some(package) = missing {
            let reason =
                format!("the root `{name}` has the package `{package}`, and the release `{release}` has not");
            return Err((line_of(text, &format!("\"{name}\"")), reason));
        }
        lock.roots.insert(name, LockedRoot { release, requests, recommends, packages });
    }
    Ok(lock)
}

fn is_merge_mark(line: &[u8]) -> bool {
    [&b"<<<<<<<"[..], b"=======", b">>>>>>>"].iter().any(|mark| line.starts_with(mark))
}

/// The message without the place that it ends in.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.clone(), |at| text[..at].to_owned())
}

fn read_release(text: &[u8], form: ReleaseForm) -> Result<LockedRelease, Wrong> {
    let mut repositories = BTreeMap::new();
    for (name, form) in form.repositories {
        repositories.insert(name, read_repository(text, form)?);
    }
    let mut packages: Vec<LockedPackage> = Vec::with_capacity(form.packages.len());
    for form in form.packages {
        let package = LockedPackage {
            name: form.name,
            version: form.version,
            architecture: form.architecture,
            repository: form.repository,
            path: form.path,
            size: form.size,
            sha256: form.sha256,
        };
        if let Err(reason) = check(&package, &repositories) {
            return Err((
                line_of(text, &format!("\"{}\", \"version\": \"{}\"", package.name, package.version)),
                reason,
            ));
        }
        packages.push(package);
    }
    packages.sort();
    Ok(LockedRelease { architecture: form.architecture, repositories, packages })
}

fn read_repository(text: &[u8], form: RepositoryForm) -> Result<LockedRepository, Wrong> {
    let mut dates = Vec::with_capacity(form.dates.len());
    for date in &form.dates {
        let time = date.parse::<jiff::Timestamp>();
        let time = time.map_err(|_| (line_of(text, date), format!("`{date}` is no date")))?;
        dates.push(time.as_second());
    }
    Ok(LockedRepository { suite: form.suite, url: form.url, key: form.key, dates, snapshots: form.snapshots })
}

fn check(package: &LockedPackage, repositories: &BTreeMap<String, LockedRepository>) -> Result<(), String> {
    let name = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.~:_".contains(&b))
    };
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if !name(&package.name) || !name(&package.version) || !name(&package.architecture) {
        return Err("a name, version or architecture is malformed".to_owned());
    }
    if package.sha256.len() != 64 || !package.sha256.bytes().all(hex) {
        return Err(format!("the SHA-256 of `{}` is no SHA-256", package.name));
    }
    let parts = package.path.split('/');
    if package.path.is_empty() || parts.into_iter().any(|part| part.is_empty() || part == "..") {
        return Err(format!("the path of `{}` leads out of its repository", package.name));
    }
    if !repositories.contains_key(&package.repository) {
        return Err(format!(
            "`{}` is of the repository `{}`, which is not there",
            package.name, package.repository
        ));
    }
    Ok(())
}

/// The line of the first mention of something, from 1; 0 where there is none.
fn line_of(text: &[u8], wanted: &str) -> usize {
    let found = text.windows(wanted.len()).position(|part| part == wanted.as_bytes());
    found.map_or(0, |at| text[..at].iter().filter(|b| **b == b'\n').count() + 1)
}
