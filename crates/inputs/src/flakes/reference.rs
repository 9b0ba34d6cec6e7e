//! References to flakes: where one is, and the folder in it.

use crate::fetchers::{
    Attribute, Attributes, Error, FetchSettings, Input, Url, decode, decode_query, is_flake_id,
};
use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Where a flake is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlakeReference {
    /// The tree that holds it.
    pub input: Input,
    /// The folder in the tree; empty for the tree itself.
    pub folder: String,
}

/// How a reference is read.
#[derive(Clone, Copy, Debug)]
pub struct How<'p> {
    /// The folder that paths start from; without one, they must be absolute.
    pub base: Option<&'p Path>,
    /// Whether the folder may lack a `flake.nix`.
    pub allow_missing: bool,
    /// Whether it is a flake, or any tree.
    pub is_flake: bool,
    /// Whether relative paths stay as they are.
    pub keep_relative: bool,
}

impl Default for How<'_> {
    fn default() -> Self {
        Self { base: None, allow_missing: false, is_flake: true, keep_relative: false }
    }
}

impl FlakeReference {
    /// Reads a reference, and what stands behind its `#`.
    ///
    /// # Errors
    /// [`Error::Reference`], [`Error::Feature`], [`Error::Flake`].
    pub fn parse(settings: &FetchSettings, text: &str, how: &How<'_>) -> Result<(Self, String), Error> {
        if let Some(found) = parse_name(settings, text, how)? {
            return Ok(found);
        }
        if let Ok(mut url) = Url::parse(text, true) {
            if let Some(base) = how.base.filter(|_| url.scheme == "path" || url.scheme == "git+file") {
                let path = url.file_path()?;
                if !path.starts_with('/') {
                    let absolute = lexical(&base.join(&path));
                    url.path = absolute.split('/').map(str::to_owned).collect();
                }
            }
            return Self::from_url(settings, url, how.is_flake);
        }
        parse_path(settings, text, how)
    }

    /// Reads a reference that has no `#`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_whole(settings: &FetchSettings, text: &str, how: &How<'_>) -> Result<Self, Error> {
        let (reference, fragment) = Self::parse(settings, text, how)?;
        if fragment.is_empty() {
            return Ok(reference);
        }
        Err(Error::Reference(format!("the reference `{text}` may not have a fragment, `{fragment}`")))
    }

    fn from_url(settings: &FetchSettings, mut url: Url, is_flake: bool) -> Result<(Self, String), Error> {
        let folder = url.query.remove("dir").unwrap_or_default();
        let fragment = std::mem::take(&mut url.fragment);
        Ok((Self { input: Input::from_url(settings, &url, is_flake)?, folder }, fragment))
    }

    /// Takes attributes; `dir` is the folder.
    ///
    /// # Errors
    /// [`Error::Reference`], [`Error::Feature`].
    pub fn from_attributes(settings: &FetchSettings, mut attributes: Attributes) -> Result<Self, Error> {
        let folder = attributes.text("dir")?.unwrap_or("").to_owned();
        attributes.remove("dir");
        Ok(Self { input: Input::from_attributes(settings, attributes)?, folder })
    }

    /// The attributes; `dir` is the folder.
    pub fn attributes(&self) -> Attributes {
        let mut attributes = self.input.attributes.clone();
        if !self.folder.is_empty() && !attributes.has("dir") {
            attributes.set("dir", self.folder.as_str());
        }
        attributes
    }

    /// As a URL.
    ///
    /// # Errors
    /// [`Error::Reference`] for a type that is not known.
    pub fn to_url(&self) -> Result<Url, Error> {
        let mut url = self.input.to_url()?;
        if !self.folder.is_empty() {
            url.query.entry("dir".to_owned()).or_insert_with(|| self.folder.clone());
        }
        Ok(url)
    }

    /// Without what old versions wrote twice: the folder in the address.
    pub(super) fn canonical(&self) -> Self {
        let mut reference = self.clone();
        if let Some(Attribute::Text(text)) = self.input.attributes.0.get("url")
            && let Ok(mut url) = Url::parse(text, true)
        {
            if !self.folder.is_empty() && url.query.get("dir") == Some(&self.folder) {
                url.query.remove("dir");
            }
            reference.input.attributes.set("url", url.to_string());
        }
        reference
    }
}

impl fmt::Display for FlakeReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_url() {
            Ok(url) => url.fmt(f),
            Err(_) => self.attributes().json().fmt(f),
        }
    }
}

