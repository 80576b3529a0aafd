//! Recovers a log that PostgreSQL no longer vouches for by itself: it was promoted or restored, or has fallen behind its
//! stream. An operator decides; nothing here happens by itself.
//!
//! 1. Writers and relays are kept out, by taking their locks.
//! 2. PostgreSQL and the stream are compared, all that both have, byte for byte (`findings`).
//! 3. What was found allows some ways to go on, and the operator has chosen one ([`Way`]).
//! 4. The row in `recoveries` begins. Events that PostgreSQL lost come back from the stream (`refill`), in batches at the
//!    head. Then, in one statement, the log takes over the cluster that it is on, and the row is finished.
//!
//! Interrupted anywhere, it is run again: what was refilled is part of the overlap by then, and until the last statement
//! the log is still one that must not be written.

mod findings;
mod refill;
mod stream;

pub use findings::{Beyond, Difference, Findings, Obstacle, Overlap, Span};

use super::domain::Domain;
use super::reader::StoreError;
use super::store::{self, Connection, OpenError, RELAY_LOCK, Standing, WRITER_LOCK, signed};
use crate::config::{self, ConfigError};
use async_nats::jetstream;
use std::time::Duration;

/// How long NATS may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long the log's locks are asked for, and the pause between two tries.
const LOCKED_WITHIN: Duration = Duration::from_secs(3);
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Where a log is.
#[derive(Clone)]
pub struct Target {
    /// Its database.
    pub database_url: String,
    /// The NATS server that carries its stream.
    pub nats_url: String,
}

/// A way to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Nothing was lost: the log goes on where it now is. For a planned promotion.
    AcceptTimeline,
    /// PostgreSQL gets back from the stream what it lost.
    Refill,
    /// PostgreSQL is accepted as it is, and a new generation begins: another source, another stream, new projections.
    NewGeneration,
    /// First what the stream has of whole commands, then a new generation.
    RefillAndNewGeneration,
}

impl Way {
    /// As the table `recoveries` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AcceptTimeline => "accept-timeline",
            Self::Refill => "refill-from-stream",
            Self::NewGeneration => "new-generation",
            Self::RefillAndNewGeneration => "refill-from-stream, new-generation",
        }
    }

    /// Whether events are taken from the stream.
    #[must_use]
    pub fn refills(self) -> bool {
        matches!(self, Self::Refill | Self::RefillAndNewGeneration)
    }

    /// Whether a new generation begins.
    #[must_use]
    pub fn begins_generation(self) -> bool {
        matches!(self, Self::NewGeneration | Self::RefillAndNewGeneration)
    }
}

/// What an operator decided, for the trace that it leaves.
#[derive(Debug, Clone)]
pub struct Choice {
    /// How to go on.
    pub way: Way,
    /// Who decided, as person@organisation.
    pub decided_by: String,
    /// Why.
    pub reason: String,
}

/// What a recovery did.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// What it had found.
    pub findings: Findings,
    /// Head that the log has now.
    pub head: u64,
    /// Generation that it has now.
    pub generation: u32,
    /// Its row in `recoveries`.
    pub number: i64,
}

