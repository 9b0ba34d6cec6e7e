//! Where lines come from: a terminal with a line editor, or plainly what stands in a file or pipe.

use super::State;
use super::completion::Completion;
use nival_sys::fs;
use rustyline::error::ReadlineError;
use rustyline::history::{DefaultHistory, History as _, SearchDirection};
use rustyline::{CompletionType, Config, Editor};
use std::cell::RefCell;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How many lines are remembered.
const REMEMBERED: usize = 1000;

/// What was read.
pub(super) enum Next {
    /// A line, with its end.
    Line(String),
    /// Ctrl-C: what was typed so far does not count.
    Interrupted,
    /// There is no more.
    End,
}

/// Where lines come from.
pub(super) enum Input {
    /// A file or pipe.
    Plain,
    /// A terminal.
    Terminal(Box<Terminal>),
}

/// A line editor with its history.
pub(super) struct Terminal {
    editor: Editor<Completion, DefaultHistory>,
    prompt: String,
    history: PathBuf,
}

impl Input {
    /// Reads standard input; the line editor completes by what `state` knows, and keeps its history in a file.
    pub(super) fn new(prompt: &str, history: PathBuf, state: Rc<RefCell<State>>) -> Self {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Self::Plain;
        }
        let config = Config::builder().completion_type(CompletionType::List).build();
        let history_of = DefaultHistory::with_config(&config);
        let Ok(mut editor) = Editor::with_history(config, history_of) else {
            return Self::Plain;
        };
        editor.set_helper(Some(Completion::new(state)));
        for line in remembered(&history) {
            // Without a history it is less comfortable, and that is all.
            let _ = editor.add_history_entry(line);
        }
        Self::Terminal(Box::new(Terminal { editor, prompt: prompt.to_owned(), history }))
    }

    /// Reads a line; `goes_on` where it continues the one before.
    pub(super) fn line(&mut self, goes_on: bool) -> Next {
        match self {
            Self::Plain => {
                let mut line = Vec::new();
                match std::io::stdin().lock().read_until(b'\n', &mut line) {
                    Ok(count) if count > 0 => Next::Line(String::from_utf8_lossy(&line).into_owned()),
                    _ => Next::End,
                }
            }
            Self::Terminal(terminal) => terminal.line(goes_on),
        }
    }
}

impl Terminal {
    fn line(&mut self, goes_on: bool) -> Next {
        let width = self.prompt.chars().count();
        let continued = format!("{:>width$}", "> ");
        match self.editor.readline(if goes_on { &continued } else { &self.prompt }) {
            Ok(line) => {
                if !line.trim().is_empty() {
                    let _ = self.editor.add_history_entry(line.as_str());
                }
                Next::Line(line + "\n")
            }
            Err(ReadlineError::Interrupted) => Next::Interrupted,
            Err(_) => Next::End,
        }
    }

    fn save(&self) {
        let history = self.editor.history();
        let count = history.len();
        let lines = (count.saturating_sub(REMEMBERED)..count).filter_map(|at| {
            let found = history.get(at, SearchDirection::Forward).ok()??;
            Some(format!("{}\n", found.entry.replace('\n', " ")))
        });
        let text: String = lines.collect();
        if let Some(folder) = self.history.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let _ = fs::write_atomic(&self.history, text.as_bytes(), 0o600);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.save();
    }
}

fn remembered(file: &Path) -> Vec<String> {
    let text = std::fs::read(file).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
}
