//! Registries: names that stand for inputs.

use super::attributes::Attributes;
use super::error::Error;
use super::fetch::{Fetcher, UseRegistries};
use super::input::Input;
use super::settings::FetchSettings;
use std::path::Path;

/// One line of a registry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What stands for something else.
    pub from: Input,
    /// What it stands for.
    pub to: Input,
    /// What else is said of it, such as the folder.
    pub extra: Attributes,
    /// Whether a branch or revision may not be added.
    pub exact: bool,
}

/// The registries in the order in which they are asked; the Boolean tells of those that inputs of flakes may use.
pub(crate) type Registries = Vec<(bool, Vec<Entry>)>;

/// Reads a registry; malformed entries are an error.
///
/// # Errors
/// [`Error::Reference`], [`Error::Feature`].
pub fn parse(settings: &FetchSettings, text: &[u8]) -> Result<Vec<Entry>, Error> {
    let wrong = |why: &str| Error::Reference(format!("no flake registry: {why}"));
    let json: serde_json::Value = serde_json::from_slice(text).map_err(|error| wrong(&error.to_string()))?;
    if json["version"].as_u64() != Some(2) {
        return Err(wrong(&format!("its version is {}, not 2", json["version"])));
    }
    let mut entries = Vec::new();
    for entry in json["flakes"].as_array().ok_or_else(|| wrong("it has no `flakes`"))? {
        let mut to = Attributes::from_json(&entry["to"])?;
        let mut extra = Attributes::default();
        if let Some(dir) = to.0.remove("dir") {
            extra.set("dir", dir);
        }
        entries.push(Entry {
            from: Input::from_attributes(settings, Attributes::from_json(&entry["from"])?)?,
            to: Input::from_attributes(settings, to)?,
            extra,
            exact: entry["exact"].as_bool().unwrap_or(false),
        });
    }
    Ok(entries)
}

fn read(fetcher: &Fetcher, path: &Path) -> Vec<Entry> {
    let Ok(text) = std::fs::read(path) else { return Vec::new() };
    parse(&fetcher.settings, &text).unwrap_or_else(|error| {
        fetcher.warn(format!("the registry `{}` is left out: {error}", path.display()));
        Vec::new()
    })
}

/// The registries without the global one, which may have to be fetched.
pub(super) fn of(fetcher: &Fetcher) -> Result<&Registries, Error> {
    Ok(fetcher.registries.get_or_init(|| {
        let own = fetcher.settings.registries.iter().map(|path| (false, read(fetcher, path)));
        std::iter::once((true, fetcher.settings.overrides.clone())).chain(own).collect()
    }))
}

fn global(fetcher: &Fetcher) -> Result<Vec<Entry>, Error> {
    let place = &fetcher.settings.flake_registry;
    if place.is_empty() {
        return Ok(Vec::new());
    }
    if place.starts_with('/') {
        return Ok(read(fetcher, Path::new(place)));
    }
    let file = fetcher.fetch_file(place, "flake-registry.json", &[])?;
    Ok(read(fetcher, &fetcher.physical(&file.path)))
}

/// All registries with their kinds, the global one last.
pub(super) fn all(fetcher: &Fetcher) -> Result<Vec<(&'static str, Vec<Entry>)>, Error> {
    let kinds = ["flags", "user", "system"];
    let own = of(fetcher)?.iter().zip(kinds).map(|((_, entries), kind)| (kind, entries.clone()));
    let mut all: Vec<_> = own.collect();
    all.push(("global", global(fetcher)?));
    Ok(all)
}

pub(super) fn resolve(
    fetcher: &Fetcher,
    input: &Input,
    which: UseRegistries,
) -> Result<(Input, Attributes), Error> {
    if which == UseRegistries::No {
        return Ok((input.clone(), Attributes::default()));
    }
    let mut current = input.clone();
    let mut extra = Attributes::default();
    let mut last: Option<Vec<Entry>> = None;
    for _ in 0..100 {
        let own = fetcher.registries()?.iter().filter(|(limited, _)| *limited || which == UseRegistries::All);
        let mut found = own.flat_map(|(_, entries)| entries).find_map(|entry| entry.applied(&current));
        // The global registry is fetched only where nothing else tells.
        if found.is_none() && (!current.is_direct() || fetcher.settings.flake_registry.starts_with('/')) {
            if last.is_none() {
                last = Some(global(fetcher)?);
            }
            found = last.iter().flatten().find_map(|entry| entry.applied(&current));
        }
        match found {
            Some(next) => (current, extra) = next?,
            None if current.is_direct() => return Ok((current, extra)),
            None => return Err(Error::NotInRegistry(current.shown())),
        }
    }
    Err(Error::Reference(format!("the registries lead `{}` around in a circle", input.shown())))
}

impl Entry {
    fn applied(&self, input: &Input) -> Option<Result<(Input, Attributes), Error>> {
        if self.exact {
            return (self.from == *input).then(|| Ok((self.to.clone(), self.extra.clone())));
        }
        if !self.from.contains(input) {
            return None;
        }
        let reference = input.reference().filter(|_| self.from.reference().is_none());
        let revision =
            input.attributes.text("rev").ok().flatten().filter(|_| !self.from.attributes.has("rev"));
        Some(self.to.with_overrides(reference, revision).map(|to| (to, self.extra.clone())))
    }
}
