//! The edge: from a request to a command, and from a state to an answer. With `service`, the only files that name the
//! proto types. How a request is read as a whole, the chassis says ([`concord_chassis::edge`]).
//!
//! | file | what it reads or writes |
//! |---|---|
//! | `wire/values` | what several requests of this service have |
//! | `wire/requests` | each request's command |
//! | `wire/answers` | states |

pub mod answers;
mod requests;
mod values;

use crate::{Command, Fund};
use concord_chassis::{
    edge::{self, Reader},
    log::Domain,
};
use concord_proto::fund::v1::{BulkCommand, bulk_command};

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
    let reader = Reader::of_bulk(edge, caller, Fund::error_domain(), bulk.actor.as_ref());
    let Some(command) = bulk.command else { return reader.nothing() };
    match command {
        Bulk::ImportAward(request) => reader.read(request),
        Bulk::ApplyForGrant(request) => reader.read(request),
        Bulk::RecommendGrant(request) => reader.read(request),
        Bulk::AdmitGrant(request) => reader.read(request),
        Bulk::ReviewGrant(request) => reader.read(request),
        Bulk::PublishNotice(request) => reader.read(request),
        Bulk::ApproveGrants(request) => reader.read(request),
        Bulk::RejectGrant(request) => reader.read(request),
        Bulk::WithdrawGrant(request) => reader.read(request),
        Bulk::SignContract(request) => reader.read(request),
        Bulk::VerifyPayee(request) => reader.read(request),
        Bulk::RequestTranche(request) => reader.read(request),
        Bulk::AuthoriseTranche(request) => reader.read(request),
        Bulk::RejectTranche(request) => reader.read(request),
        Bulk::CancelTranche(request) => reader.read(request),
        Bulk::InstructTranche(request) => reader.read(request),
        Bulk::SettleTranche(request) => reader.read(request),
        Bulk::ReturnPayment(request) => reader.read(request),
        Bulk::NameBackingAgreement(request) => reader.read(request),
        Bulk::HoldGrant(request) => reader.read(request),
        Bulk::ResumeGrant(request) => reader.read(request),
        Bulk::PledgeMatching(request) => reader.read(request),
        Bulk::RecordMatchingArrival(request) => reader.read(request),
        Bulk::ReleaseMatching(request) => reader.read(request),
        Bulk::TransferShare(request) => reader.read(request),
        Bulk::ReportSpend(request) => reader.read(request),
        Bulk::AcceptSpend(request) => reader.read(request),
        Bulk::DisallowSpend(request) => reader.read(request),
        Bulk::AmendContract(request) => reader.read(request),
        Bulk::ExtendProject(request) => reader.read(request),
        Bulk::RecordMidtermCheck(request) => reader.read(request),
        Bulk::ReportCompletion(request) => reader.read(request),
        Bulk::ConcludeFinalAcceptance(request) => reader.read(request),
        Bulk::RefundBalance(request) => reader.read(request),
        Bulk::RetainBalance(request) => reader.read(request),
        Bulk::TransferBalance(request) => reader.read(request),
        Bulk::CloseGrant(request) => reader.read(request),
        Bulk::EvaluateGrant(request) => reader.read(request),
        Bulk::TerminateGrant(request) => reader.read(request),
        Bulk::CancelGrant(request) => reader.read(request),
        Bulk::DetermineRecovery(request) => reader.read(request),
        Bulk::DemandRecovery(request) => reader.read(request),
        Bulk::AppealRecovery(request) => reader.read(request),
        Bulk::UpholdRecovery(request) => reader.read(request),
        Bulk::OverturnRecovery(request) => reader.read(request),
        Bulk::RecordRepayment(request) => reader.read(request),
        Bulk::OffsetRecovery(request) => reader.read(request),
        Bulk::WriteOffRecovery(request) => reader.read(request),
        Bulk::AssignRectification(request) => reader.read(request),
        Bulk::ExplainFinding(request) => reader.read(request),
        Bulk::RectifyFinding(request) => reader.read(request),
        Bulk::AcceptExplanation(request) => reader.read(request),
        Bulk::DismissFinding(request) => reader.read(request),
        Bulk::RaiseObjection(request) => reader.read(request),
        Bulk::RejectObjection(request) => reader.read(request),
        Bulk::UpholdObjection(request) => reader.read(request),
        Bulk::RecordOverride(request) => reader.read(request),
        Bulk::CorrectFact(request) => reader.read(request),
    }
}
