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
use concord_events::fund::{FundEvent, Holding};
use concord_kernel::{Date, id::GrantId, money::Amount, normal::same_reference, party::PartyId};
use serde::{Deserialize, Serialize};

/// What was decided on a grant's balances. What was given back is among its [facts](super::facts).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    /// Balances retained by rule.
    pub retained: Vec<Retained>,
    /// Balances that went on in other projects.
    pub transfers: Vec<Transfer>,
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
    fn retained_by(&self, party: PartyId, minutes: &str) -> Option<&Retained> {
        self.retained
            .iter()
            .find(|retained| retained.party == party && same_reference(&retained.minutes, minutes))
    }

    fn transferred_by(&self, to: GrantId, minutes: &str) -> Option<&Transfer> {
        self.transfers.iter().find(|transfer| transfer.to == to && same_reference(&transfer.minutes, minutes))
    }

    /// How many entries there are, for the cache's bound.
    pub(crate) fn entries(&self) -> usize {
        self.retained.len() + self.transfers.len()
    }
}

/// Folds what is decided on a balance of this grant. What another one transferred to it is in its books alone.
pub(super) fn apply(grant: GrantId, contract: &mut Contract, event: &FundEvent) {
    let balances = &mut contract.balances;
    match event {
        FundEvent::BalanceRetained { party, amount_minor, until, minutes, .. } => {
            let (party, amount_minor, until) = (*party, *amount_minor, *until);
            balances.retained.push(Retained { party, amount_minor, until, minutes: minutes.clone() });
        }
        FundEvent::BalanceTransferred { grant: giver, to, amount_minor, minutes, .. } if *giver == grant => {
            let (to, amount_minor) = (*to, *amount_minor);
            balances.transfers.push(Transfer { to, amount_minor, minutes: minutes.clone() });
        }
        _ => {}
    }
}
