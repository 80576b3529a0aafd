//! Each request's command about an agreement.

use super::{
    Asked,
    values::{
        agreement_id, as_value, document, documents, evidence, line, obligations, signing, term, value,
    },
};
use crate::{
    Command,
    agreement::{
        AgreementCommand,
        amendment::AmendmentCommand,
        draft::{Draft, DraftParty},
        force::ForceCommand,
        registration::RegistrationCommand,
        work::WorkCommand,
    },
    bounds::{ACTION_ITEMS_MAX, PARTIES_MAX},
};
use concord_chassis::{
    ask,
    edge::{Choice, Reading, whole},
};
use concord_events::agreement::{
    ActionItem, AgreementKind, Changes, MeetingKind, Role, TechnologyContractType,
};
use concord_kernel::{id::AgreementId, party::PartyCode};
use concord_proto::agreement::v1 as proto;

// Into force and out of it.

ask!(Command: proto::DraftAgreementRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let kind = kind(reading, this.kind);
    let title = line(reading, "title", &this.title);
    let parties = parties(reading, &this.parties);
    let term = term(reading, this.term.as_ref());
    let parent = match this.parent_id.as_str() {
        "" => Some(None),
        parent => reading.faults.require_uuid("parent_id", parent).map(|id| Some(AgreementId(id))),
    };
    let project_number = match this.project_number.as_str() {
        "" => Some(None),
        number => line(reading, "project_number", number).map(Some),
    };
    let technology = technology(reading, this.technology);
    let value = value(reading, "value", this.value.as_ref());
    let obligations = obligations(reading, "obligations", &this.obligations);
    let documents = documents(reading, "documents", &this.documents);
    let draft = Draft {
        kind: kind?,
        title: title?,
        parties: parties?,
        term: term?,
        parent: parent?,
        project_number: project_number?,
        technology: technology?,
        value: value?,
        obligations: obligations?,
        documents: documents?,
        synthetic: this.synthetic,
    };
    Some(of(id?, AgreementCommand::Draft(Box::new(draft))))
});

ask!(Command: proto::SignAgreementRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let signing = signing(reading, &this.party, &this.signatory, &this.authority);
    Some(force(id?, ForceCommand::Sign(signing?)))
});

ask!(Command: proto::CancelDraftRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let reason = line(reading, "reason", &this.reason);
    Some(force(id?, ForceCommand::CancelDraft { reason: reason? }))
});

ask!(Command: proto::SuspendAgreementRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let cause = line(reading, "cause", &this.cause);
    let authority = line(reading, "authority", &this.authority);
    Some(force(id?, ForceCommand::Suspend { cause: cause?, authority: authority? }))
});

ask!(Command: proto::ResumeAgreementRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let authority = line(reading, "authority", &this.authority);
    Some(force(id?, ForceCommand::Resume { authority: authority? }))
});

ask!(Command: proto::RenewAgreementRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let term = term(reading, this.term.as_ref());
    let authority = line(reading, "authority", &this.authority);
    let documents = documents(reading, "documents", &this.documents);
    Some(force(id?, ForceCommand::Renew { term: term?, authority: authority?, documents: documents? }))
});

ask!(Command: proto::CompleteAgreementRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let documents = documents(reading, "documents", &this.documents);
    Some(force(id?, ForceCommand::Complete { documents: documents? }))
});

ask!(Command: proto::TerminateAgreementRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let reason = line(reading, "reason", &this.reason);
    let authority = line(reading, "authority", &this.authority);
    let from = reading.faults.date("out_of_force_from", &this.out_of_force_from);
    let terminate =
        ForceCommand::Terminate { reason: reason?, authority: authority?, out_of_force_from: from? };
    Some(force(id?, terminate))
});

// Amendments and succession.

ask!(Command: proto::ProposeAmendmentRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let changes = changes(reading, this.changes.as_ref());
    let authority = line(reading, "authority", &this.authority);
    let documents = documents(reading, "documents", &this.documents);
    let propose =
        AmendmentCommand::Propose { changes: changes?, authority: authority?, documents: documents? };
    Some(amendment(id?, propose))
});

ask!(Command: proto::SignAmendmentRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let version = number(reading, "version", this.version);
    let signing = signing(reading, &this.party, &this.signatory, &this.authority);
    Some(amendment(id?, AmendmentCommand::Sign { version: version?, signing: signing? }))
});

ask!(Command: proto::AbandonAmendmentRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let version = number(reading, "version", this.version);
    let reason = line(reading, "reason", &this.reason);
    Some(amendment(id?, AmendmentCommand::Abandon { version: version?, reason: reason? }))
});

