//! Cold states: who waits for them, and how they reach the head that has moved on meanwhile.

use super::super::cache::Entry;
use super::super::domain::Domain;
use super::super::handle::{CommandError, Pending, Seen};
use super::super::loader::{self, Loaded, Streams};
use super::super::store;
use super::{RECONNECT_PAUSE, Writer};
use crate::record::{Recorded, StreamId};
use std::collections::{HashMap, HashSet, VecDeque};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Commands that may wait for cold loads.
const PARKED_MAX: usize = 20_000;
/// States loaded by one query.
const LOAD_IDS_MAX: usize = 2_000;
/// Committed events kept for loads under way, in stored bytes.
const RING_BYTES_MAX: usize = 64 << 20;

/// A command that waits for states to be loaded: its own, or those of an elder about the same aggregate.
pub(super) struct Parked<C> {
    pub(super) pending: Box<Pending<C>>,
    pub(super) needs: HashSet<Uuid>,
}

/// Who waits to see a state.
pub(super) type Reader<S> = (StreamId, oneshot::Sender<Result<Seen<S>, CommandError>>);

/// A committed event, kept while a load that was asked for before it is under way.
struct Recent<E> {
    recorded: Recorded,
    event: E,
    streams: Streams,
}

/// Loads under way, and what was committed since the oldest of them was asked for.
pub(super) struct Loads<D: Domain> {
    pub(super) arrivals: mpsc::Receiver<Loaded<D::State>>,
    arrive: mpsc::Sender<Loaded<D::State>>,
    /// Head at which each was asked for.
    under_way: HashMap<Uuid, u64>,
    /// Every event after `ring_from`.
    ring: VecDeque<Recent<D::Event>>,
    ring_from: u64,
    ring_bytes: usize,
}

impl<D: Domain> Loads<D> {
    pub(super) fn new() -> Self {
        let (arrive, arrivals) = mpsc::channel(64);
        Self {
            arrivals,
            arrive,
            under_way: HashMap::new(),
            ring: VecDeque::new(),
            ring_from: 0,
            ring_bytes: 0,
        }
    }

    /// Keeps a committed event, where a load may miss it. The oldest leave over the bound: a load that comes from
    /// before them is asked for again.
    pub(super) fn remember(&mut self, recorded: Recorded, event: D::Event, streams: Streams) {
        if self.under_way.is_empty() {
            return;
        }
        self.ring_bytes += recorded.bytes.len();
        self.ring.push_back(Recent { recorded, event, streams });
        while self.ring_bytes > RING_BYTES_MAX {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.ring.pop_front() {
            self.ring_bytes -= oldest.recorded.bytes.len();
            self.ring_from = oldest.recorded.position;
        }
    }

    fn trim_ring(&mut self) {
        let needed_from = self.under_way.values().min().copied().unwrap_or(u64::MAX);
        while self.ring.front().is_some_and(|recent| recent.recorded.position <= needed_from) {
            self.forget_oldest();
        }
    }

    /// Brings loaded states to the head.
    fn catch_up(&self, loaded: &mut Loaded<D::State>) {
        for Recent { recorded, event, streams } in &self.ring {
            if recorded.position <= loaded.head {
                continue;
            }
            for id in streams.ids() {
                let Some(Ok(entry)) = loaded.states.get_mut(&id) else {
                    continue;
                };
                let folded = recorded.envelope().map_err(|error| error.to_string()).and_then(|envelope| {
                    let meta = loader::meta_of(recorded, &envelope);
                    loader::fold::<D>(entry, id, streams, event, &meta).map_err(|fault| fault.to_string())
                });
                if let Err(fault) = folded {
                    loaded.states.insert(id, Err(fault));
                }
            }
        }
    }
}

impl<D: Domain> Writer<D> {
    pub(super) fn park(&mut self, pending: Box<Pending<D::Command>>, needs: HashSet<Uuid>) {
        if self.parked.len() >= PARKED_MAX {
            let error = CommandError::Exhausted("commands on states that are being loaded");
            return self.answer(pending.ticket, pending.index, Err(error));
        }
        self.release(&pending);
        self.parked.push_back(Parked { pending, needs });
    }

