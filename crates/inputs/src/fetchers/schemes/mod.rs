//! The types of inputs: what URLs and attributes they have.

mod curl;
mod forge;
mod git;
mod indirect;
mod mercurial;
mod path;

use super::attributes::Attributes;
use super::error::Error;
use super::input::Input;
use super::settings::FetchSettings;
use super::url::Url;

/// A type of inputs; the order is that in which a URL is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// One file.
    File,
    /// A git repository.
    Git,
    /// An archive by github.
    GitHub,
    /// An archive by gitlab.
    GitLab,
    /// A mercurial repository.
    Mercurial,
    /// A name that a registry resolves.
    Indirect,
    /// A folder of this machine.
    Path,
    /// An archive by sourcehut.
    SourceHut,
    /// An archive.
    Tarball,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::File,
        Self::Git,
        Self::GitHub,
        Self::GitLab,
        Self::Mercurial,
        Self::Indirect,
        Self::Path,
        Self::SourceHut,
        Self::Tarball,
    ];

    /// The value of the attribute `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Git => "git",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Mercurial => "hg",
            Self::Indirect => "indirect",
            Self::Path => "path",
            Self::SourceHut => "sourcehut",
            Self::Tarball => "tarball",
        }
    }

    /// The type of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// Whether it belongs to the experimental feature `flakes`.
    pub fn is_experimental(self) -> bool {
        !matches!(self, Self::File | Self::Git | Self::Mercurial | Self::Tarball)
    }

    /// The attributes that it may have, besides `type`.
    pub(super) fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::File | Self::Tarball => curl::ATTRIBUTES,
            Self::Git => git::ATTRIBUTES,
            Self::GitHub | Self::GitLab | Self::SourceHut => forge::ATTRIBUTES,
            Self::Mercurial => &["url", "ref", "rev", "revCount", "narHash", "name"],
            Self::Indirect => &["id", "ref", "rev", "narHash"],
            Self::Path => &["path", "rev", "revCount", "lastModified", "narHash"],
        }
    }
}

/// The attributes of a URL, where it is one of this type.
pub(super) fn from_url(
    settings: &FetchSettings,
    scheme: Scheme,
    url: &Url,
    tree: bool,
) -> Result<Option<Attributes>, Error> {
    match scheme {
        Scheme::File | Scheme::Tarball => Ok(curl::from_url(scheme, url, tree)),
        Scheme::Git => git::from_url(settings, url),
        Scheme::GitHub | Scheme::GitLab | Scheme::SourceHut => forge::from_url(scheme, url),
        Scheme::Mercurial => mercurial::from_url(url),
        Scheme::Indirect => indirect::from_url(url),
        Scheme::Path => path::from_url(url),
    }
}

/// Attributes whose names are right, checked and brought into their usual form.
pub(super) fn checked(
    settings: &FetchSettings,
    scheme: Scheme,
    attributes: Attributes,
) -> Result<Attributes, Error> {
    match scheme {
        Scheme::File | Scheme::Tarball => {}
        Scheme::Git => return git::checked(settings, attributes),
        Scheme::GitHub | Scheme::GitLab | Scheme::SourceHut => forge::check(&attributes)?,
        Scheme::Mercurial => return mercurial::checked(attributes),
        Scheme::Indirect => indirect::check(&attributes)?,
        Scheme::Path => drop(attributes.expect_text("path")?),
    }
    Ok(attributes)
}

pub(super) fn to_url(scheme: Scheme, input: &Input) -> Result<Url, Error> {
    match scheme {
        Scheme::File | Scheme::Tarball => curl::to_url(input),
        Scheme::Git => git::to_url(input),
        Scheme::GitHub | Scheme::GitLab | Scheme::SourceHut => forge::to_url(scheme, input),
        Scheme::Mercurial => mercurial::to_url(input),
        Scheme::Indirect => indirect::to_url(input),
        Scheme::Path => path::to_url(input),
    }
}

pub(super) fn with_overrides(
    scheme: Scheme,
    input: &Input,
    reference: Option<&str>,
    revision: Option<&str>,
) -> Result<Input, Error> {
    let mut changed = input.clone();
    let is_forge = matches!(scheme, Scheme::GitHub | Scheme::GitLab | Scheme::SourceHut);
    let has_both = matches!(scheme, Scheme::Git | Scheme::Indirect | Scheme::Mercurial);
    if (reference.is_some() || revision.is_some()) && !is_forge && !has_both {
        return Err(Error::Reference(format!(
            "`{}` has no branch or revision that could be set",
            input.shown()
        )));
    }
    if is_forge && reference.is_some() && revision.is_some() {
        return Err(Error::Reference(format!(
            "`{}` cannot have a branch and a revision both",
            input.shown()
        )));
    }
    if let Some(revision) = revision {
        changed.attributes.set("rev", revision);
        if is_forge {
            changed.attributes.remove("ref");
        }
    }
    if let Some(reference) = reference {
        changed.attributes.set("ref", reference);
        if is_forge {
            changed.attributes.remove("rev");
        }
    }
    if scheme == Scheme::Git && changed.reference().is_none() && changed.attributes.has("rev") {
        return Err(Error::Reference(format!("`{}` has a revision and no branch or tag", changed.shown())));
    }
    Ok(changed)
}
