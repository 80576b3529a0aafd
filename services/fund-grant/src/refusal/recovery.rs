//! What is said of recoveries 追缴.

use super::{at, broken, wrong_stage, wrong_tranche_state};
use crate::{
    grant::Stage,
    recovery::{Demand, Recovery, Take},
};
use concord_chassis::log::Broken;
use concord_events::fund::{Holding, Party};
use concord_kernel::{
    Date,
    id::{GrantId, RecoveryId},
    money::{Amount, Currency},
};

pub(crate) fn no_recovery(id: RecoveryId) -> Broken {
    at(
        "recovery_id",
        broken(
            "RECOVERY_NOT_FOUND",
            format!("there is no recovery {id}; check the id, or determine it first"),
            format!("不存在追缴事项{id}；请核对编号，或先作出追缴决定"),
            &[("recovery_id", &id)],
        ),
    )
}

/// The recovery is not in the state that the act needs.
pub(crate) fn wrong_recovery_state(recovery: &Recovery, rule: (&str, &str)) -> Broken {
    let (state, state_zh) = recovery.state().words();
    let outstanding = recovery.amount(recovery.outstanding_minor());
    broken(
        "WRONG_RECOVERY_STATE",
        format!("the recovery is {state}, and {outstanding} of it is outstanding; {}", rule.0),
        format!("该追缴事项目前为“{state_zh}”，尚欠{outstanding}；{}", rule.1),
        &[("state", &state), ("outstanding_minor", &outstanding.minor), ("currency", &outstanding.currency)],
    )
}

