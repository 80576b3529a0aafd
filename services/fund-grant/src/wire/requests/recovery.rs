//! Recoveries.

use super::{Asked, grant_id};
use crate::{
    Command,
    recovery::{Determination, RecoveryAct, RecoveryCommand, Take},
};
use concord_chassis::{
    ask,
    edge::{Choice, ID_BYTES_MAX, REASON_BYTES_MAX, Reading, whole},
};
use concord_events::fund::{Holding, RecoveryCause};
use concord_kernel::{id::RecoveryId, party::PartyId};
use concord_proto::fund::v1 as fund;
use std::collections::BTreeSet;

/// Parts of one recovery.
const TAKES_MAX: usize = 200;

ask!(Command: fund::DetermineRecoveryRequest, |this, reading| {
    let id = recovery_id(reading, &this.recovery_id);
    let grant = grant_id(reading, "grant_id", &this.grant_id);
    if id.zip(grant).is_some_and(|(id, grant)| id.0 == grant.0) {
        reading.faults.add("recovery_id", "is the grant's id; give the recovery an id of its own");
    }
    let cause = cause(reading, this.cause);
    let takes = takes(reading, &this.takes);
    let minutes = reading.faults.text("minutes", &this.minutes, ID_BYTES_MAX, true);
    let reason = reading.reason(&this.reason);
    let determination = Determination {
        grant: grant?,
        cause: cause?,
        takes: takes?,
        minutes: minutes?,
        reason: reason?,
    };
    Some(recovery(id?, RecoveryCommand::Determine(determination)))
});

ask!(Command: fund::DemandRecoveryRequest, |this, reading| {
    let id = recovery_id(reading, &this.recovery_id);
    let demand = reading.faults.text("demand", &this.demand, ID_BYTES_MAX, true);
    Some(act(id?, RecoveryAct::Demand { demand: demand? }))
});

ask!(Command: fund::AppealRecoveryRequest, |this, reading| {
    let id = recovery_id(reading, &this.recovery_id);
    let grounds = reading.faults.text("grounds", &this.grounds, REASON_BYTES_MAX, true);
    Some(act(id?, RecoveryAct::Appeal { grounds: grounds? }))
});

ask!(Command: fund::UpholdRecoveryRequest, |this, reading| {
    let id = recovery_id(reading, &this.recovery_id);
    let reason = reading.reason(&this.reason);
    Some(act(id?, RecoveryAct::Uphold { reason: reason? }))
});

ask!(Command: fund::OverturnRecoveryRequest, |this, reading| {
    let id = recovery_id(reading, &this.recovery_id);
    let reason = reading.reason(&this.reason);
    Some(act(id?, RecoveryAct::Overturn { reason: reason? }))
});

ask!(Command: fund::RecordRepaymentRequest, |this, reading| {
    let id = recovery_id(reading, &this.recovery_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let bank_reference = reading.faults.text("bank_reference", &this.bank_reference, ID_BYTES_MAX, true);
    Some(act(id?, RecoveryAct::Repay { amount: amount?, bank_reference: bank_reference? }))
});

ask!(Command: fund::OffsetRecoveryRequest, |this, reading| {
    let id = recovery_id(reading, &this.recovery_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let against = grant_id(reading, "against_grant_id", &this.against_grant_id);
    let tranche = this.tranche_number;
    if tranche == 0 {
        reading.faults.add("tranche_number", "is missing; tranches are numbered from 1");
    }
    Some(act(id?, RecoveryAct::Offset { amount: amount?, against: against?, tranche }))
});

ask!(Command: fund::WriteOffRecoveryRequest, |this, reading| {
    let id = recovery_id(reading, &this.recovery_id);
    let minutes = reading.faults.text("minutes", &this.minutes, ID_BYTES_MAX, true);
    let reason = reading.reason(&this.reason);
    Some(act(id?, RecoveryAct::WriteOff { minutes: minutes?, reason: reason? }))
});

fn recovery(id: RecoveryId, command: RecoveryCommand) -> Asked {
    Asked::of(id.stream(), Command::Recovery(id, command))
}

fn act(id: RecoveryId, act: RecoveryAct) -> Asked {
    recovery(id, RecoveryCommand::Act(act))
}

fn recovery_id(reading: &mut Reading<'_>, text: &str) -> Option<RecoveryId> {
    reading.faults.require_uuid("recovery_id", text).map(RecoveryId)
}

fn cause(reading: &mut Reading<'_>, cause: i32) -> Option<RecoveryCause> {
    const CAUSE: Choice = Choice { one: "the cause", noun: "cause", of: "RecoveryCause" };
    reading.choice("cause", cause, CAUSE, |cause| match cause {
        fund::RecoveryCause::Unspecified => None,
        fund::RecoveryCause::SpendDisallowed => Some(RecoveryCause::SpendDisallowed),
        fund::RecoveryCause::Diverted => Some(RecoveryCause::Diverted),
        fund::RecoveryCause::AcceptanceFailed => Some(RecoveryCause::AcceptanceFailed),
        fund::RecoveryCause::Terminated => Some(RecoveryCause::Terminated),
        fund::RecoveryCause::Cancelled => Some(RecoveryCause::Cancelled),
        fund::RecoveryCause::Fraud => Some(RecoveryCause::Fraud),
        fund::RecoveryCause::BalanceKept => Some(RecoveryCause::BalanceKept),
        fund::RecoveryCause::PaymentReturned => Some(RecoveryCause::PaymentReturned),
    })
}

fn takes(reading: &mut Reading<'_>, asked: &[fund::RecoveryTake]) -> Option<Vec<Take>> {
    const PLACE: Choice = Choice { one: "where it lies", noun: "place", of: "TakenFrom" };
    if asked.is_empty() || asked.len() > TAKES_MAX {
        reading.faults.add("takes", format!("are {}; name one to {TAKES_MAX} parts", asked.len()));
        return None;
    }
    let mut seen = BTreeSet::new();
    let read = asked.iter().enumerate().map(|(index, take)| {
        let field = |name: &str| format!("takes[{index}].{name}");
        let party = reading.faults.require_uuid(&field("party_id"), &take.party_id).map(PartyId);
        let from = reading.choice(&field("from"), take.from, PLACE, |from| match from {
            fund::TakenFrom::Unspecified => None,
            fund::TakenFrom::Unspent => Some(Holding::Unspent),
            fund::TakenFrom::Spent => Some(Holding::Spent),
            fund::TakenFrom::Retained => Some(Holding::Retained),
        });
        let amount = reading.amount(&field("amount"), take.amount.as_ref(), 1);
        if party.zip(from).is_some_and(|place| !seen.insert(place)) {
            reading.faults.add(field("party_id"), "is named twice with this place; add the two up");
        }
        Some(Take { party: party?, from: from?, amount: amount? })
    });
    whole(read)
}
