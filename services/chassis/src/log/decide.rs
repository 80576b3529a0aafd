//! One batch in the making: commands decided in order, each on the state that the ones before it leave.

use super::cache::{Cache, Entry};
use super::domain::{
    Broken, Context, Decision, Domain, Followed, Lookup, Meta, Refusal, RefusalKind, Stop, View,
};
use super::handle::{CommandError, Order, Outcome, Pending, Receipt, Submission};
use super::index::{Changes, Index, OWN_STREAM};
use super::loader::{self, Fault, Streams};
use crate::record::{self, Envelope, LogEvent, Recorded, StreamId, leaf_hash};
use jiff::civil::Date;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use uuid::Uuid;

/// Stored bytes of one event at most: JetStream refuses a message of 1 MiB, and a reader must be able to plan.
pub(super) const EVENT_BYTES_MAX: usize = 256 << 10;

/// An event that will be in the log once the batch is.
pub(super) struct Fresh<E> {
    pub(super) recorded: Recorded,
    pub(super) event: E,
    pub(super) version: u64,
    /// The aggregates that it is applied to.
    pub(super) streams: Streams,
}

/// What a batch is decided on: the committed states, and what does not change.
pub(super) struct Ground<'a, D: Domain> {
    pub(super) domain: &'a D,
    pub(super) cache: &'a Cache<D::State>,
    pub(super) index: &'a Index,
    pub(super) source: &'a str,
    pub(super) played_from: Option<Date>,
    /// How far other logs have been taken in.
    pub(super) followed: &'a [Followed],
}

/// What became of a command that was offered to the batch.
pub(super) enum Step<C> {
    /// It is in the batch, or joins its twin there.
    Taken,
    /// These states are not in memory.
    Needs(Box<Pending<C>>, Vec<Uuid>),
    /// Folding its events failed half-way: the batch is worthless, and is to be decided again.
    Spoiled(Box<Pending<C>>),
}

/// What a command comes to, if the batch commits.
pub(super) enum Verdict {
    /// Accepted; its answer is stored with its events.
    Accepted(Receipt),
    /// Refused.
    Rejected(CommandError),
    /// Answered before.
    Recalled(Outcome),
}

/// A decided command.
pub(super) struct Decided<D: Domain> {
    pub(super) pending: Box<Pending<D::Command>>,
    pub(super) verdict: Verdict,
    pub(super) events: Vec<Fresh<D::Event>>,
}

/// Commands decided on the head and on each other.
pub(super) struct Batch<D: Domain> {
    /// Head that it stands on.
    pub(super) head: u64,
    pub(super) decided: Vec<Decided<D>>,
    /// States as the batch leaves them.
    pub(super) overlay: HashMap<Uuid, Entry<D::State>>,
    /// What it changes of the log's index.
    pub(super) changes: Changes,
    /// Repeats of a command that is in this batch: they get its answer.
    pub(super) joined: HashMap<Uuid, Vec<Box<Pending<D::Command>>>>,
    /// Stored bytes so far.
    pub(super) bytes: usize,
    body_hashes: HashMap<Uuid, [u8; 32]>,
    next_position: u64,
    recorded_at: jiff::Timestamp,
}

/// What one command's decision leaves to be written.
struct Accepted<E> {
    decision: Decision<E>,
    rulebook: String,
    effective_on: Date,
}

impl<D: Domain> Batch<D> {
    pub(super) fn new(head: u64, index: &Index) -> Self {
        // A clock that was stepped back must not make the log's times go back.
        let recorded_at_us = jiff::Timestamp::now().as_microsecond().max(index.recorded_at_us);
        Self {
            head,
            decided: Vec::new(),
            overlay: HashMap::new(),
            changes: Changes::on(index, recorded_at_us),
            joined: HashMap::new(),
            bytes: 0,
            body_hashes: HashMap::new(),
            next_position: head + 1,
            recorded_at: jiff::Timestamp::from_microsecond(recorded_at_us).unwrap_or_default(),
        }
    }

