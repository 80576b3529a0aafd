//! A recovery 追缴: one claim on money that was paid for a grant (domain.md section 3, "Recovery").
//!
//! ```text
//!  DetermineRecovery, or
//!  another decision            DemandRecovery            AppealRecovery
//!  ──────────────▶ Determined ───────────────▶ Demanded ───────────────▶ Appealed ─▶ Upheld
//!                                                                                 └▶ Overturned
//!                                    Demanded, Upheld ⟲ RecordRepayment, OffsetRecovery, WriteOffRecovery
//!                                          └──▶ Repaid | Offset | WrittenOff, once nothing is outstanding
//! ```
//!
//! What is outstanding is what was determined less what was repaid, offset and written off. So where it stands follows from
//! its facts, and a repayment that is corrected 更正 opens it again by itself.
//!
//! A recovery is a life of its own: it may begin after closeout, and goes on whatever becomes of the grant.

mod command;
mod determination;
mod ruling;

pub use command::{Determination, RecoveryAct, RecoveryCommand, Take};
pub(crate) use ruling::{days_after, decide};

use crate::content_hash;
use concord_chassis::log::Meta;
use concord_events::fund::{FundEvent, MoneyFact, RecoveryCause, Taken};
use concord_kernel::{
    Date,
    id::{GrantId, ProgrammeId, RecoveryId},
    money::{Amount, Currency},
};
use serde::{Deserialize, Serialize};

/// A recovery as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Its id.
    pub id: RecoveryId,
    /// The grant that the money was paid for.
    pub grant: GrantId,
    /// The grant's programme.
    pub programme: ProgrammeId,
    /// Their currency.
    pub currency: Currency,
    /// Why.
    pub cause: RecoveryCause,
    /// Determined, in all.
    pub amount_minor: i64,
    /// Where it was taken from.
    pub takes: Vec<Taken>,
    /// Hash of the event that opened it: the same again is a repeat.
    pub opened_as: String,
    /// The demand, once it was made.
    pub demand: Option<Demand>,
    /// The appeal, once there was one.
    pub appeal: Option<Appeal>,
    /// What came in for it, in order.
    pub receipts: Vec<Receipt>,
    /// What was given up, once anything was.
    pub write_off: Option<WriteOff>,
    /// When its last step happened; none lies before it.
    pub last_step_on: Date,
}

/// A demand 追缴通知.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Its number 文号.
    pub number: String,
    /// When it was made.
    pub on: Date,
    /// Day by which it is due.
    pub due_on: Date,
}

/// An appeal 申诉.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// On what grounds.
    pub grounds: String,
    /// What it came to; `None` while it is open.
    pub outcome: Option<Outcome>,
}

/// What an appeal came to, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The recovery stands 维持.
    Upheld(String),
    /// The recovery is reversed 撤销追缴.
    Overturned(String),
}

/// Money that came in for a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// Repaid 缴回.
    Repaid {
        /// Position of the event, by which it can be corrected.
        position: u64,
        /// Came in.
        amount_minor: i64,
        /// Bank's reference.
        bank_reference: String,
    },
    /// Offset 抵扣.
    Offset {
        /// The grant whose tranche pays that much less in cash.
        against: GrantId,
        /// Number of the tranche.
        tranche: u32,
        /// Offset.
        amount_minor: i64,
    },
}

/// What was given up 核销.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteOff {
    /// In all.
    pub amount_minor: i64,
    /// Minutes of the meeting that did so last.
    pub minutes: String,
    /// Why.
    pub reason: String,
}

/// Where a recovery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryState {
    /// 已决定.
    Determined,
    /// 已通知.
    Demanded,
    /// 申诉中.
    Appealed,
    /// 维持.
    Upheld,
    /// 已撤销.
    Overturned,
    /// 已缴清: a repayment was the last of it.
    Repaid,
    /// 已抵扣: an offset was the last of it.
    Offset,
    /// 已核销: the rest was given up.
    WrittenOff,
}

impl Receipt {
    /// Minor units of the recovery's currency.
    #[must_use]
    pub fn amount_minor(&self) -> i64 {
        match self {
            Self::Repaid { amount_minor, .. } | Self::Offset { amount_minor, .. } => *amount_minor,
        }
    }
}

impl RecoveryState {
    /// Stable name, and the Chinese one.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Determined => ("determined", "已决定"),
            Self::Demanded => ("demanded", "已通知"),
            Self::Appealed => ("appealed", "申诉中"),
            Self::Upheld => ("upheld", "维持"),
            Self::Overturned => ("overturned", "已撤销"),
            Self::Repaid => ("repaid", "已缴清"),
            Self::Offset => ("offset", "已抵扣"),
            Self::WrittenOff => ("written_off", "已核销"),
        }
    }
}

impl Recovery {
    /// So many minor units of its currency.
    #[must_use]
    pub fn amount(&self, minor: i64) -> Amount {
        Amount::new(minor, self.currency)
    }

