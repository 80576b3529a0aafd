//! The hold 暂停: nothing is requested, authorised or instructed, and all else goes on (domain.md section 3, "Hold").
//!
//! ```text
//!              HoldGrant, or its agreement leaves force
//!  (free) ─────────────────────────────────────────────▶ on hold ⟲ further causes; causes cleared
//!    ▲                                                      │
//!    └──────────── ResumeGrant, once no cause is left ──────┘
//! ```
//!
//! It has a set of causes, and stays even when that is empty, until an officer resumes the grant: that an agreement is in
//! force again does not say that the money is safe. An officer's own causes go with the resumption; an agreement's is
//! cleared only by the agreement log, or by resting on another one.

use super::{Grant, Stage};
use crate::{
    refusal::{self, Ruling, happens, refused, unchanged, wrong_stage},
    rules::Hand,
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Stop};
use concord_events::fund::{FundEvent, HoldCause, Loss};
use concord_kernel::{Date, id::AgreementId};
use serde::{Deserialize, Serialize};

/// Causes of one hold: more tell nobody anything, and every state is kept in memory.
const CAUSES_MAX: usize = 20;

/// Whether a grant is on hold, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when; `None` while it is free.
    pub since: Option<Date>,
    /// The causes, in the order in which they came.
    pub causes: Vec<HoldCause>,
    /// When it last changed; nothing lies before it.
    pub last_step_on: Option<Date>,
}

/// About the hold; an officer's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldCommand {
    /// Put the grant on hold.
    Hold {
        /// Why.
        reason: String,
    },
    /// Resume it.
    Resume,
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &HoldCommand,
) -> Result<Decision<FundEvent>, Stop> {
    let last = grant.hold.last_step_on.map_or(grant.last_step_on, |last| last.max(grant.last_step_on));
    grant.conclude(case, Hand::Office(None), last, rule(case, grant, command))
}

/// Rules on every pair of command and hold. An ended grant has nothing to hold up.
fn rule(case: &Case<'_, '_>, grant: &Grant, command: &HoldCommand) -> Ruling {
    let hold = &grant.hold;
    match (command, hold.since) {
        _ if grant.stage.has_ended() => refused(held_after_its_end(&grant.stage)),
        (HoldCommand::Hold { reason }, _) if hold.is_for(reason) => unchanged(),
        (HoldCommand::Hold { .. }, _) if hold.causes.len() >= CAUSES_MAX => {
            refused(refusal::too_many_causes(CAUSES_MAX))
        }
        (HoldCommand::Hold { reason }, _) => happens(FundEvent::GrantHeld {
            grant: grant.id,
            cause: HoldCause::Office { reason: reason.clone() },
            cause_on: case.context.effective_on,
        }),
        (HoldCommand::Resume, None) => unchanged(),
        (HoldCommand::Resume, Some(_)) if hold.losses().next().is_some() => {
            Err(hold.losses().map(refusal::cause_remains).collect())
        }
        (HoldCommand::Resume, Some(_)) => happens(FundEvent::GrantResumed { grant: grant.id }),
    }
}

fn held_after_its_end(stage: &Stage) -> Broken {
    wrong_stage(stage, ("a grant is held and resumed before it has ended", "项目终结之前方可暂停、恢复"))
}

impl Hold {
    /// The cause that the loss of this agreement is, where it is one.
    #[must_use]
    pub fn cause_by(&self, lost: AgreementId) -> Option<&HoldCause> {
        self.losses().find(|cause| is_loss_of(cause, lost))
    }

    /// How this agreement was lost, where that is a cause.
    #[must_use]
    pub fn loss_of(&self, lost: AgreementId) -> Option<Loss> {
        match self.cause_by(lost) {
            Some(HoldCause::BackingLost { how, .. }) => Some(*how),
            _ => None,
        }
    }

    fn losses(&self) -> impl Iterator<Item = &HoldCause> {
        self.causes.iter().filter(|cause| matches!(cause, HoldCause::BackingLost { .. }))
    }

    fn is_for(&self, wanted: &str) -> bool {
        let is_it = |cause: &HoldCause| matches!(cause, HoldCause::Office { reason } if reason == wanted);
        self.causes.iter().any(is_it)
    }

    /// Folds an event.
    pub(super) fn apply(&mut self, event: &FundEvent, on: Date) {
        match event {
            FundEvent::GrantHeld { cause, .. } => {
                if let HoldCause::BackingLost { agreement, .. } = cause {
                    self.causes.retain(|known| !is_loss_of(known, *agreement));
                }
                self.causes.push(cause.clone());
                self.since.get_or_insert(on);
            }
            FundEvent::HoldCauseCleared { agreement, .. } => {
                self.causes.retain(|known| !is_loss_of(known, *agreement));
            }
            FundEvent::GrantResumed { .. } => {
                self.since = None;
                self.causes.clear();
            }
            _ => return,
        }
        self.last_step_on = Some(on);
    }
}

/// Bytes of the text that a cause has, for the cache's bound.
pub(crate) fn text_bytes(cause: &HoldCause) -> usize {
    match cause {
        HoldCause::Office { reason } => reason.len(),
        HoldCause::BackingLost { .. } => 0,
    }
}

fn is_loss_of(cause: &HoldCause, lost: AgreementId) -> bool {
    matches!(cause, HoldCause::BackingLost { agreement, .. } if *agreement == lost)
}
