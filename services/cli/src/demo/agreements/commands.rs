//! What the demo asks of the agreement service: every command with an id and a date of its own, the same on every run.

use concord_kernel::Date;
use concord_proto::agreement::v1::bulk_command::Command;
use concord_proto::agreement::v1::{
    AgreementKind, BulkCommand, DraftAgreementRequest, DraftParty, RecordPartyRequest,
    ResumeAgreementRequest, Role, SignAgreementRequest, SuspendAgreementRequest, Term,
    TerminateAgreementRequest,
};
use concord_proto::r#type::v1::{CommandHeader, Party};

use super::Agreement;
use crate::connect::Actor;
use crate::demo::commands::OFFICE;
use crate::ids;

/// The document that everything made up rests on.
const AUTHORITY: &str = "SYN-2014-1 模拟文号";

/// A step of an agreement's life, or of the directory's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Pact {
    /// The party, by its place in the directory, is recorded.
    Record(usize),
    /// The agreement behind the grant with this index is drafted.
    Draft(usize),
    /// The party with this place in the agreement signs.
    Sign(usize, usize),
    /// It is terminated.
    Terminate(usize),
    /// It is suspended.
    Suspend(usize),
    /// It is resumed.
    Resume(usize),
}

impl Pact {
    /// The grant whose agreement it is about; none where it is about a party.
    pub(in crate::demo) fn agreement(self) -> Option<usize> {
        match self {
            Self::Record(_) => None,
            Self::Draft(index)
            | Self::Sign(index, _)
            | Self::Terminate(index)
            | Self::Suspend(index)
            | Self::Resume(index) => Some(index),
        }
    }
}

fn command(key: &str, on: Date, make: impl FnOnce(Option<CommandHeader>) -> Command) -> BulkCommand {
    let header = CommandHeader {
        request_id: ids::request(&format!("demo/1/agreement/{key}")),
        effective_on: on.to_string(),
        correlation_id: "demo".to_owned(),
        ..CommandHeader::default()
    };
    let clerk = Actor::new("demo-agreement-clerk", OFFICE);
    BulkCommand { actor: Some(clerk.to_wire()), command: Some(make(Some(header))) }
}

/// Takes a party into the directory. The source has no names.
pub(in crate::demo) fn record(party: &Party, on: Date) -> BulkCommand {
    command(&format!("party/{}", party.code), on, |header| {
        Command::RecordParty(RecordPartyRequest {
            header,
            code: party.code.clone(),
            kind: party.kind,
            name: format!("participant {}", party.code),
            region: party.region.clone(),
            industry: String::new(),
            certificate: None,
        })
    })
}

impl Agreement {
    /// Its draft.
    pub(in crate::demo) fn draft(&self, rcn: &str, on: Date) -> BulkCommand {
        let party = |party: &Party| DraftParty { code: party.code.clone(), role: Role::Participant.into() };
        command(&format!("{}/draft", self.id), on, |header| {
            Command::DraftAgreement(DraftAgreementRequest {
                header,
                agreement_id: self.id.to_string(),
                kind: AgreementKind::JointResearch.into(),
                title: format!("joint research of Horizon 2020 grant {rcn} (synthetic 模拟)"),
                parties: self.parties.iter().map(party).collect(),
                term: Some(Term { from: self.from.to_string(), until: self.until.to_string() }),
                synthetic: true,
                ..DraftAgreementRequest::default()
            })
        })
    }

    /// The signature of its party at this place.
    pub(in crate::demo) fn sign(&self, party: usize, on: Date) -> BulkCommand {
        let code = self.parties.get(party).map(|party| party.code.clone()).unwrap_or_default();
        command(&format!("{}/sign/{party}", self.id), on, |header| {
            Command::SignAgreement(SignAgreementRequest {
                header,
                agreement_id: self.id.to_string(),
                signatory: format!("demo-signatory-{party}"),
                authority: AUTHORITY.to_owned(),
                party: code,
            })
        })
    }

    /// Its end before its term's.
    pub(in crate::demo) fn terminate(&self, on: Date) -> BulkCommand {
        command(&format!("{}/terminate", self.id), on, |header| {
            Command::TerminateAgreement(TerminateAgreementRequest {
                header,
                agreement_id: self.id.to_string(),
                reason: "synthetic: the parties went their ways 模拟：双方协商终止".to_owned(),
                authority: AUTHORITY.to_owned(),
                out_of_force_from: on.to_string(),
            })
        })
    }

    /// Its suspension.
    pub(in crate::demo) fn suspend(&self, on: Date) -> BulkCommand {
        command(&format!("{}/suspend", self.id), on, |header| {
            Command::SuspendAgreement(SuspendAgreementRequest {
                header,
                agreement_id: self.id.to_string(),
                cause: "synthetic: ownership of results in dispute 模拟：成果归属争议".to_owned(),
                authority: AUTHORITY.to_owned(),
            })
        })
    }

    /// Its resumption.
    pub(in crate::demo) fn resume(&self, on: Date) -> BulkCommand {
        command(&format!("{}/resume", self.id), on, |header| {
            Command::ResumeAgreement(ResumeAgreementRequest {
                header,
                agreement_id: self.id.to_string(),
                authority: AUTHORITY.to_owned(),
            })
        })
    }
}
