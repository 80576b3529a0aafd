//! Recoveries: what is outstanding, and for how long.

use super::{Filter, GRANTS, Point, QueryError, Slice, Sql, View, day, fill, finish, id, sums};
use crate::numbers::RecoveryStep as Is;
use concord_kernel::Date;
use concord_proto::audit::v1::{Receivable, ReceivableAmounts, ReceivableTotal};
use tokio_postgres::{Row, types::Type};

/// Amounts of a recovery, in order.
const AMOUNTS: [&str; 8] = [
    "determined_minor",
    "demanded_minor",
    "overturned_minor",
    "repaid_minor",
    "offset_minor",
    "written_off_minor",
    "outstanding_minor",
    "overdue_minor",
];

/// The recoveries.
#[derive(Debug, Clone)]
pub(crate) struct Receivables {
    pub(crate) point: Point,
    /// Without a period: a recovery has a due date of its own.
    pub(crate) filter: Filter,
    /// The day that ages are counted from. What is due on it is not overdue yet.
    pub(crate) on: Date,
}

impl View for Receivables {
    type Line = Receivable;
    type Total = ReceivableTotal;

    /// The recoveries, the longest overdue first; totals by currency. An appeal does not stop the clock.
    fn sql(&self, slice: Option<Slice>) -> Sql {
        let sum =
            |step: Is| format!("coalesce(sum(s.amount_minor) FILTER (WHERE s.step = {}), 0)", step.number());
        let (demanded, appealed, upheld) =
            (Is::Demanded.number(), Is::Appealed.number(), Is::Upheld.number());
        let mut sql = Sql::new("WITH stepped AS (SELECT s.recovery");
        sql.push(&format!(
            ", {} - {} AS repaid, {} AS offset_by, {} AS written_off, {} AS overturned, \
             bool_or(s.step = {demanded}) AS demanded, \
             (array_agg(s.due_on ORDER BY s.position DESC) FILTER (WHERE s.step = {demanded}))[1] AS due_on, \
             coalesce((array_agg(s.step ORDER BY s.position DESC) FILTER (WHERE s.step IN ({appealed}, {upheld})))[1] \
             = {appealed}, false) AS on_appeal FROM recovery_steps s WHERE ",
            sum(Is::Repaid),
            sum(Is::RepaymentReversed),
            sum(Is::Offset),
            sum(Is::WrittenOff),
            sum(Is::Overturned),
        ));
        sql.known_at("s", self.point).push(
            " GROUP BY s.recovery), summed AS (SELECT r.recovery, r.grant_id, d.programme, d.title, d.currency, d.synthetic, \
             r.cause, r.effective_on AS determined_on, s.due_on, coalesce(s.on_appeal, false) AS on_appeal, \
             coalesce(s.demanded, false) AS demanded, r.amount_minor AS determined, coalesce(s.overturned, 0) AS overturned, \
             coalesce(s.repaid, 0) AS repaid, coalesce(s.offset_by, 0) AS offset_by, \
             coalesce(s.written_off, 0) AS written_off FROM recoveries r JOIN ",
        );
        sql.push(GRANTS).push(" USING (grant_id) LEFT JOIN stepped s USING (recovery) WHERE ");
        sql.known_at("r", self.point).narrow_dims(&self.filter).push(
            "), open AS (SELECT *, determined - overturned - repaid - offset_by - written_off AS outstanding FROM summed), \
             lines AS MATERIALIZED (SELECT recovery, grant_id, programme, title, currency, synthetic, cause, determined_on, \
             due_on, CASE WHEN outstanding > 0 THEN CASE WHEN on_appeal THEN 'appealed' WHEN demanded THEN 'demanded' \
             ELSE 'determined' END WHEN written_off > 0 THEN 'written_off' WHEN overturned > 0 THEN 'overturned' \
             ELSE 'settled' END AS state, CASE WHEN outstanding > 0 THEN greatest(",
        );
        sql.bind(self.on, Type::DATE).push(
            " - due_on, 0) ELSE 0 END AS days_overdue, determined::bigint AS determined_minor, \
             (CASE WHEN demanded THEN determined ELSE 0 END)::bigint AS demanded_minor, \
             overturned::bigint AS overturned_minor, repaid::bigint AS repaid_minor, offset_by::bigint AS offset_minor, \
             written_off::bigint AS written_off_minor, outstanding::bigint AS outstanding_minor, \
             (CASE WHEN due_on < ",
        );
        sql.bind(self.on, Type::DATE)
            .push(" THEN outstanding ELSE 0 END)::bigint AS overdue_minor FROM open)");
        let totals = format!(
            "NULL::uuid, NULL, NULL, NULL, currency, NULL, NULL, NULL, NULL, NULL, NULL{}, \
             row_number() OVER (ORDER BY currency COLLATE \"C\") FROM lines GROUP BY currency",
            sums(&AMOUNTS)
        );
        finish(&mut sql, "days_overdue DESC, outstanding_minor DESC, recovery", slice, &totals);
        sql
    }

    fn line(&self, row: &Row) -> Result<Receivable, QueryError> {
        Ok(Receivable {
            recovery_id: id(row, "recovery")?,
            grant_id: id(row, "grant_id")?,
            programme_id: id(row, "programme")?,
            title: row.try_get("title")?,
            currency: row.try_get("currency")?,
            cause: row.try_get("cause")?,
            state: row.try_get("state")?,
            amounts: Some(amounts(row)?),
            determined_on: day(row, "determined_on")?,
            due_on: day(row, "due_on")?,
            days_overdue: row.try_get::<_, Option<i32>>("days_overdue")?.unwrap_or_default(),
            synthetic: row.try_get("synthetic")?,
        })
    }

    fn total(row: &Row) -> Result<ReceivableTotal, QueryError> {
        Ok(ReceivableTotal {
            currency: row.try_get("currency")?,
            recoveries: row.try_get("counted")?,
            amounts: Some(amounts(row)?),
        })
    }
}

fn amounts(row: &Row) -> Result<ReceivableAmounts, QueryError> {
    let (mut amounts, mut exact) = (ReceivableAmounts::default(), Vec::new());
    let mut places = [
        ("determined_minor", &mut amounts.determined_minor),
        ("demanded_minor", &mut amounts.demanded_minor),
        ("overturned_minor", &mut amounts.overturned_minor),
        ("repaid_minor", &mut amounts.repaid_minor),
        ("offset_minor", &mut amounts.offset_minor),
        ("written_off_minor", &mut amounts.written_off_minor),
        ("outstanding_minor", &mut amounts.outstanding_minor),
        ("overdue_minor", &mut amounts.overdue_minor),
    ];
    fill(row, &mut places, &mut exact)?;
    amounts.exact = exact;
    Ok(amounts)
}
