//! The postings that the fund's events mean (domain.md section 4): double entry, every set adds up to zero.
//!
//! ```text
//! Treasury(−) ─▶ Available ─▶ Reserved ─▶ Committed ─▶ Instructed ─▶ RecipientUnspent ─┬─▶ EligibleSpend ─┐
//!                                                                                      ├─▶ RetainedByRule │
//!                                                                                      ├─▶ Refunded ◀─┐   │
//!                                                                                      └─▶ Recoverable ◀──┘
//!                                                                                              └─▶ WrittenOff
//! MatchSource(−) ─▶ MatchPledged ─▶ MatchArrived
//! ```
//!
//! What was appropriated equals the sum of all the other accounts of the fund's chain at every position. Matching money 配套
//! is not the fund's and has a chain of its own. Further accounts come with the events that use them.

use crate::fund::{End, FundEvent, Holding, MoneyFact, Taken};
use concord_kernel::{
    Date,
    id::{GrantId, ProgrammeId},
    money::Currency,
    party::PartyId,
};
use serde::{Deserialize, Serialize};

/// An account of a chain.
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
    /// Accepted as spent 已核定支出.
    EligibleSpend,
    /// To be recovered from the recipient 应追缴.
    Recoverable,
    /// Given back, by refund, repayment or offset 已退回.
    Refunded,
    /// A balance that the recipient keeps by rule 结余留用.
    RetainedByRule,
    /// A recovery that was given up 已核销.
    WrittenOff,
    /// Where matching money comes from 配套来源. The contra account of its chain: its balance is negative.
    MatchSource,
    /// Pledged and not arrived 配套待到位.
    MatchPledged,
    /// Arrived 配套已到位.
    MatchArrived,
}

/// The chain that an account belongs to. Each adds up to zero by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// The fund's own money 专项引导资金.
    Fund,
    /// Matching money 配套资金.
    Matching,
}

impl Account {
    /// All accounts, in the order in which money moves through them.
    pub const ALL: [Self; 14] = [
        Self::Treasury,
        Self::Available,
        Self::Reserved,
        Self::Committed,
        Self::Instructed,
        Self::RecipientUnspent,
        Self::EligibleSpend,
        Self::Recoverable,
        Self::Refunded,
        Self::RetainedByRule,
        Self::WrittenOff,
        Self::MatchSource,
        Self::MatchPledged,
        Self::MatchArrived,
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
            Self::EligibleSpend => "eligible_spend",
            Self::Recoverable => "recoverable",
            Self::Refunded => "refunded",
            Self::RetainedByRule => "retained_by_rule",
            Self::WrittenOff => "written_off",
            Self::MatchSource => "match_source",
            Self::MatchPledged => "match_pledged",
            Self::MatchArrived => "match_arrived",
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
            Self::EligibleSpend => "已核定支出",
            Self::Recoverable => "应追缴",
            Self::Refunded => "已退回",
            Self::RetainedByRule => "结余留用",
            Self::WrittenOff => "已核销",
            Self::MatchSource => "配套来源",
            Self::MatchPledged => "配套待到位",
            Self::MatchArrived => "配套已到位",
        }
    }

    /// Whether the balance may be negative: only that of a contra account.
    #[must_use]
    pub fn is_contra(self) -> bool {
        matches!(self, Self::Treasury | Self::MatchSource)
    }

    /// The chain that it belongs to.
    #[must_use]
    pub fn chain(self) -> Chain {
        match self {
            Self::MatchSource | Self::MatchPledged | Self::MatchArrived => Chain::Matching,
            _ => Chain::Fund,
        }
    }
}

impl Holding {
    /// The account on which money lies that a recipient holds so.
    #[must_use]
    pub fn account(self) -> Account {
        match self {
            Self::Unspent => Account::RecipientUnspent,
            Self::Spent => Account::EligibleSpend,
            Self::Retained => Account::RetainedByRule,
        }
    }
}

/// One line of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// Whose money it is; `None` on a programme's own lines. What is available belongs to the programme alone.
    pub grant: Option<GrantId>,
    /// Who holds it; `None` for the lead of the grant.
    pub party: Option<PartyId>,
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
    /// Currency of all lines.
    pub currency: Currency,
    /// The day that the lines count from, where it is not that of the event: a reversal counts from the day of what it
    /// reverses.
    pub counts_from: Option<Date>,
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

