//! What recipients report as spent 支出, and what the office makes of it, made up 模拟.
//!
//! A quarter after each tranche the lead reports one item, and after the first up to two partners do; after the last one every
//! partner reports the rest of what it holds. The office decides a quarter later.
//!
//! | of a hundred items | what is with them |
//! |---|---|
//! | 2 | of a category that is not eligible; two of three are accepted all the same |
//! | 2 | spent before the project began, or after it ended |
//! | 3 | disallowed for other reasons |
//!
//! Half of the items have an invoice; what a partner reports beside its lead may be on the lead's. Once a project has passed
//! final acceptance, an item that had been accepted is disallowed in one of twenty.

use concord_kernel::Date;
use concord_kernel::money::share_of;
use concord_proto::fund::v1::SpendCategory;
use jiff::ToSpan as _;

use super::planner::{PlannedItem, Planner, Todo};
use super::{Claim, Item, LEAD, MoneyStep};
use crate::demo::books::Held;

/// Partners that report with the first tranche already.
const EARLY_PARTNERS: usize = 2;
/// Days before a project begins on which something is spent too early.
const TOO_EARLY_DAYS: i64 = 10;
const ELIGIBLE: [SpendCategory; 8] = [
    SpendCategory::Labour,
    SpendCategory::Equipment,
    SpendCategory::Materials,
    SpendCategory::Testing,
    SpendCategory::Energy,
    SpendCategory::Travel,
    SpendCategory::Publication,
    SpendCategory::Overhead,
];
const INELIGIBLE: [SpendCategory; 3] =
    [SpendCategory::Fine, SpendCategory::Donation, SpendCategory::DebtRepayment];

impl Planner<'_> {
    /// Partners that report after a tranche: all of them at the end.
    pub(super) fn reporting(&self, all: bool) -> std::ops::Range<usize> {
        let partners = self.grant.shares.len();
        let reporting = if all {
            partners
        } else if self.items.is_empty() {
            partners.min(EARLY_PARTNERS)
        } else {
            0
        };
        1..reporting + 1
    }

    /// A party reports an item of what it holds: a part, or at the end mostly all of it.
    pub(super) fn report(&mut self, quarter: usize, party: usize, all: bool) {
        let place = self.items.len();
        let roll = self.grant.roll(&format!("spend/{place}"));
        let percent = match (all, roll % 100) {
            (true, 0..65) => 100,
            (true, other) => 80 + other % 18,
            (false, other) => 60 + other % 36,
        };
        let minor = share_of(self.purse.free(party), u32::try_from(percent).unwrap_or(100));
        if self.ended.is_some() || minor == 0 {
            return;
        }
        let kind = roll / 100 % 100;
        let category = match kind {
            0..2 => INELIGIBLE[(roll / 10_000 % INELIGIBLE.len() as u64) as usize],
            _ => ELIGIBLE[(roll / 10_000 % ELIGIBLE.len() as u64) as usize],
        };
        let spent_on = self.spent_on(quarter, roll / 1_000_000, (2..4).contains(&kind));
        let invoice = self.invoice(quarter, party, minor, roll / 100_000);
        self.purse.report(party, minor);
        self.take(quarter, MoneyStep::Report(place));
        self.due(quarter + 1, Todo::Decide(place));
        let item = Item { party, category, spent_on, minor, invoice };
        self.items.push(PlannedItem { item, reported: quarter, is_accepted: false });
    }

    /// A day of the project and of the last weeks, or one outside the project.
    fn spent_on(&self, quarter: usize, roll: u64, is_outside: bool) -> Date {
        let (today, starts_on) = (self.grant.days[quarter], self.grant.starts_on);
        match (is_outside, self.grant.ends_on, starts_on) {
            (true, Some(ends_on), _) if ends_on < today => return today,
            (true, _, Some(starts_on)) => return starts_on.saturating_sub(TOO_EARLY_DAYS.days()),
            _ => {}
        }
        let latest = self.grant.ends_on.map_or(today, |ends_on| ends_on.min(today));
        let back = i64::try_from(roll % 60).unwrap_or(0);
        let day = latest.saturating_sub(back.days());
        starts_on.map_or(day, |starts_on| day.max(starts_on.min(latest)))
    }

    /// The invoice that an item is on, if any. A partner's may be on what its lead reports in the same quarter.
    fn invoice(&mut self, quarter: usize, party: usize, minor: i64, roll: u64) -> Option<u32> {
        let of_lead = self.items.iter().rev().take_while(|planned| planned.reported == quarter);
        let of_lead =
            of_lead.filter(|planned| planned.item.party == LEAD).find_map(|planned| planned.item.invoice);
        let place = match (roll % 4, of_lead) {
            (0, Some(shared)) if party != LEAD => {
                let place = usize::try_from(shared).ok()?;
                self.invoices[place] += minor;
                return Some(shared);
            }
            (0..2, _) => self.invoices.len(),
            _ => return None,
        };
        self.invoices.push(minor);
        u32::try_from(place).ok()
    }

    /// The office accepts an item or disallows it. What the party does not hold any more is not accepted.
    pub(super) fn decide(&mut self, quarter: usize, place: usize) {
        let Item { party, category, minor, .. } = self.items[place].item;
        let roll = self.grant.roll(&format!("decide/{place}"));
        let is_doubtful =
            if INELIGIBLE.contains(&category) { roll.is_multiple_of(3) } else { roll % 100 < 3 };
        if is_doubtful || self.purse.pocket(party).unspent < minor {
            self.purse.disallow(party, minor);
            return self.take(quarter, MoneyStep::Disallow { item: place, is_recovered: false });
        }
        self.purse.accept(party, minor);
        self.items[place].is_accepted = true;
        self.take(quarter, MoneyStep::Accept(place));
    }

    /// The first accepted item of a project in twenty turns out to be wrong once it was accepted.
    pub(super) fn look_back(&mut self, quarter: usize) {
        let accepted = self.items.iter().position(|planned| planned.is_accepted);
        if let Some(place) = accepted.filter(|_| self.grant.roll("look-back").is_multiple_of(20)) {
            self.due(quarter + 1, Todo::DisallowAccepted(place));
        }
    }

    /// The money is gone: what is disallowed is recovered.
    pub(super) fn disallow_accepted(&mut self, quarter: usize, place: usize) {
        let Item { party, minor, .. } = self.items[place].item;
        if self.purse.pocket(party).spent < minor {
            return;
        }
        self.purse.recover(party, Held { spent: minor, ..Held::default() });
        self.items[place].is_accepted = false;
        self.take(quarter, MoneyStep::Disallow { item: place, is_recovered: true });
        let back = Held { unspent: minor, ..Held::default() };
        self.claim(quarter, Claim::Disallowed(place), back, Some(party));
    }
}
