//! What a decision sees: the states that it touches.

use crate::{
    State,
    grant::Grant,
    invoice::Invoice,
    party::{ActingOrganisation, PartyRecord},
    party_file::PartyFile,
    programme::Programme,
    recovery::Recovery,
    rectification::Rectification,
    refusal,
};
use concord_chassis::{
    deciding,
    log::{RefusalKind, Stop},
};
use concord_kernel::{
    id::{
        ActingOrganisationId, GrantId, InvoiceId, PartyFileId, PartyRecordId, ProgrammeId, RecoveryId,
        RectificationId,
    },
    party::PartyId,
};

/// One command being decided.
pub(crate) type Case<'c, 'v> = deciding::Case<'c, 'v, State>;

/// The grant; `NOT_FOUND` where there is none.
pub(crate) fn grant<'v>(case: &Case<'_, 'v>, id: GrantId) -> Result<&'v Grant, Stop> {
    case.find(id.stream(), State::grant, || refusal::no_grant(id))
}

/// The grant with a new id: `None` while it is free, `ALREADY_EXISTS` where a programme has it.
pub(crate) fn grant_or_free<'v>(case: &Case<'_, 'v>, id: GrantId) -> Result<Option<&'v Grant>, Stop> {
    case.find_or_free(id.stream(), "grant_id", State::grant)
}

/// The programme; `NOT_FOUND` where there is none, `ALREADY_EXISTS` where a grant has its id.
pub(crate) fn programme<'v>(case: &Case<'_, 'v>, id: ProgrammeId) -> Result<&'v Programme, Stop> {
    let none = || case.refuse(RefusalKind::NotFound, vec![refusal::no_programme(id)]);
    programme_or_free(case, id)?.ok_or_else(none)
}

/// The programme with a new id: `None` while it is free, `ALREADY_EXISTS` where a grant has it.
pub(crate) fn programme_or_free<'v>(
    case: &Case<'_, 'v>,
    id: ProgrammeId,
) -> Result<Option<&'v Programme>, Stop> {
    case.find_or_free(id.stream(), "programme_id", State::programme)
}

/// The invoice with this id; `None` while no item has named it. Its id follows from its number.
pub(crate) fn invoice_or_free<'v>(case: &Case<'_, 'v>, id: InvoiceId) -> Result<Option<&'v Invoice>, Stop> {
    case.seek(id.stream(), State::invoice)
}

/// The recovery with a new id: `None` while it is free, `ALREADY_EXISTS` where something else has it.
pub(crate) fn recovery_or_free<'v>(
    case: &Case<'_, 'v>,
    id: RecoveryId,
) -> Result<Option<&'v Recovery>, Stop> {
    case.find_or_free(id.stream(), "recovery_id", State::recovery)
}

/// The id of a recovery that another decision determines follows from its cause: the first one that no recovery has. Anybody
/// of the office may have determined one under such an id before, and that must not stand in the way.
pub(crate) fn free_recovery(
    case: &Case<'_, '_>,
    derived: impl Fn(u32) -> RecoveryId,
) -> Result<RecoveryId, Stop> {
    let mut turn = 0;
    while case.seek(derived(turn).stream(), State::recovery)?.is_some() {
        turn += 1;
    }
    Ok(derived(turn))
}

/// The grant with this id, where there is one.
pub(crate) fn known_grant<'v>(case: &Case<'_, 'v>, id: Option<GrantId>) -> Result<Option<&'v Grant>, Stop> {
    let Some(id) = id else { return Ok(None) };
    Ok(case.states.get(id.stream())?.and_then(State::grant))
}

/// The programme with this id, where there is one.
pub(crate) fn known_programme<'v>(
    case: &Case<'_, 'v>,
    id: ProgrammeId,
) -> Result<Option<&'v Programme>, Stop> {
    Ok(case.states.get(id.stream())?.and_then(State::programme))
}

/// The recovery with this id, where there is one.
pub(crate) fn known_recovery<'v>(case: &Case<'_, 'v>, id: RecoveryId) -> Result<Option<&'v Recovery>, Stop> {
    Ok(case.states.get(id.stream())?.and_then(State::recovery))
}

/// The rectification with this id, where there is one.
pub(crate) fn known_rectification<'v>(
    case: &Case<'_, 'v>,
    id: RectificationId,
) -> Result<Option<&'v Rectification>, Stop> {
    Ok(case.states.get(id.stream())?.and_then(State::rectification))
}

/// The rectification; `NOT_FOUND` where there is none.
pub(crate) fn rectification<'v>(case: &Case<'_, 'v>, id: RectificationId) -> Result<&'v Rectification, Stop> {
    case.find(id.stream(), State::rectification, || refusal::no_rectification(id))
}

/// The rectification with an id that may be new: `None` while there is none. It follows from the finding.
pub(crate) fn rectification_or_free<'v>(
    case: &Case<'_, 'v>,
    id: RectificationId,
) -> Result<Option<&'v Rectification>, Stop> {
    case.seek(id.stream(), State::rectification)
}

/// What is kept of a lead over all its grants; `None` before the first was filed.
pub(crate) fn party_file<'v>(case: &Case<'_, 'v>, lead: PartyId) -> Result<Option<&'v PartyFile>, Stop> {
    Ok(case.states.get(PartyFileId::of(lead).stream())?.and_then(State::party_file))
}

/// Loads what is kept of these leads, and what the directory says of them, together.
pub(crate) fn prefetch_leads(
    case: &Case<'_, '_>,
    leads: impl IntoIterator<Item = PartyId> + Clone,
) -> Result<(), Stop> {
    let files = leads.clone().into_iter().map(|lead| PartyFileId::of(lead).stream());
    case.states.prefetch(files.chain(leads.into_iter().map(|lead| PartyRecordId::of(lead).stream())))
}

/// Loads what the directory says of these parties together.
pub(crate) fn prefetch_parties(
    case: &Case<'_, '_>,
    parties: impl IntoIterator<Item = PartyId>,
) -> Result<(), Stop> {
    case.states.prefetch(parties.into_iter().map(|party| PartyRecordId::of(party).stream()))
}

/// What the directory says of a party; `None` where nothing was taken in.
pub(crate) fn party_record<'v>(case: &Case<'_, 'v>, party: PartyId) -> Result<Option<&'v PartyRecord>, Stop> {
    Ok(case.states.get(PartyRecordId::of(party).stream())?.and_then(State::party_record))
}

/// Whom an organisation ever stood for by record; `None` where for nobody.
pub(crate) fn acting_organisation<'v>(
    case: &Case<'_, 'v>,
    organisation: &str,
) -> Result<Option<&'v ActingOrganisation>, Stop> {
    let id = ActingOrganisationId::of(organisation);
    Ok(case.states.get(id.stream())?.and_then(State::acting_organisation))
}
