//! Inputs: what is to be fetched, as attributes with a type.

use super::attributes::{Attribute, Attributes};
use super::error::Error;
use super::schemes::{self, Scheme};
use super::settings::FetchSettings;
use super::url::Url;
use nival_store_model::{Algorithm, Hash};

/// The attribute that marks an input whose attributes are all there: it is fetched as it stands, or not at all.
pub const FINAL: &str = "__final";

/// What is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// Type, address, revision, hash and more.
    pub attributes: Attributes,
    /// What the type means; `None` for a type that is not known.
    pub scheme: Option<Scheme>,
}

impl Input {
    /// Reads a URL. With `tree`, plain `http`, `https` and `file` addresses are archives, not files.
    ///
    /// # Errors
    /// [`Error::Reference`], [`Error::Feature`].
    pub fn from_url(settings: &FetchSettings, url: &Url, tree: bool) -> Result<Self, Error> {
        for scheme in Scheme::ALL {
            if let Some(attributes) = schemes::from_url(settings, scheme, url, tree)? {
                let input = Self { attributes, scheme: Some(scheme) };
                settings.require_for(scheme, url)?;
                input.check()?;
                return Ok(input);
            }
        }
        if let (Some("file"), "git") = url.schemes() {
            return Err(Error::Reference(format!("`{url}` is not supported: write `git+file`")));
        }
        Err(Error::Reference(format!(
            "the reference `{url}` is not supported: nothing is known of `{}`",
            url.scheme
        )))
    }

    /// Takes attributes as they are.
    ///
    /// # Errors
    /// [`Error::Reference`], [`Error::Feature`].
    pub fn from_attributes(settings: &FetchSettings, attributes: Attributes) -> Result<Self, Error> {
        let name = attributes.text("type")?;
        let name = name.ok_or_else(|| Error::Reference("an input needs the attribute `type`".to_owned()))?;
        let Some(scheme) = Scheme::named(name) else {
            let input = Self { attributes, scheme: None };
            input.check()?;
            return Ok(input);
        };
        settings.require_for(scheme, &name)?;
        let allowed = scheme.attributes();
        for given in attributes.0.keys() {
            if given != "type" && given != FINAL && !allowed.contains(&given.as_str()) {
                return Err(Error::Reference(format!(
                    "an input of type `{name}` has no attribute `{given}`"
                )));
            }
        }
        let attributes = schemes::checked(settings, scheme, attributes)?;
        let input = Self { attributes, scheme: Some(scheme) };
        input.check()?;
        Ok(input)
    }

    /// Attributes that all inputs have must be of their types.
    fn check(&self) -> Result<(), Error> {
        self.attributes.expect_text("type")?;
        self.attributes.text("ref")?;
        self.attributes.int("revCount")?;
        self.attributes.int("lastModified")?;
        Ok(())
    }

    /// As a URL.
    ///
    /// # Errors
    /// [`Error::Reference`] for a type that is not known.
    pub fn to_url(&self) -> Result<Url, Error> {
        match self.scheme {
            Some(scheme) => schemes::to_url(scheme, self),
            None => Err(Error::Reference(format!(
                "an input of a type that is not known: {}",
                self.attributes.json()
            ))),
        }
    }

    /// For messages: the URL, or the attributes.
    pub fn shown(&self) -> String {
        self.to_url().map_or_else(|_| self.attributes.json().to_string(), |url| url.to_string())
    }

    /// False for names that a registry resolves.
    pub fn is_direct(&self) -> bool {
        self.scheme != Some(Scheme::Indirect)
    }

    /// Whether it always stands for the same contents.
    pub fn is_locked(&self, settings: &FetchSettings) -> bool {
        let hash = self.attributes.has("narHash");
        match self.scheme {
            None | Some(Scheme::Indirect) => false,
            Some(Scheme::Path | Scheme::Tarball | Scheme::File) => hash,
            Some(Scheme::Git) => self.revision().ok().flatten().is_some_and(|rev| rev != NO_REVISION),
            Some(Scheme::Mercurial) => self.revision().ok().flatten().is_some(),
            Some(Scheme::GitHub | Scheme::GitLab | Scheme::SourceHut) => {
                self.revision().ok().flatten().is_some() && (settings.trust_tarballs_from_git_forges || hash)
            }
        }
    }

    /// Whether the attributes are all there.
    pub fn is_final(&self) -> bool {
        self.attributes.flag(FINAL).unwrap_or(false)
    }

    /// Marks the attributes as complete.
    pub fn set_final(&mut self) {
        self.attributes.set(FINAL, Attribute::Bool(true));
    }

