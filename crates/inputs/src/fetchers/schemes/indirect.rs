//! `flake:`: a name that a registry resolves.

use crate::fetchers::attributes::Attributes;
use crate::fetchers::error::Error;
use crate::fetchers::input::{Input, is_flake_id, is_reference_name, looks_like_revision};
use crate::fetchers::url::Url;

fn wrong(url: &Url, why: &str) -> Error {
    Error::Reference(format!("`{url}` is no reference of a registry: {why}"))
}

pub(super) fn from_url(url: &Url) -> Result<Option<Attributes>, Error> {
    if url.scheme != "flake" {
        return Ok(None);
    }
    let segments = url.segments();
    let (id, reference, revision) = match segments[..] {
        [id] => (id, None, None),
        [id, second] if looks_like_revision(second) => (id, None, Some(second)),
        [id, second] if is_reference_name(second) => (id, Some(second), None),
        [_, second] => return Err(wrong(url, &format!("`{second}` is no branch, tag or revision"))),
        [id, reference, revision] => {
            if !is_reference_name(reference) {
                return Err(wrong(url, &format!("`{reference}` is no branch or tag")));
            }
            if !looks_like_revision(revision) {
                return Err(wrong(url, &format!("`{revision}` is no revision")));
            }
            (id, Some(reference), Some(revision))
        }
        _ => return Err(wrong(url, "it has a name, a branch and a revision at most")),
    };
    let mut attributes = Attributes::default();
    attributes.set("type", "indirect");
    attributes.set("id", id);
    if let Some(revision) = revision {
        attributes.set("rev", revision.to_ascii_lowercase());
    }
    if let Some(reference) = reference {
        attributes.set("ref", reference);
    }
    check(&attributes)?;
    Ok(Some(attributes))
}

pub(super) fn check(attributes: &Attributes) -> Result<(), Error> {
    let id = attributes.expect_text("id")?;
    if is_flake_id(id) { Ok(()) } else { Err(Error::Reference(format!("`{id}` is no name of a flake"))) }
}

pub(super) fn to_url(input: &Input) -> Result<Url, Error> {
    let mut path = vec![input.attributes.expect_text("id")?.to_owned()];
    path.extend(input.reference().map(str::to_owned));
    path.extend(input.revision()?);
    Ok(Url { scheme: "flake".to_owned(), path, ..Url::default() })
}
