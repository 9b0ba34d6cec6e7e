//! What is seen while things are built: a tree at a terminal, plain lines elsewhere, events with `--json`.

use crate::output::{Output, bytes};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use nival_build::{Event, Observer};
use nival_store_model::StorePath;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shows what happens while things are built.
pub struct BuildProgress {
    style: Style,
    logs: Logs,
    dry: bool,
    /// The store's folder, as programs inside see it.
    store: String,
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Quiet,
    Tree,
    Lines,
    Json,
}

#[derive(Default)]
struct State {
    screen: Option<MultiProgress>,
    head: Option<ProgressBar>,
    running: HashMap<StorePath, Running>,
    to_build: usize,
    to_fetch: usize,
    built: usize,
    fetched: usize,
    failed: usize,
    /// What was said once is not said again.
    noticed: BTreeSet<String>,
}

struct Running {
    since: Instant,
    line: Option<ProgressBar>,
    phase: String,
}

/// Whether what builders say is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logs {
    /// Only the end of it, where one fails.
    #[default]
    Hidden,
    /// All of it, each line behind the name of what is built.
    Named,
    /// All of it, as it is.
    Plain,
}

/// How progress is shown where it is not decided by the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Whether what builders say is shown.
    pub logs: Logs,
    /// Say nothing.
    pub quiet: bool,
    /// Nothing is done but to plan.
    pub dry: bool,
}

