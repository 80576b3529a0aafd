//! When PostgreSQL last confirmed where the log ends. The head is a number in memory: other replicas move the log on, and a
//! commit whose outcome is unknown may have done so too, so a head means little without its age.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nothing was confirmed yet.
const NEVER: u64 = u64::MAX;

/// When the head was last confirmed. One store on the write path, and no lock.
#[derive(Debug)]
pub(super) struct Confirmed {
    began: Instant,
    /// Microseconds after `began`.
    after_us: AtomicU64,
}

impl Confirmed {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), after_us: AtomicU64::new(NEVER) }
    }

    /// The head that is shown was confirmed by a question asked at `asked_at`, to be told once that head is shown: what had
    /// been committed by then is at or before it.
    pub(super) fn note(&self, asked_at: Instant) {
        let after = asked_at.saturating_duration_since(self.began);
        self.after_us.store(u64::try_from(after.as_micros()).unwrap_or(NEVER), Ordering::Release);
    }

    /// How long ago that was; `None` while nothing was confirmed. Asked before the head is read, the head read is this old
    /// at most.
    pub(super) fn age(&self) -> Option<Duration> {
        match self.after_us.load(Ordering::Acquire) {
            NEVER => None,
            after_us => Some(self.began.elapsed().saturating_sub(Duration::from_micros(after_us))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_confirmed_grows_old_and_what_was_not_has_no_age() {
        let confirmed = Confirmed::new();
        assert_eq!(confirmed.age(), None);
        let asked_at = Instant::now();
        confirmed.note(asked_at);
        let first = confirmed.age();
        assert!(first <= Some(asked_at.elapsed() + Duration::from_micros(1)), "{first:?}");
        assert!(confirmed.age() >= first);
    }
}