    /// Decides one command. Gives it back with the states it needs where they are not in memory.
    pub(super) fn decide(
        &mut self,
        ground: &Ground<'_, D>,
        pending: Box<Pending<D::Command>>,
    ) -> Step<D::Command> {
        let request_id = pending.submission.request_id;
        if let Some(body_hash) = self.body_hashes.get(&request_id) {
            if *body_hash == pending.body_hash {
                self.joined.entry(request_id).or_default().push(pending);
            } else {
                self.reject(pending, CommandError::RequestIdReused(request_id));
            }
            return Step::Taken;
        }
        let accepted = match self.weigh(ground, &pending) {
            Ok(accepted) => accepted,
            Err(Halt::Need(ids)) => return Step::Needs(pending, ids),
            Err(Halt::Error(error)) => {
                self.body_hashes.insert(request_id, pending.body_hash);
                self.reject(pending, error);
                return Step::Taken;
            }
        };
        let streams: Vec<Streams> = accepted.decision.events.iter().map(Streams::of).collect();
        let cold: Vec<Uuid> = streams
            .iter()
            .flat_map(Streams::ids)
            .filter(|id| !self.overlay.contains_key(id) && ground.cache.peek(*id).is_none())
            .collect();
        if !cold.is_empty() {
            return Step::Needs(pending, cold);
        }
        self.body_hashes.insert(request_id, pending.body_hash);
        self.write(ground, pending, accepted, streams)
    }

    fn reject(&mut self, pending: Box<Pending<D::Command>>, error: CommandError) {
        self.decided.push(Decided { pending, verdict: Verdict::Rejected(error), events: Vec::new() });
    }

    fn weigh(
        &self,
        ground: &Ground<'_, D>,
        pending: &Pending<D::Command>,
    ) -> Result<Accepted<D::Event>, Halt> {
        let submission = &pending.submission;
        let domain = ground.domain;
        let today = self.changes.today.or(ground.played_from).unwrap_or_else(super::writer::system_today);
        let lookup = |of: StreamId| look::<D>(&self.overlay, ground.cache, of);
        let view = View::new(&lookup);
        if pending.spoils {
            return Err(Halt::Error(CommandError::Internal(
                "what it would record cannot be folded; this is recorded".to_owned(),
            )));
        }
        let command = match &submission.command {
            Order::Command(command) => command,
            Order::AdvanceToday(to) => return advance_today(ground.played_from, today, *to),
        };
        // Of what is not there nobody can have seen a version; but that it is not there is the better answer.
        let mut unseen = None;
        for (aggregate, expected) in &submission.expected {
            let (aggregate, expected) = (*aggregate, *expected);
            let actual = view.version(aggregate).map_err(Halt::from)?;
            if actual != expected {
                let stale =
                    Halt::Error(CommandError::StaleVersion { aggregate: aggregate.id, expected, actual });
                if actual != 0 {
                    return Err(stale);
                }
                unseen = Some(stale);
            }
        }
        let effective_on = submission.effective_on.unwrap_or(today);
        let decided_on = D::decided_on(command, effective_on, today);
        let rulebook = domain.rulebook(decided_on).map_err(|why| no_rulebook(why, decided_on))?;
        let context = Context {
            today,
            effective_on,
            actor: &submission.actor,
            actor_organisation: &submission.actor_organisation,
            authority: submission.authority.as_deref(),
            head: self.next_position - 1,
            now: self.recorded_at,
            followed: ground.followed,
        };
        // A fault in deciding one command must not take its neighbours down: nothing has been changed yet.
        let decided = std::panic::catch_unwind(AssertUnwindSafe(|| domain.decide(&view, command, &context)));
        match decided {
            Ok(Ok(decision)) => match unseen {
                Some(stale) => Err(stale),
                None => {
                    let effective_on = decision.effective_on.unwrap_or(effective_on);
                    Ok(Accepted { decision, rulebook: rulebook.to_owned(), effective_on })
                }
            },
            // It would wait for nothing, for ever.
            Ok(Err(Stop::Need(ids))) if ids.is_empty() => {
                Err(Halt::Error(CommandError::Internal("it needs states but names none".to_owned())))
            }
            Ok(Err(stop)) => Err(stop.into()),
            Err(_) => {
                Err(Halt::Error(CommandError::Internal("deciding it failed; this is recorded".to_owned())))
            }
        }
    }

