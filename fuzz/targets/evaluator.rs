//! Any text ends in a value or a coded error: no panic, no crash, no memory beyond the limit, and no hang.

#![no_main]

mod nowhere;

use libfuzzer_sys::fuzz_target;
use nival_eval::{Evaluator, Settings};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

/// How long one text may be evaluated.
const TIME: Duration = Duration::from_secs(2);

/// The flag of the evaluation that is at work, and when it began, in milliseconds.
static AT_WORK: Mutex<Option<Arc<AtomicBool>>> = Mutex::new(None);
static BEGAN: AtomicU64 = AtomicU64::new(0);

static CLOCK: LazyLock<Instant> = LazyLock::new(|| {
    let begin = Instant::now();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let since = (begin.elapsed().as_millis() as u64).saturating_sub(BEGAN.load(Ordering::Relaxed));
            if u128::from(since) > TIME.as_millis()
                && let Ok(flag) = AT_WORK.lock()
                && let Some(flag) = &*flag
            {
                flag.store(true, Ordering::Relaxed);
            }
        }
    });
    begin
});

fuzz_target!(|text: &[u8]| {
    let Ok(text) = std::str::from_utf8(text) else { return };
    BEGAN.store(CLOCK.elapsed().as_millis() as u64, Ordering::Relaxed);
    let settings = Settings { max_memory: 128 << 20, max_stack: 256 << 20, ..Settings::default() };
    let mut evaluator = Evaluator::new(Rc::new(nowhere::Nowhere), settings);
    if let Ok(mut flag) = AT_WORK.lock() {
        *flag = Some(evaluator.interrupt_flag());
    }
    let result = evaluator.eval_text("fuzz", text, "/", None).and_then(|value| evaluator.force_deep(value));
    match result {
        Ok(value) => drop(evaluator.print(value)),
        Err(error) => assert!(error.diagnostic().entry.code.starts_with("NV0")),
    }
    assert!(evaluator.heap_bytes() <= 160 << 20, "the heap is {} bytes", evaluator.heap_bytes());
});
