//! How a grant comes to its end, made up 模拟: acceptance 验收, balances 结余, closeout 结题, evaluation 绩效评价.
//!
//! A grant is closed in the first quarter after final acceptance in which nothing more is to be paid, passed on or decided; one
//! with an open tranche, or without its agreement, is not. What a party of an accepted project has not spent then:
//!
//! | of ten balances | until 2020 | from 2021 on |
//! |---|---|---|
//! | kept by rule | 4, for so long as the rulebook says; 7 of 10 are given back then | 7 |
//! | given back at once | 4 | |
//! | to be given back by a day | 2 | 3 |
//!
//! Of a failed or terminated one all is to be given back by a day. Of five such balances four are, the fifth is not: half of
//! these are recovered half a year later.

use concord_kernel::rulebook::Rulebooks;

use super::course::Outcome;
use super::planner::{Planner, Todo};
use super::{Claim, ClosingStep, Conclusion, LEAD, Pursuit, Step};
use crate::demo::books::{Held, Undrawn};

/// From this year on a balance may be kept without end.
const KEPT_FOR_GOOD_FROM: i16 = 2021;
const QUARTERS_PER_YEAR: usize = 4;
/// Quarters from the day by which a balance should have come back until it is recovered.
const RECOVERED_AFTER: usize = 2;

