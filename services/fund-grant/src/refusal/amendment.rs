//! What a refusal says about an amendment 任务书变更 or an extension 延期.

use crate::grant::{amendment::Changes, tranche::Tranche};
use concord_chassis::{
    deciding::{at, broken},
    log::Broken,
};
use concord_kernel::{Date, money::Amount};

pub(crate) fn amendment_changes_nothing() -> Broken {
    broken(
        "AMENDMENT_CHANGES_NOTHING",
        "the contract has this amount, this plan and these shares already; amend what is to be otherwise"
            .to_owned(),
        "任务书的金额、拨款计划与分配额度已是如此；请填报需要变更的内容".to_owned(),
        &[],
    )
}

pub(crate) fn amended_upward(asked: Amount, contracted: Amount) -> Broken {
    at(
        "amount",
        broken(
            "A02_AMENDED_UPWARD",
            format!(
                "{contracted} is contracted, and what was approved beyond it was given back; amend to {contracted} or less, \
                 not {asked} (A02)"
            ),
            format!(
                "任务书金额为{contracted}，立项超出部分已退回；变更后金额不得超过该数（现为{asked}）（A02）"
            ),
            &[
                ("asked_minor", &asked.minor),
                ("contracted_minor", &contracted.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn plan_not_the_amount(sum_minor: i128, amount: Amount) -> Broken {
    at(
        "tranches",
        broken(
            "PLAN_NOT_THE_AMOUNT",
            format!(
                "the plan adds up to {sum_minor} minor units and {} are contracted ({amount}); give the whole plan so that the \
                 two are the same",
                amount.minor
            ),
            format!(
                "拨款计划合计{sum_minor}个最小货币单位，任务书金额为{}（{amount}）；请填报完整计划并使两者一致",
                amount.minor
            ),
            &[("sum_minor", &sum_minor), ("amount_minor", &amount.minor), ("currency", &amount.currency)],
        ),
    )
}

/// `least`: what it may be planned down to; `planned` where it may not.
pub(crate) fn tranche_not_kept(tranche: &Tranche, planned: Amount, least: Amount) -> Broken {
    let (number, (state, state_zh)) = (tranche.plan.number, tranche.state.words());
    let (may, may_zh) = if least.minor < planned.minor {
        (
            format!("keep its condition and its day, and plan {least} to {planned} for it"),
            format!("请保留其拨款条件与期限，金额可在{least}至{planned}之间"),
        )
    } else {
        (format!("keep its line as it is, with {planned}"), format!("请按原计划保留（{planned}）"))
    };
    at(
        "tranches",
        broken(
            "TRANCHE_NOT_KEPT",
            format!("tranche {number} is {state} and stays as it is planned; {may}"),
            format!("第{number}笔拨款目前为“{state_zh}”，不得变更；{may_zh}"),
            &[
                ("tranche", &number),
                ("state", &state),
                ("planned_minor", &planned.minor),
                ("least_minor", &least.minor),
                ("currency", &planned.currency),
            ],
        ),
    )
}

pub(crate) fn share_below_passed_on(party: &str, share: Amount, passed_on: Amount) -> Broken {
    at(
        "allocations",
        broken(
            "SHARE_BELOW_PASSED_ON",
            format!(
                "{passed_on} was passed on to {party}; give it a share of {passed_on} or more, not {share}"
            ),
            format!("已向{party}转拨{passed_on}；其分配额度不得低于该数（现为{share}）"),
            &[
                ("party", &party),
                ("share_minor", &share.minor),
                ("passed_on_minor", &passed_on.minor),
                ("currency", &share.currency),
            ],
        ),
    )
}

pub(crate) fn extended_already(extensions: &Changes, most: u32, ends_on: Date) -> Broken {
    let minutes = extensions.minutes.as_deref().unwrap_or_default();
    broken(
        "EXTENDED_ALREADY",
        format!(
            "a project is given more time {most} times at most, and this one was {} times; it ends on {ends_on}: report its \
             completion, or terminate it",
            extensions.count
        ),
        format!(
            "项目最多延期{most}次，该项目已延期{}次，结束日期为{ends_on}；请提交完成报告或办理终止",
            extensions.count
        ),
        &[
            ("extensions", &extensions.count),
            ("extensions_max", &most),
            ("ends_on", &ends_on),
            ("minutes", &minutes),
        ],
    )
}

pub(crate) fn extension_without_end() -> Broken {
    broken(
        "EXTENSION_WITHOUT_END",
        "the source of this migrated award does not say on which day the project ends, so there is nothing to extend; go on \
         without, as nothing is overdue here"
            .to_owned(),
        "该历史项目的来源数据没有结束日期，无从延期；本系统也不对其计算逾期，可直接继续执行".to_owned(),
        &[],
    )
}

pub(crate) fn extension_not_later(asked: Date, former: Date) -> Broken {
    at(
        "ends_on",
        broken(
            "EXTENSION_NOT_LATER",
            format!("the project ends on {former}; give a later day than that, not {asked}"),
            format!("项目结束日期为{former}；延期后的日期须晚于该日（现为{asked}）"),
            &[("ends_on", &asked), ("former_ends_on", &former)],
        ),
    )
}

pub(crate) fn extension_too_long(asked: Date, latest: Date, months: u32) -> Broken {
    at(
        "ends_on",
        broken(
            "EXTENSION_TOO_LONG",
            format!("an extension adds {months} months at most; give {latest} or earlier, not {asked}"),
            format!("每次延期不得超过{months}个月；请填写{latest}或之前的日期（现为{asked}）"),
            &[("ends_on", &asked), ("latest", &latest), ("months", &months)],
        ),
    )
}
