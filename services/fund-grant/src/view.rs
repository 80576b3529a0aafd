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
    case.find(id.0, State::grant, || refusal::no_grant(id))
}

/// The grant with a new id: `None` while it is free, `ALREADY_EXISTS` where a programme has it.
pub(crate) fn grant_or_free<'v>(case: &Case<'_, 'v>, id: GrantId) -> Result<Option<&'v Grant>, Stop> {
    case.find_or_free(id.0, "grant_id", State::grant)
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
    case.find_or_free(id.0, "programme_id", State::programme)
}

/// The invoice with this id; `None` while no item has named it.
pub(crate) fn invoice_or_free<'v>(case: &Case<'_, 'v>, id: InvoiceId) -> Result<Option<&'v Invoice>, Stop> {
    case.find_or_free(id.0, "invoice", State::invoice)
}

/// The recovery with a new id: `None` while it is free, `ALREADY_EXISTS` where something else has it.
pub(crate) fn recovery_or_free<'v>(
    case: &Case<'_, 'v>,
    id: RecoveryId,
) -> Result<Option<&'v Recovery>, Stop> {
    case.find_or_free(id.0, "recovery_id", State::recovery)
}

/// The id of a recovery that another decision determines follows from its cause. Whoever has it already stands in the way:
/// the money would be recoverable, and nobody would owe it.
pub(crate) fn recovery_free(case: &Case<'_, '_>, id: RecoveryId) -> Result<(), Stop> {
    match recovery_or_free(case, id)? {
        None => Ok(()),
        Some(_) => Err(case.refuse(RefusalKind::Taken, vec![refusal::taken("recovery_id", id.0)])),
    }
}

/// The rectification with an id that may be new: `None` while there is none.
pub(crate) fn rectification_or_free<'v>(
    case: &Case<'_, 'v>,
    id: RectificationId,
) -> Result<Option<&'v Rectification>, Stop> {
    case.find_or_free(id.0, "rectification_id", State::rectification)
}

/// What is kept of a lead over all its grants; `None` before the first was filed.
pub(crate) fn party_file<'v>(case: &Case<'_, 'v>, lead: PartyId) -> Result<Option<&'v PartyFile>, Stop> {
    Ok(case.states.get(PartyFileId::of(lead).0)?.and_then(State::party_file))
}

/// Loads what is kept of these leads, and what the directory says of them, together.
pub(crate) fn prefetch_leads(
    case: &Case<'_, '_>,
    leads: impl IntoIterator<Item = PartyId> + Clone,
) -> Result<(), Stop> {
    let files = leads.clone().into_iter().map(|lead| PartyFileId::of(lead).0);
    case.states.prefetch(files.chain(leads.into_iter().map(|lead| PartyRecordId::of(lead).0)))
}

/// Loads what the directory says of these parties together.
pub(crate) fn prefetch_parties(
    case: &Case<'_, '_>,
    parties: impl IntoIterator<Item = PartyId>,
) -> Result<(), Stop> {
    case.states.prefetch(parties.into_iter().map(|party| PartyRecordId::of(party).0))
}

/// What the directory says of a party; `None` where nothing was taken in.
pub(crate) fn party_record<'v>(case: &Case<'_, 'v>, party: PartyId) -> Result<Option<&'v PartyRecord>, Stop> {
    Ok(case.states.get(PartyRecordId::of(party).0)?.and_then(State::party_record))
}

/// Whom an organisation ever stood for by record; `None` where for nobody.
pub(crate) fn acting_organisation<'v>(
    case: &Case<'_, 'v>,
    organisation: &str,
) -> Result<Option<&'v ActingOrganisation>, Stop> {
    let id = ActingOrganisationId::of(organisation);
    Ok(case.states.get(id.0)?.and_then(State::acting_organisation))
}
