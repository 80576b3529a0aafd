//! The writer: one task that decides commands in batches and commits each batch at the positions after its head.
//!
//! ```text
//! mailbox → gather → decide each, in order, on cache + overlay → one statement → replies, relay, snapshots
//!                       │ Need                                      │ lost race: catch up, decide again
//!                       └ parked until loaded                       │ outcome unknown: the identical bytes again
//! ```
//!
//! Every answer waits for its batch, refusals too: they were decided on a state that might not have come to be.

mod commit;
mod keep;
mod loads;

use super::cache::Cache;
use super::decide::{self, Decided, Ground, Step, Verdict};
use super::domain::Domain;
use super::handle::{
    ABANDONED, COMMITTING, CommandError, Counted, Log, Mail, Outcome, Pending, QUEUED,
};
use super::index::Index;
use super::reader::LogReader;
use super::store::{self, Committed, Connection, Identity, OpenError, Refused};
use crate::record::Recorded;
use jiff::civil::Date;
use keep::Due;
use loads::{Loads, Parked, Reader};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Commands decided in one batch at most: what one flush can carry without a neighbour waiting long.
const BATCH_COMMANDS_MAX: usize = 1024;
/// Stored bytes of one batch at most.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// How often an idle writer looks whether another replica wrote.
const TAIL_INTERVAL: Duration = Duration::from_secs(1);
/// First and longest pause before PostgreSQL is tried again.
const RECONNECT_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long a writer that shuts down goes on answering; then what is in doubt is answered `OutcomeUnknown`.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// How a log is opened.
pub struct LogOptions {
    /// Where its database is. The writer opens a connection of its own.
    pub database_url: String,
    /// Connections for loads, reads and what is written behind the commit.
    pub pool: deadpool_postgres::Pool,
    /// The cell it belongs to.
    pub cell: String,
    /// First today, for a new log on a played clock.
    pub played_from: Option<Date>,
    /// Bound of the cached states, in bytes.
    pub cache_bytes_max: usize,
}

/// A log that runs: its handle, what the relay needs, and its end.
pub struct Running<D: Domain> {
    /// Takes commands.
    pub log: Log<D>,
    /// Committed batches, for the relay. Full, a batch is left out: the relay reads it back.
    pub batches: mpsc::Receiver<Vec<Recorded>>,
    /// The writer; it ends when `shutdown` is cancelled and its queue is answered, or cannot be in time.
    pub task: tokio::task::JoinHandle<()>,
}

/// Opens the log of `options.database_url`, whose schema is migrated, and starts its writer.
///
/// # Errors
/// Where PostgreSQL cannot be reached or holds another log, or an event cannot be read.
pub async fn start<D: Domain>(
    domain: Arc<D>,
    options: LogOptions,
    shutdown: CancellationToken,
) -> Result<Running<D>, OpenError> {
    let connection = Connection::open(&options.database_url)
        .await
        .map_err(OpenError::Mismatch)?;
    let identity = Arc::new(
        store::open(
            &connection.client,
            D::LOG,
            &options.cell,
            options.played_from,
        )
        .await?,
    );
    let (mailbox, mail) = mpsc::channel(4096);
    let (relay, batches) = mpsc::channel(256);
    let (head_tx, head) = watch::channel(0);
    let (today_tx, today) = watch::channel(identity.played_from);
    let (snapshots, snapshot_jobs) = mpsc::channel(256);
    let (refusals, refusal_jobs) = mpsc::channel(256);
    tokio::spawn(keep::keep_snapshots::<D>(
        options.pool.clone(),
        snapshot_jobs,
    ));
    tokio::spawn(keep::keep_refusals(options.pool.clone(), refusal_jobs));

    let mut writer = Writer::<D> {
        source: identity.source(),
        domain: domain.clone(),
        identity: identity.clone(),
        database_url: options.database_url,
        pool: options.pool.clone(),
        connection,
        mail,
        cache: Cache::new(options.cache_bytes_max, D::weight),
        index: Index::default(),
        index_kept_at: 0,
        head: 0,
        queue: VecDeque::new(),
        parked: VecDeque::new(),
        loads: Loads::new(),
        tickets: HashMap::new(),
        next_ticket: 0,
        readers: HashMap::new(),
        batch_max: BATCH_COMMANDS_MAX,
        contended: false,
        clock_checked: Instant::now(),
        head_tx,
        today_tx,
        relay,
        snapshots,
        refusals,
        shutdown: shutdown.clone(),
    };
    writer.read_index().await?;
    let task = tokio::spawn(async move {
        let patience_ends = async {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN_PATIENCE).await;
        };
        tokio::select! {
            () = writer.run() => {}
            () = patience_ends => tracing::warn!("the log's writer ended with commands unanswered"),
        }
    });
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let reader = LogReader::new(options.pool);
    let log = Log {
        mailbox,
        head,
        today,
        waiting_bytes,
        reader,
        identity,
        domain,
    };
    Ok(Running { log, batches, task })
}

