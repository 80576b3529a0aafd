//! What an agreement needs, who may sign it, and which days follow which.

use super::done_otherwise;
use crate::{
    agreement::{Signature, Standing, succession::Succession},
    party::Party,
};
use concord_chassis::{
    deciding::{at, broken},
    log::Broken,
};
use concord_events::agreement::{AgreementKind, Participant, Role, Term};
use concord_kernel::{
    Date,
    id::AgreementId,
    party::{PartyCode, PartyKind},
};
use std::fmt::Display;

/// How many of many are named in one sentence.
const NAMED_MAX: usize = 10;

/// The first of many, and a sign that there are more.
fn some<T: ToString>(all: impl ExactSizeIterator<Item = T>) -> String {
    let more = if all.len() > NAMED_MAX { ", …" } else { "" };
    all.take(NAMED_MAX).map(|one| one.to_string()).collect::<Vec<_>>().join(", ") + more
}

// What a kind of agreement needs.

pub(crate) fn too_few_parties(kind: AgreementKind) -> Broken {
    broken(
        "KIND_NEEDS_TWO_PARTIES",
        "an agreement is between two different parties at least; name them all".to_owned(),
        format!("“{}”至少须有两个不同主体；请列全", kind.label_zh()),
        &[("kind", &kind.code())],
    )
}

pub(crate) fn role_missing(role: Role) -> Broken {
    let (name, name_zh) = match role {
        Role::Seller => ("seller", "卖方"),
        Role::Buyer => ("buyer", "买方"),
        Role::Participant => ("participant", "合作方"),
    };
    broken(
        "KIND_NEEDS_ROLE",
        format!("a technology contract has a {name}; name the party that is"),
        format!("技术合同须有{name_zh}；请列明"),
        &[("role", &name)],
    )
}

pub(crate) fn kind_missing(kind: AgreementKind, need: &[PartyKind]) -> Broken {
    let any = need.iter().map(|kind| kind.label_en()).collect::<Vec<_>>().join(" or ");
    let any_zh = need.iter().map(|kind| kind.label_zh()).collect::<Vec<_>>().join("或");
    broken(
        "KIND_NEEDS_PARTY",
        format!(
            "an agreement of kind {} needs a party of kind {any}; none of these is one on that day",
            kind.code()
        ),
        format!("“{}”须有{any_zh}参加；所列主体当日均不是", kind.label_zh()),
        &[("kind", &kind.code()), ("needs", &any)],
    )
}

/// The same need, not met any more after a succession.
pub(crate) fn after_succession(need: Broken) -> Broken {
    Broken {
        message: format!(
            "with the successor in place {}; terminate the agreement, or draft a new one",
            need.message
        ),
        message_zh: format!("承继后{}；请终止协议，或另行起草", need.message_zh),
        ..need
    }
}

pub(crate) fn no_parent_kind(id: AgreementId, kind: AgreementKind) -> Broken {
    at(
        "parent_id",
        broken(
            "PARENT_NOT_A_FRAMEWORK",
            format!(
                "agreement {id} is of kind {}; only a framework or a city or county agreement has others under it",
                kind.code()
            ),
            format!("协议{id}为“{}”；仅框架协议、市县协议可有下位协议", kind.label_zh()),
            &[("parent_id", &id), ("kind", &kind.code())],
        ),
    )
}

pub(crate) fn parent_not_live(id: AgreementId, standing: Standing, on: Date) -> Broken {
    at(
        "parent_id",
        broken(
            "PARENT_NOT_LIVE",
            format!(
                "agreement {id} is {} on {on}; others come under it once all have signed it and until it ends. Name another, or none",
                standing.name()
            ),
            format!(
                "协议{id}于{on}为“{}”；须全部签署且尚未结束方可有下位协议，请另选或留空",
                standing.label_zh()
            ),
            &[("parent_id", &id), ("standing", &standing.name()), ("on", &on)],
        ),
    )
}

pub(crate) fn parent_ended(id: AgreementId, standing: Standing, on: Date) -> Broken {
    broken(
        "PARENT_NOT_LIVE",
        format!(
            "agreement {id}, which this one comes under, is {} on {on}, the day on which all will have signed; nothing comes into force under it. Cancel the draft, and draft it under another, or none",
            standing.name()
        ),
        format!(
            "上位协议{id}于{on}（签署齐全之日）为“{}”，其下不得再有协议生效；请撤销草案，另选上位协议或留空后重新起草",
            standing.label_zh()
        ),
        &[("parent_id", &id), ("standing", &standing.name()), ("on", &on)],
    )
}

// Signatures.

pub(crate) fn not_a_party(code: &PartyCode, parties: &[Participant]) -> Broken {
    let all = some(parties.iter().map(|participant| &participant.party.code));
    broken(
        "NOT_A_PARTY",
        format!("{code} is no party of this agreement; its parties are {all}"),
        format!("{code}不是本协议的主体；本协议主体为{all}"),
        &[("code", code), ("parties", &all)],
    )
}

