//! All valid paths as one graph of small numbers, read in one pass, and what is alive in it.

use crate::LocalStore;
use crate::database::Database;
use crate::error::Error;
use nival_store_model::base32;
use std::collections::HashMap;

/// No path: for numbers of the database that have none.
const NONE: u32 = u32::MAX;

/// What is read beside references.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    /// From derivations to their outputs.
    pub(super) outputs: bool,
    /// From paths to the derivations that made them.
    pub(super) derivations: bool,
}

/// The valid paths and what each of them keeps alive.
pub(super) struct Graph {
    /// The number that the database gives each.
    ids: Vec<i64>,
    /// All names, one behind the other, and where each ends.
    names: Vec<u8>,
    ends: Vec<u32>,
    /// From the first digits of a name to its number.
    by_digits: HashMap<u64, u32>,
    /// Those whose first digits another one has too.
    alike: Vec<u32>,
    /// What each refers to: a part of `targets`.
    references: Vec<(u32, u32)>,
    targets: Vec<u32>,
    /// Further edges of life, sorted by where they begin.
    further: Vec<(u32, u32)>,
}

/// The first twelve digits of a name, as a number.
fn digits(name: &[u8]) -> Option<u64> {
    let mut number = 0;
    for digit in name.get(..12)? {
        number = number << 5 | u64::from(base32::value(*digit)?);
    }
    Some(number)
}

impl Graph {
    /// Reads the graph.
    pub(super) fn read(store: &LocalStore, keep: Keep) -> Result<Self, Error> {
        let skip = store.dir().as_str().len() + 1;
        store.database(|database| {
            let mut graph = Self {
                ids: Vec::new(),
                names: Vec::new(),
                ends: Vec::new(),
                by_digits: HashMap::new(),
                alike: Vec::new(),
                references: Vec::new(),
                targets: Vec::new(),
                further: Vec::new(),
            };
            let derivers = graph.read_paths(database, keep.derivations, skip)?;
            graph.read_references(database)?;
            if keep.outputs {
                graph.read_outputs(database, skip)?;
            }
            graph.further.extend(derivers);
            graph.further.sort_unstable();
            Ok(graph)
        })
    }

