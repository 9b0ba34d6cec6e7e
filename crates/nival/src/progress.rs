//! Progress of long work: a bar at a terminal, a line a phase elsewhere.

use crate::output::{Output, bytes};
use indicatif::{ProgressBar, ProgressStyle};
use nival_transport::Progress;
use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Shows how far something is.
pub struct Bar {
    what: &'static str,
    bar: Mutex<Option<ProgressBar>>,
    files: AtomicU64,
    done: AtomicU64,
    bytes: AtomicI64,
    visible: bool,
}

impl Bar {
    /// A bar for `what`, such as `download`.
    pub fn new(what: &'static str, output: &Output) -> Self {
        let visible = !output.is_json() && std::io::stderr().is_terminal();
        Self {
            what,
            bar: Mutex::new(None),
            files: AtomicU64::new(0),
            done: AtomicU64::new(0),
            bytes: AtomicI64::new(0),
            visible,
        }
    }

    /// How many bytes went by.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed).max(0).unsigned_abs()
    }

    fn with(&self, work: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref() {
            work(bar);
        }
    }

    /// Files done, files in all and bytes, in words.
    pub fn summary(&self) -> String {
        format!("{} files, {}", self.done.load(Ordering::Relaxed), bytes(self.bytes()))
    }
}

impl Progress for Bar {
    fn begin(&self, files: u64, total: Option<u64>) {
        self.files.fetch_add(files, Ordering::Relaxed);
        if !self.visible {
            return;
        }
        let style = ProgressStyle::with_template(
            "{prefix:>10} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {msg}",
        );
        let bar = ProgressBar::new(total.unwrap_or(0));
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(self.what);
        *self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(bar);
    }

    fn advance(&self, count: i64) {
        self.bytes.fetch_add(count, Ordering::Relaxed);
        let bytes = self.bytes();
        self.with(|bar| bar.set_position(bytes));
    }

    fn file_done(&self, name: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let files = self.files.load(Ordering::Relaxed);
        self.with(|bar| bar.set_message(format!("{done}/{files} {name}")));
    }

    fn end(&self) {
        self.with(|bar| bar.finish_and_clear());
    }
}
