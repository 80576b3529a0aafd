//! What is said of matching money (A03), and of bank references that were used before (A14).

use super::{at, broken};
use crate::grant::Grant;
use concord_chassis::log::Broken;
use concord_events::fund::{MatchingKind, MoneyFact};
use concord_kernel::{Date, money::Amount};

/// More of something than one grant may have.
pub(crate) fn too_many((what, what_zh): (&str, &str), most: usize) -> Broken {
    broken(
        "TOO_MANY",
        format!("this grant has {most} {what}, and no more are taken; put what is alike together"),
        format!("该项目的{what_zh}已达{most}条上限；请合并同类事项后办理"),
        &[("what", &what), ("most", &most)],
    )
}

pub(crate) fn no_source(number: u32, pledged: usize) -> Broken {
    at(
        "source_number",
        broken(
            "SOURCE_NOT_FOUND",
            format!(
                "{pledged} sources of matching money are pledged; there is no number {number}: check it, or pledge it first"
            ),
            format!("该项目已登记{pledged}项配套来源，没有第{number}项；请核对序号，或先登记配套承诺"),
            &[("source", &number), ("pledged_sources", &pledged)],
        ),
    )
}

pub(crate) fn no_instalment(source: u32, number: u32, pledged: usize) -> Broken {
    at(
        "instalment_number",
        broken(
            "INSTALMENT_NOT_FOUND",
            format!(
                "source {source} is pledged in {pledged} instalments; there is no number {number}: check it"
            ),
            format!("第{source}项配套来源共{pledged}期，没有第{number}期；请核对期次"),
            &[("source", &source), ("instalment", &number), ("pledged_instalments", &pledged)],
        ),
    )
}

pub(crate) fn source_not_next(number: u32, next: u32) -> Broken {
    at(
        "source_number",
        broken(
            "SOURCE_NOT_NEXT",
            format!("sources are numbered without gaps; pledge this one as number {next}, not {number}"),
            format!("配套来源须连续编号；请编为第{next}项（现为第{number}项）"),
            &[("source", &number), ("next", &next)],
        ),
    )
}

pub(crate) fn above_missing(
    (source, instalment): (u32, u32),
    pledged: Amount,
    arrived: Amount,
    missing: Amount,
    given: Amount,
) -> Broken {
    at(
        "amount",
        broken(
            "MATCHING_ABOVE_MISSING",
            format!(
                "{pledged} is pledged for instalment {instalment} of source {source} and {arrived} has arrived; record \
                 {missing} or less, not {given}, or pledge the rest as a source of its own"
            ),
            format!(
                "第{source}项配套来源第{instalment}期承诺{pledged}，已到位{arrived}；本次登记不得超过{missing}（现为{given}），\
                 超出部分请另行登记配套承诺"
            ),
            &[
                ("source", &source),
                ("instalment", &instalment),
                ("pledged_minor", &pledged.minor),
                ("arrived_minor", &arrived.minor),
                ("missing_minor", &missing.minor),
                ("given_minor", &given.minor),
                ("currency", &given.currency),
            ],
        ),
    )
}

pub(crate) fn all_has_arrived(source: u32, arrived: Amount) -> Broken {
    broken(
        "MATCHING_ALL_ARRIVED",
        format!("all {arrived} of source {source} has arrived; there is nothing to release it from"),
        format!("第{source}项配套来源的{arrived}已全部到位，无可核减；无需办理"),
        &[("source", &source), ("arrived_minor", &arrived.minor), ("currency", &arrived.currency)],
    )
}

pub(crate) fn matching_below_ratio(
    tranche: u32,
    percent: u32,
    pledged: Amount,
    arrived: Amount,
    missing: Amount,
) -> Broken {
    broken(
        "A03_RATIO",
        format!(
            "before tranche {tranche}, {percent} % of the matching money has arrived; {arrived} of {pledged} has: have \
             {missing} more paid in and record it, or release what will not come (A03)"
        ),
        format!(
            "第{tranche}笔拨款前，配套资金到位率须达{percent}%；已到位{arrived}，承诺{pledged}：请再落实{missing}并登记到位，\
             或核减无法落实的部分（A03）"
        ),
        &[
            ("tranche", &tranche),
            ("ratio_percent", &percent),
            ("pledged_minor", &pledged.minor),
            ("arrived_minor", &arrived.minor),
            ("missing_minor", &missing.minor),
            ("currency", &pledged.currency),
        ],
    )
}

pub(crate) fn matching_class_overdue(
    class: MatchingKind,
    due: Amount,
    arrived: Amount,
    since: Date,
) -> Broken {
    let missing = Amount::new(due.minor.saturating_sub(arrived.minor), due.currency);
    broken(
        "A03_CLASS_OVERDUE",
        format!(
            "matching money of the class {} is overdue since {since}: {due} is due and {arrived} of it has arrived; have \
             {missing} paid in and record it, or release what will not come (A03)",
            class.code()
        ),
        format!(
            "“{}”类配套自{since}起逾期：应到位{due}，已到位{arrived}；请落实{missing}并登记到位，或核减无法落实的部分（A03）",
            class.label_zh()
        ),
        &[
            ("class", &class.code()),
            ("due_minor", &due.minor),
            ("arrived_minor", &arrived.minor),
            ("missing_minor", &missing.minor),
            ("overdue_since", &since),
            ("currency", &due.currency),
        ],
    )
}

/// `fact`: what the reference reported before.
pub(crate) fn reference_used_by(reference: &str, grant: &Grant, fact: &MoneyFact) -> Broken {
    let (of, of_zh) = movement(grant, fact);
    at(
        "bank_reference",
        broken(
            "A14_REFERENCE_USED",
            format!(
                "the bank's reference {reference} is that of {of}; one movement of money counts once (A14)"
            ),
            format!("银行流水号{reference}已用于{of_zh}；一笔资金往来只能登记一次，请核对流水号（A14）"),
            &[("bank_reference", &reference), ("used_for", &of)],
        ),
    )
}

/// What a bank reported, in both languages.
fn movement(grant: &Grant, fact: &MoneyFact) -> (String, String) {
    match fact {
        MoneyFact::Settlement { tranche, .. } => (format!("tranche {tranche}"), format!("第{tranche}笔拨款")),
        MoneyFact::MatchingArrival { source, instalment, .. } => (
            format!("instalment {instalment} of matching source {source}"),
            format!("第{source}项配套来源第{instalment}期到位"),
        ),
        MoneyFact::ShareTransfer { to, .. } => {
            (format!("the share passed on to {to}"), format!("向{to}的转拨"))
        }
        MoneyFact::SpendAcceptance { spend, .. } => (format!("spending {spend}"), format!("支出{spend}")),
        MoneyFact::BalanceRefund { party, .. } => {
            let party = grant.code_of(*party);
            (format!("the balance that {party} gave back"), format!("{party}的结余退回"))
        }
        MoneyFact::RecoveryRepayment { recovery, .. } => {
            (format!("a repayment of recovery {recovery}"), format!("追缴事项{recovery}的缴款"))
        }
    }
}