    /// The path, where it is one that starts at the flake that names it.
    pub fn relative(&self) -> Option<&str> {
        let path = self.attributes.text("path").ok().flatten()?;
        (self.scheme == Some(Scheme::Path) && !path.starts_with('/')).then_some(path)
    }

    /// The folder that it is, where it is one of this machine that can be changed.
    pub fn source_path(&self) -> Option<String> {
        match self.scheme {
            Some(Scheme::Path) => {
                let path = self.attributes.text("path").ok().flatten()?;
                path.starts_with('/').then(|| path.to_owned())
            }
            Some(Scheme::Git) => super::fetch::local_repository(self),
            Some(Scheme::Mercurial) => super::fetch::local_folder(self),
            _ => None,
        }
    }

    /// The revision in hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Reference`] where it is none.
    pub fn revision(&self) -> Result<Option<String>, Error> {
        let Some(text) = self.attributes.text("rev")? else { return Ok(None) };
        Ok(Some(parse_revision(text)?))
    }

    /// The branch or tag.
    pub fn reference(&self) -> Option<&str> {
        self.attributes.text("ref").ok().flatten()
    }

    /// The hash of the archive of the contents.
    ///
    /// # Errors
    /// [`Error::Reference`] where it is none.
    pub fn nar_hash(&self) -> Result<Option<Hash>, Error> {
        let Some(text) = self.attributes.text("narHash")? else { return Ok(None) };
        if text.is_empty() {
            return Ok(Hash::new(Algorithm::Sha256, &[0; 32]));
        }
        let wrong = |why: String| {
            Error::Reference(format!("`narHash` is no SHA-256 in the form `sha256-...`: {why}"))
        };
        let hash = Hash::parse(text, Some(Algorithm::Sha256)).map_err(|error| wrong(error.to_string()))?;
        if text.contains('-') { Ok(Some(hash)) } else { Err(wrong(text.to_owned())) }
    }

    /// The name of the store path.
    pub fn name(&self) -> &str {
        self.attributes.text("name").ok().flatten().unwrap_or("source")
    }

    /// Whether this entry of a registry stands for `other` too, which may name a branch or revision.
    pub fn contains(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let mut bare = other.clone();
        bare.attributes.remove("ref");
        bare.attributes.remove("rev");
        *self == bare
    }

    /// With another branch or revision.
    ///
    /// # Errors
    /// [`Error::Reference`] where the type has none.
    pub fn with_overrides(&self, reference: Option<&str>, revision: Option<&str>) -> Result<Self, Error> {
        match self.scheme {
            Some(scheme) => schemes::with_overrides(scheme, self, reference, revision),
            None => Ok(self.clone()),
        }
    }

    /// A text that two inputs share only where they have the same contents; `None` where there is none.
    pub fn fingerprint(&self) -> Option<String> {
        let flag = |name: &str, mark: &'static str| {
            if self.attributes.flag(name).unwrap_or(false) { mark } else { "" }
        };
        let revision = self.revision().ok().flatten();
        match self.scheme? {
            Scheme::Git => {
                let revision = revision.filter(|rev| rev != NO_REVISION)?;
                Some(format!(
                    "{revision}{}{}{}",
                    flag("submodules", ";s"),
                    flag("exportIgnore", ";e"),
                    flag("lfs", ";l")
                ))
            }
            Scheme::GitHub | Scheme::GitLab | Scheme::SourceHut | Scheme::Mercurial => revision,
            _ => self.attributes.text("narHash").ok().flatten().map(str::to_owned),
        }
    }
}

/// What stands for the revision of a repository without commits.
pub const NO_REVISION: &str = "0000000000000000000000000000000000000000";

/// Reads a revision, as hexadecimal digits.
///
/// # Errors
/// [`Error::Reference`].
pub fn parse_revision(text: &str) -> Result<String, Error> {
    let expected = if text.contains(':') || text.contains('-') { None } else { Some(Algorithm::Sha1) };
    let hash = Hash::parse(text, expected);
    hash.map(|hash| hash.base16())
        .map_err(|error| Error::Reference(format!("`{text}` is no revision: {error}")))
}

/// Whether a text has the form of a revision: 40 hexadecimal digits.
pub fn looks_like_revision(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// Whether a text can be the name of a branch, a tag, or a whole reference of git.
pub fn is_reference_name(text: &str) -> bool {
    let bad = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let fine = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    text != "@"
        && !text.ends_with('.')
        && !text.starts_with('-')
        && !text.contains(bad)
        && !text.contains("..")
        && !text.contains("@{")
        && text.split('/').all(fine)
}

/// Whether a text can be a name of the registry.
pub fn is_flake_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-')
}
