//! A process manager: it follows another service's log and turns its events into commands of the own log.
//!
//! ```text
//! events of the other log ─▶ react ─▶ commands of the own log ─▶ deadlines + checkpoint ─▶ "taken in up to here"
//!                                      │ refused: an outcome, told and counted     │
//!                                      └ no answer: the same again, and nothing later goes before it
//! deadlines ─ the own log's today has passed one ─▶ elapsed ─▶ command
//! ```
//!
//! It is a [`Projection`] whose rows are deadlines, and whose commands are answered before its checkpoint moves. An event
//! that comes again gives the same request ids, and the log answers them as before. So it may be stopped anywhere.
//!
//! | what happens | what becomes of it |
//! |---|---|
//! | a command is refused that may be | that is its outcome: a warning, a count, and on it goes |
//! | another one is refused | it is tried again until it is not; the other log is then no longer verified |
//! | its request id was taken by somebody else | it stops and says so |
//! | the own log does not answer | the command waits, and all that is later about the same aggregate behind it |
//! | an event cannot be read, or a command fails inside | it stops and says so; the other log is then no longer verified |
//!
//! Only once the commands are answered does the own log learn how far the other one was taken in
//! ([`Log::has_taken_in`]): a decision that rests on it has seen what those commands did.

mod deadlines;

use crate::log::{CommandError, Domain, Followed, Log, Receipt, Refusal, Submission};
use crate::projection::{self, Applied, ApplyError, Projection, ProjectionOptions, Runner};
use crate::record::LogEvent;
use deadlines::Moves;
use jiff::civil::Date;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, warn};
use uuid::Uuid;

/// How long one try of a command may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// First and longest pause before a command without an answer is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Commands handed to the log together.
const CHUNK: usize = 256;

/// How a service reacts to another one's log. Pure: what it answers depends on the event alone.
pub trait ProcessManager: Send + Sync + 'static {
    /// Its name, for example `backing`. It acts as `process:<name>`, and its request ids are made of the name, so that two
    /// managers may react to the same event.
    const NAME: &'static str;
    /// Version of its deadlines, as [`Projection::VERSION`].
    const VERSION: u32;
    /// Name of the log that it follows.
    const FOLLOWS: &'static str;
    /// The events of that log.
    type Event: LogEvent;
    /// Who decides the commands.
    type Domain: Domain;

    /// What the event means here, at most one reaction for each aggregate.
    fn react(&self, cause: &Cause, event: &Self::Event) -> Vec<Reaction<<Self::Domain as Domain>::Command>>;

    /// Whether a refusal of this command is its outcome, so that what comes later goes on. Where it is not, the command is tried
    /// again and all that is later waits: nobody may rest on the other log before.
    fn may_be_refused(&self, command: &<Self::Domain as Domain>::Command, refusal: &Refusal) -> bool;

    /// What it means that `last_day` has passed for this aggregate with nobody acting.
    fn elapsed(&self, target: Uuid, last_day: Date) -> <Self::Domain as Domain>::Command;
}

/// Where an event stands in the log that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The event's own id.
    pub event: Uuid,
    /// Generation of the log as it is followed. After a recovery positions are used again in the next one, and what the log
    /// kept of earlier ones is taken in anew: of what it lost nothing remains.
    pub generation: u32,
    /// Its position.
    pub position: u64,
    /// When it happened.
    pub effective_on: Date,
}

/// What an event means for one aggregate of the own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction<C> {
    /// The aggregate; with event and manager it makes the request id.
    pub target: Uuid,
    /// The command.
    pub command: C,
    /// What becomes of the aggregate's deadline.
    pub deadline: Deadline,
}

/// The day after which something happens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// As it was.
    Stays,
    /// The last day before it.
    Last(Date),
    /// There is none any more.
    Lifted,
}

/// A process manager at work. Its shutdown token ends it.
#[derive(Debug)]
pub struct Following {
    runner: Runner,
    _tells: AbortOnDropHandle<()>,
    clock: JoinHandle<()>,
}

