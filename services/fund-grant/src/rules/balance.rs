//! Rules on what becomes of a balance (domain.md sections 4 to 6): refund, retention, transfer.

use crate::{
    grant::{Grant, contract::months_after},
    refusal,
};
use concord_chassis::log::Broken;
use concord_events::{fund::Holding, ledger::Account};
use concord_kernel::{
    Date,
    money::Amount,
    party::PartyId,
    rulebook::{Rulebook, UnspentDisposition},
};

/// From this year on the rulebook's `unspent.from_2021` says what becomes of a balance, before it `retain_years_before_2021`.
const LATER_RULE_FROM_YEAR: i16 = 2021;

/// Money is with the lead and with those who have a share, and with nobody else.
#[must_use]
pub fn party_of_grant(grant: &Grant, party: PartyId) -> Option<Broken> {
    (!grant.is_party(party)).then(|| refusal::no_party("party_id", grant, party))
}

/// A recipient gives back no more than it holds.
#[must_use]
pub fn refund_within_balance(grant: &Grant, party: PartyId, from: Holding, asked: Amount) -> Option<Broken> {
    let held = grant.amount(grant.books.held_minor(from.account(), party));
    (asked.minor > held.minor)
        .then(|| refusal::refund_above_balance(&grant.code_of(party), from, asked, held))
}

/// What is retained or goes on in another project is unspent.
#[must_use]
pub fn unspent_covers(grant: &Grant, party: PartyId, asked: Amount) -> Option<Broken> {
    let held = grant.amount(grant.books.held_minor(Account::RecipientUnspent, party));
    (asked.minor > held.minor).then(|| refusal::above_unspent(&grant.code_of(party), asked, held))
}

/// A10: how long a balance may be kept (domain.md section 6, "unspent balance"): `None` without an end.
///
/// # Errors
/// The broken rule, where it is recalled.
pub fn retained_until(rulebook: &Rulebook, effective_on: Date) -> Result<Option<Date>, Broken> {
    if effective_on.year() < LATER_RULE_FROM_YEAR {
        let months = rulebook.unspent.retain_years_before_2021.saturating_mul(12);
        return Ok(Some(months_after(effective_on, months).unwrap_or(Date::MAX)));
    }
    match rulebook.unspent.from_2021 {
        UnspentDisposition::Retain => Ok(None),
        UnspentDisposition::Recall => Err(refusal::balance_recalled(effective_on)),
    }
}

/// A balance goes on in a grant of the same programme and lead that is contracted and still paid.
#[must_use]
pub fn transfer_between(giver: &Grant, taker: &Grant) -> Vec<Broken> {
    let runs = taker.contract().is_some() && super::pays(taker).is_none();
    [
        (taker.programme != giver.programme)
            .then(|| refusal::transfer_elsewhere(giver.programme, taker.programme)),
        (taker.project.lead.party != giver.project.lead.party)
            .then(|| refusal::transfer_to_another_lead(&giver.project.lead, &taker.project.lead)),
        (!runs).then(|| refusal::transfer_to_idle(taker.id, &taker.stage)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
