//! What the lead passes on to its partners 转拨, made up 模拟.
//!
//! After each tranche that stays, each partner gets its part of all that was settled, so far as the lead holds it: in the same
//! quarter, of one grant in five a quarter later. Four leads of a hundred keep one partner's share back, half of it or all.

use super::planner::{Planner, Todo};
use super::{LEAD, MoneyStep};

/// Of a hundred leads, how many keep a partner's share back.
const WITHHOLDING: u64 = 4;

impl Planner<'_> {
    /// A tranche was paid: its shares are passed on, and it is spent.
    pub(super) fn share_out(&mut self, quarter: usize, tranche: u32) {
        let is_late = self.grant.roll(&format!("pass/{tranche}")).is_multiple_of(5);
        let passed = if is_late { (quarter + 1).min(self.grant.last()) } else { quarter };
        if !self.grant.shares.is_empty() {
            self.due(passed, Todo::PassShares);
        }
        let all = !self.is_settled_after(quarter);
        self.due(passed + 1, Todo::Report { party: LEAD, all });
        for party in self.reporting(all) {
            self.due(passed + 1, Todo::Report { party, all });
        }
    }

    pub(super) fn pass_shares(&mut self, quarter: usize) {
        if self.ended.is_some() {
            return;
        }
        for partner in self.purse.parties().skip(1) {
            let minor = self.purse.owed(partner) - self.kept_back(partner);
            let minor = minor.min(self.purse.free(LEAD));
            if minor > 0 {
                self.purse.pass(partner, minor);
                self.transfers += 1;
                self.take(quarter, MoneyStep::Pass { number: self.transfers, to: partner, minor });
            }
        }
    }

    /// What of its share the lead keeps back from a partner.
    fn kept_back(&self, partner: usize) -> i64 {
        let roll = self.grant.roll("withheld");
        let victim = 1 + (roll / 100 % self.grant.shares.len().max(1) as u64) as usize;
        if roll % 100 >= WITHHOLDING || partner != victim {
            return 0;
        }
        let share = self.grant.shares[partner - 1];
        if (roll / 10_000).is_multiple_of(2) { share } else { share / 2 }
    }
}
