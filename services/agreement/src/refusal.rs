//! What a refusal says: one constructor for each broken rule. Codes are stable, sentences may improve. Every sentence
//! says what is wrong and what to do, in English and in Chinese.
//!
//! Here stands what every lifecycle shares.

mod directory;
mod fields;
mod terms;

pub(crate) use directory::*;
pub(crate) use fields::*;
pub(crate) use terms::*;

use crate::agreement::{Standing, registration::RegistrationStage};
use concord_chassis::log::{Broken, Decision};
use concord_events::agreement::AgreementEvent;
use concord_kernel::{
    Date,
    id::AgreementId,
    party::{PartyCode, PartyId},
};
use std::fmt::Display;
use uuid::Uuid;

/// What the rules say to a command: what happens then, nothing where it holds already, or every broken rule.
pub(crate) type Ruling = Result<Decision<AgreementEvent>, Vec<Broken>>;

pub(crate) fn happens(event: AgreementEvent) -> Ruling {
    Ok(Decision::events(vec![event]))
}

pub(crate) fn unchanged() -> Ruling {
    Ok(Decision::unchanged())
}

pub(crate) fn refused(broken: Broken) -> Ruling {
    Err(vec![broken])
}

/// The event, unless one of the rules is broken; then all that are.
pub(crate) fn happens_under(
    rules: impl IntoIterator<Item = Option<Broken>>,
    event: AgreementEvent,
) -> Ruling {
    let broken: Vec<Broken> = rules.into_iter().flatten().collect();
    if broken.is_empty() { happens(event) } else { Err(broken) }
}

fn broken(code: &str, message: String, message_zh: String, facts: &[(&str, &dyn Display)]) -> Broken {
    Broken {
        code: code.to_owned(),
        field: String::new(),
        message,
        message_zh,
        facts: facts.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect(),
    }
}

/// The same refusal, about this field of the request.
fn at(field: &str, broken: Broken) -> Broken {
    Broken { field: field.to_owned(), ..broken }
}

pub(crate) fn after_today(effective_on: Date, today: Date) -> Broken {
    at(
        "header.effective_on",
        broken(
            "EFFECTIVE_AFTER_TODAY",
            format!("{effective_on} lies after today, {today}; give the day on which it happened"),
            format!("生效日期{effective_on}晚于今天{today}；请填写实际发生的日期"),
            &[("effective_on", &effective_on), ("today", &today)],
        ),
    )
}

pub(crate) fn too_far_back(effective_on: Date, earliest: Date, days: u32) -> Broken {
    at(
        "header.effective_on",
        broken(
            "EFFECTIVE_TOO_FAR_BACK",
            format!("{effective_on} lies more than {days} days back; give {earliest} or later"),
            format!("生效日期{effective_on}超出{days}天的补录期限；请填写{earliest}或之后的日期"),
            &[("effective_on", &effective_on), ("earliest", &earliest), ("days", &days)],
        ),
    )
}

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

pub(crate) fn taken(field: &str, id: Uuid) -> Broken {
    at(
        field,
        broken(
            "ID_TAKEN",
            format!("{id} is something else already; choose a new id"),
            format!("编号{id}已被占用且内容不同；请使用新编号"),
            &[("id", &id)],
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

pub(crate) fn before_last_step(effective_on: Date, last: Date) -> Broken {
    at(
        "header.effective_on",
        broken(
            "STEP_BEFORE_THE_LAST",
            format!("the step before happened on {last}; this one cannot lie earlier: give {last} or later"),
            format!("上一环节发生于{last}，本环节不得早于该日；请填写{last}或之后的日期"),
            &[("effective_on", &effective_on), ("last_step_on", &last)],
        ),
    )
}

pub(crate) fn no_rulebook(why: &str) -> Broken {
    at(
        "header.effective_on",
        broken("NO_RULEBOOK", why.to_owned(), "该日期没有生效的规则版本；请核对生效日期".to_owned(), &[]),
    )
}
