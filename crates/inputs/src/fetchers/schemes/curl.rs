//! `file` and `tarball`: what one address hands out.

use super::Scheme;
use crate::fetchers::attributes::{Attribute, Attributes};
use crate::fetchers::error::Error;
use crate::fetchers::input::Input;
use crate::fetchers::url::Url;

pub(super) const ATTRIBUTES: &[&str] =
    &["url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"];

const ENDINGS: [&str; 7] = [".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst"];

fn is_archive(url: &Url) -> bool {
    url.path.last().is_some_and(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

pub(super) fn from_url(scheme: Scheme, url: &Url, tree: bool) -> Option<Attributes> {
    let (application, transport) = url.schemes();
    if !["file", "http", "https"].contains(&transport) {
        return None;
    }
    let archive = tree || is_archive(url);
    let fits = match application {
        Some(application) => application == scheme.name(),
        None => archive == (scheme == Scheme::Tarball),
    };
    if !fits {
        return None;
    }
    let mut address = Url { scheme: transport.to_owned(), ..url.clone() };
    let mut attributes = Attributes::default();
    for name in ["narHash", "rev"] {
        if let Some(value) = url.query.get(name) {
            attributes.set(name, value.as_str());
        }
    }
    for name in ["revCount", "lastModified"] {
        if let Some(number) = url.query.get(name).and_then(|value| value.parse().ok()) {
            attributes.set(name, Attribute::Int(number));
        }
    }
    address.query.retain(|name, _| !ATTRIBUTES.contains(&name.as_str()));
    attributes.set("type", scheme.name());
    attributes.set("url", address.to_string());
    Some(attributes)
}

pub(super) fn to_url(input: &Input) -> Result<Url, Error> {
    let mut url = Url::parse(input.attributes.expect_text("url")?, false)?;
    if let Some(hash) = input.nar_hash()? {
        url.query.insert("narHash".to_owned(), hash.sri());
    }
    Ok(url)
}
