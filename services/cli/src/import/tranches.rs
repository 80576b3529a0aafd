//! A synthetic payment plan 模拟拨款计划 for awards whose source has none: 50, 30 and 20 per cent, the shares that the
//! shipped rulebook has as its default (domain.md section 6).

use concord_kernel::Date;
use concord_kernel::money::share_of;
use concord_proto::fund::v1::{PlannedTranche, TrancheCondition};
use jiff::ToSpan as _;

/// Days after the start by which the first tranche is due.
const FIRST_DUE_DAYS: i64 = 30;
/// Days after the end by which the last one is due, final acceptance included.
const LAST_DUE_DAYS: i64 = 90;
/// Assumed length of a project whose end is not known: the most frequent one in Horizon 2020 after 48 months.
const ASSUMED_MONTHS: i64 = 36;

/// The plan for an award: due after the start, in the middle, and after the end.
///
/// Tranches that would be empty are left out, so that even one cent has a plan that adds up to it.
#[must_use]
pub fn plan(amount_minor: i64, start: Date, end: Option<Date>) -> Vec<PlannedTranche> {
    let end =
        end.filter(|end| *end >= start).unwrap_or_else(|| start.saturating_add(ASSUMED_MONTHS.months()));
    let days = i64::from(start.until(end).map_or(0, |span| span.get_days()));
    let first = share_of(amount_minor, 50);
    let second = share_of(amount_minor, 30);
    let lines = [
        (first, TrancheCondition::Contract, start.saturating_add(FIRST_DUE_DAYS.days())),
        (second, TrancheCondition::Midterm, start.saturating_add((days / 2).max(FIRST_DUE_DAYS).days())),
        (
            amount_minor - first - second,
            TrancheCondition::FinalAcceptance,
            end.saturating_add(LAST_DUE_DAYS.days()),
        ),
    ];
    let planned = lines.into_iter().filter(|(amount_minor, ..)| *amount_minor > 0);
    planned
        .zip(1..)
        .map(|((amount_minor, condition, due_on), number)| PlannedTranche {
            number,
            amount_minor,
            condition: condition.into(),
            due_on: due_on.to_string(),
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_adds_up_and_its_due_dates_follow_the_project() {
        let start: Date = "2019-05-01".parse().unwrap();
        for amount_minor in [1, 3, 99, 100_001, 292_787_500] {
            let plan = plan(amount_minor, start, Some("2022-04-30".parse().unwrap()));
            assert_eq!(plan.iter().map(|tranche| tranche.amount_minor).sum::<i64>(), amount_minor);
            assert!(plan.iter().all(|tranche| tranche.amount_minor > 0));
            assert!(plan.iter().zip(1..).all(|(tranche, number)| tranche.number == number));
            assert!(plan.is_sorted_by_key(|tranche| tranche.due_on.clone()));
        }
        let whole = plan(10_000, start, Some("2022-04-30".parse().unwrap()));
        assert_eq!(
            whole.iter().map(|tranche| tranche.amount_minor).collect::<Vec<_>>(),
            [5_000, 3_000, 2_000]
        );
        assert_eq!(whole[2].due_on, "2022-07-29");
        assert_eq!(plan(10_000, start, None)[2].due_on, "2022-07-30");
    }
}
