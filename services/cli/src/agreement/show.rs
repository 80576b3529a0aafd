//! An agreement as people and programs read it.

use concord_proto::agreement::v1::{
    Agreement, Document, Fulfilment, GetVersionInForceResponse, Meeting, Obligation, ObligationStatus,
    Participant, PendingAmendment, Period, Registration, Signature, Suspension, Version,
};
use serde_json::{Value, json};

use crate::output::{money, money_json, print_fields, table};
use crate::words::{
    self, AGREEMENT_KINDS, AGREEMENT_STATES, KINDS, MEETING_KINDS, OBLIGATION_KINDS, REGISTRATION_STATES,
    ROLES, TECHNOLOGIES,
};

/// Prints an agreement with its parties, terms, versions and obligations.
pub(super) fn print(agreement: &Agreement, position: u64) {
    let mut title = agreement.title.clone();
    if agreement.synthetic {
        title.push_str(" [synthetic 模拟]");
    }
    let end = agreement.end.as_ref().map(|end| {
        let why = [end.reason.as_str(), end.authority.as_str()].join(" ");
        format!("{} from {} {}", words::both(AGREEMENT_STATES, end.state), end.out_of_force_from, why.trim())
    });
    print_fields(&[
        ("agreement 协议", agreement.agreement_id.clone()),
        ("kind 类别", words::both(AGREEMENT_KINDS, agreement.kind)),
        ("title 名称", title),
        ("state 状态", format!("{} on {}", words::both(AGREEMENT_STATES, agreement.state), agreement.on)),
        ("under 所属框架协议", agreement.parent_id.clone()),
        ("project number 国家项目编号", agreement.project_number.clone()),
        ("technology 技术合同类别", words::both(TECHNOLOGIES, agreement.technology)),
        ("drafted 起草", agreement.drafted_on.clone()),
        ("registration 认定登记", agreement.registration.as_ref().map(registered).unwrap_or_default()),
        ("ended 结束", end.unwrap_or_default()),
        ("version 版本", agreement.version.to_string()),
        ("as of 截至", position.to_string()),
    ]);
    let mut parties = table(&["party 主体", "role 角色", "kind 类别", "name 名称", "id 编号"]);
    for participant in &agreement.parties {
        let party = participant.party.clone().unwrap_or_default();
        parties.add_row([
            party.code,
            words::both(ROLES, participant.role),
            words::both(KINDS, party.kind),
            party.name,
            participant.party_id.clone(),
        ]);
    }
    println!("{parties}");
    let mut terms = table(&["term 期限", "in force from 生效日", "authority 文号"]);
    for period in &agreement.periods {
        terms.add_row([term(period), period.in_force_from.clone(), period.authority.clone()]);
    }
    println!("{terms}");
    for version in &agreement.versions {
        print_signatures(version);
    }
    if let Some(pending) = &agreement.pending {
        let signed = pending.signatures.len();
        println!("version {} waits for signatures, {signed} so far 待签署变更", pending.version);
    }
    print_obligations(&agreement.obligations);
}

fn print_obligations(obligations: &[ObligationStatus]) {
    if obligations.is_empty() {
        return;
    }
    let mut owed = table(&[">no. 序号", "kind 类别", "party 主体", "what 内容", "due 期限", "done 完成"]);
    for status in obligations {
        let obligation = status.obligation.clone().unwrap_or_default();
        owed.add_row([
            obligation.number.to_string(),
            words::both(OBLIGATION_KINDS, obligation.kind),
            obligation.party,
            obligation.text,
            obligation.due_on,
            status.fulfilment.as_ref().map(|done| done.on.clone()).unwrap_or_default(),
        ]);
    }
    println!("{owed}");
}

fn term(period: &Period) -> String {
    let term = period.term.clone().unwrap_or_default();
    format!("{} – {}", term.from, term.until)
}

fn registered(registration: &Registration) -> String {
    let state = words::both(REGISTRATION_STATES, registration.state);
    format!("{state} {} {} {}", registration.registrar, registration.number, registration.reason)
        .trim()
        .to_owned()
}

