//! A grant's matching money, shares, spending and balances as answers.

use crate::grant::{
    Grant,
    books::Balance,
    contract::Contract,
    matching::{Arrived, Source},
    spending::{Item, ItemState, Spending},
};
use concord_events::{
    fund::{GovernmentLevel, MatchingKind},
    ledger::Account,
};
use concord_kernel::spending::SpendCategory;
use concord_proto::fund::v1 as fund;

/// Items that an answer shows.
const ITEMS_SHOWN: usize = 100;

/// The sources of matching money.
pub(super) fn matching(grant: &Grant) -> Vec<fund::MatchingSource> {
    let arrived = Arrived::of(&grant.facts, None);
    grant.matching.sources.iter().map(|own| source(own, &arrived)).collect()
}

fn source(source: &Source, arrived: &Arrived) -> fund::MatchingSource {
    let kind = match source.kind {
        MatchingKind::GovernmentBudget => fund::MatchingKind::GovernmentBudget,
        MatchingKind::OwnMoney => fund::MatchingKind::OwnMoney,
        MatchingKind::Loan => fund::MatchingKind::Loan,
        MatchingKind::Equity => fund::MatchingKind::Equity,
    };
    let level = source.level.map_or(fund::GovernmentLevel::Unspecified, |level| match level {
        GovernmentLevel::National => fund::GovernmentLevel::National,
        GovernmentLevel::Provincial => fund::GovernmentLevel::Provincial,
        GovernmentLevel::City => fund::GovernmentLevel::City,
        GovernmentLevel::County => fund::GovernmentLevel::County,
    });
    let payer = source.payer.as_ref();
    let instalments = source.instalments.iter().map(|instalment| fund::MatchingInstalment {
        number: instalment.plan.number,
        pledged_minor: instalment.plan.amount_minor,
        due_on: instalment.plan.due_on.to_string(),
        arrived_minor: arrived.of_minor(source.number, instalment.plan.number),
        released_minor: instalment.released_minor,
    });
    fund::MatchingSource {
        number: source.number,
        kind: kind.into(),
        level: level.into(),
        is_public: source.is_public,
        payer_party_id: payer.map(|payer| payer.party.to_string()).unwrap_or_default(),
        payer_code: payer.map(|payer| payer.code.to_string()).unwrap_or_default(),
        pledged_minor: source.pledged_minor(),
        arrived_minor: arrived.of_source_minor(source.number),
        released_minor: source
            .instalments
            .iter()
            .fold(0, |sum, instalment| sum.saturating_add(instalment.released_minor)),
        instalments: instalments.collect(),
    }
}

/// The parties' shares, the lead's first.
pub(super) fn shares(grant: &Grant, contract: &Contract) -> Vec<fund::PartyShare> {
    let lead = grant.project.lead.party;
    let share = |party: &concord_events::fund::Party| fund::PartyShare {
        party_id: party.party.to_string(),
        code: party.code.to_string(),
        allocated_minor: contract.allocated_minor(lead, party.party),
        passed_on_minor: grant.passed_on_minor(party.party),
        unspent_minor: grant.books.held_minor(Account::RecipientUnspent, party.party),
        spent_minor: grant.books.held_minor(Account::EligibleSpend, party.party),
    };
    grant.parties().map(share).collect()
}

/// What was spent, and the newest items.
pub(super) fn spending(spending: &Spending) -> fund::Spending {
    let mut answer = fund::Spending {
        newest: spending.items.iter().rev().take(ITEMS_SHOWN).map(item).collect(),
        ..fund::Spending::default()
    };
    for item in &spending.items {
        let (items, sum) = match item.state {
            ItemState::Reported => (&mut answer.reported_items, &mut answer.reported_minor),
            ItemState::Accepted => (&mut answer.accepted_items, &mut answer.accepted_minor),
            ItemState::Disallowed(_) => (&mut answer.disallowed_items, &mut answer.disallowed_minor),
        };
        *items = items.saturating_add(1);
        *sum = sum.saturating_add(item.amount_minor);
    }
    answer
}

fn item(item: &Item) -> fund::SpendItem {
    let (state, reason) = match &item.state {
        ItemState::Reported => (fund::SpendState::Reported, String::new()),
        ItemState::Accepted => (fund::SpendState::Accepted, String::new()),
        ItemState::Disallowed(reason) => (fund::SpendState::Disallowed, reason.clone()),
    };
    let invoice = item.invoice.as_ref();
    fund::SpendItem {
        spend_id: item.spend.to_string(),
        state: state.into(),
        party_id: item.party.to_string(),
        category: category(item.category).into(),
        spent_on: item.spent_on.to_string(),
        amount_minor: item.amount_minor,
        invoice_issuer: invoice.map(|part| part.issuer.clone()).unwrap_or_default(),
        invoice_number: invoice.map(|part| part.number.clone()).unwrap_or_default(),
        invoice_code: invoice.and_then(|part| part.code.clone()).unwrap_or_default(),
        purpose: item.purpose.clone(),
        reason,
    }
}

/// What stands on an account in a party's hand.
pub(super) fn balance(balance: &Balance) -> fund::GrantBalance {
    fund::GrantBalance {
        account: balance.account.code().to_owned(),
        party_id: balance.party.to_string(),
        amount_minor: balance.amount_minor,
    }
}

fn category(category: SpendCategory) -> fund::SpendCategory {
    match category {
        SpendCategory::Equipment => fund::SpendCategory::Equipment,
        SpendCategory::Materials => fund::SpendCategory::Materials,
        SpendCategory::Testing => fund::SpendCategory::Testing,
        SpendCategory::Energy => fund::SpendCategory::Energy,
        SpendCategory::Travel => fund::SpendCategory::Travel,
        SpendCategory::Publication => fund::SpendCategory::Publication,
        SpendCategory::Labour => fund::SpendCategory::Labour,
        SpendCategory::Consulting => fund::SpendCategory::Consulting,
        SpendCategory::Overhead => fund::SpendCategory::Overhead,
        SpendCategory::Other => fund::SpendCategory::Other,
        SpendCategory::Fine => fund::SpendCategory::Fine,
        SpendCategory::Donation => fund::SpendCategory::Donation,
        SpendCategory::Investment => fund::SpendCategory::Investment,
        SpendCategory::DebtRepayment => fund::SpendCategory::DebtRepayment,
    }
}
