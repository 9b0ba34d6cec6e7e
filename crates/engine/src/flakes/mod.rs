//! Flakes as values: from a locked flake to its outputs, and the builtins of flakes.

mod builtins;

use crate::diagnostics;
use crate::error::Error;
use crate::session::Session;
use crate::world::EngineWorld;
pub(crate) use builtins::install;
use nival_diagnostics::Diagnostic;
use nival_eval::{AddPath, EvalResult, Evaluator, Value, World as _};
use nival_inputs::fetchers::registry::Entry;
use nival_inputs::fetchers::{FetchSettings, Tree, UseRegistries};
use nival_inputs::flakes::{
    ConfigValue, FlakeReference, How, LockFlags, LockedFlake, flake_config, lock_flake,
};
use std::path::Path;

const CALL_FLAKE: &str = include_str!("call_flake.nix");

/// Where the outputs that a fragment names are looked for.
#[derive(Clone, Debug, Default)]
pub struct OutputSearch {
    /// Attribute paths in front of the fragment, in the order in which they are tried, such as `packages.x86_64-linux.`;
    /// the fragment alone is tried last.
    pub prefixes: Vec<String>,
    /// Attribute paths that are tried in place of an empty fragment.
    pub defaults: Vec<String>,
}

impl OutputSearch {
    /// What `nix build`, `nix eval` and their like look for on a system.
    pub fn packages(system: &str) -> Self {
        Self {
            prefixes: vec![format!("packages.{system}."), format!("legacyPackages.{system}.")],
            defaults: vec![format!("packages.{system}.default"), format!("defaultPackage.{system}")],
        }
    }

    fn candidates(&self, fragment: &str) -> Vec<String> {
        if fragment.is_empty() {
            return self.defaults.clone();
        }
        // A leading dot means the fragment as it stands.
        if let Some(exact) = fragment.strip_prefix('.') {
            return vec![exact.to_owned()];
        }
        let prefixed = self.prefixes.iter().map(|prefix| format!("{prefix}{fragment}"));
        prefixed.chain([fragment.to_owned()]).collect()
    }
}

impl Session {
    /// Reads a flake reference and what stands behind its `#`; paths start from `base`.
    ///
    /// # Errors
    /// A malformed reference, or a folder without a flake.
    pub fn parse_flake(&self, text: &str, base: &Path) -> Result<(FlakeReference, String), Error> {
        let how = How { base: Some(base), ..How::default() };
        Ok(FlakeReference::parse(&self.world.fetcher().settings, text, &how)?)
    }

    /// The settings that `nixConfig` of a flake asks for, as texts. A path among them is copied to the store.
    ///
    /// # Errors
    /// Whatever fetching and reading the flake raise.
    pub fn flake_config(&self, reference: &FlakeReference) -> Result<Vec<(String, String)>, Error> {
        let (config, folder) = flake_config(self.world.fetcher(), reference)?;
        let text = |value| match value {
            ConfigValue::Text(text) => Ok(text),
            ConfigValue::Int(int) => Ok(int.to_string()),
            ConfigValue::Bool(yes) => Ok(yes.to_string()),
            ConfigValue::List(words) => {
                let from = words.iter().position(|word| !word.is_empty()).unwrap_or(words.len());
                Ok(words[from..].join(" "))
            }
            ConfigValue::Path(path) => {
                let path = format!("{folder}/{path}");
                let name = path.rsplit('/').next().unwrap_or("source");
                let request = AddPath { name, path: &path, recursive: true, sha256: None, filter: None };
                self.world.add_path(request).map_err(Error::Other)
            }
        };
        config.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect()
    }

    /// Pins the inputs of a flake, and writes its lock file as the flags say.
    ///
    /// # Errors
    /// Whatever fetching and locking raise.
    pub fn lock_flake(&self, reference: &FlakeReference, flags: &LockFlags) -> Result<LockedFlake, Error> {
        let locked = lock_flake(self.world.fetcher(), reference, flags);
        self.world.take_fetch_warnings();
        Ok(locked?)
    }

    /// Fetches the tree of a flake, or of anything else that a reference names.
    ///
    /// # Errors
    /// What fetching raises.
    pub fn fetch_tree(&self, reference: &FlakeReference) -> Result<Tree, Error> {
        let fetched = self.world.fetcher().fetch_resolved(&reference.input, UseRegistries::All);
        self.world.take_fetch_warnings();
        Ok(fetched?.0)
    }

