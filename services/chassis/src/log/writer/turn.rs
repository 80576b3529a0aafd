//! A turn: decide what is queued as one batch, commit it, and only then answer.

use super::super::decide::{self, Decided, Ground, Step, Verdict};
use super::super::domain::Domain;
use super::super::handle::{ABANDONED, COMMITTING, CommandError, Outcome, Pending, QUEUED};
use super::super::store::Committed;
use super::{BATCH_BYTES_MAX, BATCH_COMMANDS_MAX, Writer, keep};
use crate::record::Recorded;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::time::Instant;
use uuid::Uuid;

/// Turns taken under the contention lock after a race was lost, or won against somebody who holds the lock. It is given
/// in the order of arrival, so that writers take turns. Were it let go after one turn, the next would be a race again,
/// and who holds the lock asks more of PostgreSQL between looking and writing: it would lose most of them.
const CONTENDED_TURNS: u32 = 100;

impl<D: Domain> Writer<D> {
    /// One batch: decide, commit, answer.
    pub(super) async fn turn(&mut self) {
        self.check_clock().await;
        let locked = self.turns_to_lock > 0 && self.take_contention_lock().await;
        let mut batch = self.decide();
        if batch.decided.is_empty() {
            if locked {
                self.end_empty_turn().await;
            }
            return;
        }
        self.recall_answers(&mut batch).await;
        // Before it is sent: another replica may write while the answer is on its way.
        let started = Instant::now();
        let committed = self.commit(&batch, locked).await;
        metrics::histogram!("concord_log_commit_seconds").record(started.elapsed());
        match committed {
            Committed::Done { contended } => {
                self.turns_to_lock =
                    if contended { CONTENDED_TURNS } else { self.turns_to_lock.saturating_sub(1) };
                self.batch_max = (self.batch_max * 2).min(BATCH_COMMANDS_MAX);
                self.promote(batch, started);
            }
            Committed::LostRace => {
                metrics::counter!("concord_log_lost_races_total").increment(1);
                self.turns_to_lock = CONTENDED_TURNS;
                self.put_back(batch);
                if !self.catch_up().await {
                    tracing::error!(
                        head = self.head,
                        "a race was lost to nobody: the database is looked at again"
                    );
                    self.reconnect().await;
                }
            }
            Committed::Conflict(reason) => {
                if self.catch_up().await {
                    self.turns_to_lock = CONTENDED_TURNS;
                    self.put_back(batch);
                } else {
                    self.isolate(batch, &reason);
                }
            }
            Committed::RepeatedRequest => self.answer_repeated(batch).await,
            Committed::Poisoned(reason) => self.isolate(batch, &reason),
            // `commit` does not come back with an unknown outcome.
            Committed::Unknown(reason) => {
                tracing::error!(reason, "a commit ended without an outcome");
                self.put_back(batch);
            }
        }
    }

    fn decide(&mut self) -> decide::Batch<D> {
        loop {
            if let Some(batch) = self.try_decide() {
                return batch;
            }
        }
    }

    /// Decides what is queued, in order, as long as the batch has room. `None`: a command spoiled it; once more.
    fn try_decide(&mut self) -> Option<decide::Batch<D>> {
        // One look for the whole batch: what it decides rests on one state of knowledge. Before the time of the decision is
        // taken, so that nothing was verified after it.
        let followed = self.followed.borrow().clone();
        let mut batch = decide::Batch::new(self.head, &self.index);
        // Aggregates that an earlier command waits with, and for what.
        let mut blocked: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
        for parked in &self.parked {
            for target in decide::targets::<D>(&parked.pending.submission.command) {
                blocked.entry(target.id).or_default().extend(&parked.needs);
            }
        }
        let mut cold: HashSet<Uuid> = HashSet::new();
        let mut spoiled = None;
        while batch.decided.len() < self.batch_max && batch.bytes < BATCH_BYTES_MAX {
            let Some(pending) = self.queue.pop_front() else {
                break;
            };
            let Some(pending) = self.begin(pending) else {
                continue;
            };
            // Not before its elders about the same aggregate.
            let behind: HashSet<Uuid> = if blocked.is_empty() {
                HashSet::new()
            } else {
                let targets = decide::targets::<D>(&pending.submission.command);
                targets.iter().filter_map(|target| blocked.get(&target.id)).flatten().copied().collect()
            };
            let (pending, needs) = if behind.is_empty() {
                let ground = Ground {
                    domain: &*self.domain,
                    cache: &self.cache,
                    index: &self.index,
                    source: &self.source,
                    played_from: self.identity.played_from,
                    followed: &followed,
                };
                match batch.decide(&ground, pending) {
                    Step::Taken => continue,
                    Step::Needs(mut pending, needs) => {
                        cold.extend(&needs);
                        pending.needed.extend(&needs);
                        (pending, needs.into_iter().collect())
                    }
                    Step::Spoiled(pending) => {
                        spoiled = Some(pending);
                        break;
                    }
                }
            } else {
                (pending, behind)
            };
            for target in decide::targets::<D>(&pending.submission.command) {
                blocked.entry(target.id).or_default().extend(&needs);
            }
            self.park(pending, needs);
        }
        self.load(cold);
        if let Some(pending) = spoiled {
            self.put_back(batch);
            self.requeue([pending]);
            return None;
        }
        Some(batch)
    }

