//! How the projection's tables write accounts, event types and steps of a tranche: as small numbers, because the
//! ledger is read whole for every balance. A number is good for one version of the projection; changing one means a
//! new version, which is built anew from the log.

use concord_events::{fund::FundEvent, ledger::Account};

/// Number of an account in `postings.account`.
pub(crate) const fn account(account: Account) -> i16 {
    match account {
        Account::Treasury => 1,
        Account::Available => 2,
        Account::Reserved => 3,
        Account::Committed => 4,
        Account::Instructed => 5,
        Account::RecipientUnspent => 6,
        Account::EligibleSpend => 7,
        Account::Recoverable => 8,
        Account::Refunded => 9,
        Account::RetainedByRule => 10,
        Account::WrittenOff => 11,
        Account::MatchSource => 12,
        Account::MatchPledged => 13,
        Account::MatchArrived => 14,
    }
}

/// The account with this number.
pub(crate) fn account_of(number: i16) -> Option<Account> {
    Account::ALL.into_iter().find(|known| account(*known) == number)
}

/// The types of events that have postings; the index is the number in `postings.event_type`.
const EVENT_TYPES: [&str; 30] = [
    "concord.fund.v1.ProgrammeAppropriated",
    "concord.fund.v1.ProgrammeSupplemented",
    "concord.fund.v1.ProgrammeCut",
    "concord.fund.v1.GrantApproved",
    "concord.fund.v1.GrantRejected",
    "concord.fund.v1.GrantWithdrawn",
    "concord.fund.v1.ContractSigned",
    "concord.fund.v1.TrancheInstructed",
    "concord.fund.v1.TrancheSettled",
    "concord.fund.v1.PaymentReturned",
    "concord.fund.v1.AwardImported",
    "concord.fund.v1.ContractAmended",
    "concord.fund.v1.MatchingPledged",
    "concord.fund.v1.MatchingArrived",
    "concord.fund.v1.MatchingReleased",
    "concord.fund.v1.ShareTransferred",
    "concord.fund.v1.SpendAccepted",
    "concord.fund.v1.SpendDisallowed",
    "concord.fund.v1.BalanceRefunded",
    "concord.fund.v1.BalanceRetained",
    "concord.fund.v1.BalanceTransferred",
    "concord.fund.v1.GrantClosed",
    "concord.fund.v1.GrantTerminated",
    "concord.fund.v1.GrantCancelled",
    "concord.fund.v1.FactCorrected",
    "concord.fund.v1.RecoveryDetermined",
    "concord.fund.v1.RecoveryOverturned",
    "concord.fund.v1.RecoveryRepaid",
    "concord.fund.v1.RecoveryOffset",
    "concord.fund.v1.RecoveryWrittenOff",
];

/// Number of an event type in `postings.event_type`; `None` where this version has no number for it.
pub(crate) fn event_type(name: &str) -> Option<i16> {
    EVENT_TYPES.iter().position(|known| *known == name).and_then(|index| i16::try_from(index).ok())
}

/// The event type with this number.
pub(crate) fn event_type_of(number: i16) -> Option<&'static str> {
    EVENT_TYPES.get(usize::try_from(number).ok()?).copied()
}

/// What can happen to a tranche, as in `tranche_steps.step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Requested,
    Authorised,
    Rejected,
    Cancelled,
    Instructed,
    Settled,
    Returned,
}

impl Step {
    pub(crate) const ALL: [Self; 7] = [
        Self::Requested,
        Self::Authorised,
        Self::Rejected,
        Self::Cancelled,
        Self::Instructed,
        Self::Settled,
        Self::Returned,
    ];

    /// Number in the table.
    pub(crate) const fn number(self) -> i16 {
        match self {
            Self::Requested => 1,
            Self::Authorised => 2,
            Self::Rejected => 3,
            Self::Cancelled => 4,
            Self::Instructed => 5,
            Self::Settled => 6,
            Self::Returned => 7,
        }
    }

    /// What a tranche waits for after this step; `None` once it is settled. A returned payment waits to be
    /// instructed again, under the same instruction.
    pub(crate) const fn waits_for(self) -> Option<&'static str> {
        match self {
            Self::Rejected | Self::Cancelled => Some("request"),
            Self::Requested => Some("authorisation"),
            Self::Authorised | Self::Returned => Some("instruction"),
            Self::Instructed => Some("settlement"),
            Self::Settled => None,
        }
    }

    /// The tranche's number and the step that an event means; `None` where it is about no tranche.
    pub(crate) fn of(event: &FundEvent) -> Option<(u32, Self)> {
        match event {
            FundEvent::TrancheRequested { tranche, .. } => Some((*tranche, Self::Requested)),
            FundEvent::TrancheAuthorised { tranche, .. } => Some((*tranche, Self::Authorised)),
            FundEvent::TrancheRejected { tranche, .. } => Some((*tranche, Self::Rejected)),
            FundEvent::TrancheCancelled { tranche, .. } => Some((*tranche, Self::Cancelled)),
            FundEvent::TrancheInstructed { tranche, .. } => Some((*tranche, Self::Instructed)),
            FundEvent::TrancheSettled { tranche, .. } => Some((*tranche, Self::Settled)),
            FundEvent::PaymentReturned { tranche, .. } => Some((*tranche, Self::Returned)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_and_step_is_found_again_by_its_number() {
        for known in Account::ALL {
            assert_eq!(account_of(account(known)), Some(known));
        }
        let numbers: std::collections::BTreeSet<i16> = Step::ALL.into_iter().map(Step::number).collect();
        assert_eq!(numbers.len(), Step::ALL.len());
    }
}
