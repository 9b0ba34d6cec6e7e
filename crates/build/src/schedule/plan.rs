//! What has to be built and what is brought, before anything is done.

use super::{Offered, Request, Run};
use crate::build_error::BuildError;
use crate::derivation::{Structured, Wishes, must_resolve};
use crate::events::Event;
use crate::one::{Surroundings, known_paths};
use crate::outputs::Mode;
use nival_store::LocalStore;
use nival_store_model::{Derivation, StorePath};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Which outputs of a derivation are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every one.
    All,
    /// These.
    Names(BTreeSet<String>),
}

/// One derivation, or one path, of a plan.
pub(super) struct Node {
    pub(super) what: What,
    /// Nodes that this one waits for, with the outputs that it wants of them.
    pub(super) needs: Vec<usize>,
    /// Nodes that wait for this one.
    pub(super) needed_by: Vec<usize>,
    /// The longest way to something that was requested.
    pub(super) height: usize,
}

pub(super) enum What {
    /// Its outputs are there.
    There(BTreeMap<String, StorePath>),
    /// It is built.
    Build(Arc<Derivation>),
    /// Paths are brought; the outputs that they are, and the derivation to build if that fails.
    Bring(BTreeMap<String, StorePath>, Option<Arc<Derivation>>),
    /// It can neither be built nor brought.
    Missing(StorePath),
}

/// What has to be done.
#[derive(Default)]
pub struct Plan {
    pub(super) nodes: Vec<Node>,
    /// The node of each request.
    pub(super) requested: Vec<usize>,
    pub(super) drvs: HashMap<StorePath, usize>,
    names: Vec<StorePath>,
    /// What paths that a cache has refer to, and no cache has.
    unknown: BTreeSet<StorePath>,
}

/// A derivation that is looked at.
struct Look {
    drv: StorePath,
    derivation: Arc<Derivation>,
    /// What is known of its outputs.
    known: BTreeMap<String, StorePath>,
    missing: Vec<StorePath>,
    is_complete: bool,
}

impl Plan {
    /// Plans what has to be done for requests.
    ///
    /// # Errors
    /// What the store says.
    pub fn make(store: &LocalStore, requests: &[Request], run: &Run<'_>) -> Result<Self, BuildError> {
        let mut plan = Self::default();
        let mut wanted: BTreeMap<StorePath, Wanted> = BTreeMap::new();
        for request in requests {
            if let Request::Outputs(drv, outputs) = request {
                add(&mut wanted, drv, outputs);
            }
        }
        let first: BTreeSet<StorePath> = wanted.keys().cloned().collect();
        plan.walk(store, wanted, &first, run)?;
        for request in requests {
            let node = match request {
                Request::Outputs(drv, _) => plan.drvs.get(drv).copied().unwrap_or(0),
                Request::Path(path) => plan.path(store, path, run)?,
            };
            plan.requested.push(node);
        }
        plan.measure();
        Ok(plan)
    }

    fn add(&mut self, name: &StorePath, what: What) -> usize {
        self.nodes.push(Node { what, needs: Vec::new(), needed_by: Vec::new(), height: 0 });
        self.names.push(name.clone());
        self.nodes.len() - 1
    }

    fn path(&mut self, store: &LocalStore, path: &StorePath, run: &Run<'_>) -> Result<usize, BuildError> {
        let outputs = BTreeMap::from([(String::new(), path.clone())]);
        store.temp_root(path)?;
        let what = if store.is_valid(path)? {
            What::There(outputs)
        } else {
            let offered = self.ask(run, std::slice::from_ref(path))?;
            // One whose closure is not whole is tried, which tells what each cache says.
            match offered.whole.is_empty() && offered.unknown.is_empty() {
                true => What::Missing(path.clone()),
                false => What::Bring(outputs, None),
            }
        };
        Ok(self.add(path, what))
    }

