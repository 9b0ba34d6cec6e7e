//! The settings of nix.conf and NIX_CONFIG.
//!
//! All settings of Nix are accepted and kept as texts; the functions here read those
//! that evaluation and fetching depend on.

mod read;

use crate::Error;
use crate::diagnostics;
use nival_diagnostics::Diagnostic;
use nival_eval::{Lint, Lints};
use nival_inputs::fetchers::FetchSettings;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The settings of nix.conf and NIX_CONFIG, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NixSettings {
    values: BTreeMap<String, String>,
}

/// Other names of settings.
const ALIASES: &[(&str, &str)] = &[
    ("binary-cache-public-keys", "trusted-public-keys"),
    ("binary-caches", "substituters"),
    ("binary-caches-parallel-connections", "http-connections"),
    ("build-chroot-dirs", "sandbox-paths"),
    ("build-compress-log", "compress-build-log"),
    ("build-cores", "cores"),
    ("build-fallback", "fallback"),
    ("build-impersonate-linux-26", "impersonate-linux-26"),
    ("build-keep-log", "keep-build-log"),
    ("build-max-jobs", "max-jobs"),
    ("build-max-log-size", "max-build-log-size"),
    ("build-max-silent-time", "max-silent-time"),
    ("build-sandbox-paths", "sandbox-paths"),
    ("build-timeout", "timeout"),
    ("build-use-chroot", "sandbox"),
    ("build-use-sandbox", "sandbox"),
    ("build-use-substitutes", "substitute"),
    ("commit-lockfile-summary", "commit-lock-file-summary"),
    ("env-keep-derivations", "keep-env-derivations"),
    ("gc-keep-derivations", "keep-derivations"),
    ("gc-keep-outputs", "keep-outputs"),
    ("substitution-max-jobs", "max-substitution-jobs"),
    ("trusted-binary-caches", "trusted-substituters"),
];

/// The features that are on where nothing is set: what `nival` itself is used with.
const USUAL_FEATURES: [&str; 2] = ["nix-command", "flakes"];

/// What is usual of settings where nothing is set.
const DEFAULTS: &[(&str, &str)] = &[
    ("abort-on-warn", "false"),
    ("accept-flake-config", "false"),
    ("access-tokens", ""),
    ("allow-dirty", "true"),
    ("allow-import-from-derivation", "true"),
    ("allow-new-privileges", "false"),
    ("allowed-impure-host-deps", ""),
    ("allowed-uris", ""),
    ("auto-optimise-store", "false"),
    ("build-users-group", ""),
    ("compress-build-log", "true"),
    ("cores", "0"),
    ("extra-platforms", ""),
    ("fallback", "false"),
    ("filter-syscalls", "true"),
    ("fsync-metadata", "true"),
    ("hashed-mirrors", ""),
    ("keep-build-log", "true"),
    ("keep-derivations", "true"),
    ("keep-failed", "false"),
    ("keep-going", "false"),
    ("keep-outputs", "false"),
    ("lint-absolute-path-literals", "ignore"),
    ("lint-short-path-literals", "ignore"),
    ("lint-url-literals", "ignore"),
    ("log-lines", "25"),
    ("max-build-log-size", "0"),
    ("max-build-memory", "0"),
    ("max-build-processes", "0"),
    ("max-call-depth", "10000"),
    ("max-free", "9223372036854775807"),
    ("max-silent-time", "0"),
    ("min-free", "0"),
    ("netrc-file", ""),
    ("native-modules", "true"),
    ("nix-path", ""),
    ("pure-eval", "false"),
    ("require-sigs", "true"),
    ("restrict-eval", "false"),
    ("sandbox", "true"),
    ("sandbox-build-dir", "/build"),
    ("sandbox-dev-shm-size", "50%"),
    ("sandbox-paths", ""),
    ("substitute", "true"),
    ("substituters", ""),
    ("system-features", "benchmark big-parallel nixos-test"),
    ("tarball-ttl", "3600"),
    ("timeout", "0"),
    ("trusted-public-keys", ""),
    ("trusted-substituters", ""),
    ("use-cgroups", "false"),
    ("use-registries", "true"),
    ("warn-dirty", "true"),
];

