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
mod standstill;
mod turn;

use super::cache::Cache;
use super::confirmed::Confirmed;
use super::domain::{Domain, Followed};
use super::gate::Gate;
use super::handle::{ABANDONED, Counted, Log, Mail, Outcome, Pending};
use super::index::Index;
use super::reader::LogReader;
use super::store::{self, Connection, Identity, OpenError, Refused};
use super::subjects;
use crate::record::Recorded;
use jiff::civil::Date;
use keep::Due;
use loads::{Loads, Parked, Reader};
use std::collections::{HashMap, VecDeque};
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
/// As [`prepare`].
pub async fn start<D: Domain>(
    domain: Arc<D>,
    options: LogOptions,
    shutdown: CancellationToken,
) -> Result<Running<D>, OpenError> {
    Ok(prepare(domain, options).await?.start(shutdown))
}

/// An opened log whose writer has not begun: there is still time to find out that it must not.
pub struct Prepared<D: Domain> {
    log: Log<D>,
    writer: Writer<D>,
    batches: mpsc::Receiver<Vec<Recorded>>,
}

impl<D: Domain> Prepared<D> {
    /// Takes commands once it is started.
    #[must_use]
    pub fn log(&self) -> &Log<D> {
        &self.log
    }

    /// Closed, it lets the log be read and not written.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.log.gate
    }

    /// Starts the writer; it ends when `shutdown` is cancelled.
    #[must_use]
    pub fn start(self, shutdown: CancellationToken) -> Running<D> {
        let Self { log, mut writer, batches } = self;
        writer.shutdown = shutdown.clone();
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
        Running { log, batches, task }
    }
}

/// Opens the log of `options.database_url`, whose schema is migrated. A log that must not be written opens too, with its
/// gate closed.
///
/// # Errors
/// Where PostgreSQL cannot be reached or holds another log, an event cannot be read, or a recovery is under way.
pub async fn prepare<D: Domain>(domain: Arc<D>, options: LogOptions) -> Result<Prepared<D>, OpenError> {
    let connection = Connection::open(&options.database_url).await.map_err(OpenError::Mismatch)?;
    connection.join_writers().await.map_err(OpenError::Mismatch)?;
    let standing = store::open(&connection.client, D::LOG, &options.cell, options.played_from).await?;
    let gate = Gate::default();
    metrics::gauge!("concord_log_writable").set(1.0);
    if let Some(why) = standing.standstill() {
        gate.close(why);
    } else {
        subjects::derive_anew::<D>(&connection.client).await?;
    }
    let identity = Arc::new(standing.identity);
    let (mailbox, mail) = mpsc::channel(4096);
    let (relay, batches) = mpsc::channel(256);
    let (head_tx, head) = watch::channel(0);
    let confirmed = Arc::new(Confirmed::new());
    let (today_tx, today) = watch::channel(identity.played_from);
    let (followed_tx, followed) = watch::channel(Arc::from([]));
    let (snapshots, snapshot_jobs) = mpsc::channel(256);
    let (refusals, refusal_jobs) = mpsc::channel(256);
    tokio::spawn(keep::keep_snapshots::<D>(options.pool.clone(), snapshot_jobs));
    tokio::spawn(keep::keep_refusals(options.pool.clone(), refusal_jobs));

    let mut writer = Writer::<D> {
        source: identity.source(),
        domain: domain.clone(),
        identity: identity.clone(),
        gate: gate.clone(),
        database_url: options.database_url,
        pool: options.pool.clone(),
        connection,
        mail,
        cache: Cache::new(options.cache_bytes_max, D::weight),
        cache_bytes_max: options.cache_bytes_max,
        index: Index::default(),
        index_kept_at: 0,
        head: 0,
        newest: None,
        queue: VecDeque::new(),
        parked: VecDeque::new(),
        loads: Loads::new(),
        tickets: HashMap::new(),
        next_ticket: 0,
        readers: HashMap::new(),
        batch_max: BATCH_COMMANDS_MAX,
        turns_to_lock: 0,
        clock_checked: Instant::now(),
        head_tx,
        confirmed: confirmed.clone(),
        today_tx,
        followed,
        relay,
        snapshots,
        refusals,
        refusals_allowed: keep::Allowance::new(Instant::now()),
        shutdown: CancellationToken::new(),
    };
    writer.read_index().await?;
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let reader = LogReader::new(options.pool);
    let cluster = Arc::new(standing.stored);
    let followed = Arc::new(followed_tx);
    let log = Log {
        mailbox,
        head,
        confirmed,
        today,
        waiting_bytes,
        reader,
        identity,
        cluster,
        gate,
        domain,
        followed,
    };
    Ok(Prepared { log, writer, batches })
}

