//! An agreement as an answer.

use super::{party::kind as party_kind, text};
use crate::{
    Agreements,
    agreement::{
        Agreement, Signature, Stage, Standing,
        amendment::{Pending, Version},
        force::{Period, Suspension},
        registration::{Registration, RegistrationStage},
        succession::Succession,
        work::{Fulfilment, Meeting},
    },
};
use concord_chassis::{grpc, log::Domain};
use concord_events::{
    agreement::{
        ActionItem, AgreementKind, Changes, MeetingKind, Obligation, ObligationKind, Participant, Role,
        TechnologyContractType, Term, Value,
    },
    document::Document,
};
use concord_kernel::{Date, rulebook::AgreementField};
use concord_proto::{agreement::v1 as proto, r#type::v1 as types};
use std::collections::HashMap;
use tonic::{Code, Status};

/// An agreement as the writer knows it, and how it stands on a day.
#[must_use]
pub fn agreement(agreement: &Agreement, on: Date, version: u64) -> proto::Agreement {
    let obligations = agreement.version().obligations.iter().map(|owed| proto::ObligationStatus {
        obligation: Some(obligation(owed)),
        fulfilment: agreement.fulfilled.get(&owed.number).map(fulfilment),
    });
    proto::Agreement {
        agreement_id: agreement.id.to_string(),
        kind: kind(agreement.kind).into(),
        state: state(agreement.standing(on)).into(),
        on: on.to_string(),
        title: agreement.version().title.clone(),
        parent_id: agreement.parent.map(|parent| parent.to_string()).unwrap_or_default(),
        project_number: agreement.project_number.clone().unwrap_or_default(),
        technology: technology(agreement.technology).into(),
        synthetic: agreement.synthetic,
        drafted_on: agreement.drafted_on.to_string(),
        parties: agreement.parties.iter().map(participant).collect(),
        successions: agreement.successions.iter().map(succession).collect(),
        periods: agreement.periods.iter().map(period).collect(),
        suspensions: agreement.suspensions.iter().map(suspension).collect(),
        versions: agreement.versions.iter().map(self::version).collect(),
        pending: agreement.pending.as_ref().map(pending),
        obligations: obligations.collect(),
        meetings: agreement.meetings.iter().map(|(number, held)| meeting(*number, held)).collect(),
        registration: agreement.registration.as_ref().map(registration),
        end: end(&agreement.stage),
        version,
    }
}

/// A version, with who signed it, when and under what authority.
#[must_use]
pub fn version(version: &Version) -> proto::Version {
    proto::Version {
        number: version.number,
        from: text(version.from),
        title: version.title.clone(),
        term_end: version.term_end.to_string(),
        value: version.value.map(money),
        obligations: version.obligations.iter().map(obligation).collect(),
        signatures: version.signatures.iter().map(signature).collect(),
        authority: version.authority.clone().unwrap_or_default(),
        documents: version.documents.iter().map(document).collect(),
    }
}

/// `NOT_FOUND`: on that day the agreement was not in force, and so no version of it was.
#[must_use]
pub fn no_version(agreement: &Agreement, on: Date) -> Status {
    let standing = agreement.standing(on);
    let first = agreement.draft().from;
    let facts = HashMap::from([
        ("agreement_id".to_owned(), agreement.id.to_string()),
        ("on".to_owned(), on.to_string()),
        ("state".to_owned(), standing.name().to_owned()),
        ("first_in_force".to_owned(), text(first)),
    ]);
    let (since, since_zh) = match first {
        Some(first) => (
            format!("its first version holds from {first}: ask about a day on which it was in force"),
            format!("其首个版本自{first}起有效；请查询其有效期间内的日期"),
        ),
        None => (
            "not all parties have signed it: ask again once they have".to_owned(),
            "各方尚未全部签署；请在全部签署之后再查询".to_owned(),
        ),
    };
    let message = format!(
        "no version of agreement {} was in force on {on}, when it was {}; {since}",
        agreement.id,
        standing.name()
    );
    let message_zh =
        format!("{on}时协议{}为“{}”，没有有效版本；{since_zh}", agreement.id, standing.label_zh());
    let told = (message, Some(message_zh));
    let domain = Agreements::error_domain();
    grpc::refused_as(Code::NotFound, domain, "NO_VERSION_IN_FORCE", told, facts, Vec::new())
}

/// How an agreement stands.
#[must_use]
pub fn state(standing: Standing) -> proto::State {
    match standing {
        Standing::Absent => proto::State::Absent,
        Standing::Drafted => proto::State::Drafted,
        Standing::PartiallySigned => proto::State::PartiallySigned,
        Standing::NotBegun => proto::State::NotBegun,
        Standing::InForce => proto::State::InForce,
        Standing::Suspended => proto::State::Suspended,
        Standing::Completed => proto::State::Completed,
        Standing::Expired => proto::State::Expired,
        Standing::Terminated => proto::State::Terminated,
        Standing::DraftCancelled => proto::State::DraftCancelled,
    }
}

fn end(stage: &Stage) -> Option<proto::End> {
    let (standing, from, reason, authority, proof) = match stage {
        Stage::Drafted | Stage::PartiallySigned | Stage::Signed | Stage::Suspended => return None,
        Stage::Completed { out_of_force_from, documents } => {
            (Standing::Completed, out_of_force_from, "", "", documents.as_slice())
        }
        Stage::Terminated { reason, authority, out_of_force_from } => {
            (Standing::Terminated, out_of_force_from, reason.as_str(), authority.as_str(), &[][..])
        }
        Stage::DraftCancelled { reason, on } => (Standing::DraftCancelled, on, reason.as_str(), "", &[][..]),
    };
    Some(proto::End {
        state: state(standing).into(),
        out_of_force_from: from.to_string(),
        reason: reason.to_owned(),
        authority: authority.to_owned(),
        documents: proof.iter().map(document).collect(),
    })
}

fn participant(participant: &Participant) -> proto::Participant {
    let party = &participant.party;
    proto::Participant {
        party_id: party.party.to_string(),
        party: Some(types::Party {
            code: party.code.to_string(),
            kind: party_kind(party.kind).into(),
            region: party.region.as_ref().map(ToString::to_string).unwrap_or_default(),
            name: party.name.clone().unwrap_or_default(),
        }),
        role: match participant.role {
            Role::Participant => proto::Role::Participant,
            Role::Seller => proto::Role::Seller,
            Role::Buyer => proto::Role::Buyer,
        }
        .into(),
    }
}

fn succession(done: &Succession) -> proto::Succession {
    proto::Succession {
        party_id: done.party.to_string(),
        code: done.code.to_string(),
        successor_id: done.successor.to_string(),
        from: done.from.to_string(),
        authority: done.authority.clone(),
    }
}

/// A term, when it is in force and by whose authority.
#[must_use]
pub fn period(period: &Period) -> proto::Period {
    let Term { from, until } = period.term;
    proto::Period {
        term: Some(proto::Term { from: from.to_string(), until: until.to_string() }),
        in_force_from: text(period.in_force_from),
        authority: period.authority.clone().unwrap_or_default(),
    }
}

fn suspension(suspension: &Suspension) -> proto::Suspension {
    let resumed = suspension.resumed.as_ref();
    proto::Suspension {
        cause: suspension.cause.clone(),
        authority: suspension.authority.clone(),
        from: suspension.from.to_string(),
        resumed_from: text(resumed.map(|resumed| resumed.from)),
        resumed_authority: resumed.map(|resumed| resumed.authority.clone()).unwrap_or_default(),
    }
}

fn signature(signature: &Signature) -> proto::Signature {
    proto::Signature {
        party_id: signature.party.to_string(),
        signatory: signature.signatory.to_string(),
        authority: signature.authority.clone(),
        signed_on: signature.signed_on.to_string(),
    }
}

fn pending(pending: &Pending) -> proto::PendingAmendment {
    let material = pending.material.iter().map(|field| match field {
        AgreementField::Title => proto::AgreementField::Title,
        AgreementField::TermEnd => proto::AgreementField::TermEnd,
        AgreementField::Value => proto::AgreementField::Value,
        AgreementField::Obligations => proto::AgreementField::Obligations,
    });
    proto::PendingAmendment {
        version: pending.number,
        changes: Some(changes(&pending.changes)),
        material: material.map(Into::into).collect(),
        documents: pending.documents.iter().map(document).collect(),
        proposed_on: pending.proposed_on.to_string(),
        signatures: pending.signatures.iter().map(signature).collect(),
    }
}

fn changes(changes: &Changes) -> proto::Changes {
    proto::Changes {
        title: changes.title.clone().unwrap_or_default(),
        term_end: text(changes.term_end),
        value: changes.value.map(money),
        obligations: changes
            .obligations
            .as_ref()
            .map(|list| proto::Obligations { obligations: list.iter().map(obligation).collect() }),
    }
}

fn obligation(owed: &Obligation) -> proto::Obligation {
    let kind = match owed.kind {
        ObligationKind::Obligation => proto::ObligationKind::Obligation,
        ObligationKind::Milestone => proto::ObligationKind::Milestone,
    };
    proto::Obligation {
        number: owed.number,
        kind: kind.into(),
        party: owed.party.to_string(),
        text: owed.text.clone(),
        due_on: owed.due_on.to_string(),
    }
}

fn fulfilment(done: &Fulfilment) -> proto::Fulfilment {
    proto::Fulfilment { on: done.on.to_string(), evidence: done.evidence.iter().map(document).collect() }
}

fn meeting(number: u32, held: &Meeting) -> proto::Meeting {
    let kind = match held.kind {
        MeetingKind::Consultation => proto::MeetingKind::Consultation,
        MeetingKind::Visit => proto::MeetingKind::Visit,
    };
    let items = held.action_items.iter().map(|item| proto::ActionItemStatus {
        item: Some(action_item(item)),
        closed: held.closed.get(&item.number).map(fulfilment),
    });
    proto::Meeting {
        number,
        kind: kind.into(),
        held_on: held.held_on.to_string(),
        parties: held.parties.iter().map(ToString::to_string).collect(),
        minutes: Some(document(&held.minutes)),
        action_items: items.collect(),
    }
}

fn action_item(item: &ActionItem) -> proto::ActionItem {
    proto::ActionItem {
        number: item.number,
        party: item.party.to_string(),
        text: item.text.clone(),
        due_on: item.due_on.to_string(),
    }
}

fn registration(registration: &Registration) -> proto::Registration {
    let (state, entry, reason, authority) = match &registration.stage {
        RegistrationStage::Submitted => (proto::RegistrationState::Submitted, None, "", ""),
        RegistrationStage::Registered(entry) => (proto::RegistrationState::Registered, Some(entry), "", ""),
        RegistrationStage::Refused(why) => (proto::RegistrationState::Refused, None, why.as_str(), ""),
        RegistrationStage::Revoked { entry, reason, authority } => {
            (proto::RegistrationState::Revoked, Some(entry), reason.as_str(), authority.as_str())
        }
    };
    proto::Registration {
        registrar: registration.registrar.clone(),
        state: state.into(),
        number: entry.map(|entry| entry.number.clone()).unwrap_or_default(),
        class: entry.map(|entry| entry.class.clone()).unwrap_or_default(),
        technology_income: entry.map(|entry| money(entry.technology_income)),
        registered_on: text(entry.map(|entry| entry.registered_on)),
        reason: reason.to_owned(),
        authority: authority.to_owned(),
    }
}

fn document(document: &Document) -> proto::Document {
    proto::Document {
        sha256: document.sha256.to_string(),
        archive_number: document.archive_number.clone().unwrap_or_default(),
    }
}

fn money(value: Value) -> types::Money {
    types::Money::new(value.amount_minor, value.currency.to_string())
}

fn kind(kind: AgreementKind) -> proto::AgreementKind {
    match kind {
        AgreementKind::Framework => proto::AgreementKind::Framework,
        AgreementKind::CityOrCounty => proto::AgreementKind::CityOrCounty,
        AgreementKind::LongTerm => proto::AgreementKind::LongTerm,
        AgreementKind::CoBuiltFacility => proto::AgreementKind::CoBuiltFacility,
        AgreementKind::JointResearch => proto::AgreementKind::JointResearch,
        AgreementKind::NationalProject => proto::AgreementKind::NationalProject,
        AgreementKind::TalentTraining => proto::AgreementKind::TalentTraining,
        AgreementKind::TechnologyContract => proto::AgreementKind::TechnologyContract,
    }
}

fn technology(of: Option<TechnologyContractType>) -> proto::TechnologyContractType {
    match of {
        None => proto::TechnologyContractType::Unspecified,
        Some(TechnologyContractType::Development) => proto::TechnologyContractType::Development,
        Some(TechnologyContractType::Transfer) => proto::TechnologyContractType::Transfer,
        Some(TechnologyContractType::Licence) => proto::TechnologyContractType::Licence,
        Some(TechnologyContractType::Consulting) => proto::TechnologyContractType::Consulting,
        Some(TechnologyContractType::Service) => proto::TechnologyContractType::Service,
    }
}
