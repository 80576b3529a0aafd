//! A grant's money as people and programs read it: shares, matching money, spending, balances, facts.

use concord_events::ledger::Account;
use concord_proto::fund::v1::{Grant, MatchingSource, MoneyFact, SpendItem, Spending};
use serde_json::{Value, json};

use super::party;
use crate::output::{amount, table};
use crate::words::{self, LEVELS, MATCHING_KINDS, MONEY_FACTS, SPEND_CATEGORIES, SPEND_STATES};

/// Prints what the grant has of it.
pub(super) fn print(grant: &Grant) {
    print_shares(grant);
    print_matching(grant);
    if let Some(spending) = grant.spending.as_ref().filter(|spending| !spending.newest.is_empty()) {
        print_spending(grant, spending);
    }
    print_balances(grant);
    print_facts(grant);
}

/// An amount; empty where it is zero, so that a table shows what there is.
fn some(minor: i64, grant: &Grant) -> String {
    if minor == 0 { String::new() } else { amount(minor, &grant.currency) }
}

fn print_shares(grant: &Grant) {
    // A lead alone has all of it, which the contract says already.
    if grant.shares.len() < 2 {
        return;
    }
    let mut table = table(&[
        "party 单位",
        ">share 额度",
        ">passed on 已转拨",
        ">unspent 未用",
        ">spent 已核定支出",
        "currency",
    ]);
    for share in &grant.shares {
        table.add_row([
            if share.party_id == grant.lead_party_id {
                format!("{} lead 牵头", share.code)
            } else {
                share.code.clone()
            },
            // What the source of a migrated award does not say is not zero.
            share.allocated_minor.map(|minor| amount(minor, &grant.currency)).unwrap_or_default(),
            some(share.passed_on_minor, grant),
            some(share.unspent_minor, grant),
            some(share.spent_minor, grant),
            grant.currency.clone(),
        ]);
    }
    println!("{table}");
}

fn print_matching(grant: &Grant) {
    if grant.matching.is_empty() {
        return;
    }
    let mut table = table(&[
        "matching 配套来源",
        "payer 出资单位",
        ">pledged 承诺",
        "due 应到位日",
        ">arrived 已到位",
        ">released 已核减",
        "currency",
    ]);
    for source in &grant.matching {
        for instalment in &source.instalments {
            table.add_row([
                format!("{}.{} {}", source.number, instalment.number, kind(source)),
                source.payer_code.clone(),
                amount(instalment.pledged_minor, &grant.currency),
                instalment.due_on.clone(),
                some(instalment.arrived_minor, grant),
                some(instalment.released_minor, grant),
                grant.currency.clone(),
            ]);
        }
    }
    println!("{table}");
}

fn kind(source: &MatchingSource) -> String {
    let mut kind = words::both(MATCHING_KINDS, source.kind);
    if source.level != 0 {
        kind = format!("{kind}, {}", words::both(LEVELS, source.level));
    }
    if source.is_public { format!("{kind}, public 公共资金") } else { kind }
}

fn print_spending(grant: &Grant, spending: &Spending) {
    let mut table = table(&[
        "item 支出",
        "party 单位",
        "category 科目",
        "spent 支出日",
        ">amount 金额",
        "currency",
        "invoice 发票",
        "state 状态",
    ]);
    for item in &spending.newest {
        let state = words::both(SPEND_STATES, item.state);
        table.add_row([
            format!("{} {}", item.spend_id, item.purpose),
            party(grant, &item.party_id).to_owned(),
            words::both(SPEND_CATEGORIES, item.category),
            item.spent_on.clone(),
            amount(item.amount_minor, &grant.currency),
            grant.currency.clone(),
            invoice(item),
            if item.reason.is_empty() { state } else { format!("{state}: {}", item.reason) },
        ]);
    }
    println!("{table}");
    println!(
        "items 支出合计 ({}): reported 已申报 {} ({}), accepted 已核定 {} ({}), disallowed 已审减 {} ({})",
        grant.currency,
        amount(spending.reported_minor, &grant.currency),
        spending.reported_items,
        amount(spending.accepted_minor, &grant.currency),
        spending.accepted_items,
        amount(spending.disallowed_minor, &grant.currency),
        spending.disallowed_items,
    );
}

fn print_balances(grant: &Grant) {
    if grant.balances.is_empty() {
        return;
    }
    let mut table = table(&["account 科目", "party 单位", ">balance 余额", "currency"]);
    for balance in &grant.balances {
        table.add_row([
            account(&balance.account),
            party(grant, &balance.party_id).to_owned(),
            amount(balance.amount_minor, &grant.currency),
            grant.currency.clone(),
        ]);
    }
    println!("{table}");
}

