//! What a lead's other grants mean for this one: A04 and A11. They may lie in several files: those of all ids that the lead
//! has had.

use crate::{
    grant::Grant,
    party_file::{Entry, PartyFile},
    refusal,
};
use concord_chassis::log::Broken;
use concord_kernel::{Date, fingerprint::Fingerprint, normal::same_reference, rulebook::Rulebook};
use jiff::Span;

/// A04, same project funded twice 重复资助: the project, told by any of its fingerprints, is live in another grant, or within the
/// cooling years in the same fund.
#[must_use]
pub fn a04_funded_already(
    rulebook: &Rulebook,
    files: &[&PartyFile],
    grant: &Grant,
    fund: &str,
    on: Date,
) -> Option<Broken> {
    let project = &grant.project;
    let stands = |file: &PartyFile, entry: &Entry| match entry.ended_on {
        None => true,
        Some(ended_on) => {
            same_reference(file.fund_of(entry), fund) && on < cools_until(ended_on, rulebook.cooling_years)
        }
    };
    // Each file has the fingerprints of its own id.
    let same = files.iter().flat_map(|file| {
        let own = Fingerprint::of(file.lead, &project.title, project.industry);
        // What was filed before look-alikes were folded has the fingerprint of its first form.
        let first_form = Fingerprint::first_form(file.lead, &project.title, project.industry);
        file.same_project(grant.id, [own, first_form]).map(move |entry| (*file, entry))
    });
    // A live one weighs more than one that cools, and a later end more than an earlier one.
    let (file, other) = same
        .filter(|(file, entry)| stands(file, entry))
        .max_by_key(|(_, entry)| entry.ended_on.unwrap_or(Date::MAX))?;
    let ended = other.ended_on.map(|ended_on| (ended_on, cools_until(ended_on, rulebook.cooling_years)));
    Some(refusal::funded_already(other.grant, file.fund_of(other), ended))
}

/// A11, late final acceptance: the lead has one overdue.
#[must_use]
pub fn a11_acceptance_overdue(files: &[&PartyFile], on: Date) -> Option<Broken> {
    let overdue = || files.iter().flat_map(|file| file.overdue(on));
    let (oldest, due_on) = overdue().min_by_key(|(_, due_on)| *due_on)?;
    Some(refusal::acceptance_overdue(oldest, due_on, overdue().count(), on))
}

/// First day on which the project may be funded again.
fn cools_until(ended_on: Date, years: u32) -> Date {
    let span = Span::new().try_years(years).ok();
    span.and_then(|span| ended_on.checked_add(span).ok()).unwrap_or(Date::MAX)
}
