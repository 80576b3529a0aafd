//! The later life of a grant as people and programs read it: checks, acceptance, end, objections, overrides.

use concord_proto::fund::v1::{
    AcceptanceFailure, Evaluation, FinalAcceptance, Grant, GrantEnd, MidtermCheck,
};
use serde_json::{Value, json};

use super::party;
use crate::output::{amount, table};
use crate::words::{self, FAILURES, GRADES, OBJECTION_STATES, OUTCOMES, OVERRIDDEN_RULES};

/// Names and values of what is on record; those without a value are left out.
pub(super) fn fields(grant: &Grant) -> Vec<(&'static str, String)> {
    let times = |times: u32| if times == 0 { String::new() } else { times.to_string() };
    vec![
        ("amended 变更次数", times(grant.amendments)),
        ("extended 延期次数", times(grant.extensions)),
        ("midterm 中期检查", grant.midterm.as_ref().map(midterm).unwrap_or_default()),
        ("acceptance due 验收期限", grant.acceptance_due_on.clone()),
        ("completion report 完成报告", grant.completion_report.clone()),
        ("final acceptance 验收", grant.final_acceptance.as_ref().map(acceptance).unwrap_or_default()),
        ("end 终结", grant.end.as_ref().map(end).unwrap_or_default()),
        ("evaluation 绩效评价", grant.evaluation.as_ref().map(evaluation).unwrap_or_default()),
    ]
}

fn midterm(check: &MidtermCheck) -> String {
    format!("{} ({})", if check.passed { "passed 通过" } else { "failed 未通过" }, check.report)
}

fn acceptance(acceptance: &FinalAcceptance) -> String {
    let mut outcome = words::both(OUTCOMES, acceptance.outcome);
    if !acceptance.rectify_by.is_empty() {
        outcome = format!("{outcome} by 期限 {}", acceptance.rectify_by);
    }
    if acceptance.failure() != AcceptanceFailure::Unspecified {
        outcome = format!("{outcome}: {}", words::both(FAILURES, acceptance.failure));
    }
    format!("{outcome} ({})", acceptance.minutes)
}

fn end(end: &GrantEnd) -> String {
    let mut text = end.minutes.clone();
    if !end.reason.is_empty() {
        text = format!("{}, {text}", end.reason);
    }
    if !end.refund_by.is_empty() {
        text = format!("{text}; unspent money is refunded by 结余退回期限 {}", end.refund_by);
    }
    text
}

fn evaluation(evaluation: &Evaluation) -> String {
    let (points, hundredths) = (evaluation.score_hundredths / 100, evaluation.score_hundredths % 100);
    format!("{}, {points}.{hundredths:02} ({})", words::both(GRADES, evaluation.grade), evaluation.minutes)
}

/// Prints balances kept by rule, objections and overrides, where there are any.
pub(super) fn print(grant: &Grant) {
    if !grant.retained_balances.is_empty() {
        let mut table = table(&["kept by 留用单位", ">kept 留用金额", "currency", "until 留用至", "by 依据"]);
        for kept in &grant.retained_balances {
            table.add_row([
                party(grant, &kept.party_id).to_owned(),
                amount(kept.amount_minor, &grant.currency),
                grant.currency.clone(),
                kept.until.clone(),
                kept.minutes.clone(),
            ]);
        }
        println!("{table}");
    }
    if !grant.objections.is_empty() {
        let mut table =
            table(&[">objection 异议", "raised 提出日", "grounds 理由", "state 状态", "why 原因"]);
        for objection in &grant.objections {
            table.add_row([
                objection.number.to_string(),
                objection.raised_on.clone(),
                objection.grounds.clone(),
                words::both(OBJECTION_STATES, objection.state),
                objection.reason.clone(),
            ]);
        }
        println!("{table}");
    }
    if !grant.overrides.is_empty() {
        let mut table = table(&["rule set aside 特批", "on 日期", "minutes 会议纪要", "why 原因"]);
        for set_aside in &grant.overrides {
            table.add_row([
                words::both(OVERRIDDEN_RULES, set_aside.rule),
                set_aside.on.clone(),
                set_aside.minutes.clone(),
                set_aside.reason.clone(),
            ]);
        }
        println!("{table}");
    }
}

/// The same as JSON, an object.
pub(super) fn json(grant: &Grant) -> Value {
    let acceptance = grant.final_acceptance.as_ref().map(|acceptance| {
        let failed = acceptance.failure() != AcceptanceFailure::Unspecified;
        json!({
            "outcome": words::word(OUTCOMES, acceptance.outcome),
            "rectify_by": acceptance.rectify_by,
            "failure": if failed { words::word(FAILURES, acceptance.failure) } else { "" },
            "minutes": acceptance.minutes,
        })
    });
    let evaluation = grant.evaluation.as_ref().map(|evaluation| {
        json!({
            "grade": words::word(GRADES, evaluation.grade),
            "score_hundredths": evaluation.score_hundredths,
            "minutes": evaluation.minutes,
        })
    });
    let end = grant
        .end
        .as_ref()
        .map(|end| json!({ "minutes": end.minutes, "reason": end.reason, "refund_by": end.refund_by }));
    let midterm =
        grant.midterm.as_ref().map(|check| json!({ "passed": check.passed, "report": check.report }));
    let retained = grant.retained_balances.iter().map(|kept| {
        json!({
            "party_id": kept.party_id,
            "amount_minor": kept.amount_minor,
            "until": kept.until,
            "minutes": kept.minutes,
        })
    });
    let objections = grant.objections.iter().map(|objection| {
        json!({
            "number": objection.number,
            "state": words::word(OBJECTION_STATES, objection.state),
            "grounds": objection.grounds,
            "raised_on": objection.raised_on,
            "reason": objection.reason,
        })
    });
    let overrides = grant.overrides.iter().map(|set_aside| {
        json!({
            "rule": words::word(OVERRIDDEN_RULES, set_aside.rule),
            "on": set_aside.on,
            "minutes": set_aside.minutes,
            "reason": set_aside.reason,
        })
    });
    json!({
        "acceptance_due_on": grant.acceptance_due_on,
        "amendments": grant.amendments,
        "extensions": grant.extensions,
        "midterm": midterm,
        "completion_report": grant.completion_report,
        "final_acceptance": acceptance,
        "end": end,
        "evaluation": evaluation,
        "retained_balances": retained.collect::<Vec<_>>(),
        "objections": objections.collect::<Vec<_>>(),
        "overrides": overrides.collect::<Vec<_>>(),
        "recovery_ids": grant.recovery_ids,
    })
}
