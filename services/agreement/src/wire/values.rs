//! Values that several requests of this service have.

use crate::{
    agreement::Signing,
    bounds::{DOCUMENTS_MAX, LINE_BYTES_MAX, OBLIGATIONS_MAX},
};
use concord_chassis::edge::{Choice, ID_BYTES_MAX, Reading, whole};
use concord_events::{
    agreement::{Obligation, ObligationKind, Term, Value},
    document::{Document, Sha256},
};
use concord_kernel::{
    id::{AgreementId, PersonId},
    money::Amount,
};
use concord_proto::{agreement::v1 as proto, r#type::v1::Money};

pub(super) fn agreement_id(reading: &mut Reading<'_>, text: &str) -> Option<AgreementId> {
    reading.faults.require_uuid("agreement_id", text).map(AgreementId)
}

/// A text of one line that must be there.
pub(super) fn line(reading: &mut Reading<'_>, field: &str, text: &str) -> Option<String> {
    reading.faults.text(field, text, LINE_BYTES_MAX, true)
}

pub(super) fn term(reading: &mut Reading<'_>, term: Option<&proto::Term>) -> Option<Term> {
    let term = reading.faults.require("term", term)?;
    let from = reading.faults.date("term.from", &term.from);
    let until = reading.faults.date("term.until", &term.until);
    Some(Term { from: from?, until: until? })
}

/// A value above zero: the outer `None` with a fault, the inner one where it is absent.
pub(super) fn value(reading: &mut Reading<'_>, field: &str, money: Option<&Money>) -> Option<Option<Value>> {
    if money.is_none() {
        return Some(None);
    }
    reading.amount(field, money, 1).map(|amount| Some(as_value(amount)))
}

pub(super) fn as_value(Amount { minor, currency }: Amount) -> Value {
    Value { amount_minor: minor, currency }
}

pub(super) fn document(
    reading: &mut Reading<'_>,
    field: &str,
    document: Option<&proto::Document>,
) -> Option<Document> {
    let document = reading.faults.require(field, document)?;
    let sha256 = Sha256::parse(&document.sha256)
        .map_err(|fault| reading.faults.add(format!("{field}.sha256"), fault.to_string()))
        .ok();
    let field = format!("{field}.archive_number");
    let faults = &mut reading.faults;
    let archive_number = match document.archive_number.as_str() {
        "" => Some(None),
        number => faults.text(&field, number, ID_BYTES_MAX, true).map(Some),
    };
    Some(Document { sha256: sha256?, archive_number: archive_number? })
}

pub(super) fn documents(
    reading: &mut Reading<'_>,
    field: &str,
    documents: &[proto::Document],
) -> Option<Vec<Document>> {
    if documents.len() > DOCUMENTS_MAX {
        reading.faults.add(field, format!("are {}; {DOCUMENTS_MAX} are the most", documents.len()));
        return None;
    }
    whole(
        documents
            .iter()
            .enumerate()
            .map(|(index, one)| document(reading, &format!("{field}[{index}]"), Some(one))),
    )
}

/// Evidence: at least one document.
pub(super) fn evidence(reading: &mut Reading<'_>, evidence: &[proto::Document]) -> Option<Vec<Document>> {
    if evidence.is_empty() {
        return reading.faults.require("evidence", None);
    }
    documents(reading, "evidence", evidence)
}

/// Obligations and milestones; `field` is the list.
pub(super) fn obligations(
    reading: &mut Reading<'_>,
    field: &str,
    obligations: &[proto::Obligation],
) -> Option<Vec<Obligation>> {
    const KIND: Choice = Choice { one: "a kind", noun: "kind of obligation", of: "ObligationKind" };
    if obligations.len() > OBLIGATIONS_MAX {
        reading.faults.add(field, format!("are {}; {OBLIGATIONS_MAX} are the most", obligations.len()));
        return None;
    }
    whole(obligations.iter().enumerate().map(|(index, one)| {
        let field = |name: &str| format!("{field}[{index}].{name}");
        let kind = reading.choice(&field("kind"), one.kind, KIND, |kind| match kind {
            proto::ObligationKind::Unspecified => None,
            proto::ObligationKind::Obligation => Some(ObligationKind::Obligation),
            proto::ObligationKind::Milestone => Some(ObligationKind::Milestone),
        });
        let party = reading.party_code(&field("party"), &one.party);
        let text = line(reading, &field("text"), &one.text);
        let due_on = reading.faults.date(&field("due_on"), &one.due_on);
        Some(Obligation { number: one.number, kind: kind?, party: party?, text: text?, due_on: due_on? })
    }))
}

/// A signature: who signs, by which person, under what authority.
pub(super) fn signing(
    reading: &mut Reading<'_>,
    party: &str,
    signatory: &str,
    authority: &str,
) -> Option<Signing> {
    let party = reading.party_code("party", party);
    let signatory = reading.faults.text("signatory", signatory, ID_BYTES_MAX, true).and_then(|text| {
        PersonId::new(text).map_err(|fault| reading.faults.add("signatory", fault.to_string())).ok()
    });
    let authority = line(reading, "authority", authority);
    Some(Signing { party: party?, signatory: signatory?, authority: authority? })
}