/// `NAME`, `NAME/BRANCH`, `NAME/REVISION` or `NAME/BRANCH/REVISION`: a name of a registry.
fn parse_name(
    settings: &FetchSettings,
    text: &str,
    how: &How<'_>,
) -> Result<Option<(FlakeReference, String)>, Error> {
    let (name, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (id, rest) = name.split_once('/').unwrap_or((name, "x"));
    let is_reference = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@')
        && rest.bytes().all(|c| c.is_ascii_alphanumeric() || b"_./@+-".contains(&c));
    if !is_flake_id(id) || !is_reference {
        return Ok(None);
    }
    let path = name.split('/').map(str::to_owned).collect();
    let url = Url { scheme: "flake".to_owned(), path, ..Url::default() };
    let input = Input::from_url(settings, &url, how.is_flake)?;
    Ok(Some((FlakeReference { input, folder: String::new() }, decode(fragment)?)))
}

fn parse_path(
    settings: &FetchSettings,
    text: &str,
    how: &How<'_>,
) -> Result<(FlakeReference, String), Error> {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut query = decode_query(&query.replace(' ', "%20").replace('"', "%22"))?;
    let fragment = decode(fragment)?;
    let Some(base) = how.base else {
        if !how.keep_relative && !path.starts_with('/') {
            return Err(Error::Reference(format!(
                "the reference `{text}` is neither a URL nor an absolute path"
            )));
        }
        let url = Url { query, fragment, ..Url::of_file("path", path) };
        return FlakeReference::from_url(settings, url, how.is_flake);
    };
    let joined = base.join(path);
    let mut folder = joined.canonicalize().unwrap_or_else(|_| PathBuf::from(lexical(&joined)));
    if how.is_flake {
        folder = flake_folder(folder, how.allow_missing)?;
        if let Some((root, inner)) = repository(&folder) {
            add_folder(&mut query, inner, text)?;
            if root.join(".git/shallow").exists() {
                query.insert("shallow".to_owned(), "1".to_owned());
            }
            let url = Url { query, fragment, ..Url::of_file("git+file", &root.to_string_lossy()) };
            return FlakeReference::from_url(settings, url, how.is_flake);
        }
    }
    let url = Url { query, fragment, ..Url::of_file("path", &folder.to_string_lossy()) };
    FlakeReference::from_url(settings, url, how.is_flake)
}

fn add_folder(query: &mut BTreeMap<String, String>, inner: String, text: &str) -> Result<(), Error> {
    if inner.is_empty() {
        return Ok(());
    }
    match query.insert("dir".to_owned(), inner) {
        None => Ok(()),
        Some(_) => {
            Err(Error::Reference(format!("the reference `{text}` has an inconsistent parameter `dir`")))
        }
    }
}

fn wrong(path: &Path, why: &str) -> Error {
    Error::Flake { path: path.display().to_string(), why: why.to_owned() }
}

/// The folder with a `flake.nix`: the one that is named, or the nearest above it in the same repository.
fn flake_folder(mut path: PathBuf, allow_missing: bool) -> Result<PathBuf, Error> {
    let metadata = path.symlink_metadata().map_err(|error| Error::Io(path.clone(), error))?;
    if !metadata.is_dir() {
        if path.file_name().is_none_or(|name| name != "flake.nix") {
            return Err(wrong(&path, "it is no folder"));
        }
        path.pop();
    }
    if allow_missing || path.join("flake.nix").exists() {
        return Ok(path);
    }
    let device = metadata.dev();
    let mut current = path.as_path();
    loop {
        if current.join("flake.nix").exists() {
            return Ok(current.to_owned());
        }
        let here = current.symlink_metadata().map_or(device, |metadata| metadata.dev());
        match current.parent() {
            Some(parent) if !current.join(".git").exists() && here == device => current = parent,
            _ => return Err(wrong(&path, "neither the folder nor those above it hold a `flake.nix`")),
        }
    }
}

/// The repository that a folder lies in, and where in it.
fn repository(folder: &Path) -> Option<(PathBuf, String)> {
    let root = folder.ancestors().find(|folder| folder.parent().is_some() && folder.join(".git").exists())?;
    let inner = folder.strip_prefix(root).ok()?.to_string_lossy().into_owned();
    Some((root.to_owned(), inner))
}

/// A path without `.` and `..`, by its text alone.
pub(super) fn lexical(path: &Path) -> String {
    let text = path.to_string_lossy();
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