ask!(Command: proto::SucceedPartyRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let party = reading.party_code("party", &this.party);
    let successor = reading.party_code("successor", &this.successor);
    let authority = line(reading, "authority", &this.authority);
    let succeed =
        AgreementCommand::Succeed { party: party?, successor: successor?, authority: authority? };
    Some(of(id?, succeed))
});

// What is done under it.

ask!(Command: proto::FulfilObligationRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let number = number(reading, "obligation", this.obligation);
    let evidence = evidence(reading, &this.evidence);
    Some(work(id?, WorkCommand::FulfilObligation { number: number?, evidence: evidence? }))
});

ask!(Command: proto::MinuteMeetingRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let kind = meeting_kind(reading, this.kind);
    let parties = codes(reading, &this.parties);
    let minutes = document(reading, "minutes", this.minutes.as_ref());
    let action_items = action_items(reading, &this.action_items);
    let minute = WorkCommand::MinuteMeeting {
        kind: kind?,
        parties: parties?,
        minutes: minutes?,
        action_items: action_items?,
    };
    Some(work(id?, minute))
});

ask!(Command: proto::CloseActionItemRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let meeting = number(reading, "meeting", this.meeting);
    let item = number(reading, "item", this.item);
    let evidence = evidence(reading, &this.evidence);
    let close = WorkCommand::CloseActionItem { meeting: meeting?, item: item?, evidence: evidence? };
    Some(work(id?, close))
});

// Registration.

ask!(Command: proto::SubmitRegistrationRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let registrar = line(reading, "registrar", &this.registrar);
    Some(registration(id?, RegistrationCommand::Submit { registrar: registrar? }))
});

ask!(Command: proto::RegisterContractRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let number = line(reading, "number", &this.number);
    let class = line(reading, "class", &this.class);
    let income = reading.faults.require("technology_income", this.technology_income.as_ref());
    // Verified income may be nothing at all.
    let income = reading.optional_amount("technology_income", income, 0);
    let register = RegistrationCommand::Register {
        number: number?,
        class: class?,
        technology_income: income.map(as_value)?,
    };
    Some(registration(id?, register))
});

ask!(Command: proto::RefuseRegistrationRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let reason = line(reading, "reason", &this.reason);
    Some(registration(id?, RegistrationCommand::Refuse { reason: reason? }))
});

ask!(Command: proto::RevokeRegistrationRequest, |this, reading| {
    let id = agreement_id(reading, &this.agreement_id);
    let reason = line(reading, "reason", &this.reason);
    let authority = line(reading, "authority", &this.authority);
    Some(registration(id?, RegistrationCommand::Revoke { reason: reason?, authority: authority? }))
});

fn of(id: AgreementId, command: AgreementCommand) -> Asked {
    Asked::of(id.stream(), Command::Agreement(id, command))
}

fn force(id: AgreementId, command: ForceCommand) -> Asked {
    of(id, AgreementCommand::Force(command))
}

fn amendment(id: AgreementId, command: AmendmentCommand) -> Asked {
    of(id, AgreementCommand::Amendment(command))
}

fn work(id: AgreementId, command: WorkCommand) -> Asked {
    of(id, AgreementCommand::Work(command))
}

fn registration(id: AgreementId, command: RegistrationCommand) -> Asked {
    of(id, AgreementCommand::Registration(command))
}

/// A number from 1.
fn number(reading: &mut Reading<'_>, field: &str, number: u32) -> Option<u32> {
    reading.faults.require(field, (number > 0).then_some(number))
}

fn kind(reading: &mut Reading<'_>, kind: i32) -> Option<AgreementKind> {
    const KIND: Choice = Choice { one: "a kind", noun: "kind of agreement", of: "AgreementKind" };
    reading.choice("kind", kind, KIND, |kind| match kind {
        proto::AgreementKind::Unspecified => None,
        proto::AgreementKind::Framework => Some(AgreementKind::Framework),
        proto::AgreementKind::CityOrCounty => Some(AgreementKind::CityOrCounty),
        proto::AgreementKind::LongTerm => Some(AgreementKind::LongTerm),
        proto::AgreementKind::CoBuiltFacility => Some(AgreementKind::CoBuiltFacility),
        proto::AgreementKind::JointResearch => Some(AgreementKind::JointResearch),
        proto::AgreementKind::NationalProject => Some(AgreementKind::NationalProject),
        proto::AgreementKind::TalentTraining => Some(AgreementKind::TalentTraining),
        proto::AgreementKind::TechnologyContract => Some(AgreementKind::TechnologyContract),
    })
}

