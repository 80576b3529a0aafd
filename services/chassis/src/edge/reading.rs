//! A request being read: what travels beside every command, who acts, and every fault at once.

use super::{ATTACHMENTS_MAX, Asked, Draft, Drafted, ID_BYTES_MAX, Malformed, TEXT_BYTES_MAX, draft::Target};
use crate::{
    grpc::{Actor, Violations},
    log::Submission,
    telemetry,
};
use concord_kernel::{Date, region::Regions};
use concord_proto::r#type::v1::{self as types, CommandHeader};
use tonic::{Status, metadata::MetadataMap};
use uuid::Uuid;

/// Tables and dates by which requests are read.
#[derive(Debug, Clone, Copy)]
pub struct Edge<'a> {
    /// Region codes, by year.
    pub regions: &'a Regions,
    /// The log's today.
    pub today: Date,
}

/// Who calls.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Who acts, where that is known, and what is wrong with it, where it is not.
    pub actor: Option<Actor>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl Caller {
    /// Whoever the call's metadata names; what is wrong with it is kept in `faults`.
    pub fn of_call(metadata: &MetadataMap, faults: &mut Violations) -> Self {
        Self { actor: Actor::from_metadata(metadata, faults), traceparent: telemetry::traceparent(metadata) }
    }
}

/// A request for a command of type `C`.
pub trait Ask<C> {
    /// What travels beside every command.
    fn header(&self) -> Option<&CommandHeader>;
    /// The command, where all it needs is there. Faults are kept in `reading`.
    fn command(self, reading: &mut Reading<'_>) -> Option<Asked<C>>;
}

/// A request being read: its faults, and the day of its facts.
pub struct Reading<'a> {
    /// What is wrong with the request, whatever the day.
    pub faults: Violations,
    regions: &'a Regions,
    /// On which day it happened.
    on: Date,
    /// Faults that depend on the day: field and sentence. Yesterday the same may have been right.
    dated: Vec<(String, String)>,
}

/// Reads a request: its header, its command and who acts, all faults at once. Beside what was found before in `faults`.
///
/// # Errors
/// [`Malformed`] with every fault.
pub fn read<C, R: Ask<C>>(edge: Edge<'_>, caller: &Caller, faults: Violations, request: R) -> Drafted<C> {
    let mut reading = Reading { faults, regions: edge.regions, on: edge.today, dated: Vec::new() };
    let beside = reading.header(request.header().cloned(), edge.today);
    let asked = request.command(&mut reading);
    reading.end(beside, asked, caller)
}

impl Reading<'_> {
    /// What was read, or every fault.
    fn end<C>(mut self, beside: Option<Beside>, asked: Option<Asked<C>>, caller: &Caller) -> Drafted<C> {
        let whole = beside.zip(asked).and_then(|(header, asked)| self.submission(header, asked, caller));
        let Reading { mut faults, dated, .. } = self;
        let only_dated = faults.is_empty() && !dated.is_empty();
        for (field, fault) in dated {
            faults.add(field, fault);
        }
        if only_dated {
            let Err(status) = faults.finish(None::<Draft<C>>) else { return Err(nothing_read().into()) };
            return Err(Malformed { status, earlier: whole.map(Box::new) });
        }
        Ok(faults.finish(whole)?)
    }
}

/// Cannot happen: faults were there, and they make a status.
fn nothing_read() -> Status {
    Status::internal("a request was read and not read")
}

/// Reads a command of a bulk stream, whichever request it is.
pub struct Reader<'a> {
    edge: Edge<'a>,
    caller: Caller,
    faults: Violations,
}

impl<'a> Reader<'a> {
    /// For a command by whoever it names as `actor`, or else by the caller of the stream. `domain` as in `ErrorInfo`.
    #[must_use]
    pub fn of_bulk(
        edge: Edge<'a>,
        caller: &Caller,
        domain: &'static str,
        actor: Option<&types::Actor>,
    ) -> Self {
        let mut faults = Violations::new(domain);
        let actor = match actor {
            Some(actor) => Actor::from_proto(actor, "actor", &mut faults),
            None if caller.actor.is_none() => faults.require("actor", None),
            None => caller.actor.clone(),
        };
        Self { edge, caller: Caller { actor, traceparent: caller.traceparent.clone() }, faults }
    }

