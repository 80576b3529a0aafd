//! Working days 工作日: Monday to Friday, less the holidays and plus the make-up days 调休 of the State Council's yearly
//! notices (domain.md section 6).
//!
//! A year whose notice is not loaded is refused rather than guessed: a notice period that is one day short is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::civil::Weekday;

use crate::Date;

static SHIPPED: LazyLock<Calendar> = LazyLock::new(|| {
    Calendar::from_csv(include_str!("../../../deploy/calendar/cn-working-days.csv"))
        .expect("the shipped calendar parses; a unit test holds it to that")
});

/// Which days are worked, for the years it covers 工作日历.
#[derive(Clone, Debug)]
pub struct Calendar {
    years: BTreeSet<i16>,
    /// The days that do not follow the week: true for a weekend day that is worked, false for a weekday that is off.
    exceptions: BTreeMap<Date, bool>,
}

/// Why a day could not be judged, or a table of days not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The computation ran into a year that is not covered.
    #[error(
        "the working-day calendar lacks {year} (it holds years from {first} to {last}); load a supplement with the State Council's notice for {year}"
    )]
    YearMissing {
        /// The year that is needed.
        year: i16,
        /// The first year covered.
        first: i16,
        /// The last year covered.
        last: i16,
    },
    /// A line of the table cannot be read.
    #[error(
        "line {line} of the working-day calendar: {problem}; write date,kind,name (2012-10-01,holiday,国庆节) or YYYY,year,"
    )]
    Table {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The table covers no year.
    #[error(
        "the working-day calendar covers no year; add a line such as 2027,year, for each year it states in full"
    )]
    NoYear,
}

impl Calendar {
    /// The shipped calendar of mainland China, 2004 to 2026 (`deploy/calendar/README.md`).
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a table of exceptional days: lines `date,kind,name` with kind `holiday` (a weekday off) or `workday` (a
    /// weekend day worked), and a line `YYYY,year,` for every year that is stated in full. `#` starts a comment line.
    ///
    /// Days must lie in a stated year, or in the December before one: a year's notice may reach back so far.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Table`] naming the line; [`CalendarError::NoYear`] when no year is stated.
    pub fn from_csv(text: &str) -> Result<Self, CalendarError> {
        let mut calendar = Self { years: BTreeSet::new(), exceptions: BTreeMap::new() };
        let mut line_of_day = Vec::new();
        for (text, line) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match read_line(text) {
                Ok(Entry::Year(year)) => {
                    calendar.years.insert(year);
                }
                Ok(Entry::Exception(day, is_worked)) => {
                    if calendar.exceptions.insert(day, is_worked).is_some() {
                        return Err(CalendarError::Table {
                            line,
                            problem: format!("{day} stands there twice"),
                        });
                    }
                    line_of_day.push((line, day));
                }
                Err(problem) => return Err(CalendarError::Table { line, problem }),
            }
        }
        if calendar.years.is_empty() {
            return Err(CalendarError::NoYear);
        }
        for (line, day) in line_of_day {
            let reaches_back = day.month() == 12 && calendar.years.contains(&(day.year() + 1));
            if !calendar.years.contains(&day.year()) && !reaches_back {
                let problem = format!("{day} lies in a year that the table does not state in full");
                return Err(CalendarError::Table { line, problem });
            }
        }
        Ok(calendar)
    }

    /// Takes in a supplement. A year that it states replaces that year as a whole, so that a corrected notice can be
    /// loaded; its days in the December before its first year are added to what is known.
    pub fn extend(&mut self, other: Self) {
        self.exceptions.retain(|day, _| !other.years.contains(&day.year()));
        self.exceptions.extend(other.exceptions);
        self.years.extend(other.years);
    }

    /// Whether a day is worked.
    ///
    /// # Errors
    ///
    /// [`CalendarError::YearMissing`] when the day's year is not covered.
    pub fn is_working_day(&self, day: Date) -> Result<bool, CalendarError> {
        if !self.years.contains(&day.year()) {
            return Err(self.year_missing(day.year()));
        }
        Ok(self.exceptions.get(&day).copied().unwrap_or_else(|| !is_weekend(day)))
    }

