//! Rules on matching money (A03), and on what a bank's reference reports (A14).

use crate::{
    grant::{
        Grant,
        matching::{Arrived, Source},
    },
    refusal,
};
use concord_chassis::log::Broken;
use concord_events::fund::MatchingKind;
use concord_kernel::{Date, money::Amount, rulebook::Rulebook};

/// The first tranche that waits for matching money (domain.md section 5, A03: "from tranche 2").
const FIRST_WAITING_TRANCHE: u32 = 2;

/// A03, matching funds never arrive: before a tranche from the second on is requested and authorised, the tranche's ratio of
/// what is pledged has arrived, and of each class everything that was due. Both by the day of the act. A grant to which
/// nothing is pledged passes.
///
/// Early money of one instalment does not stand in for another that is late.
#[must_use]
pub fn a03_matching(rulebook: &Rulebook, grant: &Grant, tranche: u32, on: Date) -> Vec<Broken> {
    if tranche < FIRST_WAITING_TRANCHE || grant.matching.sources.is_empty() {
        return Vec::new();
    }
    let arrived = Arrived::of(&grant.facts, Some(on));
    let ratio = a03_ratio(rulebook, grant, tranche, &arrived);
    let overdue = MatchingKind::ALL.iter().filter_map(|class| a03_class(grant, *class, on, &arrived));
    ratio.into_iter().chain(overdue).collect()
}

/// Σ arrived ÷ Σ pledged ≥ the tranche's ratio, in whole numbers.
fn a03_ratio(rulebook: &Rulebook, grant: &Grant, tranche: u32, arrived: &Arrived) -> Option<Broken> {
    let ratios = &rulebook.matching_ratio_percent;
    let index = usize::try_from(tranche.saturating_sub(1)).unwrap_or(usize::MAX);
    let percent = *ratios.get(index).or(ratios.last())?;
    let (pledged, arrived) = (grant.matching.pledged_minor(), arrived.total_minor());
    let needed_hundredfold = i128::from(pledged) * i128::from(percent);
    if i128::from(arrived) * 100 >= needed_hundredfold {
        return None;
    }
    // Rounded up: with one fen less the ratio is not reached. At most what is pledged.
    let needed = i64::try_from((needed_hundredfold + 99).div_euclid(100)).unwrap_or(pledged);
    let missing = needed.saturating_sub(arrived);
    let [pledged, arrived, missing] = [pledged, arrived, missing].map(|minor| grant.amount(minor));
    Some(refusal::matching_below_ratio(tranche, percent, pledged, arrived, missing))
}

/// Everything of a class that is due by a day has arrived by then.
fn a03_class(grant: &Grant, class: MatchingKind, on: Date, by_then: &Arrived) -> Option<Broken> {
    let (mut due_minor, mut arrived_minor, mut since) = (0_i64, 0_i64, None::<Date>);
    for source in grant.matching.sources.iter().filter(|source| source.kind == class) {
        for instalment in source.instalments.iter().filter(|instalment| instalment.plan.due_on <= on) {
            let pledged = instalment.pledged_minor();
            let arrived = by_then.of_minor(source.number, instalment.plan.number);
            due_minor = due_minor.saturating_add(pledged);
            arrived_minor = arrived_minor.saturating_add(arrived);
            if arrived < pledged {
                let due_on = instalment.plan.due_on;
                since = Some(since.map_or(due_on, |since| since.min(due_on)));
            }
        }
    }
    let since = since?;
    Some(refusal::matching_class_overdue(class, grant.amount(due_minor), grant.amount(arrived_minor), since))
}

/// What arrives is at most what is missing of the instalment.
#[must_use]
pub fn matching_missing(grant: &Grant, source: &Source, number: u32, given: Amount) -> Option<Broken> {
    let instalment = source.instalment(number)?;
    let arrived = Arrived::of(&grant.facts, None);
    let missing = source.missing_of_minor(instalment, &arrived);
    (given.minor > missing).then(|| {
        let [pledged, arrived, missing] =
            [instalment.pledged_minor(), arrived.of_minor(source.number, number), missing]
                .map(|minor| grant.amount(minor));
        refusal::above_missing((source.number, number), pledged, arrived, missing, given)
    })
}

/// A14, bank paid twice: within a grant a bank's reference reports one movement of money, be it a tranche or its return,
/// matching money, a share passed on, a balance given back or a recovery repaid.
#[must_use]
pub fn a14_reference_free(grant: &Grant, reference: &str) -> Option<Broken> {
    let tranches = grant.contract().map(|contract| contract.tranches.iter());
    if let Some(tranche) = tranches.into_iter().flatten().find(|it| it.was_reported_as(reference)) {
        return Some(refusal::reference_used(reference, tranche.plan.number));
    }
    grant.facts.reported_as(reference).map(|fact| refusal::reference_used_by(reference, grant, fact))
}
