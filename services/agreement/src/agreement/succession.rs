//! A merged party's successor takes its place 承继.

use super::{Agreement, Standing, draft::kind_needs};
use crate::{
    bounds::{LINE_BYTES_MAX, line},
    party::{End, Party},
    refusal::{self, happens_under, refused, unchanged},
    rules,
    view::{self, Case},
};
use concord_chassis::log::{Decision, Meta, Stop};
use concord_events::agreement::{AgreementEvent, Participant};
use concord_kernel::{
    Date,
    normal::same_reference,
    party::{PartyCode, PartyId},
};
use serde::{Deserialize, Serialize};

/// Who was succeeded by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// Party until then.
    pub party: PartyId,
    /// The code under which the agreement names it; what it owes stays under this code.
    pub code: PartyCode,
    /// Party since then.
    pub successor: PartyId,
    /// From when on.
    pub from: Date,
    /// Document 文号 of the succession.
    pub authority: String,
}

/// Decides every pair of standing and succession. An agreement that was not signed by all is drafted anew with the
/// successor instead. One that has expired can be renewed within the grace period, by parties that are; so a successor may
/// take a merged party's place until that is over.
pub(super) fn decide(
    case: &Case<'_, '_>,
    agreement: &Agreement,
    code: &PartyCode,
    successor_code: &PartyCode,
    authority: &str,
) -> Result<Decision<AgreementEvent>, Stop> {
    use Standing::{
        Absent, Completed, DraftCancelled, Drafted, Expired, InForce, NotBegun, PartiallySigned, Suspended,
        Terminated,
    };
    case.well_formed(line("authority", authority, LINE_BYTES_MAX))?;
    let on = case.context.effective_on;
    let standing = agreement.found_on(on);
    let ruling = match standing {
        NotBegun | InForce | Suspended | Expired => {
            view::parties_by_code(case, [code, successor_code])?;
            let party = view::party_by_code(case, "party", code)?;
            let successor = view::party_by_code(case, "successor", successor_code)?;
            let merged_into = view::successor(case, party, on)?;
            if let Some(done) = agreement.successions.iter().rfind(|done| done.party == party.id) {
                let same = done.successor == successor.id && same_reference(&done.authority, authority);
                if same { unchanged() } else { refused(refusal::party_succeeded(code, done)) }
            } else if agreement.participant(party.id).is_none() {
                refused(refusal::not_a_party(code, &agreement.parties))
            } else if !is_merged(party, on) || merged_into.id != successor.id {
                refused(refusal::not_merged_into(code, successor_code, party, merged_into, on))
            } else {
                let successor = successor.named(successor_code, on);
                let (parties, merged_in) = agreement.with_successor(party.id, &successor);
                let grace_ends_on = agreement.grace_ends_on(case);
                let late = (standing == Expired && on > grace_ends_on)
                    .then(|| refusal::succeeded_too_late(on, agreement.last_day(), grace_ends_on));
                let broken = late
                    .into_iter()
                    .chain(agreement.pending_refusal())
                    .chain(view::cannot_act(case, "successor", merged_into, on)?)
                    .chain(kind_needs(agreement.kind, &parties).into_iter().map(refusal::after_succession));
                let event = AgreementEvent::PartySucceeded {
                    agreement: agreement.id,
                    party: party.id,
                    successor,
                    merged_in,
                    authority: authority.to_owned(),
                };
                happens_under(broken.map(Some), event)
            }
        }
        Absent | Drafted | PartiallySigned | Completed | Terminated | DraftCancelled => {
            refused(refusal::wrong_standing(
                standing,
                (
                    "a party is succeeded once all have signed, and until the agreement can no longer be renewed; before \
                     that, cancel the draft and draft it with the successor",
                    "主体承继须在全部签署之后、协议可以续签期间办理；此前请撤销草案，以承继单位重新起草",
                ),
            ))
        }
    };
    case.conclude(Vec::new(), ruling, rules::not_before(agreement.last_step_on, on))
}

fn is_merged(party: &Party, on: Date) -> bool {
    matches!(party.end, Some(End::Merged { from, .. }) if from <= on)
}

impl Agreement {
    /// The parties with a successor in place of a party, and whether it was one of them before.
    fn with_successor(
        &self,
        party: PartyId,
        successor: &concord_events::party::Party,
    ) -> (Vec<Participant>, bool) {
        let merged_in = self.participant(successor.party).is_some();
        let mut parties = self.parties.clone();
        if merged_in {
            parties.retain(|participant| participant.party.party != party);
        } else {
            for participant in parties.iter_mut().filter(|one| one.party.party == party) {
                participant.party = successor.clone();
            }
        }
        (parties, merged_in)
    }
}

/// Folds a succession. Signatures keep who signed.
pub(super) fn apply(agreement: &mut Agreement, event: &AgreementEvent, meta: &Meta<'_>) {
    let AgreementEvent::PartySucceeded { party, successor, authority, .. } = event else {
        return;
    };
    let code = agreement.participant(*party).map(|participant| participant.party.code.clone());
    agreement.parties = agreement.with_successor(*party, successor).0;
    agreement.successions.extend(code.map(|code| Succession {
        party: *party,
        code,
        successor: successor.party,
        from: meta.effective_on,
        authority: authority.clone(),
    }));
    agreement.step(meta.effective_on);
}
