//! Grants with money not yet drawn, and tranches past their due date.

use super::{Filter, GRANTS, Point, QueryError, Slice, Sql, Store, single, sum};
use crate::numbers::{self, GrantStep, Step};
use concord_events::ledger::Account;
use concord_kernel::Date;
use concord_proto::{
    audit::v1::{OverdueTranche, UndrawnGrant},
    r#type::v1::Money,
};
use std::time::Duration;
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

/// What undrawn grants can be ordered by.
pub(crate) const UNDRAWN_SORTABLE: [&str; 3] = ["undrawn_minor", "grant_id", "ends_on"];

/// Grants with money contracted and not yet settled.
#[derive(Debug, Clone)]
pub(crate) struct Undrawn {
    pub(crate) point: Point,
    /// Without a period: what is undrawn is a balance, not a movement.
    pub(crate) filter: Filter,
    /// A name of [`UNDRAWN_SORTABLE`], and whether it falls.
    pub(crate) order_by: (&'static str, bool),
}

impl Undrawn {
    /// The grants in order, and (with a slice) the totals over all of them after it.
    ///
    /// Undrawn is what stands on Committed and Instructed; contracted is that and what was settled.
    pub(crate) fn sql(&self, slice: Option<Slice>) -> Sql {
        let (committed, instructed) =
            (numbers::account(Account::Committed), numbers::account(Account::Instructed));
        let undrawn = format!("p.account IN ({committed}, {instructed})");
        let mut sql = Sql::new("WITH held AS (");
        held(&mut sql, self.point);
        sql.push("), sums AS MATERIALIZED (SELECT p.dims");
        sql.push(&format!(
            ", coalesce(sum(p.amount_minor) FILTER (WHERE {undrawn}), 0) AS undrawn_minor\
             , coalesce(sum(p.amount_minor) FILTER (WHERE p.settles), 0) AS settled_minor \
             FROM postings p WHERE ({undrawn} OR p.settles) AND "
        ));
        sql.known_at("p", self.point).narrow_postings(&self.filter);
        sql.push(
            " GROUP BY p.dims), grant_sums AS MATERIALIZED (\
             SELECT d.grant_id, d.programme, d.currency, sum(s.undrawn_minor)::bigint AS undrawn_minor, \
             sum(s.settled_minor)::bigint AS settled_minor \
             FROM sums s JOIN dims d USING (dims) WHERE d.grant_id IS NOT NULL \
             GROUP BY d.grant_id, d.programme, d.currency HAVING sum(s.undrawn_minor) > 0), \
             dated AS MATERIALIZED (SELECT s.*, g.title, g.synthetic, (SELECT t.ends_on FROM terms t \
             WHERE t.grant_id = s.grant_id AND ",
        );
        sql.known_at("t", self.point);
        sql.push(
            " ORDER BY t.position DESC LIMIT 1) AS ends_on, h.cause, h.cause_on \
             FROM grant_sums s JOIN grants g USING (grant_id) LEFT JOIN held h USING (grant_id)), \
             page AS (SELECT *, row_number() OVER (ORDER BY ",
        );
        let (column, falling) = self.order_by;
        sql.push(column).push(if falling { " DESC NULLS LAST" } else { " ASC NULLS LAST" });
        sql.push(", grant_id) AS ordinal FROM dated ORDER BY ordinal").slice(slice);
        sql.push(
            ") SELECT false AS is_total, ordinal, currency, undrawn_minor, grant_id, programme, title, \
             undrawn_minor + settled_minor AS contracted_minor, settled_minor, ends_on, synthetic, cause, cause_on \
             FROM page",
        );
        if slice.is_some() {
            sql.push(
                " UNION ALL SELECT true, 0, currency, sum(undrawn_minor), NULL, NULL, NULL, NULL, NULL, NULL, \
                 NULL, NULL, NULL FROM dated GROUP BY currency \
                 UNION ALL SELECT true, 1, currency, sum(undrawn_minor), NULL, NULL, NULL, NULL, NULL, NULL, \
                 NULL, NULL, NULL FROM dated WHERE cause IS NOT NULL GROUP BY currency",
            );
        }
        sql.push(" ORDER BY is_total, ordinal, currency");
        sql
    }

