//! What a lead's other grants mean for this one: A04 and A11.

use crate::{
    party_file::{Entry, PartyFile},
    refusal,
};
use concord_chassis::log::Broken;
use concord_kernel::{
    Date, fingerprint::Fingerprint, id::GrantId, normal::same_reference, rulebook::Rulebook,
};
use jiff::Span;

/// A04, same project funded twice 重复资助: the project, told by any of its fingerprints, is live in another grant, or within the
/// cooling years in the same fund.
#[must_use]
pub fn a04_funded_already(
    rulebook: &Rulebook,
    file: Option<&PartyFile>,
    grant: GrantId,
    (fund, project): (&str, [Fingerprint; 2]),
    on: Date,
) -> Option<Broken> {
    let file = file?;
    let stands = |entry: &&Entry| match entry.ended_on {
        None => true,
        Some(ended_on) => {
            same_reference(file.fund_of(entry), fund) && on < cools_until(ended_on, rulebook.cooling_years)
        }
    };
    // A live one weighs more than one that cools, and a later end more than an earlier one.
    let other = file
        .same_project(grant, project)
        .filter(stands)
        .max_by_key(|entry| entry.ended_on.unwrap_or(Date::MAX))?;
    let ended = other.ended_on.map(|ended_on| (ended_on, cools_until(ended_on, rulebook.cooling_years)));
    Some(refusal::funded_already(other.grant, file.fund_of(other), ended))
}

/// A11, late final acceptance: the lead has one overdue.
#[must_use]
pub fn a11_acceptance_overdue(file: Option<&PartyFile>, on: Date) -> Option<Broken> {
    let file = file?;
    let (oldest, due_on) = file.overdue(on).next()?;
    Some(refusal::acceptance_overdue(oldest, due_on, file.overdue(on).count(), on))
}

/// First day on which the project may be funded again.
fn cools_until(ended_on: Date, years: u32) -> Date {
    let span = Span::new().try_years(years).ok();
    span.and_then(|span| ended_on.checked_add(span).ok()).unwrap_or(Date::MAX)
}
