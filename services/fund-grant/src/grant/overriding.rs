//! An override 特批: a meeting sets a rule aside for one grant, before it is approved (A07, A18).
//!
//! ```text
//!           RecordOverride
//!  (none) ─────────────────▶ on record, one for each rule
//! ```

use super::{Grant, Stage};
use crate::{
    refusal::{Ruling, done_otherwise, happens, refused, unchanged, wrong_stage},
    rules::Hand,
    view::Case,
};
use concord_chassis::log::{Decision, Stop};
use concord_events::fund::{FundEvent, OverriddenRule};
use concord_kernel::{Date, normal::same_reference};
use serde::{Deserialize, Serialize};

/// A rule that was set aside for a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The rule.
    pub rule: OverriddenRule,
    /// Since when.
    pub on: Date,
    /// Minutes of the meeting.
    pub minutes: String,
    /// Why.
    pub reason: String,
}

/// Set a rule aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordOverride {
    /// The rule.
    pub rule: OverriddenRule,
    /// Minutes of the meeting.
    pub minutes: String,
    /// Why.
    pub reason: String,
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &RecordOverride,
) -> Result<Decision<FundEvent>, Stop> {
    grant.conclude(case, Hand::Office(None), grant.last_step_on, rule(grant, command))
}

/// Rules on every stage. What was approved already needs none any more.
fn rule(grant: &Grant, command: &RecordOverride) -> Ruling {
    let RecordOverride { rule, minutes, reason } = command;
    match (grant.overrides.iter().find(|known| known.rule == *rule), &grant.stage) {
        (Some(first), _) if same_reference(&first.minutes, minutes) && first.reason == *reason => unchanged(),
        (Some(first), _) => refused(done_otherwise(
            "OVERRIDE_ALREADY_RECORDED",
            ("the rule was set aside", "该规则已特批"),
            &[("rule", &rule.code()), ("minutes", &first.minutes), ("reason", &first.reason)],
        )),
        (
            None,
            Stage::Applied
            | Stage::Recommended(_)
            | Stage::Admitted(_)
            | Stage::Reviewed(_)
            | Stage::OnNotice(_),
        ) => happens(FundEvent::OverrideRecorded {
            grant: grant.id,
            rule: *rule,
            minutes: minutes.clone(),
            reason: reason.clone(),
        }),
        (
            None,
            stage @ (Stage::Approved(_) | Stage::Running(_) | Stage::Rejected(_) | Stage::Withdrawn(_)),
        ) => refused(wrong_stage(stage, ("a rule is set aside before the approval", "立项之前方可特批"))),
    }
}

impl Grant {
    /// Whether this rule had been set aside for it by that day.
    #[must_use]
    pub fn is_overridden(&self, rule: OverriddenRule, on: Date) -> bool {
        self.overrides.iter().any(|known| known.rule == rule && known.on <= on)
    }
}

/// Folds an event into the overrides of its grant.
pub(super) fn apply(overrides: &mut Vec<Override>, event: &FundEvent, on: Date) {
    if let FundEvent::OverrideRecorded { rule, minutes, reason, .. } = event {
        overrides.push(Override { rule: *rule, on, minutes: minutes.clone(), reason: reason.clone() });
    }
}