impl Planner<'_> {
    /// Puts the milestones of the project on the agenda.
    pub(super) fn set_the_course(&mut self) {
        if let Some((reported, outcome)) = self.course.completed {
            self.due(reported, Todo::Complete(1));
            self.due(reported + 1, Todo::Conclude(1));
            if outcome == Outcome::PassedOnceRectified {
                self.due(reported + 2, Todo::Complete(2));
                self.due(reported + 3, Todo::Conclude(2));
            }
        }
        if let Some(quarter) = self.course.terminated {
            self.due(quarter, Todo::Terminate);
        }
        if let Some(quarter) = self.course.cancelled {
            self.due(quarter, Todo::Cancel);
        }
    }

    pub(super) fn complete(&mut self, quarter: usize, round: u32) {
        if self.ended.is_none() {
            self.completed = Some(quarter);
            self.take(quarter, ClosingStep::Complete(round));
        }
    }

    pub(super) fn conclude(&mut self, quarter: usize, round: u32) {
        let Some((_, outcome)) = self.course.completed.filter(|_| self.ended.is_none()) else { return };
        let conclusion = match outcome {
            Outcome::Failed(failure) => Conclusion::Failed(failure),
            Outcome::PassedOnceRectified if round == 1 => Conclusion::Rectify,
            Outcome::Passed | Outcome::PassedOnceRectified => Conclusion::Passed,
        };
        self.take(quarter, ClosingStep::Conclude(round, conclusion));
        match conclusion {
            Conclusion::Rectify => return,
            Conclusion::Passed => self.look_back(quarter),
            Conclusion::Failed(_) => self.due(quarter + 1, Todo::RecoverFailed),
        }
        self.concluded = Some((quarter, conclusion == Conclusion::Passed));
    }

    /// Whether nothing stands in the way of closing it.
    pub(super) fn may_close(&self, quarter: usize) -> bool {
        self.ended.is_none()
            && self.concluded.is_some_and(|(concluded, _)| concluded < quarter)
            && self.grant.agreement_lost().is_none_or(|lost| quarter < lost)
            && !self.is_paid_after(quarter)
            && !self.is_accounted_for_after(quarter)
            && self.purse.is_decided()
            && !self.has_open_tranche()
    }

    pub(super) fn close(&mut self, quarter: usize) {
        let passed = self.concluded.is_some_and(|(_, passed)| passed);
        for party in self.purse.parties() {
            if passed && self.purse.free(party) > 0 {
                self.dispose(quarter, party);
            }
        }
        let has_refund_day = self.purse.held().unspent > 0;
        let undrawn = self.end(quarter);
        self.take(quarter, ClosingStep::Close { undrawn, has_refund_day });
        if has_refund_day {
            self.due(quarter + 1, Todo::Refund);
        }
        if !self.grant.roll("evaluated").is_multiple_of(5) {
            self.due(quarter + 1, Todo::Evaluate);
        }
    }

    /// What becomes of a party's balance at closeout, unless a day is set for it.
    fn dispose(&mut self, quarter: usize, party: usize) {
        let (roll, minor) = (self.grant.roll(&format!("balance/{party}")), self.purse.free(party));
        let for_good = self.grant.days[quarter].year() >= KEPT_FOR_GOOD_FROM;
        match roll % 10 {
            0..4 if !for_good => {
                let years = Rulebooks::shipped()
                    .at_or_first(self.grant.days[quarter])
                    .unspent
                    .retain_years_before_2021;
                let years = usize::try_from(years).unwrap_or(usize::MAX);
                self.purse.retain(party, minor);
                self.take(quarter, ClosingStep::Retain { party, minor });
                if roll / 10 % 10 < 7 {
                    let until = quarter.saturating_add(years.saturating_mul(QUARTERS_PER_YEAR));
                    self.due(until, Todo::GiveBackRetained(party));
                }
            }
            4..8 if !for_good => {
                self.purse.refund(party, minor);
                self.take(quarter, ClosingStep::Refund { party, minor, was_retained: false });
            }
            0..7 if for_good => {
                self.purse.retain(party, minor);
                self.take(quarter, ClosingStep::Retain { party, minor });
            }
            _ => {}
        }
    }

    /// The grant is over; what was never drawn goes back.
    fn end(&mut self, quarter: usize) -> Undrawn {
        self.ended = Some(quarter);
        Undrawn { minor: self.purse.release(), to_treasury: self.grant.returns_to_treasury(quarter) }
    }

    /// Nothing may be with the bank then.
    pub(super) fn terminate(&mut self, quarter: usize) {
        if self.ended.is_some() || self.purse.instructed > 0 {
            return;
        }
        let undrawn = self.end(quarter);
        self.take(quarter, ClosingStep::Terminate(undrawn));
        // What had been reported is decided before.
        self.due(quarter + 2, Todo::Refund);
    }

    /// Nothing may be with the bank then.
    pub(super) fn cancel(&mut self, quarter: usize) {
        if self.ended.is_some() || self.purse.instructed > 0 {
            return;
        }
        let undrawn = self.end(quarter);
        let takes = self.purse.recover_all();
        self.take(quarter, ClosingStep::Cancel { undrawn, takes });
        if takes.total() > 0 {
            self.claim(quarter, Claim::Cancelled, takes, None);
        }
    }

    /// The balances that should be given back.
    pub(super) fn refund(&mut self, quarter: usize) {
        for party in self.purse.parties() {
            let minor = self.purse.free(party);
            if minor == 0 {
                continue;
            }
            let roll = self.grant.roll(&format!("refund/{party}"));
            if !roll.is_multiple_of(5) {
                self.purse.refund(party, minor);
                self.take(quarter, ClosingStep::Refund { party, minor, was_retained: false });
            } else if (roll / 5).is_multiple_of(2) {
                self.due(quarter + RECOVERED_AFTER, Todo::RecoverKept(party));
            }
        }
    }

    pub(super) fn give_back_retained(&mut self, quarter: usize, party: usize) {
        let minor = self.purse.pocket(party).retained;
        if minor > 0 {
            self.purse.refund_retained(party, minor);
            self.take(quarter, ClosingStep::Refund { party, minor, was_retained: true });
        }
    }

    pub(super) fn recover_kept(&mut self, quarter: usize, party: usize) {
        let takes = Held { unspent: self.purse.free(party), ..Held::default() };
        let was_terminated =
            self.steps.iter().any(|(_, step)| matches!(step, Step::Closing(ClosingStep::Terminate(_))));
        self.determine(quarter, Claim::Kept { party, was_terminated }, party, takes);
    }

    pub(super) fn recover_failed(&mut self, quarter: usize) {
        let Some((_, Outcome::Failed(failure))) = self.course.completed else { return };
        let takes =
            Held { unspent: self.purse.free(LEAD), spent: self.purse.pocket(LEAD).spent, retained: 0 };
        self.determine(quarter, Claim::Failed(failure), LEAD, takes);
    }

    fn determine(&mut self, quarter: usize, claim: Claim, party: usize, takes: Held) {
        if takes.total() > 0 {
            self.purse.recover(party, takes);
            self.take(quarter, Step::Recover(claim, Pursuit::Determine { party, takes }));
            self.claim(quarter, claim, takes, Some(party));
        }
    }
}