/// Prints the version that was in force on a day.
pub(super) fn print_version(answer: &GetVersionInForceResponse) {
    let version = answer.version.clone().unwrap_or_default();
    let period = answer.period.clone().unwrap_or_default();
    print_fields(&[
        ("version 版本", version.number.to_string()),
        ("state 状态", words::both(AGREEMENT_STATES, answer.state)),
        ("holds from 自", version.from.clone()),
        ("title 名称", version.title.clone()),
        ("term 期限", term(&period)),
        ("in force from 生效日", period.in_force_from.clone()),
        ("renewal 续签文号", period.authority.clone()),
        ("value 成交额", version.value.as_ref().map(money).unwrap_or_default()),
        ("authority 文号", version.authority.clone()),
        ("as of 截至", answer.position.to_string()),
    ]);
    print_signatures(&version);
}

fn print_signatures(version: &Version) {
    let since = if version.from.is_empty() { "not in force yet 未生效" } else { &version.from };
    let authority =
        if version.authority.is_empty() { String::new() } else { format!(" ({})", version.authority) };
    println!("version 版本 {}, from 自 {since}: {}{authority}", version.number, version.title);
    if version.signatures.is_empty() {
        return;
    }
    let mut signed = table(&["party 主体", "signatory 签署人", "authority 文号", "signed 签署日"]);
    for signature in &version.signatures {
        signed.add_row([
            signature.party_id.clone(),
            signature.signatory.clone(),
            signature.authority.clone(),
            signature.signed_on.clone(),
        ]);
    }
    println!("{signed}");
}

/// An agreement as JSON.
pub(super) fn json(agreement: &Agreement, position: u64) -> Value {
    let successions = agreement.successions.iter().map(|done| {
        json!({
            "party_id": done.party_id,
            "code": done.code,
            "successor_id": done.successor_id,
            "from": done.from,
            "authority": done.authority,
        })
    });
    let obligations = agreement.obligations.iter().map(|status| {
        json!({
            "obligation": status.obligation.as_ref().map(obligation_json),
            "fulfilment": status.fulfilment.as_ref().map(fulfilment_json),
        })
    });
    let end = agreement.end.as_ref().map(|end| {
        json!({
            "state": words::word(AGREEMENT_STATES, end.state),
            "out_of_force_from": end.out_of_force_from,
            "reason": end.reason,
            "authority": end.authority,
            "documents": documents_json(&end.documents),
        })
    });
    json!({
        "agreement_id": agreement.agreement_id,
        "kind": words::word(AGREEMENT_KINDS, agreement.kind),
        "state": words::word(AGREEMENT_STATES, agreement.state),
        "on": agreement.on,
        "title": agreement.title,
        "parent_id": agreement.parent_id,
        "project_number": agreement.project_number,
        "technology": words::word(TECHNOLOGIES, agreement.technology),
        "synthetic": agreement.synthetic,
        "drafted_on": agreement.drafted_on,
        "parties": agreement.parties.iter().map(participant_json).collect::<Vec<_>>(),
        "successions": successions.collect::<Vec<_>>(),
        "periods": agreement.periods.iter().map(period_json).collect::<Vec<_>>(),
        "suspensions": agreement.suspensions.iter().map(suspension_json).collect::<Vec<_>>(),
        "versions": agreement.versions.iter().map(version_json).collect::<Vec<_>>(),
        "pending": agreement.pending.as_ref().map(pending_json),
        "obligations": obligations.collect::<Vec<_>>(),
        "meetings": agreement.meetings.iter().map(meeting_json).collect::<Vec<_>>(),
        "registration": agreement.registration.as_ref().map(registration_json),
        "end": end,
        "version": agreement.version,
        "position": position,
    })
}

/// The version that was in force on a day as JSON.
pub(super) fn version_in_force_json(answer: &GetVersionInForceResponse) -> Value {
    json!({
        "version": version_json(&answer.version.clone().unwrap_or_default()),
        "period": answer.period.as_ref().map(period_json),
        "state": words::word(AGREEMENT_STATES, answer.state),
        "position": answer.position,
    })
}

