//! What is said of spending and its invoices (A09).

use super::{at, broken};
use crate::{grant::spending::Item, invoice::Invoice};
use concord_chassis::log::Broken;
use concord_events::fund::InvoicePart;
use concord_kernel::{Date, id::SpendId, money::Amount, party::PartyId};

pub(crate) fn no_spend(spend: SpendId) -> Broken {
    at(
        "spend_id",
        broken(
            "SPEND_NOT_FOUND",
            format!("this grant has no item of spending {spend}; check the id, or report it first"),
            format!("该项目没有编号为{spend}的支出；请核对编号，或先申报支出"),
            &[("spend_id", &spend)],
        ),
    )
}

pub(crate) fn wrong_spend_state(item: &Item) -> Broken {
    let (state, state_zh) = item.state.words();
    broken(
        "WRONG_SPEND_STATE",
        format!(
            "the item of spending {} is {state}, and that stands; report it anew under an id of its own where it is eligible \
             after all",
            item.spend
        ),
        format!("支出{}目前为“{state_zh}”，不能核定；确属应列支的，请以新编号重新申报", item.spend),
        &[("spend_id", &item.spend), ("state", &state)],
    )
}

pub(crate) fn spent_after_report(spent_on: Date, reported_on: Date) -> Broken {
    at(
        "spent_on",
        broken(
            "SPENT_AFTER_REPORT",
            format!(
                "{spent_on} lies after the report of {reported_on}; give the day on which the money was spent"
            ),
            format!("支出日期{spent_on}晚于申报日期{reported_on}；请填写实际支出日期"),
            &[("spent_on", &spent_on), ("reported_on", &reported_on)],
        ),
    )
}

pub(crate) fn spend_above_held(
    party: PartyId,
    held: Amount,
    open: Amount,
    left: Amount,
    asked: Amount,
) -> Broken {
    at(
        "amount",
        broken(
            "SPEND_ABOVE_HELD",
            format!(
                "{party} holds {held} unspent, of which {open} is reported and not decided; report {left} or less, not {asked}"
            ),
            format!("{party}未用余额为{held}，其中已申报待核定{open}；本次申报不得超过{left}（现为{asked}）"),
            &[
                ("party_id", &party),
                ("held_minor", &held.minor),
                ("reported_minor", &open.minor),
                ("left_minor", &left.minor),
                ("asked_minor", &asked.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}

pub(crate) fn accept_above_held(party: PartyId, held: Amount, asked: Amount) -> Broken {
    broken(
        "SPEND_ABOVE_HELD",
        format!(
            "{party} holds {held} unspent, and the item is {asked}; disallow it, or have the money put back on record first"
        ),
        format!("{party}未用余额为{held}，该项支出为{asked}；请予审减，或先更正该单位的资金记录"),
        &[
            ("party_id", &party),
            ("held_minor", &held.minor),
            ("asked_minor", &asked.minor),
            ("currency", &asked.currency),
        ],
    )
}

pub(crate) fn disallow_above_spent(party: PartyId, spent: Amount, asked: Amount) -> Broken {
    broken(
        "DISALLOW_ABOVE_SPENT",
        format!(
            "{spent} of {party} still counts as accepted spending, and the item is {asked}: a recovery has taken the rest; \
             nothing is left to disallow, pursue the recovery"
        ),
        format!("{party}已核定支出尚余{spent}，该项支出为{asked}，其余已列入追缴；无可审减，请按追缴办理"),
        &[
            ("party_id", &party),
            ("spent_minor", &spent.minor),
            ("asked_minor", &asked.minor),
            ("currency", &asked.currency),
        ],
    )
}

pub(crate) fn invoice_total_differs(known: &Invoice, given: Amount) -> Broken {
    let (issuer, number, total) = (&known.issuer, &known.number, known.total);
    let allocated = Amount::new(known.allocated_minor, total.currency);
    at(
        "invoice.total",
        broken(
            "INVOICE_TOTAL_DIFFERS",
            format!(
                "invoice {number} of {issuer} has the total {total}, of which {allocated} is taken, not {given}; give that \
                 total, or have the items that name a wrong one disallowed first"
            ),
            format!(
                "发票{number}（开票方{issuer}）的总额已登记为{total}，已列支{allocated}，与{given}不符；请核对总额，或先审减误报的支出"
            ),
            &[
                ("invoice_issuer", issuer),
                ("invoice_number", number),
                ("total_minor", &total.minor),
                ("total_currency", &total.currency),
                ("allocated_minor", &allocated.minor),
                ("given_minor", &given.minor),
                ("given_currency", &given.currency),
            ],
        ),
    )
}

pub(crate) fn invoice_in_several_currencies(known: &Invoice) -> Broken {
    let (issuer, number) = (&known.issuer, &known.number);
    let taken: Vec<String> = std::iter::once(Amount::new(known.allocated_minor, known.total.currency))
        .chain(known.elsewhere.iter().copied())
        .map(|taken| taken.to_string())
        .collect();
    let (taken, total) = (taken.join(" + "), known.total);
    at(
        "invoice",
        broken(
            "INVOICE_CURRENCIES_DIFFER",
            format!(
                "items under several spellings take {taken} of invoice {number} of {issuer}, which has one currency; have those \
                 that name a wrong one disallowed first"
            ),
            format!("发票{number}（开票方{issuer}）已按不同写法列支{taken}，币种不一；请先审减误报的支出"),
            &[
                ("invoice_issuer", issuer),
                ("invoice_number", number),
                ("taken", &taken),
                ("total_minor", &total.minor),
                ("total_currency", &total.currency),
            ],
        ),
    )
}

pub(crate) fn invoice_exceeded(
    part: &InvoicePart,
    total: Amount,
    allocated: Amount,
    left: Amount,
    asked: Amount,
) -> Broken {
    let (issuer, number) = (&part.issuer, &part.number);
    at(
        "amount",
        broken(
            "A09_INVOICE_EXCEEDED",
            format!(
                "{allocated} of the {total} of invoice {number} of {issuer} is taken by other items; report {left} or less of \
                 it, not {asked} (A09)"
            ),
            format!(
                "发票{number}（开票方{issuer}）总额{total}，已列支{allocated}；本次列支不得超过{left}（现为{asked}）（A09）"
            ),
            &[
                ("invoice_issuer", issuer),
                ("invoice_number", number),
                ("total_minor", &total.minor),
                ("allocated_minor", &allocated.minor),
                ("left_minor", &left.minor),
                ("asked_minor", &asked.minor),
                ("currency", &asked.currency),
            ],
        ),
    )
}
