//! Rules on who decides about a finding.

use super::{Hand, a13_one_hand};
use crate::{grant::Grant, refusal};
use concord_chassis::log::{Broken, Context};
use concord_kernel::{
    party::{PartyCode, PartyId},
    rulebook::Rulebook,
};

/// A13: nobody of the applicant's organisation, or of one that has a share of the grant, decides what becomes of a finding about
/// it.
#[must_use]
pub fn a13_concerned(rulebook: &Rulebook, grant: &Grant, context: &Context<'_>) -> Option<Broken> {
    let organisation = context.actor_organisation;
    let applicant = a13_one_hand(rulebook, grant, Hand::Office(None), context).into_iter().next();
    applicant.or_else(|| {
        let excluded = rulebook.conflicts.applicant_organisation_excluded;
        let is_party = excluded && party(organisation).is_some_and(|party| grant.is_party(party));
        is_party.then(|| refusal::party_in_office(organisation))
    })
}

/// The party that an organisation is by its code or its id; an organisation of another name is none that the fund knows.
fn party(organisation: &str) -> Option<PartyId> {
    match PartyCode::parse(organisation) {
        Ok(code) => Some(PartyId::of(&code)),
        Err(_) => organisation.parse().ok(),
    }
}
