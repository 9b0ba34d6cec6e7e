//! Reading the text of a lock, with the line of what is wrong.

use super::{
    FORMAT, Lock, LockedFile, LockedPackage, LockedRelease, LockedRepository, LockedRoot, LockedSource,
};
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
    #[serde(default)]
    sources: Vec<SourceForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceForm {
    name: String,
    version: String,
    repository: String,
    files: Vec<FileOfSourceForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOfSourceForm {
    path: String,
    size: u64,
    sha256: String,
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
    #[serde(default)]
    sources: Vec<String>,
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
        let RootForm { release, requests, recommends, sources, packages } = form;
        let known = lock.releases.get(&release);
        let mut missing =
            packages.iter().filter(|package| known.and_then(|release| release.find(package)).is_none());
        let mut lost =
            sources.iter().filter(|source| known.and_then(|release| release.find_source(source)).is_none());
        if let Some(package) = missing.next().or_else(|| lost.next()) {
            let reason =
                format!("the root `{name}` has the package `{package}`, and the release `{release}` has not");
            return Err((line_of(text, &format!("\"{name}\"")), reason));
        }
        lock.roots.insert(name, LockedRoot { release, requests, recommends, sources, packages });
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
    let mut sources = Vec::with_capacity(form.sources.len());
    for form in form.sources {
        let at = line_of(text, &format!("\"{}\", \"version\": \"{}\"", form.name, form.version));
        sources.push(read_source(form, &repositories).map_err(|reason| (at, reason))?);
    }
    sources.sort();
    Ok(LockedRelease { architecture: form.architecture, repositories, packages, sources })
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

fn read_source(
    form: SourceForm,
    repositories: &BTreeMap<String, LockedRepository>,
) -> Result<LockedSource, String> {
    let SourceForm { name, version, repository, files } = form;
    if !is_name(&name) || !is_name(&version) {
        return Err("a name or version is malformed".to_owned());
    }
    check_repository(&name, &repository, repositories)?;
    let mut read = Vec::with_capacity(files.len());
    for FileOfSourceForm { path, size, sha256 } in files {
        check_file(&name, &path, &sha256)?;
        read.push(LockedFile { path, size, sha256 });
    }
    read.sort();
    Ok(LockedSource { name, version, repository, files: read })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.~:_".contains(&b))
}

fn check(package: &LockedPackage, repositories: &BTreeMap<String, LockedRepository>) -> Result<(), String> {
    if !is_name(&package.name) || !is_name(&package.version) || !is_name(&package.architecture) {
        return Err("a name, version or architecture is malformed".to_owned());
    }
    check_file(&package.name, &package.path, &package.sha256)?;
    check_repository(&package.name, &package.repository, repositories)
}

fn check_file(name: &str, path: &str, sha256: &str) -> Result<(), String> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if sha256.len() != 64 || !sha256.bytes().all(hex) {
        return Err(format!("the SHA-256 of `{name}` is no SHA-256"));
    }
    if path.is_empty() || path.split('/').any(|part| part.is_empty() || part == "..") {
        return Err(format!("the path of `{name}` leads out of its repository"));
    }
    Ok(())
}

fn check_repository(
    name: &str,
    repository: &str,
    repositories: &BTreeMap<String, LockedRepository>,
) -> Result<(), String> {
    match repositories.contains_key(repository) {
        true => Ok(()),
        false => Err(format!("`{name}` is of the repository `{repository}`, which is not there")),
    }
}

/// The line of the first mention of something, from 1; 0 where there is none.
fn line_of(text: &[u8], wanted: &str) -> usize {
    let found = text.windows(wanted.len()).position(|part| part == wanted.as_bytes());
    found.map_or(0, |at| text[..at].iter().filter(|b| **b == b'\n').count() + 1)
}