/// A log could not be examined or recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// PostgreSQL cannot be used.
    #[error("PostgreSQL cannot be used for this: {0}")]
    Database(String),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Schema(#[from] ConfigError),
    /// The database holds no log, or another one.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// NATS cannot be reached. Without the stream nobody can say what was lost.
    #[error(
        "NATS cannot be reached, and without the stream nothing can be compared: start it, or check its address"
    )]
    Nats(#[source] async_nats::ConnectError),
    /// The stream could not be read.
    #[error("the stream could not be read: it could not {what}")]
    Stream {
        /// What failed.
        what: &'static str,
        /// Why.
        #[source]
        source: async_nats::Error,
    },
    /// The stream stopped delivering.
    #[error("the stream did not deliver sequence {0} in time: try again")]
    Silent(u64),
    /// A service writes or publishes this log.
    #[error("the log is in use, so it is not recovered: stop {}", .0.join(", "))]
    InUse(Vec<String>),
    /// The chosen way cannot be gone from here.
    #[error("{0}")]
    NotPossible(Obstacle),
    /// An event of the stream cannot be read.
    #[error("event {position} of the stream cannot be read by this version")]
    Unreadable {
        /// Where it is.
        position: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// PostgreSQL did not take events.
    #[error("PostgreSQL did not take the events after {head}: {why}. Run the recovery again")]
    NotTaken {
        /// Head at which they were to follow.
        head: u64,
        /// Why.
        why: String,
    },
}

impl From<tokio_postgres::Error> for RecoverError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(store::describe(&error))
    }
}

impl From<StoreError> for RecoverError {
    fn from(error: StoreError) -> Self {
        Self::Database(store::describe_read(&error))
    }
}

/// Says how PostgreSQL and the stream stand to each other. Changes nothing and keeps nobody out, so beside a service that
/// writes it sees a moment.
///
/// `progress` is told how many positions were looked at, and of how many.
///
/// # Errors
/// Where either cannot be read.
pub async fn examine<D: Domain>(
    target: &Target,
    progress: impl FnMut(u64, u64),
) -> Result<Findings, RecoverError> {
    Ground::connect::<D>(target).await?.compare(progress).await
}

/// Recovers the log as `choice` says.
///
/// # Errors
/// [`RecoverError::InUse`] where a service still writes, [`RecoverError::NotPossible`] where what is found does not allow
/// the way. After any other error it may be run again.
pub async fn recover<D: Domain>(
    target: &Target,
    choice: &Choice,
    progress: impl FnMut(u64, u64),
) -> Result<Recovered, RecoverError> {
    migrate(target).await?;
    let ground = Ground::connect::<D>(target).await?;
    ground.keep_others_out().await?;
    let recovered = ground.recover::<D>(choice, progress).await;
    ground.let_others_in().await;
    recovered
}

