//! What the writer asks of PostgreSQL. The statements are the protocol: change them with its document in hand.

use super::gate::{Cluster, Standstill};
use super::handle::Receipt;
use super::loader::Streams;
use super::reader::{JsonText, StoreError};
use crate::record::Recorded;
use bytes::{BufMut, Bytes, BytesMut};
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio_postgres::types::{self, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

/// Which log this is. Fixed when it was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name, for example "fund-grant".
    pub name: String,
    /// Cell it belongs to.
    pub cell: String,
    /// Its own UUID.
    pub log_id: Uuid,
    /// Counts recoveries that opened a new history.
    pub generation: u32,
    /// First today of a played clock; `None`: the clock is the system's.
    pub played_from: Option<Date>,
}

impl Identity {
    /// `source` of its events.
    #[must_use]
    pub fn source(&self) -> String {
        format!("/concord/{}/{}/{}", self.cell, self.name, self.generation)
    }

    /// Name of its JetStream stream.
    #[must_use]
    pub fn stream(&self) -> String {
        format!("concord_{}_{}_{}", self.cell, self.name, self.generation)
    }

    /// Prefix of its NATS subjects.
    #[must_use]
    pub fn subject_prefix(&self) -> String {
        format!("concord.{}.{}", self.cell, self.name)
    }

    /// "system" or "played".
    #[must_use]
    pub fn clock(&self) -> &'static str {
        if self.played_from.is_some() { "played" } else { "system" }
    }
}

/// The log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// PostgreSQL did not answer, or refused.
    #[error("PostgreSQL could not be used for the log")]
    Postgres(#[from] tokio_postgres::Error),
    /// The database belongs to something else.
    #[error("{0}")]
    Mismatch(String),
    /// A stored event or snapshot cannot be read.
    #[error("event {position} cannot be read by this version of the service: {reason}")]
    Unreadable {
        /// Where it is.
        position: u64,
        /// Why.
        reason: String,
    },
}

/// Opens the log of this database, creating it where there is none. `client` has the schema already.
///
/// # Errors
/// Where the database holds another log.
pub(super) async fn open(
    client: &Client,
    name: &str,
    cell: &str,
    played_from: Option<Date>,
) -> Result<Standing, OpenError> {
    let Cluster { system_id, timeline } = cluster(client).await?;
    client
        .execute(
            "INSERT INTO log (name, cell, log_id, generation, clock, played_from, pg_system_id, pg_timeline)
             VALUES ($1, $2, $3, 1, $4, $5::text::date, $6, $7) ON CONFLICT DO NOTHING",
            &[
                &name,
                &cell,
                &Uuid::now_v7(),
                &if played_from.is_some() { "played" } else { "system" },
                &played_from.map(|date| date.to_string()),
                &system_id,
                &timeline,
            ],
        )
        .await?;
    let standing = identify(client).await?;
    let identity = &standing.identity;
    if identity.name != name || identity.cell != cell {
        return Err(OpenError::Mismatch(format!(
            "this database holds log {} of cell {}, not {name} of {cell}: point DATABASE_URL at the right one",
            identity.name, identity.cell
        )));
    }
    if let (Some(asked), Some(fixed)) = (played_from, identity.played_from)
        && asked != fixed
    {
        tracing::warn!(%asked, %fixed, "the played clock's first day is fixed when the log is created");
    }
    if played_from.is_some() && identity.played_from.is_none() {
        return Err(OpenError::Mismatch(format!(
            "log {name} runs on the system's clock, which is fixed for good: a played clock needs a new log"
        )));
    }
    Ok(standing)
}

/// Which log a database holds, and on what cluster.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) identity: Identity,
    /// Where it was last written.
    pub(super) stored: Cluster,
    /// Where it is.
    pub(super) found: Cluster,
}

impl Standing {
    /// Why it may not be written as it stands.
    pub(super) fn standstill(&self) -> Option<Standstill> {
        let (stored, found) = (self.stored.clone(), self.found.clone());
        (stored != found).then_some(Standstill::ClusterChanged { stored, found })
    }
}

