//! `flake.lock`: the graph of inputs, each pinned.

use super::reference::FlakeReference;
use crate::fetchers::{Attributes, Error, FetchSettings, Fetcher, is_flake_id};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The way to an input: names from the root.
pub type InputPath = Vec<String>;

/// Names one node of a [`LockFile`].
pub type NodeId = usize;

/// Where an input leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// To a node.
    Node(NodeId),
    /// To what another input leads to.
    Follows(InputPath),
}

/// What pins a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Where it is, pinned.
    pub locked: FlakeReference,
    /// Where it is, as the flake says.
    pub original: FlakeReference,
    /// False for a tree that is no flake.
    pub is_flake: bool,
    /// The flake that a relative path starts from.
    pub parent: Option<InputPath>,
}

/// One node: the root, or an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its inputs.
    pub inputs: BTreeMap<String, Edge>,
    /// What pins it; nothing for the root.
    pub locked: Option<Locked>,
}

/// A lock file; node 0 is the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// The nodes.
    pub nodes: Vec<Node>,
}

impl Default for LockFile {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

/// Reads names with slashes between them.
///
/// # Errors
/// [`Error::Reference`].
pub fn parse_input_path(text: &str) -> Result<InputPath, Error> {
    let names = text.split('/').filter(|name| !name.is_empty());
    names
        .map(|name| {
            let wrong = || Error::Reference(format!("`{name}` cannot be the name of an input, in `{text}`"));
            if is_flake_id(name) { Ok(name.to_owned()) } else { Err(wrong()) }
        })
        .collect()
}

struct Parser<'p> {
    fetcher: &'p Fetcher,
    nodes: &'p Value,
    path: &'p str,
    known: HashMap<String, NodeId>,
    file: LockFile,
}

impl LockFile {
    /// Reads a lock file.
    ///
    /// # Errors
    /// [`Error::Lock`], [`Error::Reference`].
    pub fn parse(fetcher: &Fetcher, text: &[u8], path: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::Lock { path: path.to_owned(), why };
        let json: Value =
            serde_json::from_slice(text).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
        match json["version"].as_u64() {
            Some(5..=7) => {}
            _ => return Err(wrong(format!("its version is not known: {}", json["version"]))),
        }
        let root = json["root"].as_str().ok_or_else(|| wrong("it names no root".to_owned()))?;
        let mut parser =
            Parser { fetcher, nodes: &json["nodes"], path, known: HashMap::new(), file: Self::default() };
        parser.known.insert(root.to_owned(), 0);
        parser.inputs(0, &json["nodes"][root])?;
        Ok(parser.file)
    }

    /// Adds a node.
    pub fn add(&mut self, locked: Locked) -> NodeId {
        self.nodes.push(Node { inputs: BTreeMap::new(), locked: Some(locked) });
        self.nodes.len() - 1
    }

    /// What an input leads to, in the end; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Lock`] where inputs follow each other in a circle.
    pub fn find(&self, path: &[String]) -> Result<Option<NodeId>, Error> {
        self.find_from(path, &mut Vec::new())
    }

