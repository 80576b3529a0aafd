//! Cold loads: the newest snapshot of a state, and the events after it, up to the head at which the load was asked
//! for. What is committed meanwhile the writer adds from its ring.

use super::cache::Entry;
use super::domain::{Domain, Meta};
use super::reader::{JsonText, StoreError};
use super::store::{OpenError, signed};
use crate::record::{self, Envelope, LogEvent, Recorded};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use uuid::Uuid;

/// A state, or why it cannot be had: an event of it does not read, or does not fold.
pub(super) type Folded<S> = Result<Entry<S>, String>;

/// States as they stood at `head`.
pub(super) struct Loaded<S> {
    pub(super) head: u64,
    pub(super) states: HashMap<Uuid, Folded<S>>,
}

const SNAPSHOTS: &str = "SELECT subject, position, version, state FROM snapshots
     WHERE subject = ANY($1) AND fold = $2 AND position <= $3";

/// Each id's own events after its version, and those of other streams that also touch it, after its position.
const EVENTS: &str = "
SELECT k.id, e.position, e.version, e.stream = k.id, e.record
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS k (id, version, position)
CROSS JOIN LATERAL (
    SELECT position, version, stream, record FROM events
    WHERE stream = k.id AND version > k.version AND events.position <= $4
    UNION ALL
    SELECT t.position, t.version, t.stream, t.record
    FROM subjects s JOIN events t ON t.position = s.position
    WHERE s.subject = k.id AND s.position > k.position AND s.position <= $4
) AS e
ORDER BY e.position";

/// Folds these states from what is stored at or below `head`.
pub(super) async fn load<D: Domain>(
    pool: &deadpool_postgres::Pool,
    ids: &[Uuid],
    head: u64,
) -> Result<Loaded<D::State>, StoreError> {
    let client = pool.get().await?;
    let snapshots = client.prepare_cached(SNAPSHOTS).await?;
    let events = client.prepare_cached(EVENTS).await?;
    let mut states: HashMap<Uuid, Folded<D::State>> =
        ids.iter().map(|id| (*id, Ok(Entry::absent()))).collect();
    let mut kept: HashMap<Uuid, (i64, i64)> = HashMap::new();
    for row in client.query(&snapshots, &[&ids, &D::FOLD, &signed(head)]).await? {
        // A snapshot that does not read is as good as none: the events are there.
        if let Ok(state) = serde_json::from_slice(&row.get::<_, JsonText>(3).0) {
            let (id, position, version): (Uuid, i64, i64) = (row.get(0), row.get(1), row.get(2));
            let entry = Entry { state: Some(state), version: version.unsigned_abs(), since_snapshot: 0 };
            states.insert(id, Ok(entry));
            kept.insert(id, (version, position));
        }
    }
    let (versions, positions): (Vec<i64>, Vec<i64>) =
        ids.iter().map(|id| kept.get(id).copied().unwrap_or_default()).unzip();
    for row in client.query(&events, &[&ids, &versions, &positions, &signed(head)]).await? {
        let id: Uuid = row.get(0);
        // After its first fault a state is not folded any further.
        let Some(Ok(entry)) = states.get_mut(&id) else {
            continue;
        };
        let recorded =
            Recorded { position: row.get::<_, i64>(1).unsigned_abs(), bytes: row.get::<_, JsonText>(4).0 };
        let folded = read::<D>(&recorded).map_err(|error| error.to_string()).and_then(|(envelope, event)| {
            let meta = meta_of(&recorded, &envelope);
            fold::<D>(entry, id, row.get(3), &event, &meta).map_err(|fault| fault.to_string())
        });
        if let Err(fault) = folded {
            states.insert(id, Err(fault));
        }
    }
    Ok(Loaded { head, states })
}

/// Folding an event panicked; the state is not to be used any more.
#[derive(Debug, thiserror::Error)]
#[error("event {position} cannot be folded into {id} by this version of the service")]
pub(super) struct Fault {
    position: u64,
    id: Uuid,
}

/// Applies one event to one state.
pub(super) fn fold<D: Domain>(
    entry: &mut Entry<D::State>,
    id: Uuid,
    own_stream: bool,
    event: &D::Event,
    meta: &Meta<'_>,
) -> Result<(), Fault> {
    // A fault in folding one state must not end the writer, nor leave a load without an answer.
    std::panic::catch_unwind(AssertUnwindSafe(|| D::apply(&mut entry.state, id, event, meta)))
        .map_err(|_| Fault { position: meta.position, id })?;
    entry.version += u64::from(own_stream);
    entry.since_snapshot += 1;
    Ok(())
}

/// The states beside its own stream that an event is applied to, each once.
pub(super) fn also<E: LogEvent>(event: &E) -> Vec<Uuid> {
    let own = event.stream().1;
    let mut also = event.also();
    if !also.is_empty() {
        also.sort_unstable();
        also.dedup();
        also.retain(|id| *id != own);
    }
    also
}

/// What folding may need of an envelope.
pub(super) fn meta_of<'a>(recorded: &Recorded, envelope: &'a Envelope<'_>) -> Meta<'a> {
    Meta {
        position: recorded.position,
        effective_on: envelope.effectiveon,
        actor: &envelope.actor,
        actor_organisation: &envelope.actororg,
    }
}

/// Reads a stored event.
pub(super) fn read<D: Domain>(recorded: &Recorded) -> Result<(Envelope<'_>, D::Event), OpenError> {
    let unreadable = |error: serde_json::Error| OpenError::Unreadable {
        position: recorded.position,
        reason: error.to_string(),
    };
    record::read(recorded).map_err(unreadable)
}
