//! An agreement 协议: from its draft through signatures into force, and out of it.
//!
//! ```text
//! Absent ── Draft ──▶ Drafted ── Sign ──▶ PartiallySigned ── Sign ──▶ NotBegun ── the calendar ──▶ InForce
//!                                         PartiallySigned ── Sign ──▶ InForce
//! Drafted, PartiallySigned ── CancelDraft ──▶ DraftCancelled
//! InForce ── Suspend ──▶ Suspended ── Resume ──▶ InForce
//! InForce, Suspended ── the calendar ──▶ Expired ── Renew ──▶ InForce
//! InForce ── Complete ──▶ Completed
//! NotBegun, InForce, Suspended ── Terminate ──▶ Terminated
//! ```
//!
//! In force it is from the later of the last signature and the term's first day; until then it is `NotBegun`. Out of
//! force it is the day after the term's last day, without anyone doing anything: [`Standing`] is computed from the state
//! and a day, and `Expired` is stored nowhere. A termination may name a day ahead; until then the agreement stands as
//! it did, and takes no further step but a termination from an earlier day. A test reads the diagram and walks each of its arrows.
//!
//! A renewal 续签 adds a term by the authority of its document, and nobody signs again: domain.md section 3 has it that a
//! renewal "adds a term", and asks for signatures of the draft and of a material amendment only. It makes no version
//! either; the one that holds goes on. So what held on a day is a version and a period: [`Agreement::version_on`] and
//! [`Agreement::period_on`].
//!
//! | file | holds |
//! |---|---|
//! | `draft` | what is drafted, and what each kind of agreement needs |
//! | `force` | into force and out of it: the diagram above |
//! | `signing` | who may sign, and when |
//! | `amendment` | versions: proposed, signed again by all or abandoned, in force |
//! | `succession` | a merged party's successor takes its place |
//! | `work` | obligations, milestones, meetings and what they leave to be done |
//! | `registration` | a technology contract's registration |

pub mod amendment;
pub mod draft;
pub mod force;
pub mod registration;
mod signing;
pub mod succession;
pub mod work;

use crate::view::{self, Case};
use amendment::{Abandoned, AmendmentCommand, Pending, Version};
use concord_chassis::log::{Decision, Meta, Stop};
use concord_events::{
    agreement::{AgreementEvent, AgreementKind, Participant, TechnologyContractType},
    document::Document,
};
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
    pub abandoned: Option<Abandoned>,
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
        /// What proves it, by reference.
        documents: Vec<Document>,
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

/// Hands a command to the lifecycle that it is about.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    id: AgreementId,
    command: &AgreementCommand,
) -> Result<Decision<AgreementEvent>, Stop> {
    match command {
        AgreementCommand::Draft(draft) => draft::decide(case, id, draft),
        AgreementCommand::Force(command) => {
            force::decide(case, view::agreement(case, "agreement_id", id)?, command)
        }
        AgreementCommand::Amendment(command) => {
            amendment::decide(case, view::agreement(case, "agreement_id", id)?, command)
        }
        AgreementCommand::Succeed { party, successor, authority } => {
            succession::decide(case, view::agreement(case, "agreement_id", id)?, party, successor, authority)
        }
        AgreementCommand::Work(command) => {
            work::decide(case, view::agreement(case, "agreement_id", id)?, command)
        }
        AgreementCommand::Registration(command) => {
            registration::decide(case, view::agreement(case, "agreement_id", id)?, command)
        }
    }
}

impl Agreement {
    /// How it stands on a day, past, present or to come, as far as is known now.
    #[must_use]
    pub fn standing(&self, on: Date) -> Standing {
        match &self.stage {
            _ if on < self.drafted_on => return Standing::Absent,
            Stage::DraftCancelled { on: cancelled_on, .. } if *cancelled_on <= on => {
                return Standing::DraftCancelled;
            }
            Stage::Completed { out_of_force_from, .. } if *out_of_force_from <= on => {
                return Standing::Completed;
            }
            Stage::Terminated { out_of_force_from, .. } if *out_of_force_from <= on => {
                return Standing::Terminated;
            }
            _ => {}
        }
        if self.signed_on().is_none_or(|signed_on| on < signed_on) {
            let somebody = self.draft().signatures.iter().any(|signature| signature.signed_on <= on);
            return if somebody { Standing::PartiallySigned } else { Standing::Drafted };
        }
        match self.begun_by(on) {
            None => Standing::NotBegun,
            Some(period) if period.term.until < on => Standing::Expired,
            Some(_) if self.suspensions.iter().any(|suspension| suspension.covers(on)) => Standing::Suspended,
            Some(_) => Standing::InForce,
        }
    }

