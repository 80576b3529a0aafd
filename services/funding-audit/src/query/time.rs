//! Which position was known at an instant, which day it was, and who a code names.

use super::{Point, QueryError, Sql, Store};
use concord_kernel::{Date, party::PartyCode};
use jiff::Timestamp;
use std::time::Duration;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// What the log knew at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownAt {
    /// Events up to this position, and never any more.
    Position(i64),
    /// Nothing: the first event was recorded later, at this instant.
    Nothing(Timestamp),
    /// Not settled: the newest applied event was recorded at this instant or before it, so further ones may yet be
    /// recorded at or before the instant asked about. `None` where there is no event.
    Unsettled(Option<Timestamp>),
}

/// Resolves an instant to the last position that was recorded at or before it.
pub(crate) async fn known_at(
    store: &Store,
    instant: Timestamp,
    within: Duration,
) -> Result<KnownAt, QueryError> {
    let mut sql = Sql::new("SELECT (SELECT position FROM clock WHERE recorded_at > ");
    sql.bind(instant, Type::TIMESTAMPTZ);
    sql.push(
        " ORDER BY recorded_at LIMIT 1), (SELECT min(recorded_at) FROM clock), (SELECT max(recorded_at) FROM clock)",
    );
    let rows = store.rows(&sql, within).await?;
    let row = rows.first().ok_or_else(|| QueryError::Corrupt("the clock has no answer".to_owned()))?;
    let first_later: Option<i64> = row.try_get(0)?;
    let first: Option<Timestamp> = row.try_get(1)?;
    Ok(match (first_later, first) {
        (Some(later), Some(first)) if later <= 1 => KnownAt::Nothing(first),
        (Some(later), _) => KnownAt::Position(later - 1),
        (None, _) => KnownAt::Unsettled(row.try_get(2)?),
    })
}

/// The first and the last position of the decision that a position lies inside of: among its events, and not the last of them.
pub(crate) async fn decision(
    store: &Store,
    position: i64,
    within: Duration,
) -> Result<Option<(u64, u64)>, QueryError> {
    let mut sql = Sql::new("SELECT d.first, d.last FROM (SELECT first, last FROM decisions WHERE first <= ");
    sql.bind(position, Type::INT8).push(" ORDER BY first DESC LIMIT 1) d WHERE d.last > ");
    sql.bind(position, Type::INT8);
    match store.rows(&sql, within).await?.first() {
        None => Ok(None),
        Some(row) => {
            let (first, last): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            Ok(Some((first.unsigned_abs(), last.unsigned_abs())))
        }
    }
}

/// The newest today that a played clock had at this position; `None` where it had not moved.
pub(crate) async fn played_today(
    store: &Store,
    point: Point,
    within: Duration,
) -> Result<Option<Date>, QueryError> {
    let mut sql = Sql::new("SELECT today FROM todays WHERE position <= ");
    sql.bind(point.position, Type::INT8).push(" ORDER BY position DESC LIMIT 1");
    match store.rows(&sql, within).await?.first() {
        None => Ok(None),
        Some(row) => Ok(Some(row.try_get(0)?)),
    }
}

/// When the newest event at or below this position was recorded; `None` where there is none.
pub(crate) async fn newest_recorded(
    store: &Store,
    point: Point,
    within: Duration,
) -> Result<Option<Timestamp>, QueryError> {
    // The clock has a row where the time changes; the last such row holds for what follows it.
    let mut sql = Sql::new("SELECT recorded_at FROM clock WHERE position <= ");
    sql.bind(point.position, Type::INT8).push(" ORDER BY position DESC LIMIT 1");
    match store.rows(&sql, within).await?.first() {
        None => Ok(None),
        Some(row) => Ok(Some(row.try_get(0)?)),
    }
}

/// All ids that stand for the same legal person as this one at a point, the id itself among them.
pub(crate) async fn same_person(
    store: &Store,
    point: Point,
    party: Uuid,
    within: Duration,
) -> Result<Vec<Uuid>, QueryError> {
    let mut sql = Sql::new("WITH ");
    sql.persons(point).push(", own AS (SELECT coalesce((SELECT h.person FROM persons h WHERE h.party = ");
    sql.bind(party, Type::UUID).push("), ").bind(party, Type::UUID);
    sql.push(
        ") AS person) SELECT own.person FROM own UNION SELECT h.party FROM persons h JOIN own USING (person) ORDER BY 1",
    );
    let rows = store.rows(&sql, within).await?;
    let mut ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    if !ids.contains(&party) {
        ids.push(party);
    }
    Ok(ids)
}

/// The party that had appeared under this code; `None` where none had.
pub(crate) async fn party(
    store: &Store,
    point: Point,
    code: &PartyCode,
    within: Duration,
) -> Result<Option<Uuid>, QueryError> {
    let mut sql = Sql::new("SELECT party FROM parties WHERE code = ");
    sql.bind(code.to_string(), Type::TEXT).push(" AND position <= ").bind(point.position, Type::INT8);
    sql.push(" ORDER BY position LIMIT 1");
    match store.rows(&sql, within).await?.first() {
        None => Ok(None),
        Some(row) => Ok(Some(row.try_get(0)?)),
    }
}
