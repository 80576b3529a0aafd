//! Rules on spending: nobody accounts for more than it holds, and an invoice is not used twice (A09).

use crate::{
    grant::{Grant, spending::Item},
    invoice::Invoice,
    refusal,
};
use concord_chassis::log::Broken;
use concord_events::{fund::InvoicePart, ledger::Account};
use concord_kernel::{money::Amount, party::PartyId};

/// What a party reports, with what it has reported before and nobody has decided, is at most what it holds unspent.
#[must_use]
pub fn spend_within_held(grant: &Grant, party: PartyId, asked: Amount) -> Option<Broken> {
    let held_minor = grant.books.held_minor(Account::RecipientUnspent, party);
    let open_minor = grant.spending.reported_minor(party);
    let left_minor = held_minor.saturating_sub(open_minor).max(0);
    (asked.minor > left_minor).then(|| {
        let [held, open, left] = [held_minor, open_minor, left_minor].map(|minor| grant.amount(minor));
        refusal::spend_above_held(party, held, open, left, asked)
    })
}

/// What is accepted is at most what the party still holds unspent.
#[must_use]
pub fn accept_within_held(grant: &Grant, item: &Item) -> Option<Broken> {
    let held = grant.amount(grant.books.held_minor(Account::RecipientUnspent, item.party));
    (item.amount_minor > held.minor)
        .then(|| refusal::accept_above_held(item.party, held, grant.amount(item.amount_minor)))
}

/// What was accepted and is disallowed still counts as spent: a recovery may have taken it.
#[must_use]
pub fn disallow_within_spent(grant: &Grant, item: &Item) -> Option<Broken> {
    let spent = grant.amount(grant.books.held_minor(Account::EligibleSpend, item.party));
    (item.amount_minor > spent.minor)
        .then(|| refusal::disallow_above_spent(item.party, spent, grant.amount(item.amount_minor)))
}

/// A09, ineligible spend: an invoice has one total, and its items take no more than that, over all grants.
#[must_use]
pub fn a09_invoice(known: Option<&Invoice>, part: &InvoicePart, asked: Amount) -> Vec<Broken> {
    let total = Amount::new(part.total_minor, asked.currency);
    if let Some(known) = known.filter(|known| !known.elsewhere.is_empty()) {
        return vec![refusal::invoice_in_several_currencies(known)];
    }
    let contradicted = known.filter(|known| known.contradicts(total.minor, total.currency));
    if let Some(known) = contradicted {
        // What is left of it cannot be said in this total.
        return vec![refusal::invoice_total_differs(known, total)];
    }
    let allocated = Amount::new(known.map_or(0, |known| known.allocated_minor), asked.currency);
    // Items that were taken in under several spellings may have gone beyond it.
    let left = Amount::new(total.minor.saturating_sub(allocated.minor).max(0), asked.currency);
    let exceeded =
        (asked.minor > left.minor).then(|| refusal::invoice_exceeded(part, total, allocated, left, asked));
    exceeded.into_iter().collect()
}
