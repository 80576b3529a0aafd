//! The three ends of a contracted grant, and what ends with it.

use super::CANCELLED;
use crate::{
    grant::{Grant, contract::Contract, spending::ItemState},
    refusal::{Ruling, happens_under},
    rules,
    view::{self, Case},
};
use concord_chassis::log::Stop;
use concord_events::{
    fund::{End, FundEvent, Holding, MoneyFact, RecoveryCause, Taken},
    ledger::Account,
};
use concord_kernel::{Date, id::RecoveryId};

/// What was never drawn goes back; what is unspent has a dated disposition (A10).
pub(super) fn close(
    case: &Case<'_, '_>,
    grant: &Grant,
    contract: &Contract,
    minutes: &str,
    refund_by: Option<Date>,
) -> Result<Ruling, Stop> {
    let unspent = grant.books.total_minor(Account::RecipientUnspent) > 0;
    let refund_by = refund_by.filter(|_| unspent);
    let weighed = rules::no_open_tranche(contract)
        .into_iter()
        .chain(rules::no_open_spending(grant))
        .chain(rules::a10_disposition(case.rulebook, grant, case.context.effective_on, refund_by))
        .map(Some);
    let end = end(case, grant)?;
    let closed = FundEvent::GrantClosed { grant: grant.id, end, refund_by, minutes: minutes.to_owned() };
    Ok(happens_under(weighed, closed))
}

/// What was never drawn goes back; what is unspent is to be refunded.
pub(super) fn terminate(
    case: &Case<'_, '_>,
    grant: &Grant,
    contract: &Contract,
    reason: &str,
    minutes: &str,
    refund_by: Option<Date>,
) -> Result<Ruling, Stop> {
    let on = case.context.effective_on;
    let by = refund_by.unwrap_or_else(|| rules::refund_latest(case.rulebook, on));
    let weighed = rules::nothing_with_the_bank(contract)
        .into_iter()
        .chain(rules::nothing_offset(grant, contract))
        .chain(rules::a10_refund_day(case.rulebook, on, by))
        .map(Some);
    let terminated = FundEvent::GrantTerminated {
        grant: grant.id,
        end: end(case, grant)?,
        refund_by: by,
        reason: reason.to_owned(),
        minutes: minutes.to_owned(),
    };
    Ok(happens_under(weighed, terminated))
}

/// What was never drawn goes back, and all that recipients have is recovered: what is unspent first (domain.md section 4).
pub(super) fn cancel(
    case: &Case<'_, '_>,
    grant: &Grant,
    contract: &Contract,
    cause: RecoveryCause,
    reason: &str,
    minutes: &str,
) -> Result<Ruling, Stop> {
    let cancelled = FundEvent::GrantCancelled {
        grant: grant.id,
        end: end(case, grant)?,
        reason: reason.to_owned(),
        minutes: minutes.to_owned(),
    };
    let weighed =
        rules::nothing_with_the_bank(contract).into_iter().chain(rules::nothing_offset(grant, contract));
    let mut ruling = happens_under(weighed.map(Some), cancelled);
    let takes = with_recipients(grant);
    if let (Ok(decision), false) = (&mut ruling, takes.is_empty()) {
        let cause_id = grant.id.to_string();
        let derived = |turn| RecoveryId::in_turn(CANCELLED, &cause_id, turn);
        decision.events.push(FundEvent::RecoveryDetermined {
            recovery: view::free_recovery(case, derived)?,
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            cause,
            amount_minor: takes.iter().fold(0, |sum: i64, taken| sum.saturating_add(taken.amount_minor)),
            takes,
            minutes: minutes.to_owned(),
            reason: reason.to_owned(),
        });
    }
    Ok(ruling)
}

/// All that recipients have of a grant, in the order in which it is recovered.
fn with_recipients(grant: &Grant) -> Vec<Taken> {
    let holdings = [Holding::Unspent, Holding::Spent, Holding::Retained];
    holdings
        .into_iter()
        .flat_map(|from| {
            let held = grant.books.of(from.account());
            held.map(move |held| Taken { party: held.party, from, amount_minor: held.amount_minor })
        })
        .collect()
}

/// What ends with the grant. One that had ended before rests on no agreement any more.
fn end(case: &Case<'_, '_>, grant: &Grant) -> Result<End, Stop> {
    let undrawn_minor = grant.books.total_minor(Account::Committed);
    Ok(End {
        programme: grant.programme,
        currency: grant.currency,
        mode: grant.mode,
        lead_region: grant.project.lead.region.clone(),
        lead: grant.project.lead.party,
        undrawn_minor,
        to_treasury: grant.returns_to_treasury(case, undrawn_minor)?,
        backing: grant.backing.filter(|_| !grant.stage.has_ended()),
    })
}

impl Grant {
    /// Whether what the grant gives back goes to the treasury: its programme's year is over. Else it is available again.
    pub(in crate::grant) fn returns_to_treasury(
        &self,
        case: &Case<'_, '_>,
        released_minor: i64,
    ) -> Result<bool, Stop> {
        if released_minor == 0 {
            return Ok(false);
        }
        Ok(view::programme(case, self.programme)?.year < case.context.effective_on.year())
    }

    /// When its last step happened, or the last of what moved its money: a payment, a share passed on, spending that was
    /// decided on, a balance given back. What is decided on the money comes after all of them.
    pub(crate) fn money_last_moved_on(&self) -> Date {
        let payments = self.contract().into_iter().flat_map(|contract| &contract.tranches);
        let decided = self.spending.items.iter().filter(|item| item.state != ItemState::Reported);
        let gone_on = self.facts.uncorrected().filter(|known| {
            matches!(known.fact, MoneyFact::ShareTransfer { .. } | MoneyFact::BalanceRefund { .. })
        });
        payments
            .map(|tranche| tranche.last_step_on)
            .chain(decided.map(|item| item.last_step_on))
            .chain(gone_on.map(|known| known.on))
            .fold(self.last_step_on, Date::max)
    }
}