    /// Looks at derivations level by level, so that caches are asked about many paths at once.
    fn walk(
        &mut self,
        store: &LocalStore,
        mut level: BTreeMap<StorePath, Wanted>,
        first: &BTreeSet<StorePath>,
        run: &Run<'_>,
    ) -> Result<(), BuildError> {
        let mut edges: Vec<(usize, StorePath)> = Vec::new();
        let mut wants: HashMap<StorePath, BTreeSet<String>> = HashMap::new();
        while !level.is_empty() {
            let mut looks = Vec::new();
            for (drv, outputs) in std::mem::take(&mut level) {
                if let Some(look) = self.look(store, &drv, &outputs, &mut wants)? {
                    looks.push(look);
                }
            }
            let asked: Vec<StorePath> = looks.iter().flat_map(|look| look.missing.iter().cloned()).collect();
            let offered = self.ask(run, &asked)?.whole;
            for look in looks {
                let again = first.contains(&look.drv) && run.mode != Mode::Normal;
                let there = look.missing.is_empty() && look.is_complete;
                let node = if there && !again {
                    self.add(&look.drv, What::There(look.known))
                } else if !again && look.is_complete && look.missing.iter().all(|path| offered.contains(path))
                {
                    self.add(&look.drv, What::Bring(look.known, Some(look.derivation)))
                } else {
                    let node = self.add(&look.drv, What::Build(look.derivation.clone()));
                    for (input, outputs) in &look.derivation.input_derivations {
                        add(&mut level, input, &Wanted::Names(outputs.clone()));
                        edges.push((node, input.clone()));
                    }
                    self.sources(store, node, &look.derivation, run)?;
                    node
                };
                self.drvs.insert(look.drv, node);
            }
        }
        for (from, drv) in edges {
            if let Some(to) = self.drvs.get(&drv).copied() {
                self.connect(from, to);
            }
        }
        Ok(())
    }

    /// Asks the caches, and keeps what they lack of what they have.
    fn ask(&mut self, run: &Run<'_>, paths: &[StorePath]) -> Result<Offered, BuildError> {
        let offered = match run.substituter {
            Some(from) if !paths.is_empty() => from.offered(paths)?,
            _ => Offered::default(),
        };
        self.unknown.extend(offered.unknown.iter().cloned());
        Ok(offered)
    }

    fn connect(&mut self, from: usize, to: usize) {
        if !self.nodes[from].needs.contains(&to) {
            self.nodes[from].needs.push(to);
            self.nodes[to].needed_by.push(from);
        }
    }

    /// Lets a node wait for sources that are not there.
    fn sources(
        &mut self,
        store: &LocalStore,
        node: usize,
        derivation: &Derivation,
        run: &Run<'_>,
    ) -> Result<(), BuildError> {
        for source in &derivation.input_sources {
            store.temp_root(source)?;
            if !store.is_valid(source)? {
                let needed = self.path(store, source, run)?;
                self.connect(node, needed);
            }
        }
        Ok(())
    }

    /// Looks at a derivation; `None` where it was looked at before with these outputs.
    fn look(
        &mut self,
        store: &LocalStore,
        drv: &StorePath,
        outputs: &Wanted,
        wants: &mut HashMap<StorePath, BTreeSet<String>>,
    ) -> Result<Option<Look>, BuildError> {
        store.temp_root(drv)?;
        let derivation = match self.drvs.get(drv).map(|node| &self.nodes[*node].what) {
            Some(What::Build(_) | What::Missing(_)) => return Ok(None),
            Some(What::Bring(_, Some(known))) => known.clone(),
            _ => Arc::new(store.read_derivation(drv)?),
        };
        let names = match outputs {
            Wanted::All => derivation.outputs.keys().cloned().collect(),
            Wanted::Names(names) => names.clone(),
        };
        let wanted = wants.entry(drv.clone()).or_default();
        let before = wanted.len();
        wanted.extend(names);
        if self.drvs.contains_key(drv) && wanted.len() == before {
            return Ok(None);
        }
        let wanted = wanted.clone();
        if let Some(unknown) = wanted.iter().find(|name| !derivation.outputs.contains_key(*name)) {
            let problem = format!("there is no output `{unknown}`");
            return Err(BuildError::Malformed { drv: store.dir().print(drv), problem });
        }
        let known = known_outputs(store, drv, &derivation)?;
        let mut missing = Vec::new();
        let mut is_complete = true;
        let mut found = BTreeMap::new();
        for name in &wanted {
            let Some(path) = known.get(name) else {
                is_complete = false;
                continue;
            };
            store.temp_root(path)?;
            if !store.is_valid(path)? {
                missing.push(path.clone());
            }
            found.insert(name.clone(), path.clone());
        }
        if !missing.is_empty() && !allows_substitutes(store, &derivation) {
            missing.clear();
            is_complete = false;
        }
        Ok(Some(Look { drv: drv.clone(), derivation, known: found, missing, is_complete }))
    }

