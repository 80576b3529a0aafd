//! Applies batches, each in one transaction with its checkpoint.

use super::checkpoint::{self, Checkpoint, DatabaseError};
use super::feed::{self, CHUNK_BYTES, Sources};
use super::head::{Claim, Identity, Statement, is_of_history};
use super::{Applied, ApplyError, Projection, ProjectionOptions, Stopped, Verified, decisions};
use crate::record::{self, LogEvent, Recorded};
use deadpool_postgres::{ClientWrapper, Pool};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

/// First wait after a failure; it doubles with each further one.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// Longest wait between two tries.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How often a runner without the lock reads the checkpoint that another one moves.
const STANDBY_READ: Duration = Duration::from_millis(250);
/// The lock is asked for at every fourth reading: each second.
const READS_PER_LOCK_TRY: u32 = 4;
/// Rows that PostgreSQL refuses for what they are (SQLSTATE 22, 23, 54) are tried this often, each time with nothing
/// remembered. The same events would be refused for ever.
const REFUSALS_MAX: u32 = 3;

/// Why a session with the database ended.
enum End {
    Shutdown,
    /// For good, with the reason.
    Stopped(Reason),
    /// The database failed, or the checkpoint is not where it was left.
    Again(Trouble),
}

/// Why a projection stops, as [`Stopped`] has it.
struct Reason {
    why: String,
    detail: Option<String>,
}

impl From<String> for Reason {
    fn from(why: String) -> Self {
        Self { why, detail: None }
    }
}

/// What is tried again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the checkpoint is no longer at {expected}: another runner is at work")]
    CheckpointMoved { expected: u64 },
    #[error("the feed of events ended")]
    FeedEnded,
}

impl<T: Into<DatabaseError>> From<T> for End {
    fn from(error: T) -> Self {
        End::Again(Trouble::Database(error.into()))
    }
}

/// A batch that was rolled back.
enum Failure {
    /// The same batch may do next time.
    Store(tokio_postgres::Error),
    /// It ends the session.
    Ended(End),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Store(error)
    }
}

pub(super) struct Applier<P> {
    pub(super) projection: P,
    pub(super) pool: Pool,
    pub(super) sources: Sources,
    pub(super) options: ProjectionOptions,
    pub(super) shutdown: CancellationToken,
    pub(super) applied: watch::Sender<u64>,
    pub(super) stopped: watch::Sender<Option<Stopped>>,
    pub(super) verified: watch::Sender<Option<Verified>>,
}

impl<P: Projection> Applier<P> {
    pub(super) async fn run(mut self) {
        let shutdown = self.shutdown.clone();
        self.gauge("concord_projection_stopped").set(0.0);
        let mut delay = RETRY_MIN;
        loop {
            let before = *self.applied.borrow();
            let end = tokio::select! {
                biased;
                () = shutdown.cancelled() => End::Shutdown,
                end = self.session() => end,
            };
            match end {
                End::Shutdown => return,
                End::Stopped(reason) => {
                    self.stop(reason);
                    shutdown.cancelled().await;
                    return;
                }
                End::Again(trouble) => warn!(
                    projection = P::NAME, version = P::VERSION, schema = %self.options.schema,
                    error = &trouble as &dyn std::error::Error, "starting over from the checkpoint"
                ),
            }
            if *self.applied.borrow() > before {
                delay = RETRY_MIN;
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(delay) => {}
            }
            delay = (delay * 2).min(RETRY_MAX);
        }
    }

