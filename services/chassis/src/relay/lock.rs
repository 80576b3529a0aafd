//! One relay per log: a session advisory lock on a connection of its own.

use crate::log::StoreError;
use deadpool_postgres::{ClientWrapper, Object, Pool};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How often the lock's connection is tried.
const BEAT: Duration = Duration::from_secs(1);
/// How long PostgreSQL may take to answer a beat: after that the lock counts as lost.
const BEAT_WITHIN: Duration = Duration::from_secs(3);

/// A held lock. Dropping it closes the connection, and with it PostgreSQL gives the lock away.
pub(super) struct SessionLock {
    lost: CancellationToken,
    _keeper: AbortOnDropHandle<()>,
}

impl SessionLock {
    /// Takes the lock `key`, or answers `None` where another session holds it.
    pub(super) async fn try_take(pool: &Pool, key: i64) -> Result<Option<Self>, StoreError> {
        let pooled = pool.get().await?;
        let taken: bool = pooled.query_one("SELECT pg_try_advisory_lock($1)", &[&key]).await?.get(0);
        if !taken {
            return Ok(None);
        }
        // Out of the pool: nobody else must get a connection that holds the lock, or give it back by returning it.
        let client = Object::take(pooled);
        let lost = CancellationToken::new();
        let keeper = tokio::spawn(keep(client, lost.clone()));
        Ok(Some(Self { lost, _keeper: AbortOnDropHandle::new(keeper) }))
    }

    /// Waits until the lock is lost.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

/// Holds the connection, and says when it no longer answers.
async fn keep(client: ClientWrapper, lost: CancellationToken) {
    loop {
        tokio::time::sleep(BEAT).await;
        match tokio::time::timeout(BEAT_WITHIN, client.simple_query("")).await {
            Ok(Ok(_)) => {}
            _ => break,
        }
    }
    lost.cancel();
}
