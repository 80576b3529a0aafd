//! Rules on what the lead passes on.

use crate::{
    grant::{Grant, contract::Contract},
    refusal,
};
use concord_chassis::log::Broken;
use concord_events::ledger::Account;
use concord_kernel::{money::Amount, party::PartyId};

/// A share is passed on to a party of the grant other than its lead, out of what the lead holds unspent, and no more than the
/// party's share is.
#[must_use]
pub fn share_may_pass(grant: &Grant, contract: &Contract, to: PartyId, amount: Amount) -> Vec<Broken> {
    let lead = grant.project.lead.party;
    let unspent = grant.amount(grant.books.held_minor(Account::RecipientUnspent, lead));
    let above_unspent = (amount.minor > unspent.minor).then(|| refusal::share_above_unspent(amount, unspent));
    let recipient = if to == lead {
        Some(refusal::share_to_the_lead(lead))
    } else if grant.is_party(to) {
        above_allocation(grant, contract, to, amount)
    } else {
        Some(refusal::no_party("to_party_id", grant, to))
    };
    recipient.into_iter().chain(above_unspent).collect()
}

/// Where the source of a migrated award does not say what a share is, the lead's balance alone bounds it.
fn above_allocation(grant: &Grant, contract: &Contract, to: PartyId, amount: Amount) -> Option<Broken> {
    let allocated_minor = contract.allocated_minor(grant.project.lead.party, to)?;
    let passed_on_minor = grant.passed_on_minor(to);
    let left_minor = allocated_minor.saturating_sub(passed_on_minor).max(0);
    (amount.minor > left_minor).then(|| {
        let [allocated, passed_on, left] =
            [allocated_minor, passed_on_minor, left_minor].map(|minor| grant.amount(minor));
        refusal::share_above_allocation(to, allocated, passed_on, left, amount)
    })
}
