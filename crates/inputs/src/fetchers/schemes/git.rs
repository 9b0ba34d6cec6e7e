//! `git`: a git repository, by any address that git takes.

use crate::fetchers::attributes::{Attribute, Attributes};
use crate::fetchers::error::Error;
use crate::fetchers::input::{Input, is_reference_name};
use crate::fetchers::settings::FetchSettings;
use crate::fetchers::url::{Url, fix_git_url};

pub(super) const ATTRIBUTES: &[&str] = &[
    "url",
    "ref",
    "rev",
    "shallow",
    "submodules",
    "lfs",
    "exportIgnore",
    "lastModified",
    "revCount",
    "narHash",
    "allRefs",
    "name",
    "dirtyRev",
    "dirtyShortRev",
    "verifyCommit",
    "keytype",
    "publicKey",
    "publicKeys",
];

const FLAGS: [&str; 6] = ["shallow", "submodules", "lfs", "exportIgnore", "allRefs", "verifyCommit"];

pub(super) fn from_url(settings: &FetchSettings, url: &Url) -> Result<Option<Attributes>, Error> {
    if url.scheme != "git" && url.schemes().0 != Some("git") {
        return Ok(None);
    }
    let mut address = url.clone();
    address.query.clear();
    let mut attributes = Attributes::default();
    attributes.set("type", "git");
    for (name, value) in &url.query {
        match name.as_str() {
            "rev" | "ref" | "keytype" | "publicKey" | "publicKeys" => attributes.set(name, value.as_str()),
            flag if FLAGS.contains(&flag) => attributes.set(name, Attribute::Bool(value == "1")),
            _ => drop(address.query.insert(name.clone(), value.clone())),
        }
    }
    attributes.set("url", address.to_string());
    checked(settings, attributes).map(Some)
}

pub(super) fn checked(settings: &FetchSettings, mut attributes: Attributes) -> Result<Attributes, Error> {
    for name in ["verifyCommit", "keytype", "publicKey", "publicKeys"] {
        if attributes.has(name) {
            settings.require("verified-fetches", name)?;
        }
    }
    if let Some(name) = attributes.text("ref")?
        && !is_reference_name(name)
    {
        return Err(Error::Reference(format!("`{name}` is no branch or tag of git")));
    }
    let url = fix_git_url(attributes.expect_text("url")?)?;
    attributes.set("url", url.to_string());
    for flag in FLAGS {
        attributes.flag(flag)?;
    }
    Ok(attributes)
}

pub(super) fn to_url(input: &Input) -> Result<Url, Error> {
    let mut url = Url::parse(input.attributes.expect_text("url")?, false)?;
    if url.scheme != "git" {
        url.scheme = format!("git+{}", url.scheme);
    }
    if let Some(revision) = input.revision()? {
        url.query.insert("rev".to_owned(), revision);
    }
    if let Some(reference) = input.reference() {
        url.query.insert("ref".to_owned(), reference.to_owned());
    }
    for flag in ["shallow", "lfs", "submodules", "exportIgnore", "verifyCommit"] {
        if input.attributes.flag(flag)? {
            url.query.insert(flag.to_owned(), "1".to_owned());
        }
    }
    for name in ["keytype", "publicKey", "publicKeys"] {
        if let Some(text) = input.attributes.text(name)? {
            url.query.insert(name.to_owned(), text.to_owned());
        }
    }
    Ok(url)
}