/// A number of bytes, which may have a unit behind it.
fn size(text: &str) -> Option<u64> {
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let found = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
    let (digits, shift) = found.unwrap_or((text, 0));
    digits.trim().parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// Splits the variable NIX_PATH at its colons, but not at those of addresses and `flake:` references.
pub fn split_nix_path(text: &str) -> Vec<String> {
    let schemes = ["http", "https", "file", "channel", "git", "s3", "ssh"];
    let mut entries = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.find(':').unwrap_or(rest.len());
        let value = rest[..end].rfind('=').map_or(0, |at| at + 1);
        let scheme = &rest[value..end];
        let is_address = schemes.contains(&scheme) && rest[end..].starts_with("://");
        if end < rest.len() && (is_address || scheme == "channel" || scheme == "flake") {
            let after = end + 1;
            end = rest[after..].find(':').map_or(rest.len(), |at| after + at);
        }
        if end > 0 {
            entries.push(rest[..end].to_owned());
        }
        rest = rest.get(end + 1..).unwrap_or("");
    }
    entries
}

impl NixSettings {
    /// Reads the files that an environment leads to: the system's, the user's, then NIX_CONFIG.
    ///
    /// # Errors
    /// [`Error::Other`] where a file is malformed or includes one that is missing.
    pub fn read(environment: &BTreeMap<String, String>) -> Result<Self, Error> {
        read::read(environment)
    }

    /// Sets one setting, as `--option NAME VALUE` does; `extra-NAME` adds to a list.
    pub fn set(&mut self, name: &str, value: &str) {
        let alias = |name: &str| {
            ALIASES
                .iter()
                .find(|(old, _)| *old == name)
                .map_or_else(|| name.to_owned(), |(_, new)| (*new).to_owned())
        };
        match name.strip_prefix("extra-") {
            Some(name) => {
                let name = alias(name);
                let usual =
                    if name == "experimental-features" { USUAL_FEATURES.join(" ") } else { String::new() };
                let old = self.values.entry(name).or_insert(usual);
                *old = format!("{old} {value}").trim().to_owned();
            }
            None => drop(self.values.insert(alias(name), value.to_owned())),
        }
    }

    /// What a setting says, where it is set.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// All settings.
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Every setting that something here depends on, with what is usual where it is not set.
    pub fn with_defaults(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> =
            DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let features = self.features();
        all.extend(self.values.clone());
        for name in ["gc-reserved-space", "max-free", "min-free"] {
            if let Some(bytes) = all.get(name).and_then(|text| size(text)) {
                all.insert(name.to_owned(), bytes.to_string());
            }
        }
        all.insert("experimental-features".to_owned(), features.into_iter().collect::<Vec<_>>().join(" "));
        all
    }

    /// The error for a setting that there is not.
    pub fn unknown(name: &str) -> Diagnostic {
        let near = nival_eval::nearest(name, DEFAULTS.iter().map(|(known, _)| *known));
        let help = near.map_or_else(
            || "`nix config show` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Diagnostic::error(&diagnostics::nix_conf::ENTRY, format!("there is no setting `{name}`")).help(help)
    }

    /// Whether there is a setting of that name, of which something here depends.
    pub fn is_known(name: &str) -> bool {
        let name = name.strip_prefix("extra-").unwrap_or(name);
        DEFAULTS.iter().any(|(known, _)| *known == name) || ALIASES.iter().any(|(old, _)| *old == name)
    }

    /// A Boolean, or what is usual.
    pub fn flag(&self, name: &str, usual: bool) -> bool {
        match self.text(name) {
            Some("true" | "yes" | "1") => true,
            Some("false" | "no" | "0") => false,
            _ => usual,
        }
    }

    /// A number, or what is usual.
    pub fn number(&self, name: &str, usual: u64) -> u64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(usual)
    }

    /// A number that may have a unit behind it; `None` where it is 0 or not set.
    pub fn size(&self, name: &str) -> Option<u64> {
        size(self.text(name)?).filter(|size| *size > 0)
    }

