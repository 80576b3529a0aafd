//! Rules on the way to a grant's end (domain.md sections 3, 5 and 6): conditions of payment, final acceptance, closeout.

use crate::{
    grant::{
        Grant,
        closing::Progress,
        contract::Contract,
        spending::ItemState,
        tranche::{Tranche, TrancheState},
    },
    refusal,
};
use concord_chassis::log::Broken;
use concord_events::{
    fund::{AcceptanceOutcome, PlannedTranche, TrancheCondition},
    ledger::Account,
};
use concord_kernel::{Date, rulebook::Rulebook};
use jiff::ToSpan;

/// A tranche's condition (domain.md section 3): the contract is at hand, the midterm check was passed, the project was finally
/// accepted. Claims are verified in other modes. A migrated award declares its conditions as they stood, so there they are
/// taken as met.
#[must_use]
pub fn condition_met(plan: &PlannedTranche, contract: &Contract) -> Option<Broken> {
    let met = match plan.condition {
        _ if contract.is_migrated() => true,
        TrancheCondition::Contract => true,
        TrancheCondition::Midterm => contract.midterm.as_ref().is_some_and(|check| check.passed),
        TrancheCondition::FinalAcceptance => {
            contract.acceptance.as_ref().is_some_and(|last| last.outcome == AcceptanceOutcome::Passed)
        }
        TrancheCondition::VerifiedClaim => false,
    };
    (!met).then(|| refusal::condition_not_met(plan.number, plan.condition))
}

/// Nothing more is asked for or paid once a project has failed final acceptance, or its grant has ended.
#[must_use]
pub fn pays(grant: &Grant) -> Option<Broken> {
    let progress = &grant.contract()?.progress;
    let over = progress.has_ended() || matches!(progress, Progress::AcceptanceFailed(_));
    over.then(|| refusal::pays_no_more(&grant.stage))
}

/// Final acceptance sends a project back to be put right so often at most (domain.md section 3, "rectify (once)").
#[must_use]
pub fn rectified_seldom(rulebook: &Rulebook, contract: &Contract) -> Option<Broken> {
    let most = rulebook.final_acceptance.rectifications_max;
    (contract.rectifications >= most).then(|| refusal::rectified_already(contract.rectifications, most))
}

/// It is to be put right by a day that lies ahead.
#[must_use]
pub fn rectified_later(by: Date, effective_on: Date) -> Option<Broken> {
    (by <= effective_on).then(|| refusal::rectify_by_not_later(by, effective_on))
}

/// A grant is closed once every tranche is paid, or was not asked for. One that the bank sent back is not drawn.
#[must_use]
pub fn no_open_tranche(contract: &Contract) -> Vec<Broken> {
    let is_open = |tranche: &&Tranche| match tranche.state {
        TrancheState::Requested(_) | TrancheState::Authorised(_) | TrancheState::Instructed(_) => true,
        TrancheState::Planned(_) | TrancheState::Settled { .. } | TrancheState::PaymentReturned(_) => false,
    };
    contract.tranches.iter().filter(is_open).map(refusal::open_tranche).collect()
}

/// Nor is it closed while an item of spending waits: what is spent and what is unspent is not known until then.
#[must_use]
pub fn no_open_spending(grant: &Grant) -> Option<Broken> {
    let open = || grant.spending.items.iter().filter(|item| item.state == ItemState::Reported);
    let first = open().next()?;
    let sum_minor = open().fold(0, |sum: i64, item| sum.saturating_add(item.amount_minor));
    Some(refusal::open_spending(open().count(), grant.amount(sum_minor), first.spend))
}

/// A grant ends only when no payment is with the bank: what comes of it decides where the money lies.
#[must_use]
pub fn nothing_with_the_bank(contract: &Contract) -> Vec<Broken> {
    let is_with_it = |tranche: &&Tranche| matches!(tranche.state, TrancheState::Instructed(_));
    contract.tranches.iter().filter(is_with_it).map(refusal::tranche_with_the_bank).collect()
}

/// Nor while a tranche is still to be paid against which a recovery of another grant was offset: that recovery counts as paid
/// with it.
#[must_use]
pub fn nothing_offset(grant: &Grant, contract: &Contract) -> Vec<Broken> {
    let waits =
        |tranche: &&Tranche| tranche.offset_minor > 0 && matches!(tranche.state, TrancheState::Authorised(_));
    let told = |tranche: &Tranche| refusal::offset_unpaid(tranche, grant.amount(tranche.offset_minor));
    contract.tranches.iter().filter(waits).map(told).collect()
}

/// A10, unspent balance kept: at closeout nothing is unspent, or it will be given back by a day that the rulebook allows.
#[must_use]
pub fn a10_disposition(
    rulebook: &Rulebook,
    grant: &Grant,
    effective_on: Date,
    refund_by: Option<Date>,
) -> Vec<Broken> {
    let latest = refund_latest(rulebook, effective_on);
    match refund_by {
        Some(by) => a10_refund_day(rulebook, effective_on, by).into_iter().collect(),
        None => grant
            .books
            .of(Account::RecipientUnspent)
            .map(|held| {
                refusal::unspent_without_disposition(
                    &grant.code_of(held.party),
                    grant.amount(held.amount_minor),
                    latest,
                )
            })
            .collect(),
    }
}

/// A10: the day by which a balance is given back lies neither before the end of the grant nor further than the rulebook allows.
#[must_use]
pub fn a10_refund_day(rulebook: &Rulebook, effective_on: Date, by: Date) -> Option<Broken> {
    let latest = refund_latest(rulebook, effective_on);
    (!(effective_on..=latest).contains(&by))
        .then(|| refusal::refund_day_out_of_range(by, effective_on, latest))
}

/// The last day by which a balance of a grant that ends on a day may be given back (domain.md section 6, "unspent balance").
#[must_use]
pub fn refund_latest(rulebook: &Rulebook, effective_on: Date) -> Date {
    effective_on.saturating_add(i64::from(rulebook.unspent.refund_within_days).days())
}
