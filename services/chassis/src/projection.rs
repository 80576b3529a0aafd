//! Keeps a read model at a checkpoint that is committed with its rows.
//!
//! A [`Projection`] turns consecutive events into rows. The runner brings it the events, in order and without a gap:
//! history from the owner's `ReadLog`, then live from JetStream. JetStream may lose its tail, and a lost tail shows no
//! gap, so the runner also compares itself with the log's head on a timer and reads what is missing from the owner.
//! With NATS away it polls the owner, with the owner away it follows NATS.
//!
//! | file | what it does |
//! |---|---|
//! | `projection.rs` | the trait, options, and the handle of a running projection |
//! | `projection/apply.rs` | applies batches, each in one transaction with its checkpoint; retries; stops loudly |
//! | `projection/checkpoint.rs` | the schema, the lock on it, and the checkpoint |
//! | `projection/decisions.rs` | which events were decided together: a checkpoint never rests among them |
//! | `projection/feed.rs` | fetches the next events while one batch is being applied |
//! | `projection/head.rs` | asks the owner where the log stands |

mod apply;
mod checkpoint;
mod decisions;
mod feed;
mod head;

use crate::record::{Envelope, LogEvent, Recorded};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::error;

/// A read model fed from one log.
pub trait Projection: Send + 'static {
    /// Name of the read model, for example `funding_audit`.
    const NAME: &'static str;
    /// Version of its rows. A new version builds in a schema of its own, from zero.
    const VERSION: u32;
    /// The events of the log.
    type Event: LogEvent;

    /// DDL of the projection's tables, run once in its own, new schema; `search_path` is set to it.
    fn schema(&self) -> &'static str;

    /// What must have happened before the rows of these events may be there: nothing, for a read model. It runs outside the
    /// transaction, may take as long as it needs, and comes again with the same events where they are applied again.
    fn precede(
        &mut self,
        _batch: &[Applied<'_, Self::Event>],
    ) -> impl Future<Output = Result<(), ApplyError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Applies consecutive events within the transaction that also moves the checkpoint. `search_path` is set to the
    /// projection's schema. They are whole decisions: the last event is the last of its command. The same events come again when
    /// the transaction could not be committed.
    fn apply(
        &mut self,
        tx: &deadpool_postgres::Transaction<'_>,
        batch: &[Applied<'_, Self::Event>],
    ) -> impl Future<Output = Result<(), ApplyError>> + Send;

    /// The rows are of this generation of the log from now on: the one that is followed, in which the log may keep events
    /// that it recorded in earlier ones. Told before the first batch.
    fn follows(&mut self, _generation: u32) {}

    /// Drops what is cached in memory: the rows may not be what it remembers. Called before the first batch and after
    /// each transaction that rolled back or whose outcome is unknown.
    fn reset(&mut self);
}

/// One event to apply.
#[derive(Debug)]
pub struct Applied<'a, E> {
    /// Everything but the event's own data.
    pub envelope: Envelope<'a>,
    /// The event.
    pub event: E,
    /// Position and bytes.
    pub recorded: &'a Recorded,
}

/// Why a batch was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// PostgreSQL refused or could not be reached. Rolled back and tried again.
    #[error("PostgreSQL did not take the rows")]
    Store(#[from] tokio_postgres::Error),
    /// The events cannot be what they should be, for example a posting set that does not sum to zero. The projection
    /// stops; an event is never skipped.
    #[error("{0}")]
    Broken(String),
}

/// What a projection reads and where it writes.
#[derive(Debug, Clone)]
pub struct ProjectionOptions {
    /// Cell of the log, for example `local`.
    pub cell: String,
    /// Name of the log, for example `fund-grant`.
    pub log: String,
    /// JetStream stream that carries the log.
    pub stream: String,
    /// PostgreSQL schema of the rows, for example `funding_audit_v1`.
    pub schema: String,
    /// About as many events are applied in one transaction at most.
    pub batch_max: usize,
    /// How long a live event waits for company, in milliseconds.
    pub gather_ms: u64,
    /// How often the log's head is compared, and how often the owner is asked for events while NATS is away.
    pub head_check: Duration,
}

