//! The attributes of a derivation that are not for its builder but for who builds it.
//!
//! See "Advanced attributes" in the Nix manual; with structured attributes they come from `__json`, else from the environment.

use super::structured::Structured;
use crate::build_error::BuildError;
use nival_store_model::{Derivation, StoreDir, StorePath};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a derivation wishes of its build.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// What its outputs must and must not refer to.
    pub checks: OutputChecks,
    /// Outputs whose references do not count.
    pub discard_references: BTreeSet<String>,
    /// Variables that are given to the builder by a file.
    pub pass_as_file: BTreeSet<String>,
    /// Files that tell closures: name, and what the closures start at.
    pub export_references: BTreeMap<String, BTreeSet<String>>,
    /// Whether it says which files in a form that structured attributes do not have, which is no fault.
    pub ignores_references: bool,
    /// Whether it is built without a sandbox, where the settings allow that.
    pub no_chroot: bool,
    /// Paths of the host that it wants to see.
    pub impure_host_paths: BTreeSet<String>,
    /// Variables of the caller's environment that a fixed output's builder is given.
    pub impure_variables: BTreeSet<String>,
    /// What the machine that builds must have, such as `kvm`.
    pub required_features: BTreeSet<String>,
    /// Whether it is built here where that can be: another machine would take longer to be asked.
    pub prefers_here: bool,
    /// Whether it may be brought from a cache.
    pub allow_substitutes: bool,
    /// The path of a root of Debian packages, which the builder is to find around itself (`__debianRoot`).
    pub debian_root: Option<String>,
}

/// What outputs must and must not refer to.
#[derive(Clone, Debug)]
pub enum OutputChecks {
    /// The same for every output.
    All(Box<Checks>),
    /// For each output by name.
    ByOutput(BTreeMap<String, Checks>),
}

impl Default for OutputChecks {
    fn default() -> Self {
        Self::All(Box::default())
    }
}

/// What one output must and must not refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Whether references to itself never count in closures.
    pub ignore_self: bool,
    /// The most bytes that its NAR may have.
    pub max_size: Option<u64>,
    /// The most bytes that its closure's NARs may have.
    pub max_closure_size: Option<u64>,
    /// What it may refer to; anything where nothing is said.
    pub allowed_references: Option<Vec<Reference>>,
    /// What may be in its closure.
    pub allowed_requisites: Option<Vec<Reference>>,
    /// What it must not refer to.
    pub disallowed_references: Vec<Reference>,
    /// What must not be in its closure.
    pub disallowed_requisites: Vec<Reference>,
}

/// What a check names: a path, or an output of the same derivation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A path.
    Path(StorePath),
    /// An output by name.
    Output(String),
}

impl Wishes {
    /// Reads what a derivation wishes; inputs must be resolved.
    ///
    /// # Errors
    /// [`BuildError::Malformed`] where an attribute has another form than it must.
    pub fn of(
        derivation: &Derivation,
        dir: &StoreDir,
        structured: Option<&Structured>,
    ) -> Result<Self, BuildError> {
        let source = Source { derivation, dir, structured };
        Ok(Self {
            checks: source.checks()?,
            discard_references: source.discarded()?,
            pass_as_file: match structured {
                Some(_) => BTreeSet::new(),
                None => source.words("passAsFile")?.unwrap_or_default(),
            },
            export_references: source.exported()?,
            ignores_references: structured.is_some()
                && source.attribute("exportReferencesGraph").is_some_and(|value| !value.is_object()),
            no_chroot: source.flag("__noChroot", false),
            impure_host_paths: source.words("__impureHostDeps")?.unwrap_or_default(),
            impure_variables: source.words("impureEnvVars")?.unwrap_or_default(),
            required_features: source.words("requiredSystemFeatures")?.unwrap_or_default(),
            prefers_here: source.flag("preferLocalBuild", false),
            allow_substitutes: source.flag("allowSubstitutes", true),
            debian_root: match structured {
                Some(_) => {
                    source.attribute("__debianRoot").and_then(|value| value.as_str().map(str::to_owned))
                }
                None => source.variable("__debianRoot"),
            },
        })
    }
}

struct Source<'a> {
    derivation: &'a Derivation,
    dir: &'a StoreDir,
    structured: Option<&'a Structured>,
}

