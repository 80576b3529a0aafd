//! A tranche 拨款: one payment of a contract's plan.
//!
//! ```text
//!             Request              Authorise                Instruct                   Settle
//!  Planned ─────────────▶ Requested ────────▶ Authorised ──────────────▶ Instructed ─────────▶ Settled
//!     ▲                       │ Reject, Cancel    │ Cancel                  │  ▲  ReturnPayment   │
//!     └───────────────────────┴───────────────────┘                         ▼  │ Instruct         │
//!                                                                   PaymentReturned ◀─────────────┘
//! ```
//!
//! An instruction keeps its id over all attempts, and each attempt has bank references of its own (A14). So a report of
//! the bank that comes twice is known by its reference, even when the next attempt is under way.
//!
//! What is asked for may be less than planned; the rest stays committed.
//!
//! A recovery of another grant may be offset against an authorised tranche 抵扣: the bank then pays that much less, and the
//! tranche is no longer called off. Of such a payment only the cash comes back: the rest was paid by the offset, and is with
//! the lead. A payment that comes back after it was settled comes back as far as the lead still holds it; the rest is recovered
//! 追缴. What can be instructed again is what came back; once the grant has ended that goes on at once, to the programme or
//! the treasury. A settlement that was recorded wrongly and corrected 更正 is with the bank again.

mod ruling;
mod shortfall;

pub(super) use ruling::decide;

use super::contract::Contract;
use concord_events::fund::{FundEvent, MoneyFact, PlannedTranche};
use concord_kernel::money::Amount;
use concord_kernel::{Date, id::InstructionId, normal::same_reference};
use serde::{Deserialize, Serialize};

/// A tranche: its plan, where it stands, and which attempts failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tranche {
    /// Its line in the contract.
    pub plan: PlannedTranche,
    /// Where it stands.
    pub state: TrancheState,
    /// When its last step happened; none lies before it.
    pub last_step_on: Date,
    /// Attempts that came back, in order.
    pub returned: Vec<ReturnedAttempt>,
    /// The part that is kept back for recoveries of other grants 抵扣.
    pub offset_minor: i64,
    /// When the bank was last instructed.
    pub instructed_on: Option<Date>,
}

/// Where a tranche stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrancheState {
    /// In the plan; a request may have failed.
    Planned(Option<Failed>),
    /// Asked for: so many minor units.
    Requested(i64),
    /// Authorised: so many minor units.
    Authorised(i64),
    /// With the bank.
    Instructed(Payment),
    /// Paid.
    Settled {
        /// What was paid.
        payment: Payment,
        /// Bank's reference.
        bank_reference: String,
    },
    /// Sent back; it may be instructed again.
    PaymentReturned(Payment),
}

/// How a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failed {
    /// It was turned down, and why.
    Rejected(String),
    /// It was called off, and why.
    Cancelled(String),
}

/// A payment under one instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// To be paid.
    pub amount_minor: i64,
    /// The instruction 支付指令号; one for all attempts.
    pub instruction: InstructionId,
    /// Attempt, from 1.
    pub attempt: u32,
}

/// An attempt that came back 退汇.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedAttempt {
    /// Bank's reference of the payment, where it had been settled.
    pub settled_as: Option<String>,
    /// Bank's reference of the return.
    pub returned_as: String,
    /// Why.
    pub reason: String,
    /// What of the payment did not come back: it was drawn all the same.
    pub short_minor: i64,
}

/// About one tranche.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrancheCommand {
    /// Ask for it 申请拨款.
    Request {
        /// At most what is planned; `None` for exactly that.
        amount: Option<Amount>,
    },
    /// Authorise what was asked for 审批.
    Authorise,
    /// Turn the request down.
    Reject {
        /// Why.
        reason: String,
    },
    /// Call it off before it is instructed.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Instruct the bank 支付指令, or instruct it again after a return.
    Instruct {
        /// The instruction; the same for every attempt.
        instruction: InstructionId,
    },
    /// Record that the bank has paid 到账.
    Settle {
        /// Bank's reference of the payment.
        bank_reference: String,
    },
    /// Record that the bank sent the payment back 退汇.
    Return {
        /// Bank's reference of the return.
        bank_reference: String,
        /// Why.
        reason: String,
    },
}

impl Tranche {
    /// A tranche as the contract of that day plans it.
    pub(super) fn planned(plan: &PlannedTranche, on: Date) -> Self {
        Self {
            plan: plan.clone(),
            state: TrancheState::Planned(None),
            last_step_on: on,
            returned: Vec::new(),
            offset_minor: 0,
            instructed_on: None,
        }
    }

    /// Asked for, authorised or paid; `None` while it is only planned.
    #[must_use]
    pub fn amount_minor(&self) -> Option<i64> {
        match &self.state {
            TrancheState::Planned(_) => None,
            TrancheState::Requested(amount_minor) | TrancheState::Authorised(amount_minor) => {
                Some(*amount_minor)
            }
            _ => self.payment().map(|payment| payment.amount_minor),
        }
    }

