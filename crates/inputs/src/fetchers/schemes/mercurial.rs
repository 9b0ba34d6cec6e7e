//! `hg+`: a mercurial repository.

use crate::fetchers::attributes::Attributes;
use crate::fetchers::error::Error;
use crate::fetchers::input::{Input, is_reference_name};
use crate::fetchers::url::Url;

pub(super) fn from_url(url: &Url) -> Result<Option<Attributes>, Error> {
    let (Some("hg"), transport @ ("http" | "https" | "ssh" | "file")) = url.schemes() else {
        return Ok(None);
    };
    let mut address = Url { scheme: transport.to_owned(), ..url.clone() };
    address.query.clear();
    let mut attributes = Attributes::default();
    attributes.set("type", "hg");
    for (name, value) in &url.query {
        if name == "rev" || name == "ref" {
            attributes.set(name, value.as_str());
        } else {
            address.query.insert(name.clone(), value.clone());
        }
    }
    attributes.set("url", address.to_string());
    checked(attributes).map(Some)
}

pub(super) fn checked(attributes: Attributes) -> Result<Attributes, Error> {
    Url::parse(attributes.expect_text("url")?, false)?;
    match attributes.text("ref")? {
        Some(name) if !is_reference_name(name) => {
            Err(Error::Reference(format!("`{name}` is no branch or tag of mercurial")))
        }
        _ => Ok(attributes),
    }
}

pub(super) fn to_url(input: &Input) -> Result<Url, Error> {
    let mut url = Url::parse(input.attributes.expect_text("url")?, false)?;
    url.scheme = format!("hg+{}", url.scheme);
    if let Some(revision) = input.revision()? {
        url.query.insert("rev".to_owned(), revision);
    }
    if let Some(reference) = input.reference() {
        url.query.insert("ref".to_owned(), reference.to_owned());
    }
    Ok(url)
}