impl Following {
    /// The projection that it is: applied position, the other log's head, and why it stopped where it did.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Waits until it has ended, after its shutdown token was cancelled.
    pub async fn join(self) {
        self.runner.join().await;
        if let Err(error) = self.clock.await {
            error!(%error, "the clock of a process manager ended abnormally");
        }
    }
}

/// PostgreSQL schema of a manager's deadlines, for example `fund_grant_agreement_v2`. A later generation of the other log is
/// another history, and is taken in anew.
#[must_use]
pub fn schema_name<M: ProcessManager>(generation: u32) -> String {
    let (own, other) = (M::Domain::LOG.replace('-', "_"), M::FOLLOWS.replace('-', "_"));
    let schema = format!("{own}_{other}_v{}", M::VERSION);
    if generation <= 1 { schema } else { format!("{schema}_g{generation}") }
}

/// Starts a process manager: `manager` reacts to the log that `owner` serves with commands to `log`.
///
/// `pool` is the own log's database; the deadlines are kept there, in a schema of their own.
#[must_use]
pub fn spawn<M: ProcessManager>(
    manager: M,
    log: Log<M::Domain>,
    pool: deadpool_postgres::Pool,
    owner: tonic::transport::Channel,
    nats: async_nats::Client,
    options: ProjectionOptions,
    shutdown: CancellationToken,
) -> Following {
    metrics::describe_counter!(
        "concord_process_commands_total",
        "Commands that a process manager gave to its log, by what became of them."
    );
    let reactor = std::sync::Arc::new(Reactor { manager, log: log.clone() });
    let schema = options.schema.clone();
    let follower = Follower { reactor: reactor.clone(), generation: 1 };
    let runner = projection::spawn(follower, pool.clone(), owner, nats, options, shutdown.clone());
    let tells = tokio::spawn(tell::<M>(runner.verified(), log));
    let clock = tokio::spawn(deadlines::watch(reactor, pool, schema, runner.applied(), shutdown));
    Following { runner, _tells: AbortOnDropHandle::new(tells), clock }
}

/// Passes on how far the other log has been taken in.
async fn tell<M: ProcessManager>(
    mut verified: watch::Receiver<Option<projection::Verified>>,
    log: Log<M::Domain>,
) {
    while verified.changed().await.is_ok() {
        if let Some(verified) = *verified.borrow_and_update() {
            let projection::Verified { generation, position, at: verified_at, today } = verified;
            log.has_taken_in(Followed { log: M::FOLLOWS, generation, position, verified_at, today });
        }
    }
}

/// Gives commands to the log until they are answered.
struct Reactor<M: ProcessManager> {
    manager: M,
    log: Log<M::Domain>,
}

/// A command on its way, and the aggregate before whose later ones it must be answered.
struct Due<C> {
    target: Uuid,
    /// What its request ids are made of: the event that caused it, and which of its commands it is.
    named: (Uuid, String),
    submission: Submission<C>,
}

impl<C: Clone> Due<C> {
    /// The command under the first of its request ids, or under a later one: who knows the event can tell the id, and give a
    /// command of their own under it. That must not stand in the way.
    fn in_turn(&self, turn: u32) -> Submission<C> {
        let mut submission = self.submission.clone();
        if turn > 0 {
            let (cause, name) = &self.named;
            submission.request_id = Uuid::new_v5(cause, format!("{name} #{turn}").as_bytes());
        }
        submission
    }
}

type Command<M> = <<M as ProcessManager>::Domain as Domain>::Command;

impl<M: ProcessManager> Reactor<M> {
    /// `rule` names the request id within `cause`: the same again is the same request. What is taken in anew in a later
    /// generation is another one: its answer depends on what that generation has lost.
    fn due(
        &self,
        (cause, generation): (Uuid, u32),
        rule: &str,
        target: Uuid,
        command: Command<M>,
    ) -> Due<Command<M>> {
        let name = M::NAME;
        let anew = if generation <= 1 { String::new() } else { format!(" in generation {generation}") };
        let named = (cause, format!("{name} {rule} {target}{anew}"));
        let submission = Submission {
            request_id: Uuid::new_v5(&cause, named.1.as_bytes()),
            expected: Vec::new(),
            // The decision knows the lifecycle's last day, and the cause's own is a field of the command. Without a date the
            // command has the same body tomorrow.
            effective_on: None,
            actor: format!("process:{name}"),
            actor_organisation: format!("process:{name}"),
            authority: None,
            archive_number: None,
            attachments: Vec::new(),
            causation_id: None,
            correlation_id: None,
            traceparent: None,
            command,
        };
        Due { target, named, submission }
    }

