//! What the fetching builtins ask for, and the search path.

use super::EngineWorld;
use crate::diagnostics;
use nival_diagnostics::Diagnostic;
use nival_eval::{FetchKind, FetchRequest, FetchValue, WorldResult};
use nival_inputs::fetchers::{
    Attribute, Attributes, Error, Fetcher, Input, NO_REVISION, Scheme, Url, UseRegistries,
    looks_like_revision,
};
use nival_inputs::flakes::{FlakeReference, How};
use nival_store_model::store_path::{References, check_name};
use nival_store_model::{Algorithm, ContentMethod, Hash, StorePath};

type Fields = Vec<(String, FetchValue)>;

fn failed(error: &Error) -> Box<Diagnostic> {
    Box::new(error.diagnostic())
}

impl EngineWorld {
    /// The fetcher of this evaluation.
    pub(crate) fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Takes the fetcher's warnings over.
    pub(crate) fn take_fetch_warnings(&self) {
        self.warnings.borrow_mut().extend(self.fetcher.take_warnings());
    }

    pub(super) fn fetch_any(&self, request: &FetchRequest) -> WorldResult<Fields> {
        let fetched = match request.kind {
            FetchKind::Url | FetchKind::Tarball => self.fetch_file(request),
            FetchKind::Mercurial => self.fetch_mercurial(request),
            FetchKind::Closure => self.fetch_closure(request),
            _ => self.fetch_tree(request),
        };
        self.take_fetch_warnings();
        fetched
    }

    /// `fetchurl` and `fetchTarball`
    fn fetch_file(&self, request: &FetchRequest) -> WorldResult<Fields> {
        let text = |name: &str| {
            request.attributes.iter().find(|(given, _)| given == name).and_then(|(_, value)| match value {
                FetchValue::Text(text) => Some(text.as_str()),
                _ => None,
            })
        };
        let unpack = request.kind == FetchKind::Tarball;
        let who = if unpack { "fetchTarball" } else { "fetchurl" };
        let given = text("url").unwrap_or("");
        let url = if unpack { real_address(given) } else { given.to_owned() };
        self.access.check_uri(&url)?;
        let usual = if unpack { "source" } else { base_name(&url) };
        let name = text("name").filter(|name| !name.is_empty()).unwrap_or(usual);
        check_name(name).map_err(|error| {
            let text = format!("what `{url}` hands out needs another name: {error}");
            Box::new(
                Diagnostic::error(&diagnostics::cannot_fetch::ENTRY, text)
                    .help(format!("write `{who} {{ url = \"{url}\"; name = \"...\"; }}`")),
            )
        })?;
        let wanted = text("sha256").map(expected_hash).transpose()?;
        if self.access.is_pure() && wanted.is_none() {
            let text = format!("`{who}` needs the argument `sha256` in pure evaluation: `{url}`");
            return Err(failed(&Error::Refused(text)));
        }
        let path = self.fetch_checked(&url, name, wanted.as_ref(), unpack)?;
        Ok(vec![("outPath".to_owned(), FetchValue::Text(self.seen(&path)))])
    }

    fn fetch_checked(
        &self,
        url: &str,
        name: &str,
        wanted: Option<&Hash>,
        unpack: bool,
    ) -> WorldResult<StorePath> {
        let method = if unpack { ContentMethod::Recursive } else { ContentMethod::Flat };
        if let Some(hash) = wanted {
            let path = self.store.dir().fixed_output_path(method, hash, &References::default(), name);
            let path = path.map_err(|error| failed(&error.into()))?;
            if self.store.is_valid(&path).map_err(|error| super::stored(&error))? {
                return Ok(path);
            }
        }
        let (path, got) = if unpack {
            self.fetcher.fetch_tarball(url, name).map_err(|error| failed(&error))?
        } else {
            let file = self.fetcher.fetch_file(url, name, &[]).map_err(|error| failed(&error))?;
            (file.path, file.hash)
        };
        match wanted {
            Some(wanted) if *wanted != got => Err(super::other_hash(url, wanted, Some(&got))),
            _ => Ok(path),
        }
    }

    /// A store path as text, that evaluation may see from now on.
    pub(crate) fn seen(&self, path: &StorePath) -> String {
        let text = self.store.dir().print(path);
        self.access.allow(&text);
        text
    }

