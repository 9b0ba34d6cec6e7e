//! Several files at the same time.

use crate::{Download, Error, Progress, Transport};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Fetches all; the first fault keeps those from beginning that have not begun.
pub(crate) fn run(
    transport: &Transport,
    downloads: &[Download],
    progress: &dyn Progress,
) -> Result<(), Error> {
    let sizes: Option<u64> = downloads.iter().map(|download| download.size).sum();
    progress.begin(downloads.len() as u64, sizes);
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let first: Mutex<Option<Error>> = Mutex::new(None);
    let work = || {
        while !failed.load(Ordering::SeqCst) {
            let Some(download) = downloads.get(next.fetch_add(1, Ordering::SeqCst)) else { return };
            if let Err(error) = transport.download(download, progress) {
                failed.store(true, Ordering::SeqCst);
                let mut first = first.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                first.get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..transport.options.parallel.clamp(1, downloads.len().max(1)) {
            scope.spawn(work);
        }
    });
    progress.end();
    match first.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