fn participant_json(participant: &Participant) -> Value {
    let party = participant.party.clone().unwrap_or_default();
    json!({
        "party_id": participant.party_id,
        "code": party.code,
        "kind": words::word(KINDS, party.kind),
        "region": party.region,
        "name": party.name,
        "role": words::word(ROLES, participant.role),
    })
}

fn period_json(period: &Period) -> Value {
    let term = period.term.clone().unwrap_or_default();
    json!({
        "from": term.from,
        "until": term.until,
        "in_force_from": period.in_force_from,
        "authority": period.authority,
    })
}

fn suspension_json(suspension: &Suspension) -> Value {
    json!({
        "cause": suspension.cause,
        "authority": suspension.authority,
        "from": suspension.from,
        "resumed_from": suspension.resumed_from,
        "resumed_authority": suspension.resumed_authority,
    })
}

fn version_json(version: &Version) -> Value {
    json!({
        "number": version.number,
        "from": version.from,
        "title": version.title,
        "term_end": version.term_end,
        "value": money_json(&version.value),
        "obligations": version.obligations.iter().map(obligation_json).collect::<Vec<_>>(),
        "signatures": version.signatures.iter().map(signature_json).collect::<Vec<_>>(),
        "authority": version.authority,
        "documents": documents_json(&version.documents),
    })
}

fn signature_json(signature: &Signature) -> Value {
    json!({
        "party_id": signature.party_id,
        "signatory": signature.signatory,
        "authority": signature.authority,
        "signed_on": signature.signed_on,
    })
}

fn pending_json(pending: &PendingAmendment) -> Value {
    let changes = pending.changes.clone().unwrap_or_default();
    let obligations =
        changes.obligations.map(|list| list.obligations.iter().map(obligation_json).collect::<Vec<_>>());
    json!({
        "version": pending.version,
        "title": changes.title,
        "term_end": changes.term_end,
        "value": money_json(&changes.value),
        "obligations": obligations,
        "documents": documents_json(&pending.documents),
        "proposed_on": pending.proposed_on,
        "signatures": pending.signatures.iter().map(signature_json).collect::<Vec<_>>(),
    })
}

fn obligation_json(obligation: &Obligation) -> Value {
    json!({
        "number": obligation.number,
        "kind": words::word(OBLIGATION_KINDS, obligation.kind),
        "party": obligation.party,
        "text": obligation.text,
        "due_on": obligation.due_on,
    })
}

fn fulfilment_json(done: &Fulfilment) -> Value {
    json!({"on": done.on, "evidence": documents_json(&done.evidence)})
}

fn meeting_json(meeting: &Meeting) -> Value {
    let items = meeting.action_items.iter().map(|status| {
        let item = status.item.clone().unwrap_or_default();
        json!({
            "number": item.number,
            "party": item.party,
            "text": item.text,
            "due_on": item.due_on,
            "closed": status.closed.as_ref().map(fulfilment_json),
        })
    });
    json!({
        "number": meeting.number,
        "kind": words::word(MEETING_KINDS, meeting.kind),
        "held_on": meeting.held_on,
        "parties": meeting.parties,
        "minutes": meeting.minutes.as_ref().map(document_json),
        "action_items": items.collect::<Vec<_>>(),
    })
}

fn registration_json(registration: &Registration) -> Value {
    json!({
        "registrar": registration.registrar,
        "state": words::word(REGISTRATION_STATES, registration.state),
        "number": registration.number,
        "class": registration.class,
        "technology_income": money_json(&registration.technology_income),
        "registered_on": registration.registered_on,
        "reason": registration.reason,
        "authority": registration.authority,
    })
}

fn documents_json(documents: &[Document]) -> Vec<Value> {
    documents.iter().map(document_json).collect()
}

fn document_json(document: &Document) -> Value {
    json!({"sha256": document.sha256, "archive_number": document.archive_number})
}