    /// `fetchTree`, `fetchGit`, and the inputs of lock files
    fn fetch_tree(&self, request: &FetchRequest) -> WorldResult<Fields> {
        let input = self.input_of(request).map_err(|error| failed(&error))?;
        let settings = &self.fetcher.settings;
        let input = if !self.access.is_pure() && !input.is_direct() && settings.has("flakes") {
            self.fetcher.resolve(&input, UseRegistries::Limited).map_err(|error| failed(&error))?.0
        } else {
            input
        };
        if self.access.is_pure() && !input.is_locked(settings) {
            let shown = input.shown();
            if !input.attributes.has("narHash") {
                let text = format!("`{shown}` is not pinned, so pure evaluation does not fetch it");
                return Err(failed(&Error::Refused(text)));
            }
            self.fetcher
                .warn(format!("`{shown}` is pinned by its hash only, and cannot be fetched again for sure"));
        }
        self.access.check_uri(&input.shown())?;
        let mut input = input;
        if request.kind == FetchKind::FinalTree {
            input.set_final();
        } else if input.is_final() {
            let text = format!("`{}` may not have the attribute `__final`", input.shown());
            return Err(failed(&Error::Reference(text)));
        }
        let fetched = self.fetcher.fetch_resolved(&input, UseRegistries::No);
        let (tree, _, _) = fetched.map_err(|error| failed(&error))?;
        Ok(self.fields(&tree.path, &tree.input, request.kind == FetchKind::Git, false))
    }

    /// `fetchMercurial`: a `rev` that is no revision is the name of a branch or tag.
    fn fetch_mercurial(&self, request: &FetchRequest) -> WorldResult<Fields> {
        let mut attributes = Attributes::default();
        attributes.set("type", "hg");
        attributes.set("name", "source");
        for (name, value) in &request.attributes {
            let FetchValue::Text(text) = value else { continue };
            match name.as_str() {
                "url" => {
                    self.access.check_uri(text)?;
                    let is_address = text.contains("://");
                    attributes.set("url", if is_address { text.clone() } else { format!("file://{text}") });
                }
                "rev" if !looks_like_revision(text) => attributes.set("ref", text.as_str()),
                name => attributes.set(name, text.as_str()),
            }
        }
        if self.access.is_pure() && !attributes.has("rev") {
            let text = "`fetchMercurial` needs a revision as `rev` in pure evaluation";
            return Err(failed(&Error::Refused(text.to_owned())));
        }
        let input =
            Input::from_attributes(&self.fetcher.settings, attributes).map_err(|error| failed(&error))?;
        let tree = self.fetcher.fetch(&input).map_err(|error| failed(&error))?;
        let revision = tree.input.revision().map_err(|error| failed(&error))?;
        let revision = revision.unwrap_or_else(|| NO_REVISION.to_owned());
        let mut fields = vec![("outPath".to_owned(), FetchValue::Text(self.seen(&tree.path)))];
        if let Some(branch) = tree.input.reference() {
            fields.push(("branch".to_owned(), FetchValue::Text(branch.to_owned())));
        }
        fields.push(("shortRev".to_owned(), FetchValue::Text(revision.chars().take(12).collect())));
        fields.push(("rev".to_owned(), FetchValue::Text(revision)));
        if let Some(count) = tree.input.attributes.int("revCount").map_err(|error| failed(&error))? {
            fields.push(("revCount".to_owned(), FetchValue::Int(count.cast_signed())));
        }
        Ok(fields)
    }

    fn input_of(&self, request: &FetchRequest) -> Result<Input, Error> {
        let settings = &self.fetcher.settings;
        let mut attributes = Attributes::default();
        for (name, value) in &request.attributes {
            let value = match value {
                FetchValue::Text(text) => Attribute::Text(text.clone()),
                FetchValue::Int(int) => Attribute::Int(int.unsigned_abs()),
                FetchValue::Bool(yes) => Attribute::Bool(*yes),
            };
            attributes.set(name, value);
        }
        match request.kind {
            FetchKind::Git => {
                attributes.set("type", "git");
                if !attributes.has("exportIgnore") && !attributes.flag("submodules")? {
                    attributes.set("exportIgnore", Attribute::Bool(true));
                }
            }
            _ if !attributes.has("type") => {
                settings.require("flakes", "a reference as a string")?;
                return Input::from_url(settings, &Url::parse(attributes.expect_text("url")?, false)?, true);
            }
            FetchKind::Tree if attributes.text("type")? == Some("git") && !attributes.has("shallow") => {
                attributes.set("shallow", Attribute::Bool(true));
            }
            _ => {}
        }
        Input::from_attributes(settings, attributes)
    }

