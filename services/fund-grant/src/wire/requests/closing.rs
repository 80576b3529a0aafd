//! Requests about the later life of a grant: amendment, midterm, final acceptance, balances, and the end.

use super::{grant, grant_id};
use crate::{
    Command,
    grant::{
        GrantCommand,
        amendment::{Amendment, AmendmentCommand},
        balance::BalanceCommand,
        closing::ClosingCommand,
        midterm::MidtermCheck,
    },
    wire::values,
};
use concord_chassis::{
    ask,
    edge::{Choice, ID_BYTES_MAX, Reading},
};
use concord_events::fund::{AcceptanceFailure, AcceptanceOutcome, EvaluationGrade, Holding, RecoveryCause};
use concord_kernel::{Date, id::GrantId, party::PartyId};
use concord_proto::fund::v1 as fund;

ask!(Command: fund::AmendContractRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let amount = reading.optional_amount("amount", this.amount.as_ref(), 1);
    if this.tranches.is_empty() {
        reading.faults.add("tranches", "are missing; give the whole plan");
    }
    let tranches = values::lines(reading, &this.tranches);
    let allocations = values::allocations(reading, &this.allocations, false);
    if let Some(shares) = &allocations {
        values::each_once(reading, shares);
    }
    let minutes = minutes(reading, &this.minutes);
    let amendment = Amendment {
        amount,
        tranches: tranches?,
        allocations: allocations.map(|shares| Some(shares).filter(|shares| !shares.is_empty()))?,
        minutes: minutes?,
    };
    Some(grant(id?, GrantCommand::Amendment(AmendmentCommand::Amend(amendment))))
});

ask!(Command: fund::ExtendProjectRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let ends_on = reading.faults.date("ends_on", &this.ends_on);
    let minutes = minutes(reading, &this.minutes);
    let command = AmendmentCommand::Extend { ends_on: ends_on?, minutes: minutes? };
    Some(grant(id?, GrantCommand::Amendment(command)))
});

ask!(Command: fund::RecordMidtermCheckRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let passed = reading.faults.require("passed", this.passed);
    let report = reading.faults.text("report", &this.report, ID_BYTES_MAX, true);
    Some(grant(id?, GrantCommand::CheckMidterm(MidtermCheck { passed: passed?, report: report? })))
});

ask!(Command: fund::ReportCompletionRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let report = reading.faults.text("report", &this.report, ID_BYTES_MAX, true);
    Some(closing(id?, ClosingCommand::ReportCompletion { report: report? }))
});

ask!(Command: fund::ConcludeFinalAcceptanceRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let outcome = outcome(reading, &this);
    let minutes = minutes(reading, &this.minutes);
    Some(closing(id?, ClosingCommand::ConcludeFinalAcceptance { outcome: outcome?, minutes: minutes? }))
});

ask!(Command: fund::RefundBalanceRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let party = party(reading, &this.party_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let from = source(reading, this.from);
    let bank_reference = reading.faults.text("bank_reference", &this.bank_reference, ID_BYTES_MAX, true);
    let (amount, from, bank_reference) = (amount?, from?, bank_reference?);
    Some(balance(id?, BalanceCommand::Refund { party, amount, from, bank_reference }))
});

ask!(Command: fund::RetainBalanceRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let party = party(reading, &this.party_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let minutes = minutes(reading, &this.minutes);
    Some(balance(id?, BalanceCommand::Retain { party, amount: amount?, minutes: minutes? }))
});

ask!(Command: fund::TransferBalanceRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let to = grant_id(reading, "to_grant_id", &this.to_grant_id);
    let amount = reading.amount("amount", this.amount.as_ref(), 1);
    let minutes = minutes(reading, &this.minutes);
    Some(balance(id?, BalanceCommand::Transfer { to: to?, amount: amount?, minutes: minutes? }))
});

ask!(Command: fund::CloseGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let minutes = minutes(reading, &this.minutes);
    let refund_by = reading.faults.optional_date("refund_by", &this.refund_by);
    Some(closing(id?, ClosingCommand::Close { minutes: minutes?, refund_by }))
});

ask!(Command: fund::EvaluateGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let grade = grade(reading, this.grade);
    let score_hundredths = this.score_hundredths;
    if score_hundredths > 10_000 {
        reading.faults.add("score_hundredths", format!("is {score_hundredths}; 10000 is the most"));
    }
    let minutes = minutes(reading, &this.minutes);
    Some(closing(id?, ClosingCommand::Evaluate { grade: grade?, score_hundredths, minutes: minutes? }))
});

ask!(Command: fund::TerminateGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let reason = reading.reason(&this.reason);
    let minutes = minutes(reading, &this.minutes);
    let refund_by = reading.faults.optional_date("refund_by", &this.refund_by);
    Some(closing(id?, ClosingCommand::Terminate { reason: reason?, minutes: minutes?, refund_by }))
});

ask!(Command: fund::CancelGrantRequest, |this, reading| {
    let id = grant_id(reading, "grant_id", &this.grant_id);
    let cause = cancellation(reading, this.cause);
    let reason = reading.reason(&this.reason);
    let minutes = minutes(reading, &this.minutes);
    Some(closing(id?, ClosingCommand::Cancel { cause: cause?, reason: reason?, minutes: minutes? }))
});

