//! What happens to each imported grant in the demo, and when: derived from its row and, by hash, from its number, so that every
//! run plans the same, and a run that was interrupted ends where one in a single piece does.
//!
//! Time goes forward by quarters. Every step happens on a quarter's last day, which is then the log's today: a fact of money
//! may be dated back five days at most, and no step lies before the one before it.
//!
//! | file | which part of a life |
//! |---|---|
//! | `course` | how the project goes: accepted, failed, terminated, cancelled |
//! | `matching` | matching money 配套, and what comes of it |
//! | `payments` | the tranches 拨款 |
//! | `planner` | quarter after quarter, what is due |
//! | `shares` | what the lead passes on 转拨 |
//! | `spending` | what is reported, accepted and disallowed 支出 |
//! | `ending` | acceptance 验收, balances 结余, closeout 结题, evaluation 绩效评价 |
//! | `recovery` | what is recovered 追缴 |
//! | `purse` | who holds what meanwhile: no step is planned that the rules would refuse |

mod course;
mod ending;
mod matching;
mod payments;
mod planner;
mod purse;
mod recovery;
mod shares;
mod spending;
#[cfg(test)]
mod tests;

use std::fmt;

use concord_kernel::Date;
use concord_proto::fund::v1::{AcceptanceFailure, PlannedTranche, SpendCategory};

pub(super) use self::matching::Matching;
pub(super) use self::payments::Payment;
pub(super) use self::purse::LEAD;
use super::agreements::Fate as AgreementFate;
use super::books::{Held, Undrawn};
use crate::ids;

/// First and last year that is played.
pub(super) const YEARS: std::ops::RangeInclusive<i16> = 2014..=2022;

/// What a plan is made of. Quarters are numbered as in [`quarters`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// The grant's key in the file.
    pub(super) key: &'a str,
    /// The award, in minor units.
    pub(super) award_minor: i64,
    /// Total cost of the project, where the row has it.
    pub(super) cost_minor: Option<i64>,
    /// Budget year of its programme.
    pub(super) budget_year: i32,
    /// First day of the project, where the row has it.
    pub(super) starts_on: Option<Date>,
    /// Last day of the project, where the row has it.
    pub(super) ends_on: Option<Date>,
    /// Quarter of its import.
    pub(super) imported: usize,
    /// Quarter in which the project ends; `None` after the last one.
    pub(super) ending: Option<usize>,
    /// Shares of the partners that have one, in the order of the file, in minor units.
    pub(super) shares: &'a [i64],
    /// The payment plan.
    pub(super) tranches: &'a [PlannedTranche],
    /// What becomes of the agreement behind it, where there is one.
    pub(super) agreement: Option<AgreementFate>,
    /// Last day of each quarter that is played.
    pub(super) days: &'a [Date],
}

/// A step of a grant's life after its import. Parties are numbered from the lead, 0, on; amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The payee's account is verified.
    VerifyPayee,
    /// A step of a tranche. A payment that comes back after settlement comes back whole.
    Pay(Payment),
    /// A settled payment comes back, and the lead does not hold all of it any more.
    ReturnShort { tranche: u32, attempt: u32, returned: i64, recovered: i64 },
    /// A step of matching money, shares or spending.
    Money(MoneyStep),
    /// A step on the way to the end.
    Closing(ClosingStep),
    /// A step of a recovery of its money.
    Recover(Claim, Pursuit),
}

/// A step of matching money 配套, shares 转拨 or spending 支出.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MoneyStep {
    /// A source of matching money is pledged.
    Pledge(u32),
    /// Matching money arrives.
    Arrive { source: u32, instalment: u32, minor: i64 },
    /// A meeting releases a source from what has not come.
    Release { source: u32, minor: i64 },
    /// The lead passes on what a partner is owed; numbered within the grant.
    Pass { number: u32, to: usize, minor: i64 },
    /// An item of spending is reported, by its place in [`Life::items`].
    Report(usize),
    /// It is accepted.
    Accept(usize),
    /// It is disallowed: while it was only reported, or after final acceptance; then it is recovered, too.
    Disallow { item: usize, is_recovered: bool },
}