/// The table of recoveries may be newer than the log.
async fn migrate(target: &Target) -> Result<(), RecoverError> {
    let (mut client, connection) =
        config::database(&target.database_url)?.connect(tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    config::migrate_log(&mut client).await?;
    drop(client);
    let _ = connection.await;
    Ok(())
}

/// A log's database and stream, connected.
struct Ground {
    connection: Connection,
    context: jetstream::Context,
    standing: Standing,
}

impl Ground {
    async fn connect<D: Domain>(target: &Target) -> Result<Self, RecoverError> {
        let connection = Connection::open(&target.database_url).await.map_err(RecoverError::Database)?;
        connection.client.batch_execute("SET application_name = 'concord-recovery'").await?;
        let standing = store::identify(&connection.client).await?;
        if standing.identity.name != D::LOG {
            let found = &standing.identity.name;
            let other = format!("this database holds log {found}, not {}: name the right one", D::LOG);
            return Err(OpenError::Mismatch(other).into());
        }
        let nats = async_nats::ConnectOptions::new()
            .name("concord log recover")
            .connection_timeout(ANSWER_WITHIN)
            .connect(&target.nats_url)
            .await
            .map_err(RecoverError::Nats)?;
        let context = jetstream::context::ContextBuilder::new().timeout(ANSWER_WITHIN).build(nats);
        Ok(Self { connection, context, standing })
    }

    /// While the others are kept out.
    async fn recover<D: Domain>(
        &self,
        choice: &Choice,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Recovered, RecoverError> {
        let findings = self.compare(&mut progress).await?;
        if let Some(obstacle) = findings.obstacle(choice.way) {
            return Err(RecoverError::NotPossible(obstacle));
        }
        let number = self.begin(&findings, choice).await?;
        let mut head = findings.head;
        if choice.way.refills() {
            head = self.refill::<D>(&findings, progress).await?;
        }
        let generation = findings.identity.generation + u32::from(choice.way.begins_generation());
        self.finish(number, head, generation).await?;
        Ok(Recovered { findings, head, generation, number })
    }

    /// Gives the locks back before the recovery is said to have ended: PostgreSQL notices only a moment later that a session
    /// has gone, and a service that is started at once would be told that a recovery is under way.
    async fn let_others_in(&self) {
        if let Err(error) = self.connection.client.batch_execute("SELECT pg_advisory_unlock_all()").await {
            // Then the session has ended, and its locks with it.
            tracing::debug!(error = %store::describe(&error), "the recovery's locks end with its session");
        }
    }

    /// Takes the locks of writers and relay, for as long as this connection lasts or until they are given back.
    async fn keep_others_out(&self) -> Result<(), RecoverError> {
        for lock in [WRITER_LOCK, RELAY_LOCK] {
            // A session that has just ended may hold it for a moment longer.
            let began = tokio::time::Instant::now();
            while !self.try_lock(lock).await? {
                if began.elapsed() > LOCKED_WITHIN {
                    return Err(RecoverError::InUse(self.holders().await?));
                }
                tokio::time::sleep(LOCK_PAUSE).await;
            }
        }
        Ok(())
    }

    async fn try_lock(&self, lock: i64) -> Result<bool, RecoverError> {
        let row = self.connection.client.query_one("SELECT pg_try_advisory_lock($1)", &[&lock]).await?;
        Ok(row.get(0))
    }

    /// The sessions that hold the log's locks, as an operator would look for them.
    async fn holders(&self) -> Result<Vec<String>, RecoverError> {
        let rows = self
            .connection
            .client
            .query(
                "SELECT DISTINCT format('%s (PostgreSQL session %s%s)', coalesce(nullif(application_name, ''), 'a program'),
                                        pid, ' from ' || host(client_addr))
                 FROM pg_locks JOIN pg_stat_activity USING (pid)
                 WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND pid <> pg_backend_pid() AND (classid::bigint << 32 | objid::bigint) = ANY($1)",
                &[&[WRITER_LOCK, RELAY_LOCK].as_slice()],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Leaves a trace before anything is changed. Snapshots from beyond the head are of a history that may not come to be.
    async fn begin(&self, findings: &Findings, choice: &Choice) -> Result<i64, RecoverError> {
        let Findings { identity, stored, found, head, .. } = findings;
        let row = self
            .connection
            .client
            .query_one(
                "WITH gone AS (DELETE FROM snapshots WHERE position > $9)
                 INSERT INTO recoveries (way, decided_by, reason, from_generation, from_system_id, from_timeline,
                                         to_system_id, to_timeline, from_head, stream_last)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING number",
                &[
                    &choice.way.name(),
                    &choice.decided_by,
                    &choice.reason,
                    &generation_column(identity.generation),
                    &stored.system_id,
                    &stored.timeline,
                    &found.system_id,
                    &found.timeline,
                    &signed(*head),
                    &signed(findings.stream_last()),
                ],
            )
            .await?;
        Ok(row.get(0))
    }

    /// From here on the log may be written: on the cluster that it is on, as this generation.
    async fn finish(&self, number: i64, head: u64, generation: u32) -> Result<(), RecoverError> {
        let found = &self.standing.found;
        self.connection
            .client
            .execute(
                "WITH accepted AS (UPDATE log SET generation = $3, pg_system_id = $4, pg_timeline = $5)
                 UPDATE recoveries SET finished_at = clock_timestamp(), to_generation = $3, to_head = $2 WHERE number = $1",
                &[&number, &signed(head), &generation_column(generation), &found.system_id, &found.timeline],
            )
            .await?;
        Ok(())
    }
}

fn generation_column(generation: u32) -> i32 {
    i32::try_from(generation).unwrap_or(i32::MAX)
}