    /// Applies events over one connection, for as long as that and the checkpoint hold.
    async fn session(&mut self) -> End {
        match self.try_session().await {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }

    async fn try_session(&mut self) -> Result<std::convert::Infallible, End> {
        // What is remembered may not be what is committed.
        self.projection.reset();
        let mut client = checkpoint::connect(&self.pool, &self.options.schema).await?;
        self.wait_for_lock(&client).await?;
        let checkpoint = self.open(&mut client).await?;
        self.projection.follows(checkpoint.identity.generation);
        self.reached(checkpoint.position);

        let source = format!("{}/{}", self.options.source(), checkpoint.identity.generation);
        let (feed, mut chunks) = feed::start(self.sources.clone(), source.clone(), checkpoint.position);
        let _feed = AbortOnDropHandle::new(tokio::spawn(feed));
        let mut statements = self.sources.known.statement();
        let mut position = checkpoint.position;
        // The oldest claim that is ahead of the rows. A newer one would be further ahead: under steady load it would never be
        // reached.
        let mut ahead: Option<Claim> = None;
        // The beginning of a decision whose last event has not come yet.
        let mut begun: Vec<Recorded> = Vec::new();
        loop {
            let first = tokio::select! {
                biased;
                stated = stated(&mut statements) => {
                    self.same_history(checkpoint.identity, stated.identity)?;
                    ahead = next_claim(ahead, stated.claim);
                    self.verify(&mut ahead, checkpoint.identity, position);
                    continue;
                }
                chunk = chunks.recv() => chunk.ok_or(End::Again(Trouble::FeedEnded))?,
            };
            begun.extend(gather(first, &mut chunks, self.options.batch_max));
            let (events, unreadable) = decode::<P::Event>(&begun, &source);
            let (ends, contradiction) = decisions::ends(&events);
            position = self.apply_all(&mut client, &events, &ends, position).await?;
            self.verify(&mut ahead, checkpoint.identity, position);
            if let Some(why) = contradiction.or(unreadable) {
                return Err(End::Stopped(why.into()));
            }
            let whole = ends.last().copied().unwrap_or(0);
            drop(events);
            begun.drain(..whole);
        }
    }

    /// Applies the events of the decisions that end so, in one transaction where that can be. Before it stops it halves them, so
    /// that everything in front of the decision that it stops at is applied, and that one is named.
    async fn apply_all(
        &mut self,
        client: &mut ClientWrapper,
        events: &[Applied<'_, P::Event>],
        mut ends: &[usize],
        mut position: u64,
    ) -> Result<u64, End> {
        let mut done = 0;
        let mut step = ends.len();
        while !ends.is_empty() {
            let decisions = step.min(ends.len());
            let until = ends[decisions - 1];
            match self.apply_until_committed(client, &events[done..until], position).await {
                Ok(reached) => {
                    position = reached;
                    self.reached(position);
                    done = until;
                    ends = &ends[decisions..];
                }
                Err(End::Stopped(_)) if decisions > 1 => {
                    self.projection.reset();
                    step = decisions / 2;
                }
                Err(end) => return Err(end),
            }
        }
        Ok(position)
    }

    /// Another runner may hold the lock. Meanwhile its progress is read, so that queries here can wait for a position.
    async fn wait_for_lock(&mut self, client: &ClientWrapper) -> Result<(), End> {
        let mut told = false;
        while !checkpoint::try_lock(client, &self.options).await? {
            if !told {
                info!(schema = %self.options.schema, "another runner keeps these rows; standing by");
                told = true;
            }
            for _ in 0..READS_PER_LOCK_TRY {
                if let Some(checkpoint) = checkpoint::load(client, &self.options).await? {
                    self.reached(checkpoint.position);
                    let stated = *self.sources.known.statement().borrow();
                    let ours = stated.filter(|stated| stated.identity == checkpoint.identity);
                    let mut claim = ours.and_then(|stated| stated.claim);
                    self.verify(&mut claim, checkpoint.identity, checkpoint.position);
                }
                tokio::time::sleep(STANDBY_READ).await;
            }
        }
        Ok(())
    }

    /// Loads the checkpoint, or makes it. It cannot be made while the owner has not said which history it has.
    async fn open(&mut self, client: &mut ClientWrapper) -> Result<Checkpoint, End> {
        if let Some(checkpoint) = checkpoint::load(client, &self.options).await? {
            return Ok(checkpoint);
        }
        let mut stated = self.sources.known.identity();
        let known = stated.wait_for(Option::is_some).await.ok().and_then(|identity| *identity);
        let identity = known.ok_or(End::Shutdown)?;
        checkpoint::create(client, &self.options, self.projection.schema(), identity).await?;
        info!(
            projection = P::NAME, version = P::VERSION, schema = %self.options.schema, log = %self.options.log,
            "projection made; building it from the first event"
        );
        Ok(Checkpoint { position: 0, identity })
    }

    fn same_history(&self, ours: Identity, stated: Identity) -> Result<(), End> {
        if ours == stated {
            return Ok(());
        }
        let why = format!(
            "schema {} was built from log {} generation {}, but {} is now log {} generation {}: build it anew, in a schema of its own",
            self.options.schema,
            ours.log_id,
            ours.generation,
            self.options.log,
            stated.log_id,
            stated.generation
        );
        Err(End::Stopped(why.into()))
    }

    /// Applies one batch, again and again while the database fails. Returns the new checkpoint.
    async fn apply_until_committed(
        &mut self,
        client: &mut ClientWrapper,
        batch: &[Applied<'_, P::Event>],
        from: u64,
    ) -> Result<u64, End> {
        let mut delay = RETRY_MIN;
        let mut refusals = 0;
        loop {
            let failed = match self.apply(client, batch, from).await {
                Ok(position) => return Ok(position),
                Err(Failure::Ended(end)) => return Err(end),
                Err(Failure::Store(failed)) => failed,
            };
            if client.is_closed() {
                // Whether it was committed shows the checkpoint, over a new connection.
                return Err(failed.into());
            }
            self.projection.reset();
            if is_refusal(&failed) {
                refusals += 1;
                if refusals == REFUSALS_MAX {
                    let to = batch.last().map_or(from, |event| event.recorded.position);
                    let state = failed.code().map_or("", |state| state.code());
                    let why = format!(
                        "PostgreSQL refuses the rows of events {} to {to} (SQLSTATE {state})",
                        from + 1
                    );
                    let detail = failed.as_db_error().map_or_else(|| failed.to_string(), ToString::to_string);
                    return Err(End::Stopped(Reason { why, detail: Some(detail) }));
                }
            }
            warn!(
                projection = P::NAME, schema = %self.options.schema, from,
                error = &failed as &dyn std::error::Error, "a batch was rolled back; trying it again"
            );
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(RETRY_MAX);
        }
    }

    /// One transaction: the rows, and the checkpoint.
    async fn apply(
        &mut self,
        client: &mut ClientWrapper,
        batch: &[Applied<'_, P::Event>],
        from: u64,
    ) -> Result<u64, Failure> {
        let Some(last) = batch.last() else {
            return Ok(from);
        };
        let to = last.recorded.position;
        let failure = |error| match error {
            ApplyError::Store(error) => Failure::Store(error),
            ApplyError::Broken(reason) => {
                Failure::Ended(End::Stopped(format!("events {} to {to}: {reason}", from + 1).into()))
            }
        };
        self.projection.precede(batch).await.map_err(failure)?;
        let tx = client.transaction().await?;
        // Dropping the transaction rolls it back.
        self.projection.apply(&tx, batch).await.map_err(failure)?;
        if !checkpoint::advance(&tx, &self.options.source(), from, to).await? {
            return Err(Failure::Ended(End::Again(Trouble::CheckpointMoved { expected: from })));
        }
        tx.commit().await?;
        Ok(to)
    }

    /// Where the rows have reached what the owner vouched for, they were up to date at that time.
    fn verify(&self, ahead: &mut Option<Claim>, Identity { generation, .. }: Identity, position: u64) {
        if let Some(claim) = ahead.take_if(|claim| claim.head <= position) {
            self.verified.send_replace(Some(Verified {
                generation,
                position: claim.head,
                at: claim.at,
                today: claim.today,
            }));
        }
    }

    fn reached(&self, position: u64) {
        self.applied.send_if_modified(|applied| std::mem::replace(applied, position) != position);
        self.gauge("concord_projection_position").set(position as f64);
    }

    fn stop(&mut self, Reason { why, detail }: Reason) {
        let stopped = Stopped { at: jiff::Timestamp::now(), why, detail };
        error!(
            projection = P::NAME, version = P::VERSION, schema = %self.options.schema, log = %self.options.log,
            applied = *self.applied.borrow(), reason = %stopped, "the projection stopped; its rows stay as they are"
        );
        self.projection.reset();
        self.gauge("concord_projection_stopped").set(1.0);
        self.stopped.send_replace(Some(stopped));
    }

    fn gauge(&self, name: &'static str) -> metrics::Gauge {
        metrics::gauge!(name, "projection" => self.options.schema.clone(), "log" => self.options.log.clone())
    }
}

/// The claim that the rows are to reach: the oldest. One that the owner does not stand by any more would never be reached.
fn next_claim(ahead: Option<Claim>, stated: Option<Claim>) -> Option<Claim> {
    let stated = stated?;
    Some(ahead.filter(|ahead| ahead.head <= stated.head).unwrap_or(stated))
}

/// Waits for the owner's next statement.
async fn stated(statements: &mut watch::Receiver<Option<Statement>>) -> Statement {
    loop {
        if statements.changed().await.is_err() {
            // The watcher ends with the projection.
            std::future::pending::<()>().await;
        }
        if let Some(stated) = *statements.borrow_and_update() {
            return stated;
        }
    }
}

/// Adds what has been fetched meanwhile.
fn gather(
    first: Vec<Recorded>,
    chunks: &mut mpsc::Receiver<Vec<Recorded>>,
    batch_max: usize,
) -> Vec<Recorded> {
    let mut batch = first;
    let mut bytes: usize = batch.iter().map(|event| event.bytes.len()).sum();
    while batch.len() < batch_max && bytes < CHUNK_BYTES {
        let Ok(chunk) = chunks.try_recv() else { break };
        bytes += chunk.iter().map(|event| event.bytes.len()).sum::<usize>();
        batch.extend(chunk);
    }
    batch
}

/// Reads the events up to the first that cannot be read, and says in a sentence why it cannot.
fn decode<'a, E: LogEvent>(batch: &'a [Recorded], source: &str) -> (Vec<Applied<'a, E>>, Option<String>) {
    let mut events = Vec::with_capacity(batch.len());
    for recorded in batch {
        match decode_one(recorded, source) {
            Ok(event) => events.push(event),
            Err(reason) => return (events, Some(reason)),
        }
    }
    (events, None)
}

fn decode_one<'a, E: LogEvent>(recorded: &'a Recorded, source: &str) -> Result<Applied<'a, E>, String> {
    let position = recorded.position;
    let unreadable = |error: serde_json::Error| format!("event {position} cannot be read: {error}");
    let (envelope, event) = record::read(recorded).map_err(unreadable)?;
    if envelope.position != position || !is_of_history(&envelope.source, source) {
        return Err(format!(
            "the event given as {position} of {source} calls itself {} of {}",
            envelope.position, envelope.source
        ));
    }
    Ok(Applied { envelope, event, recorded })
}

/// Whether PostgreSQL refused the rows for what they are: data exceptions, broken constraints, and what is beyond a limit of its
/// own, as a value too long for an index is.
fn is_refusal(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| ["22", "23", "54"].iter().any(|class| state.code().starts_with(class)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{Timestamp, civil::Date};

    #[test]
    fn the_oldest_claim_is_kept_for_as_long_as_the_owner_stands_by_it() {
        let claim = |head| Some(Claim { head, at: Timestamp::UNIX_EPOCH, today: Date::MIN });
        for (ahead, stated, next) in [
            (None, claim(5), claim(5)),
            (claim(5), claim(9), claim(5)),
            (claim(9), claim(5), claim(5)),
            (claim(9), None, None),
        ] {
            assert_eq!(next_claim(ahead, stated), next, "{ahead:?}, then {stated:?}");
        }
    }
}
