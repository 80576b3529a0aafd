//! What is done under an agreement: obligations 义务 and milestones 节点, consultations 会商 and visits 互访, and what
//! they leave to be done.

use concord_events::{
    agreement::{ActionItem, MeetingKind},
    document::Document,
};
use concord_kernel::{Date, party::PartyCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
