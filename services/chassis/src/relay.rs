//! Publishes a log to JetStream, so that an event's position is its sequence in the stream.
//!
//! PostgreSQL is the truth and the stream is transport: it may lose its tail or its disk. The relay keeps no cursor of
//! its own, since the stream's last sequence is the cursor. Each publish carries the sequence it expects to follow, so
//! the server itself refuses a duplicate, a gap or a second relay. After any trouble the relay looks at the stream
//! again, compares its newest messages with PostgreSQL byte for byte, and goes on behind them.
//!
//! | file | what it does |
//! |---|---|
//! | `relay.rs` | options, states, and the supervision: lock, retries, shutdown |
//! | `relay/lock.rs` | one relay per log: an advisory lock on a connection of its own |
//! | `relay/stream.rs` | makes the stream, and judges whether it still agrees with the log |
//! | `relay/publish.rs` | the pipeline: gather, publish in bursts, confirm in order |

mod lock;
mod publish;
mod stream;

use crate::log::{LogReader, Standstill, StoreError};
use crate::record::Recorded;
use async_nats::jetstream;
use async_nats::jetstream::context::ContextBuilder;
use lock::SessionLock;
use std::time::Duration;
use stream::Verdict;
pub(crate) use stream::{is_no_stream, log_of};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// First wait after a failure; it doubles with each further one.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// Longest wait between two tries, and between two looks at a stream that must not be touched.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How often a relay without the lock asks for it.
const STANDBY: Duration = Duration::from_secs(1);
/// How long JetStream may take to answer a request or to acknowledge a publish.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a start waits for NATS, and for the comparison of the stream with the log.
const COMPARE_WITHIN: Duration = Duration::from_secs(5);
/// Events that a start compares: few, because commands wait for it.
const COMPARED_AT_START: usize = 64;
/// How often it looks whether NATS is connected.
const CONNECT_LOOK: Duration = Duration::from_millis(20);
/// How long the relay goes on after shutdown was asked for, to publish what is committed already.
const DRAIN: Duration = Duration::from_secs(2);

/// How a log is published.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// Name of the JetStream stream, for example `concord_local_fund-grant_1`: cell, log and generation.
    pub stream: String,
    /// What subjects begin with, `concord.<cell>.<log>`; the stream takes `<prefix>.>`.
    pub subject_prefix: String,
    /// Copies of the stream that the NATS cluster keeps: 3 where there are three nodes.
    pub replicas: usize,
    /// How long the stream keeps a message; zero keeps it for good. History is `ReadLog`, so a window is enough.
    pub max_age: Duration,
    /// How long a small batch waits for company, in milliseconds: 10 to 20 halves the cost of an event.
    pub gather_ms: u64,
    /// Publishes that may be unacknowledged at once.
    pub in_flight: usize,
    /// Key of the PostgreSQL advisory lock that keeps a second relay of the same log away.
    pub lock_key: i64,
    /// Cancelled, nothing is published any more and the lock is given up: the log must not be written.
    pub hold: CancellationToken,
}

impl RelayOptions {
    /// One copy, kept for good, 15 ms of gathering, 4,096 publishes in flight.
    #[must_use]
    pub fn new(stream: impl Into<String>, subject_prefix: impl Into<String>, lock_key: i64) -> Self {
        Self {
            stream: stream.into(),
            subject_prefix: subject_prefix.into(),
            replicas: 1,
            max_age: Duration::ZERO,
            gather_ms: 15,
            in_flight: 4096,
            lock_key,
            hold: CancellationToken::new(),
        }
    }
}

/// What the relay is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayState {
    /// Another relay of this log holds the lock, or PostgreSQL cannot be asked for it.
    Standby,
    /// Looking at the stream, or waiting before it looks again.
    Starting,
    /// The stream agrees with the log, and what is committed is being published.
    Publishing,
    /// The stream holds events that PostgreSQL does not. Nothing is published and nothing deleted until
    /// somebody decides: it may be the only copy.
    Halted(Divergence),
}