/// A technology contract's type: the outer `None` with a fault, the inner one where it is unspecified. Which kinds have
/// one, the agreement says.
fn technology(reading: &mut Reading<'_>, of: i32) -> Option<Option<TechnologyContractType>> {
    const TYPE: Choice =
        Choice { one: "a type", noun: "type of technology contract", of: "TechnologyContractType" };
    if of == 0 {
        return Some(None);
    }
    let read = reading.choice("technology", of, TYPE, |of| match of {
        proto::TechnologyContractType::Unspecified => None,
        proto::TechnologyContractType::Development => Some(TechnologyContractType::Development),
        proto::TechnologyContractType::Transfer => Some(TechnologyContractType::Transfer),
        proto::TechnologyContractType::Licence => Some(TechnologyContractType::Licence),
        proto::TechnologyContractType::Consulting => Some(TechnologyContractType::Consulting),
        proto::TechnologyContractType::Service => Some(TechnologyContractType::Service),
    });
    read.map(Some)
}

fn meeting_kind(reading: &mut Reading<'_>, kind: i32) -> Option<MeetingKind> {
    const KIND: Choice = Choice { one: "a kind", noun: "kind of meeting", of: "MeetingKind" };
    reading.choice("kind", kind, KIND, |kind| match kind {
        proto::MeetingKind::Unspecified => None,
        proto::MeetingKind::Consultation => Some(MeetingKind::Consultation),
        proto::MeetingKind::Visit => Some(MeetingKind::Visit),
    })
}

/// A role; a participant where it is unspecified.
fn role(reading: &mut Reading<'_>, field: &str, role: i32) -> Option<Role> {
    const ROLE: Choice = Choice { one: "a role", noun: "role", of: "Role" };
    reading.choice(field, role, ROLE, |role| match role {
        proto::Role::Unspecified | proto::Role::Participant => Some(Role::Participant),
        proto::Role::Seller => Some(Role::Seller),
        proto::Role::Buyer => Some(Role::Buyer),
    })
}

fn parties(reading: &mut Reading<'_>, parties: &[proto::DraftParty]) -> Option<Vec<DraftParty>> {
    if too_many(reading, "parties", parties.len(), PARTIES_MAX) {
        return None;
    }
    whole(parties.iter().enumerate().map(|(index, party)| {
        let code = reading.party_code(&format!("parties[{index}].code"), &party.code);
        let role = role(reading, &format!("parties[{index}].role"), party.role);
        Some(DraftParty { code: code?, role: role? })
    }))
}

fn codes(reading: &mut Reading<'_>, codes: &[String]) -> Option<Vec<PartyCode>> {
    if too_many(reading, "parties", codes.len(), PARTIES_MAX) {
        return None;
    }
    whole(
        codes.iter().enumerate().map(|(index, code)| reading.party_code(&format!("parties[{index}]"), code)),
    )
}

fn action_items(reading: &mut Reading<'_>, items: &[proto::ActionItem]) -> Option<Vec<ActionItem>> {
    if too_many(reading, "action_items", items.len(), ACTION_ITEMS_MAX) {
        return None;
    }
    whole(items.iter().enumerate().map(|(index, item)| {
        let field = |name: &str| format!("action_items[{index}].{name}");
        let party = reading.party_code(&field("party"), &item.party);
        let text = line(reading, &field("text"), &item.text);
        let due_on = reading.faults.date(&field("due_on"), &item.due_on);
        Some(ActionItem { number: item.number, party: party?, text: text?, due_on: due_on? })
    }))
}

fn too_many(reading: &mut Reading<'_>, field: &str, count: usize, max: usize) -> bool {
    if count > max {
        reading.faults.add(field, format!("are {count}; {max} are the most"));
    }
    count > max
}

/// What an amendment changes; something, at least.
fn changes(reading: &mut Reading<'_>, changes: Option<&proto::Changes>) -> Option<Changes> {
    let changes = reading.faults.require("changes", changes)?;
    let title = match changes.title.as_str() {
        "" => Some(None),
        title => line(reading, "changes.title", title).map(Some),
    };
    let term_end = match changes.term_end.as_str() {
        "" => Some(None),
        date => reading.faults.date("changes.term_end", date).map(Some),
    };
    let value = value(reading, "changes.value", changes.value.as_ref());
    let obligations = match &changes.obligations {
        None => Some(None),
        Some(list) => obligations(reading, "changes.obligations.obligations", &list.obligations).map(Some),
    };
    let read = Changes { title: title?, term_end: term_end?, value: value?, obligations: obligations? };
    if read == Changes::default() {
        return reading.faults.require("changes", None);
    }
    Some(read)
}
