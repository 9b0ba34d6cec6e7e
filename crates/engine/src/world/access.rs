//! What evaluation may see: everything, or in pure and restricted evaluation what it was given.

use super::EngineWorld;
use crate::diagnostics;
use crate::library;
use nival_diagnostics::Diagnostic;
use nival_eval::WorldResult;
use nival_inputs::fetchers::Url;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What evaluation may see.
#[derive(Debug, Default)]
pub(super) struct Access {
    limited: bool,
    pure: bool,
    allowed: RefCell<BTreeSet<String>>,
    uris: Option<Vec<String>>,
}

impl Access {
    pub(super) fn new(pure: bool, restricted: bool, uris: Vec<String>) -> Self {
        let uris = restricted.then_some(uris);
        Self { limited: pure || restricted, pure, allowed: RefCell::default(), uris }
    }

    pub(super) fn is_pure(&self) -> bool {
        self.pure
    }

    pub(super) fn is_limited(&self) -> bool {
        self.limited
    }

    /// Lets evaluation see a path and what is below it.
    pub(super) fn allow(&self, path: &str) {
        if self.limited {
            self.allowed.borrow_mut().insert(path.to_owned());
        }
    }

    /// Whether a path is one that may be seen, or leads to one.
    pub(super) fn sees(&self, path: &str) -> bool {
        if !self.limited || library::inside(path).is_some() {
            return true;
        }
        let allowed = self.allowed.borrow();
        // Few paths are allowed that are no store paths, and those are found by their own prefix.
        let mut end = path.len();
        loop {
            if allowed.contains(&path[..end]) {
                return true;
            }
            match path[..end].rfind('/') {
                Some(at) if at > 0 => end = at,
                _ => break,
            }
        }
        let inside = format!("{}/", path.trim_end_matches('/'));
        allowed.contains("/")
            || allowed.range(inside.clone()..).next().is_some_and(|first| first.starts_with(&inside))
    }

    pub(super) fn check(&self, path: &str) -> WorldResult<()> {
        if self.sees(path) { Ok(()) } else { Err(self.forbidden(path)) }
    }

    #[cold]
    fn forbidden(&self, path: &str) -> Box<Diagnostic> {
        let (mode, help) = if self.pure {
            ("pure evaluation mode", "evaluate with `--impure`, or make the path part of the flake")
        } else {
            ("restricted mode", "add the path to the search path, with `-I`")
        };
        let text = format!("access to the absolute path `{path}` is forbidden in {mode}");
        Box::new(Diagnostic::error(&diagnostics::forbidden::ENTRY, text).help(help))
    }

    /// Whether an address may be used.
    pub(super) fn check_uri(&self, uri: &str) -> WorldResult<()> {
        let Some(allowed) = &self.uris else { return Ok(()) };
        if allowed.iter().any(|prefix| fits(uri, prefix)) {
            return Ok(());
        }
        if uri.starts_with('/') {
            return self.check(uri);
        }
        if let Ok(url) = Url::parse(uri, false)
            && url.scheme == "file"
            && let Ok(path) = url.file_path()
        {
            return self.check(&path);
        }
        let text = format!("access to the address `{uri}` is forbidden in restricted mode");
        let help = "add it, or a prefix of it, to the setting `allowed-uris`";
        Err(Box::new(Diagnostic::error(&diagnostics::forbidden::ENTRY, text).help(help)))
    }
}

/// Whether an address is a prefix, lies below it, or has the scheme that the prefix names.
fn fits(uri: &str, prefix: &str) -> bool {
    let Some(rest) = uri.strip_prefix(prefix).filter(|_| !prefix.is_empty()) else { return false };
    let is_scheme = prefix.strip_suffix(':').is_some_and(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"+.-".contains(&c))
    });
    rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/') || is_scheme
}

impl EngineWorld {
    pub(crate) fn is_pure(&self) -> bool {
        self.access.is_pure()
    }

    /// Whether flakes may be named by names of registries.
    pub(crate) fn use_registries(&self) -> bool {
        self.options.nix.flag("use-registries", true)
    }

    pub(crate) fn store(&self) -> &std::sync::Arc<nival_store::LocalStore> {
        &self.store
    }

    /// Lets evaluation see a path and what is below it, also where it is pure or restricted.
    pub(crate) fn allow(&self, path: &str) {
        self.access.allow(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_allowed_is_seen() {
        let access = Access::new(true, false, Vec::new());
        access.allow("/nix/store/x-source");
        for path in ["/nix/store/x-source", "/nix/store/x-source/a/b", "/nix/store", "/nix"] {
            assert!(access.sees(path), "{path}");
        }
        for path in ["/nix/store/x-source2", "/nix/store/y", "/etc", "/ni"] {
            assert!(!access.sees(path), "{path}");
        }
        assert!(Access::default().sees("/etc/passwd"));
    }

    #[test]
    fn addresses_fit_prefixes_at_slashes() {
        assert!(fits("https://a.org/b", "https://a.org"));
        assert!(fits("https://a.org/b", "https:"));
        assert!(fits("https://a.org/b/c", "https://a.org/b/"));
        assert!(!fits("https://a.organ/b", "https://a.org"));
        assert!(!fits("https://a.org", ""));
    }
}
