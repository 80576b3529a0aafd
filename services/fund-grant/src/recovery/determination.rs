//! Determining a recovery 追缴决定.

use super::{Determination, Recovery};
use crate::{
    content_hash,
    grant::Grant,
    refusal::{self, happens_under, refused, unchanged},
    rules::{self, Hand},
    view::{self, Case},
};
use concord_chassis::log::{Decision, RefusalKind, Stop};
use concord_events::fund::{FundEvent, Taken};
use concord_kernel::id::RecoveryId;

/// Recoveries of one grant that are determined by themselves: every state is kept in memory.
const RECOVERIES_MAX: usize = 1_000;

impl Determination {
    /// A recovery takes no more than lies where it takes it from, and all of them together no more than was settled and not
    /// given back.
    pub(super) fn decide(
        &self,
        case: &Case<'_, '_>,
        id: RecoveryId,
        known: Option<&Recovery>,
    ) -> Result<Decision<FundEvent>, Stop> {
        let grant = view::grant(case, self.grant)?;
        let currencies = self.takes.iter().enumerate().map(|(index, take)| {
            grant.other_currency(&format!("takes[{index}].amount.currency"), take.amount)
        });
        case.well_formed(currencies)?;
        let event = self.event(id, grant);
        let ruling = match known {
            Some(known) if known.opened_as == content_hash(&event) => unchanged(),
            Some(_) => {
                return Err(case.refuse(RefusalKind::Taken, vec![refusal::taken("recovery_id", id.stream())]));
            }
            None if grant.contract().is_none() => refused(refusal::wrong_stage(
                &grant.stage,
                ("money is recovered that was paid under a contract", "签订任务书之后方可追缴"),
            )),
            None => {
                let full = (grant.recoveries.len() >= RECOVERIES_MAX)
                    .then(|| refusal::too_many(("recoveries", "追缴事项"), RECOVERIES_MAX));
                happens_under(
                    rules::recovery_is_held(grant, &self.takes).into_iter().chain(full).map(Some),
                    event,
                )
            }
        };
        grant.conclude(case, Hand::Office(None), grant.money_last_moved_on(), ruling)
    }

    fn event(&self, recovery: RecoveryId, grant: &Grant) -> FundEvent {
        let takes = self.takes.iter().map(|take| Taken {
            party: take.party,
            from: take.from,
            amount_minor: take.amount.minor,
        });
        FundEvent::RecoveryDetermined {
            recovery,
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            cause: self.cause,
            amount_minor: self.takes.iter().fold(0, |sum, take| sum.saturating_add(take.amount.minor)),
            takes: takes.collect(),
            minutes: self.minutes.clone(),
            reason: self.reason.clone(),
        }
    }
}
