//! Refusals that every service knows, and how one is written. Codes are stable, sentences may improve. Every sentence
//! says what is wrong and what to do, in English and in Chinese.

use crate::log::{Broken, Context};
use concord_kernel::{Date, event::StreamId};
use jiff::ToSpan;
use std::fmt::Display;

/// A broken rule: its code, its sentence in both languages, and the facts that were weighed, by name.
#[must_use]
pub fn broken(code: &str, message: String, message_zh: String, facts: &[(&str, &dyn Display)]) -> Broken {
    Broken {
        code: code.to_owned(),
        field: String::new(),
        message,
        message_zh,
        facts: facts.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect(),
    }
}

/// The same refusal, about this field of the request.
#[must_use]
pub fn at(field: &str, broken: Broken) -> Broken {
    Broken { field: field.to_owned(), ..broken }
}

/// Dates: never after today, and at most `days_back` calendar days back, where there is such a limit (domain.md section
/// 1, "Times").
#[must_use]
pub fn dated(days_back: Option<u32>, context: &Context<'_>) -> Option<Broken> {
    let (effective_on, today) = (context.effective_on, context.today);
    if effective_on > today {
        return Some(after_today(effective_on, today));
    }
    let days = days_back?;
    let earliest = today.saturating_sub(i64::from(days).days());
    (effective_on < earliest).then(|| too_far_back(effective_on, earliest, days))
}

fn after_today(effective_on: Date, today: Date) -> Broken {
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

fn too_far_back(effective_on: Date, earliest: Date, days: u32) -> Broken {
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

/// Dates: a lifecycle's own steps never go back in time (domain.md section 1, "Times").
#[must_use]
pub fn not_before(last_step_on: Option<Date>, effective_on: Date) -> Option<Broken> {
    let last = last_step_on.filter(|last| effective_on < *last)?;
    Some(before_last_step(effective_on, last))
}

/// The step before happened later.
#[must_use]
pub fn before_last_step(effective_on: Date, last: Date) -> Broken {
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

/// The id that the caller chose for `field` belongs to something else: an aggregate of this kind.
#[must_use]
pub fn taken(field: &str, by: StreamId) -> Broken {
    let StreamId { kind, id } = by;
    at(
        field,
        broken(
            "ID_TAKEN",
            format!("{id} is another {kind} already; choose a new id"),
            format!("编号{id}已被占用且内容不同；请使用新编号"),
            &[("id", &id), ("kind", &kind)],
        ),
    )
}

/// No rulebook is in force on that day; `why` says since when there is one.
#[must_use]
pub fn no_rulebook(why: &str) -> Broken {
    at(
        "header.effective_on",
        broken(
            "NO_RULEBOOK",
            why.to_owned(),
            "该日期没有生效的规则版本；请核对生效日期，更早的项目请以导入方式录入".to_owned(),
            &[],
        ),
    )
}
