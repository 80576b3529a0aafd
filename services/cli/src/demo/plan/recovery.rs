//! What becomes of money that is to be recovered 追缴, made up 模拟. It is demanded a quarter after it was determined:
//!
//! | of a hundred recoveries | what becomes of it |
//! |---|---|
//! | 45 | repaid a quarter after the demand |
//! | 15 | repaid in two parts |
//! | 12 | written off a year after it was determined |
//! | 12 | appealed against: overturned, where one party alone is concerned, in half of the cases, else repaid |
//! | 16 | outstanding for good: a finding |

use super::planner::{Planner, Todo};
use super::{Claim, Pursuit, Step};
use crate::demo::books::Held;

impl Planner<'_> {
    /// What was determined in a quarter is pursued: `takes` of the party that alone is concerned, where there is one.
    pub(super) fn claim(&mut self, quarter: usize, claim: Claim, takes: Held, party: Option<usize>) {
        let roll = self.grant.roll(&format!("claim/{claim}"));
        let minor = takes.total();
        let demanded = quarter + 1;
        let mut due = |quarter: usize, pursuit: Pursuit| self.due(quarter, Todo::Pursue(claim, pursuit));
        due(demanded, Pursuit::Demand);
        match roll % 100 {
            0..45 => due(demanded + 1, Pursuit::Repay { part: 1, minor }),
            45..60 => {
                due(demanded + 1, Pursuit::Repay { part: 1, minor: minor - minor / 2 });
                if minor > 1 {
                    due(demanded + 3, Pursuit::Repay { part: 2, minor: minor / 2 });
                }
            }
            60..72 => due(demanded + 3, Pursuit::WriteOff(minor)),
            72..84 => {
                due(demanded, Pursuit::Appeal);
                if party.is_some() && (roll / 100).is_multiple_of(2) {
                    due(demanded + 1, Pursuit::Overturn(takes));
                } else {
                    due(demanded + 1, Pursuit::Uphold);
                    due(demanded + 2, Pursuit::Repay { part: 1, minor });
                }
            }
            _ => {}
        }
    }

    /// The rest of a payment that came back short, which the partners held.
    pub(super) fn claim_short(&mut self, quarter: usize, claim: Claim, recovered: i64) {
        self.claim(quarter, claim, Held { unspent: recovered, ..Held::default() }, None);
    }

    pub(super) fn pursue(&mut self, quarter: usize, claim: Claim, pursuit: Pursuit) {
        if let (Pursuit::Overturn(takes), Some(party)) = (pursuit, self.concerned(claim)) {
            self.purse.give_back(party, takes);
        }
        self.take(quarter, Step::Recover(claim, pursuit));
    }

    /// The party that a recovery alone concerns.
    fn concerned(&self, claim: Claim) -> Option<usize> {
        match claim {
            Claim::Disallowed(place) => Some(self.items[place].item.party),
            Claim::Failed(_) => Some(super::LEAD),
            Claim::Kept { party, .. } => Some(party),
            Claim::Short(..) | Claim::Cancelled => None,
        }
    }
}
