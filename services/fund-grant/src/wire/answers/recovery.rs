//! Recoveries, rectifications, and what a grant shows of its objections, overrides and corrections.

use crate::{
    grant::{
        facts::{FactStanding, RecordedFact},
        objection::{Objection, ObjectionOutcome},
        overriding::Override,
    },
    recovery::{Appeal, Outcome, Receipt, Recovery, RecoveryState},
    rectification::{Conclusion, Rectification},
};
use concord_events::fund::{Holding, MoneyFact, OverriddenRule, RecoveryCause, Taken};
use concord_kernel::money::{Amount, Currency};
use concord_proto::{fund::v1 as fund, r#type::v1::Money};

/// Facts of a grant that are shown.
const FACTS_SHOWN: usize = 100;

/// A recovery as the writer knows it.
#[must_use]
pub fn recovery(recovery: &Recovery, version: u64) -> fund::Recovery {
    let demand = recovery.demand.as_ref();
    let (appeal_grounds, appeal_reason) = match &recovery.appeal {
        None => (String::new(), String::new()),
        Some(Appeal { grounds, outcome: None }) => (grounds.clone(), String::new()),
        Some(Appeal { grounds, outcome: Some(Outcome::Upheld(reason) | Outcome::Overturned(reason)) }) => {
            (grounds.clone(), reason.clone())
        }
    };
    fund::Recovery {
        recovery_id: recovery.id.to_string(),
        grant_id: recovery.grant.to_string(),
        programme_id: recovery.programme.to_string(),
        state: state(recovery.state()).into(),
        cause: cause(recovery.cause).into(),
        currency: recovery.currency.to_string(),
        amount_minor: recovery.amount_minor,
        repaid_minor: recovery.repaid_minor(),
        offset_minor: recovery.offset_minor(),
        written_off_minor: recovery.written_off_minor(),
        outstanding_minor: recovery.outstanding_minor(),
        takes: recovery.takes.iter().map(|taken| take(taken, recovery.currency)).collect(),
        demand: demand.map(|demand| demand.number.clone()).unwrap_or_default(),
        demanded_on: demand.map(|demand| demand.on.to_string()).unwrap_or_default(),
        due_on: demand.map(|demand| demand.due_on.to_string()).unwrap_or_default(),
        appeal_grounds,
        appeal_reason,
        receipts: recovery.receipts.iter().map(receipt).collect(),
        version,
    }
}

fn state(state: RecoveryState) -> fund::RecoveryState {
    match state {
        RecoveryState::Determined => fund::RecoveryState::Determined,
        RecoveryState::Demanded => fund::RecoveryState::Demanded,
        RecoveryState::Appealed => fund::RecoveryState::Appealed,
        RecoveryState::Upheld => fund::RecoveryState::Upheld,
        RecoveryState::Overturned => fund::RecoveryState::Overturned,
        RecoveryState::Repaid => fund::RecoveryState::Repaid,
        RecoveryState::Offset => fund::RecoveryState::Offset,
        RecoveryState::WrittenOff => fund::RecoveryState::WrittenOff,
    }
}

fn cause(cause: RecoveryCause) -> fund::RecoveryCause {
    match cause {
        RecoveryCause::SpendDisallowed => fund::RecoveryCause::SpendDisallowed,
        RecoveryCause::Diverted => fund::RecoveryCause::Diverted,
        RecoveryCause::AcceptanceFailed => fund::RecoveryCause::AcceptanceFailed,
        RecoveryCause::Terminated => fund::RecoveryCause::Terminated,
        RecoveryCause::Cancelled => fund::RecoveryCause::Cancelled,
        RecoveryCause::Fraud => fund::RecoveryCause::Fraud,
        RecoveryCause::BalanceKept => fund::RecoveryCause::BalanceKept,
        RecoveryCause::PaymentReturned => fund::RecoveryCause::PaymentReturned,
    }
}

fn take(taken: &Taken, currency: Currency) -> fund::RecoveryTake {
    let from = match taken.from {
        Holding::Unspent => fund::TakenFrom::Unspent,
        Holding::Spent => fund::TakenFrom::Spent,
        Holding::Retained => fund::TakenFrom::Retained,
    };
    fund::RecoveryTake {
        party_id: taken.party.to_string(),
        from: from.into(),
        amount: Some(Money::new(taken.amount_minor, currency.to_string())),
    }
}

fn receipt(receipt: &Receipt) -> fund::RecoveryReceipt {
    match receipt {
        Receipt::Repaid { position, amount_minor, bank_reference } => fund::RecoveryReceipt {
            amount_minor: *amount_minor,
            position: *position,
            bank_reference: bank_reference.clone(),
            ..fund::RecoveryReceipt::default()
        },
        Receipt::Offset { against, tranche, amount_minor } => fund::RecoveryReceipt {
            amount_minor: *amount_minor,
            against_grant_id: against.to_string(),
            tranche_number: *tranche,
            ..fund::RecoveryReceipt::default()
        },
    }
}

/// A rectification as the writer knows it.
#[must_use]
pub fn rectification(rectification: &Rectification, version: u64) -> fund::Rectification {
    let charge = &rectification.charge;
    let mut answer = fund::Rectification {
        rectification_id: rectification.id.to_string(),
        state: fund::RectificationState::Assigned.into(),
        finding: Some(fund::FindingKey {
            rule: charge.finding.rule.clone(),
            subject: charge.finding.subject.clone(),
            position: charge.finding.position,
        }),
        grant_id: charge.grant.map(|grant| grant.to_string()).unwrap_or_default(),
        owner: charge.owner.clone(),
        deadline: charge.deadline.to_string(),
        task: charge.task.clone(),
        explanation: rectification.explanation.clone().unwrap_or_default(),
        version,
        ..fund::Rectification::default()
    };
    let state = match &rectification.conclusion {
        None if rectification.explanation.is_some() => fund::RectificationState::Explained,
        None => fund::RectificationState::Assigned,
        Some(Conclusion::Rectified { evidence }) => {
            answer.evidence.clone_from(evidence);
            fund::RectificationState::Rectified
        }
        Some(Conclusion::Accepted { minutes, reason, seen }) => {
            (answer.minutes, answer.reason) = (minutes.clone(), reason.clone());
            answer.amount = seen.map(shown);
            fund::RectificationState::Accepted
        }
        Some(Conclusion::Dismissed { minutes, reason, seen }) => {
            (answer.minutes, answer.reason) = (minutes.clone(), reason.clone());
            answer.amount = seen.map(shown);
            fund::RectificationState::Dismissed
        }
    };
    answer.state = state.into();
    answer
}

fn shown(amount: Amount) -> Money {
    Money::new(amount.minor, amount.currency.to_string())
}

/// Objections as a grant shows them.
pub(super) fn objections(objections: &[Objection]) -> Vec<fund::Objection> {
    let shown = (1..).zip(objections).map(|(number, objection)| {
        let (state, reason) = match &objection.outcome {
            None => (fund::ObjectionState::Open, String::new()),
            Some(ObjectionOutcome::Rejected(reason)) => (fund::ObjectionState::Rejected, reason.clone()),
            Some(ObjectionOutcome::Upheld(reason)) => (fund::ObjectionState::Upheld, reason.clone()),
        };
        fund::Objection {
            number,
            state: state.into(),
            grounds: objection.grounds.clone(),
            raised_on: objection.raised_on.to_string(),
            reason,
        }
    });
    shown.collect()
}

/// Overrides as a grant shows them.
pub(super) fn overrides(overrides: &[Override]) -> Vec<fund::Override> {
    let shown = overrides.iter().map(|known| fund::Override {
        rule: match known.rule {
            OverriddenRule::A07 => fund::OverriddenRule::A07.into(),
        },
        on: known.on.to_string(),
        minutes: known.minutes.clone(),
        reason: known.reason.clone(),
    });
    shown.collect()
}

/// The newest facts of a grant's money, in order.
pub(super) fn facts(facts: &[RecordedFact]) -> Vec<fund::MoneyFact> {
    let shown = facts.iter().skip(facts.len().saturating_sub(FACTS_SHOWN)).map(|known| {
        let kind = match known.fact {
            MoneyFact::Settlement { .. } => fund::MoneyFactKind::Settlement,
            MoneyFact::MatchingArrival { .. } => fund::MoneyFactKind::MatchingArrival,
            MoneyFact::ShareTransfer { .. } => fund::MoneyFactKind::ShareTransfer,
            MoneyFact::SpendAcceptance { .. } => fund::MoneyFactKind::SpendAcceptance,
            MoneyFact::BalanceRefund { .. } => fund::MoneyFactKind::BalanceRefund,
            MoneyFact::RecoveryRepayment { .. } => fund::MoneyFactKind::RecoveryRepayment,
        };
        let (undone_at, correction) = match &known.standing {
            FactStanding::Stands => (0, None),
            FactStanding::Undone(by) => (*by, None),
            FactStanding::Corrected(correction) => (0, Some(correction)),
        };
        fund::MoneyFact {
            position: known.position,
            kind: kind.into(),
            on: known.on.to_string(),
            amount_minor: known.fact.amount_minor(),
            undone_at,
            correction: correction.map(|correction| fund::Correction {
                position: correction.position,
                on: correction.on.to_string(),
                reason: correction.reason.clone(),
                authority: correction.authority.clone(),
            }),
        }
    });
    shown.collect()
}
