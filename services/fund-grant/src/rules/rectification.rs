//! Rules on who decides about a finding.

use super::{ActsFor, Hand, a13_one_hand};
use crate::{grant::Grant, refusal};
use concord_chassis::log::{Broken, Context};
use concord_kernel::rulebook::Rulebook;

/// A13: nobody of the applicant's organisation, or of one that has a share of the grant, decides what becomes of a finding about
/// it.
#[must_use]
pub fn a13_concerned(
    rulebook: &Rulebook,
    grant: &Grant,
    context: &Context<'_>,
    acts_for: ActsFor,
    for_a_party: bool,
) -> Option<Broken> {
    let applicant = a13_one_hand(rulebook, grant, Hand::Office(None), context, acts_for).into_iter().next();
    applicant.or_else(|| {
        let excluded = rulebook.conflicts.applicant_organisation_excluded && for_a_party;
        excluded.then(|| refusal::party_in_office(context.actor_organisation))
    })
}
