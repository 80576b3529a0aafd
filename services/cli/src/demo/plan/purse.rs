//! What each party of a grant holds as its plan goes on, so that no step is planned that the rules would refuse.

use crate::demo::books::Held;

/// The lead's place among the parties. The partners with a share follow, in the order of the file.
pub(in crate::demo) const LEAD: usize = 0;

/// Money of one grant, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purse {
    award: i64,
    /// Contracted and not instructed.
    pub(super) committed: i64,
    /// With the bank.
    pub(super) instructed: i64,
    /// What the bank has paid and will send back: nobody touches it.
    fleeting: i64,
    /// What the bank has paid and not taken back, less what is fleeting.
    settled: i64,
    pockets: Vec<Pocket>,
}

/// What one party holds, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pocket {
    /// A partner's share of the award.
    share: i64,
    /// Passed on to it.
    passed: i64,
    pub(super) unspent: i64,
    /// Reported as spent and not decided: a part of what is unspent.
    reported: i64,
    pub(super) spent: i64,
    pub(super) retained: i64,
}

impl Purse {
    /// Of an award with these shares of its partners.
    pub(super) fn of(award: i64, shares: &[i64]) -> Self {
        let partners = shares.iter().map(|share| Pocket { share: *share, ..Pocket::default() });
        Self {
            award,
            committed: award,
            instructed: 0,
            fleeting: 0,
            settled: 0,
            pockets: std::iter::once(Pocket::default()).chain(partners).collect(),
        }
    }

    /// Places of all parties, the lead's first.
    pub(super) fn parties(&self) -> std::ops::Range<usize> {
        0..self.pockets.len()
    }

    /// What a party holds.
    pub(super) fn pocket(&self, party: usize) -> Pocket {
        self.pockets[party]
    }

    /// What all parties hold together.
    pub(super) fn held(&self) -> Held {
        self.pockets.iter().fold(Held::default(), |sum, pocket| Held {
            unspent: sum.unspent + pocket.unspent,
            spent: sum.spent + pocket.spent,
            retained: sum.retained + pocket.retained,
        })
    }

    /// Whether all that was reported as spent is decided.
    pub(super) fn is_decided(&self) -> bool {
        self.pockets.iter().all(|pocket| pocket.reported == 0)
    }

    /// What a party may report, pass on or give back.
    pub(super) fn free(&self, party: usize) -> i64 {
        let pocket = &self.pockets[party];
        let fleeting = if party == LEAD { self.fleeting } else { 0 };
        (pocket.unspent - pocket.reported - fleeting).max(0)
    }

    /// A partner's part of what was settled, rounded down and never counted twice, less what was passed on to it.
    pub(super) fn owed(&self, partner: usize) -> i64 {
        let Pocket { share, passed, .. } = self.pockets[partner];
        let due =
            i128::from(share) * i128::from(self.settled.min(self.award)) / i128::from(self.award.max(1));
        (i64::try_from(due).unwrap_or(share) - passed).max(0)
    }

    pub(super) fn instruct(&mut self, minor: i64) {
        self.committed -= minor;
        self.instructed += minor;
    }

    pub(super) fn return_unsettled(&mut self, minor: i64) {
        self.instructed -= minor;
        self.committed += minor;
    }

    /// The bank has paid; what it will send back is not counted on.
    pub(super) fn settle(&mut self, minor: i64, is_fleeting: bool) {
        self.instructed -= minor;
        self.pockets[LEAD].unspent += minor;
        *(if is_fleeting { &mut self.fleeting } else { &mut self.settled }) += minor;
    }

    /// The bank sends a settled payment back. What the lead still holds comes back; the rest is recovered from what the
    /// partners hold. Both are given.
    pub(super) fn return_settled(&mut self, minor: i64, was_fleeting: bool) -> (i64, i64) {
        *(if was_fleeting { &mut self.fleeting } else { &mut self.settled }) -= minor;
        let returned = self.pockets[LEAD].unspent.min(minor);
        self.pockets[LEAD].unspent -= returned;
        self.committed += returned;
        let mut wanted = minor - returned;
        for pocket in &mut self.pockets[1..] {
            let taken = pocket.unspent.min(wanted);
            pocket.unspent -= taken;
            wanted -= taken;
        }
        (returned, minor - returned - wanted)
    }

