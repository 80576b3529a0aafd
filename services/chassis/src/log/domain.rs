//! What a service brings to its log.

use crate::record::{LogEvent, StreamId};
use jiff::{Timestamp, civil::Date};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A service's aggregates: how they decide and how they fold. All of it pure and synchronous.
pub trait Domain: Send + Sync + Sized + 'static {
    /// Name of the log, for example "fund-grant".
    const LOG: &'static str;
    /// Hash or number of the folding code. Snapshots that carry another are not used: raise it whenever `apply`
    /// would fold old events to something else.
    const FOLD: &'static str;
    /// Number of the form in which [`LogEvent::also`] derives further states: raise it whenever it would give other states of old
    /// events. What is noted of these is then derived anew when the log is opened.
    const SUBJECTS: &'static str = "1";
    /// The log's events.
    type Event: LogEvent;
    /// The state of any of the service's aggregates, as one enum.
    type State: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The service's commands. Their JSON is kept with the answer, so personal data stands in them by reference only.
    type Command: Serialize + Clone + Send + Sync + 'static;

    /// Aggregates that the command is about. While one of them loads, later commands about it wait behind.
    fn targets(command: &Self::Command) -> Vec<StreamId>;

    /// Kind of the aggregate that this is the state of, as in its [`StreamId`].
    fn kind(state: &Self::State) -> &'static str;

    /// Decides a command on the states that `view` shows. Time, actor and rulebook come in the context.
    fn decide(
        &self,
        view: &View<'_, Self::State>,
        command: &Self::Command,
        context: &Context<'_>,
    ) -> Result<Decision<Self::Event>, Stop>;

    /// Folds an event into the state of this aggregate, which is absent before its first. A state keeps its kind.
    fn apply(state: &mut Option<Self::State>, of: StreamId, event: &Self::Event, meta: &Meta<'_>);

    /// Rough size of a state in memory, in bytes, for the cache's bound.
    fn weight(state: &Self::State) -> usize;

    /// Date of the decision, whose rulebook the procedure follows: when the act happened, but for history that is taken
    /// in now (domain.md section 1, rulebook).
    fn decided_on(_: &Self::Command, effective_on: Date, _today: Date) -> Date {
        effective_on
    }

    /// Version of the rulebook that a decision made on this date follows; an error says why there is none.
    fn rulebook(&self, on: Date) -> Result<&str, String>;

    /// Domain name in error details, for example "fund.concord".
    fn error_domain() -> &'static str {
        "concord"
    }
}

/// Attributes of an event that folding may need beside its data.
#[derive(Debug, Clone, Copy)]
pub struct Meta<'a> {
    /// Position in the log.
    pub position: u64,
    /// When it happened.
    pub effective_on: Date,
    /// Opaque id of the acting person.
    pub actor: &'a str,
    /// Organisation that the person acts for.
    pub actor_organisation: &'a str,
}

/// What the log knows when it decides.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The log's today, in Asia/Shanghai.
    pub today: Date,
    /// When the act happened: as the command says, else today.
    pub effective_on: Date,
    /// Opaque id of the acting person.
    pub actor: &'a str,
    /// Organisation that the person acts for.
    pub actor_organisation: &'a str,
    /// Number of the authority document 文号, where there is one.
    pub authority: Option<&'a str>,
    /// The head that the decision stands on.
    pub head: u64,
    /// Wall time of the decision: the `recorded_at` of its events.
    pub now: Timestamp,
    /// How far other logs have been taken in, as it was known when the batch was begun.
    pub followed: &'a [Followed],
}

impl Context<'_> {
    /// How far the log of this name has been taken in; `None` while nothing of it has been verified since the start.
    #[must_use]
    pub fn followed(&self, log: &str) -> Option<&Followed> {
        self.followed.iter().find(|followed| followed.log == log)
    }
}

/// How far another log has been taken in: at `verified_at` its owner stated the head `position`, and every command that the
/// events up to there mean has been answered by this log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Name of the other log.
    pub log: &'static str,
    /// Its generation, as it is followed.
    pub generation: u32,
    /// Head of it that its owner stated, and that has been taken in.
    pub position: u64,
    /// When its owner's PostgreSQL confirmed that head, by this machine's clock. What the other log recorded later may be
    /// missing here.
    pub verified_at: Timestamp,
    /// The other log's own today then: it may be a day further than this one, or play another clock.
    pub today: Date,
}

/// An accepted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<E> {
    /// What happened; empty where it holds already.
    pub events: Vec<E>,
    /// Version of the rulebook that the award's terms follow, where there is a contract.
    pub terms_rulebook: Option<String>,
    /// What the reply says beside the positions, by name, for example `attempt`. Stored with the answer.
    pub answer: BTreeMap<String, String>,
    /// When it happened, where the decision knows that better than the command: a reaction to another log's event. Never
    /// after today.
    pub effective_on: Option<Date>,
}

