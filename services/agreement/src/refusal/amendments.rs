//! What an amendment may not do, and what waits for one.

use crate::agreement::amendment::Pending;
use concord_chassis::{
    deciding::{at, broken},
    log::Broken,
};
use concord_events::agreement::{Obligation, Value};
use concord_kernel::{Date, money::format_minor};

fn amount(value: Value) -> String {
    format!("{} {}", format_minor(value.amount_minor, value.currency), value.currency)
}

pub(crate) fn amendment_pending(pending: &Pending) -> Broken {
    let Pending { number, proposed_on, .. } = pending;
    broken(
        "AMENDMENT_PENDING",
        format!(
            "amendment {number} of {proposed_on} is being signed; have it signed by all within the term, or abandon it first"
        ),
        format!("{proposed_on}提出的第{number}号变更正在签署；请先在期限内完成签署，或撤销该变更"),
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