pub(crate) fn recovery_above_held(index: usize, take: &Take, held: Amount) -> Broken {
    let (account, account_zh) = holding_name(take.from);
    let (asked, party) = (take.amount, take.party);
    at(
        &format!("takes[{index}].amount"),
        broken(
            "RECOVERY_ABOVE_HELD",
            format!(
                "party {party} has {held} {account}, and {asked} is to be taken of it; take {held} or less"
            ),
            format!("单位{party}的{account_zh}为{held}，拟追缴{asked}；请调至{held}以内"),
            &[
                ("party_id", &party),
                ("account", &account),
                ("held_minor", &held.minor),
                ("asked_minor", &asked.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn holding_name(holding: Holding) -> (&'static str, &'static str) {
    match holding {
        Holding::Unspent => ("unspent", "未用资金"),
        Holding::Spent => ("accepted as spent", "已核定支出"),
        Holding::Retained => ("retained", "结余留用资金"),
    }
}

pub(crate) fn recovery_above_settled(
    asked: Amount,
    settled: Amount,
    refunded: Amount,
    recovered: Amount,
) -> Broken {
    at(
        "takes",
        broken(
            "RECOVERY_ABOVE_SETTLED",
            format!(
                "{settled} was settled, {refunded} of it given back and {recovered} is in other recoveries; what is left is \
                 less than the {asked} asked for: take no more than that"
            ),
            format!(
                "该项目已到账{settled}，其中已退回{refunded}、已列入其他追缴{recovered}；余额不足拟追缴的{asked}，请调减"
            ),
            &[
                ("asked_minor", &asked.minor),
                ("settled_minor", &settled.minor),
                ("refunded_minor", &refunded.minor),
                ("recovered_minor", &recovered.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn appeal_too_late(demand: &Demand, last_day: Date, effective_on: Date) -> Broken {
    broken(
        "APPEAL_TOO_LATE",
        format!(
            "demand {} was made on {} and could be appealed against until {last_day}; pay, or ask for a write-off",
            demand.number, demand.on
        ),
        format!("追缴通知{}于{}发出，申诉期至{last_day}止；请缴款，或申请核销", demand.number, demand.on),
        &[("demanded_on", &demand.on), ("last_day", &last_day), ("effective_on", &effective_on)],
    )
}

pub(crate) fn appeal_after_payment(paid: Amount) -> Broken {
    broken(
        "APPEAL_AFTER_PAYMENT",
        format!("{paid} of it was paid or written off, and an appeal comes before that; pay the rest"),
        format!("已缴纳、抵扣或核销{paid}，申诉须在此之前提出；请缴清余款"),
        &[("paid_minor", &paid.minor), ("currency", &paid.currency)],
    )
}

pub(crate) fn repayment_above_outstanding(recovery: &Recovery, given: Amount, outstanding: Amount) -> Broken {
    let (determined, repaid) = (recovery.amount_minor, recovery.repaid_minor());
    let (offset, written_off) = (recovery.offset_minor(), recovery.written_off_minor());
    at(
        "amount",
        broken(
            "REPAYMENT_ABOVE_OUTSTANDING",
            format!(
                "{outstanding} of {} is outstanding, and {given} came in; record {outstanding} or less and give the rest back",
                recovery.amount(determined)
            ),
            format!(
                "追缴总额{}，尚欠{outstanding}，本次缴款{given}；请在{outstanding}以内登记，余款退还",
                recovery.amount(determined)
            ),
            &[
                ("given_minor", &given.minor),
                ("outstanding_minor", &outstanding.minor),
                ("determined_minor", &determined),
                ("repaid_minor", &repaid),
                ("offset_minor", &offset),
                ("written_off_minor", &written_off),
                ("currency", &given.currency),
            ],
        ),
    )
}

// Offsets.

pub(crate) fn offset_too_early(demanded_on: Date, from: Date, effective_on: Date) -> Broken {
    broken(
        "OFFSET_TOO_EARLY",
        format!("it was demanded on {demanded_on} and may be offset from {from} on; wait until then"),
        format!("追缴通知于{demanded_on}发出，自{from}起方可抵扣；请届时办理"),
        &[("demanded_on", &demanded_on), ("from", &from), ("effective_on", &effective_on)],
    )
}

pub(crate) fn offset_same_grant(grant: GrantId) -> Broken {
    at(
        "against_grant_id",
        broken(
            "OFFSET_SAME_GRANT",
            format!(
                "grant {grant} is the one that the recovery is of; name a tranche of another grant of its lead"
            ),
            format!("项目{grant}即被追缴项目；请指明同一牵头单位的其他项目"),
            &[("grant_id", &grant)],
        ),
    )
}

pub(crate) fn offset_other_lead(own: &Party, other: &Party) -> Broken {
    at(
        "against_grant_id",
        broken(
            "OFFSET_OTHER_LEAD",
            format!(
                "the recovery is of {} and the other grant is led by {}; name a grant that {} leads",
                own.code, other.code, own.code
            ),
            format!(
                "被追缴单位为{}，所指项目的牵头单位为{}；请指明{}牵头的项目",
                own.code, other.code, own.code
            ),
            &[("lead", &own.code), ("other_lead", &other.code)],
        ),
    )
}

pub(crate) fn offset_other_currency(own: Currency, other: Currency) -> Broken {
    at(
        "against_grant_id",
        broken(
            "OFFSET_OTHER_CURRENCY",
            format!("the recovery is in {own} and the other grant in {other}; name a grant in {own}"),
            format!("追缴币种为{own}，所指项目币种为{other}；请指明币种为{own}的项目"),
            &[("currency", &own), ("other_currency", &other)],
        ),
    )
}

pub(crate) fn offset_above_outstanding(asked: Amount, outstanding: Amount) -> Broken {
    at(
        "amount",
        broken(
            "OFFSET_ABOVE_OUTSTANDING",
            format!("{outstanding} is outstanding; offset {outstanding} or less, not {asked}"),
            format!("尚欠{outstanding}；抵扣金额不得超过该数（现为{asked}）"),
            &[
                ("asked_minor", &asked.minor),
                ("outstanding_minor", &outstanding.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn offset_above_tranche(number: u32, asked: Amount, left: Amount) -> Broken {
    at(
        "amount",
        broken(
            "OFFSET_ABOVE_TRANCHE",
            format!(
                "{left} of tranche {number} is authorised and not offset yet; offset {left} or less, not {asked}"
            ),
            format!("第{number}笔拨款已审批且未抵扣的金额为{left}；抵扣金额不得超过该数（现为{asked}）"),
            &[
                ("tranche", &number),
                ("asked_minor", &asked.minor),
                ("left_minor", &left.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn offset_unpayable(stage: &Stage) -> Broken {
    wrong_stage(
        stage,
        (
            "a recovery is offset against a grant that is still paid: it has not ended, nor failed final acceptance",
            "只能抵扣仍可拨款的项目，即尚未终结、且未被认定为验收不通过的项目",
        ),
    )
}

pub(crate) fn offset_not_authorised(number: u32, state: (&str, &str)) -> Broken {
    let rule = (
        "offset against one that is authorised and not yet instructed",
        "只能抵扣已审批、尚未下达支付指令的拨款",
    );
    at("tranche_number", wrong_tranche_state(number, state, rule))
}

/// A tranche that an offset rests on is not called off: the recovery would be paid by nothing.
pub(crate) fn tranche_offset(number: u32, offset: Amount) -> Broken {
    broken(
        "TRANCHE_OFFSET",
        format!(
            "{offset} of tranche {number} was offset against a recovery, so it cannot be cancelled; instruct it, the bank pays \
             the rest"
        ),
        format!("第{number}笔拨款已抵扣追缴款{offset}，不能取消；请下达支付指令，由银行支付余额"),
        &[("tranche", &number), ("offset_minor", &offset.minor), ("currency", &offset.currency)],
    )
}

/// A settled payment came back for nothing: the lead held nothing of it, and all of it is recovered.
pub(crate) fn nothing_to_instruct(number: u32) -> Broken {
    broken(
        "TRANCHE_NOTHING_TO_INSTRUCT",
        format!(
            "nothing of tranche {number} came back in cash, so there is nothing to pay again; what was paid is recovered instead"
        ),
        format!("第{number}笔拨款未有现金退回，无可重新支付；已付款项另行追缴"),
        &[("tranche", &number)],
    )
}
