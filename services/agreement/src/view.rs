//! What a decision sees: the states that it touches.

use crate::{
    State,
    agreement::Agreement,
    party::{Code, End, Party},
    refusal,
};
use concord_chassis::{
    deciding,
    log::{Broken, RefusalKind, Stop},
};
use concord_kernel::{
    Date,
    id::AgreementId,
    party::{PartyCode, PartyCodeId, PartyId},
};
use std::collections::BTreeSet;

/// One command being decided.
pub(crate) type Case<'c, 'v> = deciding::Case<'c, 'v, State>;

/// The agreement, as this field of the request names it; `NOT_FOUND` where there is none.
pub(crate) fn agreement<'v>(
    case: &Case<'_, 'v>,
    field: &str,
    id: AgreementId,
) -> Result<&'v Agreement, Stop> {
    case.find(id.stream(), State::agreement, || refusal::no_agreement(field, id))
}

/// The agreement with a new id: `None` while it is free, `ALREADY_EXISTS` where something else has it.
pub(crate) fn agreement_or_free<'v>(
    case: &Case<'_, 'v>,
    id: AgreementId,
) -> Result<Option<&'v Agreement>, Stop> {
    case.find_or_free(id.stream(), "agreement_id", State::agreement)
}

/// The party, as this field of the request names it; `NOT_FOUND` where there is none.
pub(crate) fn party<'v>(case: &Case<'_, 'v>, field: &str, id: PartyId) -> Result<&'v Party, Stop> {
    case.find(id.stream(), State::party, || refusal::no_party(field, id))
}

/// The party with this id, which follows from its first code: `None` where the directory has none.
pub(crate) fn party_or_free<'v>(case: &Case<'_, 'v>, id: PartyId) -> Result<Option<&'v Party>, Stop> {
    case.seek(id.stream(), State::party)
}

/// Whose the code is, where the directory knows it.
pub(crate) fn code<'v>(case: &Case<'_, 'v>, code: &PartyCode) -> Result<Option<&'v Code>, Stop> {
    Ok(case.states.get(PartyCodeId::of(code).stream())?.and_then(State::code))
}

/// The parties that these codes belong to, `None` where the directory does not know a code. First all codes are
/// loaded together, then all parties.
pub(crate) fn parties_by_code<'v, 'p>(
    case: &Case<'_, 'v>,
    codes: impl IntoIterator<Item = &'p PartyCode> + Clone,
) -> Result<Vec<Option<&'v Party>>, Stop> {
    case.states.prefetch(codes.clone().into_iter().map(|code| PartyCodeId::of(code).stream()))?;
    let known =
        codes.into_iter().map(|given| code(case, given)).collect::<Result<Vec<Option<&Code>>, Stop>>()?;
    case.states.prefetch(known.iter().flatten().map(|code| code.party.stream()))?;
    known.into_iter().map(|code| code.map_or(Ok(None), |code| party_or_free(case, code.party))).collect()
}

/// The party that a code belongs to; `NOT_FOUND` where the directory does not know the code.
pub(crate) fn party_by_code<'v>(
    case: &Case<'_, 'v>,
    field: &str,
    code: &PartyCode,
) -> Result<&'v Party, Stop> {
    let unknown = || case.refuse(RefusalKind::NotFound, vec![refusal::party_unknown(field, code)]);
    parties_by_code(case, [code])?.into_iter().flatten().next().ok_or_else(unknown)
}

/// Who a party is on a day after all mergers until then: itself where there was none.
pub(crate) fn successor<'v>(case: &Case<'_, 'v>, mut party: &'v Party, on: Date) -> Result<&'v Party, Stop> {
    // A merger into a circle is refused; where a log holds one all the same, its last party before the first again.
    let mut passed = BTreeSet::from([party.id]);
    while let Some(into) = party.merged_into(on).filter(|into| passed.insert(*into)) {
        party = self::party(case, "party", into)?;
    }
    Ok(party)
}

/// Why a party cannot act on the day: it was merged into another, or dissolved.
pub(crate) fn cannot_act<'v>(
    case: &Case<'_, 'v>,
    field: &str,
    party: &'v Party,
    on: Date,
) -> Result<Option<Broken>, Stop> {
    Ok(match party.end {
        Some(End::Merged { from, .. }) if from <= on => {
            Some(refusal::party_merged(field, party, successor(case, party, on)?, from))
        }
        Some(End::Dissolved { from }) if from <= on => Some(refusal::party_dissolved(field, party, from, on)),
        Some(_) | None => None,
    })
}
