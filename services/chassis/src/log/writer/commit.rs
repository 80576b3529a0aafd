//! What the writer does with PostgreSQL: commit, look up what was answered, follow what others wrote, connect again.

use super::super::decide::{self, Fresh, Verdict};
use super::super::domain::Domain;
use super::super::loader::{self, Streams};
use super::super::store::{self, Batch, CONTENTION_LOCK, Committed, Connection, OpenError, Stored, Unfit};
use super::{RECONNECT_PAUSE, Writer};
use crate::record::{LogEvent, Recorded};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often the clocks are compared.
const CLOCK_CHECK_INTERVAL: Duration = Duration::from_secs(60);

impl<D: Domain> Writer<D> {
    /// Before anything but an acceptance goes out, its id is looked up: the first try may have succeeded.
    pub(super) async fn recall_answers(&mut self, batch: &mut decide::Batch<D>) {
        let ids: Vec<Uuid> = batch
            .decided
            .iter()
            .filter(|decided| decided.events.is_empty())
            .map(|decided| decided.pending.submission.request_id)
            .collect();
        if ids.is_empty() {
            return;
        }
        let stored = self.stored_answers(&ids).await;
        for decided in batch.decided.iter_mut().filter(|decided| decided.events.is_empty()) {
            if let Some(stored) = stored.get(&decided.pending.submission.request_id) {
                decided.verdict = Verdict::Recalled(decided.pending.first_answer(stored));
            }
        }
    }

    pub(super) async fn stored_answers(&mut self, ids: &[Uuid]) -> HashMap<Uuid, Stored> {
        loop {
            let read = async {
                let rows = self.connection.answers(ids, D::LOG).await?;
                if !rows.is_empty() {
                    self.connection.settle().await?;
                }
                Ok::<_, tokio_postgres::Error>(rows)
            };
            match read.await {
                Ok(answers) => return answers,
                Err(error) => {
                    tracing::warn!(error = %store::describe(&error), "stored answers could not be read");
                    self.reconnect().await;
                }
            }
        }
    }

