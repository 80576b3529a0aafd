//! The edge: from a request to a command, and from a state to an answer. With `service`, the only files that name the
//! proto types.
//!
//! A request is read as a whole, and all its faults are told at once, each at its field. Beyond this point a command is
//! well formed: `decide` never meets an absent field, a wrong check character or an amount that cannot be one. What only
//! a state can tell, such as a programme's currency, `decide` tells.
//!
//! | file | what it reads or writes |
//! |---|---|
//! | `wire` | what travels beside every command, and the path from a request to a submission |
//! | `wire/values` | amounts, parties, plans, enums |
//! | `wire/requests` | each request's command |
//! | `wire/answers` | states |

pub mod answers;
mod requests;
mod values;

use crate::{
    Command, Fund,
    grant::{GrantCommand, contract::ContractCommand},
};
use concord_chassis::{
    grpc::{Actor, Violations},
    log::{Domain, Submission},
    personal::{PersonalData, PersonalError},
};
use concord_events::personal::PersonalRef;
use concord_kernel::{Date, region::Regions};
use concord_proto::{
    fund::v1::{BulkCommand, bulk_command},
    r#type::v1::CommandHeader,
};
use std::{collections::HashMap, time::Duration};
use tonic::{Code, Status};
use uuid::Uuid;
use values::TEXT_BYTES_MAX;

/// Longest id, number or reference, in bytes.
const ID_BYTES_MAX: usize = 128;
/// Attachments of one command.
const ATTACHMENTS_MAX: usize = 100;

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

/// A submission whose personal data, if it has any, is not kept yet.
#[derive(Debug)]
pub struct Draft {
    submission: Submission<Command>,
    /// Id and text.
    personal: Option<(String, String)>,
}

/// A request that cannot be right as it stands.
#[derive(Debug)]
pub struct Malformed {
    /// `INVALID_ARGUMENT` with every fault.
    pub status: Status,
    /// Where nothing but its dates is wrong: the command as it may have been accepted on an earlier day, without
    /// faults then.
    pub earlier: Option<Box<Draft>>,
}

impl From<Status> for Malformed {
    fn from(status: Status) -> Self {
        Self { status, earlier: None }
    }
}

/// A request for a command.
pub trait Ask {
    /// What travels beside every command.
    fn header(&self) -> Option<&CommandHeader>;
    /// The command, where all it needs is there. Faults are kept in `reading`.
    fn command(self, reading: &mut Reading<'_>) -> Option<Asked>;
}

/// What a request asks for.
pub struct Asked {
    command: Command,
    /// The aggregate that the header's version is of; `None` where there are many.
    target: Option<Uuid>,
    /// Versions that the request names itself.
    expected: Vec<(Uuid, u64)>,
    personal: Option<(String, String)>,
}

/// A request being read: its faults, and the day of its facts.
pub struct Reading<'a> {
    faults: Violations,
    regions: &'a Regions,
    /// On which day it happened.
    on: Date,
    /// Faults that depend on the day: field and sentence. Yesterday the same may have been right.
    dated: Vec<(String, String)>,
}

/// Reads a request: its header, its command and who acts, all faults at once.
///
/// # Errors
/// [`Malformed`] with every fault.
pub fn read<R: Ask>(
    edge: Edge<'_>,
    caller: &Caller,
    faults: Violations,
    request: R,
) -> Result<Draft, Malformed> {
    let mut reading = Reading { faults, regions: edge.regions, on: edge.today, dated: Vec::new() };
    let header = request.header().cloned();
    let beside = reading.header(header, edge.today);
    let asked = request.command(&mut reading);
    let whole = beside.zip(asked).and_then(|(header, asked)| reading.submission(header, asked, caller));
    let Reading { mut faults, dated, .. } = reading;
    let only_dated = faults.is_empty() && !dated.is_empty();
    for (field, fault) in dated {
        faults.add(field, fault);
    }
    if only_dated {
        let Err(status) = faults.finish(None::<Draft>) else { return Err(nothing_read().into()) };
        return Err(Malformed { status, earlier: whole.map(Box::new) });
    }
    Ok(faults.finish(whole)?)
}

