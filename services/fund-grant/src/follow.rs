//! How the fund reacts to the agreement log (domain.md section 7): the process manager `process:backing`.
//!
//! It says what an event means for the record of the agreement, or of the party ([`crate::party`]), and nothing else; what follows
//! for grants is decided there ([`crate::backing`]). The last day of a term is its deadline: when that has passed, the agreement lapses with nobody acting.

use crate::{
    Command, Fund,
    backing::{AGREEMENT_LOG, BackingCommand, Change, Fact},
    party::{PartyCommand, PartyFact},
};
use concord_chassis::{
    log::Refusal,
    process::{Cause, Deadline, ProcessManager, Reaction},
};
use concord_events::{
    agreement::{AgreementEvent, Term},
    fund::{AgreementPoint, BackingParty, Ending, PartyChange},
    party::Party,
};
use concord_kernel::{Date, id::AgreementId, party::PartyId};
use uuid::Uuid;

/// Takes agreements in from their own log.
#[derive(Debug, Clone, Copy, Default)]
pub struct FollowAgreements;

impl ProcessManager for FollowAgreements {
    const NAME: &'static str = "backing";
    /// The second reads the log again from its beginning, because the first took no party in. What it took in is answered as
    /// before.
    const VERSION: u32 = 2;
    const FOLLOWS: &'static str = AGREEMENT_LOG;
    type Event = AgreementEvent;
    type Domain = Fund;

    fn react(&self, cause: &Cause, event: &AgreementEvent) -> Vec<Reaction<Command>> {
        let at =
            AgreementPoint { generation: cause.generation, position: cause.position, event: cause.event };
        if let Some((party, change)) = party_change(event) {
            let fact = PartyFact { at, happened_on: cause.effective_on, change };
            let command = Command::Party(party, PartyCommand::Take(fact));
            return vec![Reaction { target: party.0, command, deadline: Deadline::Stays }];
        }
        let Some((agreement, change)) = change(event) else {
            return Vec::new();
        };
        let deadline = deadline(&change);
        let fact = Fact { at, happened_on: cause.effective_on, change };
        let command = Command::Backing(agreement, BackingCommand::Take(fact));
        vec![Reaction { target: agreement.0, command, deadline }]
    }

    /// None is: what an agreement's log says is taken in, or money would move on what was known before.
    fn may_be_refused(&self, _: &Command, _: &Refusal) -> bool {
        false
    }

    fn elapsed(&self, target: Uuid, last_day: Date) -> Command {
        Command::Backing(AgreementId(target), BackingCommand::Lapse { last_day })
    }
}

