//! Settings of nix.conf as options of the command line: `--NAME VALUE`, and `--NAME` or `--no-NAME` of those that are on
//! or off.

/// An option that stands for a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Its value is the next word.
    Value(String),
    /// It is switched on or off.
    Switch(String, bool),
}

impl Setting {
    /// The setting that an option without its `--` stands for.
    pub fn of(option: &str) -> Option<Self> {
        let value = |name: &str| VALUES.contains(&name).then(|| Self::Value(name.to_owned()));
        let old = |name: &str| VALUE_ALIASES.iter().find(|(old, _)| *old == name);
        if let Some(found) =
            value(option).or_else(|| old(option).map(|(_, new)| Self::Value((*new).to_owned())))
        {
            return Some(found);
        }
        let off = option.strip_prefix("no-");
        let name = off.unwrap_or(option);
        let known = SWITCHES.iter().find(|known| **known == name).copied();
        let renamed = || SWITCH_ALIASES.iter().find(|(old, _)| *old == name).map(|(_, new)| *new);
        let name = known.or_else(renamed)?;
        Some(Self::Switch(name.to_owned(), off.is_none()))
    }
}

/// Settings with a value.
const VALUES: &[&str] = &[
    "access-tokens",
    "allowed-impure-host-deps",
    "allowed-uris",
    "allowed-users",
    "bash-prompt",
    "bash-prompt-prefix",
    "bash-prompt-suffix",
    "build-dir",
    "build-hook",
    "build-poll-interval",
    "build-users-group",
    "builders",
    "commit-lock-file-summary",
    "connect-timeout",
    "diff-hook",
    "download-attempts",
    "download-buffer-size",
    "download-speed",
    "eval-attrset-update-layer-rhs-threshold",
    "eval-profile-file",
    "eval-profiler",
    "eval-profiler-frequency",
    "eval-system",
    "experimental-features",
    "external-builders",
    "extra-access-tokens",
    "extra-allowed-impure-host-deps",
    "extra-allowed-uris",
    "extra-allowed-users",
    "extra-build-hook",
    "extra-experimental-features",
    "extra-external-builders",
    "extra-extra-platforms",
    "extra-hashed-mirrors",
    "extra-ignored-acls",
    "extra-impure-env",
    "extra-nix-path",
    "extra-platforms",
    "extra-plugin-files",
    "extra-sandbox-paths",
    "extra-secret-key-files",
    "extra-substituters",
    "extra-system-features",
    "extra-trusted-public-keys",
    "extra-trusted-substituters",
    "extra-trusted-users",
    "flake-registry",
    "gc-reserved-space",
    "hashed-mirrors",
    "http-connections",
    "id-count",
    "ignored-acls",
    "impure-env",
    "json-log-path",
    "lint-absolute-path-literals",
    "lint-short-path-literals",
    "lint-url-literals",
    "log-lines",
    "max-build-log-size",
    "max-free",
    "max-substitution-jobs",
    "min-free",
    "min-free-check-interval",
    "nar-buffer-size",
    "narinfo-cache-meta-ttl",
    "narinfo-cache-negative-ttl",
    "narinfo-cache-positive-ttl",
    "netrc-file",
    "nix-path",
    "plugin-files",
    "post-build-hook",
    "pre-build-hook",
    "sandbox-build-dir",
    "sandbox-dev-shm-size",
    "sandbox-paths",
    "secret-key-files",
    "ssl-cert-file",
    "stalled-download-timeout",
    "start-id",
    "substituters",
    "system-features",
    "tarball-ttl",
    "trusted-public-keys",
    "trusted-substituters",
    "trusted-users",
    "upgrade-nix-store-path-url",
    "user-agent-suffix",
    "warn-large-path-threshold",
];

/// Older names of settings with a value.
const VALUE_ALIASES: &[(&str, &str)] = &[
    ("binary-cache-public-keys", "trusted-public-keys"),
    ("binary-caches", "substituters"),
    ("binary-caches-parallel-connections", "http-connections"),
    ("build-chroot-dirs", "sandbox-paths"),
    ("build-cores", "cores"),
    ("build-max-jobs", "max-jobs"),
    ("build-max-log-size", "max-build-log-size"),
    ("build-max-silent-time", "max-silent-time"),
    ("build-sandbox-paths", "sandbox-paths"),
    ("build-timeout", "timeout"),
    ("commit-lockfile-summary", "commit-lock-file-summary"),
    ("substitution-max-jobs", "max-substitution-jobs"),
    ("trusted-binary-caches", "trusted-substituters"),
];

/// Settings that are on or off.
const SWITCHES: &[&str] = &[
    "abort-on-warn",
    "accept-flake-config",
    "allow-dirty",
    "allow-dirty-locks",
    "allow-import-from-derivation",
    "allow-new-privileges",
    "allow-symlinked-store",
    "allow-unsafe-native-code-during-evaluation",
    "always-allow-substitutes",
    "auto-allocate-uids",
    "auto-optimise-store",
    "builders-use-substitutes",
    "compress-build-log",
    "debugger-on-trace",
    "debugger-on-warn",
    "eval-cache",
    "filter-syscalls",
    "fsync-metadata",
    "fsync-store-paths",
    "http2",
    "ignore-try",
    "impersonate-linux-26",
    "keep-build-log",
    "keep-derivations",
    "keep-env-derivations",
    "keep-outputs",
    "nix-shell-always-looks-for-shell-nix",
    "nix-shell-shebang-arguments-relative-to-script",
    "preallocate-contents",
    "print-missing",
    "require-drop-supplementary-groups",
    "require-sigs",
    "run-diff-hook",
    "sandbox",
    "sandbox-fallback",
    "show-trace",
    "substitute",
    "sync-before-registering",
    "trace-function-calls",
    "trace-import-from-derivation",
    "trace-verbose",
    "trust-tarballs-from-git-forges",
    "use-case-hack",
    "use-cgroups",
    "use-registries",
    "use-sqlite-wal",
    "use-substitutes",
    "use-xdg-base-directories",
    "warn-dirty",
    "warn-short-path-literals",
];

/// Older names of settings that are on or off.
const SWITCH_ALIASES: &[(&str, &str)] = &[
    ("build-compress-log", "compress-build-log"),
    ("build-fallback", "fallback"),
    ("build-impersonate-linux-26", "impersonate-linux-26"),
    ("build-keep-log", "keep-build-log"),
    ("build-use-chroot", "sandbox"),
    ("build-use-sandbox", "sandbox"),
    ("build-use-substitutes", "substitute"),
    ("env-keep-derivations", "keep-env-derivations"),
    ("gc-keep-derivations", "keep-derivations"),
    ("gc-keep-outputs", "keep-outputs"),
];
