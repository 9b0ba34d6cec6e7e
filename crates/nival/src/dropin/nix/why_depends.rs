//! `nix why-depends`

use super::target::Target;
use crate::building::known_outputs;
use crate::context::Context;
use crate::dropin::words::usage;
use crate::error::Error;
use clap::Args;
use nival_build::Request;
use nival_store::{LocalStore, PathInfo};
use nival_store_model::StorePath;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::ExitCode;

/// What can be typed behind `nix why-depends`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
    /// Show all ways, not only the shortest one
    #[arg(short = 'a', long)]
    all: bool,
    /// Show which files name the next path
    #[arg(long)]
    precise: bool,
    /// Look at the derivations
    #[arg(long)]
    derivation: bool,
}

/// Shows the ways of references from one path to another.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let [from, to] = arguments.target.installables.installables.as_slice() else {
        return Err(usage("`why-depends` takes a package and what it may depend on"));
    };
    let Some(from) = path(context, arguments, from, true)? else { return Ok(ExitCode::FAILURE) };
    let Some(to) = path(context, arguments, to, false)? else { return Ok(ExitCode::FAILURE) };
    let store = context.store()?;
    let graph = Graph::new(&store, &from, &to)?;
    if !graph.distances.contains_key(&from) {
        context.output.say(&format!(
            "'{}' does not depend on '{}'",
            store.dir().print(&from),
            store.dir().print(&to)
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let mut drawing =
        Drawing { store: &store, graph: &graph, arguments, seen: BTreeSet::new(), text: String::new() };
    drawing.line("", &store.dir().print(&from));
    drawing.below(&from, "")?;
    context.output.text(&drawing.text, false);
    Ok(ExitCode::SUCCESS)
}

/// The one path that a word means; what a package consists of is built where it is to be looked into.
fn path(
    context: &mut Context,
    arguments: &Arguments,
    word: &str,
    build: bool,
) -> Result<Option<StorePath>, Error> {
    let installables = arguments.target.installables.only(word);
    if !word.contains('#')
        && installables.file.is_none()
        && installables.expr.is_none()
        && let Ok(path) = crate::dropin::store_path(&*context.store()?, word)
    {
        return Ok(Some(path));
    }
    let several = || usage(&format!("`{word}` stands for several paths, and one is wanted"));
    if build && !arguments.derivation {
        let (made, code) =
            installables.build(context, &arguments.target.evaluation, &arguments.target.building)?;
        let mut paths = made.into_iter().flat_map(|(_, outputs)| outputs.into_values());
        return match (code == ExitCode::SUCCESS, paths.next(), paths.next()) {
            (false, ..) => Ok(None),
            (true, Some(only), None) => Ok(Some(only)),
            _ => Err(several()),
        };
    }
    let requests = installables.wanted(context, &arguments.target.evaluation)?;
    let store = context.store()?;
    let mut paths = Vec::new();
    for request in &requests {
        match request {
            Request::Path(path) => paths.push(path.clone()),
            Request::Outputs(drv, _) if arguments.derivation => paths.push(drv.clone()),
            Request::Outputs(..) => paths.extend(known_outputs(&store, request)?),
        }
    }
    match paths.as_slice() {
        [only] => Ok(Some(only.clone())),
        _ => Err(several()),
    }
}

/// What one path needs, and how far each of it is from another one.
struct Graph {
    references: BTreeMap<StorePath, Vec<StorePath>>,
    /// Only of those that lead there.
    distances: BTreeMap<StorePath, usize>,
    from: StorePath,
    to: StorePath,
}

impl Graph {
    fn new(store: &LocalStore, from: &StorePath, to: &StorePath) -> Result<Self, Error> {
        let infos = nival_store::stores::closure(store, std::slice::from_ref(from))?;
        let mut referrers: BTreeMap<&StorePath, Vec<&StorePath>> = BTreeMap::new();
        for info in infos.values() {
            for next in &info.references {
                referrers.entry(next).or_default().push(&info.path);
            }
        }
        let mut distances = BTreeMap::new();
        let mut todo = VecDeque::new();
        if infos.contains_key(to) {
            distances.insert(to.clone(), 0);
            todo.push_back(to);
        }
        while let Some(path) = todo.pop_front() {
            let next = distances.get(path).map_or(0, |distance| distance + 1);
            for referrer in referrers.get(path).into_iter().flatten() {
                if !distances.contains_key(*referrer) {
                    distances.insert((*referrer).clone(), next);
                    todo.push_back(referrer);
                }
            }
        }
        let references =
            infos.into_iter().map(|(path, PathInfo { references, .. })| (path, references)).collect();
        Ok(Self { references, distances, from: from.clone(), to: to.clone() })
    }

    /// What a path needs that leads on, the nearest first.
    fn next(&self, path: &StorePath) -> Vec<(usize, &StorePath)> {
        let all = self.references.get(path).into_iter().flatten();
        let all = all.filter(|next| *next != path || self.from == self.to);
        let mut found: Vec<_> = all.filter_map(|next| Some((*self.distances.get(next)?, next))).collect();
        found.sort();
        found
    }
}

struct Drawing<'d> {
    store: &'d LocalStore,
    graph: &'d Graph,
    arguments: &'d Arguments,
    seen: BTreeSet<StorePath>,
    text: String,
}

impl Drawing<'_> {
    fn line(&mut self, padding: &str, text: &str) {
        self.text.push_str(padding);
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Draws what a path needs; tells whether the way that was looked for is drawn, and nothing more is wanted.
    fn below(&mut self, path: &StorePath, padding: &str) -> Result<bool, Error> {
        let is_end = *path == self.graph.to && self.graph.from != self.graph.to;
        if is_end || !self.seen.insert(path.clone()) {
            return Ok(is_end && !self.arguments.all);
        }
        let next = self.graph.next(path);
        for (number, (_, reference)) in next.iter().enumerate() {
            let is_last = !self.arguments.all || number + 1 == next.len();
            let (branch, rest) = if is_last { ("└───", "    ") } else { ("├───", "│   ") };
            let printed = self.store.dir().print(reference);
            if self.arguments.precise {
                let mentions = self.store.mentions(path, reference)?;
                let shown = if self.arguments.all { mentions.len() } else { 1 };
                for (number, mention) in mentions.iter().take(shown).enumerate() {
                    let place = self.store.physical(path).join(&mention.file);
                    let said = match place.read_link() {
                        Ok(target) => format!("{} -> {}", mention.file.display(), target.display()),
                        Err(_) => format!("{}: …{}…", mention.file.display(), mention.context),
                    };
                    self.line(padding, &format!("{}{said}", if number == 0 { branch } else { rest }));
                }
                self.line(&format!("{padding}{rest}"), &format!("→ {printed}"));
            } else {
                self.line(padding, &format!("{branch}{printed}"));
            }
            if self.below(reference, &format!("{padding}{rest}"))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
