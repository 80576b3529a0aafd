//! What is written behind the commit: snapshots of states, the log's index, refused commands. None of it is needed
//! to be right, so none of it may hold the writer up.

use super::super::cache::Entry;
use super::super::domain::Domain;
use super::super::handle::{CommandError, Pending};
use super::super::index::OWN_STREAM;
use super::super::loader;
use super::super::reader::JsonText;
use super::super::store::{self, OpenError, Refused, Snapshot};
use super::Writer;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Events after which a state's snapshot is renewed, at the soonest.
const SNAPSHOT_EVERY: u32 = 200;
/// Bytes of a state for which its snapshot waits one more event. A state that grows with its events, such as the file of a lead
/// with many grants, would else be written whole for every two hundred of them: in all, the square of its length.
const BYTES_PER_EVENT: usize = 256;
/// Events after which the log's index is kept.
const INDEX_EVERY: u64 = 10_000;

/// Refusals that may be kept at once.
const REFUSALS_MAX: usize = 10_000;
/// How often one more may be kept: anybody who sends nonsense adds to that table.
const REFUSAL_EVERY: Duration = Duration::from_millis(10);

/// How many refusals may be kept now.
pub(super) struct Allowance {
    left: usize,
    filled: Instant,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self { left: REFUSALS_MAX, filled: now }
    }

    /// Takes as many of `wanted` as there are.
    fn take(&mut self, wanted: usize, now: Instant) -> usize {
        let gained = now.duration_since(self.filled).as_nanos() / REFUSAL_EVERY.as_nanos();
        match u32::try_from(gained) {
            Ok(gained) if self.left + (gained as usize) < REFUSALS_MAX => {
                self.left += gained as usize;
                self.filled += REFUSAL_EVERY * gained;
            }
            _ => *self = Self::new(now),
        }
        let taken = wanted.min(self.left);
        self.left -= taken;
        taken
    }
}

/// A state to be kept, at its position.
pub(super) type Due<S> = (Uuid, u64, Entry<S>);

impl<D: Domain> Writer<D> {
    /// Hands on the states that have come far since their last snapshot.
    pub(super) fn offer_snapshots(&mut self, touched: &[Uuid]) {
        let due = |entry: &Entry<D::State>| {
            let bytes: usize = entry.states.iter().map(D::weight).sum();
            let is_far =
                usize::try_from(entry.since_snapshot).is_ok_and(|far| far >= bytes / BYTES_PER_EVENT);
            entry.since_snapshot >= SNAPSHOT_EVERY && !entry.states.is_empty() && is_far
        };
        let due: Vec<Uuid> =
            touched.iter().copied().filter(|id| self.cache.peek(*id).is_some_and(due)).collect();
        if due.is_empty() {
            return;
        }
        // Full: they stay due with their next events.
        let Ok(room) = self.snapshots.try_reserve() else {
            return;
        };
        let mut states = Vec::with_capacity(due.len());
        for id in due {
            if let Some(entry) = self.cache.get_mut(id) {
                entry.since_snapshot = 0;
                states.push((id, self.head, entry.clone()));
            }
        }
        room.send(states);
    }

    /// Hands on refused commands, as many as may be kept.
    pub(super) fn offer_refusals(&mut self, mut refused: Vec<Refused>) {
        let wanted = refused.len();
        refused.truncate(self.refusals_allowed.take(wanted, Instant::now()));
        let mut kept = refused.len();
        // Full: PostgreSQL does not keep up with them.
        if kept > 0 && self.refusals.try_send(refused).is_err() {
            kept = 0;
        }
        if kept < wanted {
            metrics::counter!("concord_log_refusals_not_kept_total").increment((wanted - kept) as u64);
        }
    }

    /// Starts from the kept index, and follows the log from there.
    pub(super) async fn read_index(&mut self) -> Result<(), OpenError> {
        let kept = "SELECT position, state FROM snapshots WHERE subject = $1";
        let row = self.connection.in_time(self.connection.client.query_opt(kept, &[&OWN_STREAM])).await?;
        if let Some(row) = row
            && let Ok(index) = serde_json::from_slice(&row.get::<_, JsonText>(1).0)
        {
            self.index = index;
            self.head = row.get::<_, i64>(0).unsigned_abs();
            self.index_kept_at = self.head;
        }
        loop {
            let events = self.connection.after(self.head).await?;
            if events.is_empty() {
                break;
            }
            for recorded in &events {
                self.follow(recorded)?;
            }
        }
        self.connection.settle().await?;
        self.publish_head();
        Ok(())
    }