/// Which log this database holds, the cluster that it was last written on, and the one that this is.
pub(super) async fn identify(client: &Client) -> Result<Standing, OpenError> {
    let found = cluster(client).await?;
    let row = client
        .query_opt(
            "SELECT name, cell, log_id, generation, played_from::text, pg_system_id, pg_timeline FROM log",
            &[],
        )
        .await?
        .ok_or_else(|| OpenError::Mismatch("this database holds no log any more".to_owned()))?;
    let identity = Identity {
        name: row.get(0),
        cell: row.get(1),
        log_id: row.get(2),
        generation: row.get::<_, i32>(3).unsigned_abs(),
        played_from: row.get::<_, Option<String>>(4).and_then(|date| date.parse().ok()),
    };
    Ok(Standing { identity, stored: Cluster { system_id: row.get(5), timeline: row.get(6) }, found })
}

/// System identifier and timeline of the cluster. The timeline is that of the WAL being written: the control file
/// shows the old one until the first checkpoint after a promotion.
async fn cluster(client: &Client) -> Result<Cluster, OpenError> {
    let row = client
        .query_one(
            "SELECT (SELECT system_identifier::text FROM pg_control_system()),
                    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer",
            &[],
        )
        .await?;
    Ok(Cluster { system_id: row.get(0), timeline: row.get(1) })
}

/// A `json` value written as it is.
#[derive(Debug, Clone)]
pub(super) struct Json(pub(super) Bytes);

impl ToSql for Json {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON
    }

    to_sql_checked!();
}

/// The rows of one batch, column by column, as the statement takes them. They borrow what the batch holds: nothing is
/// copied before the bytes go out.
#[derive(Default)]
pub(super) struct Batch<'a> {
    positions: Vec<i64>,
    streams: Vec<Uuid>,
    versions: Vec<i64>,
    records: Vec<&'a [u8]>,
    subjects: Vec<Uuid>,
    subject_positions: Vec<i64>,
    request_ids: Vec<Uuid>,
    body_hashes: Vec<&'a [u8]>,
    commands: Vec<&'a [u8]>,
    first_positions: Vec<i64>,
    last_positions: Vec<i64>,
    answered_versions: Vec<i64>,
    leaf_hashes: Vec<&'a [u8]>,
    rulebooks: Vec<&'a str>,
    answers: Vec<Option<types::Json<&'a BTreeMap<String, String>>>>,
}

impl<'a> Batch<'a> {
    /// Adds an event, and the ids of the aggregates beside its own that it is applied to.
    pub(super) fn add_event(&mut self, recorded: &'a Recorded, version: u64, streams: &Streams) {
        let position = signed(recorded.position);
        self.positions.push(position);
        self.streams.push(streams.own.id);
        self.versions.push(signed(version));
        self.records.push(&recorded.bytes);
        self.subjects.extend(streams.further_ids());
        self.subject_positions.resize(self.subjects.len(), position);
    }

    /// Adds the answer to an accepted command.
    pub(super) fn add_answer(
        &mut self,
        request_id: Uuid,
        body_hash: &'a [u8; 32],
        command: &'a [u8],
        receipt: &'a Receipt,
    ) {
        self.request_ids.push(request_id);
        self.body_hashes.push(body_hash);
        self.commands.push(command);
        self.first_positions.push(signed(receipt.first_position));
        self.last_positions.push(signed(receipt.last_position));
        self.answered_versions.push(signed(receipt.version));
        self.leaf_hashes.push(receipt.leaf_hashes.as_flattened());
        self.rulebooks.push(&receipt.rulebook);
        self.answers.push((!receipt.answer.is_empty()).then_some(types::Json(&receipt.answer)));
    }
}

/// The answer that is stored for an accepted command.
pub(crate) struct Stored {
    /// Hash of the command's body.
    pub(crate) body_hash: Vec<u8>,
    /// The receipt; else why it cannot be read.
    pub(crate) receipt: Result<Receipt, String>,
}