    fn find_from(&self, path: &[String], visited: &mut Vec<InputPath>) -> Result<Option<NodeId>, Error> {
        if let Some(at) = visited.iter().position(|seen| seen == path) {
            let circle: Vec<String> = visited[at..].iter().map(|path| path.join("/")).collect();
            let why = format!(
                "inputs follow each other in a circle: {} -> {}",
                circle.join(" -> "),
                path.join("/")
            );
            return Err(Error::Lock { path: path.join("/"), why });
        }
        visited.push(path.to_vec());
        let mut at = 0;
        for name in path {
            match self.nodes[at].inputs.get(name) {
                None => return Ok(None),
                Some(Edge::Node(node)) => at = *node,
                Some(Edge::Follows(other)) => match self.find_from(other, visited)? {
                    Some(node) => at = node,
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(at))
    }

    /// All inputs by their way, each node's own once.
    pub fn all_inputs(&self) -> BTreeMap<InputPath, Edge> {
        let mut all = BTreeMap::new();
        self.gather(&Vec::new(), 0, &mut HashSet::new(), &mut all);
        all
    }

    fn gather(
        &self,
        prefix: &InputPath,
        node: NodeId,
        done: &mut HashSet<NodeId>,
        all: &mut BTreeMap<InputPath, Edge>,
    ) {
        if !done.insert(node) {
            return;
        }
        for (name, edge) in &self.nodes[node].inputs {
            let mut path = prefix.clone();
            path.push(name.clone());
            all.insert(path.clone(), edge.clone());
            if let Edge::Node(child) = edge {
                self.gather(&path, *child, done, all);
            }
        }
    }

    /// Whether each input that is followed is there.
    ///
    /// # Errors
    /// [`Error::Lock`].
    pub fn check(&self) -> Result<(), Error> {
        for (path, edge) in self.all_inputs() {
            if let Edge::Follows(target) = edge
                && !target.is_empty()
                && self.find(&target)?.is_none()
            {
                let why =
                    format!("the input `{}` follows `{}`, which is none", path.join("/"), target.join("/"));
                return Err(Error::Lock { path: path.join("/"), why });
            }
        }
        Ok(())
    }

    /// An input that nothing pins, if there is one.
    pub fn unlocked(&self, settings: &FetchSettings) -> Option<&FlakeReference> {
        let is_locked = |locked: &Locked| {
            let input = &locked.locked.input;
            let dirty = settings.allow_dirty_locks && input.attributes.has("narHash");
            (input.is_locked(settings) || dirty) && input.is_final() || input.relative().is_some()
        };
        let locked = self.nodes.iter().filter_map(|node| node.locked.as_ref());
        locked.filter(|locked| !is_locked(locked)).map(|locked| &locked.locked).next()
    }

    /// The text of the file without a last line break, and what each node is called in it.
    pub fn text(&self) -> (String, HashMap<NodeId, String>) {
        let (json, names) = self.json();
        (format!("{json:#}"), names)
    }

    /// As JSON, and what each node is called in it.
    pub fn json(&self) -> (Value, HashMap<NodeId, String>) {
        let mut printer =
            Printer { file: self, names: HashMap::new(), taken: BTreeSet::new(), nodes: BTreeMap::new() };
        let root = printer.node("root", 0);
        let nodes: Map<String, Value> = printer.nodes.into_iter().collect();
        (json!({ "nodes": nodes, "root": root, "version": 7 }), printer.names)
    }
}

impl Parser<'_> {
    fn wrong(&self, why: impl Into<String>) -> Error {
        Error::Lock { path: self.path.to_owned(), why: why.into() }
    }

    fn inputs(&mut self, node: NodeId, json: &Value) -> Result<(), Error> {
        let Some(inputs) = json["inputs"].as_object() else { return Ok(()) };
        for (name, target) in inputs {
            let edge = match target {
                Value::Array(parts) => {
                    let parts = parts.iter().map(|part| part.as_str().map(str::to_owned));
                    let path: Option<InputPath> = parts.collect();
                    Edge::Follows(
                        path.ok_or_else(|| self.wrong(format!("the input `{name}` follows no path")))?,
                    )
                }
                Value::String(key) => Edge::Node(self.node(key)?),
                _ => return Err(self.wrong(format!("the input `{name}` leads nowhere"))),
            };
            self.file.nodes[node].inputs.insert(name.clone(), edge);
        }
        Ok(())
    }

    fn node(&mut self, key: &str) -> Result<NodeId, Error> {
        match self.known.get(key) {
            Some(0) => return Err(self.wrong("an input leads back to the root")),
            Some(node) => return Ok(*node),
            None => {}
        }
        let json = self.nodes.get(key).ok_or_else(|| self.wrong(format!("the node `{key}` is missing")))?;
        let locked = self.locked(key, json)?;
        let node = self.file.add(locked);
        self.known.insert(key.to_owned(), node);
        self.inputs(node, json)?;
        Ok(node)
    }

    fn locked(&self, key: &str, json: &Value) -> Result<Locked, Error> {
        let settings = &self.fetcher.settings;
        let reference = |name: &str, more: Option<&str>| {
            let json_of =
                json.get(name).ok_or_else(|| self.wrong(format!("the node `{key}` lacks `{name}`")))?;
            let mut attributes = Attributes::from_json(json_of)?;
            // Version 5 had a part of the attributes elsewhere.
            if let Some(more) = more.and_then(|more| json.get(more)) {
                attributes.0.extend(Attributes::from_json(more)?.0);
            }
            FlakeReference::from_attributes(settings, attributes)
        };
        let mut locked = reference("locked", Some("info"))?;
        let original = reference("original", None)?;
        if !locked.input.is_locked(settings) && locked.input.relative().is_none() {
            if !locked.input.attributes.has("narHash") {
                return Err(self.wrong(format!("the input `{key}` is not pinned: `{locked}`")));
            }
            self.fetcher.warn(format!("the input `{key}` is pinned by its hash only: `{locked}`"));
        }
        locked.input.set_final();
        let parent = match &json["parent"] {
            Value::Array(parts) => {
                let parts = parts.iter().map(|part| part.as_str().map(str::to_owned));
                Some(parts.collect::<Option<InputPath>>().ok_or_else(|| self.wrong("a parent is no path"))?)
            }
            _ => None,
        };
        Ok(Locked { locked, original, is_flake: json["flake"].as_bool().unwrap_or(true), parent })
    }
}

struct Printer<'p> {
    file: &'p LockFile,
    names: HashMap<NodeId, String>,
    taken: BTreeSet<String>,
    nodes: BTreeMap<String, Value>,
}

impl Printer<'_> {
    fn name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        name
    }

    fn node(&mut self, wanted: &str, id: NodeId) -> String {
        if let Some(name) = self.names.get(&id) {
            return name.clone();
        }
        let name = self.name(wanted);
        self.names.insert(id, name.clone());
        let node = &self.file.nodes[id];
        let mut fields = BTreeMap::new();
        if !node.inputs.is_empty() {
            let mut inputs = Map::new();
            for (name, edge) in &node.inputs {
                let target = match edge {
                    Edge::Node(child) => Value::String(self.node(name, *child)),
                    Edge::Follows(path) => json!(path),
                };
                inputs.insert(name.clone(), target);
            }
            fields.insert("inputs", Value::Object(inputs));
        }
        if let Some(locked) = &node.locked {
            let mut pinned = locked.locked.attributes();
            pinned.remove(crate::fetchers::FINAL);
            fields.insert("original", locked.original.attributes().json());
            fields.insert("locked", pinned.json());
            if !locked.is_flake {
                fields.insert("flake", Value::Bool(false));
            }
            if let Some(parent) = &locked.parent {
                fields.insert("parent", json!(parent));
            }
        }
        let fields: Map<String, Value> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.nodes.insert(name.clone(), Value::Object(fields));
        name
    }
}
