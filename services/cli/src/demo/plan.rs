//! What happens to each imported grant in the demo, and when: derived from its number by hash, so that every run plans
//! the same, and a run that was interrupted ends where one in a single piece does.
//!
//! Time goes forward by quarters. Every step happens on a quarter's last day, which is then the log's today: a tranche's
//! money may be dated back five days at most, and no step lies before the one before it.

use concord_kernel::Date;
use concord_proto::fund::v1::PlannedTranche;

use crate::ids;

/// First and last year that is played.
pub(super) const YEARS: std::ops::RangeInclusive<i16> = 2014..=2022;

/// A step of a grant's life after its import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// The payee's account is verified.
    VerifyPayee,
    /// A tranche is asked for.
    Request(u32),
    /// It is authorised.
    Authorise(u32),
    /// The bank is instructed: tranche and attempt.
    Instruct(u32, u32),
    /// The bank has paid: tranche and attempt.
    Settle(u32, u32),
    /// The bank sent an attempt back before it had paid.
    ReturnUnsettled(u32, u32),
    /// The bank sent an attempt back after it had paid.
    ReturnSettled(u32, u32),
}

/// How a tranche ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Never asked for: overdue one day.
    LeftPlanned,
    LeftRequested,
    LeftAuthorised,
    LeftInstructed,
    Settled,
    ReturnedThenSettled,
    SettledThenReturned,
    SettledReturnedSettled,
}

/// The days that are played: the last of each quarter.
#[must_use]
pub(super) fn quarters() -> Vec<Date> {
    YEARS
        .flat_map(|year| [3, 6, 9, 12].into_iter().filter_map(move |month| Date::new(year, month, 1).ok()))
        .map(|first| first.last_of_month())
        .collect()
}

/// The quarter in which a day lies: of a day before the first quarter the first, of one after the last none.
#[must_use]
pub(super) fn quarter_of(day: Date, quarters: &[Date]) -> Option<usize> {
    quarters.iter().position(|last| day <= *last)
}

/// The steps of one grant, each with its quarter, in order.
#[must_use]
pub(super) fn life(
    key: &str,
    tranches: &[PlannedTranche],
    imported: usize,
    quarters: &[Date],
) -> Vec<(usize, Step)> {
    let mut steps = vec![(imported, Step::VerifyPayee)];
    let mut earliest = imported;
    for tranche in tranches {
        let number = tranche.number;
        let roll = ids::spread(&format!("demo/fate/{key}/{number}"));
        let due = tranche.due_on.parse().ok().and_then(|due| quarter_of(due, quarters));
        // Half are asked for in the quarter in which they are due, the others later.
        let delay = [0, 0, 1, 2][(roll / 100 % 4) as usize];
        let Some(begun) = due.map(|due| due.max(earliest) + delay).filter(|begun| *begun < quarters.len())
        else {
            return steps;
        };
        // The bank takes until the next quarter to send a payment back; after the last quarter it cannot.
        let later = (begun + 1 < quarters.len()).then_some(begun + 1);
        let fate = fate(roll % 100);
        if fate == Fate::LeftPlanned {
            return steps;
        }
        let mut take = |quarter: usize, step: Step| steps.push((quarter, step));
        take(begun, Step::Request(number));
        if fate == Fate::LeftRequested {
            return steps;
        }
        take(begun, Step::Authorise(number));
        if fate == Fate::LeftAuthorised {
            return steps;
        }
        take(begun, Step::Instruct(number, 1));
        earliest = begun;
        match (fate, later) {
            (Fate::LeftInstructed, _) => return steps,
            (Fate::ReturnedThenSettled, Some(later)) => {
                take(begun, Step::ReturnUnsettled(number, 1));
                take(later, Step::Instruct(number, 2));
                take(later, Step::Settle(number, 2));
                earliest = later;
            }
            (Fate::SettledThenReturned, Some(later)) => {
                take(begun, Step::Settle(number, 1));
                take(later, Step::ReturnSettled(number, 1));
                return steps;
            }
            (Fate::SettledReturnedSettled, Some(later)) => {
                take(begun, Step::Settle(number, 1));
                take(later, Step::ReturnSettled(number, 1));
                take(later, Step::Instruct(number, 2));
                take(later, Step::Settle(number, 2));
                earliest = later;
            }
            _ => take(begun, Step::Settle(number, 1)),
        }
    }
    steps
}