/// A stream that cannot be repaired without losing events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// PostgreSQL went back: the stream has events of this log after the log's head.
    #[error("the stream has events up to {stream_last}, the log ends at {head}: run the log's recovery")]
    LogWentBack {
        /// Position of the last event in PostgreSQL.
        head: u64,
        /// Last sequence of the stream.
        stream_last: u64,
    },
    /// PostgreSQL and the stream have different events at one position.
    #[error("the stream has another event of this log at position {position}: run the log's recovery")]
    OtherHistory {
        /// Position at which they differ.
        position: u64,
    },
}

impl From<Divergence> for Standstill {
    fn from(divergence: Divergence) -> Self {
        match divergence {
            Divergence::LogWentBack { head, stream_last } => Self::BehindStream { head, stream_last },
            Divergence::OtherHistory { position } => Self::OtherHistory { position },
        }
    }
}

/// Compares the stream with the log before anything is written, where NATS can be reached. It is transport: a log whose
/// stream cannot be looked at is written, and its relay compares as soon as it can.
pub async fn compare(
    nats: &async_nats::Client,
    reader: &LogReader,
    options: &RelayOptions,
) -> Option<Divergence> {
    let compared = tokio::time::timeout(COMPARE_WITHIN, async {
        while nats.connection_state() != async_nats::connection::State::Connected {
            tokio::time::sleep(CONNECT_LOOK).await;
        }
        let context = ContextBuilder::new().timeout(ANSWER_WITHIN).build(nats.clone());
        // Histories that part never meet again, so the newest events tell. Strays among them are the relay's business.
        let newest = RelayOptions { in_flight: COMPARED_AT_START, ..options.clone() };
        stream::compare_as_it_is(&context, reader, &newest).await
    });
    match compared.await {
        Ok(Ok(divergence)) => return divergence,
        Ok(Err(error)) => warn!(
            stream = %options.stream, error = &error as &dyn std::error::Error,
            "the stream could not be compared with the log yet; the relay will"
        ),
        Err(_) => {
            warn!(stream = %options.stream, "NATS does not answer, so the stream is compared with the log later");
        }
    }
    None
}

/// Why publishing broke off. Everything but a lost lock is tried again.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    /// A request to JetStream failed.
    #[error("JetStream could not {what}")]
    JetStream { what: &'static str, source: async_nats::Error },
    /// PostgreSQL could not be read.
    #[error("the log could not be read")]
    Store(#[from] StoreError),
    /// An event could not be sent.
    #[error("the event at position {position} could not be sent")]
    Publish { position: u64, source: async_nats::PublishError },
    /// An event was not accepted, as a rule because another sequence was due.
    #[error("the event at position {position} was refused")]
    Refused { position: u64, source: jetstream::Error },
    /// A message got lost on the way.
    #[error("the event at position {position} came too early: one before it was lost")]
    Missed { position: u64 },
    /// There was no answer in time.
    #[error("the events from position {position} on were not acknowledged")]
    Unanswered { position: u64 },
    /// Nobody listens to the subject.
    #[error("there is no stream for the events")]
    NoStream,
    /// The server speaks another protocol.
    #[error(
        "the answer about position {position} is not one to a burst: nats-server 2.14 or newer is needed"
    )]
    Misunderstood { position: u64 },
    /// A burst ended at another sequence than its last position.
    #[error("the burst up to position {position} ended at sequence {sequence}")]
    Misplaced { position: u64, sequence: u64 },
    /// The stream changed while nothing was published.
    #[error("the stream ends at {found}, not at {published}")]
    Moved { published: u64, found: u64 },
    /// The event's bytes have no type or subject to publish under.
    #[error("the event at position {position} cannot be read")]
    Unreadable { position: u64, source: serde_json::Error },
    /// The writer says the event is committed, but PostgreSQL does not return it.
    #[error("the event at position {position} is committed but not found")]
    Missing { position: u64 },
    /// The stream must not be touched.
    #[error(transparent)]
    Halted(#[from] Divergence),
    /// The connection that held the lock is gone.
    #[error("the relay's lock was lost")]
    LockLost,
}

