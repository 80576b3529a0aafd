//! An agreement 协议: from its draft through signatures into force, and out of it.
//!
//! ```text
//!  Draft           Sign                   Sign (the last)           Complete
//!   ▶ Drafted ────────────▶ PartiallySigned ─────────────▶ InForce ───────────▶ Completed
//!        │ CancelDraft           │ CancelDraft   Suspend ▼    ▲ │ │ Terminate
//!        └───────────┬───────────┘                 Suspended ─┘ │ └────────────▶ Terminated
//!                    ▼                              Resume      ▼ (the calendar)
//!              DraftCancelled                                Expired ─ Renew ▶ InForce
//! ```
//!
//! In force it is from the later of the last signature and the term's first day; until then it is `NotBegun`. Out of
//! force it is the day after the term's last day, without anyone doing anything: [`Standing`] is computed from the state
//! and a day, and `Expired` is stored nowhere. A termination may name a day ahead; until then the agreement stands as
//! it did, and takes no further step.
//!
//! | file | holds |
//! |---|---|
//! | `draft` | what is drafted, and what each kind of agreement needs |
//! | `force` | into force and out of it: the diagram above |
//! | `amendment` | versions: proposed, signed again by all or abandoned, in force |
//! | `succession` | a merged party's successor takes its place |
//! | `work` | obligations, milestones, meetings and what they leave to be done |
//! | `registration` | a technology contract's registration |

pub mod amendment;
pub mod draft;
pub mod force;
pub mod registration;
pub mod succession;
pub mod work;

use amendment::{AmendmentCommand, Pending, Version};
use concord_events::agreement::{AgreementKind, Participant, TechnologyContractType};
use concord_kernel::{
    Date,
    id::{AgreementId, PersonId},
    party::{PartyCode, PartyId},
};
use draft::Draft;
use force::{ForceCommand, Period, Suspension};
use registration::{Registration, RegistrationCommand};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use succession::Succession;
use work::{Fulfilment, Meeting, WorkCommand};

/// An agreement as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// Its kind, for good.
    pub kind: AgreementKind,
    /// Framework or city agreement that it comes under.
    pub parent: Option<AgreementId>,
    /// Number of the outside project, of a national project.
    pub project_number: Option<String>,
    /// What a technology contract is about.
    pub technology: Option<TechnologyContractType>,
    /// Whether facts were made up for a demonstration 模拟数据.
    pub synthetic: bool,
    /// Hash of the draft: the same again is a repeat.
    pub opened_as: String,
    /// When it was drafted.
    pub drafted_on: Date,
    /// Its parties as they are now.
    pub parties: Vec<Participant>,
    /// Who was succeeded by whom, in order.
    pub successions: Vec<Succession>,
    /// Where it stands, but for the calendar.
    pub stage: Stage,
    /// The terms as agreed, the first one and the renewals, in order. Never empty.
    pub periods: Vec<Period>,
    /// When it was out of force by a suspension, in order; the last one may be open.
    pub suspensions: Vec<Suspension>,
    /// Its versions in order of their days, the draft being the first. Never empty.
    pub versions: Vec<Version>,
    /// The amendment that is being signed.
    pub pending: Option<Pending>,
    /// The amendment given up last.
    pub abandoned: Option<amendment::Abandoned>,
    /// The highest number given to a version or an amendment.
    pub version_numbers: u32,
    /// Obligations fulfilled and milestones reached, by their number.
    pub fulfilled: BTreeMap<u32, Fulfilment>,
    /// Consultations and visits, by their number.
    pub meetings: BTreeMap<u32, Meeting>,
    /// A technology contract's registration, in order of its steps.
    pub registration: Option<Registration>,
    /// When its last step happened; none lies before it.
    pub last_step_on: Date,
}

/// Where an agreement stands, but for the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 已起草: nobody has signed.
    Drafted,
    /// 部分签署: somebody has.
    PartiallySigned,
    /// 已签署: all have. Whether it is in force, the calendar says.
    Signed,
    /// 中止, since the open suspension.
    Suspended,
    /// 已履行完毕.
    Completed {
        /// First day out of force.
        out_of_force_from: Date,
    },
    /// 已终止.
    Terminated {
        /// Why.
        reason: String,
        /// Document 文号 of the termination.
        authority: String,
        /// First day out of force; it may lie ahead.
        out_of_force_from: Date,
    },
    /// 草案已撤销.
    DraftCancelled {
        /// Why.
        reason: String,
        /// When.
        on: Date,
    },
}

/// How an agreement stands on a day: its stage and the calendar together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// There was no draft yet.
    Absent,
    /// 已起草.
    Drafted,
    /// 部分签署.
    PartiallySigned,
    /// 未生效: all have signed, the term has not begun.
    NotBegun,
    /// 有效.
    InForce,
    /// 中止.
    Suspended,
    /// 已履行完毕.
    Completed,
    /// 已到期.
    Expired,
    /// 已终止.
    Terminated,
    /// 草案已撤销.
    DraftCancelled,
}

/// A signature 签署.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The party that signed, as it was then: a successor does not sign in its stead.
    pub party: PartyId,
    /// The person, by opaque id.
    pub signatory: PersonId,
    /// Number of the document 文号 that authorises the signatory.
    pub authority: String,
    /// When.
    pub signed_on: Date,
}

/// A signature as it is asked for; it is dated by the act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// The party, by any of its codes.
    pub party: PartyCode,
    /// The person, by opaque id.
    pub signatory: PersonId,
    /// Number of the document 文号 that authorises the signatory.
    pub authority: String,
}

/// What is asked of one agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementCommand {
    /// Draft it.
    Draft(Box<Draft>),
    /// Bring it into force, or out of it.
    Force(ForceCommand),
    /// Change it.
    Amendment(AmendmentCommand),
    /// Let a merged party's successor take its place.
    Succeed {
        /// The party that was merged, by any of its codes.
        party: PartyCode,
        /// The party that it was merged into, by any of its codes.
        successor: PartyCode,
        /// Document 文号 of the succession.
        authority: String,
    },
    /// Record what is done under it.
    Work(WorkCommand),
    /// Have a technology contract registered.
    Registration(RegistrationCommand),
}
