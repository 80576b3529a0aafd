//! What each command does to a grant from its completion report on, at every stage.

use super::{
    Acceptance, Closeout, ClosingCommand, Progress,
    ending::{cancel, close, terminate},
};
use crate::{
    grant::{Grant, Stage, contract::Contract},
    refusal::{self, Ruling, done_otherwise, happens, happens_under, refused, unchanged, wrong_stage},
    rules::{self, Hand},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Stop};
use concord_events::fund::{AcceptanceOutcome, FundEvent};
use concord_kernel::{Date, normal::same_reference};

pub(in crate::grant) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &ClosingCommand,
) -> Result<Decision<FundEvent>, Stop> {
    use ClosingCommand::{Cancel, Close, ConcludeFinalAcceptance, Evaluate, ReportCompletion, Terminate};
    let hand = match command {
        ReportCompletion { .. } => Hand::Applicant(None),
        ConcludeFinalAcceptance { .. }
        | Close { .. }
        | Evaluate { .. }
        | Terminate { .. }
        | Cancel { .. } => Hand::Office(None),
    };
    let last_step_on = match command {
        ReportCompletion { .. } | ConcludeFinalAcceptance { .. } | Evaluate { .. } => grant.last_step_on,
        // What was never drawn, and who has what, is known only once the money has moved.
        Close { .. } | Terminate { .. } | Cancel { .. } => grant.money_last_moved_on(),
    };
    let ruling = rule(case, grant, command)?;
    grant.conclude(case, hand, last_step_on, ruling)
}

/// Rules on every pair of command and stage.
fn rule(case: &Case<'_, '_>, grant: &Grant, command: &ClosingCommand) -> Result<Ruling, Stop> {
    use ClosingCommand::{Cancel, Close, ConcludeFinalAcceptance, Evaluate, ReportCompletion, Terminate};
    use Progress::{
        AcceptanceFailed, Cancelled, Closed, CompletionReported, Evaluated, FinallyAccepted, Rectifying,
        Running, Terminated,
    };
    let stage = &grant.stage;
    let Stage::Running(contract) = stage else {
        return Ok(refused(wrong_stage(stage, when(command))));
    };
    Ok(match (command, &contract.progress) {
        (ReportCompletion { report }, Running | Rectifying(_)) => {
            happens(FundEvent::CompletionReported { grant: grant.id, report: report.clone() })
        }
        (ReportCompletion { report }, _) => match &contract.completion {
            Some(first) if first == report => unchanged(),
            Some(first) => refused(completed_already(first)),
            None => refused(wrong_stage(stage, when(command))),
        },

        (ConcludeFinalAcceptance { outcome, minutes }, progress) => match (&contract.acceptance, progress) {
            (Some(first), _) if first.outcome == *outcome && same_reference(&first.minutes, minutes) => {
                unchanged()
            }
            (_, CompletionReported(_)) => conclude(case, grant, contract, *outcome, minutes),
            // Who refuses to put it right reports nothing any more.
            (_, Rectifying(by))
                if matches!(outcome, AcceptanceOutcome::Failed { .. }) && case.context.effective_on > *by =>
            {
                conclude(case, grant, contract, *outcome, minutes)
            }
            (Some(first), FinallyAccepted(_) | AcceptanceFailed(_)) => refused(concluded_already(first)),
            (Some(first), _) if progress.has_ended() => refused(concluded_already(first)),
            _ => refused(wrong_stage(stage, when(command))),
        },

        (Close { minutes, refund_by }, FinallyAccepted(_) | AcceptanceFailed(_)) => {
            close(case, grant, contract, minutes, *refund_by)?
        }
        (Close { minutes, refund_by }, Closed(first) | Evaluated { closeout: first, .. }) => {
            let same_day = first.refund_by.is_none() || first.refund_by == *refund_by;
            let same = same_day && same_reference(&first.minutes, minutes);
            if same { unchanged() } else { refused(closed_already(first)) }
        }
        (Close { .. }, _) => refused(wrong_stage(stage, when(command))),

        (Evaluate { grade, score_hundredths, minutes }, Closed(_)) => happens(FundEvent::GrantEvaluated {
            grant: grant.id,
            grade: *grade,
            score_hundredths: *score_hundredths,
            minutes: minutes.clone(),
        }),
        (
            Evaluate { grade, score_hundredths, minutes },
            Evaluated { grade: first_grade, score_hundredths: first_score, minutes: first_minutes, .. },
        ) => {
            let same = (grade, score_hundredths) == (first_grade, first_score)
                && same_reference(first_minutes, minutes);
            if same { unchanged() } else { refused(evaluated_already(*first_score, first_minutes)) }
        }
        (Evaluate { .. }, _) => refused(wrong_stage(stage, when(command))),

        (
            Terminate { reason, minutes, refund_by },
            Terminated { refund_by: first_by, reason: first_reason, minutes: first_minutes },
        ) => {
            let same = reason == first_reason
                && same_reference(first_minutes, minutes)
                && refund_by.is_none_or(|refund_by| refund_by == *first_by);
            if same {
                unchanged()
            } else {
                refused(terminated_already(*first_by, first_reason, first_minutes))
            }
        }
        (Terminate { .. }, progress) if progress.has_ended() => refused(wrong_stage(stage, when(command))),
        (Terminate { reason, minutes, refund_by }, _) => {
            terminate(case, grant, contract, reason, minutes, *refund_by)?
        }

        (
            Cancel { cause, reason, minutes },
            Cancelled { cause: first_cause, reason: first_reason, minutes: first_minutes },
        ) => {
            let same = reason == first_reason
                && same_reference(first_minutes, minutes)
                && first_cause.is_none_or(|first| first == *cause);
            if same { unchanged() } else { refused(cancelled_already(first_reason, first_minutes)) }
        }
        (Cancel { cause, reason, minutes }, _) => cancel(case, grant, contract, *cause, reason, minutes)?,
    })
}