/// A place where money lies: an account, of a grant, in somebody's hand.
#[derive(Debug, Clone, Copy)]
struct Place {
    account: Account,
    grant: Option<GrantId>,
    party: Option<PartyId>,
}

/// An account in the hand of a grant's lead, or of a programme.
fn at(account: Account, grant: impl Into<Option<GrantId>>) -> Place {
    // Whichever grant took it or gave it back.
    let grant = grant.into().filter(|_| account != Account::Available);
    Place { account, grant, party: None }
}

impl Place {
    fn held_by(self, party: PartyId) -> Self {
        Self { party: Some(party), ..self }
    }
}

/// Collects the lines of one event.
struct Set {
    programme: ProgrammeId,
    currency: Currency,
    counts_from: Option<Date>,
    settles: bool,
    lines: Vec<Line>,
}

impl Set {
    fn of(programme: ProgrammeId, currency: Currency) -> Self {
        Self { programme, currency, counts_from: None, settles: false, lines: Vec::with_capacity(2) }
    }

    /// Its lines on what recipients hold are turnover: money settled, or taken back.
    fn settling(self, settles: bool) -> Self {
        Self { settles, ..self }
    }

    /// Moves an amount from the account that is credited to the one that is debited. Nothing, where it is zero.
    fn moves(mut self, debit: Place, credit: Place, amount_minor: i64) -> Self {
        if amount_minor != 0 {
            for (place, amount_minor) in [(debit, amount_minor), (credit, amount_minor.saturating_neg())] {
                let Place { account, grant, party } = place;
                let settles = self.settles && account == Account::RecipientUnspent;
                self.lines.push(Line { account, grant, party, amount_minor, settles });
            }
        }
        self
    }

    fn close(self) -> Option<Postings> {
        let Self { programme, currency, counts_from, lines, .. } = self;
        (!lines.is_empty()).then_some(Postings { programme, currency, counts_from, lines })
    }
}

/// Where money goes that a grant does not draw.
fn returned_to(to_treasury: bool, grant: GrantId) -> Place {
    if to_treasury { at(Account::Treasury, grant) } else { at(Account::Available, None) }
}

/// Contracted money that was never drawn goes back.
fn undrawn(grant: GrantId, end: &End) -> Option<Postings> {
    Set::of(end.programme, end.currency)
        .moves(returned_to(end.to_treasury, grant), at(Account::Committed, grant), end.undrawn_minor)
        .close()
}

/// What a fact of money moved: debit, credit, amount.
fn moved_by(grant: GrantId, fact: &MoneyFact) -> (Place, Place) {
    use Account::{
        EligibleSpend, Instructed, MatchArrived, MatchPledged, RecipientUnspent, Recoverable, Refunded,
    };
    match *fact {
        MoneyFact::Settlement { .. } => (at(RecipientUnspent, grant), at(Instructed, grant)),
        MoneyFact::MatchingArrival { .. } => (at(MatchArrived, grant), at(MatchPledged, grant)),
        MoneyFact::ShareTransfer { to, .. } => {
            (at(RecipientUnspent, grant).held_by(to), at(RecipientUnspent, grant))
        }
        MoneyFact::SpendAcceptance { party, .. } => {
            (at(EligibleSpend, grant).held_by(party), at(RecipientUnspent, grant).held_by(party))
        }
        MoneyFact::BalanceRefund { party, from, .. } => {
            (at(Refunded, grant), at(from.account(), grant).held_by(party))
        }
        MoneyFact::RecoveryRepayment { .. } => (at(Refunded, grant), at(Recoverable, grant)),
    }
}