    /// Measures how far each node is from what was requested, so that long chains are begun first.
    fn measure(&mut self) {
        let mut left: Vec<usize> = self.nodes.iter().map(|node| node.needed_by.len()).collect();
        let mut ready: Vec<usize> = (0..self.nodes.len()).filter(|node| left[*node] == 0).collect();
        while let Some(node) = ready.pop() {
            let height = self.nodes[node].height + 1;
            for needed in self.nodes[node].needs.clone() {
                self.nodes[needed].height = self.nodes[needed].height.max(height);
                left[needed] -= 1;
                if left[needed] == 0 {
                    ready.push(needed);
                }
            }
        }
    }

    /// What is known beforehand of the outputs of a request.
    pub(super) fn expected(
        &self,
        store: &LocalStore,
        number: usize,
        request: &Request,
    ) -> Result<BTreeMap<String, StorePath>, BuildError> {
        let Some(node) = self.requested.get(number).and_then(|node| self.nodes.get(*node)) else {
            return Ok(BTreeMap::new());
        };
        let mut outputs = match &node.what {
            What::There(outputs) | What::Bring(outputs, _) => outputs.clone(),
            What::Build(derivation) => known_paths(store, derivation)?,
            What::Missing(path) => return Err(BuildError::Missing { path: store.dir().print(path) }),
        };
        if let Request::Outputs(_, Wanted::Names(names)) = request {
            outputs.retain(|name, _| names.contains(name));
        }
        Ok(outputs)
    }

    /// What will be built.
    pub fn builds(&self) -> Vec<StorePath> {
        let is_built = |(node, _): &(&Node, &StorePath)| matches!(node.what, What::Build(_));
        self.nodes.iter().zip(&self.names).filter(is_built).map(|(_, name)| name.clone()).collect()
    }

    pub(super) fn name(&self, node: usize) -> &StorePath {
        &self.names[node]
    }

    /// Tells the observer what is going to be done.
    pub(super) fn tell(&self, around: &Surroundings<'_>, run: &Run<'_>) -> Result<(), BuildError> {
        let build = self.builds();
        let mut starts = Vec::new();
        for node in &self.nodes {
            if let What::Bring(outputs, _) = &node.what {
                starts.extend(outputs.values().cloned());
            }
        }
        let offers = match run.substituter {
            Some(from) if !starts.is_empty() => from.offered(&starts)?.offers,
            _ => Vec::new(),
        };
        let unknown: Vec<StorePath> = self.unknown.iter().cloned().collect();
        let fetch: Vec<StorePath> = offers.iter().map(|offer| offer.path.clone()).collect();
        let download = offers.iter().map(|offer| offer.download).sum();
        let unpacked = offers.iter().map(|offer| offer.unpacked).sum();
        if !build.is_empty() || !fetch.is_empty() {
            let (build, fetch, unknown) = (&build, &fetch, &unknown);
            around.observer.tell(Event::Planned { build, fetch, unknown, download, unpacked });
        }
        Ok(())
    }
}

fn add(level: &mut BTreeMap<StorePath, Wanted>, drv: &StorePath, outputs: &Wanted) {
    match (level.get_mut(drv), outputs) {
        (Some(Wanted::Names(old)), Wanted::Names(new)) => old.extend(new.iter().cloned()),
        (Some(Wanted::All), _) => {}
        _ => drop(level.insert(drv.clone(), outputs.clone())),
    }
}

/// What is known of a derivation's outputs: from itself, or from builds before.
pub(super) fn known_outputs(
    store: &LocalStore,
    drv: &StorePath,
    derivation: &Derivation,
) -> Result<BTreeMap<String, StorePath>, BuildError> {
    if !must_resolve(derivation) {
        return known_paths(store, derivation);
    }
    let all = store.outputs_of(drv)?;
    Ok(all.into_iter().filter_map(|(name, path)| Some((name, path?))).collect())
}

fn allows_substitutes(store: &LocalStore, derivation: &Derivation) -> bool {
    let wishes = || Wishes::of(derivation, store.dir(), Structured::of(derivation).ok()?.as_ref()).ok();
    wishes().is_none_or(|wishes| wishes.allow_substitutes)
}