    /// Writes the events' bytes and applies them to the overlay.
    fn write(
        &mut self,
        ground: &Ground<'_, D>,
        mut pending: Box<Pending<D::Command>>,
        accepted: Accepted<D::Event>,
        streams: Vec<Streams>,
    ) -> Step<D::Command> {
        let Accepted { decision, rulebook, effective_on } = accepted;
        let last = self.next_position + decision.events.len() as u64 - 1;
        let mut fresh: Vec<Fresh<D::Event>> = Vec::with_capacity(decision.events.len());
        for (event, streams) in decision.events.into_iter().zip(streams) {
            let stream = streams.own.id;
            let name = event.type_name();
            let own = fresh.iter().filter(|earlier| earlier.streams.own.id == stream).count();
            let twin = fresh.iter().rev().find(|earlier| earlier.event.type_name() == name);
            let version = self.version(ground, stream) + own as u64 + 1;
            let position = self.next_position + fresh.len() as u64;
            let stamp = Stamp {
                first: self.next_position,
                last,
                answer: if position == last { &decision.answer } else { &NO_ANSWER },
                source: ground.source,
                rulebook: &rulebook,
                terms: decision.terms_rulebook.as_deref(),
                effective_on,
                position,
                version,
                previous: twin.map_or_else(
                    || self.changes.last_of_type(ground.index, name),
                    |twin| twin.recorded.position,
                ),
            };
            match self.document(&stamp, &pending, streams.own, &event) {
                Ok(recorded) => fresh.push(Fresh { recorded, event, version, streams }),
                // Nothing has been changed yet.
                Err(error) => {
                    self.reject(pending, error);
                    return Step::Taken;
                }
            }
        }
        for fresh in &fresh {
            if let Err(fault) = self.apply(ground.cache, &pending.submission, fresh, effective_on) {
                tracing::error!(%fault, "a command would record what cannot be folded; it fails");
                pending.spoils = true;
                return Step::Spoiled(pending);
            }
            self.bytes += fresh.recorded.bytes.len();
        }
        self.bytes += pending.body.len();
        self.next_position += fresh.len() as u64;
        let first_position = fresh.first().map_or(0, |first| first.recorded.position);
        let aggregate = fresh
            .first()
            .map(|first| first.streams.own.id)
            .or_else(|| targets::<D>(&pending.submission.command).first().map(|of| of.id))
            .unwrap_or(OWN_STREAM);
        let receipt = Receipt {
            log: D::LOG,
            first_position,
            last_position: self.next_position - 1,
            version: self.version(ground, aggregate),
            leaf_hashes: fresh.iter().map(|fresh| leaf_hash(&fresh.recorded.bytes)).collect(),
            rulebook,
            answer: decision.answer,
        };
        self.decided.push(Decided { pending, verdict: Verdict::Accepted(receipt), events: fresh });
        Step::Taken
    }

    fn version(&self, ground: &Ground<'_, D>, id: Uuid) -> u64 {
        if id == OWN_STREAM {
            return self.changes.own_version;
        }
        self.overlay.get(&id).or_else(|| ground.cache.peek(id)).map_or(0, |entry| entry.version)
    }

