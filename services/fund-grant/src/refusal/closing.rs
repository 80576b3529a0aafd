//! What a refusal says on the way to a grant's end: conditions of payment, final acceptance 验收, closeout 结题.

use super::{condition_name, wrong_stage};
use crate::grant::{Stage, tranche::Tranche};
use concord_chassis::{
    deciding::{at, broken},
    log::Broken,
};
use concord_events::fund::{AcceptanceOutcome, TrancheCondition};
use concord_kernel::{Date, id::SpendId, money::Amount};

pub(crate) fn condition_not_met(number: u32, condition: TrancheCondition) -> Broken {
    let (name, name_zh) = condition_name(condition);
    let (next, next_zh) = match condition {
        TrancheCondition::Contract => ("sign the contract first", "请先签订任务书"),
        TrancheCondition::Midterm => {
            ("record that the midterm check was passed, then ask again", "请先登记中期检查通过，再申请")
        }
        TrancheCondition::FinalAcceptance => {
            ("conclude final acceptance as passed, then ask again", "请待项目通过验收后再申请")
        }
        TrancheCondition::VerifiedClaim => (
            "claims are not verified for non-repayable grants: amend the contract to give it another condition",
            "无偿资助项目不办理核验；请变更任务书，另定拨款条件",
        ),
    };
    broken(
        "TRANCHE_CONDITION_NOT_MET",
        format!("tranche {number} waits for its condition, {name}, and that is not on record; {next}"),
        format!("第{number}笔拨款的条件“{name_zh}”尚无记录；{next_zh}"),
        &[("tranche", &number), ("condition", &name)],
    )
}

pub(crate) fn pays_no_more(stage: &Stage) -> Broken {
    wrong_stage(
        stage,
        (
            "nothing is requested, authorised or instructed once final acceptance has failed or the grant has ended",
            "验收未通过或项目终结后，不再申请、审批、支付拨款",
        ),
    )
}

/// What final acceptance came to, as facts name it.
pub(crate) fn outcome_name(outcome: AcceptanceOutcome) -> String {
    match outcome {
        AcceptanceOutcome::Passed => "passed".to_owned(),
        AcceptanceOutcome::Rectify { by } => format!("rectify by {by}"),
        AcceptanceOutcome::Failed { cause } => format!("failed ({})", cause.code()),
    }
}

pub(crate) fn rectified_already(times: u32, most: u32) -> Broken {
    at(
        "outcome",
        broken(
            "RECTIFIED_ALREADY",
            format!(
                "a project is sent back to be put right {most} times at most, and this one was {times} times; conclude that it \
                 passed or failed"
            ),
            format!("项目最多限期整改{most}次，该项目已整改{times}次；请作出通过或不通过的验收结论"),
            &[("rectifications", &times), ("rectifications_max", &most)],
        ),
    )
}

pub(crate) fn rectify_by_not_later(by: Date, effective_on: Date) -> Broken {
    at(
        "rectify_by",
        broken(
            "RECTIFY_BY_NOT_LATER",
            format!("final acceptance was concluded on {effective_on}; give a later day than that, not {by}"),
            format!("验收结论日期为{effective_on}；整改期限须晚于该日（现为{by}）"),
            &[("rectify_by", &by), ("effective_on", &effective_on)],
        ),
    )
}

pub(crate) fn open_tranche(tranche: &Tranche) -> Broken {
    let (number, (state, state_zh)) = (tranche.plan.number, tranche.state.words());
    broken(
        "CLOSE_OPEN_TRANCHE",
        format!(
            "tranche {number} is {state}; a grant is closed once no tranche is open: have it settled or returned, or reject or \
             cancel the request, then close"
        ),
        format!(
            "第{number}笔拨款目前为“{state_zh}”；没有在途拨款方可结题：请先完成支付或退汇，或驳回、取消申请"
        ),
        &[("tranche", &number), ("state", &state)],
    )
}

/// `count` items wait, `sum` in all; `first` is one of them.
pub(crate) fn open_spending(count: usize, sum: Amount, first: SpendId) -> Broken {
    broken(
        "CLOSE_OPEN_SPENDING",
        format!(
            "{count} items of spending, {sum} in all, are reported and not decided, the first {first}; accept or disallow them, \
             then close"
        ),
        format!("有{count}项支出（合计{sum}）已申报而未核定，首项为{first}；请先核定或审减，再结题"),
        &[
            ("items", &count),
            ("sum_minor", &sum.minor),
            ("currency", &sum.currency),
            ("first_spend_id", &first),
        ],
    )
}

pub(crate) fn tranche_with_the_bank(tranche: &Tranche) -> Broken {
    let number = tranche.plan.number;
    broken(
        "END_TRANCHE_WITH_BANK",
        format!(
            "tranche {number} is with the bank; record that it was settled or returned, then end the grant"
        ),
        format!("第{number}笔拨款正在支付中；请先登记到账或退汇，再终止、撤销项目"),
        &[("tranche", &number)],
    )
}

pub(crate) fn offset_unpaid(tranche: &Tranche, offset: Amount) -> Broken {
    let number = tranche.plan.number;
    broken(
        "END_TRANCHE_OFFSET",
        format!(
            "{offset} of tranche {number} was offset against a recovery of another grant, which counts as paid; have the tranche \
             instructed and settled first"
        ),
        format!("第{number}笔拨款中的{offset}已抵扣其他项目的追缴款，视同已缴；请先完成该笔拨款的支付"),
        &[("tranche", &number), ("offset_minor", &offset.minor), ("currency", &offset.currency)],
    )
}

// A10: unspent balance kept.

pub(crate) fn unspent_without_disposition(party: &str, unspent: Amount, latest: Date) -> Broken {
    at(
        "refund_by",
        broken(
            "A10_UNSPENT_WITHOUT_DISPOSITION",
            format!(
                "{party} holds {unspent} unspent; have it refunded, retained or transferred first, or name the day by which it \
                 is refunded, {latest} at the latest (A10)"
            ),
            format!(
                "{party}尚有结余{unspent}；请先办理退回、留用或结转，或填报退回期限（不迟于{latest}）（A10）"
            ),
            &[
                ("party", &party),
                ("unspent_minor", &unspent.minor),
                ("currency", &unspent.currency),
                ("refund_latest", &latest),
            ],
        ),
    )
}

pub(crate) fn refund_day_out_of_range(by: Date, earliest: Date, latest: Date) -> Broken {
    at(
        "refund_by",
        broken(
            "A10_REFUND_DAY_OUT_OF_RANGE",
            format!(
                "what is unspent is refunded between {earliest} and {latest}; give a day of these, not {by} (A10)"
            ),
            format!("结余退回期限须在{earliest}至{latest}之间（现为{by}）（A10）"),
            &[("refund_by", &by), ("refund_earliest", &earliest), ("refund_latest", &latest)],
        ),
    )
}