/// Today where the clock is the system's. The law's dates are those of Asia/Shanghai, which has no summer time.
pub(super) fn system_today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
        .date()
}

/// Commands answered together.
struct Ticket {
    outcomes: Vec<Option<Outcome>>,
    missing: usize,
    _counted: Counted,
    reply: oneshot::Sender<Vec<Outcome>>,
}

struct Writer<D: Domain> {
    source: String,
    domain: Arc<D>,
    identity: Arc<Identity>,
    database_url: String,
    pool: deadpool_postgres::Pool,
    connection: Connection,
    mail: mpsc::Receiver<Mail<D>>,
    cache: Cache<D::State>,
    index: Index,
    index_kept_at: u64,
    head: u64,
    /// In the order of arrival.
    queue: VecDeque<Pending<D::Command>>,
    parked: VecDeque<Parked<D::Command>>,
    loads: Loads<D>,
    tickets: HashMap<u64, Ticket>,
    next_ticket: u64,
    readers: HashMap<Uuid, Vec<Reader<D::State>>>,
    batch_max: usize,
    contended: bool,
    clock_checked: Instant,
    head_tx: watch::Sender<u64>,
    today_tx: watch::Sender<Option<Date>>,
    relay: mpsc::Sender<Vec<Recorded>>,
    snapshots: mpsc::Sender<Vec<Due<D::State>>>,
    refusals: mpsc::Sender<Vec<Refused>>,
    shutdown: CancellationToken,
}

impl<D: Domain> Writer<D> {
    async fn run(mut self) {
        let mut tail = tokio::time::interval(TAIL_INTERVAL);
        tail.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let shutdown = self.shutdown.clone();
        let mut open = true;
        while open || !self.queue.is_empty() || !self.parked.is_empty() {
            if shutdown.is_cancelled() {
                // Nothing more comes in; what is in is still answered.
                self.mail.close();
            }
            if self.queue.is_empty() {
                tokio::select! {
                    biased;
                    Some(loaded) = self.loads.arrivals.recv() => self.install(loaded),
                    mail = self.mail.recv(), if open => match mail {
                        Some(mail) => self.take_in(mail),
                        None => open = false,
                    },
                    () = shutdown.cancelled(), if !self.mail.is_closed() => self.mail.close(),
                    _ = tail.tick() => self.look_at_tail().await,
                }
            }
            while self.queue.len() < self.batch_max {
                match self.mail.try_recv() {
                    Ok(mail) => self.take_in(mail),
                    Err(_) => break,
                }
            }
            while let Ok(loaded) = self.loads.arrivals.try_recv() {
                self.install(loaded);
            }
            if !self.queue.is_empty() {
                self.turn().await;
            }
        }
        self.keep_index().await;
    }

    fn take_in(&mut self, mail: Mail<D>) {
        match mail {
            Mail::Commands {
                orders,
                phase,
                counted,
                reply,
            } => {
                if phase.load(Ordering::Acquire) == ABANDONED || orders.is_empty() {
                    let _ = reply.send(Vec::new());
                    return;
                }
                let ticket = self.next_ticket;
                self.next_ticket += 1;
                let missing = orders.len();
                let outcomes = (0..missing).map(|_| None).collect();
                self.tickets.insert(
                    ticket,
                    Ticket {
                        outcomes,
                        missing,
                        _counted: counted,
                        reply,
                    },
                );
                for (index, (submission, body, body_hash)) in orders.into_iter().enumerate() {
                    let phase = phase.clone();
                    let (needed, spoils) = (Vec::new(), false);
                    self.queue.push_back(Pending {
                        submission,
                        body,
                        body_hash,
                        ticket,
                        index,
                        phase,
                        needed,
                        spoils,
                    });
                }
            }
            Mail::Read { id, reply } => match self.cache.peek(id) {
                Some(entry) => {
                    let _ = reply.send(Ok(loads::seen(entry, self.head)));
                }
                None => {
                    self.readers.entry(id).or_default().push(reply);
                    self.load([id]);
                }
            },
        }
    }

