//! Rectifications.

use super::{Asked, grant_id};
use crate::{
    Command,
    rectification::{Charge, Conclusion, RectificationCommand, id_as_written, id_of},
};
use concord_chassis::{
    ask,
    edge::{ID_BYTES_MAX, REASON_BYTES_MAX, Reading, TEXT_BYTES_MAX},
};
use concord_events::fund::FindingKey;
use concord_kernel::id::{GrantId, RectificationId};
use concord_proto::fund::v1 as fund;

/// Rules of domain.md section 5.
const RULES: std::ops::RangeInclusive<u8> = 1..=20;

ask!(Command: fund::AssignRectificationRequest, |this, reading| {
    let finding = finding(reading, this.finding.as_ref());
    let grant = optional_grant(reading, &this.grant_id);
    let owner = reading.faults.text("owner", &this.owner, ID_BYTES_MAX, true);
    let deadline = reading.faults.date("deadline", &this.deadline);
    let task = reading.faults.text("task", &this.task, REASON_BYTES_MAX, true);
    let charge = Charge { finding: finding?, grant: grant?, owner: owner?, deadline: deadline?, task: task? };
    // What is stored has the id of the key as it was written; whatever it is decided on goes by its one spelling.
    let (id, written) = (id_of(&charge.finding), id_as_written(&charge.finding));
    Some(Asked::of(id.stream(), Command::Rectification(written, RectificationCommand::Assign(charge))))
});

ask!(Command: fund::ExplainFindingRequest, |this, reading| {
    let id = rectification_id(reading, &this.rectification_id);
    let explanation = reading.faults.text("explanation", &this.explanation, REASON_BYTES_MAX, true);
    Some(rectification(id?, RectificationCommand::Explain { explanation: explanation? }))
});

ask!(Command: fund::RectifyFindingRequest, |this, reading| {
    let id = rectification_id(reading, &this.rectification_id);
    let evidence = reading.faults.text("evidence", &this.evidence, REASON_BYTES_MAX, true);
    Some(conclude(id?, Conclusion::Rectified { evidence: evidence? }))
});

ask!(Command: fund::AcceptExplanationRequest, |this, reading| {
    let id = rectification_id(reading, &this.rectification_id);
    let minutes = reading.faults.text("minutes", &this.minutes, ID_BYTES_MAX, true);
    let reason = reading.reason(&this.reason);
    let seen = reading.optional_amount("amount", this.amount.as_ref(), 0);
    Some(conclude(id?, Conclusion::Accepted { minutes: minutes?, reason: reason?, seen }))
});

ask!(Command: fund::DismissFindingRequest, |this, reading| {
    let id = rectification_id(reading, &this.rectification_id);
    let minutes = reading.faults.text("minutes", &this.minutes, ID_BYTES_MAX, true);
    let reason = reading.reason(&this.reason);
    let seen = reading.optional_amount("amount", this.amount.as_ref(), 0);
    Some(conclude(id?, Conclusion::Dismissed { minutes: minutes?, reason: reason?, seen }))
});

fn rectification(id: RectificationId, command: RectificationCommand) -> Asked {
    Asked::of(id.stream(), Command::Rectification(id, command))
}

fn conclude(id: RectificationId, conclusion: Conclusion) -> Asked {
    rectification(id, RectificationCommand::Conclude(conclusion))
}

fn rectification_id(reading: &mut Reading<'_>, text: &str) -> Option<RectificationId> {
    reading.faults.require_uuid("rectification_id", text).map(RectificationId)
}

/// The grant, where one is named.
fn optional_grant(reading: &mut Reading<'_>, id: &str) -> Option<Option<GrantId>> {
    if id.is_empty() { Some(None) } else { grant_id(reading, "grant_id", id).map(Some) }
}

fn finding(reading: &mut Reading<'_>, finding: Option<&fund::FindingKey>) -> Option<FindingKey> {
    let finding = reading.faults.require("finding", finding)?;
    let rule = finding.rule.trim().to_ascii_uppercase();
    let is_digits = |digits: &&str| digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = rule.strip_prefix('A').filter(is_digits).and_then(|digits| digits.parse::<u8>().ok());
    let number = number.filter(|number| RULES.contains(number));
    if number.is_none() {
        reading.faults.add("finding.rule", format!("is {:?}; name a rule from A01 to A20", finding.rule));
    }
    let subject = reading.faults.text("finding.subject", &finding.subject, TEXT_BYTES_MAX, true);
    if finding.position == 0 {
        reading.faults.add("finding.position", "is missing; positions of the log begin at 1");
    }
    number?;
    Some(FindingKey { rule: finding.rule.clone(), subject: subject?, position: finding.position })
}
