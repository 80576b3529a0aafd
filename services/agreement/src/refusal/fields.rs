//! Values that cannot be right, whatever the state.

use concord_chassis::{
    deciding::{at, broken},
    log::Broken,
};
use concord_events::agreement::Term;
use concord_kernel::party::PartyCode;

pub(crate) fn text_missing(field: &str) -> Broken {
    at(
        field,
        broken(
            "FIELD_MISSING",
            format!("{field} is missing; give it"),
            format!("缺少{field}，请填写"),
            &[("field", &field)],
        ),
    )
}

pub(crate) fn text_too_long(field: &str, bytes: usize, bytes_max: usize) -> Broken {
    at(
        field,
        broken(
            "TEXT_TOO_LONG",
            format!(
                "{field} has {bytes} bytes and {bytes_max} is the most; shorten it and archive the whole"
            ),
            format!("{field}为{bytes}字节，上限为{bytes_max}字节；请精简，全文归档"),
            &[("bytes", &bytes), ("bytes_max", &bytes_max)],
        ),
    )
}

pub(crate) fn too_many(field: &str, count: usize, max: usize) -> Broken {
    at(
        field,
        broken(
            "TOO_MANY",
            format!(
                "{count} of {field} are more than {max}; put them together, or draft a further agreement"
            ),
            format!("{field}共{count}项，上限为{max}项；请合并，或另行起草协议"),
            &[("count", &count), ("max", &max)],
        ),
    )
}

pub(crate) fn too_many_versions(max: u32) -> Broken {
    broken(
        "TOO_MANY_VERSIONS",
        format!("an agreement has {max} versions and amendments at most; draft a new agreement"),
        format!("一份协议的版本与变更以{max}个为限；请另行起草协议"),
        &[("max", &max)],
    )
}

pub(crate) fn amendment_too_large(bytes: usize, bytes_max: usize) -> Broken {
    at(
        "changes",
        broken(
            "AMENDMENT_TOO_LARGE",
            format!(
                "the amendment would take {bytes} bytes and {bytes_max} is the most; shorten the obligations' texts and archive the whole, or make it two amendments"
            ),
            format!("该变更将占{bytes}字节，上限为{bytes_max}字节；请精简义务内容、全文归档，或分两次变更"),
            &[("bytes", &bytes), ("bytes_max", &bytes_max)],
        ),
    )
}

pub(crate) fn term_backwards(term: Term) -> Broken {
    at(
        "term",
        broken(
            "TERM_BACKWARDS",
            format!(
                "the term ends on {} and begins on {}; let it end on or after its first day",
                term.until, term.from
            ),
            format!("期限截止日{}早于起始日{}；请更正", term.until, term.from),
            &[("from", &term.from), ("until", &term.until)],
        ),
    )
}

pub(crate) fn own_parent() -> Broken {
    at(
        "parent_id",
        broken(
            "PARENT_IS_ITSELF",
            "an agreement does not come under itself; name the framework or city agreement, or none"
                .to_owned(),
            "协议不能以自身为上位协议；请填写框架协议或市县协议，或留空".to_owned(),
            &[],
        ),
    )
}

pub(crate) fn framework_with_parent() -> Broken {
    at(
        "parent_id",
        broken(
            "FRAMEWORK_WITH_PARENT",
            "a framework agreement comes under no other; leave the parent out".to_owned(),
            "框架协议没有上位协议；请留空".to_owned(),
            &[],
        ),
    )
}

pub(crate) fn technology_field(is_technology: bool) -> Broken {
    let (message, message_zh) = if is_technology {
        ("a technology contract says what it is about; give its type", "技术合同须注明类别，请填写")
    } else {
        ("only a technology contract has a type; leave it out", "仅技术合同填写类别，请留空")
    };
    at("technology", broken("TECHNOLOGY_TYPE", message.to_owned(), message_zh.to_owned(), &[]))
}

pub(crate) fn project_number_field() -> Broken {
    at(
        "project_number",
        broken(
            "PROJECT_NUMBER_NOT_OF_KIND",
            "only a national project has an outside number; leave it out".to_owned(),
            "仅联合承担国家项目填写项目编号，请留空".to_owned(),
            &[],
        ),
    )
}

pub(crate) fn value_not_positive() -> Broken {
    at(
        "value",
        broken(
            "VALUE_NOT_POSITIVE",
            "a value is above zero; give it, or leave it out where there is none".to_owned(),
            "成交额须大于零；没有成交额的请留空".to_owned(),
            &[],
        ),
    )
}

pub(crate) fn income_negative() -> Broken {
    at(
        "technology_income",
        broken(
            "INCOME_NEGATIVE",
            "the verified technology income is zero or more; give it as verified".to_owned(),
            "核定技术性收入不得小于零；请按核定数填写".to_owned(),
            &[],
        ),
    )
}

pub(crate) fn role_of_technology_contract(field: &str) -> Broken {
    at(
        field,
        broken(
            "ROLE_NOT_OF_KIND",
            "seller and buyer are roles of a technology contract; name the party as a participant".to_owned(),
            "卖方、买方仅用于技术合同；请按合作方填写".to_owned(),
            &[],
        ),
    )
}

pub(crate) fn number_taken(field: &str, number: u32) -> Broken {
    at(
        field,
        broken(
            "NUMBER_TAKEN",
            format!("number {number} is zero or stands twice; number from 1, each once"),
            format!("序号{number}为零或重复；请自1起编号，不得重复"),
            &[("number", &number)],
        ),
    )
}

pub(crate) fn not_named(field: &str, code: &PartyCode) -> Broken {
    at(
        field,
        broken(
            "PARTY_NOT_NAMED",
            format!("the agreement names no party {code}; use a code under which it names one"),
            format!("协议未以代码{code}列明主体；请使用协议所列代码"),
            &[("code", code)],
        ),
    )
}

pub(crate) fn party_twice(field: &str, code: &PartyCode, first: &PartyCode) -> Broken {
    at(
        field,
        broken(
            "PARTY_TWICE",
            format!("{code} is the same party as {first}; name each party once"),
            format!("{code}与{first}为同一主体；每一主体只列一次"),
            &[("code", code), ("first", first)],
        ),
    )
}
