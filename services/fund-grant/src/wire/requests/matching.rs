//! Requests about matching money.

use super::{super::values, grant, grant_id};
use crate::{
    Command,
    grant::{
        GrantCommand,
        matching::{MatchingCommand, Pledge},
    },
};
use concord_chassis::{
    ask,
    edge::{Choice, ID_BYTES_MAX, Reading, total, whole},
};
use concord_events::fund::{GovernmentLevel, MatchingInstalment, MatchingKind};
use concord_kernel::{id::GrantId, money::Amount};
use concord_proto::fund::v1 as fund;

/// Instalments of one source.
const INSTALMENTS_MAX: usize = 100;

ask!(Command: fund::PledgeMatchingRequest, |this, reading| {
    let of = source_of(reading, &this.grant_id, this.source_number);
    let kind = kind(reading, this.kind);
    let level = level(reading, kind, this.level);
    if kind == Some(MatchingKind::GovernmentBudget) && !this.is_public {
        reading.faults.add("is_public", "is false; a government's budget is public money");
    }
    let payer = match &this.payer {
        None => Some(None),
        payer => values::party(reading, "payer", payer.as_ref(), false).map(Some),
    };
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let instalments = instalments(reading, &this.instalments, amount);
    let (id, number) = of?;
    let pledge = Pledge {
        kind: kind?,
        level: level?,
        is_public: this.is_public,
        payer: payer?,
        amount: amount?,
        instalments: instalments?,
    };
    Some(grant(id, GrantCommand::Matching(number, MatchingCommand::Pledge(Box::new(pledge)))))
});

ask!(Command: fund::RecordMatchingArrivalRequest, |this, reading| {
    let of = source_of(reading, &this.grant_id, this.source_number);
    let instalment = this.instalment_number;
    if instalment == 0 {
        reading.faults.add("instalment_number", "is missing; instalments are numbered from 1");
    }
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let bank_reference = reading.faults.text("bank_reference", &this.bank_reference, ID_BYTES_MAX, true);
    let (id, number) = of?;
    let (amount, bank_reference) = (amount?, bank_reference?);
    let arrival = MatchingCommand::RecordArrival { instalment, amount, bank_reference };
    Some(grant(id, GrantCommand::Matching(number, arrival)))
});

ask!(Command: fund::ReleaseMatchingRequest, |this, reading| {
    let of = source_of(reading, &this.grant_id, this.source_number);
    let reason = reading.reason(&this.reason);
    let minutes = reading.faults.text("minutes", &this.minutes, ID_BYTES_MAX, true);
    let (id, number) = of?;
    let release = MatchingCommand::Release { reason: reason?, minutes: minutes? };
    Some(grant(id, GrantCommand::Matching(number, release)))
});

/// Which source of which grant.
fn source_of(reading: &mut Reading<'_>, id: &str, number: u32) -> Option<(GrantId, u32)> {
    let id = grant_id(reading, "grant_id", id);
    if number == 0 {
        reading.faults.add("source_number", "is missing; sources are numbered from 1");
        return None;
    }
    id.map(|id| (id, number))
}

fn kind(reading: &mut Reading<'_>, kind: i32) -> Option<MatchingKind> {
    const KIND: Choice = Choice { one: "the kind of source", noun: "kind of source", of: "MatchingKind" };
    reading.choice("kind", kind, KIND, |kind| match kind {
        fund::MatchingKind::Unspecified => None,
        fund::MatchingKind::GovernmentBudget => Some(MatchingKind::GovernmentBudget),
        fund::MatchingKind::OwnMoney => Some(MatchingKind::OwnMoney),
        fund::MatchingKind::Loan => Some(MatchingKind::Loan),
        fund::MatchingKind::Equity => Some(MatchingKind::Equity),
    })
}

/// Of a government's budget it must be there, of others not.
fn level(
    reading: &mut Reading<'_>,
    kind: Option<MatchingKind>,
    level: i32,
) -> Option<Option<GovernmentLevel>> {
    const LEVEL: Choice =
        Choice { one: "the government's level", noun: "level of government", of: "GovernmentLevel" };
    if level == 0 && kind != Some(MatchingKind::GovernmentBudget) {
        return Some(None);
    }
    let named = reading.choice("level", level, LEVEL, |level| match level {
        fund::GovernmentLevel::Unspecified => None,
        fund::GovernmentLevel::National => Some(GovernmentLevel::National),
        fund::GovernmentLevel::Provincial => Some(GovernmentLevel::Provincial),
        fund::GovernmentLevel::City => Some(GovernmentLevel::City),
        fund::GovernmentLevel::County => Some(GovernmentLevel::County),
    });
    if named.is_some() && kind.is_some_and(|kind| kind != MatchingKind::GovernmentBudget) {
        reading.faults.add("level", "is given; only a government's budget has one, leave it out");
        return None;
    }
    named.map(Some)
}

/// Instalments above zero, numbered from 1 without gaps, that add up to what is pledged.
fn instalments(
    reading: &mut Reading<'_>,
    pledged: &[fund::PledgedInstalment],
    amount: Option<Amount>,
) -> Option<Vec<MatchingInstalment>> {
    if pledged.is_empty() || pledged.len() > INSTALMENTS_MAX {
        let fault = format!("are {}; pledge one to {INSTALMENTS_MAX} of them", pledged.len());
        reading.faults.add("instalments", fault);
        return None;
    }
    let read = pledged.iter().zip(1_u32..).enumerate().map(|(index, (instalment, number))| {
        let field = format!("instalments[{index}]");
        if instalment.number != number {
            let fault = format!("is {}; number the instalments from 1 without gaps", instalment.number);
            reading.faults.add(format!("{field}.number"), fault);
        }
        let amount_minor = reading.minor(&format!("{field}.amount_minor"), instalment.amount_minor, 1);
        let due_on = reading.faults.date(&format!("{field}.due_on"), &instalment.due_on);
        Some(MatchingInstalment { number, amount_minor: amount_minor?, due_on: due_on? })
    });
    let read = whole(read)?;
    let (sum, amount_minor) = (total(read.iter().map(|it| it.amount_minor)), amount?.minor);
    if sum != i128::from(amount_minor) {
        let fault = format!("add up to {sum}, not to the {amount_minor} minor units pledged");
        reading.faults.add("instalments", fault);
    }
    Some(read)
}