/// A running relay. Dropping it leaves the relay running; its shutdown token ends it.
#[derive(Debug)]
pub struct Relay {
    published: watch::Receiver<u64>,
    state: watch::Receiver<RelayState>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Last position that JetStream acknowledged. It goes back when the stream lost messages.
    #[must_use]
    pub fn published(&self) -> watch::Receiver<u64> {
        self.published.clone()
    }

    /// What the relay is doing.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<RelayState> {
        self.state.clone()
    }

    /// Waits until the relay has ended, after its shutdown token was cancelled.
    pub async fn join(self) {
        if let Err(error) = self.task.await {
            error!(%error, "the relay ended abnormally");
        }
    }
}

/// Starts the relay of a log.
///
/// `batches` are committed events handed over in memory by this replica's writer. They may be incomplete: what is
/// missing is read by `reader`, up to `committed`, the head that the writer vouches for. (A row may be visible before
/// it is durable on a synchronous standby, so the relay does not publish whatever it can see.) `pool` supplies the
/// connection of the lock; it is taken out of the pool for good.
#[must_use]
pub fn spawn(
    nats: async_nats::Client,
    reader: LogReader,
    pool: deadpool_postgres::Pool,
    batches: mpsc::Receiver<Vec<Recorded>>,
    committed: watch::Receiver<u64>,
    options: RelayOptions,
    shutdown: CancellationToken,
) -> Relay {
    let (published_tx, published) = watch::channel(0);
    let (state_tx, state) = watch::channel(RelayState::Standby);
    let supervisor = Supervisor {
        nats,
        reader,
        pool,
        batches,
        committed,
        options,
        shutdown,
        published: published_tx,
        state: state_tx,
    };
    Relay { published, state, task: tokio::spawn(supervisor.run()) }
}

struct Supervisor {
    nats: async_nats::Client,
    reader: LogReader,
    pool: deadpool_postgres::Pool,
    batches: mpsc::Receiver<Vec<Recorded>>,
    committed: watch::Receiver<u64>,
    options: RelayOptions,
    shutdown: CancellationToken,
    published: watch::Sender<u64>,
    state: watch::Sender<RelayState>,
}

impl Supervisor {
    async fn run(mut self) {
        while let Some(lock) = self.stand_by().await {
            info!(stream = %self.options.stream, "relay took the lock of its log");
            let (shutdown, hold) = (self.shutdown.clone(), self.options.hold.clone());
            tokio::select! {
                () = self.publish_while_locked(&lock) => {}
                () = hold.cancelled() => {}
                () = drained(&shutdown) => {}
            }
        }
    }

    /// Asks for the lock each second. `None` on shutdown.
    async fn stand_by(&mut self) -> Option<SessionLock> {
        self.state.send_replace(RelayState::Standby);
        let context = self.context();
        loop {
            let asked = async {
                if self.options.hold.is_cancelled() {
                    return Ok(None);
                }
                SessionLock::try_take(&self.pool, self.options.lock_key).await
            };
            let taken = tokio::select! {
                // A PostgreSQL that stands still answers neither yes nor no.
                biased;
                () = self.shutdown.cancelled() => return None,
                taken = asked => taken,
            };
            match taken {
                Ok(Some(lock)) => return Some(lock),
                Ok(None) => {
                    // Another relay publishes, or none may; the status should still say how far the stream is.
                    if let Ok(stream) = context.get_stream(&self.options.stream).await {
                        self.published.send_replace(stream.cached_info().state.last_sequence);
                    }
                }
                Err(error) => warn!(
                    stream = %self.options.stream, error = &error as &dyn std::error::Error,
                    "the relay's lock could not be asked for; trying again"
                ),
            }
            // Whoever publishes has these events too.
            while self.batches.try_recv().is_ok() {}
            tokio::select! {
                () = self.shutdown.cancelled() => return None,
                () = tokio::time::sleep(STANDBY) => {}
            }
        }
    }

