//! The way into the log: commands, their answers, and reads of states.

use super::confirmed::Confirmed;
use super::domain::{Domain, Followed, Refusal};
use super::gate::{Cluster, Gate, Standstill};
use super::reader::{LogReader, StoreError};
use super::store::Stored;
use crate::record::StreamId;
use bytes::Bytes;
use concord_kernel::party::json_in_first_form;
use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

/// A command with all that travels beside it.
#[derive(Debug, Clone)]
pub struct Submission<C> {
    /// Chosen by the caller (AIP-155); stored with the answer.
    pub request_id: Uuid,
    /// Versions that the caller saw, by aggregate.
    pub expected: Vec<(StreamId, u64)>,
    /// When the act happened; `None`: today.
    pub effective_on: Option<Date>,
    /// Opaque id of the acting person.
    pub actor: String,
    /// Organisation that the person acts for.
    pub actor_organisation: String,
    /// Number of the authority document 文号.
    pub authority: Option<String>,
    /// Archive number 档号.
    pub archive_number: Option<String>,
    /// SHA-256 of the attachments, in hexadecimal.
    pub attachments: Vec<String>,
    /// Event that caused the command.
    pub causation_id: Option<String>,
    /// What ties the commands of one affair together.
    pub correlation_id: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The command itself.
    pub command: C,
}

/// A command of the service, or one that every log has.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order<C> {
    /// The service's own.
    Command(C),
    /// Move a played clock.
    AdvanceToday(Date),
}

/// The answer to an accepted command. A repeat gets the very same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the log.
    pub log: &'static str,
    /// Position of the first event; 0 where nothing changed.
    pub first_position: u64,
    /// Position of the last event; where nothing changed, the head it was decided at.
    pub last_position: u64,
    /// Version of the aggregate after the command.
    pub version: u64,
    /// RFC 6962 leaf hash of each event.
    pub leaf_hashes: Vec<[u8; 32]>,
    /// Version of the rulebook that the decision followed.
    pub rulebook: String,
    /// What the decision answered beside.
    pub answer: BTreeMap<String, String>,
}

impl Receipt {
    /// What the decision answered beside under this name; empty where it said nothing. It is stored with the answer, so a
    /// repeat gets the same.
    #[must_use]
    pub fn answered(&self, name: &str) -> &str {
        self.answer.get(name).map_or("", String::as_str)
    }
}

/// Why a command has no receipt.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommandError {
    /// The state or a rule forbids it.
    #[error("refused: {}", .0.broken.first().map_or("", |broken| broken.message.as_str()))]
    Refused(Box<Refusal>),
    /// The caller saw another version than there is.
    #[error("{aggregate} is at version {actual}, not {expected}: read it again, then decide again")]
    StaleVersion {
        /// The aggregate.
        aggregate: Uuid,
        /// Version that the caller named.
        expected: u64,
        /// Version that it has.
        actual: u64,
    },
    /// The request id belongs to an accepted command with another body.
    #[error("request id {0} was already used for another command: take a new id")]
    RequestIdReused(Uuid),
    /// The log could not take the command in time; it was not executed.
    #[error("the log is not available: {0}; nothing was done, try again with the same request_id")]
    Unavailable(String),
    /// The log must not be written; nothing was done.
    #[error("{0}")]
    NotWritten(Box<Standstill>),
    /// The command was being committed when time ran out.
    #[error("the outcome is unknown: retry with the same request_id {0}")]
    OutcomeUnknown(Uuid),
    /// Too much is waiting.
    #[error("too much is waiting at the log ({0}): slow down, and try again")]
    Exhausted(&'static str),
    /// A fault of ours.
    #[error("the service failed on this command: {0}")]
    Internal(String),
}

/// A state as it stood at a head.
#[derive(Debug, Clone)]
pub struct Seen<S> {
    /// The state; `None` where there is none.
    pub state: Option<S>,
    /// Number of events of its own stream.
    pub version: u64,
    /// Head that this reflects.
    pub head: u64,
}

/// What a command's body is, for its hash and for the record: enough to decide it again.
///
/// Commands that were stored before versions belonged to the body have none of them: a hash of that form is never the hash of
/// a body with `expected`, which stands there even where it is empty.
#[derive(Serialize)]
struct Body<'a, C> {
    command: &'a Order<C>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_on: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive_number: &'a Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    attachments: &'a [String],
    actor: &'a str,
    actor_organisation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Vec<(String, u64)>>,
}

