//! Recoveries (domain.md section 3, "Recovery"): nothing is recovered that is not there, and nothing paid that is not owed.

use crate::{
    grant::{
        Grant,
        tranche::{Tranche, TrancheState},
    },
    recovery::{Demand, Recovery, Take, days_after},
    refusal,
};
use concord_chassis::{deciding::at, log::Broken};
use concord_events::ledger::Account;
use concord_kernel::{Date, money::Amount, rulebook::Rulebook};

/// What a recovery takes lies where it takes it from; and Σ of all recoveries ≤ settled − refunded.
#[must_use]
pub fn recovery_is_held(grant: &Grant, takes: &[Take]) -> Vec<Broken> {
    let held = |take: &Take| grant.books.held_minor(take.from.account(), take.party);
    let mut broken: Vec<Broken> = takes
        .iter()
        .enumerate()
        .filter(|(_, take)| take.amount.minor > held(take))
        .map(|(index, take)| refusal::recovery_above_held(index, take, grant.amount(held(take))))
        .collect();
    let of = |account| grant.books.total_minor(account);
    let left = [Account::RecipientUnspent, Account::EligibleSpend, Account::RetainedByRule];
    let left_minor = left.into_iter().map(of).fold(0, i64::saturating_add);
    let asked_minor = takes.iter().map(|take| take.amount.minor).fold(0, i64::saturating_add);
    if asked_minor > left_minor {
        let recovered_minor = of(Account::Recoverable).saturating_add(of(Account::WrittenOff));
        let refunded_minor = of(Account::Refunded);
        broken.push(refusal::recovery_above_settled(
            grant.amount(asked_minor),
            grant.amount(left_minor.saturating_add(recovered_minor).saturating_add(refunded_minor)),
            grant.amount(refunded_minor),
            grant.amount(recovered_minor),
        ));
    }
    broken
}

/// An appeal comes within its days, and before anything was paid.
#[must_use]
pub fn appeal_in_time(
    rulebook: &Rulebook,
    recovery: &Recovery,
    demand: &Demand,
    on: Date,
) -> [Option<Broken>; 2] {
    let last_day = days_after(demand.on, rulebook.recovery.appeal_within_days);
    let settled_minor = recovery.amount_minor.saturating_sub(recovery.outstanding_minor());
    [
        (on > last_day).then(|| refusal::appeal_too_late(demand, last_day, on)),
        (settled_minor > 0).then(|| refusal::appeal_after_payment(recovery.amount(settled_minor))),
    ]
}

/// No more is repaid than is outstanding.
#[must_use]
pub fn repayment_within_outstanding(recovery: &Recovery, given: Amount) -> Option<Broken> {
    let outstanding = recovery.amount(recovery.outstanding_minor());
    (given.minor > outstanding.minor)
        .then(|| refusal::repayment_above_outstanding(recovery, given, outstanding))
}

/// A recovery is offset some days after its demand, against a tranche of another grant of the same lead and currency that is
/// authorised and not yet instructed, and by no more than is outstanding and than that tranche has left.
#[must_use]
pub fn offset_allowed(
    rulebook: &Rulebook,
    (recovery, demand): (&Recovery, &Demand),
    grant: &Grant,
    (other, tranche, same_lead): (&Grant, Option<&Tranche>, bool),
    (amount, number): (Amount, u32),
    on: Date,
) -> Vec<Option<Broken>> {
    let from = days_after(demand.on, rulebook.recovery.offset_after_days);
    let outstanding = recovery.amount(recovery.outstanding_minor());
    vec![
        (on < from).then(|| refusal::offset_too_early(demand.on, from, on)),
        (other.id == grant.id).then(|| refusal::offset_same_grant(grant.id)),
        (!same_lead).then(|| refusal::offset_other_lead(&grant.project.lead, &other.project.lead)),
        (other.currency != grant.currency)
            .then(|| refusal::offset_other_currency(grant.currency, other.currency)),
        (amount.minor > outstanding.minor).then(|| refusal::offset_above_outstanding(amount, outstanding)),
        pays_no_more(other).then(|| at("against_grant_id", refusal::offset_unpayable(&other.stage))),
        offset_fits_tranche(other, tranche, amount, number),
    ]
}

/// What is offset against a tranche that is never paid would be paid by nothing, and the grant could not end.
fn pays_no_more(other: &Grant) -> bool {
    other.stage.has_ended() || super::pays(other).is_some()
}

fn offset_fits_tranche(
    other: &Grant,
    tranche: Option<&Tranche>,
    amount: Amount,
    number: u32,
) -> Option<Broken> {
    let Some(tranche) = tranche else {
        let planned = other.contract().map_or(0, |contract| contract.tranches.len());
        return Some(refusal::no_tranche(number, planned));
    };
    let TrancheState::Authorised(authorised_minor) = tranche.state else {
        return Some(refusal::offset_not_authorised(number, tranche.state.words()));
    };
    let left = other.amount(authorised_minor.saturating_sub(tranche.offset_minor));
    (amount.minor > left.minor).then(|| refusal::offset_above_tranche(number, amount, left))
}