fn account(code: &str) -> String {
    let known = Account::ALL.into_iter().find(|account| account.code() == code);
    known.map_or_else(|| code.to_owned(), |account| format!("{code} {}", account.label_zh()))
}

fn print_facts(grant: &Grant) {
    if grant.facts.is_empty() {
        return;
    }
    let mut table =
        table(&[">position", "fact 资金事项", "on 日期", ">amount 金额", "currency", "undone 冲销"]);
    for fact in &grant.facts {
        table.add_row([
            fact.position.to_string(),
            words::both(MONEY_FACTS, fact.kind),
            fact.on.clone(),
            amount(fact.amount_minor, &grant.currency),
            grant.currency.clone(),
            undone(fact),
        ]);
    }
    println!("{table}");
}

/// What became of a fact; empty while it stands.
fn undone(fact: &MoneyFact) -> String {
    match &fact.correction {
        Some(correction) => format!(
            "corrected 更正 {} at {}: {} ({})",
            correction.on, correction.position, correction.reason, correction.authority
        ),
        None if fact.undone_at > 0 => format!("by the event at 由位置 {}", fact.undone_at),
        None => String::new(),
    }
}

/// The same as JSON, an object.
pub(super) fn json(grant: &Grant) -> Value {
    let shares = grant.shares.iter().map(|share| {
        json!({
            "party_id": share.party_id,
            "code": share.code,
            "allocated_minor": share.allocated_minor,
            "passed_on_minor": share.passed_on_minor,
            "unspent_minor": share.unspent_minor,
            "spent_minor": share.spent_minor,
        })
    });
    let balances = grant.balances.iter().map(|balance| {
        json!({
            "account": balance.account,
            "party_id": balance.party_id,
            "amount_minor": balance.amount_minor,
        })
    });
    let facts = grant.facts.iter().map(|fact| {
        let correction = fact.correction.as_ref().map(|correction| {
            json!({
                "position": correction.position,
                "on": correction.on,
                "reason": correction.reason,
                "authority": correction.authority,
            })
        });
        json!({
            "position": fact.position,
            "kind": words::word(MONEY_FACTS, fact.kind),
            "on": fact.on,
            "amount_minor": fact.amount_minor,
            "undone_at": fact.undone_at,
            "correction": correction,
        })
    });
    json!({
        "shares": shares.collect::<Vec<_>>(),
        "matching": grant.matching.iter().map(source_json).collect::<Vec<_>>(),
        "spending": grant.spending.as_ref().map(spending_json),
        "balances": balances.collect::<Vec<_>>(),
        "facts": facts.collect::<Vec<_>>(),
    })
}

fn source_json(source: &MatchingSource) -> Value {
    let instalments = source.instalments.iter().map(|instalment| {
        json!({
            "number": instalment.number,
            "pledged_minor": instalment.pledged_minor,
            "due_on": instalment.due_on,
            "arrived_minor": instalment.arrived_minor,
            "released_minor": instalment.released_minor,
        })
    });
    json!({
        "number": source.number,
        "kind": words::word(MATCHING_KINDS, source.kind),
        "level": if source.level == 0 { "" } else { words::word(LEVELS, source.level) },
        "is_public": source.is_public,
        "payer_party_id": source.payer_party_id,
        "payer_code": source.payer_code,
        "pledged_minor": source.pledged_minor,
        "arrived_minor": source.arrived_minor,
        "released_minor": source.released_minor,
        "instalments": instalments.collect::<Vec<_>>(),
    })
}

fn spending_json(spending: &Spending) -> Value {
    let newest = spending.newest.iter().map(|item| {
        json!({
            "spend_id": item.spend_id,
            "state": words::word(SPEND_STATES, item.state),
            "party_id": item.party_id,
            "category": words::word(SPEND_CATEGORIES, item.category),
            "spent_on": item.spent_on,
            "amount_minor": item.amount_minor,
            "invoice_issuer": item.invoice_issuer,
            "invoice_number": item.invoice_number,
            "invoice_code": item.invoice_code,
            "purpose": item.purpose,
            "reason": item.reason,
        })
    });
    json!({
        "reported_items": spending.reported_items,
        "reported_minor": spending.reported_minor,
        "accepted_items": spending.accepted_items,
        "accepted_minor": spending.accepted_minor,
        "disallowed_items": spending.disallowed_items,
        "disallowed_minor": spending.disallowed_minor,
        "newest": newest.collect::<Vec<_>>(),
    })
}

/// An invoice in a line: its issuer, the code of its series, its number.
fn invoice(item: &SpendItem) -> String {
    let told = [&item.invoice_issuer, &item.invoice_code, &item.invoice_number];
    told.map(String::as_str).into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
