//! What a refusal says: one constructor for each broken rule. Codes are stable, sentences may improve. Every sentence
//! says what is wrong and what to do, in English and in Chinese.
//!
//! Here stands what every lifecycle shares.

mod amendments;
mod directory;
mod fields;
mod terms;

pub(crate) use amendments::*;
pub(crate) use concord_chassis::deciding::{happens, happens_under, refused, taken, unchanged};
pub(crate) use directory::*;
pub(crate) use fields::*;
pub(crate) use terms::*;

use crate::agreement::{Standing, registration::RegistrationStage};
use concord_chassis::{
    deciding::{self, at, broken},
    log::Broken,
};
use concord_events::agreement::AgreementEvent;
use concord_kernel::{
    id::AgreementId,
    party::{PartyCode, PartyId},
};
use std::fmt::Display;

/// What the rules say to a command: what happens then, nothing where it holds already, or every broken rule.
pub(crate) type Ruling = deciding::Ruling<AgreementEvent>;

pub(crate) fn no_agreement(field: &str, id: AgreementId) -> Broken {
    at(
        field,
        broken(
            "AGREEMENT_NOT_FOUND",
            format!("there is no agreement {id}; check the id, or draft it first"),
            format!("不存在协议{id}；请核对编号，或先起草"),
            &[("agreement_id", &id)],
        ),
    )
}

pub(crate) fn no_party(field: &str, id: PartyId) -> Broken {
    at(
        field,
        broken(
            "PARTY_NOT_FOUND",
            format!("the directory knows no party {id}; check the id, or record it first (RecordParty)"),
            format!("主体名录中没有{id}；请核对编号，或先登记该主体（RecordParty）"),
            &[("party_id", &id)],
        ),
    )
}

pub(crate) fn party_unknown(field: &str, code: &PartyCode) -> Broken {
    at(
        field,
        broken(
            "PARTY_NOT_FOUND",
            format!(
                "the directory knows no party {code}; record it first (RecordParty), or add the code to the party that has it"
            ),
            format!("主体名录中没有代码{code}；请先登记该主体（RecordParty），或为已登记主体增加该代码"),
            &[("code", code)],
        ),
    )
}

pub(crate) fn no_obligation(number: u32) -> Broken {
    at(
        "number",
        broken(
            "OBLIGATION_NOT_FOUND",
            format!("the version in force has no obligation {number}; check the number"),
            format!("现行版本没有第{number}项义务；请核对序号"),
            &[("number", &number)],
        ),
    )
}

pub(crate) fn no_action_item(meeting: u32, item: u32) -> Broken {
    at(
        "item",
        broken(
            "ACTION_ITEM_NOT_FOUND",
            format!("meeting {meeting} left no action item {item}; check both numbers"),
            format!("第{meeting}次会议没有第{item}项待办事项；请核对序号"),
            &[("meeting", &meeting), ("item", &item)],
        ),
    )
}

// Standing and order.

/// The act is not for this standing. `rule` says when it is, in both languages.
pub(crate) fn wrong_standing(standing: Standing, rule: (&str, &str)) -> Broken {
    let (next, next_zh) = standing.next();
    broken(
        "WRONG_STANDING",
        format!("{}; this agreement is {}. {next}", rule.0, standing.name()),
        format!("{}；该协议目前为“{}”。{next_zh}", rule.1, standing.label_zh()),
        &[("standing", &standing.name())],
    )
}

/// The registration is not where the act needs it.
pub(crate) fn wrong_registration(stage: Option<&RegistrationStage>, rule: (&str, &str)) -> Broken {
    let (name, name_zh) = stage.map_or(("none", "未提交"), RegistrationStage::words);
    broken(
        "WRONG_REGISTRATION_STAGE",
        format!("{}; this registration is {name}", rule.0),
        format!("{}；目前为“{name_zh}”", rule.1),
        &[("stage", &name)],
    )
}

/// It was done once, in another way; `first` is how.
pub(crate) fn done_otherwise(code: &str, what: (&str, &str), first: &[(&str, &dyn Display)]) -> Broken {
    let told = first.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
    broken(
        code,
        format!("{} already, with {told}; that stands, and a second one is refused", what.0),
        format!("{}（{told}）；以第一次为准，不得重复办理", what.1),
        first,
    )
}
