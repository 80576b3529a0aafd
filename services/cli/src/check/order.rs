//! What the documents of the log say of themselves and of each other: positions, times, ids, versions, commands.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use concord_chassis::record::{self, Envelope, LogEvent, Recorded};
use concord_kernel::Date;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::faults::{Faults, Rule};

/// The log as far as it was read. It holds ids and numbers, never documents: some 150 bytes an event.
#[derive(Debug)]
pub(super) struct Order {
    /// The log that every event names as its source, `/concord/<cell>/<log>`, before its generation.
    log: String,
    /// Generation in which the log is written now. Events of the earlier ones were recorded under those.
    generation: u32,
    /// Generation of the newest event.
    reached: u32,
    /// Last position read.
    pub(super) last: u64,
    time: Timestamp,
    ids: HashMap<Uuid, u64>,
    /// Of each id, whatever kinds share it.
    versions: HashMap<Uuid, u64>,
    newest_of_type: HashMap<String, u64>,
    /// Where each command's first event is.
    commands: HashMap<Uuid, u64>,
    command: Option<Command>,
}

/// A command whose events are being read.
#[derive(Debug)]
struct Command {
    request_id: Uuid,
    body_hash: String,
    /// The last of its events, as the first one says.
    last: u64,
}

impl Order {
    /// Nothing read yet of this log, `/concord/<cell>/<log>`, in this generation.
    pub(super) fn of(log: String, generation: u32) -> Self {
        Self {
            log,
            generation,
            reached: 1,
            last: 0,
            time: Timestamp::MIN,
            ids: HashMap::new(),
            versions: HashMap::new(),
            newest_of_type: HashMap::new(),
            commands: HashMap::new(),
            command: None,
        }
    }

    /// Commands read so far.
    pub(super) fn commands(&self) -> usize {
        self.commands.len()
    }

    /// Takes the next event in, and gives back when it happened and what it says, where it can be read.
    pub(super) fn take<E: LogEvent>(
        &mut self,
        recorded: &Recorded,
        faults: &mut Faults,
    ) -> Option<(Date, E)> {
        let position = recorded.position;
        faults.compare(Rule::PositionGap, position, self.last + 1, position);
        self.last = position;
        let (envelope, event) = match record::read::<E>(recorded) {
            Ok(read) => read,
            Err(error) => {
                faults.add(Rule::DocumentUnreadable, position, "an event", error);
                return None;
            }
        };
        form(recorded, &envelope, &event, faults);
        faults.compare(Rule::PositionAttribute, position, position, envelope.position);
        self.source_of(position, &envelope, faults);
        faults.compare(Rule::Envelope, position, "1.0", &envelope.specversion);
        faults.compare(Rule::Envelope, position, "application/json", &envelope.datacontenttype);
        if envelope.time < self.time {
            faults.add(Rule::TimeBack, position, format!("{} or later", self.time), envelope.time);
        }
        self.time = envelope.time;
        match self.ids.entry(envelope.id) {
            Entry::Occupied(first) => {
                let found = format!("{}, as at position {}", envelope.id, first.get());
                faults.add(Rule::IdRepeated, position, "an id of its own", found);
            }
            Entry::Vacant(new) => drop(new.insert(position)),
        }
        self.places(position, &envelope, &event, faults);
        self.command_of(position, &envelope, faults);
        Some((envelope.effectiveon, event))
    }

    /// Generations follow each other, up to that of today.
    fn source_of(&mut self, position: u64, envelope: &Envelope<'_>, faults: &mut Faults) {
        let number = envelope.source.strip_prefix(&*self.log).and_then(|rest| rest.strip_prefix('/'));
        match number.and_then(|number| number.parse().ok()) {
            Some(generation) if (self.reached..=self.generation).contains(&generation) => {
                self.reached = generation;
            }
            _ => {
                let expected = format!("{}/{} to {}", self.log, self.reached, self.generation);
                faults.add(Rule::Source, position, expected, &*envelope.source);
            }
        }
    }

    /// The event's place in its stream and among those of its type. After a fault the count goes on from what was
    /// found, so that one fault is told once.
    fn places(&mut self, position: u64, envelope: &Envelope<'_>, event: &impl LogEvent, faults: &mut Faults) {
        let own = event.stream();
        faults.compare(Rule::Subject, position, &*own.to_string(), &envelope.subject);
        let version = self.versions.entry(own.id).or_default();
        if envelope.version != *version + 1 {
            let expected = format!("version {} of {own}", *version + 1);
            faults.add(Rule::Version, position, expected, format!("version {}", envelope.version));
        }
        *version = envelope.version;
        let newest = match self.newest_of_type.get_mut(&*envelope.event_type) {
            Some(newest) => newest,
            None => self.newest_of_type.entry(envelope.event_type.to_string()).or_default(),
        };
        faults.compare(Rule::PreviousOfType, position, *newest, envelope.previousoftype);
        *newest = position;
    }

    fn command_of(&mut self, position: u64, envelope: &Envelope<'_>, faults: &mut Faults) {
        let id = envelope.requestid;
        // An event that names none is the only one, wherever it stands.
        let last = envelope.commandlast.as_deref().map_or(position, |last| last.parse().unwrap_or_default());
        match &self.command {
            Some(command) if command.request_id == id => {
                faults.compare(Rule::BodyHash, position, command.body_hash.as_str(), &envelope.bodyhash);
                if last != command.last || position > last {
                    let expected = format!("the last of its request at {}", command.last);
                    faults.add(Rule::CommandLast, position, expected, format!("at {last}"));
                }
            }
            before => {
                // The one before has all its events by now, and this one is not over before it began.
                if let Some(Command { last: named, .. }) =
                    before.as_ref().filter(|before| before.last >= position)
                {
                    let expected = format!("another event of the request that goes on to {named}");
                    faults.add(Rule::CommandLast, position, expected, format!("request {id}"));
                }
                if last < position {
                    faults.add(
                        Rule::CommandLast,
                        position,
                        format!("{position} or later"),
                        format!("at {last}"),
                    );
                }
                match self.commands.entry(id) {
                    Entry::Occupied(first) => {
                        let found = format!("{id}, as at position {}", first.get());
                        faults.add(Rule::RequestIdReused, position, "a request id of its own", found);
                    }
                    Entry::Vacant(new) => drop(new.insert(position)),
                }
                let body_hash = envelope.bodyhash.to_string();
                self.command = Some(Command { request_id: id, body_hash, last });
            }
        }
    }
}

/// Whether the document says what was read from it and nothing else: what no reader sees must not be there either.
fn form(recorded: &Recorded, envelope: &Envelope<'_>, event: &impl LogEvent, faults: &mut Faults) {
    // An event of a type that is no longer written reads as another one.
    if event.type_name() != envelope.event_type {
        return;
    }
    let written = match record::write(envelope, event) {
        // The usual case: the very bytes.
        Ok(written) if written == recorded.bytes => return,
        Ok(written) => written,
        Err(error) => return faults.add(Rule::DocumentForm, recorded.position, "a document", error),
    };
    let (expected, found): (Value, Value) =
        match (serde_json::from_slice(&written), serde_json::from_slice(&recorded.bytes)) {
            (Ok(expected), Ok(found)) => (expected, found),
            (Err(error), _) | (_, Err(error)) => {
                return faults.add(Rule::DocumentForm, recorded.position, "JSON", error);
            }
        };
    faults.differ(
        Rule::DocumentForm,
        recorded.position,
        expected.to_string().as_bytes(),
        found.to_string().as_bytes(),
    );
}
