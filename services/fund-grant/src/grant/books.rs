//! What a grant's money stands at: the very postings that the ledger has, added up.
//!
//! A decision weighs these balances and the audit shows them; both come from [`postings`], so no figure is worked out twice.

use concord_events::{
    fund::FundEvent,
    ledger::{Account, postings},
};
use concord_kernel::{id::GrantId, party::PartyId};
use serde::{Deserialize, Serialize};

/// Balances of a grant's accounts, by who holds them. Those at zero are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Books(Vec<Balance>);

/// One balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The account.
    pub account: Account,
    /// Who holds it: the lead, where nobody else does.
    pub party: PartyId,
    /// Minor units of the grant's currency.
    pub amount_minor: i64,
}

impl Books {
    /// What stands on an account, in minor units, whoever holds it.
    #[must_use]
    pub fn total_minor(&self, account: Account) -> i64 {
        let amounts = self.of(account).map(|balance| balance.amount_minor);
        amounts.fold(0, i64::saturating_add)
    }

    /// What a party holds on an account, in minor units.
    #[must_use]
    pub fn held_minor(&self, account: Account, party: PartyId) -> i64 {
        self.of(account).find(|balance| balance.party == party).map_or(0, |balance| balance.amount_minor)
    }

    /// What stands on an account, holder by holder.
    pub fn of(&self, account: Account) -> impl Iterator<Item = &Balance> {
        self.0.iter().filter(move |balance| balance.account == account)
    }

    /// All that is not zero, in the order in which it first moved.
    #[must_use]
    pub fn balances(&self) -> &[Balance] {
        &self.0
    }

    /// Adds the lines of an event that are this grant's. Sums saturate only to be total: the rules keep all of them within
    /// the appropriation, and that within an `i64`.
    pub(super) fn post(&mut self, grant: GrantId, lead: PartyId, event: &FundEvent) {
        let Some(set) = postings(event) else { return };
        for line in set.lines.iter().filter(|line| line.grant == Some(grant)) {
            let party = line.party.unwrap_or(lead);
            let is_it = |balance: &Balance| balance.account == line.account && balance.party == party;
            match self.0.iter().position(is_it) {
                Some(index) => {
                    let balance = &mut self.0[index];
                    balance.amount_minor = balance.amount_minor.saturating_add(line.amount_minor);
                    if balance.amount_minor == 0 {
                        self.0.remove(index);
                    }
                }
                None => {
                    self.0.push(Balance { account: line.account, party, amount_minor: line.amount_minor });
                }
            }
        }
    }
}
