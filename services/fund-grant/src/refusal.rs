//! What a refusal says: one constructor for each broken rule. Codes are stable, sentences may improve. Every sentence
//! says what is wrong and what to do, in English and in Chinese.

mod amendment;
mod approval;
mod backing;
mod balance;
mod closing;
mod correction;
mod matching;
mod partners;
mod party;
mod party_file;
mod recovery;
mod rectification;
mod spending;

pub(crate) use amendment::*;
pub(crate) use approval::*;
pub(crate) use backing::*;
pub(crate) use balance::*;
pub(crate) use closing::*;
pub(crate) use correction::*;
pub(crate) use matching::*;
pub(crate) use partners::*;
pub(crate) use party::*;
pub(crate) use party_file::*;
pub(crate) use recovery::*;
pub(crate) use rectification::*;
pub(crate) use spending::*;

use crate::grant::Stage;
use concord_chassis::{
    deciding::{self, at, broken},
    log::Broken,
};
use concord_events::fund::{FundEvent, FundingMode, LimitOn, TrancheCondition};
use concord_kernel::money::Amount;
use concord_kernel::{
    Date,
    id::{GrantId, InstructionId, ProgrammeId},
    rulebook::Duty,
};
use std::fmt::Display;

pub(crate) use concord_chassis::deciding::{happens, happens_under, refused, taken, unchanged};

/// What the rules say to a command: what happens then, nothing where it holds already, or every broken rule.
pub(crate) type Ruling = deciding::Ruling<FundEvent>;

/// The same refusal, naming the grant: where one command is about many.
pub(crate) fn of_grant(grant: GrantId, mut broken: Broken) -> Broken {
    broken.facts.insert("grant_id".to_owned(), grant.0.to_string());
    broken
}

// Malformed, not found, taken.

pub(crate) fn other_currency(field: &str, given: Amount, programme: Amount) -> Broken {
    let (given, own) = (given.currency, programme.currency);
    at(
        field,
        broken(
            "CURRENCY_NOT_THE_PROGRAMMES",
            format!("the programme's currency is {own}, not {given}; give the amount in {own}"),
            format!("该年度计划的币种是{own}，不是{given}；请以{own}填报金额"),
            &[("currency", &given), ("programme_currency", &own)],
        ),
    )
}

pub(crate) fn no_grant(id: GrantId) -> Broken {
    at(
        "grant_id",
        broken(
            "GRANT_NOT_FOUND",
            format!("there is no grant {}; check the id, or apply or import first", id.0),
            format!("不存在资助项目{}；请核对编号，或先申报、导入", id.0),
            &[("grant_id", &id.0)],
        ),
    )
}

pub(crate) fn no_programme(id: ProgrammeId) -> Broken {
    at(
        "programme_id",
        broken(
            "PROGRAMME_NOT_FOUND",
            format!("there is no programme {}; check the id, or appropriate it first", id.0),
            format!("不存在年度计划{}；请核对编号，或先下达预算", id.0),
            &[("programme_id", &id.0)],
        ),
    )
}

pub(crate) fn no_tranche(number: u32, planned: usize) -> Broken {
    at(
        "tranche_number",
        broken(
            "TRANCHE_NOT_FOUND",
            format!("the contract plans {planned} tranches; there is no number {number}"),
            format!("任务书共计划{planned}笔拨款，没有第{number}笔；请核对序号"),
            &[("tranche", &number), ("planned", &planned)],
        ),
    )
}

// Stages.

/// The act is not for this stage. `rule` says when it is, in both languages.
pub(crate) fn wrong_stage(stage: &Stage, rule: (&str, &str)) -> Broken {
    let (next, next_zh) = stage.next();
    broken(
        "WRONG_STAGE",
        format!("{}; this grant is {}. {next}", rule.0, stage.name()),
        format!("{}；该项目目前为“{}”。{next_zh}", rule.1, stage.label_zh()),
        &[("stage", &stage.name())],
    )
}