    /// One batch: decide, commit, answer.
    async fn turn(&mut self) {
        self.check_clock().await;
        let locked = self.contended && self.take_contention_lock().await;
        let mut batch = self.decide();
        if batch.decided.is_empty() {
            if locked {
                self.give_up_lock().await;
            }
            return;
        }
        self.recall_answers(&mut batch).await;
        let started = Instant::now();
        let committed = self.commit(&batch, locked).await;
        metrics::histogram!("concord_log_commit_seconds").record(started.elapsed());
        match committed {
            Committed::Done => {
                self.contended = false;
                self.batch_max = (self.batch_max * 2).min(BATCH_COMMANDS_MAX);
                self.promote(batch);
            }
            Committed::LostRace => {
                metrics::counter!("concord_log_lost_races_total").increment(1);
                self.contended = true;
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
                    self.contended = true;
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
        let mut batch = decide::Batch::new(self.head, &self.index);
        // Aggregates that an earlier command waits with, and for what.
        let mut blocked: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
        for parked in &self.parked {
            for target in decide::targets::<D>(&parked.pending.submission.command) {
                blocked.entry(target).or_default().extend(&parked.needs);
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
                targets
                    .iter()
                    .filter_map(|target| blocked.get(target))
                    .flatten()
                    .copied()
                    .collect()
            };
            let (pending, needs) = if behind.is_empty() {
                let ground = Ground {
                    domain: &*self.domain,
                    cache: &self.cache,
                    index: &self.index,
                    source: &self.source,
                    played_from: self.identity.played_from,
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
                blocked.entry(target).or_default().extend(&needs);
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
    fn begin(&mut self, pending: Pending<D::Command>) -> Option<Pending<D::Command>> {
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
    fn release(&self, pending: &Pending<D::Command>) {
        if self
            .tickets
            .get(&pending.ticket)
            .is_some_and(|ticket| ticket.outcomes.len() == 1)
        {
            pending.phase.store(QUEUED, Ordering::Release);
        }
    }

    /// Puts commands back where they were in the order of arrival.
    fn requeue(&mut self, pending: impl IntoIterator<Item = Pending<D::Command>>) {
        self.queue.extend(pending);
        self.queue
            .make_contiguous()
            .sort_by_key(|pending| (pending.ticket, pending.index));
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
    fn promote(&mut self, mut batch: decide::Batch<D>) {
        let recorded: Vec<Recorded> = batch.records().cloned().collect();
        self.head += recorded.len() as u64;
        let touched: Vec<Uuid> = batch.overlay.keys().copied().collect();
        for (id, entry) in batch.overlay {
            self.cache.put(id, entry);
        }
        self.index.promote(batch.changes);
        let mut refused = Vec::new();
        let mut accepted = 0_u64;
        for Decided {
            pending,
            verdict,
            events,
        } in batch.decided
        {
            for fresh in events {
                self.loads.remember(fresh.recorded, fresh.event, fresh.also);
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
            for joined in batch
                .joined
                .remove(&pending.submission.request_id)
                .unwrap_or_default()
            {
                self.answer(joined.ticket, joined.index, outcome.clone());
            }
            self.answer(pending.ticket, pending.index, outcome);
        }
        metrics::counter!("concord_log_commands_total", "outcome" => "accepted")
            .increment(accepted);
        metrics::counter!("concord_log_commands_total", "outcome" => "refused")
            .increment(refused.len() as u64);
        if !recorded.is_empty() {
            self.publish_head();
            // Full: the relay is behind, and reads it back from PostgreSQL.
            let _ = self.relay.try_send(recorded);
        }
        if !refused.is_empty() && self.refusals.try_send(refused).is_err() {
            metrics::counter!("concord_log_refusals_not_kept_total").increment(1);
        }
        self.offer_snapshots(&touched);
        self.offer_index();
        self.trim_cache();
    }

    fn publish_head(&self) {
        metrics::gauge!("concord_log_head").set(self.head as f64);
        self.head_tx.send_replace(self.head);
        self.today_tx
            .send_replace(self.index.today.or(self.identity.played_from));
    }

    fn answer(&mut self, ticket: u64, index: usize, outcome: Outcome) {
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
            let _ = done
                .reply
                .send(done.outcomes.into_iter().flatten().collect());
        }
    }

    /// Answers what the log has answered before, and lets the rest be decided again.
    async fn answer_repeated(&mut self, batch: decide::Batch<D>) {
        let ids: Vec<Uuid> = batch
            .decided
            .iter()
            .map(|decided| decided.pending.submission.request_id)
            .collect();
        let stored = self.stored_answers(&ids).await;
        self.put_back(batch);
        let mut rest = VecDeque::with_capacity(self.queue.len());
        for pending in std::mem::take(&mut self.queue) {
            match stored.get(&pending.submission.request_id) {
                Some((body_hash, outcome)) => {
                    let outcome = commit::recalled(&pending, body_hash, outcome);
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