pub(crate) fn party_succeeded(code: &PartyCode, succession: &Succession) -> Broken {
    let Succession { successor, from, .. } = succession;
    broken(
        "PARTY_SUCCEEDED",
        format!("{code} was succeeded by {successor} on {from}; act for the successor"),
        format!("{code}已于{from}由{successor}承继；请以承继单位办理"),
        &[("code", code), ("successor", successor), ("from", from)],
    )
}

pub(crate) fn already_signed(code: &PartyCode, first: &Signature) -> Broken {
    broken(
        "ALREADY_SIGNED",
        format!("{code} signed on {} already; no party signs twice", first.signed_on),
        format!("{code}已于{}签署；同一主体不得重复签署", first.signed_on),
        &[("code", code), ("signed_on", &first.signed_on), ("authority", &first.authority)],
    )
}

pub(crate) fn signed_before_draft(on: Date, drafted_on: Date) -> Broken {
    at(
        "header.effective_on",
        broken(
            "SIGNED_BEFORE_DRAFT",
            format!(
                "there was nothing to sign on {on}; it was drafted on {drafted_on}: give that day or a later one"
            ),
            format!("{on}尚无文本可签，文本起草于{drafted_on}；请填写该日或之后的日期"),
            &[("signed_on", &on), ("drafted_on", &drafted_on)],
        ),
    )
}

pub(crate) fn signed_after_term(on: Date, until: Date) -> Broken {
    at(
        "header.effective_on",
        broken(
            "SIGNED_AFTER_TERM",
            format!("the term ended on {until}, before {on}; cancel the draft and draft the agreement anew"),
            format!("期限已于{until}届满，早于签署日{on}；请撤销草案并重新起草"),
            &[("signed_on", &on), ("term_until", &until)],
        ),
    )
}

pub(crate) fn party_merged(field: &str, party: &Party, into: &Party, from: Date) -> Broken {
    let (code, successor) = (party.code(), into.code());
    at(
        field,
        broken(
            "PARTY_MERGED",
            format!(
                "{code} was merged into {successor} on {from}; name the successor, or have it succeed the party (SucceedParty)"
            ),
            format!("{code}已于{from}并入{successor}；请填写承继单位，或先办理主体承继（SucceedParty）"),
            &[("code", code), ("successor", successor), ("from", &from)],
        ),
    )
}

pub(crate) fn party_dissolved(field: &str, party: &Party, from: Date, on: Date) -> Broken {
    let code = party.code();
    at(
        field,
        broken(
            "PARTY_DISSOLVED",
            format!(
                "{code} was dissolved on {from} and cannot act on {on}; leave it out, or end the agreement"
            ),
            format!("{code}已于{from}注销，{on}不能办理；请去除该主体，或结束协议"),
            &[("code", code), ("dissolved_from", &from), ("on", &on)],
        ),
    )
}

// Terms.

pub(crate) fn renewed_too_late(on: Date, until: Date, last_chance: Date, grace_days: u32) -> Broken {
    broken(
        "RENEWED_TOO_LATE",
        format!(
            "the term ended on {until}, and the {grace_days} days for a renewal ended on {last_chance}, before {on}; draft a new agreement"
        ),
        format!(
            "期限已于{until}届满，{grace_days}天续签宽限期已于{last_chance}届满，早于{on}；请另行起草协议"
        ),
        &[("term_until", &until), ("last_chance", &last_chance), ("on", &on)],
    )
}

pub(crate) fn succeeded_too_late(on: Date, until: Date, last_chance: Date) -> Broken {
    broken(
        "SUCCEEDED_TOO_LATE",
        format!(
            "the term ended on {until}, and {last_chance}, the last day for a renewal, is before {on}; draft a new agreement with the successor"
        ),
        format!("期限已于{until}届满，续签宽限期已于{last_chance}届满，早于{on}；请以承继单位另行起草协议"),
        &[("term_until", &until), ("last_chance", &last_chance), ("on", &on)],
    )
}

pub(crate) fn overlapping_terms(term: Term, until: Date) -> Broken {
    at(
        "term",
        broken(
            "TERMS_OVERLAP",
            format!(
                "the new term begins on {}, within the one that ends on {until}; let it begin the day after",
                term.from
            ),
            format!("新期限起始日{}与截止于{until}的期限重叠；请自次日起算", term.from),
            &[("from", &term.from), ("former_until", &until)],
        ),
    )
}

pub(crate) fn renewal_leaves_gap(from: Date, latest: Date) -> Broken {
    at(
        "term",
        broken(
            "RENEWAL_LEAVES_GAP",
            format!(
                "the new term begins on {from}; renewed now it begins on {latest} at the latest. Draft a new agreement for a later time"
            ),
            format!("新期限起始日{from}过晚；本次续签最迟自{latest}起算，之后的期限请另行起草协议"),
            &[("from", &from), ("latest", &latest)],
        ),
    )
}