fn closing(id: GrantId, command: ClosingCommand) -> super::Asked {
    grant(id, GrantCommand::Closing(command))
}

fn balance(id: GrantId, command: BalanceCommand) -> super::Asked {
    grant(id, GrantCommand::Balance(command))
}

fn minutes(reading: &mut Reading<'_>, text: &str) -> Option<String> {
    reading.faults.text("minutes", text, ID_BYTES_MAX, true)
}

/// A party by its id; `None` for the lead. One that is no id is a fault, and then nothing is decided.
fn party(reading: &mut Reading<'_>, text: &str) -> Option<PartyId> {
    reading.faults.optional_uuid("party_id", text).map(PartyId)
}

/// The day and the cause belong to their outcome, and to no other.
fn outcome(
    reading: &mut Reading<'_>,
    request: &fund::ConcludeFinalAcceptanceRequest,
) -> Option<AcceptanceOutcome> {
    const OUTCOME: Choice = Choice { one: "an outcome", noun: "outcome", of: "AcceptanceOutcome" };
    let by = reading.faults.optional_date("rectify_by", &request.rectify_by);
    let cause = if request.failure == 0 { None } else { failure(reading, request.failure) };
    let kind = reading.choice("outcome", request.outcome, OUTCOME, |outcome| {
        Some(outcome).filter(|outcome| *outcome != fund::AcceptanceOutcome::Unspecified)
    })?;
    if kind != fund::AcceptanceOutcome::Rectify && !request.rectify_by.is_empty() {
        reading.faults.add("rectify_by", "is of the outcome RECTIFY only; leave it empty");
    }
    if kind != fund::AcceptanceOutcome::Failed && request.failure != 0 {
        reading.faults.add("failure", "is of the outcome FAILED only; leave it out");
    }
    match kind {
        fund::AcceptanceOutcome::Unspecified => None,
        fund::AcceptanceOutcome::Passed => Some(AcceptanceOutcome::Passed),
        fund::AcceptanceOutcome::Rectify if request.rectify_by.is_empty() => {
            reading.faults.require("rectify_by", None::<Date>);
            None
        }
        fund::AcceptanceOutcome::Rectify => by.map(|by| AcceptanceOutcome::Rectify { by }),
        fund::AcceptanceOutcome::Failed if request.failure == 0 => {
            failure(reading, 0);
            None
        }
        fund::AcceptanceOutcome::Failed => cause.map(|cause| AcceptanceOutcome::Failed { cause }),
    }
}

fn failure(reading: &mut Reading<'_>, value: i32) -> Option<AcceptanceFailure> {
    const FAILURE: Choice = Choice { one: "why it failed", noun: "cause", of: "AcceptanceFailure" };
    use fund::AcceptanceFailure as Asked;
    reading.choice("failure", value, FAILURE, |failure| match failure {
        Asked::Unspecified => None,
        Asked::FalseBudget => Some(AcceptanceFailure::FalseBudget),
        Asked::NoSeparateAccounts => Some(AcceptanceFailure::NoSeparateAccounts),
        Asked::Diversion => Some(AcceptanceFailure::Diversion),
        Asked::ImproperOnwardTransfer => Some(AcceptanceFailure::ImproperOnwardTransfer),
        Asked::FalseBooks => Some(AcceptanceFailure::FalseBooks),
        Asked::BudgetBreach => Some(AcceptanceFailure::BudgetBreach),
        Asked::FalseMatchingPromise => Some(AcceptanceFailure::FalseMatchingPromise),
        Asked::RefusedCorrection => Some(AcceptanceFailure::RefusedCorrection),
    })
}

fn grade(reading: &mut Reading<'_>, value: i32) -> Option<EvaluationGrade> {
    const GRADE: Choice = Choice { one: "a grade", noun: "grade", of: "EvaluationGrade" };
    reading.choice("grade", value, GRADE, |grade| match grade {
        fund::EvaluationGrade::Unspecified => None,
        fund::EvaluationGrade::Excellent => Some(EvaluationGrade::Excellent),
        fund::EvaluationGrade::Good => Some(EvaluationGrade::Good),
        fund::EvaluationGrade::Pass => Some(EvaluationGrade::Pass),
        fund::EvaluationGrade::Fail => Some(EvaluationGrade::Fail),
    })
}

fn source(reading: &mut Reading<'_>, value: i32) -> Option<Holding> {
    const SOURCE: Choice = Choice { one: "where it lay", noun: "source", of: "BalanceSource" };
    reading.choice("from", value, SOURCE, |source| match source {
        fund::BalanceSource::Unspecified => None,
        fund::BalanceSource::Unspent => Some(Holding::Unspent),
        fund::BalanceSource::Retained => Some(Holding::Retained),
    })
}

/// Absent, the award is revoked.
fn cancellation(reading: &mut Reading<'_>, value: i32) -> Option<RecoveryCause> {
    const CAUSE: Choice = Choice { one: "a cause", noun: "cause", of: "CancellationCause" };
    reading.choice("cause", value, CAUSE, |cause| match cause {
        fund::CancellationCause::Unspecified | fund::CancellationCause::Revoked => {
            Some(RecoveryCause::Cancelled)
        }
        fund::CancellationCause::Fraud => Some(RecoveryCause::Fraud),
    })
}
