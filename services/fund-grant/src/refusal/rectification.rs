//! What is said of rectifications 整改.

use super::{at, broken};
use crate::rectification::Rectification;
use concord_chassis::log::Broken;
use concord_kernel::{Date, id::RectificationId};

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