    /// A reference with all that pins what it stands for now.
    ///
    /// # Errors
    /// What fetching raises.
    pub fn pinned(&self, reference: &FlakeReference) -> Result<FlakeReference, Error> {
        let fetched = self.world.fetcher().fetch_resolved(&reference.input, UseRegistries::All);
        self.world.take_fetch_warnings();
        let (tree, _, extra) = fetched?;
        let folder = match extra.text("dir")? {
            Some(folder) if reference.folder.is_empty() => folder.to_owned(),
            _ => reference.folder.clone(),
        };
        Ok(FlakeReference { input: tree.input, folder })
    }

    /// What fetching depends on.
    pub fn fetch_settings(&self) -> &FetchSettings {
        &self.world.fetcher().settings
    }

    /// What names of registries stand for, with the kind of the registry that says so: the nearest first.
    ///
    /// # Errors
    /// Where the global registry cannot be fetched.
    pub fn registries(&self) -> Result<Vec<(&'static str, Vec<Entry>)>, Error> {
        let all = self.world.fetcher().all_registries();
        self.world.take_fetch_warnings();
        Ok(all?)
    }

    /// The value of a locked flake: its outputs with `inputs`, `sourceInfo`, `outPath` and more.
    ///
    /// # Errors
    /// What evaluation raises.
    pub fn call_flake(&mut self, locked: &LockedFlake) -> Result<Value, Error> {
        Ok(call(&mut self.evaluator, &self.world, locked)?)
    }

    /// The value that a fragment names in the outputs of a flake, and its attribute path.
    ///
    /// # Errors
    /// What evaluation raises; where there is nothing of that name, which names were tried.
    pub fn flake_output(
        &mut self,
        locked: &LockedFlake,
        fragment: &str,
        search: &OutputSearch,
    ) -> Result<(Value, String), Error> {
        let flake = self.call_flake(locked)?;
        let outputs = self.evaluator.select(flake, "outputs")?;
        let candidates = search.candidates(fragment);
        for candidate in &candidates {
            if let Some(value) = self.find(outputs, candidate)? {
                return Ok((value, candidate.clone()));
            }
        }
        let names: Vec<String> = candidates.iter().map(|candidate| format!("`{candidate}`")).collect();
        let message = format!("the flake `{}` has no {}", locked.locked, names.join(", no "));
        let mut diagnostic = Diagnostic::error(&diagnostics::no_selection::ENTRY, message);
        let known = self.evaluator.attributes(outputs)?;
        let known: Vec<&str> = known.iter().map(|attribute| self.evaluator.name(attribute.name)).collect();
        if let Some(near) = nival_eval::nearest(fragment, known.iter().copied()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else {
            diagnostic = diagnostic.help(format!("its outputs are: {}", known.join(", ")));
        }
        Err(Error::Other(Box::new(diagnostic)))
    }

    fn find(&mut self, from: Value, path: &str) -> EvalResult<Option<Value>> {
        let ev = &mut self.evaluator;
        let mut value = ev.force(from)?;
        for name in attribute_path(path) {
            if ev.kind(value)? != nival_eval::Kind::Attrs {
                return Ok(None);
            }
            match ev.select_opt(value, &name)? {
                Some(next) => value = ev.force(next)?,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }
}

/// The names of an attribute path; quotes keep dots together.
pub fn attribute_path(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut name, mut quoted) = (String::new(), false);
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            '.' if !quoted => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    if !name.is_empty() || !names.is_empty() {
        names.push(name);
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Makes the value of a locked flake.
fn call(evaluator: &mut Evaluator, world: &EngineWorld, locked: &LockedFlake) -> EvalResult {
    let (text, names) = locked.lock_file.text();
    let mut fetched = Vec::new();
    for (node, folder) in &locked.folders {
        let Some(name) = names.get(node) else { continue };
        let reference = locked.lock_file.nodes[*node].locked.as_ref().map_or(&locked.locked, |l| &l.locked);
        let dirty = *node == 0 && locked.force_dirty;
        let Ok((path, inner)) = world.store().dir().parse_prefix(folder) else { continue };
        let fields = world.fields(&path, &reference.input, false, dirty);
        let source = evaluator.fetched_set(&fields);
        let dir = evaluator.string(inner.trim_start_matches('/'));
        let (source_name, dir_name) = (evaluator.symbol("sourceInfo"), evaluator.symbol("dir"));
        let entry = evaluator.attrs(&[(source_name, source), (dir_name, dir)]);
        fetched.push((evaluator.symbol(name), entry));
    }
    let fetched = evaluator.attrs(&fetched);
    let text = evaluator.string(&text);
    let function = evaluator.eval_text("call-flake.nix", CALL_FLAKE, "/", None)?;
    let fetch = evaluator.final_tree_function();
    evaluator.call(function, &[text, fetched, fetch])
}