/// Cannot happen: faults were there, and they make a status.
fn nothing_read() -> Status {
    Status::internal("a request was read and not read")
}

/// Reads a command of a bulk stream, by whoever it names, or else by the caller of the stream.
///
/// # Errors
/// As [`read`].
pub fn read_bulk(edge: Edge<'_>, caller: &Caller, bulk: BulkCommand) -> Result<Draft, Malformed> {
    use bulk_command::Command as Bulk;
    let mut faults = Violations::new(Fund::error_domain());
    let actor = match &bulk.actor {
        Some(actor) => Actor::from_proto(actor, "actor", &mut faults),
        None if caller.actor.is_none() => faults.require("actor", None),
        None => caller.actor.clone(),
    };
    let caller = Caller { actor, traceparent: caller.traceparent.clone() };
    let Some(command) = bulk.command else {
        faults.add("command", "is missing");
        return Ok(faults.finish(None)?);
    };
    match command {
        Bulk::ImportAward(request) => read(edge, &caller, faults, request),
        Bulk::ApplyForGrant(request) => read(edge, &caller, faults, request),
        Bulk::RecommendGrant(request) => read(edge, &caller, faults, request),
        Bulk::AdmitGrant(request) => read(edge, &caller, faults, request),
        Bulk::ReviewGrant(request) => read(edge, &caller, faults, request),
        Bulk::PublishNotice(request) => read(edge, &caller, faults, request),
        Bulk::ApproveGrants(request) => read(edge, &caller, faults, request),
        Bulk::RejectGrant(request) => read(edge, &caller, faults, request),
        Bulk::WithdrawGrant(request) => read(edge, &caller, faults, request),
        Bulk::SignContract(request) => read(edge, &caller, faults, request),
        Bulk::VerifyPayee(request) => read(edge, &caller, faults, request),
        Bulk::RequestTranche(request) => read(edge, &caller, faults, request),
        Bulk::AuthoriseTranche(request) => read(edge, &caller, faults, request),
        Bulk::RejectTranche(request) => read(edge, &caller, faults, request),
        Bulk::CancelTranche(request) => read(edge, &caller, faults, request),
        Bulk::InstructTranche(request) => read(edge, &caller, faults, request),
        Bulk::SettleTranche(request) => read(edge, &caller, faults, request),
        Bulk::ReturnPayment(request) => read(edge, &caller, faults, request),
    }
}

impl Draft {
    /// Keeps the personal data, and gives the command the keyed hash instead.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` where that record was erased, `UNAVAILABLE` where it cannot be kept now.
    pub async fn seal(mut self, personal: &PersonalData) -> Result<Submission<Command>, Status> {
        if let Some((person_id, text)) = self.personal.take() {
            let kept = personal.put(&person_id, &text).await.map_err(personal_status)?;
            self.refer(PersonalRef { person_id, hash: kept.hash });
        }
        Ok(self.submission)
    }

    /// As [`Draft::seal`] where the command can only be a repeat: nothing is kept for a request that is refused. `None`
    /// where its personal data never was, or is no more, and so no accepted command can be compared with it.
    ///
    /// # Errors
    /// `UNAVAILABLE` where it cannot be looked up now.
    pub async fn seal_repeat(
        mut self,
        personal: &PersonalData,
    ) -> Result<Option<Submission<Command>>, Status> {
        if let Some((person_id, text)) = self.personal.take() {
            let kept = personal.hash_existing(&person_id, &text).await.map_err(personal_status)?;
            let Some(kept) = kept else { return Ok(None) };
            self.refer(PersonalRef { person_id, hash: kept.hash });
        }
        Ok(Some(self.submission))
    }

    /// Gives the command its reference to personal data.
    fn refer(&mut self, to: PersonalRef) {
        if let Command::Grant(_, GrantCommand::Contract(ContractCommand::VerifyPayee { account })) =
            &mut self.submission.command
        {
            *account = to;
        }
    }