    /// What the language sees of a tree; `git` adds what `fetchGit` always has.
    pub(crate) fn fields(&self, path: &StorePath, input: &Input, git: bool, dirty: bool) -> Fields {
        let attributes = &input.attributes;
        let mut fields = vec![("outPath".to_owned(), FetchValue::Text(self.seen(path)))];
        let mut add = |name: &str, value: FetchValue| fields.push((name.to_owned(), value));
        if let Ok(Some(hash)) = input.nar_hash() {
            add("narHash", FetchValue::Text(hash.sri()));
        }
        if input.scheme == Some(Scheme::Git) {
            add("submodules", FetchValue::Bool(attributes.flag("submodules").unwrap_or(false)));
        }
        let int = |name: &str| attributes.int(name).ok().flatten().map(u64::cast_signed);
        if !dirty {
            let revision = input.revision().ok().flatten().or(git.then(|| NO_REVISION.to_owned()));
            if let Some(revision) = revision {
                add("shortRev", FetchValue::Text(revision.chars().take(7).collect()));
                add("rev", FetchValue::Text(revision));
            }
            if let Some(count) = int("revCount").or(git.then_some(0)) {
                add("revCount", FetchValue::Int(count));
            }
        }
        for name in ["dirtyRev", "dirtyShortRev"] {
            if let Ok(Some(text)) = attributes.text(name) {
                add(name, FetchValue::Text(text.to_owned()));
            }
        }
        if let Some(time) = int("lastModified") {
            add("lastModified", FetchValue::Int(time));
            add("lastModifiedDate", FetchValue::Text(nival_inputs::utc_text(time, "%Y%m%d%H%M%S")));
        }
        fields
    }

    /// The folder that an entry of the search path stands for.
    pub(crate) fn resolve_entry(&self, entry: &str) -> WorldResult<Option<String>> {
        if let Some(known) = self.resolved.borrow().get(entry) {
            return Ok(known.clone());
        }
        let found = self.find_entry(entry)?;
        self.resolved.borrow_mut().insert(entry.to_owned(), found.clone());
        self.take_fetch_warnings();
        Ok(found)
    }

    fn find_entry(&self, entry: &str) -> WorldResult<Option<String>> {
        if is_address(entry) {
            return match self.fetcher.fetch_tarball(&real_address(entry), "source") {
                Ok((path, _)) => Ok(Some(self.seen(&path))),
                Err(error) => {
                    self.fetcher.warn(format!("the entry `{entry}` of the search path is left out: {error}"));
                    Ok(None)
                }
            };
        }
        if let Some(reference) = entry.strip_prefix("flake:") {
            let settings = &self.fetcher.settings;
            settings.require("flakes", entry).map_err(|error| failed(&error))?;
            let fetched =
                FlakeReference::parse(settings, reference, &How { allow_missing: true, ..How::default() })
                    .and_then(|(reference, _)| {
                        self.fetcher.fetch_resolved(&reference.input, UseRegistries::All)
                    });
            let (tree, _, _) = fetched.map_err(|error| failed(&error))?;
            return Ok(Some(self.seen(&tree.path)));
        }
        let absolute = self.fetcher.settings.current_dir.join(entry).to_string_lossy().into_owned();
        // A search path that an expression makes up opens nothing that the user's own does not.
        if nival_eval::World::search_path(self).iter().any(|(_, known)| known == entry) {
            self.access.allow(&absolute);
        }
        if self.physical(&absolute).exists() {
            return Ok(Some(absolute));
        }
        self.fetcher.warn(format!("the entry `{entry}` of the search path does not exist"));
        Ok(None)
    }
}

fn base_name(url: &str) -> &str {
    let trimmed = url.trim_end_matches('/');
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn expected_hash(text: &str) -> WorldResult<Hash> {
    if text.is_empty() {
        let zeros = Hash::new(Algorithm::Sha256, &[0; 32]);
        return zeros.ok_or_else(|| failed(&Error::Reference("an empty hash".to_owned())));
    }
    Hash::parse(text, Some(Algorithm::Sha256)).map_err(|error| failed(&Error::Reference(error.to_string())))
}

/// Whether a text in place of a path names something that is fetched.
pub(crate) fn is_fetched(text: &str) -> bool {
    is_address(text) || text.starts_with("flake:")
}

/// Whether an entry of the search path is fetched.
fn is_address(text: &str) -> bool {
    let schemes = ["http", "https", "file", "channel", "git", "s3", "ssh"];
    text.starts_with("channel:")
        || text.split_once("://").is_some_and(|(scheme, _)| schemes.contains(&scheme))
}

/// The address of the archive of a channel.
fn real_address(text: &str) -> String {
    match text.strip_prefix("channel:") {
        Some(name) => format!("https://channels.nixos.org/{name}/nixexprs.tar.xz"),
        None => text.to_owned(),
    }
}