/// What an event changes of an agreement as far as the fund knows it; `None` where it changes nothing of that.
fn change(event: &AgreementEvent) -> Option<(AgreementId, Change)> {
    let in_force = |term: &Option<Term>| term.map(|term| Change::InForce { term });
    Some(match event {
        AgreementEvent::AgreementDrafted { agreement, parties, .. } => {
            let parties = parties.iter().map(|participant| named(&participant.party)).collect();
            (*agreement, Change::Drafted { parties })
        }
        AgreementEvent::DraftCancelled { agreement, .. } => {
            let ended = Change::Ended { how: Ending::Cancelled, out_of_force_from: None };
            (*agreement, ended)
        }
        AgreementEvent::AgreementSigned { agreement, in_force: term, .. }
        | AgreementEvent::AgreementRenewed { agreement, in_force: term, .. }
        | AgreementEvent::AgreementAmended { agreement, in_force: term, .. } => (*agreement, in_force(term)?),
        AgreementEvent::AgreementResumed { agreement, in_force: term, .. } => {
            (*agreement, Change::InForce { term: *term })
        }
        AgreementEvent::AgreementSuspended { agreement, out_of_force_from, .. } => {
            (*agreement, Change::Suspended { out_of_force_from: *out_of_force_from })
        }
        AgreementEvent::AgreementCompleted { agreement, out_of_force_from, .. } => {
            let ended = Change::Ended { how: Ending::Completed, out_of_force_from: Some(*out_of_force_from) };
            (*agreement, ended)
        }
        AgreementEvent::AgreementTerminated { agreement, out_of_force_from, .. } => {
            let ended =
                Change::Ended { how: Ending::Terminated, out_of_force_from: Some(*out_of_force_from) };
            (*agreement, ended)
        }
        AgreementEvent::PartySucceeded { agreement, party, successor, .. } => {
            (*agreement, Change::Succeeded { party: *party, successor: named(successor) })
        }
        AgreementEvent::TodayAdvanced { .. }
        | AgreementEvent::AmendmentProposed { .. }
        | AgreementEvent::AmendmentSigned { .. }
        | AgreementEvent::AmendmentAbandoned { .. }
        | AgreementEvent::ObligationFulfilled { .. }
        | AgreementEvent::MeetingMinuted { .. }
        | AgreementEvent::ActionItemClosed { .. }
        | AgreementEvent::RegistrationSubmitted { .. }
        | AgreementEvent::ContractRegistered { .. }
        | AgreementEvent::RegistrationRefused { .. }
        | AgreementEvent::RegistrationRevoked { .. }
        | AgreementEvent::PartyRecorded { .. }
        | AgreementEvent::PartyCodeAdded { .. }
        | AgreementEvent::PartyRenamed { .. }
        | AgreementEvent::PartyReclassified { .. }
        | AgreementEvent::PartyRelocated { .. }
        | AgreementEvent::RegisterEntered { .. }
        | AgreementEvent::RegisterLeft { .. }
        | AgreementEvent::ControlLinkRecorded { .. }
        | AgreementEvent::ControlLinkEnded { .. }
        | AgreementEvent::RepresentationRecorded { .. }
        | AgreementEvent::RepresentationEnded { .. }
        | AgreementEvent::PartyMerged { .. }
        | AgreementEvent::PartyDissolved { .. } => return None,
    })
}

/// What an event changes of a party as far as the fund knows it; `None` where it is about none, or about what the fund does not
/// ask for. Events of agreements have their own match, which names every one.
fn party_change(event: &AgreementEvent) -> Option<(PartyId, PartyChange)> {
    Some(match event {
        AgreementEvent::PartyRecorded { party, code, name, .. } => {
            (*party, PartyChange::Recorded { code: code.clone(), name: name.clone() })
        }
        AgreementEvent::PartyCodeAdded { party, code, from, .. } => {
            (*party, PartyChange::CodeAdded { code: code.clone(), from: *from })
        }
        AgreementEvent::PartyRenamed { party, name, from } => {
            (*party, PartyChange::Renamed { name: name.clone(), from: *from })
        }
        AgreementEvent::PartyMerged { party, into, from } => {
            (*party, PartyChange::Merged { into: *into, from: *from })
        }
        AgreementEvent::PartyDissolved { party, from } => (*party, PartyChange::Dissolved { from: *from }),
        AgreementEvent::RepresentationRecorded { party, organisation, authority, from } => {
            let (organisation, authority) = (organisation.clone(), authority.clone());
            (*party, PartyChange::Represented { organisation, authority, from: *from })
        }
        AgreementEvent::RepresentationEnded { party, organisation, from } => {
            (*party, PartyChange::RepresentationEnded { organisation: organisation.clone(), from: *from })
        }
        _ => return None,
    })
}

fn named(party: &Party) -> BackingParty {
    BackingParty { party: party.party, code: party.code.clone() }
}

/// A suspension or an end that lies ahead waits for its day, like the end of a term.
fn deadline(change: &Change) -> Deadline {
    let day_before = |first: Date| first.yesterday().map_or(Deadline::Lifted, Deadline::Last);
    match change {
        Change::Drafted { .. } | Change::Succeeded { .. } => Deadline::Stays,
        Change::InForce { term } => Deadline::Last(term.until),
        Change::Suspended { out_of_force_from } => day_before(*out_of_force_from),
        Change::Ended { out_of_force_from, .. } => out_of_force_from.map_or(Deadline::Lifted, day_before),
    }
}