    /// Publishes, and starts over after each failure, until shutdown or until the lock is lost.
    async fn publish_while_locked(&mut self, lock: &SessionLock) {
        let mut delay = RETRY_MIN;
        let mut reported: Option<Divergence> = None;
        self.state.send_replace(RelayState::Starting);
        loop {
            let before = *self.published.borrow();
            let ended = tokio::select! {
                biased;
                () = lock.lost() => Err(RelayError::LockLost),
                ended = self.attempt() => ended,
            };
            if *self.published.borrow() > before {
                delay = RETRY_MIN;
            }
            match ended {
                Ok(()) => return,
                Err(RelayError::LockLost) => {
                    warn!(stream = %self.options.stream, "the relay's lock was lost; asking for it again");
                    return;
                }
                Err(RelayError::Halted(divergence)) => {
                    if reported.as_ref() != Some(&divergence) {
                        error!(
                            stream = %self.options.stream, %divergence,
                            "the relay stopped publishing: PostgreSQL lacks events that the stream has"
                        );
                        self.count_divergence();
                        reported = Some(divergence.clone());
                    }
                    self.state.send_replace(RelayState::Halted(divergence));
                    delay = RETRY_MAX;
                }
                Err(error) => {
                    reported = None;
                    self.state.send_replace(RelayState::Starting);
                    warn!(
                        stream = %self.options.stream, error = &error as &dyn std::error::Error,
                        "publishing broke off; comparing the stream with the log before it goes on"
                    );
                }
            }
            metrics::counter!("concord_relay_restarts_total", "stream" => self.options.stream.clone())
                .increment(1);
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = lock.lost() => {}
                () = tokio::time::sleep(delay) => {}
            }
            delay = (delay * 2).min(RETRY_MAX);
        }
    }

    /// Looks at the stream, repairs it where that loses nothing, and publishes until something fails.
    /// `Ok` on shutdown.
    async fn attempt(&mut self) -> Result<(), RelayError> {
        let context = self.context();
        let shutdown = self.shutdown.clone();
        let cursor = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            cursor = self.settle(&context) => cursor?,
        };
        self.published.send_replace(cursor);
        self.state.send_replace(RelayState::Publishing);
        let pipeline = publish::Pipeline {
            nats: &self.nats,
            context,
            reader: &self.reader,
            batches: &mut self.batches,
            committed: self.committed.clone(),
            options: &self.options,
            shutdown: &self.shutdown,
            published: &self.published,
        };
        pipeline.run(cursor).await
    }

    /// Makes stream and log agree. Returns the stream's last sequence.
    async fn settle(&self, context: &jetstream::Context) -> Result<u64, RelayError> {
        let stream = stream::ensure(context, &self.options).await?;
        match stream::survey(&stream, &self.reader, &self.options).await? {
            Verdict::Agrees { last } => {
                let acknowledged = *self.published.borrow();
                if last < acknowledged {
                    warn!(
                        stream = %self.options.stream, last, acknowledged,
                        "the stream lost acknowledged events; refilling it from PostgreSQL"
                    );
                }
                Ok(last)
            }
            Verdict::Stray { sequence, head } => {
                error!(
                    stream = %self.options.stream, sequence, head,
                    "the stream holds something that is no event of this log; recreating it from position 1"
                );
                self.count_divergence();
                stream::recreate(context, &self.options).await?;
                Ok(0)
            }
            Verdict::Diverged(divergence) => Err(divergence.into()),
        }
    }

    fn context(&self) -> jetstream::Context {
        ContextBuilder::new().timeout(ANSWER_WITHIN).build(self.nats.clone())
    }

    fn count_divergence(&self) {
        metrics::counter!("concord_relay_divergence_total", "stream" => self.options.stream.clone())
            .increment(1);
    }
}

/// Ends a while after shutdown was asked for.
async fn drained(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(DRAIN).await;
}