/// Today where the clock is the system's. The law's dates are those of Asia/Shanghai, which has no summer time.
pub(super) fn system_today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date()
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
    gate: Gate,
    database_url: String,
    pool: deadpool_postgres::Pool,
    connection: Connection,
    mail: mpsc::Receiver<Mail<D>>,
    cache: Cache<D::State>,
    cache_bytes_max: usize,
    index: Index,
    index_kept_at: u64,
    head: u64,
    /// The event at the head, by which a database that lost it is told from the one it was in.
    newest: Option<Recorded>,
    /// In the order of arrival.
    queue: VecDeque<Box<Pending<D::Command>>>,
    parked: VecDeque<Parked<D::Command>>,
    loads: Loads<D>,
    tickets: HashMap<u64, Ticket>,
    next_ticket: u64,
    readers: HashMap<Uuid, Vec<Reader<D::State>>>,
    batch_max: usize,
    /// Turns that are still taken under the contention lock.
    turns_to_lock: u32,
    clock_checked: Instant,
    head_tx: watch::Sender<u64>,
    confirmed: Arc<Confirmed>,
    today_tx: watch::Sender<Option<Date>>,
    followed: watch::Receiver<Arc<[Followed]>>,
    relay: mpsc::Sender<Vec<Recorded>>,
    snapshots: mpsc::Sender<Vec<Due<D::State>>>,
    refusals: mpsc::Sender<Vec<Refused>>,
    refusals_allowed: keep::Allowance,
    shutdown: CancellationToken,
}

impl<D: Domain> Writer<D> {
    /// Works until shutdown, or until the log must not be written; from then on it only shows what is there.
    async fn run(mut self) {
        let gate = self.gate.clone();
        tokio::select! {
            biased;
            () = gate.closed() => {}
            () = self.work() => return,
        }
        self.stand_still().await;
    }

    async fn work(&mut self) {
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
                // Who was just answered may ask again at once: let them, and the next batch is a full one.
                tokio::task::yield_now().await;
            }
        }
        self.keep_index().await;
    }

    fn take_in(&mut self, mail: Mail<D>) {
        match mail {
            Mail::Commands { orders, phase, counted, reply } => {
                if phase.load(Ordering::Acquire) == ABANDONED || orders.is_empty() {
                    let _ = reply.send(Vec::new());
                    return;
                }
                let ticket = self.next_ticket;
                self.next_ticket += 1;
                let missing = orders.len();
                let outcomes = (0..missing).map(|_| None).collect();
                self.tickets.insert(ticket, Ticket { outcomes, missing, _counted: counted, reply });
                self.queue.extend(orders.into_iter().map(|mut pending| {
                    pending.ticket = ticket;
                    pending
                }));
            }
            Mail::Read { of, reply } => match self.cache.peek(of.id) {
                Some(entry) => {
                    let _ = reply.send(Ok(loads::seen::<D>(entry, of, self.head)));
                }
                None => {
                    self.readers.entry(of.id).or_default().push((of, reply));
                    self.load([of.id]);
                }
            },
        }
    }
}
