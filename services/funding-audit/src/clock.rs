//! The log's today.

use concord_kernel::Date;
use jiff::{Timestamp, tz::TimeZone};

/// Where the log's today comes from (architecture, "Two clocks").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogClock {
    /// The calendar day in Asia/Shanghai.
    System,
    /// Moved by events only, from this day on.
    Played {
        /// Today before the first such event, as the log was created.
        from: Date,
    },
}

impl LogClock {
    /// The clock of a log whose service states the first today of a played one as `played_from`, "YYYY-MM-DD"; empty where the
    /// clock is the system's.
    #[must_use]
    pub fn of(played_from: &str) -> Self {
        played_from.parse().map_or(Self::System, |from| Self::Played { from })
    }
}

/// The calendar day in Asia/Shanghai.
pub(crate) fn day_in_shanghai(instant: Timestamp) -> Date {
    // UTC+8 all year since 1992; no time zone database is needed.
    instant.to_zoned(TimeZone::fixed(jiff::tz::offset(8))).date()
}