    /// The day on which the `days`-th working day after `from` falls; `from` itself is not counted, and 0 gives `from`.
    ///
    /// # Errors
    ///
    /// [`CalendarError::YearMissing`] when the count runs into a year that is not covered.
    pub fn add_working_days(&self, from: Date, days: u32) -> Result<Date, CalendarError> {
        let mut day = from;
        let mut left = days;
        while left > 0 {
            day = self.day_after(day)?;
            left -= u32::from(self.is_working_day(day)?);
        }
        Ok(day)
    }

    /// How many working days there are after `after`, up to and including `until`; 0 when `until` is not later.
    ///
    /// # Errors
    ///
    /// [`CalendarError::YearMissing`] when one of the days lies in a year that is not covered.
    pub fn working_days_between(&self, after: Date, until: Date) -> Result<u32, CalendarError> {
        let mut count = 0;
        let mut day = after;
        while day < until {
            day = self.day_after(day)?;
            count += u32::from(self.is_working_day(day)?);
        }
        Ok(count)
    }

    /// The next day. There is none after the last date that can be written, and then a year is missing too.
    fn day_after(&self, day: Date) -> Result<Date, CalendarError> {
        day.tomorrow().map_err(|_| self.year_missing(day.year()))
    }

    fn year_missing(&self, year: i16) -> CalendarError {
        let first = self.years.first().copied().unwrap_or_default();
        let last = self.years.last().copied().unwrap_or_default();
        CalendarError::YearMissing { year, first, last }
    }
}

enum Entry {
    Year(i16),
    Exception(Date, bool),
}

