//! How a project goes, made up 模拟, and when that is known.
//!
//! | of a thousand | how it goes |
//! |---|---|
//! | 845 | completion is reported, and final acceptance passed a quarter later |
//! | 60 | as these, but put right once in between |
//! | 30 | final acceptance fails |
//! | 25 | nothing is ever reported, the project just ends |
//! | 30 | terminated midway |
//! | 10 | cancelled |
//!
//! A grant that loses its agreement for good is terminated a year later in half of the cases; the others stand still.

use concord_proto::fund::v1::AcceptanceFailure;

use super::Facts;

/// Quarters from the loss of the agreement until the grant is terminated.
const TERMINATED_AFTER_LOSS: usize = 4;

/// The reasons why projects of the demo fail 不通过验收.
const FAILURES: [AcceptanceFailure; 4] = [
    AcceptanceFailure::Diversion,
    AcceptanceFailure::NoSeparateAccounts,
    AcceptanceFailure::BudgetBreach,
    AcceptanceFailure::FalseMatchingPromise,
];

/// How a project goes. A quarter after the last one that is played is never reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Course {
    /// Quarter of the first completion report, and what final acceptance comes to in the end.
    pub(super) completed: Option<(usize, Outcome)>,
    /// Quarter in which the grant is terminated.
    pub(super) terminated: Option<usize>,
    /// Quarter in which it is cancelled.
    pub(super) cancelled: Option<usize>,
}

/// What final acceptance comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    PassedOnceRectified,
    Failed(AcceptanceFailure),
}

impl Course {
    /// How this grant's project goes.
    pub(super) fn of(grant: &Facts<'_>) -> Self {
        let roll = grant.roll("course");
        let other = roll / 1_000;
        let ending = grant.ending.unwrap_or(grant.days.len() + 2);
        // Some quarter of the project's middle, never one of its first two.
        let begun = grant.imported + 2;
        let turn = begun + (other % ending.saturating_sub(begun).max(1) as u64) as usize;
        let reported = (ending + (other % 2) as usize).max(grant.imported + 1);
        let mut course = Self { completed: None, terminated: None, cancelled: None };
        match roll % 1_000 {
            0..30 if turn < ending => course.terminated = Some(turn),
            30..40 => course.cancelled = Some(turn + 2),
            40..70 => {
                let failure = FAILURES[(other / 2 % FAILURES.len() as u64) as usize];
                course.completed = Some((reported, Outcome::Failed(failure)));
            }
            70..95 => {}
            95..155 => course.completed = Some((reported, Outcome::PassedOnceRectified)),
            _ => course.completed = Some((reported, Outcome::Passed)),
        }
        if let Some(lost) = grant.agreement_lost()
            && course.terminated.or(course.cancelled).is_none()
            && other.is_multiple_of(2)
        {
            course.terminated = Some(lost + TERMINATED_AFTER_LOSS);
        }
        course
    }

    /// Quarter in which final acceptance is concluded for good, and whether the project passed.
    pub(super) fn concluded(&self) -> Option<(usize, bool)> {
        self.completed.map(|(reported, outcome)| match outcome {
            Outcome::Passed => (reported + 1, true),
            Outcome::PassedOnceRectified => (reported + 3, true),
            Outcome::Failed(_) => (reported + 1, false),
        })
    }

    /// Quarter in which the project passes final acceptance.
    pub(super) fn accepted(&self) -> Option<usize> {
        self.concluded().filter(|(_, passed)| *passed).map(|(quarter, _)| quarter)
    }

    /// Quarter from which on nothing is paid any more.
    pub(super) fn stopped(&self) -> Option<usize> {
        let failed = self.concluded().filter(|(_, passed)| !passed).map(|(quarter, _)| quarter);
        [failed, self.terminated, self.cancelled].into_iter().flatten().min()
    }
}
