//! Garbage is collected while something is built and the disk becomes full: the settings `min-free` and `max-free`.

use crate::collecting::Collector;
use nival_store::{GcOptions, LocalStore};
use nival_sys::fs as sys;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it is looked whether the work has ended.
const TICK: Duration = Duration::from_millis(50);

/// Does some work, and collects garbage meanwhile where the settings ask for it.
pub fn watch<T>(store: &LocalStore, collector: &Collector, work: impl FnOnce() -> T) -> T {
    let settings = &store.config().settings;
    let Some(least) = settings.min_free else { return work() };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut last_look: Option<Instant> = None;
            let mut after_collection = u64::MAX;
            let interval = Duration::from_secs(settings.min_free_check_interval);
            while !done.load(Ordering::SeqCst) {
                if last_look.is_none_or(|last| last.elapsed() >= interval) {
                    last_look = Some(Instant::now());
                    let free = free(store);
                    // Where the last collection freed little, another one would not free more.
                    let grown = (free as f64) <= after_collection as f64 * 0.97;
                    if free < least && free < settings.max_free && grown {
                        let wanted = Some(settings.max_free - free);
                        let options = GcOptions { max_freed: wanted, ..GcOptions::default() };
                        // A build that then finds no room says so itself.
                        let _ = collector.collect(store, options);
                        after_collection = self::free(store);
                    }
                }
                std::thread::sleep(TICK);
            }
        });
        let result = work();
        done.store(true, Ordering::SeqCst);
        result
    })
}

/// Bytes that are free for the store. Nix's own tests say them in a file.
fn free(store: &LocalStore) -> u64 {
    let told = std::env::var_os("_NIX_TEST_FREE_SPACE_FILE").map(PathBuf::from);
    let told = told.and_then(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok());
    told.or_else(|| sys::free_space(&store.config().physical).ok()).unwrap_or(u64::MAX)
}
