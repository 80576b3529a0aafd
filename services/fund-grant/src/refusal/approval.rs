//! What is said of objections 公示异议 (A08), and of approvals against the review (A07).

use super::{at, broken};
use concord_chassis::log::Broken;
use concord_kernel::{Date, money::Amount};

pub(crate) fn no_objection(number: u32, raised: usize) -> Broken {
    at(
        "objection_number",
        broken(
            "OBJECTION_NOT_FOUND",
            format!("{raised} objections were raised to this grant; there is no number {number}: check it"),
            format!("本项目共有{raised}件异议，没有第{number}件；请核对序号"),
            &[("objection", &number), ("raised", &raised)],
        ),
    )
}

pub(crate) fn objection_number(number: u32, next: u32) -> Broken {
    at(
        "objection_number",
        broken(
            "OBJECTION_OUT_OF_NUMBER",
            format!("objections are numbered without gaps; the next one is {next}, not {number}"),
            format!("异议须连续编号；下一件应为第{next}件，而非第{number}件"),
            &[("objection", &number), ("next", &next)],
        ),
    )
}

pub(crate) fn too_many_objections(most: usize) -> Broken {
    broken(
        "OBJECTIONS_FULL",
        format!(
            "{most} objections were raised to this grant, which is the most; decide them, and add to one of them"
        ),
        format!("本项目的异议已达上限{most}件；请先处理，并入已有异议"),
        &[("objections_max", &most)],
    )
}

pub(crate) fn objection_too_late(approvable_from: Date, effective_on: Date) -> Broken {
    broken(
        "OBJECTION_TOO_LATE",
        format!(
            "the notice hung until the day before {approvable_from}; an objection of {effective_on} comes too late: write to the \
             office instead"
        ),
        format!("公示期已于{approvable_from}前届满，{effective_on}提出异议已逾期；请另行向主管部门反映"),
        &[("approvable_from", &approvable_from), ("effective_on", &effective_on)],
    )
}

pub(crate) fn objections_open(open: &[u32]) -> Broken {
    let numbers = open.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    broken(
        "A08_OBJECTION_OPEN",
        format!("objection {numbers} to the notice is open; reject or uphold each, then approve (A08)"),
        format!("公示异议（第{numbers}件）尚未处理；请逐件处理后再立项（A08）"),
        &[("objections", &numbers)],
    )
}

// A07: approved against the review; work finished before approval.

pub(crate) fn above_ceiling(asked: Amount, ceiling: Amount) -> Broken {
    at(
        "amount",
        broken(
            "A07_ABOVE_CEILING",
            format!(
                "the experts would award {ceiling} at most, and {asked} is to be awarded; publish and approve {ceiling} or less, \
                 or record the minutes that override the review (A07)"
            ),
            format!(
                "评审建议的上限为{ceiling}，拟立项金额为{asked}；请在{ceiling}以内公示、立项，或登记特批的会议纪要（A07）"
            ),
            &[
                ("asked_minor", &asked.minor),
                ("ceiling_minor", &ceiling.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn work_finished(ends_on: Date, effective_on: Date) -> Broken {
    broken(
        "A07_WORK_FINISHED",
        format!(
            "the project ended on {ends_on}, before the approval of {effective_on}; reject it, or record the minutes that \
             override this (A07)"
        ),
        format!("项目已于{ends_on}结束，早于立项日{effective_on}；请不予立项，或登记特批的会议纪要（A07）"),
        &[("ends_on", &ends_on), ("effective_on", &effective_on)],
    )
}