impl ProjectionOptions {
    /// Batches of 2,000, 15 ms of gathering, a look at the head each second.
    #[must_use]
    pub fn new(
        cell: impl Into<String>,
        log: impl Into<String>,
        stream: impl Into<String>,
        schema: impl Into<String>,
    ) -> Self {
        Self {
            cell: cell.into(),
            log: log.into(),
            stream: stream.into(),
            schema: schema.into(),
            batch_max: 2_000,
            gather_ms: 15,
            head_check: Duration::from_secs(1),
        }
    }

    /// The log's name among the checkpoints: `/concord/<cell>/<log>`. An event's `source` is this, `/`, and the
    /// log's generation.
    fn source(&self) -> String {
        format!("/concord/{}/{}", self.cell, self.log)
    }
}

/// That the rows were up to date once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Generation of the log that is followed; positions mean something within it.
    pub generation: u32,
    /// Head that the log's owner stated. The rows have at least this.
    pub position: u64,
    /// When the owner's PostgreSQL confirmed that head, by this machine's clock: the rows lack nothing that was committed
    /// before.
    pub at: jiff::Timestamp,
    /// The log's own today then.
    pub today: jiff::civil::Date,
}

/// That a projection stands still for good, until somebody mends what it says and starts it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Since when, by this machine's clock.
    pub at: jiff::Timestamp,
    /// Why, as a sentence for whoever asks: which events, and what is wrong with them.
    pub why: String,
    /// What PostgreSQL said beside it, where it refused the rows. It may quote what stands in other rows, so it is for whoever
    /// operates the service, and for nobody who calls it.
    pub detail: Option<String>,
}

impl std::fmt::Display for Stopped {
    /// In full, for whoever operates it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

/// A running projection. Dropping it leaves the projection running; its shutdown token ends it.
#[derive(Debug)]
pub struct Runner {
    applied: watch::Receiver<u64>,
    head: watch::Receiver<u64>,
    stopped: watch::Receiver<Option<Stopped>>,
    verified: watch::Receiver<Option<Verified>>,
    task: JoinHandle<()>,
}

impl Runner {
    /// Position up to which the rows are committed. While another runner writes them, as it was read last.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.applied.clone()
    }

    /// The log's head, as far as it is known here.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }

    /// Why the projection stopped for good. `None` while it is at work.
    #[must_use]
    pub fn stopped(&self) -> watch::Receiver<Option<Stopped>> {
        self.stopped.clone()
    }

    /// When the rows were last up to date, as the log's owner states its head. It moves while the log is idle, too.
    #[must_use]
    pub fn verified(&self) -> watch::Receiver<Option<Verified>> {
        self.verified.clone()
    }

    /// Waits until the projection has ended, after its shutdown token was cancelled.
    pub async fn join(self) {
        if let Err(error) = self.task.await {
            error!(%error, "the projection ended abnormally");
        }
    }
}

/// Starts a projection.
///
/// `pool` is the projection's own database; one connection is taken out of it for good, which holds the lock and does
/// all writing. `owner` leads to the `LogService` of the log.
#[must_use]
pub fn spawn<P: Projection>(
    projection: P,
    pool: deadpool_postgres::Pool,
    owner: tonic::transport::Channel,
    nats: async_nats::Client,
    options: ProjectionOptions,
    shutdown: CancellationToken,
) -> Runner {
    let (applied_tx, applied) = watch::channel(0);
    let (stopped_tx, stopped) = watch::channel(None);
    let (verified_tx, verified) = watch::channel(None);
    let owner = head::client(owner);
    let (head_watcher, known) = head::watch(owner.clone(), options.clone(), applied.clone());
    let head = known.head();
    let applier = apply::Applier {
        projection,
        pool,
        sources: feed::Sources { owner, nats, known, options: options.clone() },
        options,
        shutdown: shutdown.clone(),
        applied: applied_tx,
        stopped: stopped_tx,
        verified: verified_tx,
    };
    let task = tokio::spawn(async move {
        let _head_watcher = AbortOnDropHandle::new(tokio::spawn(head_watcher));
        applier.run().await;
    });
    Runner { applied, head, stopped, verified, task }
}
