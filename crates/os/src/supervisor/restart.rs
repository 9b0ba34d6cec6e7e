//! When a machine that ended without being asked to is started again, and when no more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many unasked ends within [`WINDOW`] are one too many.
pub(super) const MOST: usize = 6;
const WINDOW: Duration = Duration::from_secs(30);

/// The unasked ends of a machine of late.
#[derive(Debug, Default)]
pub(super) struct Crashes(VecDeque<Instant>);

impl Crashes {
    /// Counts one more; gives how long to wait before the next start, `None` where there are too many.
    pub fn count(&mut self, now: Instant) -> Option<Duration> {
        while self.0.front().is_some_and(|then| now.duration_since(*then) > WINDOW) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        let pause = Duration::from_millis(50 << self.0.len().min(5));
        (self.0.len() < MOST).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_loop_ends_and_rare_crashes_do_not_count() {
        let start = Instant::now();
        let mut crashes = Crashes::default();
        let loops = (0..20).take_while(|n| crashes.count(start + Duration::from_secs(*n)).is_some()).count();
        assert_eq!(loops, MOST - 1);
        let mut crashes = Crashes::default();
        assert!((0..50).all(|n| crashes.count(start + Duration::from_secs(n * 20)).is_some()));
    }
}