    /// Reads a grant.
    pub(crate) fn read(row: &Row) -> Result<UndrawnGrant, QueryError> {
        Ok(UndrawnGrant {
            currency: row.try_get(2)?,
            undrawn_minor: single(row, 3)?,
            grant_id: row.try_get::<_, Uuid>(4)?.to_string(),
            programme_id: row.try_get::<_, Uuid>(5)?.to_string(),
            title: row.try_get(6)?,
            contracted_minor: row.try_get(7)?,
            settled_minor: row.try_get(8)?,
            ends_on: row.try_get::<_, Option<Date>>(9)?.map_or_else(String::new, |date| date.to_string()),
            synthetic: row.try_get(10)?,
            hold_cause: row.try_get::<_, Option<String>>(11)?.unwrap_or_default(),
            held_on: row.try_get::<_, Option<Date>>(12)?.map_or_else(String::new, |date| date.to_string()),
        })
    }

    /// A page of grants, whether there are more, and the totals over all of them and over those on hold.
    pub(crate) async fn page(
        &self,
        store: &Store,
        slice: Slice,
        within: Duration,
    ) -> Result<(Vec<UndrawnGrant>, bool, Totals), QueryError> {
        let rows = store.rows(&self.sql(Some(one_more(slice))), within).await?;
        split(&rows, slice, Self::read)
    }
}

/// Tranches past their due date and not settled.
#[derive(Debug, Clone)]
pub(crate) struct Overdue {
    pub(crate) point: Point,
    /// Without a period: a tranche has a due date of its own.
    pub(crate) filter: Filter,
    /// The day that the ages are counted from. What is due on it is not overdue yet.
    pub(crate) on: Date,
}

impl Overdue {
    /// The tranches, oldest first, and (with a slice) the totals over all of them after it.
    ///
    /// The amount is the plan's. A grant's party is its lead.
    pub(crate) fn sql(&self, slice: Option<Slice>) -> Sql {
        let mut sql = Sql::new("WITH held AS (");
        held(&mut sql, self.point);
        sql.push("), plans AS (SELECT t.* FROM tranche_plans t WHERE t.due_on < ");
        sql.bind(self.on, Type::DATE).push(" AND ").known_at("t", self.point);
        sql.push(
            " AND NOT EXISTS (SELECT 1 FROM tranche_plans later WHERE later.grant_id = t.grant_id \
             AND later.position > t.position AND ",
        );
        sql.known_at("later", self.point);
        sql.push(
            ")), last AS (SELECT DISTINCT ON (s.grant_id, s.number) s.grant_id, s.number, s.step \
             FROM tranche_steps s WHERE ",
        );
        sql.known_at("s", self.point);
        sql.push(
            " ORDER BY s.grant_id, s.number, s.position DESC), \
             open AS MATERIALIZED (SELECT plans.grant_id, plans.number, plans.amount_minor, plans.due_on, last.step, \
             h.cause IS NOT NULL AS on_hold, \
             d.programme, d.title, d.currency, d.synthetic FROM plans JOIN ",
        );
        sql.push(GRANTS).push(
            " USING (grant_id) LEFT JOIN last USING (grant_id, number) LEFT JOIN held h USING (grant_id) WHERE ",
        );
        sql.push(&format!("last.step IS DISTINCT FROM {}", Step::Settled.number()));
        // What a grant that has ended never drew is not due any more.
        let ends = numbers::list(GrantStep::ENDS.map(GrantStep::number));
        sql.push(
            " AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = plans.grant_id AND e.step IN (",
        );
        sql.push(&ends).push(") AND ").known_at("e", self.point).push(")");
        sql.narrow_dims(&self.filter);
        sql.push(
            "), page AS (SELECT *, row_number() OVER (ORDER BY due_on, grant_id, number) AS ordinal FROM open \
             ORDER BY ordinal",
        );
        sql.slice(slice).push(
            ") SELECT false AS is_total, ordinal, currency, amount_minor, grant_id, number, programme, title, due_on, \
             ",
        );
        sql.bind(self.on, Type::DATE).push(" - due_on AS days, step, synthetic, on_hold FROM page");
        if slice.is_some() {
            sql.push(
                " UNION ALL SELECT true, 0, currency, sum(amount_minor), NULL, NULL, NULL, NULL, NULL, NULL, \
                 NULL, NULL, NULL FROM open GROUP BY currency",
            );
        }
        sql.push(" ORDER BY is_total, ordinal, currency");
        sql
    }

