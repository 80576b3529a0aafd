//! Matching money: what was pledged, what has arrived, and what is missing for how long.

use super::{Filter, GRANTS, Point, QueryError, Slice, Sql, View, day, fill, finish, id, sums};
use crate::numbers::{self, GrantStep, MatchMove};
use concord_kernel::Date;
use concord_proto::audit::v1::{MatchingAmounts, MatchingPledge, MatchingTotal};
use tokio_postgres::{Row, types::Type};

/// Amounts of a source, in order.
const AMOUNTS: [&str; 9] = [
    "pledged_minor",
    "released_minor",
    "arrived_minor",
    "due_minor",
    "gap_minor",
    "gap_1_30_minor",
    "gap_31_90_minor",
    "gap_91_180_minor",
    "gap_181_minor",
];

/// Days past due by which the gap is parted: from and up to.
const AGES: [(&str, i32, i32); 4] = [
    ("gap_1_30_minor", 1, 30),
    ("gap_31_90_minor", 31, 90),
    ("gap_91_180_minor", 91, 180),
    ("gap_181_minor", 181, i32::MAX),
];

/// The sources of matching money.
#[derive(Debug, Clone)]
pub(crate) struct Matching {
    pub(crate) point: Point,
    /// Without a period: an instalment has a due date of its own.
    pub(crate) filter: Filter,
    /// The day that ages are counted from. What is due on it is not missing yet.
    pub(crate) on: Date,
}

impl View for Matching {
    type Line = MatchingPledge;
    type Total = MatchingTotal;

    /// The sources, the largest gap first; totals by currency, and by currency and class.
    ///
    /// What is missing is counted instalment by instalment, so that one that came early hides no other, and as A03 counts it: a
    /// source that was released owes what had arrived by then, so that it owes again what is corrected later, and a project
    /// that stopped is owed what was due before.
    fn sql(&self, slice: Option<Slice>) -> Sql {
        let (arrived, reversed, released) =
            (MatchMove::Arrived.number(), MatchMove::ArrivalReversed.number(), MatchMove::Released.number());
        let stops = numbers::list(GrantStep::STOPS.map(GrantStep::number));
        let moved = format!(
            "CASE m.step WHEN {arrived} THEN m.amount_minor WHEN {reversed} THEN -m.amount_minor END"
        );
        let mut sql = Sql::new("WITH moves AS MATERIALIZED (SELECT m.grant_id, m.source, m.instalment, ");
        sql.push(&format!(
            "coalesce(sum({moved}), 0) AS arrived, \
             coalesce(sum({moved}) FILTER (WHERE m.position < m.released_at), 0) AS kept, \
             coalesce(sum(m.amount_minor) FILTER (WHERE m.step = {released}), 0) AS released \
             FROM (SELECT m.*, max(m.position) FILTER (WHERE m.step = {released}) OVER (PARTITION BY m.grant_id, m.source) \
             AS released_at FROM match_moves m WHERE "
        ));
        sql.known_at("m", self.point);
        sql.push(&format!(
            ") m GROUP BY m.grant_id, m.source, m.instalment), moved AS (SELECT grant_id, source, sum(arrived) AS arrived, \
             sum(released) AS released FROM moves GROUP BY grant_id, source), \
             stopped AS (SELECT e.grant_id, min(e.effective_on) AS stopped_on FROM grant_steps e WHERE e.step IN ({stops}) AND "
        ));
        sql.known_at("e", self.point);
        sql.push(
            " GROUP BY e.grant_id), sources AS MATERIALIZED (SELECT s.grant_id, s.source, s.kind, s.level, s.is_public, \
             d.programme, d.title, d.currency, d.synthetic, s.amount_minor AS pledged_minor, \
             coalesce(m.released, 0) AS released_minor, coalesce(m.arrived, 0) AS arrived_minor FROM match_sources s JOIN ",
        );
        sql.push(GRANTS).push(" USING (grant_id) LEFT JOIN moved m USING (grant_id, source) WHERE ");
        sql.known_at("s", self.point).narrow_dims(&self.filter);
        sql.push(
            "), due AS (SELECT i.grant_id, i.source, i.due_on, i.amount_minor, CASE WHEN x.stopped_on <= i.due_on THEN 0 \
             ELSE greatest(CASE WHEN s.released_minor > 0 THEN coalesce(m.kept, 0) ELSE i.amount_minor END \
             - coalesce(m.arrived, 0), 0) END AS missing, ",
        );
        sql.bind(self.on, Type::DATE).push(
            " - i.due_on AS days FROM match_instalments i JOIN sources s USING (grant_id, source) LEFT JOIN moves m \
             ON m.grant_id = i.grant_id AND m.source = i.source AND m.instalment = i.number \
             LEFT JOIN stopped x ON x.grant_id = i.grant_id WHERE i.due_on < ",
        );
        sql.bind(self.on, Type::DATE).push(" AND ").known_at("i", self.point);
        sql.push(
            "), aged AS (SELECT grant_id, source, sum(amount_minor) AS due_minor, sum(missing) AS gap_minor, \
             min(due_on) FILTER (WHERE missing > 0) AS oldest_due_on, \
             coalesce(max(days) FILTER (WHERE missing > 0), 0) AS days_overdue",
        );
        for (name, from, to) in AGES {
            sql.push(&format!(
                ", coalesce(sum(missing) FILTER (WHERE days BETWEEN {from} AND {to}), 0) AS {name}"
            ));
        }
        sql.push(
            " FROM due GROUP BY grant_id, source), lines AS MATERIALIZED (SELECT s.grant_id, s.source, s.programme, \
             s.title, s.currency, s.kind, s.level, s.is_public, s.synthetic, a.oldest_due_on, \
             coalesce(a.days_overdue, 0) AS days_overdue",
        );
        for amount in AMOUNTS {
            sql.push(&format!(", coalesce({amount}, 0)::bigint AS {amount}"));
        }
        sql.push(" FROM sources s LEFT JOIN aged a USING (grant_id, source))");
        let totals = format!(
            "NULL::uuid, NULL, NULL, NULL, currency, coalesce(kind, ''), NULL, NULL, NULL, \
             NULL, NULL{}, row_number() OVER (ORDER BY currency COLLATE \"C\", coalesce(kind, '') COLLATE \"C\") \
             FROM lines GROUP BY GROUPING SETS ((currency), (currency, kind))",
            sums(&AMOUNTS)
        );
        finish(&mut sql, "gap_minor DESC, pledged_minor DESC, grant_id, source", slice, &totals);
        sql
    }

