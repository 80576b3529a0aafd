//! The edge: from a request to a command, and from a state to an answer. With `service`, the only files that name the
//! proto types. How a request is read as a whole, the chassis says ([`concord_chassis::edge`]).
//!
//! | file | what it reads or writes |
//! |---|---|
//! | `wire/values` | what several requests of this service have |
//! | `wire/requests` | each request's command about an agreement |
//! | `wire/directory` | each request's command about a party |
//! | `wire/answers` | states |

pub mod answers;
mod directory;
mod requests;
mod values;

use crate::{Agreements, Command};
use concord_chassis::{
    edge::{self, Reader},
    log::Domain,
};
use concord_proto::agreement::v1::{BulkCommand, bulk_command};

pub use concord_chassis::edge::{Ask, Caller, Edge, read};

/// What a request asks for.
pub type Asked = edge::Asked<Command>;
/// A command whose personal data, if it has any, is not kept yet.
pub type Draft = edge::Draft<Command>;
/// A request as it could be read.
pub type Drafted = edge::Drafted<Command>;

/// Reads a command of a bulk stream, by whoever it names, or else by the caller of the stream.
///
/// # Errors
/// [`edge::Malformed`] with every fault.
pub fn read_bulk(edge: Edge<'_>, caller: &Caller, bulk: BulkCommand) -> Drafted {
    use bulk_command::Command as Bulk;
    let reader = Reader::of_bulk(edge, caller, Agreements::error_domain(), bulk.actor.as_ref());
    let Some(command) = bulk.command else { return reader.nothing() };
    match command {
        Bulk::DraftAgreement(request) => reader.read(request),
        Bulk::SignAgreement(request) => reader.read(request),
        Bulk::CancelDraft(request) => reader.read(request),
        Bulk::SuspendAgreement(request) => reader.read(request),
        Bulk::ResumeAgreement(request) => reader.read(request),
        Bulk::RenewAgreement(request) => reader.read(request),
        Bulk::CompleteAgreement(request) => reader.read(request),
        Bulk::TerminateAgreement(request) => reader.read(request),
        Bulk::ProposeAmendment(request) => reader.read(request),
        Bulk::SignAmendment(request) => reader.read(request),
        Bulk::AbandonAmendment(request) => reader.read(request),
        Bulk::SucceedParty(request) => reader.read(request),
        Bulk::FulfilObligation(request) => reader.read(request),
        Bulk::MinuteMeeting(request) => reader.read(request),
        Bulk::CloseActionItem(request) => reader.read(request),
        Bulk::SubmitRegistration(request) => reader.read(request),
        Bulk::RegisterContract(request) => reader.read(request),
        Bulk::RefuseRegistration(request) => reader.read(request),
        Bulk::RevokeRegistration(request) => reader.read(request),
        Bulk::RecordParty(request) => reader.read(request),
        Bulk::AddPartyCode(request) => reader.read(request),
        Bulk::RenameParty(request) => reader.read(request),
        Bulk::ReclassifyParty(request) => reader.read(request),
        Bulk::RelocateParty(request) => reader.read(request),
        Bulk::EnterRegister(request) => reader.read(request),
        Bulk::LeaveRegister(request) => reader.read(request),
        Bulk::RecordControlLink(request) => reader.read(request),
        Bulk::EndControlLink(request) => reader.read(request),
        Bulk::MergeParty(request) => reader.read(request),
        Bulk::DissolveParty(request) => reader.read(request),
    }
}