    /// Repaid so far, in minor units.
    #[must_use]
    pub fn repaid_minor(&self) -> i64 {
        self.sum(|receipt| matches!(receipt, Receipt::Repaid { .. }))
    }

    /// Offset so far, in minor units.
    #[must_use]
    pub fn offset_minor(&self) -> i64 {
        self.sum(|receipt| matches!(receipt, Receipt::Offset { .. }))
    }

    /// Given up so far, in minor units.
    #[must_use]
    pub fn written_off_minor(&self) -> i64 {
        self.write_off.as_ref().map_or(0, |write_off| write_off.amount_minor)
    }

    /// What is still to come in, in minor units; nothing once it was overturned.
    #[must_use]
    pub fn outstanding_minor(&self) -> i64 {
        if self.is_overturned() {
            return 0;
        }
        let received = self.sum(|_| true);
        self.amount_minor.saturating_sub(received).saturating_sub(self.written_off_minor())
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> RecoveryState {
        if self.is_overturned() {
            return RecoveryState::Overturned;
        }
        if self.outstanding_minor() == 0 {
            return match (&self.write_off, self.receipts.last()) {
                (Some(_), _) => RecoveryState::WrittenOff,
                (None, Some(Receipt::Offset { .. })) => RecoveryState::Offset,
                (None, _) => RecoveryState::Repaid,
            };
        }
        match (&self.demand, &self.appeal) {
            (None, _) => RecoveryState::Determined,
            (Some(_), None) => RecoveryState::Demanded,
            (Some(_), Some(Appeal { outcome: None, .. })) => RecoveryState::Appealed,
            (Some(_), Some(_)) => RecoveryState::Upheld,
        }
    }

    fn is_overturned(&self) -> bool {
        matches!(&self.appeal, Some(Appeal { outcome: Some(Outcome::Overturned(_)), .. }))
    }

    fn sum(&self, which: impl Fn(&Receipt) -> bool) -> i64 {
        let amounts = self.receipts.iter().filter(|receipt| which(receipt)).map(Receipt::amount_minor);
        amounts.fold(0, i64::saturating_add)
    }

    /// The recovery that an event opens, if it opens one: by a decision on it, or as what follows from another decision.
    pub(crate) fn opened_by(event: &FundEvent, meta: &Meta<'_>) -> Option<Self> {
        let FundEvent::RecoveryDetermined {
            recovery,
            grant,
            programme,
            currency,
            cause,
            amount_minor,
            takes,
            ..
        } = event
        else {
            return None;
        };
        Some(Self {
            id: *recovery,
            grant: *grant,
            programme: *programme,
            currency: *currency,
            cause: *cause,
            amount_minor: *amount_minor,
            takes: takes.clone(),
            opened_as: content_hash(event),
            demand: None,
            appeal: None,
            receipts: Vec::new(),
            write_off: None,
            last_step_on: meta.effective_on,
        })
    }

    /// Folds an event.
    pub(crate) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        match event {
            FundEvent::RecoveryDemanded { due_on, demand, .. } => {
                self.demand = Some(Demand { number: demand.clone(), on: meta.effective_on, due_on: *due_on });
            }
            FundEvent::RecoveryAppealed { grounds, .. } => {
                self.appeal = Some(Appeal { grounds: grounds.clone(), outcome: None });
            }
            FundEvent::RecoveryUpheld { reason, .. } => {
                self.conclude_appeal(Outcome::Upheld(reason.clone()));
            }
            FundEvent::RecoveryOverturned { reason, .. } => {
                self.conclude_appeal(Outcome::Overturned(reason.clone()));
            }
            FundEvent::RecoveryRepaid { amount_minor, bank_reference, .. } => {
                self.receipts.push(Receipt::Repaid {
                    position: meta.position,
                    amount_minor: *amount_minor,
                    bank_reference: bank_reference.clone(),
                });
            }
            FundEvent::RecoveryOffset { against, tranche, amount_minor, .. } => {
                self.receipts.push(Receipt::Offset {
                    against: *against,
                    tranche: *tranche,
                    amount_minor: *amount_minor,
                });
            }
            FundEvent::RecoveryWrittenOff { amount_minor, minutes, reason, .. } => {
                self.write_off = Some(WriteOff {
                    amount_minor: self.written_off_minor().saturating_add(*amount_minor),
                    minutes: minutes.clone(),
                    reason: reason.clone(),
                });
            }
            // It never came in. The right money may have come before this was found out, so the date of the last step stays.
            FundEvent::FactCorrected { reverses, fact: MoneyFact::RecoveryRepayment { .. }, .. } => {
                self.receipts.retain(
                    |receipt| !matches!(receipt, Receipt::Repaid { position, .. } if position == reverses),
                );
                return;
            }
            _ => return,
        }
        self.last_step_on = meta.effective_on;
    }

    fn conclude_appeal(&mut self, outcome: Outcome) {
        if let Some(appeal) = &mut self.appeal {
            appeal.outcome = Some(outcome);
        }
    }
}