    pub(super) fn offer_index(&mut self) {
        if self.head >= self.index_kept_at + INDEX_EVERY {
            drop(tokio::spawn(self.keep_index()));
        }
    }

    /// Keeps the log's index as it stands now.
    pub(super) fn keep_index(&mut self) -> impl Future<Output = ()> + Send + use<D> {
        self.index_kept_at = self.head;
        let snapshot = serde_json::to_vec(&self.index).map(|state| Snapshot {
            subject: OWN_STREAM,
            position: self.head,
            version: self.index.own_version,
            state: state.into(),
        });
        let pool = self.pool.clone();
        async move {
            if let Ok(snapshot) = snapshot
                && let Ok(client) = pool.get().await
                && let Err(error) = store::keep_snapshots(&client, "index", &[snapshot]).await
            {
                tracing::warn!(error = %store::describe(&error), "the log's index was not kept");
            }
        }
    }
}

/// Keeps snapshots as they come.
pub(super) async fn keep_snapshots<D: Domain>(
    pool: deadpool_postgres::Pool,
    mut jobs: mpsc::Receiver<Vec<Due<D::State>>>,
) {
    while let Some(due) = jobs.recv().await {
        let rows: Vec<Snapshot> = due
            .into_iter()
            .filter_map(|(subject, position, entry)| {
                let state = serde_json::to_vec(&entry.states).ok()?;
                Some(Snapshot { subject, position, version: entry.version, state: state.into() })
            })
            .collect();
        let Ok(client) = pool.get().await else {
            continue;
        };
        if let Err(error) = store::keep_snapshots(&client, &loader::folding::<D>(), &rows).await {
            // A snapshot is only a short cut: the next one will do.
            tracing::warn!(error = %store::describe(&error), "snapshots were not kept");
        }
    }
}

/// Keeps refused commands as they come.
pub(super) async fn keep_refusals(pool: deadpool_postgres::Pool, mut jobs: mpsc::Receiver<Vec<Refused>>) {
    while let Some(rows) = jobs.recv().await {
        let kept = async {
            let client = pool.get().await.map_err(|error| error.to_string())?;
            store::keep_refusals(&client, &rows).await.map_err(|error| store::describe(&error))
        };
        if let Err(error) = kept.await {
            metrics::counter!("concord_log_refusals_not_kept_total").increment(rows.len() as u64);
            tracing::warn!(error, "refusals were not kept");
        }
    }
}

/// The row of a refused command; errors that are no refusal are not kept.
pub(super) fn refused_row<C>(pending: &Pending<C>, error: &CommandError, head: u64) -> Option<Refused> {
    let CommandError::Refused(refusal) = error else {
        return None;
    };
    Some(Refused {
        head,
        request_id: pending.submission.request_id,
        reason: refusal.broken.first()?.code.clone(),
        refusal: serde_json::to_vec(refusal).ok()?.into(),
        command: pending.body.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_kept_up_to_a_bound_and_then_as_time_goes_by() {
        let mut now = Instant::now();
        let mut allowance = Allowance::new(now);
        assert_eq!(allowance.take(REFUSALS_MAX - 1, now), REFUSALS_MAX - 1);
        assert_eq!(allowance.take(5, now), 1);
        assert_eq!(allowance.take(5, now), 0);
        // Two and a half steps, and then the other half.
        now += REFUSAL_EVERY * 5 / 2;
        assert_eq!(allowance.take(5, now), 2);
        now += REFUSAL_EVERY / 2;
        assert_eq!(allowance.take(5, now), 1);
        // A long rest does not let more through than the bound.
        now += REFUSAL_EVERY * 10_000_000;
        assert_eq!(allowance.take(usize::MAX, now), REFUSALS_MAX);
        assert_eq!(allowance.take(1, now), 0);
    }
}
