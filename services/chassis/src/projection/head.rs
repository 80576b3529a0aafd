//! Where the log stands, as its owner says.

use super::ProjectionOptions;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{GetLogStatusRequest, GetLogStatusResponse};
use jiff::{SignedDuration, Timestamp, civil::Date};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tonic::transport::Channel;
use tracing::{error, info, warn};
use uuid::Uuid;

/// The owner's log service.
pub(super) type Owner = LogServiceClient<Channel>;

/// How long the owner may take to say where it stands.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Largest chunk of `ReadLog` that is taken, in bytes. A thousand events of the usual kilobyte are one megabyte.
const CHUNK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Makes the client of the owner's log service.
pub(super) fn client(channel: Channel) -> Owner {
    LogServiceClient::new(channel).max_decoding_message_size(CHUNK_BYTES_MAX)
}

/// Which history a log's positions belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) log_id: Uuid,
    pub(super) generation: u32,
}

/// Whether an event of this `source` is of the history whose present generation `present` names. A log keeps what it
/// recorded in earlier generations.
pub(super) fn is_of_history(source: &str, present: &str) -> bool {
    let parts = |source: &str| {
        let (log, generation) = source.rsplit_once('/')?;
        Some((log.to_owned(), generation.parse::<u32>().ok()?))
    };
    let earlier = || match (parts(source), parts(present)) {
        (Some((log, generation)), Some((ours, now))) => log == ours && generation < now,
        _ => false,
    };
    source == present || earlier()
}

/// What the owner said when it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement {
    /// The history that it speaks of.
    pub(super) identity: Identity,
    /// What rows may be verified by; `None` where the owner cannot vouch for where the log ends.
    pub(super) claim: Option<Claim>,
}

/// That the log ended at `head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) head: u64,
    /// When, by this machine's clock: what was committed before is at or below the head.
    pub(super) at: Timestamp,
    /// The log's today, when it was asked or later.
    pub(super) today: Date,
}

/// What is known of the log.
#[derive(Clone)]
pub(super) struct Known {
    head: Arc<watch::Sender<u64>>,
    identity: watch::Receiver<Option<Identity>>,
    statement: watch::Receiver<Option<Statement>>,
}

impl Known {
    pub(super) fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    pub(super) fn head_now(&self) -> u64 {
        *self.head.borrow()
    }

    pub(super) fn identity(&self) -> watch::Receiver<Option<Identity>> {
        self.identity.clone()
    }

    /// What the owner said last, anew with each answer.
    pub(super) fn statement(&self) -> watch::Receiver<Option<Statement>> {
        self.statement.clone()
    }

    /// An event or a chunk proves that the head is at least here.
    pub(super) fn head_is_at_least(&self, position: u64) {
        self.head.send_if_modified(|head| {
            let higher = position > *head;
            *head = position.max(*head);
            higher
        });
    }
}

/// What the answer proves of the time before it. The owner's head is a number in its memory, as old as it says: it was asked
/// at `asked_at`, and answered then or later. Nothing is proved by a log that stands still, or that ends before what was
/// applied when it was asked: it went back, or what answers lags behind.
fn claim(status: &GetLogStatusResponse, asked_at: Timestamp, applied: u64) -> Option<Claim> {
    if status.standstill.is_some() || status.head < applied {
        return None;
    }
    let age = SignedDuration::from_millis(i64::try_from(status.head_age_ms?).ok()?);
    let today = status.today.parse().ok()?;
    Some(Claim { head: status.head, at: asked_at.checked_sub(age).ok()?, today })
}

/// Asks the owner on a timer where the log stands. The first value returned is the task to run.
pub(super) fn watch(
    owner: Owner,
    options: ProjectionOptions,
    applied: watch::Receiver<u64>,
) -> (impl Future<Output = ()> + Send, Known) {
    let (identity_tx, identity) = watch::channel(None);
    let (statement_tx, statement) = watch::channel(None);
    let known = Known { head: Arc::new(watch::channel(0).0), identity, statement };
    (ask_on_timer(owner, options, applied, known.clone(), (identity_tx, statement_tx)), known)
}

async fn ask_on_timer(
    mut owner: Owner,
    options: ProjectionOptions,
    applied: watch::Receiver<u64>,
    known: Known,
    (identity, statement): (watch::Sender<Option<Identity>>, watch::Sender<Option<Statement>>),
) {
    let lag = metrics::gauge!(
        "concord_projection_lag_events",
        "projection" => options.schema.clone(), "log" => options.log.clone()
    );
    let mut away = false;
    let mut ahead = false;
    let mut astray = false;
    let mut timer = tokio::time::interval(options.head_check);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let applied_before = *applied.borrow();
        let asked_at = Timestamp::now();
        let asked = tokio::time::timeout(ANSWER_WITHIN, owner.get_log_status(GetLogStatusRequest {})).await;
        let answer = asked.unwrap_or_else(|_| Err(tonic::Status::deadline_exceeded("no answer in time")));
        match answer.map(tonic::Response::into_inner) {
            Ok(status) if status.log != options.log => {
                if !std::mem::replace(&mut astray, true) {
                    let found = status.log;
                    error!(
                        projection = %options.schema, log = %options.log, found,
                        "the address of the log's owner leads to another log; nothing is verified by it"
                    );
                }
            }
            Ok(status) => {
                astray = false;
                if away {
                    info!(projection = %options.schema, log = %options.log, "the log's owner answers again");
                    away = false;
                }
                known.head_is_at_least(status.head);
                let is_ahead = applied_before > status.head;
                if is_ahead && !ahead {
                    // A replica that lags answers so for a moment; a log that went back does so until it is recovered.
                    warn!(
                        projection = %options.schema, log = %options.log, applied = applied_before, head = status.head,
                        "the projection is ahead of the log's head as its owner states it"
                    );
                }
                ahead = is_ahead;
                match status.log_id.parse() {
                    Ok(log_id) => {
                        let now = Identity { log_id, generation: status.generation };
                        identity.send_if_modified(|known| known.replace(now) != Some(now));
                        let claim = claim(&status, asked_at, applied_before);
                        statement.send_replace(Some(Statement { identity: now, claim }));
                    }
                    Err(error) => warn!(log = %options.log, %error, "the log's id is no UUID"),
                }
            }
            Err(status) if !away => {
                warn!(
                    projection = %options.schema, log = %options.log, error = %status,
                    "the log's owner does not say where it stands; following NATS alone"
                );
                away = true;
            }
            Err(_) => {}
        }
        lag.set(known.head_now().saturating_sub(*applied.borrow()) as f64);
    }
}