/// A submission on its way to the writer, and through it. Boxed once: it is handed on many times.
pub(super) struct Pending<C> {
    pub(super) submission: Submission<Order<C>>,
    /// Its JSON, as it is kept with the answer.
    pub(super) body: Bytes,
    pub(super) body_hash: [u8; 32],
    /// Ticket and index are its place in the order of arrival. The writer gives out tickets.
    pub(super) ticket: u64,
    pub(super) index: usize,
    pub(super) phase: Arc<AtomicU8>,
    /// States that were loaded for it: they stay until it is decided, else two needs could evict each other for ever.
    pub(super) needed: Vec<Uuid>,
    /// What it would record cannot be folded.
    pub(super) spoils: bool,
}

impl<C: Serialize> Pending<C> {
    fn new(
        submission: Submission<Order<C>>,
        index: usize,
        phase: &Arc<AtomicU8>,
    ) -> Result<Self, serde_json::Error> {
        let body = body_of(&submission)?;
        let body_hash = Sha256::digest(&body).into();
        let phase = phase.clone();
        Ok(Self { submission, body, body_hash, ticket: 0, index, phase, needed: Vec::new(), spoils: false })
    }

    /// The stored answer of its request id, if it is a repeat of the same command.
    pub(super) fn first_answer(&self, stored: &Stored) -> Outcome {
        first_answer(&self.submission, Some(&self.body_hash), stored)
    }
}

/// Nobody has begun to commit it.
pub(super) const QUEUED: u8 = 0;
/// Its commit has begun: the caller can no longer take it back.
pub(super) const COMMITTING: u8 = 1;
/// The caller has given up before its commit began: it must not be executed.
pub(super) const ABANDONED: u8 = 2;

pub(super) type Outcome = Result<Receipt, CommandError>;

/// What reaches the writer.
pub(super) enum Mail<D: Domain> {
    /// Commands that are answered together.
    Commands {
        orders: Vec<Box<Pending<D::Command>>>,
        phase: Arc<AtomicU8>,
        /// Counts them as waiting until they are answered, whether or not the caller still listens.
        counted: Counted,
        reply: oneshot::Sender<Vec<Outcome>>,
    },
    /// A read of a state at the committed head.
    Read { of: StreamId, reply: oneshot::Sender<Result<Seen<D::State>, CommandError>> },
}

/// Bytes of commands that may wait at once, per log.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// A log that takes commands. Cheap to clone.
pub struct Log<D: Domain> {
    pub(super) mailbox: mpsc::Sender<Mail<D>>,
    pub(super) head: watch::Receiver<u64>,
    pub(super) confirmed: Arc<Confirmed>,
    pub(super) today: watch::Receiver<Option<Date>>,
    pub(super) waiting_bytes: Arc<AtomicUsize>,
    pub(super) reader: LogReader,
    pub(super) identity: Arc<super::store::Identity>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) gate: Gate,
    pub(super) domain: Arc<D>,
    pub(super) followed: Arc<watch::Sender<Arc<[Followed]>>>,
}

impl<D: Domain> Clone for Log<D> {
    fn clone(&self) -> Self {
        Self {
            mailbox: self.mailbox.clone(),
            head: self.head.clone(),
            confirmed: self.confirmed.clone(),
            today: self.today.clone(),
            waiting_bytes: self.waiting_bytes.clone(),
            reader: self.reader.clone(),
            identity: self.identity.clone(),
            cluster: self.cluster.clone(),
            gate: self.gate.clone(),
            domain: self.domain.clone(),
            followed: self.followed.clone(),
        }
    }
}

impl<D: Domain> Log<D> {
    /// Executes one command: decided, committed, and then answered.
    ///
    /// # Errors
    /// [`CommandError`]; after `patience` it is `Unavailable` or `OutcomeUnknown`.
    pub async fn execute(&self, submission: Submission<D::Command>, patience: Duration) -> Outcome {
        let request_id = submission.request_id;
        self.execute_chunk(vec![submission], patience)
            .await
            .pop()
            .unwrap_or(Err(CommandError::OutcomeUnknown(request_id)))
    }

    /// Executes commands in order, each accepted or refused by itself: one entry in the mailbox, one reply.
    pub async fn execute_chunk(
        &self,
        chunk: Vec<Submission<D::Command>>,
        patience: Duration,
    ) -> Vec<Outcome> {
        let orders = chunk.into_iter().map(|submission| submission.map(Order::Command)).collect();
        self.submit(orders, patience).await
    }