    /// Reads a tranche.
    pub(crate) fn read(row: &Row) -> Result<OverdueTranche, QueryError> {
        let number: i32 = row.try_get(5)?;
        let step: Option<i16> = row.try_get(10)?;
        // Nothing has happened yet: it waits to be asked for.
        let waits_for = match step {
            None => "request",
            Some(step) => Step::ALL
                .iter()
                .find(|known| known.number() == step)
                .and_then(|step| step.waits_for())
                .ok_or_else(|| QueryError::Corrupt(format!("a tranche stands at the unknown step {step}")))?,
        };
        // A hold stops all but what the bank does, also again after a settlement was corrected.
        let on_hold = row.try_get::<_, Option<bool>>(12)? == Some(true);
        let waits_for = if on_hold && waits_for != "settlement" { "resumption" } else { waits_for };
        Ok(OverdueTranche {
            currency: row.try_get(2)?,
            amount_minor: single(row, 3)?,
            grant_id: row.try_get::<_, Uuid>(4)?.to_string(),
            tranche_number: number.unsigned_abs(),
            programme_id: row.try_get::<_, Uuid>(6)?.to_string(),
            title: row.try_get(7)?,
            due_on: row.try_get::<_, Date>(8)?.to_string(),
            days_overdue: row.try_get(9)?,
            waits_for: waits_for.to_owned(),
            synthetic: row.try_get(11)?,
        })
    }

    /// A page of tranches, whether there are more, and the totals over all of them.
    pub(crate) async fn page(
        &self,
        store: &Store,
        slice: Slice,
        within: Duration,
    ) -> Result<(Vec<OverdueTranche>, bool, Vec<Money>), QueryError> {
        let rows = store.rows(&self.sql(Some(one_more(slice))), within).await?;
        let (page, more, totals) = split(&rows, slice, Self::read)?;
        Ok((page, more, totals.all))
    }
}

fn one_more(slice: Slice) -> Slice {
    Slice { limit: slice.limit + 1, ..slice }
}

/// What stands on all grants of an answer, and on those of them on hold.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) all: Vec<Money>,
    pub(crate) on_hold: Vec<Money>,
}

/// The grants that were put on hold and resumed, each with its last cause; none (null) where it was resumed.
fn held(sql: &mut Sql, point: Point) {
    sql.push("SELECT DISTINCT ON (h.grant_id) h.grant_id, h.cause, h.cause_on FROM holds h WHERE ");
    sql.known_at("h", point).push(" ORDER BY h.grant_id, h.position DESC");
}

/// Parts an answer into its page, whether there is more, and its totals. Both tables begin with the same columns:
/// whether the row is a total, its number (of a total: 0 over all, 1 over what is on hold), currency and amount.
fn split<T>(
    rows: &[Row],
    slice: Slice,
    read: impl Fn(&Row) -> Result<T, QueryError>,
) -> Result<(Vec<T>, bool, Totals), QueryError> {
    let mut page = Vec::new();
    let mut totals = Totals::default();
    for row in rows {
        if row.try_get(0)? {
            let total = Money::sum(sum(row, 3)?, row.try_get::<_, String>(2)?);
            if row.try_get::<_, i64>(1)? == 0 { totals.all.push(total) } else { totals.on_hold.push(total) }
        } else {
            page.push(read(row)?);
        }
    }
    let more = page.len() > usize::try_from(slice.limit).unwrap_or(usize::MAX);
    if more {
        page.pop();
    }
    Ok((page, more, totals))
}
