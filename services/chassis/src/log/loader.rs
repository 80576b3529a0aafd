//! Cold loads: the newest snapshot of a state, and the events after it, up to the head at which the load was asked
//! for. What is committed meanwhile the writer adds from its ring.

use super::cache::Entry;
use super::domain::{Domain, Meta};
use super::index::OWN_STREAM;
use super::reader::{JsonText, StoreError};
use super::store::{OpenError, signed};
use crate::record::{self, Envelope, LogEvent, Recorded, StreamId};
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
SELECT k.id, e.position, e.record
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS k (id, version, position)
CROSS JOIN LATERAL (
    SELECT position, record FROM events
    WHERE stream = k.id AND version > k.version AND events.position <= $4
    UNION ALL
    SELECT t.position, t.record
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
    for row in client.query(&snapshots, &[&ids, &folding::<D>(), &signed(head)]).await? {
        // A snapshot that does not read is as good as none: the events are there.
        if let Ok(read) = serde_json::from_slice::<Vec<D::State>>(&row.get::<_, JsonText>(3).0) {
            let (id, position, version): (Uuid, i64, i64) = (row.get(0), row.get(1), row.get(2));
            let entry = Entry { states: read, version: version.unsigned_abs(), since_snapshot: 0 };
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
            Recorded { position: row.get::<_, i64>(1).unsigned_abs(), bytes: row.get::<_, JsonText>(2).0 };
        let folded = read::<D>(&recorded).map_err(|error| error.to_string()).and_then(|(envelope, event)| {
            let (meta, streams) = (meta_of(&recorded, &envelope), Streams::of(&event));
            fold::<D>(entry, id, &streams, &event, &meta).map_err(|fault| fault.to_string())
        });
        if let Err(fault) = folded {
            states.insert(id, Err(fault));
        }
    }
    Ok(Loaded { head, states })
}

/// Folding an event panicked; the state is not to be used any more.
#[derive(Debug, thiserror::Error)]
#[error("event {position} cannot be folded into {of} by this version of the service")]
pub(super) struct Fault {
    position: u64,
    of: StreamId,
}

/// Which version of the folding code a snapshot is of: the domain's, and the mechanism's own.
pub(super) fn folding<D: Domain>() -> String {
    format!("{}/2", D::FOLD)
}

/// Applies one event to the states under one id that it is about.
pub(super) fn fold<D: Domain>(
    entry: &mut Entry<D::State>,
    id: Uuid,
    streams: &Streams,
    event: &D::Event,
    meta: &Meta<'_>,
) -> Result<(), Fault> {
    for of in streams.under(id) {
        let place = entry.states.iter().position(|state| D::kind(state) == of.kind);
        let mut state = place.map(|place| entry.states.swap_remove(place));
        // A fault in folding one state must not end the writer, nor leave a load without an answer.
        std::panic::catch_unwind(AssertUnwindSafe(|| D::apply(&mut state, of, event, meta)))
            .map_err(|_| Fault { position: meta.position, of })?;
        entry.states.extend(state);
    }
    entry.version += u64::from(streams.own.id == id);
    entry.since_snapshot += 1;
    Ok(())
}

/// The aggregates that an event is applied to: its own, and others, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Streams {
    pub(super) own: StreamId,
    also: Vec<StreamId>,
}

impl Streams {
    pub(super) fn of<E: LogEvent>(event: &E) -> Self {
        let own = event.stream();
        let mut also = event.also();
        if !also.is_empty() {
            also.sort_unstable_by_key(|of| (of.id, of.kind));
            also.dedup();
            also.retain(|of| *of != own);
        }
        Self { own, also }
    }

    /// The ids of all of them, each once; none for the log's own stream.
    pub(super) fn ids(&self) -> impl Iterator<Item = Uuid> {
        let own = Some(self.own.id).filter(|id| *id != OWN_STREAM);
        own.into_iter().chain(self.further_ids())
    }

    /// The ids beside that of its own stream, each once.
    pub(super) fn further_ids(&self) -> impl Iterator<Item = Uuid> {
        let ids = self.also.iter().enumerate().map(|(place, of)| (place, of.id));
        // In order of their ids.
        let is_first =
            |place: usize, id: Uuid| place == 0 || self.also.get(place - 1).is_none_or(|of| of.id != id);
        ids.filter(move |(place, id)| *id != self.own.id && is_first(*place, *id)).map(|(_, id)| id)
    }

    fn under(&self, id: Uuid) -> impl Iterator<Item = StreamId> {
        std::iter::once(&self.own).chain(&self.also).filter(move |of| of.id == id).copied()
    }
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