/// The postings that `event` means; `None` where it moves no money.
#[must_use]
#[allow(clippy::too_many_lines, reason = "one table: an arm for each row of domain.md section 4")]
pub fn postings(event: &FundEvent) -> Option<Postings> {
    use Account::{
        Available, Committed, Instructed, MatchPledged, MatchSource, RecipientUnspent, Recoverable, Refunded,
        Reserved, RetainedByRule, Treasury, WrittenOff,
    };
    // What some facts move is said once, for them and for their reversal.
    let fact = |programme, currency, grant, fact: &MoneyFact| {
        let (debit, credit) = moved_by(grant, fact);
        let settles = matches!(fact, MoneyFact::Settlement { .. });
        Set::of(programme, currency).settling(settles).moves(debit, credit, fact.amount_minor()).close()
    };
    match *event {
        FundEvent::ProgrammeAppropriated { programme, currency, amount_minor, .. }
        | FundEvent::ProgrammeSupplemented { programme, currency, amount_minor } => {
            Set::of(programme, currency).moves(at(Available, None), at(Treasury, None), amount_minor).close()
        }
        FundEvent::ProgrammeCut { programme, currency, amount_minor } => {
            Set::of(programme, currency).moves(at(Treasury, None), at(Available, None), amount_minor).close()
        }
        FundEvent::GrantApproved { grant, programme, currency, amount_minor, .. } => {
            Set::of(programme, currency).moves(at(Reserved, grant), at(Available, None), amount_minor).close()
        }
        FundEvent::GrantRejected { grant, programme, currency, released_minor, .. }
        | FundEvent::GrantWithdrawn { grant, programme, currency, released_minor, .. } => {
            Set::of(programme, currency)
                .moves(at(Available, None), at(Reserved, grant), released_minor)
                .close()
        }
        FundEvent::ContractSigned { grant, programme, currency, amount_minor, approved_minor, .. } => {
            Set::of(programme, currency)
                .moves(at(Committed, grant), at(Reserved, grant), amount_minor)
                .moves(at(Available, None), at(Reserved, grant), approved_minor - amount_minor)
                .close()
        }
        FundEvent::ContractAmended { grant, programme, currency, released_minor, to_treasury, .. } => {
            Set::of(programme, currency)
                .moves(returned_to(to_treasury, grant), at(Committed, grant), released_minor)
                .close()
        }
        FundEvent::TrancheInstructed { grant, programme, currency, amount_minor, .. } => {
            Set::of(programme, currency)
                .moves(at(Instructed, grant), at(Committed, grant), amount_minor)
                .close()
        }
        FundEvent::TrancheSettled { grant, programme, currency, tranche, amount_minor, .. } => {
            fact(programme, currency, grant, &MoneyFact::Settlement { tranche, amount_minor })
        }
        FundEvent::PaymentReturned {
            grant,
            programme,
            currency,
            amount_minor,
            offset_minor,
            ref released,
            after_settlement,
            ..
        } => {
            let held = if after_settlement { RecipientUnspent } else { Instructed };
            let committed = at(Committed, grant);
            let goes =
                released.as_ref().map_or(committed, |released| returned_to(released.to_treasury, grant));
            Set::of(programme, currency)
                .settling(true)
                .moves(goes, at(held, grant), amount_minor)
                .moves(at(RecipientUnspent, grant), at(Instructed, grant), offset_minor)
                .close()
        }
        FundEvent::AwardImported { grant, programme, currency, amount_minor, .. } => {
            Set::of(programme, currency)
                .moves(at(Committed, grant), at(Treasury, grant), amount_minor)
                .close()
        }
        FundEvent::MatchingPledged { grant, programme, currency, amount_minor, .. } => {
            Set::of(programme, currency)
                .moves(at(MatchPledged, grant), at(MatchSource, grant), amount_minor)
                .close()
        }
        FundEvent::MatchingReleased { grant, programme, currency, amount_minor, .. } => {
            Set::of(programme, currency)
                .moves(at(MatchSource, grant), at(MatchPledged, grant), amount_minor)
                .close()
        }
        FundEvent::MatchingArrived {
            grant, programme, currency, source, instalment, amount_minor, ..
        } => {
            let arrival = MoneyFact::MatchingArrival { source, instalment, amount_minor };
            fact(programme, currency, grant, &arrival)
        }
        FundEvent::ShareTransferred { grant, programme, currency, to, amount_minor, .. } => {
            fact(programme, currency, grant, &MoneyFact::ShareTransfer { to, amount_minor })
        }
        FundEvent::SpendAccepted { grant, programme, currency, spend, party, amount_minor } => {
            fact(programme, currency, grant, &MoneyFact::SpendAcceptance { spend, party, amount_minor })
        }
        FundEvent::SpendDisallowed {
            grant,
            programme,
            currency,
            spend,
            party,
            amount_minor,
            was_accepted,
            ..
        } => {
            let accepted = MoneyFact::SpendAcceptance { spend, party, amount_minor };
            let (debit, credit) = moved_by(grant, &accepted);
            let amount_minor = if was_accepted { amount_minor } else { 0 };
            Set::of(programme, currency).moves(credit, debit, amount_minor).close()
        }
        FundEvent::BalanceRefunded { grant, programme, currency, party, from, amount_minor, .. } => {
            fact(programme, currency, grant, &MoneyFact::BalanceRefund { party, from, amount_minor })
        }
        FundEvent::BalanceRetained { grant, programme, currency, party, amount_minor, .. } => {
            let (kept, unspent) = (at(RetainedByRule, grant), at(RecipientUnspent, grant));
            Set::of(programme, currency)
                .moves(kept.held_by(party), unspent.held_by(party), amount_minor)
                .close()
        }
        FundEvent::BalanceTransferred { grant, to, programme, currency, party, amount_minor, .. } => {
            let held = |grant| at(RecipientUnspent, grant).held_by(party);
            Set::of(programme, currency).moves(held(to), held(grant), amount_minor).close()
        }
        FundEvent::GrantClosed { grant, ref end, .. }
        | FundEvent::GrantTerminated { grant, ref end, .. }
        | FundEvent::GrantCancelled { grant, ref end, .. } => undrawn(grant, end),
        FundEvent::FactCorrected { grant, programme, currency, fact: ref wrong, fact_on, .. } => {
            let (debit, credit) = moved_by(grant, wrong);
            let settles = matches!(wrong, MoneyFact::Settlement { .. });
            let reversal = Set::of(programme, currency).settling(settles);
            let reversal = Set { counts_from: Some(fact_on), ..reversal };
            reversal.moves(credit, debit, wrong.amount_minor()).close()
        }
        FundEvent::RecoveryDetermined { grant, programme, currency, ref takes, .. } => takes
            .iter()
            .fold(Set::of(programme, currency), |set, &Taken { party, from, amount_minor }| {
                set.moves(at(Recoverable, grant), at(from.account(), grant).held_by(party), amount_minor)
            })
            .close(),
        FundEvent::RecoveryOverturned { grant, programme, currency, ref gives_back, .. } => gives_back
            .iter()
            .fold(Set::of(programme, currency), |set, &Taken { party, from, amount_minor }| {
                set.moves(at(from.account(), grant).held_by(party), at(Recoverable, grant), amount_minor)
            })
            .close(),
        FundEvent::RecoveryRepaid { recovery, grant, programme, currency, amount_minor, .. } => {
            fact(programme, currency, grant, &MoneyFact::RecoveryRepayment { recovery, amount_minor })
        }
        FundEvent::RecoveryOffset { grant, programme, currency, amount_minor, .. } => {
            Set::of(programme, currency)
                .moves(at(Refunded, grant), at(Recoverable, grant), amount_minor)
                .close()
        }
        FundEvent::RecoveryWrittenOff { grant, programme, currency, amount_minor, .. } => {
            Set::of(programme, currency)
                .moves(at(WrittenOff, grant), at(Recoverable, grant), amount_minor)
                .close()
        }
        FundEvent::TodayAdvanced { .. }
        | FundEvent::SubLimitSet { .. }
        | FundEvent::GrantApplied { .. }
        | FundEvent::GrantRecommended { .. }
        | FundEvent::GrantAdmitted { .. }
        | FundEvent::GrantReviewed { .. }
        | FundEvent::NoticePublished { .. }
        | FundEvent::ObjectionRaised { .. }
        | FundEvent::ObjectionRejected { .. }
        | FundEvent::ObjectionUpheld { .. }
        | FundEvent::OverrideRecorded { .. }
        | FundEvent::PayeeVerified { .. }
        | FundEvent::TrancheRequested { .. }
        | FundEvent::TrancheAuthorised { .. }
        | FundEvent::TrancheRejected { .. }
        | FundEvent::TrancheCancelled { .. }
        | FundEvent::BackingChanged { .. }
        | FundEvent::PartyChanged { .. }
        | FundEvent::BackingNamed { .. }
        | FundEvent::GrantHeld { .. }
        | FundEvent::HoldCauseCleared { .. }
        | FundEvent::GrantResumed { .. }
        | FundEvent::ProjectExtended { .. }
        | FundEvent::SpendReported { .. }
        | FundEvent::MidtermChecked { .. }
        | FundEvent::CompletionReported { .. }
        | FundEvent::FinalAcceptanceConcluded { .. }
        | FundEvent::GrantEvaluated { .. }
        | FundEvent::RecoveryDemanded { .. }
        | FundEvent::RecoveryAppealed { .. }
        | FundEvent::RecoveryUpheld { .. }
        | FundEvent::RectificationAssigned { .. }
        | FundEvent::RectificationExplained { .. }
        | FundEvent::FindingRectified { .. }
        | FundEvent::FindingAccepted { .. }
        | FundEvent::FindingDismissed { .. } => None,
    }
}
