//! An objection 公示异议 to a published award (domain.md section 3, "Notice").
//!
//! ```text
//!             RaiseObjection (while the notice hangs)       RejectObjection
//!  (none) ───────────────────────────────────────▶ Open ─┬──────────────────▶ Rejected
//!                                                        └──────────────────▶ Upheld: back to review
//!                                                           UpholdObjection
//! ```
//!
//! Nothing is approved while one is open (A08), whoever raised it and whatever was published since.

use super::{Grant, Stage};
use crate::{
    refusal::{self, Ruling, done_otherwise, happens, happens_under, refused, unchanged, wrong_stage},
    rules::Hand,
    view::Case,
};
use concord_chassis::log::{Decision, RefusalKind, Stop};
use concord_events::fund::FundEvent;
use concord_kernel::Date;
use serde::{Deserialize, Serialize};

/// Objections to one grant: more tell nobody anything, and every state is kept in memory.
const OBJECTIONS_MAX: usize = 100;

/// An objection; its number is its place, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// On what grounds.
    pub grounds: String,
    /// When it was raised.
    pub raised_on: Date,
    /// What became of it; `None` while it is open.
    pub outcome: Option<ObjectionOutcome>,
}

/// What became of an objection, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectionOutcome {
    /// 不成立.
    Rejected(String),
    /// 成立.
    Upheld(String),
}

/// About the objection with a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectionCommand {
    /// Raise it 提出异议; anybody may.
    Raise {
        /// On what grounds.
        grounds: String,
    },
    /// Turn it down.
    Reject {
        /// Why.
        reason: String,
    },
    /// Uphold it: the grant goes back to review.
    Uphold {
        /// Why.
        reason: String,
    },
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    number: u32,
    command: &ObjectionCommand,
) -> Result<Decision<FundEvent>, Stop> {
    let known = grant.objection(number);
    let (hand, last) = match (command, known) {
        (ObjectionCommand::Raise { .. }, _) => (Hand::Anybody, grant.last_step_on),
        (_, Some(known)) => (Hand::Office(None), grant.last_step_on.max(known.raised_on)),
        (_, None) => {
            let none = refusal::no_objection(number, grant.objections.len());
            return Err(case.refuse(RefusalKind::NotFound, vec![none]));
        }
    };
    grant.conclude(case, hand, last, rule(case, grant, number, known, command))
}

/// Rules on every pair of command and objection.
fn rule(
    case: &Case<'_, '_>,
    grant: &Grant,
    objection: u32,
    known: Option<&Objection>,
    command: &ObjectionCommand,
) -> Ruling {
    use ObjectionCommand::{Raise, Reject, Uphold};
    use ObjectionOutcome::{Rejected, Upheld};
    let id = grant.id;
    match (command, known.map(|known| (known, &known.outcome))) {
        (Raise { grounds }, None) => raise(case, grant, objection, grounds),
        (Raise { grounds }, Some((first, _))) if first.grounds == *grounds => unchanged(),
        (Raise { .. }, Some((first, _))) => refused(done_otherwise(
            "OBJECTION_ALREADY_RAISED",
            ("the objection of this number was raised", "该序号的异议已提出"),
            &[("objection", &objection), ("grounds", &first.grounds)],
        )),
        (Reject { .. } | Uphold { .. }, Some((_, None))) if grant.stage.has_ended() => refused(wrong_stage(
            &grant.stage,
            ("an objection is decided before the grant has ended", "项目终结之前方可处理异议"),
        )),
        (Reject { reason }, Some((_, None))) => {
            happens(FundEvent::ObjectionRejected { grant: id, objection, reason: reason.clone() })
        }
        (Uphold { reason }, Some((_, None))) => {
            happens(FundEvent::ObjectionUpheld { grant: id, objection, reason: reason.clone() })
        }
        (Reject { reason }, Some((_, Some(Rejected(first)))))
        | (Uphold { reason }, Some((_, Some(Upheld(first)))))
            if reason == first =>
        {
            unchanged()
        }
        (Reject { .. } | Uphold { .. }, Some((_, Some(Rejected(first))))) => {
            decided_already("rejected", first)
        }
        (Reject { .. } | Uphold { .. }, Some((_, Some(Upheld(first))))) => decided_already("upheld", first),
        // Told before as not found.
        (Reject { .. } | Uphold { .. }, None) => {
            refused(refusal::no_objection(objection, grant.objections.len()))
        }
    }
}

/// While the notice hangs, under the next number.
fn raise(case: &Case<'_, '_>, grant: &Grant, objection: u32, grounds: &str) -> Ruling {
    let Stage::OnNotice(notice) = &grant.stage else {
        return refused(wrong_stage(
            &grant.stage,
            ("an objection is raised while the notice hangs", "公示期内方可提出异议"),
        ));
    };
    let on = case.context.effective_on;
    let next = u32::try_from(grant.objections.len()).unwrap_or(u32::MAX).saturating_add(1);
    happens_under(
        [
            (objection != next).then(|| refusal::objection_number(objection, next)),
            (grant.objections.len() >= OBJECTIONS_MAX).then(|| refusal::too_many_objections(OBJECTIONS_MAX)),
            (on >= notice.approvable_from).then(|| refusal::objection_too_late(notice.approvable_from, on)),
        ],
        FundEvent::ObjectionRaised { grant: grant.id, objection, grounds: grounds.to_owned() },
    )
}

fn decided_already(outcome: &str, reason: &str) -> Ruling {
    refused(done_otherwise(
        "OBJECTION_ALREADY_DECIDED",
        ("the objection was decided", "该异议已处理"),
        &[("outcome", &outcome), ("reason", &reason)],
    ))
}

impl Grant {
    /// The objection with this number.
    #[must_use]
    pub fn objection(&self, number: u32) -> Option<&Objection> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.objections.get(place)
    }

    /// Numbers of the objections that are open.
    pub fn open_objections(&self) -> impl Iterator<Item = u32> {
        (1..).zip(&self.objections).filter(|(_, known)| known.outcome.is_none()).map(|(number, _)| number)
    }
}

/// Folds an event into the objections of its grant.
pub(super) fn apply(objections: &mut Vec<Objection>, event: &FundEvent, on: Date) {
    let (number, outcome) = match event {
        FundEvent::ObjectionRaised { grounds, .. } => {
            return objections.push(Objection { grounds: grounds.clone(), raised_on: on, outcome: None });
        }
        FundEvent::ObjectionRejected { objection, reason, .. } => {
            (*objection, ObjectionOutcome::Rejected(reason.clone()))
        }
        FundEvent::ObjectionUpheld { objection, reason, .. } => {
            (*objection, ObjectionOutcome::Upheld(reason.clone()))
        }
        _ => return,
    };
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    if let Some(known) = place.and_then(|place| objections.get_mut(place)) {
        known.outcome = Some(outcome);
    }
}
