//! The midterm check 中期检查: passed once, and checked anew where it was not.
//!
//! ```text
//!               RecordMidtermCheck
//!  (unchecked) ───────────────────▶ Passed
//!       │                             ▲
//!       └──▶ Failed ⟲ ────────────────┘
//! ```

use super::{Grant, Stage, closing::Progress, contract::Contract};
use crate::{
    refusal::{Ruling, done_otherwise, happens, refused, unchanged, wrong_stage},
    rules::Hand,
    view::Case,
};
use concord_chassis::log::{Decision, Stop};
use concord_events::fund::FundEvent;
use serde::{Deserialize, Serialize};

/// A midterm check, as it was asked for and as it is on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MidtermCheck {
    /// Whether it passed.
    pub passed: bool,
    /// Report or minutes.
    pub report: String,
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    check: &MidtermCheck,
) -> Result<Decision<FundEvent>, Stop> {
    grant.conclude(case, Hand::Office(None), grant.last_step_on, rule(grant, check))
}

/// Rules on every stage, and on what was found before.
fn rule(grant: &Grant, check: &MidtermCheck) -> Ruling {
    match &grant.stage {
        Stage::Running(contract) if contract.midterm.as_ref() == Some(check) => unchanged(),
        Stage::Running(contract) if contract.progress == Progress::Running => match &contract.midterm {
            Some(first) if first.passed => refused(done_otherwise(
                "MIDTERM_ALREADY_PASSED",
                ("the midterm check was passed", "中期检查已通过"),
                &[("report", &first.report)],
            )),
            Some(_) | None => happens(FundEvent::MidtermChecked {
                grant: grant.id,
                passed: check.passed,
                report: check.report.clone(),
            }),
        },
        stage => refused(wrong_stage(
            stage,
            (
                "a project is checked at midterm between its contract and its completion report",
                "签订任务书之后、提交完成报告之前方可进行中期检查",
            ),
        )),
    }
}

/// Folds an event of the check.
pub(super) fn apply(contract: &mut Contract, event: &FundEvent) {
    if let FundEvent::MidtermChecked { passed, report, .. } = event {
        contract.midterm = Some(MidtermCheck { passed: *passed, report: report.clone() });
    }
}
