//! `github`, `gitlab`, `sourcehut`: archives that a git forge makes of a revision.

use super::Scheme;
use crate::fetchers::attributes::Attributes;
use crate::fetchers::error::Error;
use crate::fetchers::input::{Input, is_reference_name, looks_like_revision, parse_revision};
use crate::fetchers::url::Url;

pub(super) const ATTRIBUTES: &[&str] =
    &["owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"];

pub(super) fn from_url(scheme: Scheme, url: &Url) -> Result<Option<Attributes>, Error> {
    if url.scheme != scheme.name() {
        return Ok(None);
    }
    let wrong = |why: &str| Error::Reference(format!("`{url}` {why}"));
    let segments = url.segments();
    let (owner, repo, rest) = match segments.as_slice() {
        [owner, repo, rest @ ..] => (*owner, *repo, rest),
        _ => return Err(wrong("lacks the owner or the repository")),
    };
    let (mut reference, mut revision) = match rest {
        [] => (None, None),
        [one] if looks_like_revision(one) => (None, Some((*one).to_owned())),
        several => (Some(several.join("/")), None),
    };
    let mut attributes = Attributes::default();
    attributes.set("type", scheme.name());
    attributes.set("owner", owner);
    attributes.set("repo", repo);
    for (name, value) in &url.query {
        match name.as_str() {
            "rev" if revision.is_some() => return Err(wrong("names several revisions")),
            "rev" => revision = Some(value.clone()),
            "ref" if reference.is_some() => return Err(wrong("names several branches or tags")),
            "ref" => reference = Some(value.clone()),
            "host" | "narHash" => attributes.set(name, value.as_str()),
            _ => {}
        }
    }
    if let Some(revision) = revision {
        attributes.set("rev", revision);
    }
    if let Some(reference) = reference {
        attributes.set("ref", reference);
    }
    check(&attributes)?;
    Ok(Some(attributes))
}

pub(super) fn check(attributes: &Attributes) -> Result<(), Error> {
    let wrong = |why: String| Error::Reference(format!("the input {} {why}", attributes.json()));
    attributes.expect_text("owner")?;
    attributes.expect_text("repo")?;
    let (reference, revision) = (attributes.text("ref")?, attributes.text("rev")?);
    if let (Some(reference), Some(revision)) = (reference, revision) {
        return Err(wrong(format!("has a revision, `{revision}`, and a branch or tag, `{reference}`")));
    }
    if let Some(revision) = revision {
        parse_revision(revision)?;
    }
    if reference.is_some_and(|reference| !is_reference_name(reference)) {
        return Err(wrong("has an invalid branch or tag".to_owned()));
    }
    let host = attributes.text("host")?.unwrap_or("");
    if !host.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b'-') {
        return Err(wrong("has an invalid host".to_owned()));
    }
    Ok(())
}

pub(super) fn to_url(scheme: Scheme, input: &Input) -> Result<Url, Error> {
    let text = |name: &str| input.attributes.expect_text(name).map(str::to_owned);
    let mut url =
        Url { scheme: scheme.name().to_owned(), path: vec![text("owner")?, text("repo")?], ..Url::default() };
    url.path.extend(input.reference().map(str::to_owned));
    url.path.extend(input.revision()?);
    if let Some(hash) = input.nar_hash()? {
        url.query.insert("narHash".to_owned(), hash.sri());
    }
    if let Some(host) = input.attributes.text("host")? {
        url.query.insert("host".to_owned(), host.to_owned());
    }
    Ok(url)
}