impl Stored {
    /// What reads as a stored answer, in this order.
    pub(crate) const COLUMNS: &str =
        "request_id, body_hash, first_position, last_position, version, leaf_hashes, rulebook, answer";

    /// Reads [`Self::COLUMNS`].
    pub(crate) fn of(row: &tokio_postgres::Row, log: &'static str) -> (Uuid, Self) {
        let hashes: &[u8] = row.get(5);
        let answer = match row.get::<_, Option<JsonText>>(7) {
            Some(text) => serde_json::from_slice(&text.0).map_err(|error| error.to_string()),
            None => Ok(BTreeMap::new()),
        };
        let receipt = answer.map(|answer| Receipt {
            log,
            first_position: row.get::<_, i64>(2).unsigned_abs(),
            last_position: row.get::<_, i64>(3).unsigned_abs(),
            version: row.get::<_, i64>(4).unsigned_abs(),
            leaf_hashes: hashes.as_chunks().0.to_vec(),
            rulebook: row.get(6),
            answer,
        });
        (row.get(0), Self { body_hash: row.get(1), receipt })
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Committed {
    /// It is in the log, or there was nothing to insert and the head had not moved. `contended`: somebody holds the
    /// contention lock.
    Done { contended: bool },
    /// Another replica wrote: nothing was inserted.
    LostRace,
    /// A request id of the batch is already answered: nothing was inserted.
    RepeatedRequest,
    /// Another key than the position is taken: by another replica's events, or for good. Nothing was inserted.
    Conflict(String),
    /// PostgreSQL refuses a value of the batch: nothing was inserted.
    Poisoned(String),
    /// The connection broke, or the server is going down: it may be in the log or not.
    Unknown(String),
}

/// Takes the advisory lock of a log whose writers contend. The key is the log's own: one database holds one log.
pub(super) const CONTENTION_LOCK: i64 = 0x636f_6e63_6f72_6401;
/// Session lock of the relay.
pub const RELAY_LOCK: i64 = 0x636f_6e63_6f72_6402;
/// Session lock that every writer shares, and that a recovery has alone: neither works beside the other.
pub(super) const WRITER_LOCK: i64 = 0x636f_6e63_6f72_6403;

/// Why a connection is not one to write over.
#[derive(Debug)]
pub(super) enum Unfit {
    /// PostgreSQL is away, or a recovery is under way: another try may do.
    Away(String),
    /// The log must not be written.
    Standstill(Standstill),
}

impl From<String> for Unfit {
    fn from(reason: String) -> Self {
        Self::Away(reason)
    }
}

impl From<tokio_postgres::Error> for Unfit {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Away(describe(&error))
    }
}

/// How long the writer waits for an answer of PostgreSQL. A batch takes milliseconds, and a disk that stalls takes
/// seconds; a process that stands still may take for ever, and a unix socket never tells. A connection that is given
/// up too early costs one repeat: the identical bytes are written again at the identical positions.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// One more synchronous commit, where a standby confirms commits: what was visible before is replicated after it.
pub(super) const SETTLE: &str = "SELECT pg_logical_emit_message(true, 'concord', '')
     WHERE current_setting('synchronous_standby_names') <> ''";

/// One connection with the writer's statements prepared.
pub(super) struct Connection {
    pub(super) client: Client,
    /// Carries what goes to and fro; the connection ends with it.
    driver: AbortOnDropHandle<()>,
    commit: Statement,
    answers: Statement,
    after: Statement,
}

/// Beside what it inserts it asks for the contention lock, shared. Who holds it alone waits so for the commits that are
/// under way, and who did not take it learns that somebody lost a race. It never waits itself.
const COMMIT: &str = "
WITH head AS MATERIALIZED (SELECT coalesce(max(position), 0) AS p FROM events),
written AS (
    INSERT INTO events (position, stream, version, record)
    SELECT * FROM unnest($2::bigint[], $3::uuid[], $4::bigint[], $5::bytea[])
    WHERE (SELECT p FROM head) = $1),
touched AS (
    INSERT INTO subjects (subject, position)
    SELECT * FROM unnest($6::uuid[], $7::bigint[])
    WHERE (SELECT p FROM head) = $1),
answered AS (
    INSERT INTO requests (request_id, body_hash, command, first_position, last_position, version, leaf_hashes, rulebook, answer)
    SELECT * FROM unnest($8::uuid[], $9::bytea[], $10::bytea[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[],
                         $15::text[], $16::json[])
    WHERE (SELECT p FROM head) = $1)
SELECT p, pg_try_advisory_xact_lock_shared($17) FROM head";

impl Connection {
    /// Connects to the read-write primary and checks its clock against ours.
    pub(super) async fn open(url: &str) -> Result<Self, String> {
        // The system accepts connections for a PostgreSQL that stands still.
        tokio::time::timeout(ANSWER_WITHIN, Self::connect(url))
            .await
            .unwrap_or_else(|_| Err("PostgreSQL does not answer a new connection".to_owned()))
    }

    async fn connect(url: &str) -> Result<Self, String> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|error| format!("the database URL is not valid: {error}"))?;
        config
            .application_name("concord-writer")
            .target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite)
            .connect_timeout(Duration::from_secs(5))
            .tcp_user_timeout(Duration::from_secs(5));
        let (client, connection) =
            config.connect(tokio_postgres::NoTls).await.map_err(|error| describe(&error))?;
        let driver = AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = %describe(&error), "the writer's connection ended");
            }
        }));
        let prepared = async {
            Ok::<_, tokio_postgres::Error>(Self {
                commit: client.prepare(COMMIT).await?,
                answers: client
                    .prepare(&format!("SELECT {} FROM requests WHERE request_id = ANY($1)", Stored::COLUMNS))
                    .await?,
                after: client
                    .prepare("SELECT position, record FROM events WHERE position > $1 ORDER BY position LIMIT 1000")
                    .await?,
                client,
                driver,
            })
        };
        let connection = prepared.await.map_err(|error| describe(&error))?;
        connection.check_clock().await?;
        Ok(connection)
    }

    /// Waits for an answer over this connection. Where PostgreSQL is silent for too long the connection is given up,
    /// and the answer is that it broke.
    pub(super) async fn in_time<T>(&self, answer: impl Future<Output = T>) -> T {
        let mut answer = std::pin::pin!(answer);
        if let Ok(answer) = tokio::time::timeout(ANSWER_WITHIN, &mut answer).await {
            return answer;
        }
        tracing::warn!("PostgreSQL has been silent for {ANSWER_WITHIN:?}: its connection is given up");
        self.driver.abort();
        let answer = answer.await;
        // Afterwards, since what it ends may not be taken for a commit. A backend that waits for a lock or a standby
        // would not notice that its client has gone, and with each try there would be one more.
        let cancel = self.client.cancel_token();
        tokio::spawn(async move {
            tokio::time::timeout(ANSWER_WITHIN, cancel.cancel_query(tokio_postgres::NoTls)).await
        });
        answer
    }

    /// Executes statements without parameters.
    pub(super) async fn execute(&self, statements: &str) -> Result<(), tokio_postgres::Error> {
        self.in_time(self.client.batch_execute(statements)).await
    }

    /// Becomes one of the log's writers. Not while a recovery is under way.
    pub(super) async fn join_writers(&self) -> Result<(), String> {
        let asked = self.client.query_one("SELECT pg_try_advisory_lock_shared($1)", &[&WRITER_LOCK]);
        let row = self.in_time(asked).await;
        match row.map(|row| row.get(0)) {
            Ok(true) => Ok(()),
            Ok(false) => Err("a recovery of this log is under way: start again when it has ended".to_owned()),
            Err(error) => Err(describe(&error)),
        }
    }

    /// Refuses a database that is not the one that was written before, or that has lost events since.
    pub(super) async fn verify(
        &self,
        identity: &Identity,
        head: u64,
        newest: Option<&Recorded>,
    ) -> Result<(), Unfit> {
        let standing = self.in_time(identify(&self.client)).await.map_err(|error| match error {
            OpenError::Postgres(error) => describe(&error),
            other => other.to_string(),
        })?;
        let found = &standing.identity;
        if found != identity {
            return Err(Unfit::Standstill(Standstill::OtherLog {
                log_id: identity.log_id,
                generation: identity.generation,
                found_id: found.log_id,
                found_generation: found.generation,
            }));
        }
        if let Some(changed) = standing.standstill() {
            return Err(Unfit::Standstill(changed));
        }
        if head == 0 {
            return Ok(());
        }
        let there = self.after(head - 1).await?;
        let kept = there.first().is_some_and(|there| newest.is_none_or(|newest| there == newest));
        if kept { Ok(()) } else { Err(Unfit::Standstill(Standstill::LostEvent { position: head })) }
    }

    /// What was read back counts as durable only after one more synchronous commit: a commit is visible before the
    /// standby has it where the backend that waited was terminated.
    pub(super) async fn settle(&self) -> Result<(), tokio_postgres::Error> {
        self.execute(SETTLE).await
    }

    /// Refuses to go on where this machine's clock and PostgreSQL's differ by more than a second.
    pub(super) async fn check_clock(&self) -> Result<(), String> {
        let before = jiff::Timestamp::now().as_microsecond();
        let row = self
            .in_time(
                self.client
                    .query_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", &[]),
            )
            .await
            .map_err(|error| describe(&error))?;
        let after = jiff::Timestamp::now().as_microsecond();
        let theirs: i64 = row.get(0);
        let skew = if theirs < before { before - theirs } else { (theirs - after).max(0) };
        if skew > 1_000_000 {
            return Err(format!(
                "this machine's clock and PostgreSQL's differ by {skew} µs; set them right: recorded_at must be true to a second"
            ));
        }
        Ok(())
    }

    /// Commits a batch that was decided at `head`: one statement, one round trip.
    pub(super) async fn commit(&self, head: u64, batch: &Batch<'_>) -> Committed {
        let head = signed(head);
        let parameters: [&(dyn ToSql + Sync); 17] = [
            &head,
            &batch.positions,
            &batch.streams,
            &batch.versions,
            &batch.records,
            &batch.subjects,
            &batch.subject_positions,
            &batch.request_ids,
            &batch.body_hashes,
            &batch.commands,
            &batch.first_positions,
            &batch.last_positions,
            &batch.answered_versions,
            &batch.leaf_hashes,
            &batch.rulebooks,
            &batch.answers,
            &CONTENTION_LOCK,
        ];
        let row = self.in_time(self.client.query_one(&self.commit, &parameters)).await;
        match row {
            Ok(row) if row.get::<_, i64>(0) == head => Committed::Done { contended: !row.get::<_, bool>(1) },
            Ok(_) => Committed::LostRace,
            Err(error) => classify(&error),
        }
    }

    /// Ends the transaction around a commit statement that ran under the contention lock.
    pub(super) async fn end_locked(&self, outcome: Committed) -> Committed {
        let end = if matches!(outcome, Committed::Done { .. }) { "COMMIT" } else { "ROLLBACK" };
        match self.execute(end).await {
            Ok(()) => outcome,
            Err(error) => Committed::Unknown(describe(&error)),
        }
    }

    /// Stored answers of these request ids.
    pub(super) async fn answers(
        &self,
        ids: &[Uuid],
        log: &'static str,
    ) -> Result<HashMap<Uuid, Stored>, tokio_postgres::Error> {
        let rows = self.in_time(self.client.query(&self.answers, &[&ids])).await?;
        Ok(rows.iter().map(|row| Stored::of(row, log)).collect())
    }

    /// Up to 1,000 events after `after`.
    pub(super) async fn after(&self, after: u64) -> Result<Vec<Recorded>, tokio_postgres::Error> {
        let rows = self.in_time(self.client.query(&self.after, &[&signed(after)])).await?;
        Ok(rows
            .iter()
            .map(|row| Recorded {
                position: row.get::<_, i64>(0).unsigned_abs(),
                bytes: row.get::<_, JsonText>(1).0,
            })
            .collect())
    }
}

