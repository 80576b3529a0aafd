//! What is said of rectifications 整改.

use super::{at, broken};
use crate::rectification::{Charge, Rectification};
use concord_chassis::log::Broken;
use concord_events::fund::FindingKey;
use concord_kernel::{
    Date,
    id::{GrantId, RectificationId},
};

pub(crate) fn no_rectification(id: RectificationId) -> Broken {
    at(
        "rectification_id",
        broken(
            "RECTIFICATION_NOT_FOUND",
            format!("there is no rectification {id}; check the id, or assign the finding first"),
            format!("不存在整改事项{id}；请核对编号，或先交办"),
            &[("rectification_id", &id)],
        ),
    )
}

/// The rectification is not in the state that the act needs.
pub(crate) fn wrong_rectification_state(rectification: &Rectification, rule: (&str, &str)) -> Broken {
    let (state, state_zh) = rectification.words();
    broken(
        "WRONG_RECTIFICATION_STATE",
        format!("{}; this rectification is {state}", rule.0),
        format!("{}；该整改事项目前为“{state_zh}”", rule.1),
        &[("state", &state)],
    )
}

pub(crate) fn finding_ahead_of_log(position: u64, head: u64) -> Broken {
    at(
        "finding.position",
        broken(
            "FINDING_AHEAD_OF_LOG",
            format!(
                "the log ends at {head}, and the finding is to come from {position}; give the position of its cause"
            ),
            format!("日志目前至第{head}号事件，而所填起因为第{position}号事件；请填写起因事件的序号"),
            &[("position", &position), ("head", &head)],
        ),
    )
}

pub(crate) fn deadline_passed(deadline: Date, effective_on: Date) -> Broken {
    at(
        "deadline",
        broken(
            "DEADLINE_PASSED",
            format!(
                "the deadline, {deadline}, lies before the charge of {effective_on}; give {effective_on} or later"
            ),
            format!("整改期限{deadline}早于交办日{effective_on}；请填写{effective_on}或之后的日期"),
            &[("deadline", &deadline), ("effective_on", &effective_on)],
        ),
    )
}

/// The subject is not what a finding of that rule is about.
pub(crate) fn no_subject_of_the_rule(finding: &FindingKey) -> Broken {
    let FindingKey { rule, subject, .. } = finding;
    at(
        "finding.subject",
        broken(
            "NO_SUBJECT_OF_THE_RULE",
            format!("no finding of {rule} is about {subject:?}; copy the key as the audit lists it"),
            format!("{rule}的审计发现不以“{subject}”为事项；请照审计发现清单所列编号填写"),
            &[("rule", rule), ("subject", subject)],
        ),
    )
}

/// The subject names nothing that the fund knows.
pub(crate) fn subject_not_found(finding: &FindingKey) -> Broken {
    let FindingKey { rule, subject, .. } = finding;
    at(
        "finding.subject",
        broken(
            "FINDING_SUBJECT_NOT_FOUND",
            format!("{subject:?} names nothing that is on record; copy the key as the audit lists it"),
            format!("“{subject}”所指事项不存在；请照审计发现清单所列编号填写"),
            &[("rule", rule), ("subject", subject)],
        ),
    )
}

/// The request names another grant than the one that the finding is about.
pub(crate) fn finding_of_another_grant(charge: &Charge, named: GrantId) -> Broken {
    let subject = &charge.finding.subject;
    let (own, advice, advice_zh) = match charge.grant {
        Some(own) => (own.to_string(), format!("is about grant {own}"), format!("所涉项目为{own}")),
        None => (String::new(), "is about no grant".to_owned(), "不涉及单个项目".to_owned()),
    };
    at(
        "grant_id",
        broken(
            "FINDING_OF_ANOTHER_GRANT",
            format!("the finding {subject:?} {advice}, not {named}; leave the grant out, or name its own"),
            format!("审计发现“{subject}”{advice_zh}，而非{named}；请勿填写项目编号，或填写其所涉项目"),
            &[("subject", subject), ("grant", &own), ("named", &named)],
        ),
    )
}

/// A13: an organisation that has a share of the grant.
pub(crate) fn party_in_office(organisation: &str) -> Broken {
    broken(
        "A13_PARTY_IN_OFFICE",
        format!(
            "{organisation} has a share of this grant and does not decide about a finding on it; let the office or the auditor act (A13)"
        ),
        format!(
            "{organisation}是本项目的参与单位，不得处理本项目的审计发现；请由主管部门或审计人员办理（A13）"
        ),
        &[("organisation", &organisation)],
    )
}

/// A13: who is charged decides on the own case.
pub(crate) fn owner_decides(owner: &str) -> Broken {
    broken(
        "A13_OWNER_DECIDES",
        format!(
            "{owner} is charged with this finding and does not decide about it; let the office or the auditor act (A13)"
        ),
        format!(
            "{owner}是本项审计发现的整改责任人，不得自行交办、认定或撤销；请由主管部门或审计人员办理（A13）"
        ),
        &[("owner", &owner)],
    )
}

/// An explanation is its owner's.
pub(crate) fn not_the_owner(owner: &str, actor: &str) -> Broken {
    broken(
        "NOT_THE_OWNER",
        format!("{owner} is charged with this finding and explains it, not {actor}; let {owner} act"),
        format!("本项审计发现的整改责任人为{owner}，而非{actor}；说明须由责任人提交"),
        &[("owner", &owner), ("actor", &actor)],
    )
}