    fn read_paths(
        &mut self,
        database: &Database,
        derivations: bool,
        skip: usize,
    ) -> Result<Vec<(u32, u32)>, Error> {
        // Names of derivers wait until all paths are known.
        let mut waiting: Vec<(u32, u64)> = Vec::new();
        let query = if derivations {
            "select id, path, deriver from ValidPaths"
        } else {
            "select id, path from ValidPaths"
        };
        let mut read = || -> rusqlite::Result<()> {
            let mut query = database.connection.prepare(query)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let index = self.len();
                self.ids.push(row.get(0)?);
                let name = row.get_ref(1)?.as_bytes()?.get(skip..).unwrap_or_default();
                self.names.extend_from_slice(name);
                self.ends.push(self.names.len() as u32);
                let digits = digits(name);
                if let Some(other) = digits.and_then(|digits| self.by_digits.insert(digits, index)) {
                    self.alike.push(other);
                }
                if derivations
                    && let Some(deriver) = row.get_ref(2)?.as_bytes_or_null()?
                    && let Some(digits) = deriver.get(skip..).and_then(self::digits)
                {
                    waiting.push((index, digits));
                }
            }
            Ok(())
        };
        read().map_err(database.failed())?;
        let known = |(index, digits): (u32, u64)| Some((index, *self.by_digits.get(&digits)?));
        Ok(waiting.into_iter().filter_map(known).collect())
    }

    fn read_references(&mut self, database: &Database) -> Result<(), Error> {
        let by_id = self.by_id();
        self.references = vec![(0, 0); self.ids.len()];
        let mut read = || -> rusqlite::Result<()> {
            let mut query = database
                .connection
                .prepare("select referrer, reference from Refs order by referrer, reference")?;
            let mut rows = query.query([])?;
            let mut current = NONE;
            while let Some(row) = rows.next()? {
                let (from, to) = (by_id.index(row.get(0)?), by_id.index(row.get(1)?));
                if from == NONE || to == NONE {
                    continue;
                }
                let at = self.targets.len() as u32;
                if from != current {
                    current = from;
                    self.references[from as usize] = (at, at);
                }
                self.targets.push(to);
                self.references[from as usize].1 = at + 1;
            }
            Ok(())
        };
        read().map_err(database.failed())
    }

    fn read_outputs(&mut self, database: &Database, skip: usize) -> Result<(), Error> {
        let by_id = self.by_id();
        let mut read = || -> rusqlite::Result<()> {
            let mut query = database.connection.prepare("select drv, path from DerivationOutputs")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let from = by_id.index(row.get(0)?);
                let name = row.get_ref(1)?.as_bytes()?.get(skip..).unwrap_or_default();
                if let Some(to) = self.find(name).filter(|_| from != NONE) {
                    self.further.push((from, to));
                }
            }
            Ok(())
        };
        read().map_err(database.failed())
    }

    fn by_id(&self) -> ById {
        let highest = self.ids.iter().copied().max().unwrap_or(0);
        if highest <= 8 * self.ids.len() as i64 + 1024 {
            let mut dense = vec![NONE; usize::try_from(highest).unwrap_or(0) + 1];
            for (index, id) in self.ids.iter().enumerate() {
                if let Some(place) = usize::try_from(*id).ok().and_then(|id| dense.get_mut(id)) {
                    *place = index as u32;
                }
            }
            return ById::Dense(dense);
        }
        ById::Sparse(self.ids.iter().enumerate().map(|(index, id)| (*id, index as u32)).collect())
    }

    /// How many paths there are.
    pub(super) fn len(&self) -> u32 {
        self.ids.len() as u32
    }

    /// The number that the database gives a path.
    pub(super) fn id(&self, index: u32) -> i64 {
        self.ids[index as usize]
    }

    /// The name of a path: `HASH-NAME`.
    pub(super) fn name(&self, index: u32) -> &str {
        let index = index as usize;
        let begin = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        std::str::from_utf8(&self.names[begin..self.ends[index] as usize]).unwrap_or_default()
    }

    /// The path of a name.
    pub(super) fn find(&self, name: &[u8]) -> Option<u32> {
        let index = *self.by_digits.get(&digits(name)?)?;
        let mut candidates = std::iter::once(index).chain(self.alike.iter().copied());
        candidates.find(|index| self.name(*index).as_bytes() == name)
    }

    /// The path with a hash part.
    pub(super) fn find_hash_part(&self, hash_part: &str) -> Option<u32> {
        let index = *self.by_digits.get(&digits(hash_part.as_bytes())?)?;
        let mut candidates = std::iter::once(index).chain(self.alike.iter().copied());
        candidates.find(|index| self.name(*index).starts_with(hash_part))
    }

    fn references(&self, index: u32) -> &[u32] {
        let (begin, end) = self.references[index as usize];
        &self.targets[begin as usize..end as usize]
    }

    fn further(&self, index: u32) -> impl Iterator<Item = u32> + '_ {
        let begin = self.further.partition_point(|(from, _)| *from < index);
        self.further[begin..].iter().take_while(move |(from, _)| *from == index).map(|(_, to)| *to)
    }

    /// Marks a path and all that it keeps alive.
    pub(super) fn mark(&self, start: u32, alive: &mut [bool]) {
        let mut todo = Vec::new();
        if !std::mem::replace(&mut alive[start as usize], true) {
            todo.push(start);
        }
        while let Some(index) = todo.pop() {
            for next in self.references(index).iter().copied().chain(self.further(index)) {
                if !std::mem::replace(&mut alive[next as usize], true) {
                    todo.push(next);
                }
            }
        }
    }

    /// The paths that are not alive, each before those that it refers to.
    pub(super) fn dead_in_order(&self, alive: &[bool]) -> Vec<u32> {
        let is_dead = |index: u32| !alive[index as usize];
        let mut referrers = vec![0u32; self.ids.len()];
        for index in (0..self.len()).filter(|index| is_dead(*index)) {
            for target in self.references(index).iter().filter(|target| **target != index) {
                referrers[*target as usize] += 1;
            }
        }
        let mut order: Vec<u32> =
            (0..self.len()).filter(|index| is_dead(*index) && referrers[*index as usize] == 0).collect();
        let mut next = 0;
        while let Some(index) = order.get(next).copied() {
            next += 1;
            for target in self.references(index).iter().copied().filter(|target| *target != index) {
                let left = &mut referrers[target as usize];
                *left -= 1;
                if *left == 0 && is_dead(target) {
                    order.push(target);
                }
            }
        }
        order
    }
}

enum ById {
    Dense(Vec<u32>),
    Sparse(HashMap<i64, u32>),
}

impl ById {
    fn index(&self, id: i64) -> u32 {
        match self {
            Self::Dense(all) => usize::try_from(id).ok().and_then(|id| all.get(id)).copied().unwrap_or(NONE),
            Self::Sparse(all) => all.get(&id).copied().unwrap_or(NONE),
        }
    }
}