/// A position as PostgreSQL has it.
pub(super) fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn classify(error: &tokio_postgres::Error) -> Committed {
    let Some(refused) = error.as_db_error() else {
        return Committed::Unknown(describe(error));
    };
    match (refused.code().code(), refused.constraint()) {
        ("23505", Some("requests_pkey")) => Committed::RepeatedRequest,
        ("23505", Some("events_pkey")) => Committed::LostRace,
        // Two replicas inserted at once, and another index noticed first; or a row that does not belong there.
        ("23505", _) => Committed::Conflict(describe(error)),
        (code, _) if matches!(code.get(..2), Some("22" | "23" | "54")) => {
            Committed::Poisoned(describe(error))
        }
        _ => Committed::Unknown(describe(error)),
    }
}

/// An error with its cause: tokio-postgres keeps the server's words one level down.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(refused) => format!("{} ({})", refused.message(), refused.code().code()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

/// A folded state as it is kept: position and version it stands at.
pub(super) struct Snapshot {
    pub(super) subject: Uuid,
    pub(super) position: u64,
    pub(super) version: u64,
    pub(super) state: Bytes,
}

/// Keeps snapshots. A newer one is never replaced by an older.
pub(super) async fn keep_snapshots(
    client: &Client,
    fold: &str,
    snapshots: &[Snapshot],
) -> Result<(), tokio_postgres::Error> {
    let subjects: Vec<Uuid> = snapshots.iter().map(|snapshot| snapshot.subject).collect();
    let positions: Vec<i64> = snapshots.iter().map(|snapshot| signed(snapshot.position)).collect();
    let versions: Vec<i64> = snapshots.iter().map(|snapshot| signed(snapshot.version)).collect();
    let states: Vec<Json> = snapshots.iter().map(|snapshot| Json(snapshot.state.clone())).collect();
    client
        .execute(
            "INSERT INTO snapshots AS kept (subject, position, version, fold, state)
             SELECT subject, position, version, $5, state
             FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::json[]) AS new (subject, position, version, state)
             ON CONFLICT (subject) DO UPDATE
             SET position = excluded.position, version = excluded.version, fold = excluded.fold, state = excluded.state
             WHERE kept.position < excluded.position OR kept.fold <> excluded.fold",
            &[&subjects, &positions, &versions, &states, &fold],
        )
        .await?;
    Ok(())
}

