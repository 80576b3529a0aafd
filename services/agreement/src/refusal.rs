//! What a refusal says: one constructor for each broken rule. Codes are stable, sentences may improve. Every sentence
//! says what is wrong and what to do, in English and in Chinese.

use crate::{
    agreement::{
        Signature, Standing, amendment::Pending, registration::RegistrationStage, succession::Succession,
    },
    party::Party,
};
use concord_chassis::log::{Broken, Decision};
use concord_events::agreement::{
    AgreementEvent, AgreementKind, Obligation, Participant, Register, Role, Term, Value,
};
use concord_kernel::{
    Date,
    id::AgreementId,
    money::format_minor,
    party::{PartyCode, PartyId, PartyKind},
};
use std::fmt::Display;
use uuid::Uuid;

/// What the rules say to a command: what happens then, nothing where it holds already, or every broken rule.
pub(crate) type Ruling = Result<Decision<AgreementEvent>, Vec<Broken>>;

/// How many of many are named in one sentence.
const NAMED_MAX: usize = 10;

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

fn amount(value: Value) -> String {
    format!("{} {}", format_minor(value.amount_minor, value.currency), value.currency)
}

/// The first of many, and a sign that there are more.
fn some<T: ToString>(all: impl ExactSizeIterator<Item = T>) -> String {
    let more = if all.len() > NAMED_MAX { ", …" } else { "" };
    all.take(NAMED_MAX).map(|one| one.to_string()).collect::<Vec<_>>().join(", ") + more
}

// Malformed.

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

// Not found, taken.

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

// Amendments.

pub(crate) fn amendment_pending(pending: &Pending) -> Broken {
    let Pending { number, proposed_on, .. } = pending;
    broken(
        "AMENDMENT_PENDING",
        format!(
            "amendment {number} of {proposed_on} is being signed; have it signed by all, or abandon it first"
        ),
        format!("{proposed_on}提出的第{number}号变更正在签署；请先完成签署或撤销该变更"),
        &[("version", number), ("proposed_on", proposed_on), ("signatures", &pending.signatures.len())],
    )
}

pub(crate) fn no_such_amendment(version: u32, pending: Option<&Pending>) -> Broken {
    let (open, open_zh) = pending.map_or(
        ("none is being signed".to_owned(), "目前没有正在签署的变更".to_owned()),
        |pending| {
            (
                format!("number {} is being signed", pending.number),
                format!("正在签署的是第{}号", pending.number),
            )
        },
    );
    at(
        "version",
        broken(
            "AMENDMENT_NOT_PENDING",
            format!("amendment {version} is not being signed, {open}; check the number"),
            format!("第{version}号变更不在签署中，{open_zh}；请核对编号"),
            &[("version", &version)],
        ),
    )
}

pub(crate) fn amended_end_too_early(until: Date, earliest: Date) -> Broken {
    at(
        "changes.term_end",
        broken(
            "AMENDED_END_TOO_EARLY",
            format!(
                "the term cannot end on {until}; {earliest} is the earliest from which this version could hold. Give a later day, or abandon the amendment and terminate the agreement"
            ),
            format!("期限不能截止于{until}；该版本最早自{earliest}起适用，请延后，或撤销变更并办理终止"),
            &[("term_end", &until), ("earliest", &earliest)],
        ),
    )
}

pub(crate) fn fulfilled_changed(obligation: &Obligation) -> Broken {
    let number = obligation.number;
    at(
        "changes.obligations",
        broken(
            "FULFILLED_OBLIGATION_CHANGED",
            format!("obligation {number} was fulfilled; an amendment keeps it as it stands"),
            format!("第{number}项义务已履行；变更须原样保留"),
            &[("number", &number)],
        ),
    )
}

/// The verified income is at most the value, in its currency.
pub(crate) fn income_above_value(income: Value, value: Value) -> Option<Broken> {
    let fits = income.currency == value.currency && income.amount_minor <= value.amount_minor;
    let (income, value) = (amount(income), amount(value));
    (!fits).then(|| {
        broken(
            "INCOME_ABOVE_VALUE",
            format!("a verified technology income of {income} does not fit a value of {value}; it is a part of it, in the same currency"),
            format!("核定技术性收入{income}与成交额{value}不符；前者是后者的一部分，币种相同"),
            &[("technology_income", &income), ("value", &value)],
        )
    })
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

// The directory.

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

pub(crate) fn no_rulebook(why: &str) -> Broken {
    at(
        "header.effective_on",
        broken("NO_RULEBOOK", why.to_owned(), "该日期没有生效的规则版本；请核对生效日期".to_owned(), &[]),
    )
}
