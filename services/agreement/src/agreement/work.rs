//! What is done under an agreement: obligations 义务 and milestones 节点, consultations 会商 and visits 互访, and what
//! they leave to be done.

use super::{Agreement, Standing};
use crate::{
    bounds::{ACTION_ITEMS_MAX, ITEM_BYTES_MAX, MEETINGS_MAX, PARTIES_MAX, documents, line, too_many},
    refusal::{self, Ruling, happens, happens_under, refused, unchanged},
    rules,
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Meta, RefusalKind, Stop};
use concord_events::{
    agreement::{ActionItem, AgreementEvent, MeetingKind},
    document::Document,
};
use concord_kernel::{Date, party::PartyCode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How an obligation was fulfilled, or an action item done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    /// When.
    pub on: Date,
    /// What proves it, by reference.
    pub evidence: Vec<Document>,
}

/// A consultation or visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Which of the two.
    pub kind: MeetingKind,
    /// When it was held.
    pub held_on: Date,
    /// Parties that took part.
    pub parties: Vec<PartyCode>,
    /// The minutes, by reference.
    pub minutes: Document,
    /// What is to be done.
    pub action_items: Vec<ActionItem>,
    /// What was done of it, by the item's number.
    pub closed: BTreeMap<u32, Fulfilment>,
}

/// What is recorded of the work under an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkCommand {
    /// An obligation was fulfilled, or a milestone reached, on the day of the act.
    FulfilObligation {
        /// Its number in the agreement.
        number: u32,
        /// What proves it, by reference.
        evidence: Vec<Document>,
    },
    /// A meeting was held on the day of the act.
    MinuteMeeting {
        /// Consultation or visit.
        kind: MeetingKind,
        /// Parties that took part, by the codes under which the agreement names them.
        parties: Vec<PartyCode>,
        /// The minutes, by reference. The same minutes are the same meeting.
        minutes: Document,
        /// What is to be done, numbered from 1.
        action_items: Vec<ActionItem>,
    },
    /// An action item was done on the day of the act.
    CloseActionItem {
        /// Number of the meeting.
        meeting: u32,
        /// Number of the item in its minutes.
        item: u32,
        /// What proves it, by reference.
        evidence: Vec<Document>,
    },
}

/// Decides every pair of standing and command. Obligations are owed once all have signed, and evidence may come after
/// the end; people meet before they sign, too.
pub(super) fn decide(
    case: &Case<'_, '_>,
    agreement: &Agreement,
    command: &WorkCommand,
) -> Result<Decision<AgreementEvent>, Stop> {
    use Standing::{
        Absent, Completed, DraftCancelled, Drafted, Expired, InForce, NotBegun, PartiallySigned, Suspended,
        Terminated,
    };
    use WorkCommand::{CloseActionItem, FulfilObligation, MinuteMeeting};
    case.well_formed(command.faults(agreement))?;
    let on = case.context.effective_on;
    let standing = agreement.found_on(on);
    let (ruling, not_before) = match (standing, command) {
        (
            NotBegun | InForce | Suspended | Completed | Expired | Terminated,
            FulfilObligation { number, evidence },
        ) => (agreement.fulfil(case, *number, evidence)?, agreement.drafted_on),
        (Absent | Drafted | PartiallySigned | DraftCancelled, FulfilObligation { .. }) => {
            let rule = ("obligations are owed once all have signed", "全部签署之后方有义务须履行");
            (refused(refusal::wrong_standing(standing, rule)), agreement.drafted_on)
        }
        (
            Drafted | PartiallySigned | NotBegun | InForce | Suspended | Completed | Expired | Terminated,
            MinuteMeeting { kind, parties, minutes, action_items },
        ) => (agreement.minute(*kind, parties, minutes, action_items, on), agreement.drafted_on),
        (
            Drafted | PartiallySigned | NotBegun | InForce | Suspended | Completed | Expired | Terminated,
            CloseActionItem { meeting, item, evidence },
        ) => {
            let held = agreement.meetings.get(meeting);
            let Some(held) =
                held.filter(|held| held.action_items.iter().any(|minuted| minuted.number == *item))
            else {
                let none = refusal::no_action_item(*meeting, *item);
                return Err(case.refuse(RefusalKind::NotFound, vec![none]));
            };
            (agreement.close(*meeting, held, *item, evidence), held.held_on)
        }
        (Absent | DraftCancelled, MinuteMeeting { .. } | CloseActionItem { .. }) => {
            let rule = (
                "meetings are minuted while there is an agreement or a draft",
                "协议或草案存续期间方可记录会商互访",
            );
            (refused(refusal::wrong_standing(standing, rule)), agreement.drafted_on)
        }
    };
    case.conclude(Vec::new(), ruling, rules::not_before(not_before, on))
}

