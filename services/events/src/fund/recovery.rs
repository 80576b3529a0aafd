//! Recoveries 追缴 and corrections 更正.

use super::spending::Holding;
use concord_kernel::{
    id::{RecoveryId, SpendId},
    party::PartyId,
};
use serde::{Deserialize, Serialize};

/// Why money is recovered 追缴原因.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryCause {
    /// Spending was disallowed after final acceptance 审减.
    SpendDisallowed,
    /// Money was diverted 挪用.
    Diverted,
    /// The project failed final acceptance 验收不通过.
    AcceptanceFailed,
    /// The grant was terminated, and what is left was not given back 终止后未退回.
    Terminated,
    /// The grant was cancelled 撤销.
    Cancelled,
    /// 弄虚作假.
    Fraud,
    /// A balance was not given back in time 结余逾期未退.
    BalanceKept,
    /// A payment came back for less than was settled 退汇不足.
    PaymentReturned,
}

impl RecoveryCause {
    /// All causes, in order.
    pub const ALL: [Self; 8] = [
        Self::SpendDisallowed,
        Self::Diverted,
        Self::AcceptanceFailed,
        Self::Terminated,
        Self::Cancelled,
        Self::Fraud,
        Self::BalanceKept,
        Self::PaymentReturned,
    ];

    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SpendDisallowed => "spend_disallowed",
            Self::Diverted => "diverted",
            Self::AcceptanceFailed => "acceptance_failed",
            Self::Terminated => "terminated",
            Self::Cancelled => "cancelled",
            Self::Fraud => "fraud",
            Self::BalanceKept => "balance_kept",
            Self::PaymentReturned => "payment_returned",
        }
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::SpendDisallowed => "支出审减",
            Self::Diverted => "挪用",
            Self::AcceptanceFailed => "验收不通过",
            Self::Terminated => "终止后未退回",
            Self::Cancelled => "撤销",
            Self::Fraud => "弄虚作假",
            Self::BalanceKept => "结余逾期未退",
            Self::PaymentReturned => "退汇不足",
        }
    }
}

/// Money that a recovery takes from where it lies, or gives back to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Who has it, or had it.
    pub party: PartyId,
    /// Where it lies.
    pub from: Holding,
    /// Minor units, above zero.
    pub amount_minor: i64,
}

/// A fact of money that was recorded and was not so 更正事项: what is reversed, with its amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MoneyFact {
    /// A tranche was settled; it is with the bank again.
    Settlement {
        /// Number of the tranche.
        tranche: u32,
        /// Paid.
        amount_minor: i64,
    },
    /// An instalment of matching money arrived.
    MatchingArrival {
        /// Number of the source.
        source: u32,
        /// Number of the instalment.
        instalment: u32,
        /// Arrived.
        amount_minor: i64,
    },
    /// A share was passed on.
    ShareTransfer {
        /// To whom.
        to: PartyId,
        /// Passed on.
        amount_minor: i64,
    },
    /// Spending was accepted; it is reported again.
    SpendAcceptance {
        /// The item.
        spend: SpendId,
        /// Who spent it.
        party: PartyId,
        /// Accepted.
        amount_minor: i64,
    },
    /// A balance was given back.
    BalanceRefund {
        /// By whom.
        party: PartyId,
        /// Where it lay.
        from: Holding,
        /// Given back.
        amount_minor: i64,
    },
    /// A recovery was repaid.
    RecoveryRepayment {
        /// The recovery.
        recovery: RecoveryId,
        /// Repaid.
        amount_minor: i64,
    },
}

impl MoneyFact {
    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settlement { .. } => "settlement",
            Self::MatchingArrival { .. } => "matching_arrival",
            Self::ShareTransfer { .. } => "share_transfer",
            Self::SpendAcceptance { .. } => "spend_acceptance",
            Self::BalanceRefund { .. } => "balance_refund",
            Self::RecoveryRepayment { .. } => "recovery_repayment",
        }
    }

    /// Minor units that it moved.
    #[must_use]
    pub fn amount_minor(&self) -> i64 {
        match self {
            Self::Settlement { amount_minor, .. }
            | Self::MatchingArrival { amount_minor, .. }
            | Self::ShareTransfer { amount_minor, .. }
            | Self::SpendAcceptance { amount_minor, .. }
            | Self::BalanceRefund { amount_minor, .. }
            | Self::RecoveryRepayment { amount_minor, .. } => *amount_minor,
        }
    }
}
