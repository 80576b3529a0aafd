//! The later life of a grant, as an answer shows it.

use super::text;
use crate::grant::{
    amendment::Changes,
    balance::Retained,
    closing::{Acceptance, Progress},
    contract::Contract,
    midterm::MidtermCheck,
};
use concord_events::fund::{AcceptanceFailure, AcceptanceOutcome, EvaluationGrade};
use concord_proto::fund::v1 as fund;

/// What a contracted grant shows beside the rest.
pub(super) fn later_life(contract: &Contract) -> fund::Grant {
    let count = |changes: &Changes| changes.count;
    fund::Grant {
        acceptance_due_on: text(contract.acceptance_due_on),
        amendments: count(&contract.amendments),
        extensions: count(&contract.extensions),
        midterm: contract.midterm.as_ref().map(midterm),
        completion_report: contract.completion.clone().unwrap_or_default(),
        final_acceptance: contract.acceptance.as_ref().map(acceptance),
        end: end(&contract.progress),
        evaluation: evaluation(&contract.progress),
        retained_balances: contract.balances.retained.iter().map(retained).collect(),
        ..fund::Grant::default()
    }
}

/// Where a contracted grant stands.
pub(super) fn state(progress: &Progress) -> fund::State {
    match progress {
        Progress::Running => fund::State::Contracted,
        Progress::CompletionReported(_) => fund::State::CompletionReported,
        Progress::Rectifying(_) => fund::State::Rectifying,
        Progress::FinallyAccepted(_) => fund::State::FinallyAccepted,
        Progress::AcceptanceFailed(_) => fund::State::AcceptanceFailed,
        Progress::Closed(_) => fund::State::Closed,
        Progress::Evaluated { .. } => fund::State::Evaluated,
        Progress::Terminated { .. } => fund::State::Terminated,
        Progress::Cancelled { .. } => fund::State::Cancelled,
    }
}

fn midterm(check: &MidtermCheck) -> fund::MidtermCheck {
    fund::MidtermCheck { passed: check.passed, report: check.report.clone() }
}

fn acceptance(acceptance: &Acceptance) -> fund::FinalAcceptance {
    let minutes = acceptance.minutes.clone();
    let shown = |outcome: fund::AcceptanceOutcome| fund::FinalAcceptance {
        outcome: outcome.into(),
        minutes,
        ..fund::FinalAcceptance::default()
    };
    match acceptance.outcome {
        AcceptanceOutcome::Passed => shown(fund::AcceptanceOutcome::Passed),
        AcceptanceOutcome::Rectify { by } => {
            fund::FinalAcceptance { rectify_by: by.to_string(), ..shown(fund::AcceptanceOutcome::Rectify) }
        }
        AcceptanceOutcome::Failed { cause } => {
            fund::FinalAcceptance { failure: failure(cause).into(), ..shown(fund::AcceptanceOutcome::Failed) }
        }
    }
}

fn failure(cause: AcceptanceFailure) -> fund::AcceptanceFailure {
    match cause {
        AcceptanceFailure::FalseBudget => fund::AcceptanceFailure::FalseBudget,
        AcceptanceFailure::NoSeparateAccounts => fund::AcceptanceFailure::NoSeparateAccounts,
        AcceptanceFailure::Diversion => fund::AcceptanceFailure::Diversion,
        AcceptanceFailure::ImproperOnwardTransfer => fund::AcceptanceFailure::ImproperOnwardTransfer,
        AcceptanceFailure::FalseBooks => fund::AcceptanceFailure::FalseBooks,
        AcceptanceFailure::BudgetBreach => fund::AcceptanceFailure::BudgetBreach,
        AcceptanceFailure::FalseMatchingPromise => fund::AcceptanceFailure::FalseMatchingPromise,
        AcceptanceFailure::RefusedCorrection => fund::AcceptanceFailure::RefusedCorrection,
    }
}

fn end(progress: &Progress) -> Option<fund::GrantEnd> {
    let (minutes, reason) = match progress {
        Progress::Closed(closeout) | Progress::Evaluated { closeout, .. } => (&closeout.minutes, ""),
        Progress::Terminated { reason, minutes, .. } | Progress::Cancelled { reason, minutes, .. } => {
            (minutes, reason.as_str())
        }
        _ => return None,
    };
    let (minutes, reason) = (minutes.clone(), reason.to_owned());
    Some(fund::GrantEnd { minutes, reason, refund_by: text(progress.refund_by()) })
}

fn evaluation(progress: &Progress) -> Option<fund::Evaluation> {
    let Progress::Evaluated { grade, score_hundredths, minutes, .. } = progress else {
        return None;
    };
    let grade = match grade {
        EvaluationGrade::Excellent => fund::EvaluationGrade::Excellent,
        EvaluationGrade::Good => fund::EvaluationGrade::Good,
        EvaluationGrade::Pass => fund::EvaluationGrade::Pass,
        EvaluationGrade::Fail => fund::EvaluationGrade::Fail,
    };
    Some(fund::Evaluation {
        grade: grade.into(),
        score_hundredths: *score_hundredths,
        minutes: minutes.clone(),
    })
}

fn retained(retained: &Retained) -> fund::RetainedBalance {
    fund::RetainedBalance {
        party_id: retained.party.to_string(),
        amount_minor: retained.amount_minor,
        until: text(retained.until),
        minutes: retained.minutes.clone(),
    }
}
