//! `nix-store --query`: questions about paths.

use super::{Call, graphs};
use crate::dropin::words::usage;
use crate::error::Error;
use nival_store::{Follow, LocalStore};
use nival_store_model::StorePath;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Outputs,
    Requisites,
    References,
    Referrers,
    ReferrersClosure,
    Deriver,
    ValidDerivers,
    Binding,
    Hash,
    Size,
    Tree,
    Graph,
    GraphMl,
    Resolve,
    Roots,
}

const QUESTIONS: &[(&[&str], Question)] = &[
    (&["--outputs"], Question::Outputs),
    (&["--requisites", "-R"], Question::Requisites),
    (&["--references"], Question::References),
    (&["--referrers", "--referers"], Question::Referrers),
    (&["--referrers-closure", "--referers-closure"], Question::ReferrersClosure),
    (&["--deriver", "-d"], Question::Deriver),
    (&["--valid-derivers"], Question::ValidDerivers),
    (&["--binding", "-b"], Question::Binding),
    (&["--hash"], Question::Hash),
    (&["--size"], Question::Size),
    (&["--tree"], Question::Tree),
    (&["--graph"], Question::Graph),
    (&["--graphml"], Question::GraphMl),
    (&["--resolve"], Question::Resolve),
    (&["--roots"], Question::Roots),
];

/// Answers a question.
pub fn query(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let mut question = None;
    for (names, meaning) in QUESTIONS {
        if call.take(names) {
            if question.is_some() {
                return Err(usage(&format!("query type `{}` conflicts with earlier flag", names[0])));
            }
            question = Some(*meaning);
        }
    }
    let use_outputs = call.take(&["--use-output", "-u"]);
    let realise = call.take(&["--force-realise", "--force-realize", "-f"]);
    let include_outputs = call.take(&["--include-outputs"]);
    call.no_more_flags()?;
    let question = question.unwrap_or(Question::Outputs);
    let store = call.store()?;
    let binding = if question == Question::Binding && !call.words.is_empty() {
        call.words.remove(0)
    } else {
        String::new()
    };
    let named = call.paths()?;
    if realise {
        let requests: Vec<_> = named
            .iter()
            .map(|path| match path.is_derivation() {
                true => nival_build::Request::Outputs(path.clone(), nival_build::Wanted::All),
                false => nival_build::Request::Path(path.clone()),
            })
            .collect();
        let (_, code) = super::paths::build(call.context, &requests, &Default::default())?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    let outputs = use_outputs || question == Question::Outputs;
    let mut paths = Vec::new();
    for path in &named {
        paths.extend(if outputs { outputs_of(&store, path)? } else { vec![path.clone()] });
    }
    answer(call, &store, question, &binding, &named, &paths, include_outputs)?;
    Ok(ExitCode::SUCCESS)
}

/// The outputs of a derivation, or a path itself.
fn outputs_of(store: &LocalStore, path: &StorePath) -> Result<Vec<StorePath>, Error> {
    if !path.is_derivation() {
        return Ok(vec![path.clone()]);
    }
    let mut paths = Vec::new();
    for (name, output) in store.outputs_of(path)? {
        let unknown = || usage(&format!("output `{name}` of `{path}` has no path before it is built"));
        paths.push(output.ok_or_else(unknown)?);
    }
    paths.sort();
    Ok(paths)
}

fn answer(
    call: &Call<'_>,
    store: &LocalStore,
    question: Question,
    binding: &str,
    named: &[StorePath],
    paths: &[StorePath],
    include_outputs: bool,
) -> Result<(), Error> {
    let print = |path: &StorePath| call.print(&store.dir().print(path));
    match question {
        Question::Outputs => paths.iter().for_each(print),
        Question::Resolve => named.iter().for_each(print),
        Question::Requisites | Question::References | Question::Referrers | Question::ReferrersClosure => {
            let found = related(store, question, paths, include_outputs)?;
            store.sorted_by_references(&found)?.iter().for_each(print);
        }
        Question::ValidDerivers => {
            let mut found = BTreeSet::new();
            for path in paths {
                found.extend(store.valid_derivers(path)?);
            }
            store.sorted_by_references(&found.into_iter().collect::<Vec<_>>())?.iter().for_each(print);
        }
        Question::Deriver => {
            for path in named {
                let deriver = store.valid_info(path)?.deriver;
                call.print(&deriver.map_or("unknown-deriver".to_owned(), |path| store.dir().print(&path)));
            }
        }
        Question::Binding => {
            for path in named {
                call.print(&bound(store, path, binding)?);
            }
        }
        Question::Hash => {
            for path in paths {
                call.print(&store.valid_info(path)?.nar_hash.prefixed_base32());
            }
        }
        Question::Size => {
            for path in paths {
                call.print(&store.valid_info(path)?.nar_size.to_string());
            }
        }
        Question::Tree => {
            let mut done = BTreeSet::new();
            for path in named {
                call.print(&graphs::tree(store, path, &mut done)?);
            }
        }
        Question::Graph => call.print(&graphs::dot(store, paths)?),
        Question::GraphMl => call.print(&graphs::graph_ml(store, paths)?),
        Question::Roots => roots(call, store, paths)?,
    }
    Ok(())
}

fn related(
    store: &LocalStore,
    question: Question,
    paths: &[StorePath],
    include_outputs: bool,
) -> Result<Vec<StorePath>, Error> {
    let mut found = BTreeSet::new();
    for path in paths {
        let all = match question {
            Question::References => {
                store.valid_info(path)?;
                store.references(path)?
            }
            Question::Referrers => store.referrers(path)?,
            Question::ReferrersClosure => store
                .closure_with(std::slice::from_ref(path), Follow { referrers: true, ..Follow::default() })?,
            _ => {
                let follow = Follow { outputs: include_outputs, ..Follow::default() };
                store.closure_with(std::slice::from_ref(path), follow)?
            }
        };
        found.extend(all);
    }
    Ok(found.into_iter().collect())
}

fn bound(store: &LocalStore, path: &StorePath, binding: &str) -> Result<String, Error> {
    let derivation = if path.is_derivation() {
        path.clone()
    } else {
        let unknown = || usage(&format!("deriver of path `{}` is not known", store.dir().print(path)));
        store.valid_info(path)?.deriver.ok_or_else(unknown)?
    };
    let read = store.read_derivation(&derivation)?;
    let value = read.environment.get(binding.as_bytes());
    let value = value.ok_or_else(|| {
        let printed = store.dir().print(&derivation);
        usage(&format!("derivation `{printed}` has no environment binding named `{binding}`"))
    })?;
    Ok(String::from_utf8_lossy(value).into_owned())
}

fn roots(call: &Call<'_>, store: &LocalStore, paths: &[StorePath]) -> Result<(), Error> {
    let settings = &store.config().settings;
    let follow =
        Follow { referrers: true, outputs: settings.keep_outputs, derivers: settings.keep_derivations };
    let keeping: BTreeSet<_> = store.closure_with(paths, follow)?.into_iter().collect();
    for root in store.roots(&mut |_| {})? {
        if keeping.contains(&root.path) {
            call.print(&format!("{} -> {}", root.source, store.dir().print(&root.path)));
        }
    }
    Ok(())
}