/// Of a hundred tranches: how many end how.
fn fate(roll: u64) -> Fate {
    match roll {
        0..4 => Fate::LeftPlanned,
        4..6 => Fate::LeftRequested,
        6..8 => Fate::LeftAuthorised,
        8..10 => Fate::LeftInstructed,
        10..15 => Fate::ReturnedThenSettled,
        15..17 => Fate::SettledThenReturned,
        17..19 => Fate::SettledReturnedSettled,
        _ => Fate::Settled,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::import::tranches;

    fn lives() -> Vec<Vec<(usize, Step)>> {
        let quarters = quarters();
        let start: Date = "2015-02-01".parse().unwrap();
        let plan = tranches::plan(1_000_000, start, Some("2018-01-31".parse().unwrap()));
        (0..2_000).map(|key| life(&key.to_string(), &plan, 4, &quarters)).collect()
    }

    #[test]
    fn quarters_end_on_their_last_day() {
        let quarters = quarters();
        assert_eq!(quarters.len(), 36);
        assert_eq!(quarters[0].to_string(), "2014-03-31");
        assert_eq!(quarters[35].to_string(), "2022-12-31");
        assert_eq!(quarter_of("2014-04-01".parse().unwrap(), &quarters), Some(1));
        assert_eq!(quarter_of("2010-01-01".parse().unwrap(), &quarters), Some(0));
        assert_eq!(quarter_of("2023-01-01".parse().unwrap(), &quarters), None);
    }

    #[test]
    fn every_run_plans_the_same_and_time_only_goes_forward() {
        assert_eq!(lives(), lives());
        for life in lives() {
            assert!(life.is_sorted_by_key(|(quarter, _)| *quarter), "{life:?}");
            assert_eq!(life[0], (4, Step::VerifyPayee));
            assert!(life.iter().all(|(quarter, _)| *quarter < 36));
        }
    }

    #[test]
    fn all_ends_occur() {
        let lives = lives();
        let ends =
            |wanted: fn(&Step) -> bool| lives.iter().filter(|life| wanted(&life[life.len() - 1].1)).count();
        assert!(ends(|step| matches!(step, Step::Settle(3, _))) > 1_200);
        assert!(ends(|step| matches!(step, Step::Request(_))) > 20);
        assert!(ends(|step| matches!(step, Step::Authorise(_))) > 20);
        assert!(ends(|step| matches!(step, Step::Instruct(..))) > 20);
        assert!(ends(|step| matches!(step, Step::ReturnSettled(..))) > 20);
        assert!(ends(|step| matches!(step, Step::VerifyPayee)) > 20);
    }

    /// A state machine of its own: what the plan does is what a tranche allows.
    #[test]
    fn no_step_is_taken_out_of_order() {
        for life in lives() {
            let mut at = [0_u8; 4];
            for (_, step) in &life[1..] {
                let (number, from, to): (u32, &[u8], u8) = match *step {
                    Step::VerifyPayee => panic!("verified twice"),
                    Step::Request(number) => (number, &[0], 1),
                    Step::Authorise(number) => (number, &[1], 2),
                    Step::Instruct(number, 1) => (number, &[2], 3),
                    Step::Instruct(number, _) => (number, &[5], 3),
                    Step::Settle(number, _) => (number, &[3], 4),
                    Step::ReturnUnsettled(number, _) => (number, &[3], 5),
                    Step::ReturnSettled(number, _) => (number, &[4], 5),
                };
                assert!(from.contains(&at[number as usize]), "{life:?}");
                at[number as usize] = to;
            }
        }
    }
}
