//! Source packages: which version of each is locked, and of which files it consists.

use crate::index::{IndexSource, Indices};
use crate::lock::LockedFile;
use crate::{Error, LockedRelease, LockedSource, Mode, RootRequest};
use nival_debian::{Fields, Paragraphs, RequestError, compare_versions};
use std::collections::{BTreeMap, BTreeSet};

/// Chooses a version of every source package that is asked for: what is locked stays where the mode says so, else it is
/// the newest one.
pub(crate) fn choose(
    requests: &[&RootRequest],
    sources: &[IndexSource<'_>],
    indices: &[Indices],
    locked: &LockedRelease,
    mode: &Mode,
) -> Result<Vec<LockedSource>, Error> {
    let wanted: BTreeMap<&str, &str> = requests
        .iter()
        .flat_map(|request| request.sources.iter().map(|text| (text.as_str(), request.release.as_str())))
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let names: BTreeSet<&str> = wanted.keys().map(|text| name_of(text)).collect();
    let offered = offers(&names, sources, indices)?;
    let mut chosen = BTreeSet::new();
    for (text, release) in wanted {
        let of_name = offered.iter().filter(|source| source.name == name_of(text));
        let newest = match text.split_once('=') {
            Some((_, version)) => of_name.clone().find(|source| source.version == version),
            None => of_name.clone().max_by(|a, b| compare_versions(&a.version, &b.version)),
        };
        let kept = locked.find_source(text).filter(|kept| stays(kept, newest, mode));
        let Some(source) = kept.or(newest) else {
            let name = text.to_owned();
            let error = RequestError::Unknown { name, nearest: Vec::new() };
            return Err(Error::Request { release: release.to_owned(), error });
        };
        chosen.insert(source.clone());
    }
    Ok(chosen.into_iter().collect())
}

/// The name in front of `=VERSION`.
pub(crate) fn name_of(text: &str) -> &str {
    text.split_once('=').map_or(text, |(name, _)| name)
}

fn stays(kept: &LockedSource, newest: Option<&LockedSource>, mode: &Mode) -> bool {
    match mode {
        Mode::Keep => true,
        Mode::UpdateAll => false,
        Mode::UpdateNames(names) => !names.contains(&kept.name),
        Mode::UpdateSecurity => !newest.is_some_and(|newest| newest.repository.ends_with("-security")),
    }
}

/// All versions of some source packages that repositories have.
fn offers(
    names: &BTreeSet<&str>,
    sources: &[IndexSource<'_>],
    indices: &[Indices],
) -> Result<Vec<LockedSource>, Error> {
    let mut all = Vec::new();
    for (source, indices) in sources.iter().zip(indices) {
        for paragraph in indices.sources.iter().flat_map(|text| Paragraphs::new(text)) {
            let Some(name) = paragraph.value_of("Package").filter(|name| names.contains(name)) else {
                continue;
            };
            if paragraph.value_of("Extra-Source-Only") == Some("yes") {
                continue;
            }
            let read = read(name, &source.name, &paragraph).ok_or_else(|| Error::Index {
                repository: source.name.clone(),
                reason: format!("the source package `{name}` lists its files in another form than it must"),
            })?;
            all.push(read);
        }
    }
    Ok(all)
}

fn read(name: &str, repository: &str, paragraph: &Fields<'_>) -> Option<LockedSource> {
    let folder = paragraph.value_of("Directory")?;
    let mut files = Vec::new();
    for line in paragraph.value_of("Checksums-Sha256")?.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let (sha256, size, file) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        files.push(LockedFile {
            path: format!("{folder}/{file}"),
            size,
            sha256: sha256.to_ascii_lowercase(),
        });
    }
    files.sort();
    files.iter().any(|file| file.path.ends_with(".dsc")).then(|| LockedSource {
        name: name.to_owned(),
        version: paragraph.value_of("Version").unwrap_or_default().to_owned(),
        repository: repository.to_owned(),
        files,
    })
}
