//! Locking: from what a flake asks for, and what was locked, to a new lock file.
//!
//! Inputs that are locked and asked for in the same way are kept without being
//! fetched; the others are fetched, and their own inputs locked in turn.

use super::difference::difference;
use super::lock_file::{Edge, InputPath, LockFile, Locked, NodeId};
use super::read::{ConfigValue, Flake, FlakeInput};
use super::reference::{FlakeReference, lexical};
use super::write::write;
use crate::fetchers::{Attributes, Error, Fetcher, Input, UseRegistries};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// What may be done about a lock file.
#[derive(Clone, Debug)]
pub struct LockFlags {
    /// Makes a new file, whatever the old one says.
    pub recreate: bool,
    /// Whether the file may change.
    pub update: bool,
    /// Whether a changed file is written.
    pub write: bool,
    /// Whether an input that cannot be pinned is an error where the file is written.
    pub fail_on_unlocked: bool,
    /// Whether registries are asked.
    pub registries: bool,
    /// Whether inputs may be fetched that nothing pins.
    pub allow_unlocked: bool,
    /// Whether a written file is committed.
    pub commit: bool,
    /// The first line of the commit; the usual one where there is none.
    pub commit_summary: Option<String>,
    /// Where the old file is read instead.
    pub reference_file: Option<PathBuf>,
    /// Where the file is written instead.
    pub output_file: Option<PathBuf>,
    /// Inputs that are something else than the flake says.
    pub overrides: BTreeMap<InputPath, FlakeReference>,
    /// Inputs that are locked anew.
    pub updates: BTreeSet<InputPath>,
}

impl Default for LockFlags {
    fn default() -> Self {
        Self {
            recreate: false,
            update: true,
            write: true,
            fail_on_unlocked: false,
            registries: true,
            allow_unlocked: true,
            commit: false,
            commit_summary: None,
            reference_file: None,
            output_file: None,
            overrides: BTreeMap::new(),
            updates: BTreeSet::new(),
        }
    }
}

/// A flake with all of its inputs pinned.
#[derive(Clone, Debug)]
pub struct LockedFlake {
    /// What its `flake.nix` says.
    pub flake: Flake,
    /// Where it is, as it was asked for.
    pub original: FlakeReference,
    /// Where it is, registries resolved.
    pub resolved: FlakeReference,
    /// Where it is, pinned.
    pub locked: FlakeReference,
    /// Its folder, in the store.
    pub folder: String,
    /// The pinned inputs.
    pub lock_file: LockFile,
    /// The folders of the nodes that were fetched, in the store.
    pub folders: HashMap<NodeId, String>,
    /// Whether a changed lock file was not written, so that the flake is not what its revision says.
    pub force_dirty: bool,
    /// What changed, as text; empty where nothing did.
    pub changes: String,
    /// The file that was written, if one was.
    pub written: Option<PathBuf>,
}

/// A flake that was fetched and read.
struct Fetched {
    flake: Flake,
    resolved: FlakeReference,
    locked: FlakeReference,
    folder: String,
}

/// What stands for an input, and from which flake.
#[derive(Clone)]
struct Override {
    input: FlakeInput,
    folder: String,
    parent: Option<InputPath>,
}

/// Inputs of one node and where they come from.
struct Work<'w> {
    inputs: &'w BTreeMap<String, FlakeInput>,
    node: NodeId,
    prefix: &'w InputPath,
    old: Option<NodeId>,
    /// What `follows` of the old file starts from.
    follows_prefix: &'w InputPath,
    folder: &'w str,
    trust: bool,
}

struct Locker<'l> {
    fetcher: &'l Fetcher,
    flags: &'l LockFlags,
    old: LockFile,
    new: LockFile,
    overrides: BTreeMap<InputPath, Override>,
    used_overrides: BTreeSet<InputPath>,
    used_updates: BTreeSet<InputPath>,
    parents: Vec<FlakeReference>,
    folders: HashMap<NodeId, String>,
    limited: UseRegistries,
}