    /// Whether it is paid.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.state, TrancheState::Settled { .. })
    }

    /// The payment, once the bank was instructed.
    #[must_use]
    pub fn payment(&self) -> Option<&Payment> {
        self.state.payment()
    }

    /// What earlier attempts drew and did not bring back, in minor units: it is not there to be paid anew.
    #[must_use]
    pub fn short_minor(&self) -> i64 {
        self.returned.iter().fold(0, |sum, attempt| sum.saturating_add(attempt.short_minor))
    }

    /// What the bank pays of a payment, in minor units: the rest is kept back for recoveries of other grants.
    fn cash_minor(&self, payment: Payment) -> i64 {
        payment.amount_minor.saturating_sub(self.offset_minor)
    }

    /// Whether this reference settled it, now or in an attempt that came back.
    fn was_settled_as(&self, reference: &str) -> bool {
        let now = match &self.state {
            TrancheState::Settled { bank_reference, .. } => Some(bank_reference),
            _ => None,
        };
        let before = self.returned.iter().filter_map(|attempt| attempt.settled_as.as_ref());
        now.into_iter().chain(before).any(|first| same_reference(first, reference))
    }

    /// Whether the bank has reported anything of this tranche under the reference.
    pub(crate) fn was_reported_as(&self, reference: &str) -> bool {
        self.was_settled_as(reference) || self.return_as(reference).is_some()
    }

    fn return_as(&self, reference: &str) -> Option<&ReturnedAttempt> {
        self.returned.iter().find(|attempt| same_reference(&attempt.returned_as, reference))
    }
}

impl TrancheState {
    fn payment(&self) -> Option<&Payment> {
        match self {
            Self::Instructed(payment) | Self::Settled { payment, .. } | Self::PaymentReturned(payment) => {
                Some(payment)
            }
            Self::Planned(_) | Self::Requested(_) | Self::Authorised(_) => None,
        }
    }

    /// Stable name, and the Chinese one.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Planned(_) => ("planned", "待申请"),
            Self::Requested(_) => ("requested", "已申请"),
            Self::Authorised(_) => ("authorised", "已审批"),
            Self::Instructed(_) => ("instructed", "支付中"),
            Self::Settled { .. } => ("settled", "已到账"),
            Self::PaymentReturned(_) => ("payment_returned", "已退汇"),
        }
    }
}

/// Folds an event of one of the contract's tranches.
pub(super) fn apply(contract: &mut Contract, event: &FundEvent, on: Date) {
    let (number, state) = match event {
        FundEvent::TrancheRequested { tranche, amount_minor, .. } => {
            (*tranche, TrancheState::Requested(*amount_minor))
        }
        FundEvent::TrancheAuthorised { tranche, amount_minor, .. } => {
            (*tranche, TrancheState::Authorised(*amount_minor))
        }
        FundEvent::TrancheRejected { tranche, reason, .. } => {
            (*tranche, TrancheState::Planned(Some(Failed::Rejected(reason.clone()))))
        }
        FundEvent::TrancheCancelled { tranche, reason, .. } => {
            (*tranche, TrancheState::Planned(Some(Failed::Cancelled(reason.clone()))))
        }
        FundEvent::TrancheInstructed { tranche, amount_minor, instruction, attempt, .. } => {
            let payment =
                Payment { amount_minor: *amount_minor, instruction: *instruction, attempt: *attempt };
            (*tranche, TrancheState::Instructed(payment))
        }
        FundEvent::TrancheSettled { tranche, amount_minor, instruction, attempt, bank_reference, .. } => {
            let payment =
                Payment { amount_minor: *amount_minor, instruction: *instruction, attempt: *attempt };
            (*tranche, TrancheState::Settled { payment, bank_reference: bank_reference.clone() })
        }
        FundEvent::PaymentReturned { tranche, amount_minor, instruction, attempt, .. } => {
            let payment =
                Payment { amount_minor: *amount_minor, instruction: *instruction, attempt: *attempt };
            (*tranche, TrancheState::PaymentReturned(payment))
        }
        FundEvent::RecoveryOffset { tranche, amount_minor, .. } => {
            return offset(contract, *tranche, *amount_minor, on);
        }
        FundEvent::FactCorrected { fact: MoneyFact::Settlement { tranche, .. }, .. } => {
            return unsettle(contract, *tranche);
        }
        _ => return,
    };
    let Some(tranche) = numbered(contract, number) else { return };
    let before = std::mem::replace(&mut tranche.state, state);
    if matches!(event, FundEvent::TrancheInstructed { .. }) {
        tranche.instructed_on = Some(on);
    }
    if let FundEvent::PaymentReturned { amount_minor, bank_reference, reason, .. } = event {
        let paid_minor = before.payment().map_or(0, |payment| payment.amount_minor);
        let settled_as = match before {
            TrancheState::Settled { bank_reference, .. } => Some(bank_reference),
            _ => None,
        };
        // What was kept back has done its work: the next attempt is of cash alone.
        tranche.offset_minor = 0;
        tranche.returned.push(ReturnedAttempt {
            settled_as,
            returned_as: bank_reference.clone(),
            reason: reason.clone(),
            short_minor: paid_minor.saturating_sub(*amount_minor),
        });
    }
    tranche.last_step_on = on;
}

/// A recovery of another grant is offset against it.
fn offset(contract: &mut Contract, number: u32, amount_minor: i64, on: Date) {
    let Some(tranche) = numbered(contract, number) else { return };
    tranche.offset_minor = tranche.offset_minor.saturating_add(amount_minor);
    tranche.last_step_on = on;
}

/// The settlement was recorded wrongly: the payment is with the bank again, since it was instructed.
fn unsettle(contract: &mut Contract, number: u32) {
    let Some(tranche) = numbered(contract, number) else { return };
    if let TrancheState::Settled { payment, .. } = tranche.state {
        tranche.state = TrancheState::Instructed(payment);
        tranche.last_step_on = tranche.instructed_on.unwrap_or(tranche.last_step_on);
    }
}

fn numbered(contract: &mut Contract, number: u32) -> Option<&mut Tranche> {
    contract.tranches.iter_mut().find(|tranche| tranche.plan.number == number)
}