/// A step on the way to a grant's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosingStep {
    /// The midterm check is passed.
    CheckMidterm,
    /// Completion is reported, for the first or the second time.
    Complete(u32),
    /// Final acceptance is concluded, after that report.
    Conclude(u32, Conclusion),
    /// A party keeps its balance by rule.
    Retain { party: usize, minor: i64 },
    /// A party gives its balance back: what is unspent, or what it had kept.
    Refund { party: usize, minor: i64, was_retained: bool },
    /// The grant is closed; whether a day is set to give balances back.
    Close { undrawn: Undrawn, has_refund_day: bool },
    /// It is evaluated.
    Evaluate,
    /// It is terminated.
    Terminate(Undrawn),
    /// It is cancelled, and all that recipients hold is recovered.
    Cancel { undrawn: Undrawn, takes: Held },
}

/// What final acceptance comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conclusion {
    Passed,
    /// To be put right, and reported complete anew.
    Rectify,
    Failed(AcceptanceFailure),
}

/// Which recovery of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// Determined with a payment that came back short: tranche and attempt.
    Short(u32, u32),
    /// Determined with the disallowance of an accepted item.
    Disallowed(usize),
    /// Determined with the cancellation.
    Cancelled,
    /// Of what the lead of a failed project holds.
    Failed(AcceptanceFailure),
    /// Of a balance that a party should have given back; whether the grant was terminated.
    Kept { party: usize, was_terminated: bool },
}

/// A step of a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pursuit {
    /// It is determined, where no other decision does so.
    Determine {
        party: usize,
        takes: Held,
    },
    Demand,
    Appeal,
    Uphold,
    Overturn(Held),
    /// Money comes in: first or second part.
    Repay {
        part: u32,
        minor: i64,
    },
    WriteOff(i64),
}

/// An item of spending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    /// Who spent it.
    pub(super) party: usize,
    /// On what.
    pub(super) category: SpendCategory,
    /// When.
    pub(super) spent_on: Date,
    /// How much, in minor units.
    pub(super) minor: i64,
    /// The invoice, where there is one: number within the grant.
    pub(super) invoice: Option<u32>,
}

/// A planned life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    /// Its steps, each with its quarter, in order.
    pub(super) steps: Vec<(usize, Step)>,
    /// Matching money beside it.
    pub(super) matching: Matching,
    /// Its items of spending.
    pub(super) items: Vec<Item>,
    /// Totals of its invoices, by their numbers from 0, in minor units.
    pub(super) invoices: Vec<i64>,
    /// Quarter in which it is closed, terminated or cancelled.
    pub(super) ended: Option<usize>,
}

/// The life of one grant.
pub(super) fn life(grant: &Facts<'_>) -> Life {
    planner::plan(grant)
}

/// The days that are played: the last of each quarter.
#[must_use]
pub(super) fn quarters() -> Vec<Date> {
    YEARS
        .flat_map(|year| [3, 6, 9, 12].into_iter().filter_map(move |month| Date::new(year, month, 1).ok()))
        .map(|first| first.last_of_month())
        .collect()
}

/// The quarter in which a day lies: of a day before the first quarter the first, of one after the last none.
#[must_use]
pub(super) fn quarter_of(day: Date, quarters: &[Date]) -> Option<usize> {
    quarters.iter().position(|last| day <= *last)
}

impl From<MoneyStep> for Step {
    fn from(step: MoneyStep) -> Self {
        Self::Money(step)
    }
}

impl From<ClosingStep> for Step {
    fn from(step: ClosingStep) -> Self {
        Self::Closing(step)
    }
}

/// Names it among the recoveries of its grant, in ids.
impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(tranche, attempt) => write!(f, "short/{tranche}/{attempt}"),
            Self::Disallowed(item) => write!(f, "disallowed/{item}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Failed(_) => f.write_str("failed"),
            Self::Kept { party, .. } => write!(f, "kept/{party}"),
        }
    }
}

impl Facts<'_> {
    /// A number for a choice about this grant, the same on every run.
    fn roll(&self, what: &str) -> u64 {
        ids::spread(&format!("demo/{what}/{}", self.key))
    }

    /// Last quarter that is played.
    fn last(&self) -> usize {
        self.days.len() - 1
    }

    /// Whether what is not drawn by a quarter goes to the treasury: the programme's year is over then.
    fn returns_to_treasury(&self, quarter: usize) -> bool {
        self.budget_year < i32::from(self.days[quarter].year())
    }

    /// Quarter from which on the agreement behind it is lost for good.
    fn agreement_lost(&self) -> Option<usize> {
        match self.agreement {
            Some(AgreementFate::Terminated(from) | AgreementFate::RunsOut(from)) => Some(from),
            _ => None,
        }
    }
}