fn file_of(fetcher: &Fetcher, folder: &str, name: &str) -> PathBuf {
    let path = format!("{folder}/{name}");
    match fetcher.store().dir().parse_prefix(&path) {
        Ok((store_path, rest)) => fetcher.physical(&store_path).join(rest.trim_start_matches('/')),
        Err(_) => PathBuf::from(path),
    }
}

/// Reads the `flake.nix` of a folder.
fn read_flake(
    fetcher: &Fetcher,
    folder: &str,
    shown: &FlakeReference,
    prefix: &InputPath,
) -> Result<Flake, Error> {
    let file = file_of(fetcher, folder, "flake.nix");
    let text = std::fs::read(&file).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                "it has no `flake.nix`".to_owned()
            }
            _ => error.to_string(),
        };
        Error::Flake { path: shown.to_string(), why }
    })?;
    Flake::parse(&fetcher.settings, &text, &format!("{folder}/flake.nix"), prefix)
}

fn joined(root: &str, folder: &str) -> String {
    lexical(&Path::new(root).join(folder.trim_start_matches('/')))
}

/// Fetches and reads a flake.
fn get_flake(
    fetcher: &Fetcher,
    reference: &FlakeReference,
    registries: UseRegistries,
    prefix: &InputPath,
) -> Result<Fetched, Error> {
    let (tree, resolved, extra) = fetcher.fetch_resolved(&reference.input, registries)?;
    let folder = extra.text("dir")?.unwrap_or(&reference.folder).to_owned();
    let root = fetcher.store().dir().print(&tree.path);
    let resolved = FlakeReference { input: resolved, folder: folder.clone() };
    let path = joined(&root, &folder);
    let flake = read_flake(fetcher, &path, &resolved, prefix)?;
    let mut locked = FlakeReference { input: tree.input, folder: folder.clone() };
    if flake.self_attributes == Attributes::default() {
        return Ok(Fetched { flake, resolved, locked, folder: path });
    }
    // The flake says how it is to be fetched: once more, if that is another way.
    let mut wanted = locked.input.clone();
    for (name, value) in &flake.self_attributes.0 {
        if name != "submodules" && name != "lfs" {
            let why = format!("`inputs.self` has no attribute `{name}`");
            return Err(Error::Flake { path: resolved.to_string(), why });
        }
        wanted.attributes.set(name, value.clone());
    }
    if wanted == locked.input {
        return Ok(Fetched { flake, resolved, locked, folder: path });
    }
    wanted.attributes.remove("narHash");
    let (tree, _, _) = fetcher.fetch_resolved(&without_mark(&wanted), UseRegistries::No)?;
    locked.input = tree.input;
    let path = joined(&fetcher.store().dir().print(&tree.path), &folder);
    let flake = read_flake(fetcher, &path, &resolved, prefix)?;
    Ok(Fetched { flake, resolved, locked, folder: path })
}

/// The settings that a flake asks for, and its folder in the store. Nothing of its inputs is fetched.
///
/// # Errors
/// Whatever fetching and reading it raise.
pub fn flake_config(
    fetcher: &Fetcher,
    reference: &FlakeReference,
) -> Result<(BTreeMap<String, ConfigValue>, String), Error> {
    let fetched = get_flake(fetcher, reference, UseRegistries::All, &Vec::new())?;
    Ok((fetched.flake.nix_config, fetched.folder))
}

/// An input that is to be fetched again, so that nothing of it is final.
fn without_mark(input: &Input) -> Input {
    let mut input = input.clone();
    input.attributes.remove(crate::fetchers::FINAL);
    for name in ["dirtyRev", "dirtyShortRev", "lastModified", "revCount"] {
        input.attributes.remove(name);
    }
    input
}

