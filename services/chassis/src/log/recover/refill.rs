//! Gives PostgreSQL back what it lost: events from the stream, and the rows that the writer had inserted with them.

use super::findings::Findings;
use super::stream::place_of;
use super::{Ground, RecoverError};
use crate::log::domain::Domain;
use crate::log::handle::Receipt;
use crate::log::loader::Streams;
use crate::log::store::{Batch, Committed};
use crate::record::{self, Recorded};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Events of one batch at about; a command is never divided.
const BATCH_EVENTS: usize = 1_000;
/// Stored bytes of one batch at about.
const BATCH_BYTES: usize = 8 << 20;
/// The body of a refilled command. The stream has its hash alone: a repeat is known by that, and it cannot be decided again.
const NO_BODY: &[u8] = b"null";

/// The events of one command.
type Command = Vec<Recorded>;

impl Ground {
    /// Inserts the events after the head that the stream has of whole commands, batch by batch, each only at the head that
    /// the one before it left. Returns the new head.
    pub(super) async fn refill<D: Domain>(
        &self,
        findings: &Findings,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<u64, RecoverError> {
        let (mut head, last) = (findings.head, findings.head + findings.beyond.events);
        if head == last {
            return Ok(head);
        }
        let mut messages = self.messages(head + 1, last).await?;
        let mut waiting = Waiting::default();
        for position in head + 1..=last {
            // It was there when it was counted, and nobody publishes.
            let bytes = messages.at(position).await?.ok_or(RecoverError::Silent(position))?;
            if let Some(commands) = waiting.add(Recorded { position, bytes }) {
                head = self.insert::<D>(head, &commands).await?;
                progress(head - findings.head, findings.beyond.events);
            }
        }
        head = self.insert::<D>(head, &waiting.take()).await?;
        progress(head - findings.head, findings.beyond.events);
        Ok(head)
    }

    async fn insert<D: Domain>(&self, head: u64, commands: &[Command]) -> Result<u64, RecoverError> {
        let answers: Vec<Answer> =
            commands.iter().map(|command| answer_to::<D>(command)).collect::<Result<_, _>>()?;
        let mut rows = Batch::default();
        for (command, answer) in commands.iter().zip(&answers) {
            add_events::<D>(&mut rows, command)?;
            rows.add_answer(answer.request_id, &answer.body_hash, NO_BODY, &answer.receipt);
        }
        match self.connection.commit(head, &rows).await {
            Committed::Done { .. } => Ok(commands.iter().flatten().last().map_or(head, |last| last.position)),
            Committed::LostRace => Err(not_taken(head, "another program wrote")),
            Committed::RepeatedRequest => Err(not_taken(head, "a request id of theirs is answered already")),
            Committed::Conflict(why) | Committed::Poisoned(why) | Committed::Unknown(why) => {
                Err(not_taken(head, &why))
            }
        }
    }
}

/// Whole commands that wait to be inserted, and the one that is being read.
#[derive(Default)]
struct Waiting {
    commands: Vec<Command>,
    reading: Command,
    request_id: Option<Uuid>,
    events: usize,
    bytes: usize,
}

impl Waiting {
    /// Takes the next event in. Gives the commands before it, once they are enough for a batch.
    fn add(&mut self, event: Recorded) -> Option<Vec<Command>> {
        let request_id = place_of(&event.bytes).map(|place| place.request_id);
        let mut full = None;
        if request_id != self.request_id && !self.reading.is_empty() {
            self.commands.push(std::mem::take(&mut self.reading));
            if self.events >= BATCH_EVENTS || self.bytes >= BATCH_BYTES {
                full = Some(self.take());
            }
        }
        self.request_id = request_id;
        self.events += 1;
        self.bytes += event.bytes.len();
        self.reading.push(event);
        full
    }

    /// All that waits.
    fn take(&mut self) -> Vec<Command> {
        let mut all = std::mem::take(self);
        if !all.reading.is_empty() {
            all.commands.push(all.reading);
        }
        all.commands
    }
}

/// Adds the rows of one command's events, as the writer had inserted them, with the further states that they touch.
fn add_events<'a, D: Domain>(rows: &mut Batch<'a>, command: &'a [Recorded]) -> Result<(), RecoverError> {
    for recorded in command {
        let (envelope, event) = record::read::<D::Event>(recorded).map_err(unreadable(recorded))?;
        rows.add_event(recorded, envelope.version, &Streams::of(&event));
    }
    Ok(())
}

/// What is told of a command as its answer.
struct Answer {
    request_id: Uuid,
    body_hash: [u8; 32],
    receipt: Receipt,
}

/// The answer to a command as its events tell it. A command has at least one.
fn answer_to<D: Domain>(command: &[Recorded]) -> Result<Answer, RecoverError> {
    let (Some(first), Some(last)) = (command.first(), command.last()) else {
        return Err(RecoverError::Silent(0));
    };
    let opening = first.envelope().map_err(unreadable(first))?;
    // The version that a receipt tells is that of the aggregate whose event comes first.
    let mut version = opening.version;
    for recorded in command {
        let envelope = recorded.envelope().map_err(unreadable(recorded))?;
        if envelope.subject == opening.subject {
            version = envelope.version;
        }
    }
    let closing = last.envelope().map_err(unreadable(last))?;
    let receipt = Receipt {
        log: D::LOG,
        first_position: first.position,
        last_position: last.position,
        version,
        leaf_hashes: command.iter().map(Recorded::leaf_hash).collect(),
        rulebook: closing.rulebook.into_owned(),
        answer: match &closing.answer {
            Some(answer) => serde_json::from_str(answer).map_err(unreadable(last))?,
            None => BTreeMap::new(),
        },
    };
    let mut body_hash = [0; 32];
    hex::decode_to_slice(closing.bodyhash.as_bytes(), &mut body_hash)
        .map_err(|error| unreadable(last)(serde::de::Error::custom(error)))?;
    Ok(Answer { request_id: closing.requestid, body_hash, receipt })
}

fn not_taken(head: u64, why: &str) -> RecoverError {
    RecoverError::NotTaken { head, why: why.to_owned() }
}

fn unreadable(recorded: &Recorded) -> impl Fn(serde_json::Error) -> RecoverError {
    let position = recorded.position;
    move |source| RecoverError::Unreadable { position, source }
}