impl Source<'_> {
    fn malformed(&self, text: String) -> BuildError {
        BuildError::Malformed { drv: self.derivation.name.clone(), problem: text }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let bytes = self.derivation.environment.get(name.as_bytes())?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.structured.and_then(|structured| structured.value(name))
    }

    fn flag(&self, name: &str, otherwise: bool) -> bool {
        match self.structured {
            Some(_) => self.attribute(name).and_then(|value| value.as_bool()).unwrap_or(otherwise),
            None => self.variable(name).map_or(otherwise, |text| text == "1"),
        }
    }

    /// A list of words: of a JSON list, or divided by white space.
    fn words(&self, name: &str) -> Result<Option<BTreeSet<String>>, BuildError> {
        if self.structured.is_none() {
            let words = |text: String| text.split_ascii_whitespace().map(str::to_owned).collect();
            return Ok(self.variable(name).map(words));
        }
        self.attribute(name).map(|value| self.list(name, &value).map(|l| l.into_iter().collect())).transpose()
    }

    fn list(&self, name: &str, value: &Value) -> Result<Vec<String>, BuildError> {
        let all =
            value.as_array().map(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect());
        all.flatten().ok_or_else(|| self.malformed(format!("`{name}` must be a list of texts")))
    }

    fn references(&self, words: impl IntoIterator<Item = String>) -> Vec<Reference> {
        let one = |word: String| match self.dir.parse_prefix(&word) {
            Ok((path, _)) => Reference::Path(path),
            Err(_) => Reference::Output(word),
        };
        words.into_iter().map(one).collect()
    }

    fn checks(&self) -> Result<OutputChecks, BuildError> {
        if self.structured.is_some() {
            return self.checks_by_output().map(OutputChecks::ByOutput);
        }
        let named = |name| Ok::<_, BuildError>(self.words(name)?.map(|words| self.references(words)));
        Ok(OutputChecks::All(Box::new(Checks {
            ignore_self: true,
            max_size: None,
            max_closure_size: None,
            allowed_references: named("allowedReferences")?,
            allowed_requisites: named("allowedRequisites")?,
            disallowed_references: named("disallowedReferences")?.unwrap_or_default(),
            disallowed_requisites: named("disallowedRequisites")?.unwrap_or_default(),
        })))
    }

    fn checks_by_output(&self) -> Result<BTreeMap<String, Checks>, BuildError> {
        let mut all = BTreeMap::new();
        let Some(value) = self.attribute("outputChecks") else { return Ok(all) };
        let wrong = || self.malformed("`outputChecks` must be a set of sets".to_owned());
        for (output, checks) in value.as_object().ok_or_else(wrong)? {
            let checks = checks.as_object().ok_or_else(wrong)?;
            let named = |name: &str| {
                let list =
                    checks.get(name).map(|value| self.list(&format!("outputChecks.{output}.{name}"), value));
                Ok::<_, BuildError>(list.transpose()?.map(|words| self.references(words)))
            };
            let number = |name: &str| checks.get(name).and_then(Value::as_u64);
            let one = Checks {
                ignore_self: false,
                max_size: number("maxSize"),
                max_closure_size: number("maxClosureSize"),
                allowed_references: named("allowedReferences")?,
                allowed_requisites: named("allowedRequisites")?,
                disallowed_references: named("disallowedReferences")?.unwrap_or_default(),
                disallowed_requisites: named("disallowedRequisites")?.unwrap_or_default(),
            };
            all.insert(output.clone(), one);
        }
        Ok(all)
    }

    fn discarded(&self) -> Result<BTreeSet<String>, BuildError> {
        let Some(value) = self.attribute("unsafeDiscardReferences") else { return Ok(BTreeSet::new()) };
        let wrong = || self.malformed("`unsafeDiscardReferences` must be a set of booleans".to_owned());
        let mut all = BTreeSet::new();
        for (output, discard) in value.as_object().ok_or_else(wrong)? {
            if discard.as_bool().ok_or_else(wrong)? {
                all.insert(output.clone());
            }
        }
        Ok(all)
    }

    fn exported(&self) -> Result<BTreeMap<String, BTreeSet<String>>, BuildError> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if self.structured.is_some() {
            let value = self.attribute("exportReferencesGraph");
            for (name, value) in value.iter().filter_map(Value::as_object).flatten() {
                let paths = all.entry(name.clone()).or_default();
                if !flatten(value, paths) {
                    let text = "`exportReferencesGraph` must hold texts and lists of texts";
                    return Err(self.malformed(text.to_owned()));
                }
            }
            return Ok(all);
        }
        let text = self.variable("exportReferencesGraph").unwrap_or_default();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        for pair in words.chunks(2) {
            let [name, path] = pair else {
                return Err(self.malformed(format!("`exportReferencesGraph` must hold pairs: `{text}`")));
            };
            if !is_file_name(name) {
                return Err(
                    self.malformed(format!("`exportReferencesGraph` names a file that cannot be: `{name}`"))
                );
            }
            all.insert((*name).to_owned(), BTreeSet::from([(*path).to_owned()]));
        }
        Ok(all)
    }
}

fn is_file_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_.-".contains(&c))
}

fn flatten(value: &Value, into: &mut BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => {
            into.insert(text.clone());
            true
        }
        Value::Array(list) => list.iter().all(|one| flatten(one, into)),
        _ => false,
    }
}
