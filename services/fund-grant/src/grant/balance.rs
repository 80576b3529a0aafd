//! What becomes of a balance 结余: it is refunded, retained by rule, or goes on in another project.
//!
//! ```text
//!                        RefundBalance
//!  RecipientUnspent ──────────────────────────▶ Refunded
//!      │   │   RetainBalance                       ▲
//!      │   └──────────────────▶ RetainedByRule ────┘ RefundBalance
//!      └── TransferBalance ──▶ RecipientUnspent of another grant
//! ```
//!
//! A refund is a fact: it is taken in at any time, also after the end, and each under a bank's reference of its own. To retain
//! and to transfer is decided by minutes, once the project was accepted.

mod ruling;

pub(super) use ruling::decide;

use super::contract::Contract;
use concord_chassis::log::Meta;
use concord_events::fund::{FundEvent, Holding, MoneyFact};
use concord_kernel::{Date, id::GrantId, money::Amount, party::PartyId};
use serde::{Deserialize, Serialize};

/// What was decided on a grant's balances, and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    /// Refunds on record; one that was corrected is not.
    pub refunds: Vec<Refund>,
    /// Balances retained by rule.
    pub retained: Vec<Retained>,
    /// Balances that went on in other projects.
    pub transfers: Vec<Transfer>,
}

/// A balance that was given back 结余退回.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Position of the event, by which it may be corrected.
    pub position: u64,
    /// By whom.
    pub party: PartyId,
    /// Where it lay.
    pub from: Holding,
    /// Minor units.
    pub amount_minor: i64,
    /// Bank's reference.
    pub bank_reference: String,
}

/// A balance that is kept by rule 结余留用.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// By whom.
    pub party: PartyId,
    /// Minor units.
    pub amount_minor: i64,
    /// Last day on which it may be kept; `None` where there is none.
    pub until: Option<Date>,
    /// Document or minutes.
    pub minutes: String,
}

/// A balance that went on in another project 结余结转.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// That project's grant.
    pub to: GrantId,
    /// Minor units.
    pub amount_minor: i64,
    /// Minutes of the meeting.
    pub minutes: String,
}

/// About a balance; the office's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceCommand {
    /// Record that it was given back.
    Refund {
        /// By whom; `None` for the lead.
        party: Option<PartyId>,
        /// How much.
        amount: Amount,
        /// Where it lay: unspent or retained.
        from: Holding,
        /// Bank's reference 银行流水号.
        bank_reference: String,
    },
    /// Let it be kept by rule.
    Retain {
        /// By whom; `None` for the lead.
        party: Option<PartyId>,
        /// How much.
        amount: Amount,
        /// Document or minutes.
        minutes: String,
    },
    /// Let the lead go on with it in another project.
    Transfer {
        /// That project's grant.
        to: GrantId,
        /// How much.
        amount: Amount,
        /// Minutes of the meeting.
        minutes: String,
    },
}

impl Balances {
    pub(crate) fn refunded_as(&self, bank_reference: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.bank_reference == bank_reference)
    }

    fn retained_by(&self, party: PartyId, minutes: &str) -> Option<&Retained> {
        self.retained.iter().find(|retained| retained.party == party && retained.minutes == minutes)
    }

    fn transferred_by(&self, to: GrantId, minutes: &str) -> Option<&Transfer> {
        self.transfers.iter().find(|transfer| transfer.to == to && transfer.minutes == minutes)
    }

    /// How many entries there are, for the cache's bound.
    pub(crate) fn entries(&self) -> usize {
        self.refunds.len() + self.retained.len() + self.transfers.len()
    }
}

/// Folds an event about a balance of this grant. What another one transferred to it is in its books alone.
pub(super) fn apply(grant: GrantId, contract: &mut Contract, event: &FundEvent, meta: &Meta<'_>) {
    let balances = &mut contract.balances;
    match event {
        FundEvent::BalanceRefunded { party, from, amount_minor, bank_reference, .. } => {
            balances.refunds.push(Refund {
                position: meta.position,
                party: *party,
                from: *from,
                amount_minor: *amount_minor,
                bank_reference: bank_reference.clone(),
            });
        }
        FundEvent::BalanceRetained { party, amount_minor, until, minutes, .. } => {
            let (party, amount_minor, until) = (*party, *amount_minor, *until);
            balances.retained.push(Retained { party, amount_minor, until, minutes: minutes.clone() });
        }
        FundEvent::BalanceTransferred { grant: giver, to, amount_minor, minutes, .. } if *giver == grant => {
            let (to, amount_minor) = (*to, *amount_minor);
            balances.transfers.push(Transfer { to, amount_minor, minutes: minutes.clone() });
        }
        // It never came; the bank's reference is free for the right fact.
        FundEvent::FactCorrected {
            reverses,
            fact: MoneyFact::BalanceRefund { party, from, amount_minor },
            ..
        } => {
            let wrong = |refund: &Refund| {
                (refund.position, refund.party, refund.from, refund.amount_minor)
                    == (*reverses, *party, *from, *amount_minor)
            };
            if let Some(index) = balances.refunds.iter().position(wrong) {
                balances.refunds.remove(index);
            }
        }
        _ => {}
    }
}