    fn document(
        &self,
        stamp: &Stamp<'_>,
        pending: &Pending<D::Command>,
        own: StreamId,
        event: &D::Event,
    ) -> Result<Recorded, CommandError> {
        let submission = &pending.submission;
        let attachments = submission.attachments.join(" ");
        let unwritable = |error: &dyn std::fmt::Display| {
            CommandError::Internal(format!("its event cannot be written: {error}"))
        };
        // In place: `hex::encode` goes through an iterator of characters, and this is done for every event.
        let mut body_hash = [0; 64];
        hex::encode_to_slice(pending.body_hash, &mut body_hash).map_err(|error| unwritable(&error))?;
        let envelope = Envelope {
            specversion: "1.0".into(),
            id: Uuid::now_v7(),
            source: stamp.source.into(),
            event_type: event.type_name().into(),
            subject: own.to_string().into(),
            time: self.recorded_at,
            datacontenttype: "application/json".into(),
            position: stamp.position,
            version: stamp.version,
            previousoftype: stamp.previous,
            effectiveon: stamp.effective_on,
            rulebook: stamp.rulebook.into(),
            termsrulebook: stamp.terms.map(Cow::from),
            actor: (&submission.actor).into(),
            actororg: (&submission.actor_organisation).into(),
            assurance: "asserted".into(),
            requestid: submission.request_id,
            bodyhash: String::from_utf8_lossy(&body_hash),
            commandlast: (stamp.last > stamp.first).then(|| stamp.last.to_string().into()),
            answer: stamp.answer()?.map(Cow::from),
            authority: submission.authority.as_deref().map(Cow::from),
            archivenumber: submission.archive_number.as_deref().map(Cow::from),
            attachments: (!attachments.is_empty()).then(|| attachments.into()),
            causationid: submission.causation_id.as_deref().map(Cow::from),
            correlationid: submission.correlation_id.as_deref().map(Cow::from),
            traceparent: submission.traceparent.as_deref().map(Cow::from),
        };
        let bytes = record::write(&envelope, event).map_err(|error| unwritable(&error))?;
        if bytes.len() > EVENT_BYTES_MAX {
            return Err(too_large(bytes.len(), stamp.rulebook));
        }
        Ok(Recorded { position: stamp.position, bytes })
    }

    fn apply(
        &mut self,
        cache: &Cache<D::State>,
        submission: &Submission<Order<D::Command>>,
        fresh: &Fresh<D::Event>,
        effective_on: Date,
    ) -> Result<(), Fault> {
        let Fresh { recorded, event, streams, .. } = fresh;
        let meta = Meta {
            position: recorded.position,
            effective_on,
            actor: &submission.actor,
            actor_organisation: &submission.actor_organisation,
        };
        self.changes.note(event.type_name(), recorded.position, event.advances_today());
        for id in streams.ids() {
            let entry = self
                .overlay
                .entry(id)
                .or_insert_with(|| cache.peek(id).cloned().unwrap_or_else(Entry::absent));
            loader::fold::<D>(entry, id, streams, event, &meta)?;
        }
        Ok(())
    }
}

/// What is said of a reply that says nothing beside the positions.
static NO_ANSWER: BTreeMap<String, String> = BTreeMap::new();

/// What the log gives to one event.
struct Stamp<'a> {
    /// Positions of the command's first and last event.
    first: u64,
    last: u64,
    /// What the reply says beside the positions; empty but for the command's last event.
    answer: &'a BTreeMap<String, String>,
    source: &'a str,
    rulebook: &'a str,
    terms: Option<&'a str>,
    effective_on: Date,
    position: u64,
    version: u64,
    previous: u64,
}

impl Stamp<'_> {
    fn answer(&self) -> Result<Option<String>, CommandError> {
        if self.answer.is_empty() {
            return Ok(None);
        }
        serde_json::to_string(self.answer)
            .map(Some)
            .map_err(|error| CommandError::Internal(format!("its answer cannot be written: {error}")))
    }
}