    /// Has every command answered, those about one aggregate in their order. What failed, by aggregate: nothing later about it
    /// was given.
    async fn answer_all(&self, due: &[Due<Command<M>>]) -> BTreeMap<Uuid, Failure> {
        let mut failed = BTreeMap::new();
        let mut waiting: Vec<_> = due.iter().collect();
        while !waiting.is_empty() {
            // One command of each aggregate at a time: were the first to fail where the second does not, they would change
            // places.
            let mut begun = HashSet::new();
            let (round, later): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|due| begun.insert(due.target));
            for chunk in round.chunks(CHUNK) {
                failed.extend(self.answer(chunk.to_vec()).await);
            }
            waiting = later;
            waiting.retain(|due| !failed.contains_key(&due.target));
        }
        failed
    }

    /// Has commands about different aggregates answered, however long the log takes.
    async fn answer(&self, chunk: Vec<&Due<Command<M>>>) -> Vec<(Uuid, Failure)> {
        let mut pause = RETRY.0;
        let mut failed = Vec::new();
        // Each with the number of its request ids that others took.
        let mut chunk: Vec<_> = chunk.into_iter().map(|due| (due, 0)).collect();
        while !chunk.is_empty() {
            let given: Vec<_> = chunk.iter().map(|(due, turn)| due.in_turn(*turn)).collect();
            let outcomes = self.log.execute_chunk(given.clone(), PATIENCE).await;
            let mut again = Vec::new();
            let mut why = None;
            for (((due, turn), given), outcome) in chunk.into_iter().zip(&given).zip(outcomes) {
                match self.weigh(given, outcome).await {
                    Weighed::Done => {}
                    Weighed::Failed(failure) => failed.push((due.target, failure)),
                    Weighed::Taken => again.push((due, turn + 1)),
                    Weighed::Again(error) => {
                        why = Some(error);
                        again.push((due, turn));
                    }
                }
            }
            chunk = again;
            let Some(error) = why else { continue };
            count::<M>("delayed");
            warn!(process = M::NAME, waiting = chunk.len(), %error, "reactions to another log wait for the own one");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
        failed
    }

    /// What an answer means.
    async fn weigh(
        &self,
        submission: &Submission<Command<M>>,
        outcome: Result<Receipt, CommandError>,
    ) -> Weighed {
        let told = |what: &dyn std::fmt::Display| {
            format!("request {} of process {}: {what}", submission.request_id, M::NAME)
        };
        match outcome {
            Ok(_) => count::<M>("accepted"),
            Err(error @ CommandError::Refused(_)) if !self.refusal_is_an_outcome(submission, &error) => {
                return Weighed::Failed(Failure::Refused(told(&error)));
            }
            Err(CommandError::Refused(_)) => {}
            Err(error @ CommandError::RequestIdReused(id)) => match self.log.actor_of(id).await {
                // It was accepted with the body that an earlier version of the service gave it.
                Ok(Some(actor)) if actor == submission.actor => {
                    count::<M>("accepted");
                    warn!(process = M::NAME, request.id = %id, "a reaction was accepted before, with another content");
                }
                // What that one asked for is not what the event means. Nobody else acts under the name of a process.
                Ok(Some(actor)) => {
                    count::<M>("renamed");
                    warn!(
                        process = M::NAME, request.id = %id, actor,
                        "somebody gave a command under the request id of a reaction, which takes the next one"
                    );
                    return Weighed::Taken;
                }
                Ok(None) => return Weighed::Again(error),
                Err(unread) => return Weighed::Again(CommandError::Unavailable(unread.to_string())),
            },
            Err(
                error @ (CommandError::Unavailable(_)
                | CommandError::NotWritten(_)
                | CommandError::OutcomeUnknown(_)
                | CommandError::Exhausted(_)),
            ) => return Weighed::Again(error),
            Err(error @ (CommandError::Internal(_) | CommandError::StaleVersion { .. })) => {
                return Weighed::Failed(Failure::Broken(told(&error)));
            }
        }
        Weighed::Done
    }

    /// Tells and counts a refusal; whether the event is answered with it.
    fn refusal_is_an_outcome(&self, submission: &Submission<Command<M>>, error: &CommandError) -> bool {
        let CommandError::Refused(refusal) = error else { return false };
        count::<M>("refused");
        let broken = refusal.broken.first();
        warn!(
            process = M::NAME, request.id = %submission.request_id,
            causation = submission.causation_id, reason = broken.map(|broken| broken.code.as_str()),
            message = broken.map(|broken| broken.message.as_str()),
            "a reaction to another log was refused"
        );
        self.manager.may_be_refused(&submission.command, refusal)
    }
}

