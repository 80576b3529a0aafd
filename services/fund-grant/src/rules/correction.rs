//! Corrections 更正 (domain.md section 1): what was paid out since cannot be taken back by a stroke of the pen.

use crate::{grant::Grant, refusal};
use concord_chassis::log::Broken;
use concord_events::{fund::MoneyFact, ledger::Account};

/// Whoever would give the money back still has it: no account goes below zero.
#[must_use]
pub fn correction_is_covered(grant: &Grant, fact: &MoneyFact) -> Option<Broken> {
    let of = |account, party| (account, Some(party), grant.books.held_minor(account, party));
    let (account, party, held_minor) = match *fact {
        MoneyFact::Settlement { .. } => of(Account::RecipientUnspent, grant.project.lead.party),
        MoneyFact::ShareTransfer { to, .. } => of(Account::RecipientUnspent, to),
        MoneyFact::SpendAcceptance { party, .. } => of(Account::EligibleSpend, party),
        MoneyFact::MatchingArrival { .. } => {
            (Account::MatchArrived, None, grant.books.total_minor(Account::MatchArrived))
        }
        MoneyFact::BalanceRefund { .. } | MoneyFact::RecoveryRepayment { .. } => {
            (Account::Refunded, None, grant.books.total_minor(Account::Refunded))
        }
    };
    let (held, needed) = (grant.amount(held_minor), grant.amount(fact.amount_minor()));
    (held.minor < needed.minor).then(|| refusal::correction_not_covered(account, party, held, needed))
}