/// Why weighing a command ended early.
enum Halt {
    Need(Vec<Uuid>),
    Error(CommandError),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Need(ids) => Self::Need(ids),
            Stop::Refused(refusal) => Self::Error(CommandError::Refused(refusal)),
        }
    }
}

impl Halt {
    fn refused<const N: usize>(
        code: &str,
        field: &str,
        message: String,
        message_zh: String,
        facts: [(&str, String); N],
    ) -> Self {
        let facts: BTreeMap<String, String> =
            facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self::Error(CommandError::Refused(Box::new(Refusal {
            kind: RefusalKind::Rule,
            broken: vec![Broken {
                code: code.to_owned(),
                field: field.to_owned(),
                message,
                message_zh,
                facts,
            }],
            rulebook: String::new(),
            terms_rulebook: None,
        })))
    }
}

fn too_large(bytes: usize, rulebook: &str) -> CommandError {
    CommandError::Refused(Box::new(Refusal {
        kind: RefusalKind::Malformed,
        broken: vec![Broken {
            code: "EVENT_TOO_LARGE".to_owned(),
            field: String::new(),
            message: format!(
                "its event would take {bytes} bytes, and {EVENT_BYTES_MAX} is the most: send less in one command"
            ),
            message_zh: format!("该事件将占{bytes}字节，上限为{EVENT_BYTES_MAX}字节，请减少单次提交的内容"),
            facts: BTreeMap::from([("bytes".to_owned(), bytes.to_string())]),
        }],
        rulebook: rulebook.to_owned(),
        terms_rulebook: None,
    }))
}

fn no_rulebook(why: String, effective_on: Date) -> Halt {
    Halt::refused(
        "NO_RULEBOOK",
        "header.effective_on",
        format!(
            "no rulebook covers {effective_on}: date the act on or after the first rulebook's day, or load a rulebook \
             that covers it ({why})"
        ),
        format!(
            "{effective_on}没有适用的规则版本：请将办理日期改为首个规则版本生效日或之后，或加载涵盖该日的规则版本"
        ),
        [("effective_on", effective_on.to_string())],
    )
}

fn advance_today<E: LogEvent>(played_from: Option<Date>, today: Date, to: Date) -> Result<Accepted<E>, Halt> {
    if played_from.is_none() {
        return Err(Halt::refused(
            "CLOCK_IS_SYSTEM",
            "today",
            "this log runs on the system's clock: today cannot be moved".to_owned(),
            "本日志使用系统时钟，不能调整“今天”".to_owned(),
            [("today", today.to_string())],
        ));
    }
    if to < today {
        return Err(Halt::refused(
            "CLOCK_GOES_FORWARD",
            "today",
            format!("today is {today}; ask for that day or a later one"),
            format!("今天是{today}，只能推进到该日或之后"),
            [("today", today.to_string())],
        ));
    }
    let events = if to == today { Vec::new() } else { vec![E::today_advanced(to)] };
    Ok(Accepted { decision: Decision::events(events), rulebook: String::new(), effective_on: to })
}

fn look<'a, D: Domain>(
    overlay: &'a HashMap<Uuid, Entry<D::State>>,
    cache: &'a Cache<D::State>,
    of: StreamId,
) -> Lookup<'a, D::State> {
    match overlay.get(&of.id).or_else(|| cache.peek(of.id)) {
        None => Lookup::Cold,
        Some(entry) => match entry.states.iter().find(|state| D::kind(state) == of.kind) {
            Some(state) => Lookup::Present(state, entry.version),
            None => Lookup::Absent(entry.states.first().map(D::kind)),
        },
    }
}

/// Aggregates that a command is about.
pub(super) fn targets<D: Domain>(order: &Order<D::Command>) -> Vec<StreamId> {
    match order {
        Order::Command(command) => D::targets(command),
        Order::AdvanceToday(_) => Vec::new(),
    }
}