impl<E> Decision<E> {
    /// These events happened.
    #[must_use]
    pub fn events(events: Vec<E>) -> Self {
        Self { events, terms_rulebook: None, answer: BTreeMap::new(), effective_on: None }
    }

    /// It holds already: a repeat changes nothing.
    #[must_use]
    pub fn unchanged() -> Self {
        Self::events(Vec::new())
    }

    /// Adds a value to the reply.
    #[must_use]
    pub fn answering(mut self, name: &str, value: impl ToString) -> Self {
        self.answer.insert(name.to_owned(), value.to_string());
        self
    }

    /// Says when it happened.
    #[must_use]
    pub fn dated(mut self, effective_on: Date) -> Self {
        self.effective_on = Some(effective_on);
        self
    }

    /// Names the rulebook that the award's terms follow.
    #[must_use]
    pub fn under_terms(mut self, rulebook: &str) -> Self {
        self.terms_rulebook = Some(rulebook.to_owned());
        self
    }
}

/// Why a command was not decided, or not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The states under these ids must be loaded first.
    Need(Vec<Uuid>),
    /// Refused.
    Refused(Box<Refusal>),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// A refused command: every broken rule, the first being the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Refusal {
    /// How it is answered.
    pub kind: RefusalKind,
    /// Every broken rule, the weightiest first. Never empty.
    pub broken: Vec<Broken>,
    /// Version of the rulebook that the decision followed.
    pub rulebook: String,
    /// Version of the rulebook that the award's terms follow, once there is a contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_rulebook: Option<String>,
}

/// How a refusal is answered over gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// `INVALID_ARGUMENT`: the request cannot be right whatever the state, told per field.
    Malformed,
    /// `NOT_FOUND`.
    NotFound,
    /// `ALREADY_EXISTS`: the id is taken by something else.
    Taken,
    /// `FAILED_PRECONDITION`: a rule or the stage forbids it.
    Rule,
    /// `UNAVAILABLE`: what it would rest on in another log was not verified recently enough. The same request may be
    /// accepted a moment later.
    Unverified,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Broken {
    /// Stable code, for example `A02_ABOVE_APPROVED`. Rules of domain.md section 5 begin with their id.
    pub code: String,
    /// Field of the request that it is about; empty where it is about the state.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// A sentence: what is wrong, and what to do.
    pub message: String,
    /// The same in Chinese.
    pub message_zh: String,
    /// The facts that were weighed, by name.
    pub facts: BTreeMap<String, String>,
}

/// The states that a decision may look at: committed ones, overlaid with what this batch has decided so far.
pub struct View<'a, S> {
    lookup: &'a dyn Fn(StreamId) -> Lookup<'a, S>,
}

/// What a view knows of a state.
pub enum Lookup<'a, S> {
    /// Not in memory: it must be loaded first.
    Cold,
    /// There is no such state. The kind of another aggregate that has the same id, where there is one.
    Absent(Option<&'static str>),
    /// The state and its version.
    Present(&'a S, u64),
}

impl<'a, S> View<'a, S> {
    /// A view over `lookup`.
    #[must_use]
    pub fn new(lookup: &'a dyn Fn(StreamId) -> Lookup<'a, S>) -> Self {
        Self { lookup }
    }

    /// The state of this aggregate, `None` where there is none.
    ///
    /// # Errors
    /// [`Stop::Need`] where it is not in memory.
    pub fn get(&self, of: StreamId) -> Result<Option<&'a S>, Stop> {
        Ok(self.look(of)?.ok())
    }

    /// The state of this aggregate; where there is none, the kind of another that has its id, if any.
    ///
    /// # Errors
    /// [`Stop::Need`] where it is not in memory.
    pub fn look(&self, of: StreamId) -> Result<Result<&'a S, Option<&'static str>>, Stop> {
        match (self.lookup)(of) {
            Lookup::Cold => Err(Stop::Need(vec![of.id])),
            Lookup::Absent(held_by) => Ok(Err(held_by)),
            Lookup::Present(state, _) => Ok(Ok(state)),
        }
    }

    /// Loads several states at once: what is missing of them is needed together.
    ///
    /// # Errors
    /// [`Stop::Need`] with all those not in memory.
    pub fn prefetch(&self, all: impl IntoIterator<Item = StreamId>) -> Result<(), Stop> {
        let is_cold = |of: &StreamId| matches!((self.lookup)(*of), Lookup::Cold);
        let cold: Vec<Uuid> = all.into_iter().filter(is_cold).map(|of| of.id).collect();
        if cold.is_empty() { Ok(()) } else { Err(Stop::Need(cold)) }
    }

    /// Version of this aggregate: the number of events under its id, 0 where there is none.
    ///
    /// # Errors
    /// [`Stop::Need`] where it is not in memory.
    pub fn version(&self, of: StreamId) -> Result<u64, Stop> {
        match (self.lookup)(of) {
            Lookup::Cold => Err(Stop::Need(vec![of.id])),
            Lookup::Absent(_) => Ok(0),
            Lookup::Present(_, version) => Ok(version),
        }
    }
}
