//! Shares of the parties of contracted grants: what was passed on to partners, and what should have been.

use super::{Filter, Point, QueryError, Slice, Sql, View, fill, finish, id, sums};
use crate::numbers::{self, GrantStep, Step};
use concord_events::ledger::Account;
use concord_kernel::Date;
use concord_proto::audit::v1::{Share, ShareAmounts, ShareTotal};
use tokio_postgres::{Row, types::Type};

/// Amounts of a share, in order.
const AMOUNTS: [&str; 6] =
    ["allocated_minor", "passed_on_minor", "due_minor", "gap_minor", "unspent_minor", "eligible_spend_minor"];

/// The shares.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    pub(crate) point: Point,
    /// Without a period: what was passed on stands.
    pub(crate) filter: Filter,
    /// The day by which money should have been passed on: what was settled before it is due.
    pub(crate) settled_before: Date,
}

impl View for Shares {
    type Line = Share;
    type Total = ShareTotal;

    /// The shares, the largest gap first; totals by currency.
    ///
    /// Whoever holds money of a grant is listed, though an amendment took the share away. What is due is counted as A06 counts
    /// it: payment by payment, less what came back of each; nothing of a share that the source does not say in full, of a partner that
    /// has become one with the lead, and nothing once the project has stopped.
    fn sql(&self, slice: Option<Slice>) -> Sql {
        let (unspent, spent) =
            (numbers::account(Account::RecipientUnspent), numbers::account(Account::EligibleSpend));
        let (signed, amended, imported) =
            (GrantStep::Contracted.number(), GrantStep::Amended.number(), GrantStep::Imported.number());
        let paid = numbers::list([Step::Settled, Step::Returned, Step::SettlementReversed].map(Step::number));
        let stops = numbers::list(GrantStep::STOPS.map(GrantStep::number));
        // The lead's lines are needed, whichever party is asked for.
        let of_grants = Filter { party: None, party_region: None, ..self.filter.clone() };
        let mut sql = Sql::new("WITH ");
        sql.persons(self.point)
            .push(", contracted AS MATERIALIZED (SELECT DISTINCT ON (t.grant_id) t.grant_id, ");
        sql.push(&format!(
            "t.amount_minor AS contracted_minor FROM grant_steps t WHERE t.step IN ({signed}, {amended}, {imported}) AND "
        ));
        sql.known_at("t", self.point).push(
            " ORDER BY t.grant_id, t.position DESC), newest AS (SELECT s.grant_id, max(s.position) AS position \
             FROM shares s WHERE ",
        );
        sql.known_at("s", self.point).push(" GROUP BY s.grant_id), sums AS MATERIALIZED (SELECT p.dims, ");
        // To whom a transfer went; the lead's side is taken back with it.
        sql.push(&format!(
            "sum(p.amount_minor) FILTER (WHERE p.account = {unspent}) AS unspent, \
             sum(p.amount_minor) FILTER (WHERE p.account = {spent}) AS spent, \
             sum(p.amount_minor) FILTER (WHERE p.account = {unspent} AND (p.event_type = {} OR c.position IS NOT NULL)) \
             AS passed_on FROM postings p LEFT JOIN corrections c ON c.position = p.position \
             AND c.kind = 'share_transfer' WHERE p.account IN ({unspent}, {spent}) AND ",
            numbers::event_type("concord.fund.v1.ShareTransferred").unwrap_or_default()
        ));
        sql.known_at("p", self.point).narrow_postings(&of_grants).push(
            " GROUP BY p.dims), held AS MATERIALIZED (SELECT d.grant_id, d.party, coalesce(s.unspent, 0) AS unspent, \
             coalesce(s.spent, 0) AS spent, coalesce(s.passed_on, 0) AS passed_on FROM sums s \
             JOIN dims d USING (dims)), settled AS (SELECT y.grant_id, sum(y.net) AS settled FROM (SELECT v.grant_id, \
             (array_agg(v.effective_on ORDER BY v.position))[1] AS settled_on, sum(v.amount_minor) AS net \
             FROM (SELECT t.grant_id, t.number, p.position, p.effective_on, p.amount_minor, \
             count(*) FILTER (WHERE p.amount_minor > 0) OVER (PARTITION BY t.grant_id, t.number ORDER BY p.position) AS payment \
             FROM tranche_steps t JOIN postings p ON p.position = t.position AND p.settles WHERE ",
        );
        // What of a payment came back after it, and before the tranche's next one, is taken off it.
        sql.push(&format!("t.step IN ({paid}) AND ")).known_at("p", self.point).narrow_postings(&of_grants);
        sql.push(
            ") v WHERE v.payment > 0 GROUP BY v.grant_id, v.number, v.payment) y WHERE y.net > 0 AND y.settled_on < ",
        );
        sql.bind(self.settled_before, Type::DATE).push(&format!(
            " GROUP BY y.grant_id), stopped AS (SELECT DISTINCT e.grant_id FROM grant_steps e WHERE e.step IN ({stops}) AND "
        ));
        sql.known_at("e", self.point).push(
            "), shared AS MATERIALIZED (SELECT s.grant_id, s.party, min(s.code) AS code, min(s.region) AS region, \
             coalesce(sum(s.amount_minor), 0) AS allocated, count(*) = count(s.amount_minor) AS is_said \
             FROM shares s JOIN newest USING (grant_id, position) GROUP BY s.grant_id, s.party), \
             everybody AS (SELECT * FROM shared UNION ALL SELECT h.grant_id, h.party, f.code, f.region, 0, true FROM held h \
             CROSS JOIN LATERAL (SELECT s.code, s.region FROM shares s WHERE s.grant_id = h.grant_id \
             AND s.party = h.party AND ",
        );
        sql.known_at("s", self.point).push(
            " ORDER BY s.position DESC, s.number LIMIT 1) f \
             WHERE NOT EXISTS (SELECT 1 FROM shared x WHERE x.grant_id = h.grant_id AND x.party = h.party)), \
             valued AS (SELECT d.grant_id, d.party, d.code, d.party_region, d.is_lead, d.programme, d.title, \
             d.currency, d.migrated, d.synthetic, d.allocated, coalesce(h.unspent, 0) AS unspent, \
             coalesce(h.spent, 0) AS spent, CASE WHEN d.is_lead THEN 0 ELSE coalesce(h.passed_on, 0) END AS passed_on, \
             CASE WHEN d.is_the_leads OR NOT d.is_said OR x.grant_id IS NOT NULL OR c.contracted_minor <= 0 THEN 0 ELSE \
             least(floor(d.allocated::numeric * coalesce(t.settled, 0) / c.contracted_minor), d.allocated) END AS due \
             FROM contracted c JOIN (SELECT e.party, e.code, e.region AS party_region, e.allocated, e.is_said, \
             e.party = g.lead AS is_lead, \
             coalesce(h.person, e.party) = coalesce(l.person, g.lead) AS is_the_leads, g.grant_id, g.programme, pr.year, g.currency, g.mode, g.industry, \
             g.lead_region, g.title, g.migrated, g.synthetic FROM everybody e JOIN grants g USING (grant_id) \
             JOIN programmes pr USING (programme) LEFT JOIN persons h ON h.party = e.party \
             LEFT JOIN persons l ON l.party = g.lead) d USING (grant_id) \
             LEFT JOIN held h ON h.grant_id = d.grant_id AND h.party = d.party \
             LEFT JOIN settled t ON t.grant_id = d.grant_id LEFT JOIN stopped x ON x.grant_id = d.grant_id WHERE true",
        );
        sql.narrow_dims(&self.filter).push(
            "), lines AS MATERIALIZED (SELECT grant_id, party, code, coalesce(party_region, '') AS party_region, is_lead, \
             programme, title, currency, migrated, synthetic, allocated::bigint AS allocated_minor, \
             passed_on::bigint AS passed_on_minor, due::bigint AS due_minor, \
             greatest(due - passed_on, 0)::bigint AS gap_minor, unspent::bigint AS unspent_minor, \
             spent::bigint AS eligible_spend_minor FROM valued)",
        );
        let totals = format!(
            "NULL::uuid, NULL, NULL, NULL, NULL, NULL, NULL, currency, NULL, NULL{}, row_number() OVER (ORDER BY currency COLLATE \"C\") \
             FROM lines GROUP BY currency",
            sums(&AMOUNTS)
        );
        finish(&mut sql, "gap_minor DESC, grant_id, is_lead DESC, party", slice, &totals);
        sql
    }

