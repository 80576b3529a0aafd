//! Objections, overrides and corrections.

use super::{grant, grant_id};
use crate::{
    Command,
    grant::{GrantCommand, correction::Correct, objection::ObjectionCommand, overriding::RecordOverride},
};
use concord_chassis::{
    ask,
    edge::{Choice, ID_BYTES_MAX, REASON_BYTES_MAX, Reading},
};
use concord_events::fund::OverriddenRule;
use concord_kernel::id::GrantId;
use concord_proto::fund::v1 as fund;

ask!(Command: fund::RaiseObjectionRequest, |this, reading| {
    let of = objection_of(reading, &this.grant_id, this.objection_number);
    let grounds = reading.faults.text("grounds", &this.grounds, REASON_BYTES_MAX, true);
    let (id, number) = of?;
    Some(grant(id, GrantCommand::Objection(number, ObjectionCommand::Raise { grounds: grounds? })))
});

ask!(Command: fund::RejectObjectionRequest, |this, reading| {
    let of = objection_of(reading, &this.grant_id, this.objection_number);
    let reason = reading.reason(&this.reason);
    let (id, number) = of?;
    Some(grant(id, GrantCommand::Objection(number, ObjectionCommand::Reject { reason: reason? })))
});

ask!(Command: fund::UpholdObjectionRequest, |this, reading| {
    let of = objection_of(reading, &this.grant_id, this.objection_number);
    let reason = reading.reason(&this.reason);
    let (id, number) = of?;
    Some(grant(id, GrantCommand::Objection(number, ObjectionCommand::Uphold { reason: reason? })))
});

ask!(Command: fund::RecordOverrideRequest, |this, reading| {
    const RULE: Choice = Choice { one: "a rule", noun: "rule", of: "OverriddenRule" };
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let rule = reading.choice("rule", this.rule, RULE, |rule| match rule {
        fund::OverriddenRule::Unspecified => None,
        fund::OverriddenRule::A07 => Some(OverriddenRule::A07),
    });
    let minutes = reading.faults.text("minutes", &this.minutes, ID_BYTES_MAX, true);
    let reason = reading.reason(&this.reason);
    let command = RecordOverride { rule: rule?, minutes: minutes?, reason: reason? };
    Some(grant(id?, GrantCommand::Override(command)))
});

ask!(Command: fund::CorrectFactRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let position = this.position;
    if position == 0 {
        reading.faults.add("position", "is missing; positions of the log begin at 1");
    }
    let reason = reading.reason(&this.reason);
    let authority = reading.faults.text("authority", &this.authority, ID_BYTES_MAX, true);
    let command = Correct { position, reason: reason?, authority: authority? };
    Some(grant(id?, GrantCommand::Correct(command)))
});

/// Which objection to which grant.
fn objection_of(reading: &mut Reading<'_>, id: &str, number: u32) -> Option<(GrantId, u32)> {
    let id = grant_id(reading, "grant_id", id);
    if number == 0 {
        reading.faults.add("objection_number", "is missing; objections are numbered from 1");
        return None;
    }
    id.map(|id| (id, number))
}