pub(crate) fn renewed_for_the_past(until: Date, on: Date) -> Broken {
    at(
        "term",
        broken(
            "RENEWED_FOR_THE_PAST",
            format!("the new term ends on {until}, before the renewal of {on}; let it end later"),
            format!("新期限截止日{until}早于续签日{on}；请延后"),
            &[("until", &until), ("on", &on)],
        ),
    )
}

pub(crate) fn obligations_open(open: &[u32]) -> Broken {
    let numbers = some(open.iter());
    broken(
        "OBLIGATIONS_OPEN",
        format!(
            "{} obligations are open: {numbers}; record what fulfilled them, or amend or terminate the agreement",
            open.len()
        ),
        format!("尚有{}项义务未履行：{numbers}；请先登记履行情况，或变更、终止协议", open.len()),
        &[("open", &open.len()), ("numbers", &numbers)],
    )
}

pub(crate) fn termination_in_the_past(out_of_force_from: Date, on: Date) -> Broken {
    at(
        "out_of_force_from",
        broken(
            "TERMINATED_FOR_THE_PAST",
            format!(
                "it cannot be out of force from {out_of_force_from}, before the termination of {on}; give {on} or later"
            ),
            format!("失效日{out_of_force_from}不得早于终止日{on}；请填写{on}或之后的日期"),
            &[("out_of_force_from", &out_of_force_from), ("on", &on)],
        ),
    )
}

pub(crate) fn termination_after_the_end(out_of_force_from: Date, until: Date) -> Broken {
    at(
        "out_of_force_from",
        broken(
            "TERMINATED_AFTER_THE_END",
            format!(
                "the term ends on {until} by itself; out of force from {out_of_force_from} ends nothing. Give {until} or earlier"
            ),
            format!("期限至{until}自行届满，自{out_of_force_from}失效没有意义；请填写{until}或之前的日期"),
            &[("out_of_force_from", &out_of_force_from), ("term_until", &until)],
        ),
    )
}

/// The act is not for an agreement that was terminated, although it is in force until that day.
pub(crate) fn termination_stands(rule: (&str, &str), from: Date) -> Broken {
    broken(
        "WRONG_STANDING",
        format!(
            "{}; this agreement is terminated from {from} on, and takes no step until then but a termination from an earlier day",
            rule.0
        ),
        format!("{}；该协议将自{from}起终止，此前仅可提前终止日期，不得办理其他事项", rule.1),
        &[("standing", &Standing::Terminated.name()), ("out_of_force_from", &from)],
    )
}

/// It was terminated in another way. `ahead`: its day has not come yet.
pub(crate) fn already_terminated(reason: &str, authority: &str, from: Date, ahead: bool) -> Broken {
    let told: [(&str, &dyn Display); 3] =
        [("reason", &reason), ("authority", &authority), ("out_of_force_from", &from)];
    let broken = done_otherwise("ALREADY_TERMINATED", ("it was terminated", "协议已终止"), &told);
    if !ahead {
        return broken;
    }
    Broken {
        message: format!("{}, unless it is from a day before {from}", broken.message),
        message_zh: format!("{}；仅可改为{from}之前的日期", broken.message_zh),
        ..broken
    }
}

pub(crate) fn minutes_taken(meeting: u32, held_on: Date) -> Broken {
    at(
        "minutes",
        broken(
            "MINUTES_TAKEN",
            format!(
                "these are the minutes of meeting {meeting}, held on {held_on}, with another content; give the minutes of this meeting"
            ),
            format!("该纪要已用于{held_on}举行的第{meeting}次会议，内容不同；请提供本次会议的纪要"),
            &[("meeting", &meeting), ("held_on", &held_on)],
        ),
    )
}

pub(crate) fn not_a_technology_contract(kind: AgreementKind) -> Broken {
    broken(
        "NOT_A_TECHNOLOGY_CONTRACT",
        format!("only a technology contract is registered; this agreement is of kind {}", kind.code()),
        format!("仅技术合同办理认定登记；该协议为“{}”", kind.label_zh()),
        &[("kind", &kind.code())],
    )
}

pub(crate) fn not_merged_into(
    code: &PartyCode,
    successor: &PartyCode,
    party: &Party,
    merged_into: &Party,
    on: Date,
) -> Broken {
    let (known, known_zh) = if party.id == merged_into.id {
        (format!("the directory has {code} unmerged on {on}"), format!("名录中{code}于{on}未合并"))
    } else {
        let into = merged_into.code();
        (format!("the directory has {code} merged into {into}"), format!("名录中{code}已并入{into}"))
    };
    at(
        "successor",
        broken(
            "NOT_MERGED_INTO",
            format!(
                "{known}, not into {successor}; record the merger first (MergeParties), or name the right successor"
            ),
            format!("{known_zh}，而非{successor}；请先登记合并（MergeParties），或更正承继单位"),
            &[("party", code), ("successor", successor), ("on", &on)],
        ),
    )
}
