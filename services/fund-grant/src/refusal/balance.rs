//! What a refusal says about a balance 结余.

use crate::grant::Stage;
use concord_chassis::{
    deciding::{at, broken},
    log::Broken,
};
use concord_events::fund::{Holding, Party};
use concord_kernel::{
    Date,
    id::{GrantId, ProgrammeId},
    money::Amount,
};

fn holding_name(from: Holding) -> (&'static str, &'static str) {
    match from {
        Holding::Unspent => ("unspent", "未用结余"),
        Holding::Spent => ("spent", "已核定支出"),
        Holding::Retained => ("retained", "留用结余"),
    }
}

pub(crate) fn refund_above_balance(party: &str, from: Holding, asked: Amount, held: Amount) -> Broken {
    let (name, name_zh) = holding_name(from);
    at(
        "amount",
        broken(
            "REFUND_ABOVE_BALANCE",
            format!("{party} holds {held} {name}; record a refund of {held} or less, not {asked}"),
            format!("{party}的{name_zh}为{held}；退回金额不得超过该数（现为{asked}）"),
            &[
                ("party", &party),
                ("from", &name),
                ("asked_minor", &asked.minor),
                ("held_minor", &held.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn above_unspent(party: &str, asked: Amount, held: Amount) -> Broken {
    at(
        "amount",
        broken(
            "BALANCE_ABOVE_UNSPENT",
            format!("{party} holds {held} unspent; give {held} or less, not {asked}"),
            format!("{party}的未用结余为{held}；金额不得超过该数（现为{asked}）"),
            &[
                ("party", &party),
                ("asked_minor", &asked.minor),
                ("held_minor", &held.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn balance_recalled(effective_on: Date) -> Broken {
    broken(
        "A10_BALANCE_RECALLED",
        format!("balances are recalled under the rules of {effective_on}; have it refunded instead (A10)"),
        format!("按{effective_on}的现行规则，结余一律收回；请办理结余退回（A10）"),
        &[("effective_on", &effective_on)],
    )
}

pub(crate) fn transfer_to_itself() -> Broken {
    at(
        "to_grant_id",
        broken(
            "TRANSFER_TO_ITSELF",
            "a balance goes on in another grant; name that one, or have it refunded".to_owned(),
            "结余须结转至另一项目；请填报该项目编号，或办理退回".to_owned(),
            &[],
        ),
    )
}

pub(crate) fn transfer_elsewhere(own: ProgrammeId, other: ProgrammeId) -> Broken {
    at(
        "to_grant_id",
        broken(
            "TRANSFER_TO_ANOTHER_PROGRAMME",
            format!(
                "that grant is of programme {other}, this one of {own}; name one of the same programme, or have it refunded"
            ),
            format!("该项目属于年度计划{other}，本项目属于{own}；请选择同一年度计划的项目，或办理退回"),
            &[("programme_id", &own), ("to_programme_id", &other)],
        ),
    )
}

pub(crate) fn transfer_to_another_lead(own: &Party, other: &Party) -> Broken {
    at(
        "to_grant_id",
        broken(
            "TRANSFER_TO_ANOTHER_LEAD",
            format!(
                "{} leads that grant, {} this one; name one of the same lead, or have it refunded",
                other.code, own.code
            ),
            format!(
                "该项目的牵头单位是{}，本项目是{}；请选择同一牵头单位的项目，或办理退回",
                other.code, own.code
            ),
            &[("lead", &own.code), ("to_lead", &other.code)],
        ),
    )
}

pub(crate) fn transfer_to_idle(grant: GrantId, stage: &Stage) -> Broken {
    at(
        "to_grant_id",
        broken(
            "TRANSFER_NOT_RUNNING",
            format!(
                "grant {grant} is {}; name one that is contracted and still paid, or have it refunded",
                stage.name()
            ),
            format!("项目{grant}目前为“{}”；请选择已签任务书且仍可拨款的项目，或办理退回", stage.label_zh()),
            &[("to_grant_id", &grant), ("stage", &stage.name())],
        ),
    )
}
