//! Aggregate states in memory, all at the committed head, bounded in bytes.

use lru::LruCache;
use std::collections::HashSet;
use uuid::Uuid;

/// The states under an id, and how far they have come. Mostly one; an id that follows from something may have been chosen for
/// an aggregate of another kind, which is then another state.
#[derive(Debug, Clone)]
pub(super) struct Entry<S> {
    /// None: known to be absent.
    pub(super) states: Vec<S>,
    /// Events whose own stream is under the id, whichever kind.
    pub(super) version: u64,
    /// Events applied since its newest snapshot.
    pub(super) since_snapshot: u32,
}

impl<S> Entry<S> {
    pub(super) fn absent() -> Self {
        Self { states: Vec::new(), version: 0, since_snapshot: 0 }
    }
}

/// Least recently used states leave first.
pub(super) struct Cache<S> {
    entries: LruCache<Uuid, (Entry<S>, usize)>,
    bytes: usize,
    bytes_max: usize,
    weigh: fn(&S) -> usize,
}

/// What an entry costs beside its state: key, links and counters.
const OVERHEAD_BYTES: usize = 128;

impl<S> Cache<S> {
    pub(super) fn new(bytes_max: usize, weigh: fn(&S) -> usize) -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0, bytes_max, weigh }
    }

    /// Looks without counting it as use: a decision looks often, and only what commits is used.
    pub(super) fn peek(&self, id: Uuid) -> Option<&Entry<S>> {
        self.entries.peek(&id).map(|(entry, _)| entry)
    }

    /// For counters only: what changes a state's size goes through `take` and `put`.
    pub(super) fn get_mut(&mut self, id: Uuid) -> Option<&mut Entry<S>> {
        self.entries.get_mut(&id).map(|(entry, _)| entry)
    }

    pub(super) fn put(&mut self, id: Uuid, entry: Entry<S>) {
        let weight = OVERHEAD_BYTES + entry.states.iter().map(self.weigh).sum::<usize>();
        self.bytes += weight;
        if let Some((_, old)) = self.entries.put(id, (entry, weight)) {
            self.bytes -= old;
        }
    }

    /// Takes an entry out: it is cold from now on, unless it is put back.
    pub(super) fn take(&mut self, id: Uuid) -> Option<Entry<S>> {
        let (entry, weight) = self.entries.pop(&id)?;
        self.bytes -= weight;
        Some(entry)
    }

    pub(super) fn is_over(&self) -> bool {
        self.bytes > self.bytes_max
    }

    /// Lets go of what is over the bound, except what is pinned. Called between batches only, so that no decision
    /// loses what it stands on.
    pub(super) fn trim(&mut self, pinned: &HashSet<Uuid>) {
        let mut kept = Vec::new();
        while self.is_over() {
            let Some((id, entry)) = self.entries.pop_lru() else {
                break;
            };
            if pinned.contains(&id) {
                kept.push((id, entry));
            } else {
                self.bytes -= entry.1;
            }
        }
        for (id, entry) in kept {
            self.entries.put(id, entry);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