    /// From here on the caller cannot take the command back; `None` where it already has.
    fn begin(&mut self, pending: Box<Pending<D::Command>>) -> Option<Box<Pending<D::Command>>> {
        let phase = &pending.phase;
        let begun = phase.compare_exchange(QUEUED, COMMITTING, Ordering::AcqRel, Ordering::Acquire);
        if begun == Err(ABANDONED) {
            let error = CommandError::Unavailable("it was taken back".to_owned());
            self.answer(pending.ticket, pending.index, Err(error));
            return None;
        }
        Some(pending)
    }

    /// Nothing of the command has been committed, so the caller may take it back again while it waits. A chunk that
    /// has begun elsewhere stays begun.
    pub(super) fn release(&self, pending: &Pending<D::Command>) {
        if self.tickets.get(&pending.ticket).is_some_and(|ticket| ticket.outcomes.len() == 1) {
            pending.phase.store(QUEUED, Ordering::Release);
        }
    }

    /// Puts commands back where they were in the order of arrival.
    pub(super) fn requeue(&mut self, pending: impl IntoIterator<Item = Box<Pending<D::Command>>>) {
        self.queue.extend(pending);
        self.queue.make_contiguous().sort_by_key(|pending| (pending.ticket, pending.index));
    }

    /// The batch came to nothing: its commands wait again.
    fn put_back(&mut self, batch: decide::Batch<D>) {
        let decided = batch.decided.into_iter().map(|decided| decided.pending);
        let joined = batch.joined.into_values().flatten();
        let all: Vec<_> = decided.chain(joined).collect();
        for pending in &all {
            self.release(pending);
        }
        self.requeue(all);
    }

    /// The batch is in the log: states move on, and every answer goes out.
    /// `asked_at`: when the commit began, which confirmed the head.
    fn promote(&mut self, mut batch: decide::Batch<D>, asked_at: Instant) {
        let recorded: Vec<Recorded> = batch.records().cloned().collect();
        self.head += recorded.len() as u64;
        let touched: Vec<Uuid> = batch.overlay.keys().copied().collect();
        for (id, entry) in batch.overlay {
            self.cache.put(id, entry);
        }
        self.index.promote(batch.changes);
        // Before any answer: who has one may rely on the head and on today.
        if !recorded.is_empty() {
            self.newest = recorded.last().cloned();
        }
        self.show_head();
        self.confirmed.note(asked_at);
        let mut refused = Vec::new();
        let mut accepted = 0_u64;
        for Decided { pending, verdict, events } in batch.decided {
            for fresh in events {
                self.loads.remember(fresh.recorded, fresh.event, fresh.streams);
            }
            let outcome = match verdict {
                Verdict::Accepted(receipt) => {
                    accepted += 1;
                    Ok(receipt)
                }
                Verdict::Recalled(outcome) => outcome,
                Verdict::Rejected(error) => {
                    refused.extend(keep::refused_row(&pending, &error, batch.head));
                    Err(error)
                }
            };
            for joined in batch.joined.remove(&pending.submission.request_id).unwrap_or_default() {
                self.answer(joined.ticket, joined.index, outcome.clone());
            }
            self.answer(pending.ticket, pending.index, outcome);
        }
        metrics::counter!("concord_log_commands_total", "outcome" => "accepted").increment(accepted);
        metrics::counter!("concord_log_commands_total", "outcome" => "refused")
            .increment(refused.len() as u64);
        if !recorded.is_empty() {
            // Full: the relay is behind, and reads it back from PostgreSQL.
            let _ = self.relay.try_send(recorded);
        }
        self.offer_refusals(refused);
        self.offer_snapshots(&touched);
        self.offer_index();
        self.trim_cache();
    }

    pub(super) fn publish_head(&self) {
        metrics::gauge!("concord_log_head").set(self.head as f64);
        self.head_tx.send_replace(self.head);
        self.today_tx.send_replace(self.index.today.or(self.identity.played_from));
    }

    pub(super) fn answer(&mut self, ticket: u64, index: usize, outcome: Outcome) {
        let Some(waiting) = self.tickets.get_mut(&ticket) else {
            return;
        };
        if let Some(slot) = waiting.outcomes.get_mut(index)
            && slot.is_none()
        {
            *slot = Some(outcome);
            waiting.missing -= 1;
        }
        if waiting.missing == 0
            && let Some(done) = self.tickets.remove(&ticket)
        {
            let _ = done.reply.send(done.outcomes.into_iter().flatten().collect());
        }
    }

    /// Answers what the log has answered before, and lets the rest be decided again.
    async fn answer_repeated(&mut self, batch: decide::Batch<D>) {
        let ids: Vec<Uuid> =
            batch.decided.iter().map(|decided| decided.pending.submission.request_id).collect();
        let stored = self.stored_answers(&ids).await;
        self.put_back(batch);
        let mut rest = VecDeque::with_capacity(self.queue.len());
        for pending in std::mem::take(&mut self.queue) {
            match stored.get(&pending.submission.request_id) {
                Some(stored) => {
                    let outcome = pending.first_answer(stored);
                    self.answer(pending.ticket, pending.index, outcome);
                }
                None => rest.push_back(pending),
            }
        }
        self.queue = rest;
    }

    /// One value that PostgreSQL refuses must not fail its neighbours: halve the batch until it stands alone.
    fn isolate(&mut self, mut batch: decide::Batch<D>, reason: &str) {
        if batch.decided.len() > 1 {
            self.batch_max = (batch.decided.len() / 2).max(1);
        } else if let Some(Decided { pending, .. }) = batch.decided.pop() {
            tracing::error!(reason, request.id = %pending.submission.request_id, "PostgreSQL refuses a command");
            let error = CommandError::Internal(format!("the database refuses it: {reason}"));
            self.answer(pending.ticket, pending.index, Err(error));
        }
        self.put_back(batch);
    }
}
