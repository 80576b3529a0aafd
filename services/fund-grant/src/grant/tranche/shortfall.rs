//! A settled payment that comes back 退汇 (domain.md section 4): it takes what the lead still holds, and the rest becomes a
//! recovery 追缴.

use super::{Tranche, TrancheState};
use crate::{
    grant::Grant,
    view::{self, Case},
};
use concord_chassis::log::Stop;
use concord_events::{
    fund::{FundEvent, Holding, RecoveryCause, Taken},
    ledger::Account,
};
use concord_kernel::id::RecoveryId;

/// What a returned payment takes, and from where.
pub(super) struct TakenBack {
    /// What the lead still held: it came back.
    pub(super) returned_minor: i64,
    /// The rest of the payment.
    pub(super) shortfall_minor: i64,
    /// Where the rest is recovered from.
    takes: Vec<Taken>,
}

/// How the payment of a settled tranche comes back; `None` where it is not settled.
pub(super) fn taken_back(grant: &Grant, tranche: &Tranche) -> Option<TakenBack> {
    let TrancheState::Settled { payment, .. } = tranche.state else { return None };
    let cash_minor = tranche.cash_minor(payment);
    let lead = grant.project.lead.party;
    let held_minor = grant.books.held_minor(Account::RecipientUnspent, lead);
    let returned_minor = held_minor.min(cash_minor);
    let shortfall_minor = cash_minor.saturating_sub(returned_minor);
    Some(TakenBack { returned_minor, shortfall_minor, takes: recovered_from(grant, shortfall_minor) })
}

/// The lead's spending first, then what partners hold, then what they spent, then what anybody keeps. Where less is left than
/// that, the rest was given back or is being recovered already.
fn recovered_from(grant: &Grant, mut wanted_minor: i64) -> Vec<Taken> {
    let lead = grant.project.lead.party;
    let order = [
        (Holding::Spent, Some(true)),
        (Holding::Unspent, Some(false)),
        (Holding::Spent, Some(false)),
        (Holding::Retained, None),
    ];
    let mut takes = Vec::new();
    for (from, is_lead) in order {
        for balance in grant.books.of(from.account()) {
            let asked = is_lead.is_none_or(|is_lead| is_lead == (balance.party == lead));
            let amount_minor = wanted_minor.min(balance.amount_minor);
            if asked && amount_minor > 0 {
                takes.push(Taken { party: balance.party, from, amount_minor });
                wanted_minor = wanted_minor.saturating_sub(amount_minor);
            }
        }
    }
    takes
}

/// The id of the recovery of what a payment did not bring back that was returned under this reference.
pub(super) fn recovery_of_returned(
    case: &Case<'_, '_>,
    grant: &Grant,
    bank_reference: &str,
) -> Result<RecoveryId, Stop> {
    let cause = format!("{}/{bank_reference}", grant.id);
    view::free_recovery(case, |turn| RecoveryId::in_turn("payment returned", &cause, turn))
}

impl TakenBack {
    /// Whether there is anybody to recover the rest from.
    pub(super) fn leaves_a_recovery(&self) -> bool {
        !self.takes.is_empty()
    }

    /// The recovery of the rest, under this id.
    pub(super) fn recovery(
        &self,
        grant: &Grant,
        recovery: RecoveryId,
        minutes: &str,
        reason: &str,
    ) -> FundEvent {
        FundEvent::RecoveryDetermined {
            recovery,
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            cause: RecoveryCause::PaymentReturned,
            amount_minor: self.takes.iter().fold(0, |sum, taken| sum.saturating_add(taken.amount_minor)),
            takes: self.takes.clone(),
            minutes: minutes.to_owned(),
            reason: reason.to_owned(),
        }
    }
}