    /// The answer that this very command had, where it was accepted before. For the edge: a repeat gets its first
    /// answer even where a day has passed since and the edge would refuse it now.
    ///
    /// # Errors
    /// Where PostgreSQL cannot be asked, or the id belongs to another command.
    pub async fn recall(&self, submission: Submission<D::Command>) -> Result<Option<Receipt>, CommandError> {
        let submission = submission.map(Order::Command);
        let stored = self.reader.answer(submission.request_id, D::LOG).await.map_err(|error| {
            tracing::warn!(error = %crate::service::in_full(&error), "stored answers could not be read");
            CommandError::Unavailable("stored answers cannot be read just now".to_owned())
        })?;
        stored.map(|stored| first_answer(&submission, None, &stored)).transpose()
    }

    /// Who gave the accepted command with this request id; `None` where there is none.
    ///
    /// # Errors
    /// Where PostgreSQL cannot be asked.
    pub(crate) async fn actor_of(&self, request_id: Uuid) -> Result<Option<String>, StoreError> {
        self.reader.actor_of(request_id).await
    }

    /// Moves a played clock's today.
    ///
    /// # Errors
    /// As [`Log::execute`]; refused where the clock is the system's, or where the date lies before today.
    pub async fn advance_today(&self, submission: Submission<Date>, patience: Duration) -> Outcome {
        let request_id = submission.request_id;
        self.submit(vec![submission.map(Order::AdvanceToday)], patience)
            .await
            .pop()
            .unwrap_or(Err(CommandError::OutcomeUnknown(request_id)))
    }

    async fn submit(&self, chunk: Vec<Submission<Order<D::Command>>>, patience: Duration) -> Vec<Outcome> {
        let ids: Vec<Uuid> = chunk.iter().map(|submission| submission.request_id).collect();
        let every = |error: &dyn Fn(Uuid) -> CommandError| ids.iter().map(|id| Err(error(*id))).collect();
        let not_written = || self.gate.why().map(|why| CommandError::NotWritten(Box::new(why.clone())));
        if let Some(error) = not_written() {
            return every(&|_| error.clone());
        }
        let phase = Arc::new(AtomicU8::new(QUEUED));
        let mut orders = Vec::with_capacity(chunk.len());
        let mut bytes = 0;
        for (index, submission) in chunk.into_iter().enumerate() {
            match Pending::new(submission, index, &phase) {
                Ok(pending) => {
                    bytes += pending.body.len();
                    orders.push(Box::new(pending));
                }
                Err(error) => return every(&|_| CommandError::Internal(error.to_string())),
            }
        }
        let counted = match Counted::take(&self.waiting_bytes, bytes) {
            Some(counted) => counted,
            None => return every(&|_| CommandError::Exhausted("64 MiB of commands")),
        };
        let (reply, answer) = oneshot::channel();
        let work = async {
            let mail = Mail::Commands { orders, phase: phase.clone(), counted, reply };
            self.mailbox.send(mail).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(patience, work).await {
            Ok(Some(outcomes)) => outcomes,
            // The writer has gone, or the time is up. Whoever moves the phase first decides what is true.
            Ok(None) | Err(_) => {
                let taken_back =
                    phase.compare_exchange(QUEUED, ABANDONED, Ordering::AcqRel, Ordering::Acquire).is_ok();
                if taken_back {
                    let late = || CommandError::Unavailable("it did not answer in time".to_owned());
                    let error = not_written().unwrap_or_else(late);
                    every(&|_| error.clone())
                } else {
                    every(&CommandError::OutcomeUnknown)
                }
            }
        }
    }

    /// Shows a state, once the log has reached `min_position`.
    ///
    /// # Errors
    /// `Unavailable` where that takes longer than `patience`.
    pub async fn state(
        &self,
        of: StreamId,
        min_position: u64,
        patience: Duration,
    ) -> Result<Seen<D::State>, CommandError> {
        let work = async {
            crate::position::wait_for(&mut self.head.clone(), min_position, patience)
                .await
                .map_err(|late| CommandError::Unavailable(late.to_string()))?;
            let (reply, answer) = oneshot::channel();
            let gone = || CommandError::Unavailable("the log is shutting down".to_owned());
            self.mailbox.send(Mail::Read { of, reply }).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        };
        tokio::time::timeout(patience, work)
            .await
            .unwrap_or_else(|_| Err(CommandError::Unavailable("it did not answer in time".to_owned())))
    }

    /// The committed head, as it moves.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }

    /// How long ago PostgreSQL confirmed the head: what any replica had committed by then is at or before it. `None` where it has
    /// not yet. To be asked before the head.
    #[must_use]
    pub fn head_age(&self) -> Option<Duration> {
        self.confirmed.age()
    }

    /// The log's today, in Asia/Shanghai.
    #[must_use]
    pub fn today(&self) -> Date {
        self.today.borrow().unwrap_or_else(super::writer::system_today)
    }

    /// Moves when the log's today does; the system's clock turns without it. [`Log::today`] says what it is.
    #[must_use]
    pub fn todays(&self) -> watch::Receiver<Option<Date>> {
        self.today.clone()
    }

    /// How far other logs have been taken in, as it moves.
    #[must_use]
    pub fn followed(&self) -> watch::Receiver<Arc<[Followed]>> {
        self.followed.subscribe()
    }

    /// States how far another log has been taken in; decisions from now on may rest on it. Only to be told once every
    /// command that the events up to there mean has been answered: a decision would else rest on what it has not seen.
    pub fn has_taken_in(&self, followed: Followed) {
        self.followed.send_modify(|all| {
            let others = all.iter().filter(|known| known.log != followed.log).cloned();
            *all = others.chain([followed.clone()]).collect();
        });
    }

    /// Reads events by position.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        self.reader.clone()
    }

