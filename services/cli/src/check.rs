//! `concord log check`: proves the log from its events alone, and against it the stream, the projection and its answers.
//!
//! Nothing that is stored as a figure is trusted. The log is read once, over `ReadLog`, and every part of the check
//! sees every event:
//!
//! ```text
//! ReadLog ─┬─ order       positions, times, ids, versions, commands, the documents themselves
//!          ├─ ledger      every account of the chain, at every position; at the head, every balance answered
//!          ├─ limits      sub-limits, and the facts that grants were opened with
//!          ├─ holds       no money leaves on hold, nor without the agreement that backs the grant
//!          ├─ stream      the message at that sequence, byte for byte
//!          └─ projection  folded anew; then every row of every table
//! ```
//!
//! What could not be compared is said, and counts as proved only where the caller gave leave to go without it.

mod answers;
mod args;
pub mod faults;
mod holds;
mod ledger;
mod limits;
mod order;
mod projection;
mod reading;
mod report;
mod stream;

use std::time::{Duration, Instant};

use concord_agreement::Agreements;
use concord_chassis::log::Domain as _;
use concord_fund_grant::Fund;
use concord_funding_audit::LogClock;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{GetLogStatusRequest, GetLogStatusResponse};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use self::answers::AnswersProof;
pub use self::args::{CheckArgs, NotCompared, Part};
use self::args::{aged_out, left_out, place};
use self::faults::{Faults, Rule};
pub use self::projection::ProjectionProof;
use self::reading::{Books, Chunk, Feed, Meaning, NoBooks, Reading};
pub use self::stream::StreamProof;
use crate::connect::{self, Endpoints, Stamped};
use crate::errors::CliError;
use crate::output::Format;

/// Chunks of the log that may wait for a part of the check.
const CHUNKS_AHEAD: usize = 8;

/// What was checked, and what came of it.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Name of the log.
    pub log: String,
    /// What its events name as their source.
    pub source: String,
    /// Head up to which it was checked.
    pub head: u64,
    /// Events read.
    pub events: u64,
    /// Commands that they came of.
    pub commands: u64,
    /// Lines of the ledger that they mean, where they move money.
    pub lines: Option<u64>,
    /// What of the stream was compared.
    pub stream: Option<StreamProof>,
    /// What of the projection was compared.
    pub projection: Option<ProjectionProof>,
    /// What of the funding audit's answers was compared.
    pub answers: Option<AnswersProof>,
    /// What was not compared.
    pub not_compared: Vec<NotCompared>,
    /// All faults.
    pub faults: Faults,
    /// How long it took.
    pub elapsed: Duration,
}

/// Checks, prints, and says by its result whether everything was proved.
///
/// # Errors
/// [`CliError::Faults`], [`CliError::Unproved`]; or what kept the check from its end.
pub async fn run(
    log: LogServiceClient<Stamped>,
    endpoints: &Endpoints,
    args: &CheckArgs,
    format: Format,
) -> Result<(), CliError> {
    let proof = prove(log, endpoints, args).await?;
    report::print(&proof, format);
    proof.verdict()
}

/// Checks the whole log up to its head, and with it what `args` names.
///
/// # Errors
/// What kept the check from its end. Faults are no errors: they are in the proof.
pub async fn prove(
    mut log: LogServiceClient<Stamped>,
    endpoints: &Endpoints,
    args: &CheckArgs,
) -> Result<Proof, CliError> {
    let started = Instant::now();
    let status = log_status(&mut log).await?;
    let mut proof = match status.log.as_str() {
        Fund::LOG => {
            let (mut proof, books) = prove_log::<Books>(&mut log, status, args, true).await?;
            proof.lines = Some(books.ledger.lines());
            if !left_out(Part::Answers, args, &mut proof.not_compared) {
                let audit = connect::audit(endpoints).await?;
                let (head, patience) = (proof.head, args.patience());
                proof.answers =
                    answers::compare(audit, &books.ledger, head, patience, &mut proof.faults).await?;
            }
            proof
        }
        // No projection follows it.
        Agreements::LOG => prove_log::<NoBooks>(&mut log, status, args, false).await?.0,
        other => {
            return Err(CliError::failed(format!(
                "this program does not know the events of the log {other:?}; use the concord command of the service's own \
             version 本程序不识别该日志的事件"
            )));
        }
    };
    proof.elapsed = started.elapsed();
    Ok(proof)
}

/// Checks a log whose events mean `M`, its stream, and its projection where there is one. How long all of it takes, the
/// caller says.
async fn prove_log<M: Meaning>(
    log: &mut LogServiceClient<Stamped>,
    status: GetLogStatusResponse,
    args: &CheckArgs,
    is_projected: bool,
) -> Result<(Proof, M), CliError> {
    let head = status.head;
    let (mut faults, mut not_compared) = (Faults::default(), Vec::new());
    let source = source(&status)?;
    let of = Followers { source: &source, is_projected };
    let sides = Sides::find(log, &status, of, args, &mut faults, &mut not_compared).await?;

    let (stream, to_stream) = sides.stream.map(|side| start(|chunks| side.compare(head, chunks))).unzip();
    let (projection, to_projection) =
        sides.projection.map(|side| start(|chunks| side.compare(head, chunks))).unzip();
    let feeds: Vec<Feed> = to_stream.into_iter().chain(to_projection).collect();
    let mut reading = Reading::<M>::of(source.clone(), status.generation);
    reading.read(log, head, &feeds, &mut faults).await?;
    // The end of the log is the end of what the parts wait for.
    drop(feeds);

    let stream = ended(stream, &mut faults).await?;
    not_compared.extend(stream.as_ref().and_then(|proof| aged_out(proof, args)));
    let projection = ended(projection, &mut faults).await?.flatten();
    let commands = reading.order.commands() as u64;
    let proof = Proof {
        log: status.log,
        source: format!("{source}/{}", status.generation),
        head,
        events: reading.events,
        commands,
        lines: None,
        stream,
        projection,
        answers: None,
        not_compared,
        faults,
        elapsed: Duration::ZERO,
    };
    Ok((proof, reading.meaning))
}