    /// Commits the batch; where the outcome is unknown, writes the identical bytes at the identical positions again.
    /// `locked`: the statement runs in the transaction that holds the contention lock.
    pub(super) async fn commit(&mut self, batch: &decide::Batch<D>, mut locked: bool) -> Committed {
        let rows = batch.rows();
        let mut in_doubt = false;
        let mut pause = RECONNECT_PAUSE.0;
        loop {
            let mut outcome = self.connection.commit(self.head, &rows).await;
            if std::mem::take(&mut locked) {
                outcome = self.connection.end_locked(outcome).await;
            }
            match outcome {
                Committed::Unknown(reason) => {
                    tracing::warn!(
                        reason,
                        head = self.head,
                        "the outcome of a commit is unknown; it is written again"
                    );
                    if in_doubt {
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(RECONNECT_PAUSE.1);
                    }
                    in_doubt = true;
                    self.reconnect().await;
                }
                // A repeat of the first try: the same batch may already have gone in.
                Committed::LostRace | Committed::RepeatedRequest | Committed::Conflict(_) if in_doubt => {
                    match self.is_mine(batch).await {
                        Some(true) => return Committed::Done { contended: false },
                        Some(false) => return outcome,
                        None => {}
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Whether the events after the head are this batch's own. `None`: PostgreSQL did not answer.
    async fn is_mine(&mut self, batch: &decide::Batch<D>) -> Option<bool> {
        let read = async {
            let there = self.connection.after(self.head).await?;
            self.connection.settle().await?;
            Ok::<_, tokio_postgres::Error>(there)
        };
        match read.await {
            Ok(there) => match (there.first(), batch.records().next()) {
                (Some(theirs), Some(mine)) => Some(theirs.bytes == mine.bytes),
                _ => Some(false),
            },
            Err(error) => {
                tracing::warn!(error = %store::describe(&error), "the log could not be read");
                self.reconnect().await;
                None
            }
        }
    }

    /// Applies what other replicas wrote to the states in memory, and lets it be seen. Whether there was anything.
    pub(super) async fn catch_up(&mut self) -> bool {
        let before = self.head;
        if let Some(asked_at) = self.follow_others().await {
            self.show_head();
            self.confirmed.note(asked_at);
        }
        self.head != before
    }

    /// Applies what other replicas wrote, and settles it: when PostgreSQL was asked whether there is more, and there was not;
    /// `None` where it cannot be followed. Inside a transaction it is settled only with that one's end, and must not be shown
    /// before.
    async fn follow_others(&mut self) -> Option<Instant> {
        loop {
            let asked_at = Instant::now();
            match self.connection.after(self.head).await {
                Ok(events) if events.is_empty() => {
                    if self.head == self.shown() || self.connection.settle().await.is_ok() {
                        return Some(asked_at);
                    }
                    self.reconnect().await;
                }
                Ok(events) => {
                    for recorded in &events {
                        if let Err(error) = self.follow(recorded) {
                            // Deciding on states that miss an event would be worse than standing still.
                            tracing::error!(%error, "the log cannot be followed");
                            tokio::time::sleep(RECONNECT_PAUSE.1).await;
                            return None;
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %store::describe(&error), "the log could not be read");
                    self.reconnect().await;
                }
            }
        }
    }

    /// The head that readers, the relay and callers know.
    fn shown(&self) -> u64 {
        *self.head_tx.borrow()
    }

    /// Lets the head be seen, where it has moved.
    pub(super) fn show_head(&self) {
        if self.head != self.shown() {
            self.publish_head();
        }
    }

    pub(super) fn follow(&mut self, recorded: &Recorded) -> Result<(), OpenError> {
        let (envelope, event) = loader::read::<D>(recorded)?;
        let meta = loader::meta_of(recorded, &envelope);
        let streams = Streams::of(&event);
        for id in streams.ids() {
            if let Some(mut entry) = self.cache.take(id) {
                match loader::fold::<D>(&mut entry, id, &streams, &event, &meta) {
                    Ok(()) => self.cache.put(id, entry),
                    // It stays cold, and commands that need it fail when it is loaded.
                    Err(fault) => tracing::error!(%fault, "a state is given up"),
                }
            }
        }
        self.index.note(event.type_name(), recorded.position, event.advances_today());
        self.index.recorded_at_us = self.index.recorded_at_us.max(envelope.time.as_microsecond());
        self.head = recorded.position;
        self.newest = Some(recorded.clone());
        self.loads.remember(recorded.clone(), event, streams);
        Ok(())
    }

    pub(super) async fn look_at_tail(&mut self) {
        let before = self.head;
        if self.catch_up().await {
            tracing::debug!(from = before, to = self.head, "another replica wrote");
            self.trim_cache();
        }
        self.check_clock().await;
    }

    /// Compares the clocks now and then; where they differ, the writer stands still until they are mended.
    pub(super) async fn check_clock(&mut self) {
        if self.clock_checked.elapsed() < CLOCK_CHECK_INTERVAL {
            return;
        }
        if let Err(reason) = self.connection.check_clock().await {
            tracing::error!(reason, "the writer stops until this is mended");
            self.reconnect().await;
        }
        self.clock_checked = Instant::now();
    }

    /// Connects again, however long it takes; callers run out of patience by themselves. A database that is another,
    /// or that has lost events, is not written to: the gate closes, which ends the writer's work where it stands.
    pub(super) async fn reconnect(&mut self) {
        let mut pause = RECONNECT_PAUSE.0;
        loop {
            let opened = async {
                let connection = Connection::open(&self.database_url).await?;
                connection.join_writers().await?;
                connection.verify(&self.identity, self.head, self.newest.as_ref()).await?;
                Ok::<_, Unfit>(connection)
            };
            match opened.await {
                Ok(connection) => {
                    self.connection = connection;
                    return;
                }
                Err(Unfit::Standstill(why)) => {
                    self.gate.close(why);
                    std::future::pending().await
                }
                Err(Unfit::Away(reason)) => {
                    tracing::warn!(reason, "PostgreSQL is away");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RECONNECT_PAUSE.1);
                }
            }
        }
    }

    /// A loser of a race takes the lock, and only then, in a further statement, looks what it lost to.
    pub(super) async fn take_contention_lock(&mut self) -> bool {
        let begin = format!(
            "BEGIN; SET LOCAL lock_timeout = '2s'; SET LOCAL idle_in_transaction_session_timeout = '2s';
             SELECT pg_advisory_xact_lock({CONTENTION_LOCK})"
        );
        if let Err(error) = self.connection.execute(&begin).await {
            tracing::debug!(error = %store::describe(&error), "the contention lock was not to be had");
            self.give_up_lock().await;
            return false;
        }
        // Where this had to connect again, the lock is gone: the commit is then a plain one, and as safe.
        self.follow_others().await;
        true
    }

    pub(super) async fn give_up_lock(&mut self) {
        let _ = self.connection.execute("ROLLBACK").await;
    }

    /// Ends a turn under the lock in which there was nothing to write: what was followed is settled with it.
    pub(super) async fn end_empty_turn(&mut self) {
        match self.connection.execute("COMMIT").await {
            Ok(()) => self.show_head(),
            // The next look at the log settles it.
            Err(error) => {
                tracing::debug!(error = %store::describe(&error), "an empty turn did not end well");
            }
        }
    }
}

/// The rows that a batch inserts.
impl<D: Domain> decide::Batch<D> {
    fn rows(&self) -> Batch<'_> {
        let mut rows = Batch::default();
        for decided in &self.decided {
            for Fresh { recorded, version, streams, .. } in &decided.events {
                rows.add_event(recorded, *version, streams);
            }
            if let Verdict::Accepted(receipt) = &decided.verdict {
                let pending = &decided.pending;
                rows.add_answer(pending.submission.request_id, &pending.body_hash, &pending.body, receipt);
            }
        }
        rows
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Recorded> {
        self.decided.iter().flat_map(|decided| decided.events.iter().map(|fresh| &fresh.recorded))
    }
}