    fn line(&self, row: &Row) -> Result<MatchingPledge, QueryError> {
        Ok(MatchingPledge {
            grant_id: id(row, "grant_id")?,
            source_number: row.try_get::<_, i32>("source")?.unsigned_abs(),
            programme_id: id(row, "programme")?,
            title: row.try_get("title")?,
            currency: row.try_get("currency")?,
            matching_kind: row.try_get("kind")?,
            level: row.try_get::<_, Option<String>>("level")?.unwrap_or_default(),
            is_public: row.try_get("is_public")?,
            amounts: Some(amounts(row)?),
            oldest_due_on: day(row, "oldest_due_on")?,
            days_overdue: row.try_get("days_overdue")?,
            synthetic: row.try_get("synthetic")?,
        })
    }

    fn total(row: &Row) -> Result<MatchingTotal, QueryError> {
        Ok(MatchingTotal {
            currency: row.try_get("currency")?,
            matching_kind: row.try_get("kind")?,
            sources: row.try_get("counted")?,
            amounts: Some(amounts(row)?),
        })
    }
}

fn amounts(row: &Row) -> Result<MatchingAmounts, QueryError> {
    let (mut amounts, mut exact) = (MatchingAmounts::default(), Vec::new());
    let mut places = [
        ("pledged_minor", &mut amounts.pledged_minor),
        ("released_minor", &mut amounts.released_minor),
        ("arrived_minor", &mut amounts.arrived_minor),
        ("due_minor", &mut amounts.due_minor),
        ("gap_minor", &mut amounts.gap_minor),
        ("gap_1_30_minor", &mut amounts.gap_1_30_minor),
        ("gap_31_90_minor", &mut amounts.gap_31_90_minor),
        ("gap_91_180_minor", &mut amounts.gap_91_180_minor),
        ("gap_181_minor", &mut amounts.gap_181_minor),
    ];
    fill(row, &mut places, &mut exact)?;
    amounts.exact = exact;
    Ok(amounts)
}
