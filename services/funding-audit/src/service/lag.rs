//! How long the projection has been behind the log.

use jiff::Timestamp;
use std::time::Instant;
use tokio::sync::watch;

/// Since when the log's head has been beyond what is applied; `None` while it is not.
#[derive(Debug, Clone)]
pub(super) struct Lag {
    behind_since: watch::Receiver<Option<Instant>>,
}

impl Lag {
    /// Watches the two positions until the projection ends or nobody asks any more.
    ///
    /// It cannot be worked out when someone asks: the head may have been ahead for a second or for an hour.
    pub(super) fn follow(mut applied: watch::Receiver<u64>, mut head: watch::Receiver<u64>) -> Self {
        let (since, behind_since) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let behind = *applied.borrow_and_update() < *head.borrow_and_update();
                since.send_if_modified(|since| {
                    let changed = since.is_some() != behind;
                    if changed {
                        *since = behind.then(Instant::now);
                    }
                    changed
                });
                let changed = tokio::select! {
                    changed = applied.changed() => changed,
                    changed = head.changed() => changed,
                    () = since.closed() => return,
                };
                if changed.is_err() {
                    return;
                }
            }
        });
        Self { behind_since }
    }

    /// Seconds for which events have waited, where some do; `recorded_at` is the newest applied event's.
    ///
    /// Both bounds are needed. While events come without a pause the head is always a little ahead, and the newest
    /// applied event is young; after a pause that event is old, and the head has been ahead for a moment.
    pub(super) fn seconds(&self, recorded_at: Option<Timestamp>) -> u32 {
        let seen = self.behind_since.borrow().map_or(0, |since| since.elapsed().as_secs());
        let unapplied = recorded_at
            .map_or(u64::MAX, |at| u64::try_from(Timestamp::now().duration_since(at).as_secs()).unwrap_or(0));
        u32::try_from(seen.min(unapplied)).unwrap_or(u32::MAX)
    }
}
