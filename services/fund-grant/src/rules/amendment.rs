//! Rules on changes to a contract (domain.md sections 3 and 6): amendments and extensions.

use crate::{
    grant::{
        Grant,
        contract::{Contract, months_after},
        tranche::{Tranche, TrancheState},
    },
    refusal,
};
use concord_chassis::log::Broken;
use concord_events::fund::{Allocation, PlannedTranche};
use concord_kernel::{Date, money::Amount, party::PartyId, rulebook::Rulebook};
use std::collections::BTreeSet;

/// A02, more than awarded: contracted money only goes down. What was approved beyond the contract was given back.
#[must_use]
pub fn a02_amended(contracted: Amount, asked: Amount) -> Option<Broken> {
    (asked.minor > contracted.minor).then(|| refusal::amended_upward(asked, contracted))
}

/// The whole plan adds up to what is contracted.
#[must_use]
pub fn plan_adds_up(amount: Amount, plan: &[PlannedTranche]) -> Option<Broken> {
    let sum: i128 = plan.iter().map(|tranche| i128::from(tranche.amount_minor)).sum();
    (sum != i128::from(amount.minor)).then(|| refusal::plan_not_the_amount(sum, amount))
}

/// A tranche that was asked for stays as it is planned. One that is with the bank or paid may be planned down to what it is
/// paid, with what earlier attempts did not bring back: the rest is free.
#[must_use]
pub fn tranches_kept(grant: &Grant, tranches: &[Tranche], plan: &[PlannedTranche]) -> Vec<Broken> {
    let under_way = tranches.iter().filter(|tranche| !is_free(tranche));
    under_way
        .filter(|tranche| {
            let planned = plan.iter().find(|planned| planned.number == tranche.plan.number);
            !planned.is_some_and(|planned| keeps(tranche, planned))
        })
        .map(|tranche| {
            let least = grant.amount(least_minor(tranche));
            refusal::tranche_not_kept(tranche, grant.amount(tranche.plan.amount_minor), least)
        })
        .collect()
}

fn is_free(tranche: &Tranche) -> bool {
    matches!(tranche.state, TrancheState::Planned(_))
}

fn keeps(tranche: &Tranche, planned: &PlannedTranche) -> bool {
    let former = &tranche.plan;
    (planned.condition, planned.due_on) == (former.condition, former.due_on)
        && (least_minor(tranche)..=former.amount_minor).contains(&planned.amount_minor)
}

/// The least that it may be planned.
fn least_minor(tranche: &Tranche) -> i64 {
    match &tranche.state {
        TrancheState::Instructed(payment) | TrancheState::Settled { payment, .. } => {
            payment.amount_minor.saturating_add(tranche.short_minor()).min(tranche.plan.amount_minor)
        }
        _ => tranche.plan.amount_minor,
    }
}

/// The plan of tranches (domain.md section 6, "tranches"), as far as it can still be changed: what was asked for under the
/// plan as it was is not weighed anew.
#[must_use]
pub fn amended_plan(
    rulebook: &Rulebook,
    contracted: Amount,
    tranches: &[Tranche],
    plan: &[PlannedTranche],
) -> Vec<Broken> {
    let open = |planned: Option<&PlannedTranche>| {
        let number = planned.map(|planned| planned.number);
        let former = tranches.iter().find(|tranche| Some(tranche.plan.number) == number);
        former.is_none_or(is_free)
    };
    let first = open(plan.first()).then(|| super::first_share(rulebook, contracted, plan));
    let last = open(plan.last()).then(|| super::last_condition(rulebook, plan));
    first.flatten().into_iter().chain(last.flatten()).collect()
}

/// The shares add up to what is contracted. Empty, all is the lead's; a migrated source's that never did are left alone.
#[must_use]
pub fn shares_add_up(
    grant: &Grant,
    contract: &Contract,
    amount: Amount,
    shares: &[Allocation],
) -> Option<Broken> {
    let as_imported = grant.is_migrated()
        && *shares == *contract.allocations
        && sum(&contract.allocations) != Some(contract.amount_minor.into());
    let add_up = shares.is_empty() || sum(shares) == Some(amount.minor.into());
    (!add_up && !as_imported)
        .then(|| refusal::shares_not_the_contract(sum(shares).unwrap_or_default(), amount))
}

/// What shares add up to; `None` where one of them says nothing.
fn sum(shares: &[Allocation]) -> Option<i128> {
    shares.iter().map(|share| share.amount_minor.map(i128::from)).sum()
}

/// No partner's share goes below what was passed on to it, whatever has become of that since.
#[must_use]
pub fn shares_cover_passed_on(grant: &Grant, shares: &[Allocation]) -> Vec<Broken> {
    let partners: BTreeSet<PartyId> = grant.transfers().map(|(to, _)| to).collect();
    let short = partners.into_iter().filter_map(|party| {
        let passed_on = grant.amount(grant.passed_on_minor(party));
        let share = shares.iter().find(|share| share.party.party == party);
        // A migrated source may not say what a partner's share is.
        let share = grant.amount(share.map_or(Some(0), |share| share.amount_minor)?);
        (share.minor < passed_on.minor)
            .then(|| refusal::share_below_passed_on(&grant.code_of(party), share, passed_on))
    });
    short.collect()
}

/// A11, late final acceptance: a project is given more time so many times at most (domain.md section 6, "one extension").
#[must_use]
pub fn extended_seldom(rulebook: &Rulebook, contract: &Contract, ends_on: Date) -> Option<Broken> {
    let most = rulebook.final_acceptance.extensions_max;
    (contract.extensions.count >= most)
        .then(|| refusal::extended_already(&contract.extensions, most, ends_on))
}

/// An extension gives more time, not less.
#[must_use]
pub fn extended_forwards(former: Date, ends_on: Date) -> Option<Broken> {
    (ends_on <= former).then(|| refusal::extension_not_later(ends_on, former))
}

/// A11: and no more of it than the rulebook allows (domain.md section 6, "≤ 12").
#[must_use]
pub fn extended_briefly(rulebook: &Rulebook, former: Date, ends_on: Date) -> Option<Broken> {
    let months = rulebook.final_acceptance.extension_max_months;
    let latest = months_after(former, months).unwrap_or(Date::MAX);
    (ends_on > latest).then(|| refusal::extension_too_long(ends_on, latest, months))
}
