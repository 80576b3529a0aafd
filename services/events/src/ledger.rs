//! The postings that the fund's events mean (domain.md section 4): double entry, every set adds up to zero.
//!
//! `Treasury(−) · Available · Reserved · Committed · Instructed · RecipientUnspent`: what was appropriated equals the
//! sum of all the others at every position. Further accounts come with the events that use them.

use crate::fund::FundEvent;
use concord_kernel::{
    id::{GrantId, ProgrammeId},
    money::Currency,
};
use serde::{Deserialize, Serialize};

/// An account of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Where appropriations come from 国库. The contra account: its balance is negative.
    Treasury,
    /// Free to be approved 可用指标.
    Available,
    /// Approved, not yet contracted 已立项.
    Reserved,
    /// Contracted, not yet instructed 已签约未拨付.
    Committed,
    /// On its way through the bank 支付中.
    Instructed,
    /// Paid and not yet accounted for by the recipient 单位未用.
    RecipientUnspent,
}

impl Account {
    /// All accounts, in the order in which money moves through them.
    pub const ALL: [Self; 6] = [
        Self::Treasury,
        Self::Available,
        Self::Reserved,
        Self::Committed,
        Self::Instructed,
        Self::RecipientUnspent,
    ];

    /// Stable code, as in exports.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Treasury => "treasury",
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Committed => "committed",
            Self::Instructed => "instructed",
            Self::RecipientUnspent => "recipient_unspent",
        }
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::Treasury => "国库",
            Self::Available => "可用指标",
            Self::Reserved => "已立项",
            Self::Committed => "已签约未拨付",
            Self::Instructed => "支付中",
            Self::RecipientUnspent => "单位未用",
        }
    }

    /// Whether the balance may be negative: only that of a contra account.
    #[must_use]
    pub fn is_contra(self) -> bool {
        matches!(self, Self::Treasury)
    }
}

/// One line of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// Minor units: debit above zero, credit below.
    pub amount_minor: i64,
    /// Whether the event settled money or took a settlement back: Settled is a turnover, counted on such lines.
    pub settles: bool,
}

/// The set of lines that one event means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postings {
    /// The programme whose money moves.
    pub programme: ProgrammeId,
    /// The grant, where it is one's money. Its lead is the party of the lines.
    pub grant: Option<GrantId>,
    /// Currency of all lines.
    pub currency: Currency,
    /// The lines; together zero. None has the amount zero.
    pub lines: Vec<Line>,
}

impl Postings {
    /// What the lines add up to, in minor units. Anything but zero is a broken set.
    #[must_use]
    pub fn sum_minor(&self) -> i128 {
        self.lines.iter().map(|line| i128::from(line.amount_minor)).sum()
    }
}

/// The postings that `event` means; `None` where it moves no money.
#[must_use]
pub fn postings(event: &FundEvent) -> Option<Postings> {
    use Account::{Available, Committed, Instructed, RecipientUnspent, Reserved, Treasury};
    // Debit, credit, amount.
    let set = |programme: ProgrammeId,
               grant: Option<GrantId>,
               currency: Currency,
               moves: &[(Account, Account, i64)],
               settles: bool| {
        let mut lines = Vec::with_capacity(moves.len() * 2);
        for &(debit, credit, amount_minor) in moves.iter().filter(|(_, _, amount)| *amount != 0) {
            lines.push(Line { account: debit, amount_minor, settles: settles && debit == RecipientUnspent });
            lines.push(Line {
                account: credit,
                amount_minor: -amount_minor,
                settles: settles && credit == RecipientUnspent,
            });
        }
        (!lines.is_empty()).then_some(Postings { programme, grant, currency, lines })
    };
    match *event {
        FundEvent::ProgrammeAppropriated { programme, currency, amount_minor, .. }
        | FundEvent::ProgrammeSupplemented { programme, currency, amount_minor } => {
            set(programme, None, currency, &[(Available, Treasury, amount_minor)], false)
        }
        FundEvent::ProgrammeCut { programme, currency, amount_minor } => {
            set(programme, None, currency, &[(Treasury, Available, amount_minor)], false)
        }
        FundEvent::GrantApproved { grant, programme, currency, amount_minor, .. } => {
            set(programme, Some(grant), currency, &[(Reserved, Available, amount_minor)], false)
        }
        FundEvent::GrantRejected { grant, programme, currency, released_minor, .. }
        | FundEvent::GrantWithdrawn { grant, programme, currency, released_minor, .. } => {
            set(programme, Some(grant), currency, &[(Available, Reserved, released_minor)], false)
        }
        FundEvent::ContractSigned { grant, programme, currency, amount_minor, approved_minor, .. } => set(
            programme,
            Some(grant),
            currency,
            &[(Committed, Reserved, amount_minor), (Available, Reserved, approved_minor - amount_minor)],
            false,
        ),
        FundEvent::TrancheInstructed { grant, programme, currency, amount_minor, .. } => {
            set(programme, Some(grant), currency, &[(Instructed, Committed, amount_minor)], false)
        }
        FundEvent::TrancheSettled { grant, programme, currency, amount_minor, .. } => {
            set(programme, Some(grant), currency, &[(RecipientUnspent, Instructed, amount_minor)], true)
        }
        FundEvent::PaymentReturned { grant, programme, currency, amount_minor, after_settlement, .. } => {
            let held = if after_settlement { RecipientUnspent } else { Instructed };
            set(programme, Some(grant), currency, &[(Committed, held, amount_minor)], after_settlement)
        }
        FundEvent::AwardImported { grant, programme, currency, amount_minor, .. } => {
            set(programme, Some(grant), currency, &[(Committed, Treasury, amount_minor)], false)
        }
        FundEvent::TodayAdvanced { .. }
        | FundEvent::SubLimitSet { .. }
        | FundEvent::GrantApplied { .. }
        | FundEvent::GrantRecommended { .. }
        | FundEvent::GrantAdmitted { .. }
        | FundEvent::GrantReviewed { .. }
        | FundEvent::NoticePublished { .. }
        | FundEvent::PayeeVerified { .. }
        | FundEvent::TrancheRequested { .. }
        | FundEvent::TrancheAuthorised { .. }
        | FundEvent::TrancheRejected { .. }
        | FundEvent::TrancheCancelled { .. }
        | FundEvent::BackingChanged { .. }
        | FundEvent::BackingNamed { .. }
        | FundEvent::GrantHeld { .. }
        | FundEvent::HoldCauseCleared { .. }
        | FundEvent::GrantResumed { .. } => None,
    }
}