    /// Request id of the command.
    #[must_use]
    pub fn request_id(&self) -> Uuid {
        self.submission.request_id
    }

    /// The command, whose personal data has no hash yet.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.submission.command
    }
}

fn personal_status(error: PersonalError) -> Status {
    let domain = Fund::error_domain();
    match error {
        PersonalError::Erased { ref person_id } => {
            let facts = HashMap::from([("person_id".to_owned(), person_id.clone())]);
            concord_chassis::grpc::refused(
                domain,
                "PERSONAL_DATA_ERASED",
                error.to_string(),
                facts,
                Vec::new(),
            )
        }
        PersonalError::PersonId | PersonalError::Text { .. } => {
            let mut faults = Violations::new(domain);
            faults.add("account", error.to_string());
            faults
                .finish::<()>(None)
                .err()
                .unwrap_or_else(|| Status::new(Code::InvalidArgument, error.to_string()))
        }
        PersonalError::Salt { .. } => concord_chassis::grpc::internal(domain, &error),
        PersonalError::Pool(_) | PersonalError::Statement(_) => {
            tracing::warn!(error = %concord_chassis::service::in_full(&error), "personal data could not be kept");
            let message = "the account cannot be kept just now; nothing was done, try again".to_owned();
            concord_chassis::grpc::unavailable(domain, "UNAVAILABLE", message, Duration::from_secs(1))
        }
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

impl Reading<'_> {
    /// Reads what travels beside every command. From here on, the day of the facts is known.
    fn header(&mut self, header: Option<CommandHeader>, today: Date) -> Option<Beside> {
        let header = self.faults.require("header", header)?;
        let request_id = self.faults.require_uuid("header.request_id", &header.request_id);
        let effective_on = self.faults.optional_date("header.effective_on", &header.effective_on);
        if let Some(on) = effective_on {
            if on > today {
                let fault = format!("{on} lies after today, {today}; give the day on which it happened");
                self.dated.push(("header.effective_on".to_owned(), fault));
            }
            self.on = on;
        }
        if header.attachment_sha256.len() > ATTACHMENTS_MAX {
            self.faults.add(
                "header.attachment_sha256",
                format!("has more than {ATTACHMENTS_MAX} hashes; send fewer"),
            );
        }
        let hashes = header.attachment_sha256.iter().take(ATTACHMENTS_MAX).enumerate();
        let attachments = hashes
            .filter_map(|(index, hash)| {
                self.faults.sha256_hex(&format!("header.attachment_sha256[{index}]"), hash)
            })
            .collect();
        Some(Beside {
            authority: self.faults.text("header.authority", &header.authority, TEXT_BYTES_MAX, false),
            archive_number: self.faults.text(
                "header.archive_number",
                &header.archive_number,
                ID_BYTES_MAX,
                false,
            ),
            causation_id: self.faults.text("header.causation_id", &header.causation_id, ID_BYTES_MAX, false),
            correlation_id: self.faults.text(
                "header.correlation_id",
                &header.correlation_id,
                ID_BYTES_MAX,
                false,
            ),
            request_id: request_id?,
            expected_version: header.expected_version,
            effective_on,
            attachments,
        })
    }

    fn submission(&mut self, header: Beside, asked: Asked, caller: &Caller) -> Option<Draft> {
        let mut expected = asked.expected;
        match (asked.target, header.expected_version) {
            (Some(target), Some(version)) => expected.push((target, version)),
            (None, Some(_)) => {
                let fault = "is of no single grant; name the version of each award instead";
                self.faults.add("header.expected_version", fault);
            }
            (_, None) => {}
        }
        let actor = caller.actor.clone()?;
        Some(Draft {
            submission: Submission {
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
            },
            personal: asked.personal,
        })
    }
}

impl Asked {
    /// A command about one aggregate, whose version the header may name.
    fn of(target: Uuid, command: Command) -> Self {
        Self { command, target: Some(target), expected: Vec::new(), personal: None }
    }
}
