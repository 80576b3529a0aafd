//! Waiting for a log position: read your own writes.

use std::time::Duration;
use tokio::sync::watch;

/// The position asked for was not reached in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("position {wanted} was not reached in time: {reached} is; ask again later, or without min_position")]
pub struct NotReached {
    /// Position that the caller asked for.
    pub wanted: u64,
    /// Position reached when the wait ended.
    pub reached: u64,
}

/// Waits until `reached` is at or past `wanted`, at most `patience`. Returns the position reached.
pub async fn wait_for(
    reached: &mut watch::Receiver<u64>,
    wanted: u64,
    patience: Duration,
) -> Result<u64, NotReached> {
    let waited = tokio::time::timeout(patience, reached.wait_for(|now| *now >= wanted)).await;
    // Out of time, or the task that moves the position has ended, or there.
    drop(waited);
    let now = *reached.borrow();
    if now >= wanted { Ok(now) } else { Err(NotReached { wanted, reached: now }) }
}