/// The tranche is not in the state that the act needs.
pub(crate) fn wrong_tranche_state(number: u32, state: (&str, &str), rule: (&str, &str)) -> Broken {
    broken(
        "WRONG_TRANCHE_STATE",
        format!("tranche {number} is {}; {}", state.0, rule.0),
        format!("第{number}笔拨款目前为“{}”；{}", state.1, rule.1),
        &[("tranche", &number), ("state", &state.0)],
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

pub(crate) fn mode_not_offered(mode: FundingMode) -> Broken {
    at(
        "mode",
        broken(
            "MODE_NOT_OFFERED",
            format!(
                "grants in the mode {} are not offered yet; apply in the mode non_repayable",
                mode.code()
            ),
            format!("暂不受理“{}”方式的项目；请按“无偿资助”方式申报", mode.label_zh()),
            &[("mode", &mode.code())],
        ),
    )
}

pub(crate) fn another_programme(fund: &str, year: i16) -> Broken {
    at(
        "programme_id",
        broken(
            "PROGRAMME_DIFFERS",
            format!(
                "this programme is {fund} of {year}; import into the one of the award's fund, year and currency"
            ),
            format!("该年度计划属于{fund}基金{year}年度；请导入与该项目基金、年度、币种一致的年度计划"),
            &[("fund", &fund), ("year", &year)],
        ),
    )
}

// A01: paid without basis.

pub(crate) fn no_contract(stage: &Stage) -> Broken {
    let (next, next_zh) = stage.next();
    broken(
        "A01_NO_CONTRACT",
        format!(
            "nothing is paid before the task contract is signed; this grant is {}. {next} (A01)",
            stage.name()
        ),
        format!("任务书签订前不得拨款；该项目目前为“{}”。{next_zh}（A01）", stage.label_zh()),
        &[("stage", &stage.name())],
    )
}

pub(crate) fn payee_unverified() -> Broken {
    broken(
        "A01_PAYEE_NOT_VERIFIED",
        "the payee's account was not verified; verify it, then instruct again (A01)".to_owned(),
        "收款账户尚未核验；请先核验账户，再下达支付指令（A01）".to_owned(),
        &[],
    )
}

// A02: more than awarded or budgeted.

pub(crate) fn above_available(asked: Amount, available: Amount, programme: ProgrammeId) -> Broken {
    at(
        "amount",
        broken(
            "A02_ABOVE_AVAILABLE",
            format!(
                "{available} of the programme is available; take {available} or less, or supplement it first (A02)"
            ),
            format!("年度计划可用指标为{available}；请调至该数以内，或先追加预算（A02）"),
            &[
                ("asked_minor", &asked.minor),
                ("available_minor", &available.minor),
                ("currency", &asked.currency),
                ("programme_id", &programme.0),
            ],
        ),
    )
}

pub(crate) fn above_sub_limit(asked: Amount, left: Amount, limit: Amount, on: &LimitOn) -> Broken {
    let (what, what_zh) = limited(on);
    at(
        "amount",
        broken(
            "A02_ABOVE_SUB_LIMIT",
            format!(
                "{left} of the limit of {limit} for {what} is left; take {left} or less, or raise the limit (A02)"
            ),
            format!("{what_zh}限额{limit}尚余{left}；请调至该数以内，或先提高限额（A02）"),
            &[
                ("asked_minor", &asked.minor),
                ("left_minor", &left.minor),
                ("limit_minor", &limit.minor),
                ("currency", &asked.currency),
                ("limit_on", &what),
            ],
        ),
    )
}

pub(crate) fn limit_below_taken(limit: Amount, taken: Amount, on: &LimitOn) -> Broken {
    let (what, what_zh) = limited(on);
    at(
        "limit",
        broken(
            "A02_LIMIT_BELOW_TAKEN",
            format!(
                "{taken} is reserved or contracted for {what}; set {taken} or more, or lift the limit (A02)"
            ),
            format!("{what_zh}已立项、已签约{taken}；限额不得低于该数，或取消限额（A02）"),
            &[
                ("limit_minor", &limit.minor),
                ("taken_minor", &taken.minor),
                ("currency", &limit.currency),
                ("limit_on", &what),
            ],
        ),
    )
}

pub(crate) fn above_approved(asked: Amount, approved: Amount) -> Broken {
    at(
        "amount",
        broken(
            "A02_ABOVE_APPROVED",
            format!("{approved} was approved; contract {approved} or less (A02)"),
            format!("立项金额为{approved}；任务书金额不得超过该数（A02）"),
            &[
                ("asked_minor", &asked.minor),
                ("approved_minor", &approved.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn above_planned(asked: Amount, planned: Amount, number: u32) -> Broken {
    at(
        "amount",
        broken(
            "A02_ABOVE_PLANNED",
            format!("the contract plans {planned} for tranche {number}; ask for {planned} or less (A02)"),
            format!("任务书第{number}笔计划拨款{planned}；申请金额不得超过该数（A02）"),
            &[
                ("asked_minor", &asked.minor),
                ("planned_minor", &planned.minor),
                ("currency", &asked.currency),
                ("tranche", &number),
            ],
        ),
    )
}

pub(crate) fn too_large(total: Amount, more: Amount) -> Broken {
    at(
        "amount",
        broken(
            "A02_TOO_LARGE",
            format!(
                "{total} and {more} more is beyond what the ledger can hold; open another programme (A02)"
            ),
            format!("{total}再加{more}超出账簿可记录的上限；请另设年度计划（A02）"),
            &[("total_minor", &total.minor), ("asked_minor", &more.minor), ("currency", &more.currency)],
        ),
    )
}

fn limited(on: &LimitOn) -> (String, String) {
    match on {
        LimitOn::Mode(mode) => (format!("mode {}", mode.code()), format!("资助方式“{}”的", mode.label_zh())),
        LimitOn::Region(region) => (format!("region {region}"), format!("行政区{region}的")),
    }
}

// The plan of tranches.

pub(crate) fn first_tranche_too_large(first: Amount, most: Amount, percent: u32) -> Broken {
    at(
        "tranches[0].amount_minor",
        broken(
            "TRANCHE_FIRST_ABOVE_SHARE",
            format!(
                "the first tranche is at most {percent} % of the contract; plan {most} or less for it, not {first}"
            ),
            format!("首笔拨款不得超过任务书金额的{percent}%；请调至{most}以内（现为{first}）"),
            &[("first_minor", &first.minor), ("most_minor", &most.minor), ("percent", &percent)],
        ),
    )
}

pub(crate) fn last_tranche_too_early(number: u32, condition: TrancheCondition) -> Broken {
    at(
        "tranches",
        broken(
            "TRANCHE_LAST_BEFORE_ACCEPTANCE",
            format!("the last tranche is paid after final acceptance; give tranche {number} that condition"),
            format!("末笔拨款须在验收后支付；请将第{number}笔的拨款条件设为“验收”"),
            &[("tranche", &number), ("condition", &condition_name(condition).0)],
        ),
    )
}

fn condition_name(condition: TrancheCondition) -> (&'static str, &'static str) {
    match condition {
        TrancheCondition::Contract => ("contract", "任务书签订"),
        TrancheCondition::Midterm => ("midterm", "中期检查"),
        TrancheCondition::FinalAcceptance => ("final_acceptance", "验收"),
        TrancheCondition::VerifiedClaim => ("verified_claim", "核验"),
    }
}

// A08: notice skipped or short.

pub(crate) fn never_published() -> Broken {
    broken(
        "A08_NOT_PUBLISHED",
        "the intended award was not published; publish the notice and let it hang, then approve (A08)"
            .to_owned(),
        "拟立项结果尚未公示；请先公示，期满后再立项（A08）".to_owned(),
        &[],
    )
}

pub(crate) fn notice_runs(effective_on: Date, last_day: Date, approvable_from: Date) -> Broken {
    broken(
        "A08_NOTICE_RUNNING",
        format!("the notice hangs until {last_day}; approve on {approvable_from} or later (A08)"),
        format!("公示期至{last_day}止；请于{approvable_from}起办理立项（A08）"),
        &[
            ("effective_on", &effective_on),
            ("notice_last_day", &last_day),
            ("approvable_from", &approvable_from),
        ],
    )
}

pub(crate) fn published_otherwise(asked: Amount, published: Amount) -> Broken {
    at(
        "amount",
        broken(
            "A08_PUBLISHED_OTHERWISE",
            format!(
                "{published} was published; approve that, or publish {asked} and let the notice hang anew (A08)"
            ),
            format!("公示金额为{published}；请按公示金额立项，或按{asked}重新公示（A08）"),
            &[
                ("asked_minor", &asked.minor),
                ("published_minor", &published.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn calendar_ends(effective_on: Date, working_days: u32, why: &dyn Display) -> Broken {
    broken(
        "A08_CALENDAR_MISSING",
        format!(
            "{working_days} working days from {effective_on} cannot be counted: {why}; load that year's calendar (A08)"
        ),
        format!(
            "自{effective_on}起{working_days}个工作日无法推算：工作日历缺少相应年度；请先加载该年度日历（A08）"
        ),
        &[("effective_on", &effective_on), ("working_days", &working_days)],
    )
}

// A13: incompatible jobs in one hand.

pub(crate) fn conflicting_duty(person: &str, held: Duty, asked: Duty) -> Broken {
    let ((did, did_zh), (asks, asks_zh)) = (duty_name(held), duty_name(asked));
    broken(
        "A13_CONFLICTING_DUTIES",
        format!("who did {did} on this grant may not do {asks} on it; let another person act (A13)"),
        format!("同一人已在本项目办理“{did_zh}”，不得再办理“{asks_zh}”；请由其他人员办理（A13）"),
        &[("person", &person), ("did", &did), ("asked", &asks)],
    )
}

fn duty_name(duty: Duty) -> (&'static str, &'static str) {
    match duty {
        Duty::Recommend => ("recommend", "推荐"),
        Duty::Admit => ("admit", "受理"),
        Duty::Review => ("review", "评审"),
        Duty::Publish => ("publish", "公示"),
        Duty::Approve => ("approve", "立项"),
        Duty::Contract => ("contract", "签订任务书"),
        Duty::VerifyPayee => ("verify_payee", "收款账户核验"),
        Duty::Request => ("request", "用款申请"),
        Duty::Authorise => ("authorise", "拨款审批"),
        Duty::Instruct => ("instruct", "下达支付指令"),
        Duty::Settle => ("settle", "支付确认"),
        Duty::Reconcile => ("reconcile", "对账"),
        Duty::Import => ("import", "数据迁移"),
    }
}

pub(crate) fn applicant_in_office(organisation: &str) -> Broken {
    broken(
        "A13_APPLICANT_IN_OFFICE",
        format!(
            "{organisation} applied for this grant and may not act on it for the office; let the office act (A13)"
        ),
        format!("{organisation}是本项目的申报单位，不得办理本项目的管理事项；请由主管部门办理（A13）"),
        &[("organisation", &organisation)],
    )
}

// A14: bank paid twice, ledger shows once.

pub(crate) fn another_instruction(number: u32, instruction: InstructionId) -> Broken {
    at(
        "instruction_id",
        broken(
            "A14_ANOTHER_INSTRUCTION",
            format!(
                "tranche {number} has the instruction {}; it keeps that for every attempt (A14)",
                instruction.0
            ),
            format!("第{number}笔拨款的支付指令号为{}；重新支付须沿用同一指令号（A14）", instruction.0),
            &[("tranche", &number), ("instruction_id", &instruction.0)],
        ),
    )
}

pub(crate) fn instruction_used(instruction: InstructionId, number: u32) -> Broken {
    at(
        "instruction_id",
        broken(
            "A14_INSTRUCTION_USED",
            format!(
                "instruction {} pays tranche {number}; choose a new id for another tranche (A14)",
                instruction.0
            ),
            format!("支付指令{}已用于第{number}笔拨款；其他拨款请使用新的指令号（A14）", instruction.0),
            &[("tranche", &number), ("instruction_id", &instruction.0)],
        ),
    )
}

pub(crate) fn reference_used(reference: &str, number: u32) -> Broken {
    at(
        "bank_reference",
        broken(
            "A14_REFERENCE_USED",
            format!("the bank's reference {reference} is tranche {number}'s; one payment counts once (A14)"),
            format!("银行流水号{reference}已用于第{number}笔拨款；一笔支付只能登记一次（A14）"),
            &[("tranche", &number), ("bank_reference", &reference)],
        ),
    )
}