    /// Reads the request.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read<C, R: Ask<C>>(self, request: R) -> Drafted<C> {
        read(self.edge, &self.caller, self.faults, request)
    }

    /// There is no request.
    ///
    /// # Errors
    /// Always: that fault, and those of the actor.
    pub fn nothing<C>(mut self) -> Drafted<C> {
        self.faults.add("command", "is missing");
        Ok(self.faults.finish(None)?)
    }
}

/// A header whose parts are well formed.
struct Beside {
    request_id: Uuid,
    expected_version: Option<u64>,
    effective_on: Option<Date>,
    authority: Option<String>,
    archive_number: Option<String>,
    attachments: Vec<String>,
    causation_id: Option<String>,
    correlation_id: Option<String>,
}

impl<'a> Reading<'a> {
    /// The table of regions.
    #[must_use]
    pub fn regions(&self) -> &'a Regions {
        self.regions
    }

    /// On which day it happened: as the header says, else today.
    #[must_use]
    pub fn on(&self) -> Date {
        self.on
    }

    /// Adds a fault that depends on the day: yesterday the same may have been right, so a repeat gets its first answer.
    pub fn add_dated(&mut self, field: impl Into<String>, fault: impl Into<String>) {
        self.dated.push((field.into(), fault.into()));
    }

    /// Reads what travels beside every command. From here on, the day of the facts is known.
    fn header(&mut self, header: Option<CommandHeader>, today: Date) -> Option<Beside> {
        let header = self.faults.require("header", header)?;
        let request_id = self.faults.require_uuid("header.request_id", &header.request_id);
        let effective_on = self.faults.optional_date("header.effective_on", &header.effective_on);
        if let Some(on) = effective_on {
            if on > today {
                let fault = format!("{on} lies after today, {today}; give the day on which it happened");
                self.add_dated("header.effective_on", fault);
            }
            self.on = on;
        }
        let attachments = self.attachments(&header.attachment_sha256);
        let authority = self.optional("header.authority", &header.authority, TEXT_BYTES_MAX);
        let archive_number = self.optional("header.archive_number", &header.archive_number, ID_BYTES_MAX);
        let causation_id = self.optional("header.causation_id", &header.causation_id, ID_BYTES_MAX);
        let correlation_id = self.optional("header.correlation_id", &header.correlation_id, ID_BYTES_MAX);
        Some(Beside {
            request_id: request_id?,
            expected_version: header.expected_version,
            effective_on,
            authority,
            archive_number,
            attachments,
            causation_id,
            correlation_id,
        })
    }

    fn optional(&mut self, field: &str, text: &str, bytes_max: usize) -> Option<String> {
        self.faults.text(field, text, bytes_max, false)
    }

    fn attachments(&mut self, hashes: &[String]) -> Vec<String> {
        const FIELD: &str = "header.attachment_sha256";
        if hashes.len() > ATTACHMENTS_MAX {
            self.faults.add(FIELD, format!("has more than {ATTACHMENTS_MAX} hashes; send fewer"));
        }
        let hashes = hashes.iter().take(ATTACHMENTS_MAX).enumerate();
        hashes
            .filter_map(|(index, hash)| self.faults.sha256_hex(&format!("{FIELD}[{index}]"), hash))
            .collect()
    }

    fn submission<C>(&mut self, header: Beside, asked: Asked<C>, caller: &Caller) -> Option<Draft<C>> {
        let mut expected = asked.expected;
        match (asked.target, header.expected_version) {
            (Target::One(target), Some(version)) => expected.push((target, version)),
            (Target::Many(advice), Some(_)) => self.faults.add("header.expected_version", advice),
            (_, None) => {}
        }
        let actor = caller.actor.clone()?;
        let submission = Submission {
            request_id: header.request_id,
            expected,
            effective_on: header.effective_on,
            actor: actor.person_id,
            actor_organisation: actor.organisation_id,
            authority: header.authority,
            archive_number: header.archive_number,
            attachments: header.attachments,
            causation_id: header.causation_id,
            correlation_id: header.correlation_id,
            traceparent: caller.traceparent.clone(),
            command: asked.command,
        };
        Some(Draft { submission, personal: asked.personal })
    }
}