fn read_lock(fetcher: &Fetcher, path: &Path, shown: &str) -> Result<LockFile, Error> {
    match std::fs::read(path) {
        Ok(text) => LockFile::parse(fetcher, &text, shown),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(LockFile::default()),
        Err(error) => Err(Error::Io(path.to_owned(), error)),
    }
}

/// Pins all inputs of a flake, and writes its lock file where that is wanted and needed.
///
/// # Errors
/// Any [`Error`].
pub fn lock_flake(fetcher: &Fetcher, top: &FlakeReference, flags: &LockFlags) -> Result<LockedFlake, Error> {
    fetcher.settings.require("flakes", top)?;
    let all = if flags.registries { UseRegistries::All } else { UseRegistries::No };
    let fetched = get_flake(fetcher, top, all, &Vec::new())?;
    let shown = fetched.locked.to_string();
    finish(fetcher, top, flags, fetched)
        .map_err(|error| error.context(format!("while updating the lock file of the flake `{shown}`")))
}

fn finish(
    fetcher: &Fetcher,
    top: &FlakeReference,
    flags: &LockFlags,
    fetched: Fetched,
) -> Result<LockedFlake, Error> {
    let lock_path = match &flags.reference_file {
        Some(file) => file.clone(),
        None => file_of(fetcher, &fetched.folder, "flake.lock"),
    };
    let old = read_lock(fetcher, &lock_path, &fetched.resolved.to_string())?;
    let mut locker = Locker {
        fetcher,
        flags,
        old,
        new: LockFile::default(),
        overrides: BTreeMap::new(),
        used_overrides: BTreeSet::new(),
        used_updates: BTreeSet::new(),
        parents: Vec::new(),
        folders: HashMap::new(),
        limited: if flags.registries { UseRegistries::Limited } else { UseRegistries::No },
    };
    locker.run(&fetched)?;
    let Locker { old, new, folders, .. } = locker;
    let mut result = LockedFlake {
        flake: fetched.flake,
        original: top.clone(),
        resolved: fetched.resolved,
        locked: fetched.locked,
        folder: fetched.folder,
        lock_file: new,
        folders,
        force_dirty: false,
        changes: String::new(),
        written: None,
    };
    if result.lock_file.json().0 != old.json().0 || flags.output_file.is_some() {
        changed(fetcher, top, flags, &old, &mut result)?;
    }
    Ok(result)
}

/// Does what is to be done about a lock file that changed.
fn changed(
    fetcher: &Fetcher,
    top: &FlakeReference,
    flags: &LockFlags,
    old: &LockFile,
    result: &mut LockedFlake,
) -> Result<(), Error> {
    let refused = |why: String| Error::Lock { path: top.to_string(), why };
    result.changes = difference(old, &result.lock_file);
    if !flags.write {
        result.force_dirty = true;
        return Ok(());
    }
    if top.input.source_path().is_none() && flags.output_file.is_none() {
        return Err(refused(
            "it would have to change, and the flake is no folder that can be written".to_owned(),
        ));
    }
    if let Some(unlocked) = result.lock_file.unlocked(&fetcher.settings) {
        let text = format!("it is not written, since the input `{unlocked}` is not pinned");
        if flags.fail_on_unlocked {
            return Err(refused(text));
        }
        if fetcher.settings.warn_dirty {
            fetcher.warn(format!("the lock file of `{top}`: {text}"));
        }
        return Ok(());
    }
    if !flags.update {
        return Err(refused("it would have to change, which is not allowed".to_owned()));
    }
    let text = format!("{}\n", result.lock_file.text().0);
    let message = flags.commit.then(|| commit_message(top, flags, old, &result.changes));
    result.written = Some(match &flags.output_file {
        Some(file) => {
            nival_sys::fs::write_atomic(file, text.as_bytes(), 0o644)
                .map_err(|error| Error::Io(file.clone(), error))?;
            file.clone()
        }
        None => write(top, &text, message.as_deref())?,
    });
    fetcher.forget(&top.input);
    Ok(())
}

