//! Completing what is typed: variables, attributes, and files.

use super::State;
use nival_eval::Kind;
use nival_sys::signal;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long an expression is evaluated whose attributes are asked for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Completes what is typed.
pub(super) struct Completion {
    state: Rc<RefCell<State>>,
}

impl Completion {
    pub(super) fn new(state: Rc<RefCell<State>>) -> Self {
        Self { state }
    }
}

impl Helper for Completion {}
impl Hinter for Completion {
    type Hint = String;
}
impl Highlighter for Completion {}
impl Validator for Completion {}

impl Completer for Completion {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..at).unwrap_or(line);
        let start = typed.rfind([' ', '\n', '\r', '\t', '(', ')', '{', '}', '[', ']']).map_or(0, |at| at + 1);
        let word = &typed[start..];
        let found = match self.state.try_borrow_mut() {
            Ok(mut state) => candidates(&mut state, word),
            Err(_) => Vec::new(),
        };
        Ok((start, found))
    }
}

/// What a word can become.
pub(super) fn candidates(state: &mut State, word: &str) -> Vec<String> {
    if let Some((folder, name)) = word.rsplit_once('/') {
        return files(folder, name);
    }
    match word.rsplit_once('.') {
        Some((set, name)) => attributes(state, set, name),
        None => state
            .scope
            .names()
            .range(word.to_owned()..)
            .take_while(|name| name.starts_with(word))
            .cloned()
            .collect(),
    }
}

fn files(folder: &str, begin: &str) -> Vec<String> {
    let shown = |name: &str| format!("{folder}/{name}");
    let Ok(entries) = std::fs::read_dir(if folder.is_empty() { "/" } else { folder }) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut found: Vec<String> =
        names.filter(|name| !name.starts_with('.') && name.starts_with(begin)).collect();
    found.sort();
    found.iter().map(|name| shown(name)).collect()
}

/// The attributes of the value of an expression, where it is a set; evaluated for a while only.
fn attributes(state: &mut State, set: &str, begin: &str) -> Vec<String> {
    let done = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&done);
    let watch = std::thread::spawn(move || {
        std::thread::park_timeout(PATIENCE);
        if !watched.load(Ordering::SeqCst) {
            signal::flag().store(true, Ordering::SeqCst);
        }
    });
    let State { session, scope } = state;
    let mut names: Vec<String> = scope
        .evaluate(session, set)
        .and_then(|value| {
            let evaluator = session.evaluator();
            if evaluator.kind(value)? != Kind::Attrs {
                return Ok(Vec::new());
            }
            let found = evaluator.attributes(value)?;
            Ok(found.iter().map(|attribute| evaluator.name(attribute.name).to_owned()).collect())
        })
        .unwrap_or_default();
    done.store(true, Ordering::SeqCst);
    watch.thread().unpark();
    let _ = watch.join();
    signal::flag().store(false, Ordering::SeqCst);
    // What evaluation said meanwhile is of no interest here.
    session.take_messages();
    names.retain(|name| name.starts_with(begin));
    names.sort();
    names.iter().map(|name| format!("{set}.{name}")).collect()
}