impl WorkCommand {
    fn faults(&self, agreement: &Agreement) -> Vec<Broken> {
        let proof = |evidence: &[Document]| {
            let none = evidence.is_empty().then(|| refusal::text_missing("evidence"));
            none.into_iter().chain(documents("evidence", evidence)).collect()
        };
        match self {
            Self::FulfilObligation { evidence, .. } | Self::CloseActionItem { evidence, .. } => {
                proof(evidence)
            }
            Self::MinuteMeeting { parties, minutes, action_items, .. } => {
                let mut faults: Vec<Broken> = [
                    parties.is_empty().then(|| refusal::text_missing("parties")),
                    too_many("parties", parties.len(), PARTIES_MAX),
                    too_many("action_items", action_items.len(), ACTION_ITEMS_MAX),
                ]
                .into_iter()
                .flatten()
                .chain(documents("minutes", std::slice::from_ref(minutes)))
                .collect();
                for (at, code) in parties.iter().enumerate().filter(|(_, code)| !agreement.names(code)) {
                    faults.push(refusal::not_named(&format!("parties[{at}]"), code));
                }
                let mut numbers = BTreeSet::new();
                for (at, item) in action_items.iter().enumerate() {
                    let field = |name: &str| format!("action_items[{at}].{name}");
                    if item.number == 0 || !numbers.insert(item.number) {
                        faults.push(refusal::number_taken(&field("number"), item.number));
                    }
                    if !agreement.names(&item.party) {
                        faults.push(refusal::not_named(&field("party"), &item.party));
                    }
                    faults.extend(line(&field("text"), &item.text, ITEM_BYTES_MAX));
                }
                faults
            }
        }
    }
}

impl Agreement {
    fn fulfil(&self, case: &Case<'_, '_>, number: u32, evidence: &[Document]) -> Result<Ruling, Stop> {
        if !self.version().obligations.iter().any(|obligation| obligation.number == number) {
            return Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_obligation(number)]));
        }
        Ok(match self.fulfilled.get(&number) {
            None => happens(AgreementEvent::ObligationFulfilled {
                agreement: self.id,
                obligation: number,
                evidence: evidence.to_vec(),
            }),
            Some(first) if first.evidence == evidence => unchanged(),
            Some(first) => refused(refusal::done_otherwise(
                "ALREADY_FULFILLED",
                ("the obligation was fulfilled", "该义务已履行"),
                &[("on", &first.on), ("documents", &first.evidence.len())],
            )),
        })
    }

    fn minute(
        &self,
        kind: MeetingKind,
        parties: &[PartyCode],
        minutes: &Document,
        action_items: &[ActionItem],
        on: Date,
    ) -> Ruling {
        if let Some((number, first)) =
            self.meetings.iter().find(|(_, meeting)| meeting.minutes.sha256 == minutes.sha256)
        {
            let same = first.kind == kind
                && first.held_on == on
                && first.parties == parties
                && first.minutes == *minutes
                && first.action_items == action_items;
            return if same {
                Ok(Decision::unchanged().answering("meeting", number))
            } else {
                refused(refusal::minutes_taken(*number, first.held_on))
            };
        }
        let meeting = u32::try_from(self.meetings.len()).unwrap_or(u32::MAX).saturating_add(1);
        let full = too_many("meetings", self.meetings.len() + 1, MEETINGS_MAX);
        let event = AgreementEvent::MeetingMinuted {
            agreement: self.id,
            meeting,
            kind,
            parties: parties.to_vec(),
            minutes: minutes.clone(),
            action_items: action_items.to_vec(),
        };
        happens_under([full], event).map(|decision| decision.answering("meeting", meeting))
    }

    fn close(&self, number: u32, meeting: &Meeting, item: u32, evidence: &[Document]) -> Ruling {
        match meeting.closed.get(&item) {
            None => happens(AgreementEvent::ActionItemClosed {
                agreement: self.id,
                meeting: number,
                item,
                evidence: evidence.to_vec(),
            }),
            Some(first) if first.evidence == evidence => unchanged(),
            Some(first) => refused(refusal::done_otherwise(
                "ALREADY_CLOSED",
                ("the action item was closed", "该待办事项已办结"),
                &[("on", &first.on), ("documents", &first.evidence.len())],
            )),
        }
    }

    /// What meetings left to be done and nobody has done yet, as meeting and item.
    pub fn open_action_items(&self) -> impl Iterator<Item = (u32, &ActionItem)> {
        self.meetings.iter().flat_map(|(number, meeting)| {
            let open = |item: &&ActionItem| !meeting.closed.contains_key(&item.number);
            meeting.action_items.iter().filter(open).map(|item| (*number, item))
        })
    }
}

/// Folds what was done under the agreement. Facts, not steps: they leave the order of steps alone.
pub(super) fn apply(agreement: &mut Agreement, event: &AgreementEvent, meta: &Meta<'_>) {
    let on = meta.effective_on;
    match event {
        AgreementEvent::ObligationFulfilled { obligation, evidence, .. } => {
            agreement.fulfilled.insert(*obligation, Fulfilment { on, evidence: evidence.clone() });
        }
        AgreementEvent::MeetingMinuted { meeting, kind, parties, minutes, action_items, .. } => {
            agreement.meetings.insert(
                *meeting,
                Meeting {
                    kind: *kind,
                    held_on: on,
                    parties: parties.clone(),
                    minutes: minutes.clone(),
                    action_items: action_items.clone(),
                    closed: BTreeMap::new(),
                },
            );
        }
        AgreementEvent::ActionItemClosed { meeting, item, evidence, .. } => {
            if let Some(meeting) = agreement.meetings.get_mut(meeting) {
                meeting.closed.insert(*item, Fulfilment { on, evidence: evidence.clone() });
            }
        }
        _ => {}
    }
}