    /// Which log this is.
    #[must_use]
    pub fn identity(&self) -> &super::store::Identity {
        &self.identity
    }

    /// The PostgreSQL cluster that it was last written on, as it was when the log was opened.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Why it is not written; `None` while it is.
    #[must_use]
    pub fn standstill(&self) -> Option<&Standstill> {
        self.gate.why()
    }

    /// The service's domain.
    #[must_use]
    pub fn domain(&self) -> &D {
        &self.domain
    }
}

/// The body of a command as it is kept.
fn body_of<C: Serialize>(submission: &Submission<Order<C>>) -> Result<Bytes, serde_json::Error> {
    let expected = submission.expected.iter().map(|(of, version)| (of.to_string(), *version));
    written(submission, Some(expected.collect()))
}

fn written<C: Serialize>(
    submission: &Submission<Order<C>>,
    expected: Option<Vec<(String, u64)>>,
) -> Result<Bytes, serde_json::Error> {
    let body = serde_json::to_vec(&Body {
        command: &submission.command,
        effective_on: submission.effective_on,
        authority: &submission.authority,
        archive_number: &submission.archive_number,
        attachments: &submission.attachments,
        actor: &submission.actor,
        actor_organisation: &submission.actor_organisation,
        expected,
    })?;
    Ok(body.into())
}

/// The stored answer of a request id, for a repeat of the same command: its body has the stored hash, in the form that it was
/// stored with. Where the hash in the present form is at hand, it is given.
fn first_answer<C: Serialize>(
    submission: &Submission<Order<C>>,
    body_hash: Option<&[u8; 32]>,
    stored: &Stored,
) -> Outcome {
    let has_the_hash = |body: &[u8]| Sha256::digest(body).as_slice() == stored.body_hash;
    let is_it = match body_hash {
        Some(hash) => hash.as_slice() == stored.body_hash,
        None => body_of(submission).is_ok_and(|body| has_the_hash(&body)),
    };
    // Without the expected versions, and with the ids that `CN-USCI` gave.
    let was_it = || {
        let Ok(body) = written(submission, None) else { return false };
        let earlier = || json_in_first_form(std::str::from_utf8(&body).ok()?);
        has_the_hash(&body) || earlier().is_some_and(|earlier| has_the_hash(earlier.as_bytes()))
    };
    if !is_it && !was_it() {
        return Err(CommandError::RequestIdReused(submission.request_id));
    }
    stored
        .receipt
        .clone()
        .map_err(|why| CommandError::Internal(format!("its stored answer cannot be read: {why}")))
}

impl<C> Submission<C> {
    fn map<T>(self, to: impl FnOnce(C) -> T) -> Submission<T> {
        Submission {
            request_id: self.request_id,
            expected: self.expected,
            effective_on: self.effective_on,
            actor: self.actor,
            actor_organisation: self.actor_organisation,
            authority: self.authority,
            archive_number: self.archive_number,
            attachments: self.attachments,
            causation_id: self.causation_id,
            correlation_id: self.correlation_id,
            traceparent: self.traceparent,
            command: to(self.command),
        }
    }
}

/// Bytes counted as waiting, until dropped.
pub(super) struct Counted {
    counter: Arc<AtomicUsize>,
    bytes: usize,
}

impl Counted {
    fn take(counter: &Arc<AtomicUsize>, bytes: usize) -> Option<Self> {
        let before = counter.fetch_add(bytes, Ordering::AcqRel);
        let counted = Self { counter: counter.clone(), bytes };
        (before + bytes <= WAITING_BYTES_MAX).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counter.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}