fn commit_message(top: &FlakeReference, flags: &LockFlags, old: &LockFile, changes: &str) -> String {
    let inner = if top.folder.is_empty() { String::new() } else { format!("{}/", top.folder) };
    let verb = if old.nodes[0].inputs.is_empty() { "Add" } else { "Update" };
    let summary = flags.commit_summary.clone().filter(|summary| !summary.is_empty());
    let summary = summary.unwrap_or_else(|| format!("{inner}flake.lock: {verb}"));
    format!("{summary}\n\nFlake lock file updates:\n\n{changes}")
}

impl Locker<'_> {
    fn run(&mut self, top: &Fetched) -> Result<(), Error> {
        for (path, reference) in &self.flags.overrides {
            let input =
                FlakeInput { reference: Some(reference.clone()), is_flake: true, ..FlakeInput::default() };
            let target = Override { input, folder: top.folder.clone(), parent: None };
            self.overrides.insert(path.clone(), target);
        }
        self.folders.insert(0, top.folder.clone());
        let root = Vec::new();
        self.compute(&Work {
            inputs: &top.flake.inputs,
            node: 0,
            prefix: &root,
            old: (!self.flags.recreate).then_some(0),
            follows_prefix: &root,
            folder: &top.folder,
            trust: false,
        })?;
        for path in self.flags.overrides.keys().filter(|path| !self.used_overrides.contains(*path)) {
            self.fetcher.warn(format!("no input is overridden: there is no `{}`", path.join("/")));
        }
        for path in self.flags.updates.iter().filter(|path| !self.used_updates.contains(*path)) {
            self.fetcher.warn(format!("no input is updated: there is no `{}`", path.join("/")));
        }
        self.new.check()
    }

    /// Notes what inputs say of their own inputs; what was said further out counts.
    fn add_overrides(&mut self, input: &FlakeInput, path: &InputPath, work: &Work<'_>) {
        for (name, inner) in &input.overrides {
            let mut path = path.clone();
            path.push(name.clone());
            if inner.reference.is_some() || inner.follows.is_some() {
                self.overrides.entry(path.clone()).or_insert_with(|| Override {
                    input: inner.clone(),
                    folder: work.folder.to_owned(),
                    parent: Some(work.prefix.clone()),
                });
            }
            self.add_overrides(inner, &path, work);
        }
    }

    fn compute(&mut self, work: &Work<'_>) -> Result<(), Error> {
        for (name, input) in work.inputs {
            let path = below(work.prefix, name);
            self.add_overrides(input, &path, work);
        }
        for path in self.overrides.keys() {
            if let Some((name, parent)) = path.split_last()
                && parent == work.prefix.as_slice()
                && !work.inputs.contains_key(name)
            {
                let parent = parent.join("/");
                self.fetcher
                    .warn(format!("the input `{parent}` has no input `{name}` that could be overridden"));
            }
        }
        for (name, input) in work.inputs {
            let path = below(work.prefix, name);
            self.input(work, name, input, &path).map_err(|error| {
                error.context(format!("while updating the input `{}` of the flake", path.join("/")))
            })?;
        }
        Ok(())
    }

    fn input(
        &mut self,
        work: &Work<'_>,
        name: &str,
        own: &FlakeInput,
        path: &InputPath,
    ) -> Result<(), Error> {
        let target = self.overrides.get(path).cloned();
        let (mut input, folder, parent) = match target {
            Some(Override { input, folder, parent }) => {
                self.used_overrides.insert(path.clone());
                (FlakeInput { is_flake: own.is_flake, ..input }, folder, parent)
            }
            None => (own.clone(), work.folder.to_owned(), Some(work.prefix.clone())),
        };
        if let Some(follows) = &input.follows {
            self.new.nodes[work.node].inputs.insert(name.to_owned(), Edge::Follows(follows.clone()));
            return Ok(());
        }
        let reference = match input.reference.take() {
            Some(reference) => reference,
            None => {
                let mut attributes = Attributes::default();
                attributes.set("type", "indirect");
                attributes.set("id", name);
                FlakeReference::from_attributes(&self.fetcher.settings, attributes)?
            }
        };
        let parent = reference.input.relative().and(parent);
        self.used_updates.insert(path.clone());
        let explicit = self.flags.overrides.contains_key(path);
        let old = work.old.filter(|_| !self.flags.updates.contains(path));
        let old = old.and_then(|old| match self.old.nodes[old].inputs.get(name) {
            Some(Edge::Node(node)) => Some(*node),
            _ => None,
        });
        let kept = old.and_then(|old| {
            let locked = self.old.nodes[old].locked.clone()?;
            let same = locked.original.canonical() == reference.canonical() && locked.parent == parent;
            (same && !explicit).then_some((old, locked))
        });
        let wanted = Wanted { name, path, reference, folder, parent, is_flake: input.is_flake, explicit };
        match kept {
            Some((old, locked)) => self.keep(work, &wanted, old, locked),
            None => self.lock_anew(work, own, wanted),
        }
    }

    /// Takes an input over from the old lock file.
    fn keep(
        &mut self,
        work: &Work<'_>,
        wanted: &Wanted<'_>,
        old: NodeId,
        locked: Locked,
    ) -> Result<(), Error> {
        let node = self.new.add(locked.clone());
        self.new.nodes[work.node].inputs.insert(wanted.name.to_owned(), Edge::Node(node));
        let path = wanted.path;
        let mut refetch =
            self.flags.updates.iter().any(|update| update.len() > path.len() && update.starts_with(path));
        let mut inputs = BTreeMap::new();
        if !refetch {
            for (name, edge) in &self.old.nodes[old].inputs {
                let input = match edge {
                    Edge::Node(child) => {
                        let child = self.old.nodes[*child].locked.as_ref();
                        FlakeInput {
                            reference: child.map(|child| child.original.clone()),
                            is_flake: child.is_none_or(|child| child.is_flake),
                            ..FlakeInput::default()
                        }
                    }
                    Edge::Follows(follows) => {
                        // The flake may say otherwise by now: only what is still said from further out is sure.
                        if !work.trust && !self.overrides.contains_key(&below(path, name)) {
                            refetch = true;
                            break;
                        }
                        let follows = work.follows_prefix.iter().chain(follows).cloned().collect();
                        FlakeInput { follows: Some(follows), is_flake: true, ..FlakeInput::default() }
                    }
                };
                inputs.insert(name.clone(), input);
            }
        }
        if !refetch {
            return self.compute(&Work {
                inputs: &inputs,
                node,
                prefix: path,
                old: Some(old),
                follows_prefix: work.follows_prefix,
                folder: work.folder,
                trust: true,
            });
        }
        let fetched = self.fetch_flake(wanted, &locked.locked, self.limited)?;
        self.folders.insert(node, fetched.folder.clone());
        self.compute(&Work {
            inputs: &fetched.flake.inputs,
            node,
            prefix: path,
            old: Some(old),
            follows_prefix: work.follows_prefix,
            folder: &fetched.folder,
            trust: false,
        })
    }

    /// Fetches a flake, or reads one that lies beside the flake that names it.
    fn fetch_flake(
        &self,
        wanted: &Wanted<'_>,
        reference: &FlakeReference,
        registries: UseRegistries,
    ) -> Result<Fetched, Error> {
        let Some(folder) = wanted.relative_folder() else {
            return get_flake(self.fetcher, reference, registries, wanted.path);
        };
        let folder = joined(&folder, &reference.folder);
        let flake = read_flake(self.fetcher, &folder, reference, wanted.path)?;
        Ok(Fetched { flake, resolved: reference.clone(), locked: reference.clone(), folder })
    }

    fn lock_anew(&mut self, work: &Work<'_>, own: &FlakeInput, wanted: Wanted<'_>) -> Result<(), Error> {
        let reference = &wanted.reference;
        let pinned =
            reference.input.is_locked(&self.fetcher.settings) || reference.input.relative().is_some();
        if !self.flags.allow_unlocked && !pinned {
            let text = format!("the input `{}` is not pinned: `{reference}`", wanted.path.join("/"));
            return Err(Error::Refused(text));
        }
        // An override by the command line stays one: the file keeps what the flake says.
        let original = own.reference.clone().filter(|_| wanted.explicit).unwrap_or_else(|| reference.clone());
        if !wanted.is_flake {
            let (locked, folder) = self.fetch_tree(&wanted)?;
            let locked = Locked { locked, original, is_flake: false, parent: wanted.parent.clone() };
            let node = self.new.add(locked);
            self.folders.insert(node, folder);
            self.new.nodes[work.node].inputs.insert(wanted.name.to_owned(), Edge::Node(node));
            return Ok(());
        }
        let registries =
            if wanted.explicit && self.flags.registries { UseRegistries::All } else { self.limited };
        let fetched = self.fetch_flake(&wanted, reference, registries)?;
        let locked = Locked {
            locked: fetched.locked.clone(),
            original,
            is_flake: true,
            parent: wanted.parent.clone(),
        };
        let node = self.new.add(locked);
        self.new.nodes[work.node].inputs.insert(wanted.name.to_owned(), Edge::Node(node));
        if self.parents.contains(reference) {
            let why = "it is an input of itself".to_owned();
            return Err(Error::Flake { path: reference.to_string(), why });
        }
        self.folders.insert(node, fetched.folder.clone());
        let lock_path = file_of(self.fetcher, &fetched.folder, "flake.lock");
        let inner = read_lock(self.fetcher, &lock_path, &reference.to_string())?;
        let base = self.adopt_old(inner);
        self.parents.push(reference.clone());
        let result = self.compute(&Work {
            inputs: &fetched.flake.inputs,
            node,
            prefix: wanted.path,
            old: Some(base),
            follows_prefix: wanted.path,
            folder: &fetched.folder,
            trust: false,
        });
        self.parents.pop();
        result
    }

    /// Puts the lock file of an input beside the nodes of the old one; its root there.
    fn adopt_old(&mut self, file: LockFile) -> NodeId {
        let base = self.old.nodes.len();
        for mut node in file.nodes {
            for edge in node.inputs.values_mut() {
                if let Edge::Node(child) = edge {
                    *child += base;
                }
            }
            self.old.nodes.push(node);
        }
        base
    }

    fn fetch_tree(&self, wanted: &Wanted<'_>) -> Result<(FlakeReference, String), Error> {
        if let Some(folder) = wanted.relative_folder() {
            return Ok((wanted.reference.clone(), folder));
        }
        let (tree, _, _) = self.fetcher.fetch_resolved(&wanted.reference.input, self.limited)?;
        let folder = self.fetcher.store().dir().print(&tree.path);
        Ok((FlakeReference { input: tree.input, folder: wanted.reference.folder.clone() }, folder))
    }
}

/// An input that is wanted.
struct Wanted<'w> {
    name: &'w str,
    path: &'w InputPath,
    reference: FlakeReference,
    /// The folder that a relative path starts from.
    folder: String,
    parent: Option<InputPath>,
    is_flake: bool,
    explicit: bool,
}

impl Wanted<'_> {
    /// The folder of an input that is a path beside the flake.
    fn relative_folder(&self) -> Option<String> {
        self.reference.input.relative().map(|path| lexical(&Path::new(&self.folder).join(path)))
    }
}

fn below(prefix: &InputPath, name: &str) -> InputPath {
    prefix.iter().cloned().chain([name.to_owned()]).collect()
}
