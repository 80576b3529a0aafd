//! What a decision sees: the states that it touches, and all that it weighs beside them.

use crate::{
    State,
    agreement::Agreement,
    party::{Code, End, Party},
    refusal::{self, Ruling},
};
use concord_chassis::log::{Broken, Context, Decision, Refusal, RefusalKind, Stop, View};
use concord_events::agreement::AgreementEvent;
use concord_kernel::{
    Date,
    id::AgreementId,
    party::{PartyCode, PartyCodeId, PartyId},
    rulebook::Rulebook,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// One command being decided.
pub(crate) struct Case<'c, 'v> {
    pub(crate) states: &'c View<'v, State>,
    pub(crate) context: &'c Context<'c>,
    /// In force on the day of the decision.
    pub(crate) rulebook: &'c Rulebook,
}

impl<'v> Case<'_, 'v> {
    /// The agreement, as this field of the request names it; `NOT_FOUND` where there is none.
    pub(crate) fn agreement(&self, field: &str, id: AgreementId) -> Result<&'v Agreement, Stop> {
        match self.states.get(id.0)? {
            Some(State::Agreement(agreement)) => Ok(agreement),
            Some(State::Party(_) | State::Code(_)) | None => {
                Err(self.refuse(RefusalKind::NotFound, vec![refusal::no_agreement(field, id)]))
            }
        }
    }

    /// The agreement with a new id: `None` while it is free, `ALREADY_EXISTS` where something else has it.
    pub(crate) fn agreement_or_free(&self, id: AgreementId) -> Result<Option<&'v Agreement>, Stop> {
        match self.states.get(id.0)? {
            Some(State::Agreement(agreement)) => Ok(Some(agreement)),
            Some(State::Party(_) | State::Code(_)) => Err(self.taken("agreement_id", id.0)),
            None => Ok(None),
        }
    }

    /// The party, as this field of the request names it; `NOT_FOUND` where there is none.
    pub(crate) fn party(&self, field: &str, id: PartyId) -> Result<&'v Party, Stop> {
        match self.states.get(id.0)? {
            Some(State::Party(party)) => Ok(party),
            Some(State::Agreement(_) | State::Code(_)) | None => {
                Err(self.refuse(RefusalKind::NotFound, vec![refusal::no_party(field, id)]))
            }
        }
    }

    /// The party with a new id: `None` while it is free, `ALREADY_EXISTS` where something else has it.
    pub(crate) fn party_or_free(&self, id: PartyId) -> Result<Option<&'v Party>, Stop> {
        match self.states.get(id.0)? {
            Some(State::Party(party)) => Ok(Some(party)),
            Some(State::Agreement(_) | State::Code(_)) => Err(self.taken("party_id", id.0)),
            None => Ok(None),
        }
    }

    /// Whose the code is, where the directory knows it.
    pub(crate) fn code(&self, code: &PartyCode) -> Result<Option<&'v Code>, Stop> {
        match self.states.get(PartyCodeId::of(code).0)? {
            Some(State::Code(code)) => Ok(Some(code)),
            Some(State::Agreement(_) | State::Party(_)) | None => Ok(None),
        }
    }

    /// The parties that these codes belong to, `None` where the directory does not know a code. First all codes are
    /// loaded together, then all parties.
    pub(crate) fn parties_by_code<'p>(
        &self,
        codes: impl IntoIterator<Item = &'p PartyCode> + Clone,
    ) -> Result<Vec<Option<&'v Party>>, Stop> {
        self.states.prefetch(codes.clone().into_iter().map(|code| PartyCodeId::of(code).0))?;
        let known =
            codes.into_iter().map(|code| self.code(code)).collect::<Result<Vec<Option<&Code>>, Stop>>()?;
        self.states.prefetch(known.iter().flatten().map(|code| code.party.0))?;
        known.into_iter().map(|code| code.map_or(Ok(None), |code| self.party_or_free(code.party))).collect()
    }

    /// The party that a code belongs to; `NOT_FOUND` where the directory does not know the code.
    pub(crate) fn party_by_code(&self, field: &str, code: &PartyCode) -> Result<&'v Party, Stop> {
        let unknown = || self.refuse(RefusalKind::NotFound, vec![refusal::party_unknown(field, code)]);
        self.parties_by_code([code])?.into_iter().flatten().next().ok_or_else(unknown)
    }

    /// Who a party is on a day after all mergers until then: itself where there was none.
    pub(crate) fn successor(&self, mut party: &'v Party, on: Date) -> Result<&'v Party, Stop> {
        // A merger into a circle is refused; where a log holds one all the same, its last party before the first again.
        let mut passed = BTreeSet::from([party.id]);
        while let Some(into) = party.merged_into(on).filter(|into| passed.insert(*into)) {
            party = self.party("party", into)?;
        }
        Ok(party)
    }

    /// Why a party cannot act on the day: it was merged into another, or dissolved.
    pub(crate) fn cannot_act(&self, field: &str, party: &'v Party, on: Date) -> Result<Option<Broken>, Stop> {
        Ok(match party.end {
            Some(End::Merged { from, .. }) if from <= on => {
                Some(refusal::party_merged(field, party, self.successor(party, on)?, from))
            }
            Some(End::Dissolved { from }) if from <= on => {
                Some(refusal::party_dissolved(field, party, from, on))
            }
            Some(_) | None => None,
        })
    }

    /// Stops at values that cannot be right for this aggregate, all of them at once.
    pub(crate) fn well_formed(&self, faults: Vec<Broken>) -> Result<(), Stop> {
        if faults.is_empty() { Ok(()) } else { Err(self.refuse(RefusalKind::Malformed, faults)) }
    }

    /// `ALREADY_EXISTS`: the id is something else's.
    pub(crate) fn taken(&self, field: &str, id: Uuid) -> Stop {
        self.refuse(RefusalKind::Taken, vec![refusal::taken(field, id)])
    }

    /// A refusal under the rulebook of the day.
    pub(crate) fn refuse(&self, kind: RefusalKind, broken: Vec<Broken>) -> Stop {
        let rulebook = self.rulebook.version.clone();
        Refusal { kind, broken, rulebook, terms_rulebook: None }.into()
    }

    /// Turns a ruling into an answer. `after` is a broken rule that weighs only where something would happen, such as
    /// the order of dates; it stands behind the ruling's own.
    pub(crate) fn conclude(
        &self,
        ruling: Ruling,
        after: Option<Broken>,
    ) -> Result<Decision<AgreementEvent>, Stop> {
        let own = match ruling {
            Ok(decision) if decision.events.is_empty() || after.is_none() => return Ok(decision),
            Ok(_) => Vec::new(),
            Err(broken) => broken,
        };
        Err(self.refuse(RefusalKind::Rule, own.into_iter().chain(after).collect()))
    }
}