impl BuildProgress {
    /// Decides by what is wished, and by the terminal.
    pub fn new(output: &Output, wishes: Wishes, store: &str) -> Self {
        let style = if wishes.quiet {
            Style::Quiet
        } else if output.is_json() {
            Style::Json
        } else if std::io::stderr().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb") {
            Style::Tree
        } else {
            Style::Lines
        };
        Self { style, logs: wishes.logs, dry: wishes.dry, store: store.to_owned(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints a line that stays, above the tree.
    fn say(&self, state: &State, text: &str) {
        match (&state.screen, self.style) {
            (_, Style::Quiet | Style::Json) => {}
            (Some(screen), _) => drop(screen.println(text)),
            (None, _) => drop(writeln!(std::io::stderr(), "{text}")),
        }
    }

    /// Shows a line of somebody who builds elsewhere.
    pub fn remark(&self, text: &str) {
        self.emit(&json!({ "event": "line", "text": text }));
        self.say(&self.state(), text);
    }

    /// Says something that is true of all builds, once.
    fn notice(&self, text: &str) {
        let mut state = self.state();
        if state.noticed.insert(text.to_owned()) {
            self.emit(&json!({ "event": "notice", "text": text }));
            self.say(&state, &format!("warning: {text}"));
        }
    }

    fn emit(&self, event: &serde_json::Value) {
        if self.style == Style::Json {
            drop(writeln!(std::io::stderr(), "{event}"));
        }
    }

    fn planned(&self, build: &[StorePath], fetch: &[StorePath], unknown: &[StorePath], sizes: (u64, u64)) {
        let (download, unpacked) = sizes;
        let mut state = self.state();
        state.to_build += build.len();
        state.to_fetch += fetch.len();
        let names = |paths: &[StorePath]| paths.iter().map(|path| path.to_string()).collect::<Vec<_>>();
        self.emit(&json!({
            "event": "planned", "build": names(build), "fetch": names(fetch),
            "unknown": names(unknown), "download": download, "unpacked": unpacked,
        }));
        if self.style == Style::Tree && !self.dry {
            begin_tree(&mut state);
        }
        if !build.is_empty() && (self.dry || self.style != Style::Tree) {
            let what = if build.len() == 1 { "this derivation" } else { "these derivations" };
            self.say(&state, &format!("{what} will be built ({}):", build.len()));
            for path in build {
                self.say(&state, &format!("  {}/{path}", self.store));
            }
        }
        if !fetch.is_empty() && (self.dry || self.style != Style::Tree) {
            self.say(
                &state,
                &format!(
                    "{} paths will be fetched ({}, {} unpacked)",
                    fetch.len(),
                    bytes(download),
                    bytes(unpacked)
                ),
            );
            if self.dry {
                for path in fetch {
                    self.say(&state, &format!("  {}/{path}", self.store));
                }
            }
        }
        if !unknown.is_empty() && (self.dry || self.style != Style::Tree) {
            // The beginning is what Nix says, for those who look for it.
            let what =
                "don't know how to build these paths, which paths of caches refer to; those are built:";
            self.say(&state, what);
            for path in unknown {
                self.say(&state, &format!("  {}/{path}", self.store));
            }
        }
        refresh(&state);
    }

    fn started(&self, drv: &StorePath, what: &str) {
        let mut state = self.state();
        self.emit(&json!({ "event": what, "path": drv.to_string() }));
        let line = state.screen.as_ref().map(|screen| {
            let line = screen.add(ProgressBar::new_spinner());
            if let Ok(style) =
                ProgressStyle::with_template("  ├─ {prefix:.bold} {elapsed:>4.dim} {wide_msg:.dim}")
            {
                line.set_style(style);
            }
            line.set_prefix(name_of(drv));
            line.enable_steady_tick(Duration::from_millis(250));
            line
        });
        if self.style == Style::Lines && what == "started" {
            self.say(&state, &format!("building {}", name_of(drv)));
        }
        let running = Running { since: Instant::now(), line, phase: String::new() };
        state.running.insert(drv.clone(), running);
        refresh(&state);
    }

    fn ended(&self, path: &StorePath) -> Option<Duration> {
        let mut state = self.state();
        let running = state.running.remove(path)?;
        if let Some(line) = running.line {
            line.finish_and_clear();
        }
        Some(running.since.elapsed())
    }

    fn line(&self, drv: &StorePath, text: &str) {
        let state = self.state();
        self.emit(&json!({ "event": "line", "path": drv.to_string(), "text": text }));
        match self.logs {
            Logs::Hidden => {}
            Logs::Named => self.say(&state, &format!("{}> {text}", name_of(drv))),
            Logs::Plain => self.say(&state, text),
        }
        if let Some(Running { line: Some(line), phase, .. }) = state.running.get(drv) {
            let plain: String = text.chars().filter(|c| !c.is_control()).collect();
            line.set_message(if phase.is_empty() { plain } else { format!("{phase}: {plain}") });
        }
    }

    fn phase(&self, drv: &StorePath, name: &str) {
        let mut state = self.state();
        self.emit(&json!({ "event": "phase", "path": drv.to_string(), "phase": name }));
        if let Some(running) = state.running.get_mut(drv) {
            name.clone_into(&mut running.phase);
            if let Some(line) = &running.line {
                line.set_message(name.to_owned());
            }
        }
    }

    /// Clears the tree: what follows is printed below.
    pub fn finish(&self) {
        let mut state = self.state();
        if let Some(head) = state.head.take() {
            head.finish_and_clear();
        }
        for (_, running) in state.running.drain() {
            if let Some(line) = running.line {
                line.finish_and_clear();
            }
        }
        state.screen = None;
    }
}

fn begin_tree(state: &mut State) {
    if state.screen.is_some() {
        return;
    }
    let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    let head = screen.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
        head.set_style(style);
    }
    head.enable_steady_tick(Duration::from_millis(250));
    state.head = Some(head);
    state.screen = Some(screen);
}

/// Says how far everything is.
fn refresh(state: &State) {
    let Some(head) = &state.head else { return };
    let mut parts = Vec::new();
    if state.to_build > 0 {
        parts.push(format!("{}/{} built", state.built, state.to_build));
    }
    if state.to_fetch > 0 {
        parts.push(format!("{}/{} fetched", state.fetched, state.to_fetch));
    }
    let waits = (state.to_build).saturating_sub(state.built + state.failed + state.running.len());
    if waits > 0 {
        parts.push(format!("{waits} waiting"));
    }
    if state.failed > 0 {
        parts.push(format!("{} failed", state.failed));
    }
    head.set_message(parts.join(", "));
}

fn name_of(path: &StorePath) -> String {
    path.name().trim_end_matches(".drv").to_owned()
}

impl Observer for BuildProgress {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Planned { build, fetch, unknown, download, unpacked } => {
                self.planned(build, fetch, unknown, (download, unpacked))
            }
            Event::Started { drv } => self.started(drv, "started"),
            Event::Fetching { path, from } => {
                self.started(path, "fetching");
                if self.style == Style::Lines {
                    self.say(
                        &self.state(),
                        &format!("copying path '{}/{path}' from '{from}'...", self.store),
                    );
                }
            }
            Event::Line { drv, text } => self.line(drv, text),
            Event::Phase { drv, name } => self.phase(drv, name),
            Event::Elsewhere { drv, machine } => {
                self.started(drv, "started");
                self.emit(&json!({ "event": "elsewhere", "path": drv.to_string(), "machine": machine }));
                self.say(&self.state(), &format!("building {} on {machine}", name_of(drv)));
            }
            Event::Notice { text } => self.notice(text),
            Event::Debugged { begins, .. } => {
                let state = self.state();
                if let Some(screen) = &state.screen {
                    // The terminal belongs to the shell meanwhile.
                    screen.set_draw_target(match begins {
                        true => ProgressDrawTarget::hidden(),
                        false => ProgressDrawTarget::stderr_with_hz(10),
                    });
                }
            }
            Event::Waiting { drv } => {
                self.emit(&json!({ "event": "waiting", "path": drv.to_string() }));
                let state = self.state();
                self.say(
                    &state,
                    &format!("{} is being built by another process; waiting for it", name_of(drv)),
                );
            }
            Event::Same { drv, resolved } => {
                self.emit(
                    &json!({ "event": "same", "path": drv.to_string(), "resolved": resolved.to_string() }),
                );
                let mut state = self.state();
                state.built += 1;
                self.say(
                    &state,
                    &format!("{} need not be built: its inputs turned out the same", name_of(drv)),
                );
                refresh(&state);
            }
            Event::Built { drv, outputs } => {
                let time = self.ended(drv);
                self.emit(&json!({
                    "event": "built", "path": drv.to_string(),
                    "outputs": outputs.iter().map(|(name, path)| (name.clone(), json!(path.to_string()))).collect::<serde_json::Map<_, _>>(),
                    "seconds": time.map(|time| time.as_secs_f64()),
                }));
                let Some(time) = time else { return };
                let mut state = self.state();
                state.built += 1;
                if self.style == Style::Tree && time > Duration::from_secs(2) {
                    self.say(&state, &format!("  ✓ {} in {:.1} s", name_of(drv), time.as_secs_f64()));
                }
                refresh(&state);
            }
            Event::Fetched { path } => {
                let _ = self.ended(path);
                self.emit(&json!({ "event": "fetched", "path": path.to_string() }));
                let mut state = self.state();
                state.fetched += 1;
                refresh(&state);
            }
            Event::Failed { drv, error } => {
                let _ = self.ended(drv);
                self.emit(&json!({ "event": "failed", "path": drv.to_string(), "error": error.to_string() }));
                let mut state = self.state();
                state.failed += 1;
                if self.style == Style::Tree {
                    self.say(&state, &format!("  ✗ {}", name_of(drv)));
                }
                refresh(&state);
            }
        }
    }
}
