//! What the directory of parties refuses.

use crate::party::Party;
use concord_chassis::{
    deciding::{at, broken},
    log::Broken,
};
use concord_events::agreement::Register;
use concord_kernel::{
    Date,
    id::OrganisationId,
    party::{PartyCode, PartyId, PartyKind},
};

pub(crate) fn code_taken(code: &PartyCode, party: PartyId, name: &str) -> Broken {
    at(
        "code",
        broken(
            "CODE_TAKEN",
            format!(
                "{code} is recorded as {name} ({party}) already, in another way; that stands. Use that party, or correct it by a rename, a reclassification or a move"
            ),
            format!(
                "代码{code}已登记为“{name}”（{party}），内容不同；以已登记者为准，请使用该主体或办理更名、转制、迁址"
            ),
            &[("code", code), ("party_id", &party)],
        ),
    )
}

pub(crate) fn code_of_another(code: &PartyCode, party: PartyId, name: &str) -> Broken {
    at(
        "code",
        broken(
            "CODE_TAKEN",
            format!(
                "{code} names {name} ({party}); a code never belongs to two parties. Merge the two if they are one"
            ),
            format!("代码{code}属于“{name}”（{party}）；一个代码不得属于两个主体，确系同一主体的请办理合并"),
            &[("code", code), ("party_id", &party)],
        ),
    )
}

pub(crate) fn recorded_under_another_code(code: &PartyCode, party: PartyId, first: &PartyCode) -> Broken {
    at(
        "code",
        broken(
            "CODE_TAKEN",
            format!(
                "{code} is of the party recorded under {first} ({party}); add the code to it (AddPartyCode)"
            ),
            format!("代码{code}所属主体已以{first}登记（{party}）；请为其增加该代码（AddPartyCode）"),
            &[("code", code), ("party_id", &party), ("first_code", first)],
        ),
    )
}

pub(crate) fn party_ended(from: Date, on: Date) -> Broken {
    broken(
        "PARTY_ENDED",
        format!(
            "the party ended on {from}, before {on}; nothing new is true of it then. Give an earlier day, or name its successor"
        ),
        format!("该主体已于{from}终结，早于{on}；请填写更早日期，或填写其承继单位"),
        &[("ended_from", &from), ("on", &on)],
    )
}

/// `into` was merged into the party itself, at once or through others, on whichever day.
pub(crate) fn merged_in_a_circle(code: &PartyCode, into: &Party) -> Broken {
    let into_code = into.code();
    let since = into.end.map_or_else(String::new, |end| end.from().to_string());
    at(
        "into",
        broken(
            "MERGED_IN_A_CIRCLE",
            format!(
                "{into_code} was merged on {since}, and {code} is what it became; two parties do not become each other. \
                 That merger stands: check which of the two went on, and name another party, or none"
            ),
            format!(
                "{into_code}已于{since}合并，其承继单位即为{code}；两个主体不能互相并入。该合并以已登记者为准，请核对存续单位，改填其他主体或不予登记"
            ),
            &[("party", code), ("into", into_code), ("merged_from", &since)],
        ),
    )
}

pub(crate) fn another_that_day(what: (&str, &str), on: Date) -> Broken {
    at(
        "header.effective_on",
        broken(
            "ANOTHER_FROM_THAT_DAY",
            format!(
                "another {} of the party is recorded from {on}, and that stands; give another day",
                what.0
            ),
            format!("该主体自{on}起的{}已另有登记，以已登记者为准；请填写其他日期", what.1),
            &[("on", &on), ("what", &what.0)],
        ),
    )
}

pub(crate) fn not_an_enterprise(register: Register, kind: PartyKind, on: Date) -> Broken {
    broken(
        "NOT_AN_ENTERPRISE",
        format!(
            "the register {} is of enterprises, and the party is of kind {} on {on}",
            register.code(),
            kind.label_en()
        ),
        format!("“{}”名录仅收录企业，该主体于{on}为{}", register.label_zh(), kind.label_zh()),
        &[("register", &register.code()), ("on", &on)],
    )
}

/// A time on a register, or under a control, begins after the one before and ends after it began.
pub(crate) fn spells_overlap(what: (&str, &str), on: Date, last: Date) -> Broken {
    at(
        "header.effective_on",
        broken(
            "SPELLS_OVERLAP",
            format!("what is recorded of {} reaches to {last}; give a day after {last}, not {on}", what.0),
            format!("{}的记录已至{last}；请填写{last}之后的日期，而非{on}", what.1),
            &[("on", &on), ("last", &last)],
        ),
    )
}

/// The authority that was recorded first stands.
pub(crate) fn represented_already(organisation: &OrganisationId, authority: &str, from: Date) -> Broken {
    at(
        "authority",
        broken(
            "ALREADY_REPRESENTED",
            format!(
                "{organisation} stands for the party since {from}, authorised by {authority}; end that first, or leave it as it is"
            ),
            format!("{organisation}自{from}起已代表该主体（{authority}）；请先登记代表终止，或维持不变"),
            &[("organisation", organisation), ("authority", &authority), ("from", &from)],
        ),
    )
}

pub(crate) fn not_open(what: (&str, &str), on: Date) -> Broken {
    broken(
        "NOT_OPEN",
        format!("{} was not begun, or ended before {on}; record its beginning first", what.0),
        format!("{}未开始或已于{on}之前结束；请先登记其开始", what.1),
        &[("on", &on)],
    )
}

pub(crate) fn itself(field: &str) -> Broken {
    at(
        field,
        broken(
            "PARTY_IS_ITSELF",
            "a party neither merges into itself nor controls itself; name the other".to_owned(),
            "主体不能与自身合并或控制自身；请填写另一主体".to_owned(),
            &[],
        ),
    )
}