/// What is to be done about an answer.
enum Weighed {
    Done,
    /// There was none: the same again.
    Again(CommandError),
    /// Its request id is another command's: the same under its next one.
    Taken,
    Failed(Failure),
}

/// Why a command has not become what it must.
#[derive(Debug)]
enum Failure {
    /// Refused, which it may not be. It may be accepted later.
    Refused(String),
    /// It will never be otherwise.
    Broken(String),
}

fn count<M: ProcessManager>(outcome: &'static str) {
    metrics::counter!("concord_process_commands_total", "process" => M::NAME, "outcome" => outcome)
        .increment(1);
}

/// The projection that a process manager is.
struct Follower<M: ProcessManager> {
    reactor: std::sync::Arc<Reactor<M>>,
    generation: u32,
}

impl<M: ProcessManager> Projection for Follower<M> {
    const NAME: &'static str = M::NAME;
    const VERSION: u32 = M::VERSION;
    type Event = M::Event;

    fn schema(&self) -> &'static str {
        deadlines::SCHEMA
    }

    async fn precede(&mut self, batch: &[Applied<'_, M::Event>]) -> Result<(), ApplyError> {
        let mut due = Vec::new();
        for applied in batch {
            let cause = self.cause(applied);
            for reaction in self.reactor.manager.react(&cause, &applied.event) {
                let mut next = self.reactor.due(
                    (cause.event, cause.generation),
                    "reaction",
                    reaction.target,
                    reaction.command,
                );
                let envelope = &applied.envelope;
                next.submission.causation_id = Some(cause.event.to_string());
                next.submission.correlation_id = envelope.correlationid.as_deref().map(ToOwned::to_owned);
                next.submission.traceparent = envelope.traceparent.as_deref().map(ToOwned::to_owned);
                due.push(next);
            }
        }
        let mut pause = RETRY.0;
        loop {
            let failed = self.reactor.answer_all(&due).await;
            let broken = failed.values().find_map(|failure| match failure {
                Failure::Broken(reason) => Some(reason.clone()),
                Failure::Refused(_) => None,
            });
            if let Some(reason) = broken {
                return Err(ApplyError::Broken(reason));
            }
            let Some(Failure::Refused(reason)) = failed.into_values().next() else {
                return Ok(());
            };
            // Going on would call the other log verified, where what it said is not known here.
            error!(
                process = M::NAME,
                reason, "a reaction may not be refused: the other log waits for it, unverified"
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }

    async fn apply(
        &mut self,
        tx: &deadpool_postgres::Transaction<'_>,
        batch: &[Applied<'_, M::Event>],
    ) -> Result<(), ApplyError> {
        let mut moves = Moves::default();
        for applied in batch {
            for reaction in self.reactor.manager.react(&self.cause(applied), &applied.event) {
                moves.take(reaction.target, reaction.deadline);
            }
        }
        Ok(moves.write(tx).await?)
    }

    fn follows(&mut self, generation: u32) {
        self.generation = generation;
    }

    fn reset(&mut self) {}
}

impl<M: ProcessManager> Follower<M> {
    fn cause<E>(&self, applied: &Applied<'_, E>) -> Cause {
        let envelope = &applied.envelope;
        Cause {
            event: envelope.id,
            generation: self.generation,
            position: envelope.position,
            effective_on: envelope.effectiveon,
        }
    }
}
