//! Matching money 配套 of a grant, made up 模拟: what is pledged beside it, and when it comes.
//!
//! A third of the grants pledge it: a city's budget and the recipients' own money, of what the project costs beyond the award
//! where the row says so, else of a part of the award. Each in two instalments, due on quarters' last days.
//!
//! | of a hundred sources | what becomes of it |
//! |---|---|
//! | 74 | each instalment arrives in the quarter in which it is due |
//! | 12 | the first one arrives one to three quarters late |
//! | 7 | half of the second one never arrives |
//! | 7 | nothing arrives; a third of these are released by a meeting |

use concord_kernel::Date;
use concord_kernel::money::share_of;
use concord_kernel::rulebook::Rulebooks;

use super::{Facts, MoneyStep};
use crate::ids;

/// Of a hundred grants, how many pledge matching money.
const PLEDGING: u64 = 33;
/// Part of what the project costs beyond the award that is pledged, in per cent.
const OF_COST_PERCENT: u32 = 75;
/// Part of the award that is pledged where the row has no such cost, in per cent.
const OF_AWARD_PERCENT: u32 = 30;
/// The city's part of the pledge, in per cent.
const CITY_PERCENT: u32 = 40;
/// Quarters from the last due day until a meeting releases a source that never came.
const RELEASED_AFTER: usize = 3;

/// What is pledged beside a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::demo) struct Matching {
    /// The sources, numbered from 1: the city's budget, the recipients' own money.
    pub(in crate::demo) sources: Vec<Source>,
}

/// A source of matching money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::demo) struct Source {
    /// Number within the grant, from 1.
    pub(in crate::demo) number: u32,
    /// Whether it is a city's budget; else the recipients' own money.
    pub(in crate::demo) is_public: bool,
    /// The two instalments.
    pub(in crate::demo) instalments: [Instalment; 2],
    /// Quarter in which it is released from what has not come.
    released: Option<usize>,
}

/// An instalment of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) struct Instalment {
    /// Pledged, in minor units.
    pub(in crate::demo) minor: i64,
    /// Quarter on whose last day it is due.
    pub(in crate::demo) due: usize,
    /// Quarter in which it arrives, if ever, and how much of it.
    arrives: Option<(usize, i64)>,
}

impl Matching {
    /// What is pledged beside this grant; nothing beside most.
    pub(super) fn of(grant: &Facts<'_>) -> Self {
        let last = grant.days.len() - 1;
        let roll = grant.roll("matching");
        // What would be due at once is not pledged: nothing of it is known yet.
        let (first, second) = due_quarters(grant, roll);
        if roll % 100 >= PLEDGING || second > last {
            return Self::default();
        }
        let beyond = grant.cost_minor.map(|cost| cost - grant.award_minor).filter(|beyond| *beyond > 0);
        let pledged = beyond.map_or_else(
            || share_of(grant.award_minor, OF_AWARD_PERCENT),
            |beyond| share_of(beyond, OF_COST_PERCENT),
        );
        let city = share_of(pledged, CITY_PERCENT);
        let source = |number: u32, minor: i64| Source::of(grant, number, minor, [first, second]);
        match [source(1, city), source(2, pledged - city)] {
            [Some(city), Some(own)] => Self { sources: vec![city, own] },
            _ => Self::default(),
        }
    }

    /// What happens in a quarter.
    pub(super) fn steps(&self, imported: usize, quarter: usize) -> Vec<MoneyStep> {
        let mut steps = Vec::new();
        for source in &self.sources {
            let number = source.number;
            if quarter == imported {
                steps.push(MoneyStep::Pledge(number));
            }
            for (instalment, of) in (1..).zip(&source.instalments) {
                if let Some((arrives, minor)) = of.arrives
                    && arrives == quarter
                {
                    steps.push(MoneyStep::Arrive { source: number, instalment, minor });
                }
            }
            if source.released == Some(quarter) {
                steps.push(MoneyStep::Release { source: number, minor: source.missing_by(quarter) });
            }
        }
        steps
    }