/// When a command is for, in both languages.
fn when(command: &ClosingCommand) -> (&'static str, &'static str) {
    use ClosingCommand::{Cancel, Close, ConcludeFinalAcceptance, Evaluate, ReportCompletion, Terminate};
    match command {
        ReportCompletion { .. } => (
            "completion is reported while a project runs, and anew after it was sent back to be put right",
            "项目执行期间、或验收整改之后方可提交完成报告",
        ),
        ConcludeFinalAcceptance { .. } => (
            "final acceptance is concluded after the completion report, or as failed once the day to put it right has passed",
            "提交完成报告之后方可作出验收结论；逾期未整改的，可认定为验收不通过",
        ),
        Close { .. } => {
            ("a grant is closed after its final acceptance, passed or failed", "作出验收结论之后方可结题")
        }
        Evaluate { .. } => ("a grant is evaluated once it is closed", "结题之后方可进行绩效评价"),
        Terminate { .. } => {
            ("a grant is terminated between its contract and its end", "签订任务书之后、项目终结之前方可终止")
        }
        Cancel { .. } => (
            "a grant is cancelled once it is contracted; before that it is rejected",
            "签订任务书之后方可撤销；此前请办理不予立项",
        ),
    }
}

fn conclude(
    case: &Case<'_, '_>,
    grant: &Grant,
    contract: &Contract,
    outcome: AcceptanceOutcome,
    minutes: &str,
) -> Ruling {
    let weighed: Vec<Broken> = match outcome {
        AcceptanceOutcome::Passed => Vec::new(),
        AcceptanceOutcome::Rectify { by } => {
            let seldom = rules::rectified_seldom(case.rulebook, contract);
            seldom.into_iter().chain(rules::rectified_later(by, case.context.effective_on)).collect()
        }
        // Nothing is paid after a failure.
        AcceptanceOutcome::Failed { .. } => rules::nothing_offset(grant, contract),
    };
    happens_under(
        weighed.into_iter().map(Some),
        FundEvent::FinalAcceptanceConcluded {
            grant: grant.id,
            lead: grant.project.lead.party,
            outcome,
            minutes: minutes.to_owned(),
        },
    )
}

fn completed_already(first: &str) -> Broken {
    done_otherwise(
        "COMPLETION_ALREADY_REPORTED",
        ("the completion was reported", "已提交完成报告"),
        &[("report", &first)],
    )
}

fn concluded_already(first: &Acceptance) -> Broken {
    done_otherwise(
        "ACCEPTANCE_ALREADY_CONCLUDED",
        ("final acceptance was concluded", "已作出验收结论"),
        &[("outcome", &refusal::outcome_name(first.outcome)), ("minutes", &first.minutes)],
    )
}

fn closed_already(first: &Closeout) -> Broken {
    let refund_by = first.refund_by.map_or_else(|| "none".to_owned(), |day| day.to_string());
    done_otherwise(
        "ALREADY_CLOSED",
        ("the grant was closed", "该项目已结题"),
        &[("minutes", &first.minutes), ("refund_by", &refund_by)],
    )
}

fn evaluated_already(score_hundredths: u32, minutes: &str) -> Broken {
    done_otherwise(
        "ALREADY_EVALUATED",
        ("the grant was evaluated", "该项目已绩效评价"),
        &[("score_hundredths", &score_hundredths), ("minutes", &minutes)],
    )
}

fn terminated_already(refund_by: Date, reason: &str, minutes: &str) -> Broken {
    done_otherwise(
        "ALREADY_TERMINATED",
        ("the grant was terminated", "该项目已终止"),
        &[("minutes", &minutes), ("reason", &reason), ("refund_by", &refund_by)],
    )
}

fn cancelled_already(reason: &str, minutes: &str) -> Broken {
    done_otherwise(
        "ALREADY_CANCELLED",
        ("the grant was cancelled", "该项目已撤销"),
        &[("minutes", &minutes), ("reason", &reason)],
    )
}