async fn log_status(client: &mut LogServiceClient<Stamped>) -> Result<GetLogStatusResponse, CliError> {
    Ok(client.get_log_status(GetLogStatusRequest {}).await?.into_inner())
}

/// `/concord/<cell>/<log>`: what the log's events name as their source, less the generation. Of the cell the service
/// says nothing but in the name of its stream, `concord_<cell>_<log>_<generation>`.
fn source(status: &GetLogStatusResponse) -> Result<String, CliError> {
    let GetLogStatusResponse { log, generation, stream, .. } = status;
    let cell =
        stream.strip_prefix("concord_").and_then(|rest| rest.strip_suffix(&format!("_{log}_{generation}")));
    match cell {
        Some(cell) => Ok(format!("/concord/{cell}/{log}")),
        None => Err(CliError::failed(format!(
            "the service names its stream {stream:?}, which does not fit log {log}, generation {generation}; use the \
             concord command of the service's own version 消息流名称与日志不符"
        ))),
    }
}

/// What is known of those who follow the log.
#[derive(Clone, Copy)]
struct Followers<'a> {
    /// What its events name as their source, less the generation.
    source: &'a str,
    /// Whether a projection follows it.
    is_projected: bool,
}

/// What the log is compared with.
struct Sides {
    stream: Option<stream::StreamSide>,
    projection: Option<projection::ProjectionSide>,
}

impl Sides {
    /// Finds what is to be compared, and waits for what lags.
    async fn find(
        client: &mut LogServiceClient<Stamped>,
        status: &GetLogStatusResponse,
        Followers { source, is_projected }: Followers<'_>,
        args: &CheckArgs,
        faults: &mut Faults,
        not_compared: &mut Vec<NotCompared>,
    ) -> Result<Self, CliError> {
        let (head, patience) = (status.head, args.patience());
        let nats = ("--nats-url", args.nats_url.as_deref());
        let stream = match place(Part::Stream, nats, args, not_compared) {
            Some(url) => {
                let name = args.stream.as_deref().unwrap_or(&status.stream);
                stream::find(url, name, head, patience, faults).await?
            }
            None => None,
        };
        let database = ("--projection-database-url", args.projection_database_url.as_deref());
        let place_of_projection =
            is_projected.then(|| place(Part::Projection, database, args, not_compared)).flatten();
        let projection = match place_of_projection {
            Some(url) => {
                let origin = projection::Origin {
                    source: source.to_owned(),
                    log_id: status.log_id.clone(),
                    generation: status.generation,
                    clock: LogClock::of(&status.played_from),
                };
                projection::find(url, origin, head, patience, faults).await?
            }
            None => None,
        };
        // Asked after they were looked at: what they have by then was in the log before.
        let newest = log_status(client).await?.head;
        let expected = format!("position {newest} or less");
        if let Some(side) = stream.as_ref().filter(|side| side.last > newest) {
            faults.add(Rule::StreamBeyond, newest + 1, &expected, format!("sequence {}", side.last));
        }
        if let Some(side) = projection.as_ref().filter(|side| side.checkpoint > newest) {
            faults.add(
                Rule::ProjectionBeyond,
                newest + 1,
                &expected,
                format!("checkpoint {}", side.checkpoint),
            );
        }
        Ok(Self { stream, projection })
    }
}

/// A part of the check that runs beside the others: what it has proved, and the faults that it found.
type PartTask<T> = JoinHandle<Result<(T, Faults), CliError>>;

/// Starts a part of the check that takes the events as they are read.
fn start<T, F>(part: impl FnOnce(mpsc::Receiver<Chunk>) -> F) -> (PartTask<T>, Feed)
where
    T: Send + 'static,
    F: Future<Output = Result<(T, Faults), CliError>> + Send + 'static,
{
    let (feed, chunks) = mpsc::channel(CHUNKS_AHEAD);
    (tokio::spawn(part(chunks)), feed)
}

/// Waits for the end of a part, where there is one, and takes its faults in.
async fn ended<T>(task: Option<PartTask<T>>, faults: &mut Faults) -> Result<Option<T>, CliError> {
    let Some(task) = task else {
        return Ok(None);
    };
    let ended = task.await;
    let (proof, found) = ended
        .map_err(|error| CliError::failed(format!("a part of the check ended abnormally: {error}")))??;
    faults.merge(found);
    Ok(Some(proof))
}

/// Waits for what follows the log, for as long as it moves.
struct Standstill {
    what: &'static str,
    head: u64,
    patience: Duration,
    seen: Option<u64>,
    since: Instant,
}

impl Standstill {
    /// Pause between two looks.
    const LOOK_EVERY: Duration = Duration::from_millis(100);

    fn of(what: &'static str, head: u64, patience: Duration) -> Self {
        Self { what, head, patience, seen: None, since: Instant::now() }
    }

    /// Whether it is worth waiting for, now that it is at `position`. Says so once.
    fn may_move_on(&mut self, position: u64) -> bool {
        if self.seen.is_none() {
            let behind = self.head.saturating_sub(position);
            eprintln!("{} is behind by {behind}; waiting 落后 {behind}，等待中", self.what);
        }
        if self.seen != Some(position) {
            (self.seen, self.since) = (Some(position), Instant::now());
        }
        self.since.elapsed() < self.patience
    }
}
