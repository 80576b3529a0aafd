//! Signatures 签署: each party signs once, while it lives, and not before there is a text.

use super::{Agreement, Signature, Signing, Standing};
use crate::{
    bounds::{LINE_BYTES_MAX, line},
    party::Party,
    refusal::{self, Ruling, happens_under, refused},
    view::{self, Case},
};
use concord_chassis::log::{Broken, Stop};
use concord_events::agreement::{AgreementEvent, Term};
use concord_kernel::{
    Date,
    party::{PartyCode, PartyId},
};

impl Signing {
    /// A signature without the document that authorises it.
    pub(super) fn fault(&self) -> Option<Broken> {
        line("authority", &self.authority, LINE_BYTES_MAX)
    }
}

impl Agreement {
    /// What stops a party from signing, draft or amendment: a stranger, a second signature, a party that is no more, or
    /// a day before there was anything to sign.
    pub(super) fn signing_refusals<'v>(
        &self,
        case: &Case<'_, 'v>,
        party: &'v Party,
        code: &PartyCode,
        signatures: &[Signature],
        there_since: Date,
    ) -> Result<Vec<Broken>, Stop> {
        let on = case.context.effective_on;
        if self.participant(party.id).is_none() {
            return Ok(vec![self.stranger(party.id, code)]);
        }
        if let Some(first) = signatures.iter().find(|signature| signature.party == party.id) {
            return Ok(vec![refusal::already_signed(code, first)]);
        }
        let early = (on < there_since).then(|| refusal::signed_before_draft(on, there_since));
        Ok(view::cannot_act(case, "party", party, on)?.into_iter().chain(early).collect())
    }

    /// Whether all parties but this one have signed.
    pub(super) fn is_last(&self, party: PartyId, signatures: &[Signature]) -> bool {
        self.parties
            .iter()
            .map(|participant| participant.party.party)
            .all(|other| other == party || signatures.iter().any(|signature| signature.party == other))
    }

    /// A party that the agreement is not between: one that was succeeded, or none at all.
    fn stranger(&self, party: PartyId, code: &PartyCode) -> Broken {
        let successor = self.successions.iter().rfind(|succession| succession.party == party);
        match successor {
            Some(succession) => refusal::party_succeeded(code, succession),
            None => refusal::not_a_party(code, &self.parties),
        }
    }

    pub(super) fn sign(&self, case: &Case<'_, '_>, signing: &Signing) -> Result<Ruling, Stop> {
        let on = case.context.effective_on;
        let party = view::party_by_code(case, "party", &signing.party)?;
        let signatures = &self.draft().signatures;
        let term = self.periods[0].term;
        let broken = self.signing_refusals(case, party, &signing.party, signatures, self.drafted_on)?;
        let late = (on > term.until).then(|| refusal::signed_after_term(on, term.until));
        let last_on = signatures.iter().map(|signature| signature.signed_on).fold(on, Date::max);
        let is_last = self.is_last(party.id, signatures);
        let under = if is_last { self.parent_ended(case, last_on)? } else { None };
        let in_force = is_last.then(|| Term { from: last_on.max(term.from), until: term.until });
        Ok(happens_under(
            broken.into_iter().chain(late).chain(under).map(Some),
            AgreementEvent::AgreementSigned {
                agreement: self.id,
                party: party.id,
                signatory: signing.signatory.clone(),
                authority: signing.authority.clone(),
                signed_on: on,
                in_force,
            },
        ))
    }

    /// There is nothing left to sign: a second signature is told as such, a stranger too.
    pub(super) fn signed_already(
        &self,
        case: &Case<'_, '_>,
        signing: &Signing,
        standing: Standing,
    ) -> Result<Ruling, Stop> {
        let party = view::party_by_code(case, "party", &signing.party)?;
        let first = self.draft().signatures.iter().find(|signature| signature.party == party.id);
        Ok(match (first, self.participant(party.id)) {
            (Some(first), _) => refused(refusal::already_signed(&signing.party, first)),
            (None, None) => refused(self.stranger(party.id, &signing.party)),
            (None, Some(_)) => refused(refusal::wrong_standing(
                standing,
                ("an agreement is signed while signatures are missing", "协议在签署未齐时方可签署"),
            )),
        })
    }
}
