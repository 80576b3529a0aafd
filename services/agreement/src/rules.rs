//! The rules that stop a command wherever it is about: one pure function each, which says what is broken.
//!
//! Every parameter comes from the rulebook in force on the day of the decision, none stands here.

use concord_chassis::{
    deciding,
    log::{Broken, Context},
};
use concord_kernel::{Date, rulebook::Rulebook};
use jiff::ToSpan;

/// How far back a command may be dated (domain.md section 1, "Times"; section 6, "back-dating").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackDating {
    /// An act of procedure.
    Procedure,
    /// A fact of the directory: a legal person is older than our knowledge of it.
    Unlimited,
}

/// Dates: never after today, and not further back than the rulebook allows.
#[must_use]
pub fn dated(limit: BackDating, rulebook: &Rulebook, context: &Context<'_>) -> Option<Broken> {
    let days_back = match limit {
        BackDating::Procedure => Some(rulebook.back_dating.days),
        BackDating::Unlimited => None,
    };
    deciding::dated(days_back, context)
}

/// Dates: a lifecycle's own steps never go back in time (domain.md section 1, "Times").
#[must_use]
pub fn not_before(last_step_on: Date, effective_on: Date) -> Option<Broken> {
    deciding::not_before(Some(last_step_on), effective_on)
}

/// The day after.
#[must_use]
pub fn day_after(day: Date) -> Date {
    day.saturating_add(1.day())
}

/// So many days later.
#[must_use]
pub fn days_after(day: Date, days: u32) -> Date {
    day.saturating_add(i64::from(days).days())
}
