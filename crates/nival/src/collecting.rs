//! What commands that collect garbage have in common: the roots that this program knows of, and what is shown meanwhile.

use crate::context::Context;
use crate::error::Error;
use crate::output::Output;
use nival_store::{DeleteOptions, GcEvent, GcOptions, GcResult, LocalStore, Root, RootSource};
use nival_store_model::StorePath;
use std::path::PathBuf;

/// A collector with the roots of machines.
pub struct Collector {
    output: Output,
    verbose: u8,
    machines: Vec<Root>,
    pauses: [Option<PathBuf>; 2],
    is_quiet: bool,
}

impl Collector {
    /// A collector for the store of a context. Where that is this program's own, generations of machines are roots.
    pub fn new(context: &mut Context, verbose: u8) -> Result<Self, Error> {
        let store = context.store()?;
        let own = context.store_root().join("nix/store");
        let mut machines = Vec::new();
        if store.config().physical == own {
            for printed in context.machines().generation_paths() {
                let (path, _) = store.dir().parse_prefix(&printed).map_err(nival_store::Error::from)?;
                machines.push(Root { path, source: RootSource::Named("generations of machines".to_owned()) });
            }
        }
        // Nix's own tests of programs that run at the same time hold a collection with these.
        let pauses = ["_NIX_TEST_GC_SYNC_1", "_NIX_TEST_GC_SYNC_2"];
        let pauses = pauses.map(|name| std::env::var_os(name).map(PathBuf::from));
        Ok(Self { output: context.output, verbose, machines, pauses, is_quiet: false })
    }

    /// The same, which says nothing but warnings meanwhile.
    pub fn quiet(mut self) -> Self {
        self.is_quiet = true;
        self
    }

    /// All roots, sorted.
    pub fn roots(&self, store: &LocalStore) -> Result<Vec<Root>, Error> {
        let mut roots = store.roots(&mut |event| self.show(&event))?;
        for root in &self.machines {
            if store.is_valid(&root.path)? {
                roots.push(root.clone());
            }
        }
        roots.sort();
        Ok(roots)
    }

    /// Collects garbage.
    pub fn collect(&self, store: &LocalStore, options: GcOptions) -> Result<GcResult, Error> {
        let options = GcOptions { roots: self.machines.clone(), pauses: self.pauses.clone(), ..options };
        Ok(store.collect_garbage(&options, &mut |event| self.show(&event))?)
    }

    /// Deletes single paths. Those of machines are kept as well.
    pub fn delete(
        &self,
        store: &LocalStore,
        paths: &[StorePath],
        options: DeleteOptions,
    ) -> Result<GcResult, Error> {
        let kept = &self.machines;
        if !options.ignore_liveness {
            let closure = store.closure_of_valid(kept.iter().map(|root| &root.path))?;
            if let Some(path) = paths.iter().find(|path| closure.contains(path)) {
                let reason = "a generation of a machine needs it".to_owned();
                return Err(nival_store::Error::StillAlive { path: store.dir().print(path), reason }.into());
            }
        }
        Ok(store.delete_paths(paths, options, &mut |event| self.show(&event))?)
    }

    fn show(&self, event: &GcEvent<'_>) {
        let say = |text: String| self.output.say(&text);
        let warns = matches!(event, GcEvent::Waiting | GcEvent::Enough(_) | GcEvent::Unreadable(_));
        if self.is_quiet && !warns {
            return;
        }
        match event {
            GcEvent::Waiting => say("waiting for the big garbage collector lock...".to_owned()),
            GcEvent::FindingRoots => say("finding garbage collector roots...".to_owned()),
            GcEvent::Begin(nival_store::GcAction::Delete) => say("deleting garbage...".to_owned()),
            GcEvent::Begin(_) => say("determining live/dead paths...".to_owned()),
            GcEvent::Deleting(name) => say(format!("deleting '{name}'")),
            GcEvent::Enough(bytes) => say(format!("deleted more than {bytes} bytes; stopping")),
            GcEvent::UnusedLinks => say("deleting unused links...".to_owned()),
            GcEvent::StaleLink(link, target) => {
                say(format!("removing stale link from '{}' to '{}'", link.display(), target.display()));
            }
            GcEvent::StaleTemporary(file) if self.verbose > 0 => {
                say(format!("removing stale temporary roots file '{}'", file.display()));
            }
            GcEvent::InvalidRoot(link, target) if self.verbose > 0 => {
                say(format!("skipping invalid root from '{}' to '{}'", link.display(), target.display()));
            }
            GcEvent::Unreadable(place) => say(format!("cannot read potential root '{}'", place.display())),
            GcEvent::StaleTemporary(_) | GcEvent::InvalidRoot(..) => {}
        }
    }
}

/// Bytes in the form that Nix prints.
pub fn megabytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}