    pub(super) fn pass(&mut self, partner: usize, minor: i64) {
        self.pockets[LEAD].unspent -= minor;
        self.pockets[partner].unspent += minor;
        self.pockets[partner].passed += minor;
    }

    pub(super) fn report(&mut self, party: usize, minor: i64) {
        self.pockets[party].reported += minor;
    }

    /// What was reported is accepted.
    pub(super) fn accept(&mut self, party: usize, minor: i64) {
        let pocket = &mut self.pockets[party];
        pocket.reported -= minor;
        pocket.unspent -= minor;
        pocket.spent += minor;
    }

    /// What was reported is disallowed: it stays unspent.
    pub(super) fn disallow(&mut self, party: usize, minor: i64) {
        self.pockets[party].reported -= minor;
    }

    pub(super) fn retain(&mut self, party: usize, minor: i64) {
        self.pockets[party].unspent -= minor;
        self.pockets[party].retained += minor;
    }

    pub(super) fn refund(&mut self, party: usize, minor: i64) {
        self.pockets[party].unspent -= minor;
    }

    pub(super) fn refund_retained(&mut self, party: usize, minor: i64) {
        self.pockets[party].retained -= minor;
    }

    /// A recovery takes it from a party.
    pub(super) fn recover(&mut self, party: usize, takes: Held) {
        let pocket = &mut self.pockets[party];
        pocket.unspent -= takes.unspent;
        pocket.spent -= takes.spent;
        pocket.retained -= takes.retained;
    }

    /// A recovery was overturned: the party has it back.
    pub(super) fn give_back(&mut self, party: usize, takes: Held) {
        let back = Held { unspent: -takes.unspent, spent: -takes.spent, retained: -takes.retained };
        self.recover(party, back);
    }

    /// What was never drawn goes back.
    pub(super) fn release(&mut self) -> i64 {
        std::mem::take(&mut self.committed)
    }

    /// All that is with recipients is recovered.
    pub(super) fn recover_all(&mut self) -> Held {
        let held = self.held();
        for pocket in &mut self.pockets {
            (pocket.unspent, pocket.spent, pocket.retained) = (0, 0, 0);
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_what_is_settled_is_passed_on_and_never_more_than_the_share() {
        let mut purse = Purse::of(1_000, &[333]);
        purse.instruct(500);
        purse.settle(500, false);
        assert_eq!(purse.owed(1), 166);
        purse.pass(1, 166);
        purse.instruct(500);
        purse.settle(500, false);
        assert_eq!((purse.owed(1), purse.free(LEAD)), (167, 834));
        purse.pass(1, 167);
        assert_eq!((purse.owed(1), purse.free(1), purse.free(LEAD)), (0, 333, 667));
    }

    #[test]
    fn what_the_bank_will_send_back_is_neither_shared_nor_reported() {
        let mut purse = Purse::of(1_000, &[500]);
        purse.instruct(600);
        purse.settle(600, true);
        assert_eq!((purse.owed(1), purse.free(LEAD)), (0, 0));
        assert_eq!(purse.return_settled(600, true), (600, 0));
        assert_eq!(purse.committed, 1_000);
    }

    #[test]
    fn a_return_that_falls_short_takes_the_rest_from_the_partners() {
        let mut purse = Purse::of(1_000, &[300, 200]);
        purse.instruct(1_000);
        purse.settle(1_000, false);
        purse.pass(1, 300);
        purse.pass(2, 200);
        assert_eq!(purse.return_settled(1_000, false), (500, 500));
        assert_eq!(purse.held(), Held::default());
    }
}