    /// How a step of its lifecycle on this day finds it. A step comes after the one before, and after an end there is
    /// none, even where the end lies ahead.
    #[must_use]
    pub fn found_on(&self, on: Date) -> Standing {
        match &self.stage {
            Stage::DraftCancelled { .. } => Standing::DraftCancelled,
            Stage::Completed { .. } => Standing::Completed,
            Stage::Terminated { .. } => Standing::Terminated,
            Stage::Drafted | Stage::PartiallySigned | Stage::Signed | Stage::Suspended => {
                self.standing(on.max(self.last_step_on))
            }
        }
    }

    /// The day of the last signature, once all have signed.
    #[must_use]
    pub fn signed_on(&self) -> Option<Date> {
        self.draft().from?;
        self.draft().signatures.iter().map(|signature| signature.signed_on).max()
    }

    /// The version as it was drafted.
    #[must_use]
    pub fn draft(&self) -> &Version {
        // An agreement opens with its draft, and versions are only added.
        &self.versions[0]
    }

    /// The newest version.
    #[must_use]
    pub fn version(&self) -> &Version {
        // As above: there is always one.
        &self.versions[self.versions.len() - 1]
    }

    /// The version that held on a day: the newest by then, while the agreement was in force or suspended. Before it came
    /// into force there was none, and after it there is none.
    #[must_use]
    pub fn version_on(&self, on: Date) -> Option<&Version> {
        matches!(self.standing(on), Standing::InForce | Standing::Suspended)
            .then(|| self.versions.iter().rfind(|version| version.from.is_some_and(|from| from <= on)))
            .flatten()
    }

    /// The period that a day lies in, while the agreement was in force or suspended: the term as agreed and, of a renewal,
    /// its authority.
    #[must_use]
    pub fn period_on(&self, on: Date) -> Option<&Period> {
        matches!(self.standing(on), Standing::InForce | Standing::Suspended)
            .then(|| self.begun_by(on))
            .flatten()
    }

    /// The last period that has begun by a day, whether it is over or not.
    fn begun_by(&self, on: Date) -> Option<&Period> {
        self.periods.iter().rfind(|period| period.in_force_from.is_some_and(|from| from <= on))
    }

    /// The party as it is now named in the agreement, if it is one.
    #[must_use]
    pub fn participant(&self, party: PartyId) -> Option<&Participant> {
        self.parties.iter().find(|participant| participant.party.party == party)
    }

    /// Whether the agreement names a party of its own by this code: a present one, or one that was succeeded.
    #[must_use]
    pub fn names(&self, code: &PartyCode) -> bool {
        self.parties.iter().any(|participant| participant.party.code == *code)
            || self.successions.iter().any(|succession| succession.code == *code)
    }

    /// Folds an event.
    pub(crate) fn apply(&mut self, event: &AgreementEvent, meta: &Meta<'_>) {
        force::apply(self, event, meta);
        amendment::apply(self, event, meta);
        succession::apply(self, event, meta);
        work::apply(self, event, meta);
        registration::apply(self, event, meta);
    }

    /// Notes when a step of the lifecycle happened.
    fn step(&mut self, on: Date) {
        self.last_step_on = self.last_step_on.max(on);
    }
}

impl Standing {
    /// Whether the agreement was signed by all, and has not ended.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::NotBegun | Self::InForce | Self::Suspended)
    }

    /// Whether all have signed it, ended or not.
    #[must_use]
    pub fn is_signed(self) -> bool {
        self.is_live() || matches!(self, Self::Completed | Self::Expired | Self::Terminated)
    }

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        self.words().1
    }

    /// What can be done next, in English and in Chinese.
    #[must_use]
    pub fn next(self) -> (&'static str, &'static str) {
        (self.words().2, self.words().3)
    }

    fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Absent => ("absent", "尚未起草", "Next: draft it", "下一步：起草"),
            Self::Drafted => ("drafted", "已起草", "Next: all parties sign it", "下一步：各方签署"),
            Self::PartiallySigned => {
                ("partially_signed", "部分签署", "Next: the other parties sign it", "下一步：其余各方签署")
            }
            Self::NotBegun => {
                ("not_begun", "未生效", "It comes into force on its term's first day", "期限首日起生效")
            }
            Self::InForce => (
                "in_force",
                "有效",
                "It can be amended, suspended, renewed, completed or terminated",
                "可以变更、中止、续签、办理履行完毕或终止",
            ),
            Self::Suspended => ("suspended", "中止", "Next: resume or terminate it", "下一步：恢复或终止"),
            Self::Completed => {
                ("completed", "已履行完毕", "It has ended; draft a new agreement", "协议已结束，请另行起草")
            }
            Self::Expired => (
                "expired",
                "已到期",
                "Within the grace period it can be renewed; afterwards draft a new agreement",
                "宽限期内可以续签，逾期请另行起草",
            ),
            Self::Terminated => {
                ("terminated", "已终止", "It has ended; draft a new agreement", "协议已结束，请另行起草")
            }
            Self::DraftCancelled => (
                "draft_cancelled",
                "草案已撤销",
                "It has ended; draft a new agreement",
                "协议已结束，请另行起草",
            ),
        }
    }
}