    /// Asks for states, in the background. What is committed from now on is kept for them.
    pub(super) fn load(&mut self, ids: impl IntoIterator<Item = Uuid>) {
        let under_way = &self.loads.under_way;
        let ids: Vec<Uuid> = ids.into_iter().filter(|id| !under_way.contains_key(id)).collect();
        if under_way.is_empty() {
            self.loads.ring.clear();
            self.loads.ring_bytes = 0;
            self.loads.ring_from = self.head;
        }
        for ids in ids.chunks(LOAD_IDS_MAX) {
            self.loads.under_way.extend(ids.iter().map(|id| (*id, self.head)));
            let (ids, head) = (ids.to_vec(), self.head);
            let (pool, answer) = (self.pool.clone(), self.loads.arrive.clone());
            tokio::spawn(async move {
                let mut pause = RECONNECT_PAUSE.0;
                loop {
                    match loader::load::<D>(&pool, &ids, head).await {
                        Ok(loaded) => return drop(answer.send(loaded).await),
                        Err(_) if answer.is_closed() => return,
                        Err(error) => {
                            tracing::warn!(error = %store::describe_read(&error), "a cold load is tried again");
                            tokio::time::sleep(pause).await;
                            pause = (pause * 2).min(RECONNECT_PAUSE.1);
                        }
                    }
                }
            });
        }
    }

    /// Takes loaded states in, brings them to the head, and lets who waited for them go on.
    pub(super) fn install(&mut self, mut loaded: Loaded<D::State>) {
        for id in loaded.states.keys() {
            self.loads.under_way.remove(id);
        }
        if loaded.head < self.loads.ring_from {
            return self.load(loaded.states.into_keys());
        }
        self.loads.catch_up(&mut loaded);
        self.loads.trim_ring();
        let mut arrived: HashSet<Uuid> = HashSet::with_capacity(loaded.states.len());
        let mut lost: HashMap<Uuid, String> = HashMap::new();
        for (id, state) in loaded.states {
            arrived.insert(id);
            let readers = self.readers.remove(&id).unwrap_or_default();
            match state {
                Ok(entry) => {
                    for (of, reader) in readers {
                        let _ = reader.send(Ok(seen::<D>(&entry, of, self.head)));
                    }
                    self.cache.put(id, entry);
                }
                Err(fault) => {
                    tracing::error!(%id, fault, "a state cannot be loaded");
                    for (_, reader) in readers {
                        let _ = reader.send(Err(CommandError::Internal(fault.clone())));
                    }
                    lost.insert(id, fault);
                }
            }
        }
        self.unpark(&arrived, &lost);
        self.trim_cache();
    }

    /// Queues the commands that wait for nothing more, and fails those whose own need is lost.
    fn unpark(&mut self, arrived: &HashSet<Uuid>, lost: &HashMap<Uuid, String>) {
        let mut ready = Vec::new();
        let mut still = VecDeque::with_capacity(self.parked.len());
        for mut parked in std::mem::take(&mut self.parked) {
            if let Some(fault) = parked.pending.needed.iter().find_map(|id| lost.get(id)) {
                let error = CommandError::Internal(fault.clone());
                self.answer(parked.pending.ticket, parked.pending.index, Err(error));
                continue;
            }
            parked.needs.retain(|id| !arrived.contains(id));
            if parked.needs.is_empty() {
                ready.push(parked.pending);
            } else {
                still.push_back(parked);
            }
        }
        self.parked = still;
        self.requeue(ready);
    }

    /// Keeps the cache within its bound, without what loaded for a command that is still to be decided.
    pub(super) fn trim_cache(&mut self) {
        if self.cache.is_over() {
            let parked = self.parked.iter().map(|parked| &parked.pending);
            let pinned: HashSet<Uuid> =
                parked.chain(&self.queue).flat_map(|pending| &pending.needed).copied().collect();
            self.cache.trim(&pinned);
        }
        metrics::gauge!("concord_log_cache_bytes").set(self.cache.bytes() as f64);
    }
}

/// A state as a reader gets it.
pub(super) fn seen<D: Domain>(entry: &Entry<D::State>, of: StreamId, head: u64) -> Seen<D::State> {
    let state = entry.states.iter().find(|state| D::kind(state) == of.kind).cloned();
    Seen { version: state.as_ref().map_or(0, |_| entry.version), state, head }
}