/// A refused command, to be kept on best effort.
pub(super) struct Refused {
    pub(super) head: u64,
    pub(super) request_id: Uuid,
    pub(super) reason: String,
    pub(super) refusal: Bytes,
    pub(super) command: Bytes,
}

/// Keeps refused commands.
pub(super) async fn keep_refusals(client: &Client, refused: &[Refused]) -> Result<(), tokio_postgres::Error> {
    let heads: Vec<i64> = refused.iter().map(|row| signed(row.head)).collect();
    let ids: Vec<Uuid> = refused.iter().map(|row| row.request_id).collect();
    let reasons: Vec<&str> = refused.iter().map(|row| row.reason.as_str()).collect();
    let refusals: Vec<Json> = refused.iter().map(|row| Json(row.refusal.clone())).collect();
    let commands: Vec<Json> = refused.iter().map(|row| Json(row.command.clone())).collect();
    client
        .execute(
            "INSERT INTO refusals (head, request_id, reason, refusal, command)
             SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::json[], $5::json[])",
            &[&heads, &ids, &reasons, &refusals, &commands],
        )
        .await?;
    Ok(())
}

/// The same for a read over the pool.
pub(super) fn describe_read(error: &StoreError) -> String {
    match error {
        StoreError::Statement(error) => describe(error),
        StoreError::Pool(error) => error.to_string(),
    }
}