    /// The words of a list.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.text(name).unwrap_or("").split_whitespace().map(str::to_owned).collect()
    }

    /// Whether evaluation is pure: it sees nothing but what is fetched and pinned.
    pub fn pure_eval(&self) -> bool {
        self.flag("pure-eval", false)
    }

    /// Whether evaluation is restricted to the search path and to `allowed-uris`.
    pub fn restrict_eval(&self) -> bool {
        self.flag("restrict-eval", false)
    }

    /// The experimental features that are on; `flakes` brings `fetch-tree` along.
    pub fn features(&self) -> BTreeSet<String> {
        let mut features: BTreeSet<String> = match self.text("experimental-features") {
            Some(_) => self.list("experimental-features").into_iter().collect(),
            None => USUAL_FEATURES.map(str::to_owned).into(),
        };
        if features.contains("flakes") {
            features.insert("fetch-tree".to_owned());
        }
        features
    }

    /// What is done about literals that may be unwanted.
    pub fn lints(&self) -> Lints {
        let lint = |name: &str| self.text(name).and_then(Lint::parse);
        let old = if self.flag("warn-short-path-literals", false) { Lint::Warn } else { Lint::Ignore };
        Lints {
            urls: lint("lint-url-literals").unwrap_or_default(),
            short_paths: lint("lint-short-path-literals").unwrap_or(old),
            absolute_paths: lint("lint-absolute-path-literals").unwrap_or_default(),
        }
    }

    /// The entries of the setting `nix-path`.
    pub fn nix_path(&self) -> Vec<String> {
        self.list("nix-path")
    }

    /// The system that evaluation is for, where one is set.
    pub fn system(&self) -> Option<&str> {
        self.text("eval-system").filter(|text| !text.is_empty()).or_else(|| self.text("system"))
    }

    /// What fetchers depend on; folders of the user come from the environment, and what is relative starts from
    /// `current_dir`.
    pub fn fetch_settings(
        &self,
        environment: &BTreeMap<String, String>,
        cache: PathBuf,
        current_dir: PathBuf,
    ) -> FetchSettings {
        let usual = FetchSettings::default();
        let tokens = self.list("access-tokens").into_iter();
        FetchSettings {
            features: self.features(),
            tarball_ttl: self.number("tarball-ttl", usual.tarball_ttl),
            allow_dirty: self.flag("allow-dirty", usual.allow_dirty),
            warn_dirty: self.flag("warn-dirty", usual.warn_dirty),
            allow_dirty_locks: self.flag("allow-dirty-locks", usual.allow_dirty_locks),
            trust_tarballs_from_git_forges: self
                .flag("trust-tarballs-from-git-forges", usual.trust_tarballs_from_git_forges),
            access_tokens: tokens
                .filter_map(|token| {
                    token.split_once('=').map(|(host, token)| (host.to_owned(), token.to_owned()))
                })
                .collect(),
            flake_registry: self.text("flake-registry").map_or(usual.flake_registry, str::to_owned),
            registries: read::registries(environment),
            overrides: Vec::new(),
            cache,
            current_dir,
        }
    }

    /// The files that settings are read from: the system's, and the user's, of which the first counts most.
    pub fn files(environment: &BTreeMap<String, String>) -> (PathBuf, Vec<PathBuf>) {
        (read::system_file(environment), read::user_files(environment))
    }

    /// The user's own registry of flakes.
    pub fn user_registry(environment: &BTreeMap<String, String>) -> PathBuf {
        let all = read::registries(environment);
        all.into_iter().next().unwrap_or_else(|| PathBuf::from("/etc/nix/registry.json"))
    }

    /// Changes how the network is used: time for connecting, retries, netrc and certificates.
    pub fn apply_to(&self, options: &mut nival_transport::Options) {
        let seconds = |name: &str| self.text(name).and_then(|text| text.parse().ok()).filter(|n| *n > 0);
        if let Some(time) = seconds("connect-timeout") {
            options.connect_timeout = std::time::Duration::from_secs(time);
        }
        if let Some(time) = seconds("stalled-download-timeout") {
            options.timeout = std::time::Duration::from_secs(time);
        }
        if let Some(tries) = self.text("download-attempts").and_then(|text| text.parse::<u32>().ok()) {
            options.retries = tries.saturating_sub(1);
        }
        if let Some(file) = self.text("netrc-file") {
            options.netrc = Some(PathBuf::from(file));
        }
        if let Some(file) = self.text("ssl-cert-file").filter(|file| !file.is_empty()) {
            options.certificates = Some(PathBuf::from(file));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split_nix_path;

    #[test]
    fn search_paths_have_colons_in_addresses() {
        let text = "a=/x:/y::n=https://h/p.tar.gz:m=channel:c:flake:nixpkgs/b:z=flake:f";
        let wanted = ["a=/x", "/y", "n=https://h/p.tar.gz", "m=channel:c", "flake:nixpkgs/b", "z=flake:f"];
        assert_eq!(split_nix_path(text), wanted);
    }
}