fn read_line(text: &str) -> Result<Entry, String> {
    let columns: Vec<&str> = text.split(',').map(str::trim).collect();
    let &[when, kind, _name] = columns.as_slice() else {
        return Err(format!("there are {} columns where 3 should be", columns.len()));
    };
    if kind == "year" {
        // Bounded so that the year before and the year after can be written as dates.
        let year = when.parse().ok().filter(|year| (1949..=9998).contains(year));
        return year.map(Entry::Year).ok_or_else(|| format!("{when:?} is not a year"));
    }
    let day: Date = when.parse().map_err(|_| format!("{when:?} is not a date"))?;
    match (kind, is_weekend(day)) {
        ("holiday", false) => Ok(Entry::Exception(day, false)),
        ("workday", true) => Ok(Entry::Exception(day, true)),
        // Either is a slip of the pen in the date or in the kind, and would pass unnoticed.
        ("holiday", true) => Err(format!("{day} is off anyway, it is a {:?}", day.weekday())),
        ("workday", false) => Err(format!("{day} is worked anyway, it is a {:?}", day.weekday())),
        _ => Err(format!("the kind {kind:?} is none of holiday, workday and year")),
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_follow_the_week_the_holidays_and_the_make_up_days() {
        let calendar = Calendar::shipped();
        for (day, is_worked, why) in [
            (date(2012, 9, 14), true, "a Friday"),
            (date(2012, 9, 15), false, "a Saturday, the day of the opinion"),
            (date(2012, 9, 29), true, "a Saturday worked for the National Day week"),
            (date(2012, 10, 1), false, "National Day"),
            (date(2012, 10, 5), false, "the Friday of that week"),
            (date(2012, 10, 8), true, "the Monday after"),
            (date(2020, 1, 31), false, "the prolonged Spring Festival of 2020"),
            (date(2026, 2, 14), true, "a Saturday worked for the Spring Festival"),
        ] {
            assert_eq!(calendar.is_working_day(day), Ok(is_worked), "{day} is {why}");
        }
    }

    #[test]
    fn a_period_is_counted_from_the_next_day() {
        let calendar = Calendar::shipped();
        // Posted on Monday 2012-09-24: 25 26 27 28 29 (Saturday, worked), the holiday week, 8 and 9 October.
        assert_eq!(calendar.add_working_days(date(2012, 9, 24), 7), Ok(date(2012, 10, 9)));
        assert_eq!(calendar.working_days_between(date(2012, 9, 24), date(2012, 10, 9)), Ok(7));
        assert_eq!(calendar.working_days_between(date(2012, 9, 29), date(2012, 10, 7)), Ok(0));
        assert_eq!(calendar.add_working_days(date(2012, 10, 1), 0), Ok(date(2012, 10, 1)));
        assert_eq!(calendar.working_days_between(date(2012, 10, 9), date(2012, 9, 24)), Ok(0));
    }

    #[test]
    fn a_year_that_is_not_covered_is_refused_saying_so() {
        let calendar = Calendar::shipped();
        let missing = |year| CalendarError::YearMissing { year, first: 2004, last: 2026 };
        assert_eq!(calendar.is_working_day(date(2003, 12, 31)), Err(missing(2003)));
        assert_eq!(calendar.add_working_days(date(2026, 12, 28), 7), Err(missing(2027)));
        assert_eq!(calendar.working_days_between(date(2026, 12, 28), date(2027, 1, 2)), Err(missing(2027)));
        assert_eq!(calendar.add_working_days(Date::MAX, 1), Err(missing(9999)));
        assert!(
            missing(2027).to_string().contains("load a supplement with the State Council's notice for 2027")
        );
    }

    #[test]
    fn a_supplement_adds_its_year_and_replaces_one_that_is_known() {
        let mut calendar = Calendar::shipped().clone();
        let supplement = "2026-12-27,workday,元旦\n2027,year,\n2027-01-01,holiday,元旦\n";
        calendar.extend(Calendar::from_csv(supplement).unwrap());
        assert_eq!(calendar.is_working_day(date(2026, 12, 27)), Ok(true));
        assert_eq!(calendar.is_working_day(date(2026, 10, 1)), Ok(false));
        assert_eq!(calendar.add_working_days(date(2026, 12, 31), 1), Ok(date(2027, 1, 4)));
        calendar.extend(Calendar::from_csv("2027,year,\n").unwrap());
        assert_eq!(calendar.is_working_day(date(2027, 1, 1)), Ok(true));
    }

    #[test]
    fn a_table_that_cannot_be_read_is_refused_with_its_line() {
        for (table, words) in [
            ("# nothing\n", "covers no year"),
            (
                "2027,year,\n2027-01-02,holiday,元旦\n",
                "line 2 of the working-day calendar: 2027-01-02 is off anyway",
            ),
            ("2027,year,\n2027-01-04,workday,元旦\n", "is worked anyway, it is a Monday"),
            ("2027,year,\n2027-01-01,off,元旦\n", "none of holiday, workday and year"),
            ("2027,year,\n2027-02-30,holiday,\n", "\"2027-02-30\" is not a date"),
            (
                "2027,year,\n2027-01-01,holiday,\n2027-01-01,holiday,\n",
                "line 3 of the working-day calendar: 2027-01-01 stands there twice",
            ),
            ("2027,year,\n2028-01-03,holiday,\n", "does not state in full"),
            ("2027,year\n", "2 columns where 3"),
            ("MMXX,year,\n", "\"MMXX\" is not a year"),
        ] {
            let refusal = Calendar::from_csv(table).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
        }
    }

    proptest! {
        #[test]
        fn counting_forth_and_back_agree(offset in 0_i64..8_000, days in 1_u32..60) {
            let calendar = Calendar::shipped();
            let from = date(2004, 1, 1).checked_add(jiff::Span::new().days(offset)).unwrap();
            let until = calendar.add_working_days(from, days).unwrap();
            prop_assert!(calendar.is_working_day(until).unwrap());
            prop_assert_eq!(calendar.working_days_between(from, until).unwrap(), days);
        }
    }
}
