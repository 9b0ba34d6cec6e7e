//! `manifest.json`: what a profile holds, and where it came from, in the form of Nix's version 3.

use crate::commands::store::name_and_version;
use crate::diagnostics::bad_manifest;
use crate::error::Error;
use nival_diagnostics::Diagnostic;
use nival_store::LocalStore;
use nival_store_model::StorePath;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The priority of a package that has no other one.
pub const USUAL_PRIORITY: i64 = 5;

/// Where an element came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The flake, as it was asked for.
    pub original: String,
    /// The flake, pinned.
    pub locked: String,
    /// What was taken of it.
    pub attribute: String,
    /// The outputs that were asked for, as JSON: `null`, `["*"]`, or names.
    pub outputs: Json,
}

impl Source {
    /// What was typed to get it.
    pub fn typed(&self) -> String {
        let outputs = self
            .outputs
            .as_array()
            .map(|names| format!("^{}", names.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(",")));
        format!("{}#{}{}", self.original, self.attribute, outputs.unwrap_or_default())
    }
}

/// One thing that was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its paths.
    pub paths: BTreeSet<StorePath>,
    /// Where it came from, where that is a flake.
    pub source: Option<Source>,
    /// Whether it is linked.
    pub active: bool,
    /// Which of two that bring the same file wins: the lower number.
    pub priority: i64,
}

impl Element {
    /// What messages call it.
    pub fn identifier(&self) -> String {
        match &self.source {
            Some(source) => source.typed(),
            None => {
                let names: BTreeSet<_> =
                    self.paths.iter().map(|path| name_and_version(path.name()).0).collect();
                names.into_iter().collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Its versions.
    pub fn versions(&self) -> String {
        let versions: BTreeSet<_> = self.paths.iter().map(|path| name_and_version(path.name()).1).collect();
        let shown = |version: &String| if version.is_empty() { "ε".to_owned() } else { version.clone() };
        if versions.is_empty() {
            return "∅".to_owned();
        }
        versions.iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    /// The name under which a profile has it.
    pub fn name(&self) -> String {
        self.source.as_ref().and_then(name_of).unwrap_or_else(|| self.identifier())
    }
}

/// The name that an address and attribute suggest; the rules are those of Nix's `url-name.cc`.
fn name_of(source: &Source) -> Option<String> {
    let (place, query) = source.original.split_once('?').unwrap_or((&source.original, ""));
    if let Some(dir) = query.split('&').find_map(|pair| pair.strip_prefix("dir=")) {
        return Some(dir.to_owned());
    }
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let (before, last) = source.attribute.rsplit_once('.').unwrap_or(("", &source.attribute));
    let all_plain = plain(last) && (before.is_empty() || before.split('.').all(plain));
    if all_plain && before != "defaultPackage" && last != "default" {
        return Some(last.to_owned());
    }
    let (scheme, path) = place.split_once(':').unwrap_or(("", place));
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    if ["github", "gitlab", "sourcehut"].contains(&scheme) {
        return parts.get(1).filter(|part| plain(part)).map(|part| (*part).to_owned());
    }
    parts.last().filter(|part| plain(part)).map(|part| (*part).to_owned())
}

/// All that a profile holds, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The elements.
    pub elements: BTreeMap<String, Element>,
}

fn wrong(place: &Path, reason: &str) -> Error {
    let text = format!("the profile's manifest `{}` {reason}", place.display());
    let help = "it was made by a program that is newer, or changed by hand; an earlier generation may help";
    Error::plain(Diagnostic::error(&bad_manifest::ENTRY, text).help(help))
}

impl Manifest {
    /// Reads the manifest in a generation's folder; without one it is empty.
    pub fn read(store: &LocalStore, folder: &Path) -> Result<Self, Error> {
        let place = folder.join("manifest.json");
        let text = match std::fs::read_to_string(&place) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            other => other.map_err(crate::stores::unreadable(&format!("`{}`", place.display())))?,
        };
        let json: Json =
            serde_json::from_str(&text).map_err(|error| wrong(&place, &format!("is no JSON: {error}")))?;
        if !matches!(json["version"].as_u64(), Some(2 | 3)) {
            return Err(wrong(&place, &format!("has a version that is not known, {}", json["version"])));
        }
        let mut manifest = Self::default();
        let broken = || wrong(&place, "has an element that makes no sense");
        match &json["elements"] {
            Json::Object(all) => {
                for (name, element) in all {
                    let element = read_element(store, element).ok_or_else(broken)?;
                    manifest.elements.insert(name.clone(), element);
                }
            }
            Json::Array(all) => {
                for element in all {
                    manifest.add(read_element(store, element).ok_or_else(broken)?);
                }
            }
            _ => return Err(broken()),
        }
        Ok(manifest)
    }

    /// Adds an element under a name that is free, and tells it.
    pub fn add(&mut self, element: Element) -> String {
        let wanted = element.name();
        let mut name = wanted.clone();
        for number in 1.. {
            if !self.elements.contains_key(&name) {
                break;
            }
            name = format!("{wanted}-{number}");
        }
        self.elements.insert(name.clone(), element);
        name
    }

    /// The text of `manifest.json`.
    pub fn to_text(&self, store: &LocalStore) -> String {
        let element = |element: &Element| {
            let paths: Vec<_> = element.paths.iter().map(|path| store.dir().print(path)).collect();
            let mut fields = Map::new();
            fields.insert("active".to_owned(), element.active.into());
            if let Some(source) = &element.source {
                fields.insert("attrPath".to_owned(), source.attribute.clone().into());
                fields.insert("originalUrl".to_owned(), source.original.clone().into());
                fields.insert("outputs".to_owned(), source.outputs.clone());
            }
            fields.insert("priority".to_owned(), element.priority.into());
            fields.insert("storePaths".to_owned(), paths.into());
            if let Some(source) = &element.source {
                fields.insert("url".to_owned(), source.locked.clone().into());
            }
            Json::Object(fields)
        };
        let elements: Map<_, _> =
            self.elements.iter().map(|(name, value)| (name.clone(), element(value))).collect();
        json!({ "elements": elements, "version": 3 }).to_string()
    }
}

fn read_element(store: &LocalStore, json: &Json) -> Option<Element> {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let paths = json["storePaths"].as_array()?.iter().map(|path| store.dir().parse(path.as_str()?).ok());
    let source = match text("url").filter(|url| !url.is_empty()) {
        None => None,
        Some(locked) => Some(Source {
            original: text("originalUrl")?,
            locked,
            attribute: text("attrPath")?,
            outputs: json["outputs"].clone(),
        }),
    };
    Some(Element {
        paths: paths.collect::<Option<_>>()?,
        source,
        active: json["active"].as_bool()?,
        priority: json["priority"].as_i64().unwrap_or(USUAL_PRIORITY),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(original: &str, attribute: &str) -> Option<String> {
        let (original, attribute) = (original.to_owned(), attribute.to_owned());
        name_of(&Source { original, locked: String::new(), attribute, outputs: Json::Null })
    }

    #[test]
    fn names_come_from_addresses() {
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(named("flake:nixpkgs", "legacyPackages.x86_64-linux.hello"), name("hello"));
        assert_eq!(named("github:edolstra/nix-warez", "packages.x86_64-linux.default"), name("nix-warez"));
        assert_eq!(named("path:/home/me/flake1", "packages.x86_64-linux.default"), name("flake1"));
        assert_eq!(named("path:/x?dir=sub", "packages.x86_64-linux.hello"), name("sub"));
    }
}