    fn line(&self, row: &Row) -> Result<Share, QueryError> {
        Ok(Share {
            grant_id: id(row, "grant_id")?,
            party_id: id(row, "party")?,
            party_code: row.try_get("code")?,
            party_region: row.try_get("party_region")?,
            is_lead: row.try_get("is_lead")?,
            programme_id: id(row, "programme")?,
            title: row.try_get("title")?,
            currency: row.try_get("currency")?,
            amounts: Some(amounts(row)?),
            migrated: row.try_get("migrated")?,
            synthetic: row.try_get("synthetic")?,
        })
    }

    fn total(row: &Row) -> Result<ShareTotal, QueryError> {
        Ok(ShareTotal {
            currency: row.try_get("currency")?,
            shares: row.try_get("counted")?,
            amounts: Some(amounts(row)?),
        })
    }
}

fn amounts(row: &Row) -> Result<ShareAmounts, QueryError> {
    let (mut amounts, mut exact) = (ShareAmounts::default(), Vec::new());
    let mut places = [
        ("allocated_minor", &mut amounts.allocated_minor),
        ("passed_on_minor", &mut amounts.passed_on_minor),
        ("due_minor", &mut amounts.due_minor),
        ("gap_minor", &mut amounts.gap_minor),
        ("unspent_minor", &mut amounts.unspent_minor),
        ("eligible_spend_minor", &mut amounts.eligible_spend_minor),
    ];
    fill(row, &mut places, &mut exact)?;
    amounts.exact = exact;
    Ok(amounts)
}
