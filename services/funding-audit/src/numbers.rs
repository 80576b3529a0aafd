//! How the projection's tables write accounts, event types and steps of a tranche: as small numbers, because the
//! ledger is read whole for every balance. A number is good for one version of the projection; changing one means a
//! new version, which is built anew from the log.

use concord_events::ledger::Account;

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

/// Numbers as a statement lists them.
pub(crate) fn list(numbers: impl IntoIterator<Item = i16>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
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

/// Steps of something, with their numbers in a table.
macro_rules! steps {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $step:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(i16)]
        pub(crate) enum $name { $($(#[$of])* $step = $number,)* }

        impl $name {
            /// All of them, in order.
            #[allow(dead_code, reason = "not every table is read back step by step")]
            pub(crate) const ALL: &[Self] = &[$(Self::$step,)*];

            /// Number in the table.
            pub(crate) const fn number(self) -> i16 {
                self as i16
            }
        }
    };
}

steps! {
    /// What can happen to a tranche, as in `tranche_steps.step`.
    Step {
        Requested = 1,
        Authorised = 2,
        Rejected = 3,
        Cancelled = 4,
        Instructed = 5,
        Settled = 6,
        Returned = 7,
        /// A settlement was corrected: the payment is with the bank again.
        SettlementReversed = 8,
    }
}

steps! {
    /// What can happen under a grant's agreement, as in `backing_steps.step`.
    BackingStep {
        /// The bank was instructed under it.
        Instructed = 1,
        /// It left force.
        Lost = 2,
        /// It was in force again.
        InForceAgain = 3,
    }
}

steps! {
    /// What can happen to matching money, as in `match_moves.step`.
    MatchMove {
        Arrived = 1,
        /// An arrival was corrected.
        ArrivalReversed = 2,
        /// The source was released from what had not arrived.
        Released = 3,
    }
}

steps! {
    /// What can happen to an item of spending after its report, as in `spend_steps.step`.
    SpendStep {
        Accepted = 1,
        /// It had only been reported.
        Disallowed = 2,
        /// It had been accepted, and is unspent again.
        DisallowedAfterAcceptance = 3,
        /// An acceptance was corrected: it is reported again.
        AcceptanceReversed = 4,
    }
}

steps! {
    /// Steps of a grant's own life, as in `grant_steps.step`. Beside each: what `amount_minor`, `day`, `number` and `said` are,
    /// where they are not null.
    GrantStep {
        /// Asked for; planned last day; –; –.
        Applied = 1,
        /// –; –; –; the recommending body.
        Recommended = 2,
        /// –; –; –; the project's fingerprint.
        Admitted = 3,
        /// The reviewers' ceiling; –; score in hundredths; –.
        Reviewed = 4,
        /// The award as published; first day on which it may be approved; working days; –.
        NoticePublished = 5,
        /// –; –; number of the objection; –.
        ObjectionRaised = 6,
        /// –; –; number of the objection; –.
        ObjectionRejected = 7,
        /// –; –; number of the objection; –. Back to review.
        ObjectionUpheld = 8,
        /// –; –; –; the rule.
        OverrideRecorded = 9,
        /// Awarded; –; –; minutes.
        Approved = 10,
        /// Released; –; –; why.
        Rejected = 11,
        /// Released; –; –; why.
        Withdrawn = 12,
        /// Contracted; last day; –; contract number.
        Contracted = 13,
        /// Contracted from now on; –; number of the amendment; minutes.
        Amended = 14,
        /// –; last day from now on; –; minutes.
        Extended = 15,
        /// –; –; –; –.
        PayeeVerified = 16,
        /// –; –; –; report.
        MidtermPassed = 17,
        /// –; –; –; report.
        MidtermFailed = 18,
        /// –; –; –; report.
        CompletionReported = 19,
        /// –; –; –; minutes.
        AcceptancePassed = 20,
        /// –; to be put right by; –; minutes.
        AcceptanceRectify = 21,
        /// –; –; –; code of the cause.
        AcceptanceFailed = 22,
        /// Undrawn, gone back; day by which what is unspent must be refunded; –; minutes.
        Closed = 23,
        /// –; –; score in hundredths; code of the grade.
        Evaluated = 24,
        /// As Closed.
        Terminated = 25,
        /// Undrawn, gone back; –; –; minutes.
        Cancelled = 26,
        /// Awarded and contracted elsewhere; last day; –; –.
        Imported = 27,
    }
}

impl GrantStep {
    /// After these nothing more is paid, and what was never drawn has gone back.
    pub(crate) const ENDS: [Self; 3] = [Self::Closed, Self::Terminated, Self::Cancelled];
    /// After these the project does not go on: nothing that was due later is owed to it.
    pub(crate) const STOPS: [Self; 2] = [Self::Terminated, Self::Cancelled];
}

steps! {
    /// What can happen to a recovery, as in `recovery_steps.step`.
    RecoveryStep {
        Demanded = 1,
        Appealed = 2,
        Upheld = 3,
        Overturned = 4,
        Repaid = 5,
        Offset = 6,
        WrittenOff = 7,
        /// A repayment was corrected.
        RepaymentReversed = 8,
    }
}

steps! {
    /// What can come of a rectification, as in `rectification_steps.step`.
    RectificationStep {
        Explained = 1,
        Rectified = 2,
        Accepted = 3,
        Dismissed = 4,
    }
}

impl Step {
    /// What a tranche waits for after this step; `None` once it is settled. A returned payment waits to be
    /// instructed again, under the same instruction.
    pub(crate) const fn waits_for(self) -> Option<&'static str> {
        match self {
            Self::Rejected | Self::Cancelled => Some("request"),
            Self::Requested => Some("authorisation"),
            Self::Authorised | Self::Returned => Some("instruction"),
            Self::Instructed | Self::SettlementReversed => Some("settlement"),
            Self::Settled => None,
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
        // The order of the declaration is that of the numbers: none comes twice.
        assert!(Step::ALL.iter().map(|step| step.number()).eq(1..=8));
        assert!(BackingStep::ALL.iter().map(|step| step.number()).eq(1..=3));
        assert!(MatchMove::ALL.iter().map(|step| step.number()).eq(1..=3));
        assert!(SpendStep::ALL.iter().map(|step| step.number()).eq(1..=4));
        assert!(GrantStep::ALL.iter().map(|step| step.number()).eq(1..=27));
        assert!(RecoveryStep::ALL.iter().map(|step| step.number()).eq(1..=8));
        assert!(RectificationStep::ALL.iter().map(|step| step.number()).eq(1..=4));
    }
}