    /// Whether a tranche may be asked for and authorised in a quarter (A03): from the second one on, its ratio of what is
    /// pledged has come, and of each source all that is due by then.
    pub(super) fn allows(&self, tranche: u32, quarter: usize, on: Date) -> bool {
        if tranche < 2 || self.sources.is_empty() {
            return true;
        }
        let ratios = &Rulebooks::shipped().at_or_first(on).matching_ratio_percent;
        let place = usize::try_from(tranche - 1).unwrap_or(usize::MAX);
        let percent = ratios.get(place).or(ratios.last()).copied().unwrap_or(0);
        let sum = |of: fn(&Source, usize) -> i64| -> i64 {
            self.sources.iter().map(|source| of(source, quarter)).sum()
        };
        let (pledged, arrived) = (sum(Source::pledged_by), sum(Source::arrived_by));
        i128::from(arrived) * 100 >= i128::from(pledged) * i128::from(percent)
            && self.sources.iter().all(|source| source.is_up_to_date(quarter))
    }
}

/// The second instalment is due about when the project is half over, the first before it.
fn due_quarters(grant: &Facts<'_>, roll: u64) -> (usize, usize) {
    let first = grant.imported + 1 + (roll / 100 % 2) as usize;
    let ends = grant.ending.unwrap_or(grant.days.len());
    let second = (grant.imported + ends.saturating_sub(grant.imported) / 2).max(first + 1);
    (first, second)
}

impl Source {
    /// `None` where there is too little to be parted.
    fn of(grant: &Facts<'_>, number: u32, minor: i64, due: [usize; 2]) -> Option<Self> {
        // Three fifths with the first: as much as the second tranche waits for.
        let first = share_of(minor, 60) + i64::from(minor % 5 != 0);
        let second = minor - first;
        if first <= 0 || second <= 0 {
            return None;
        }
        let last = grant.days.len() - 1;
        let roll = ids::spread(&format!("demo/matching/{}/{number}", grant.key));
        let late = due[0] + 1 + (roll / 100 % 3) as usize;
        let (arrives, released) = match roll % 100 {
            0..7 => {
                let released = due[1] + RELEASED_AFTER;
                ([None, None], (roll / 1_000).is_multiple_of(3).then_some(released))
            }
            7..14 => ([Some((due[0], first)), Some((due[1], second - second / 2))], None),
            14..26 => ([Some((late, first)), Some((late.max(due[1]), second))], None),
            _ => ([Some((due[0], first)), Some((due[1], second))], None),
        };
        let [one, other] = arrives.map(|arrives| arrives.filter(|(quarter, _)| *quarter <= last));
        Some(Self {
            number,
            is_public: number == 1,
            instalments: [
                Instalment { minor: first, due: due[0], arrives: one },
                Instalment { minor: second, due: due[1], arrives: other },
            ],
            released: released.filter(|quarter| *quarter <= last),
        })
    }

    fn arrived_by(&self, quarter: usize) -> i64 {
        self.instalments.iter().map(|instalment| instalment.arrived_by(quarter)).sum()
    }

    fn is_released_by(&self, quarter: usize) -> bool {
        self.released.is_some_and(|released| released <= quarter)
    }

    /// Pledged, and not released by then.
    fn pledged_by(&self, quarter: usize) -> i64 {
        if self.is_released_by(quarter) {
            return self.arrived_by(quarter);
        }
        self.instalments.iter().map(|instalment| instalment.minor).sum()
    }

    fn missing_by(&self, quarter: usize) -> i64 {
        let pledged: i64 = self.instalments.iter().map(|instalment| instalment.minor).sum();
        pledged - self.arrived_by(quarter)
    }

    /// What is due by the quarter's last day has come by then, or is not owed any more.
    fn is_up_to_date(&self, quarter: usize) -> bool {
        let has_come = |of: &Instalment| of.due > quarter || of.arrived_by(quarter) == of.minor;
        self.is_released_by(quarter) || self.instalments.iter().all(has_come)
    }
}

impl Instalment {
    fn arrived_by(&self, quarter: usize) -> i64 {
        self.arrives.filter(|(arrives, _)| *arrives <= quarter).map_or(0, |(_, minor)| minor)
    }
}
