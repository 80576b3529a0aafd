//! What stands in the way of an approval beside the budget and the notice: A07 and open objections.

use crate::{
    grant::{Grant, procedure::Notice},
    refusal,
};
use concord_chassis::log::Broken;
use concord_events::fund::OverriddenRule;
use concord_kernel::{Date, money::Amount};

/// A07, approved against the review, or after the work was finished: refused unless an override cites minutes. The
/// retrospective modes, which it is not for, are not offered yet.
#[must_use]
pub fn a07_as_reviewed(grant: &Grant, notice: &Notice, amount: Amount, on: Date) -> Vec<Broken> {
    if grant.is_overridden(OverriddenRule::A07, on) {
        return Vec::new();
    }
    let ceiling = grant.amount(notice.review.ceiling_minor);
    let above = (amount.minor > ceiling.minor).then(|| refusal::above_ceiling(amount, ceiling));
    let finished = grant.project.ends_on.filter(|ends_on| *ends_on < on);
    above.into_iter().chain(finished.map(|ends_on| refusal::work_finished(ends_on, on))).collect()
}

/// A08: objections are closed before a grant is approved.
#[must_use]
pub fn a08_objections_closed(grant: &Grant) -> Option<Broken> {
    let open: Vec<u32> = grant.open_objections().collect();
    (!open.is_empty()).then(|| refusal::objections_open(&open))
}
