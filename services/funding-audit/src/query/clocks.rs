//! Clocks: everything dated that waits, for whom and since when.
//!
//! What a finding or another list says already is asked of that, with the last day that is looked at in place of the day that
//! ages are counted from: what is due before a day is the same question, whether the day has come or not.

use super::{
    Point, QueryError, Slice, Sql, View, day, finish, grants::Overdue, receivables::Receivables, single, sum,
    sums,
};
use crate::{
    findings::{CHARGES, Rule, Search, acceptance_over, contracted, scope},
    numbers::{self, GrantStep, RectificationStep, Step},
};
use concord_kernel::{Date, rulebook::Rulebook};
use concord_proto::{
    amount,
    audit::v1::{Clock, ClockTotal},
};
use tokio_postgres::{Row, types::Type};
use uuid::Uuid;

/// Everything dated that waits.
#[derive(Debug, Clone)]
pub(crate) struct Clocks {
    /// Its day is the one after the last that is looked at: what is due before it is listed.
    pub(crate) search: Search,
    /// The day that ages are counted from. What is due on it is not overdue yet.
    pub(crate) on: Date,
    /// The rulebook of that day.
    pub(crate) rulebook: Box<Rulebook>,
}

/// The rules whose findings are clocks that have run out.
pub(crate) const RULES: [Rule; 4] = [Rule::A03, Rule::A06, Rule::A10, Rule::A11];

/// What each kind selects of its grant.
const OF_GRANT: &str = "d.programme, d.title, d.currency, d.synthetic";

/// Names of a finding's columns that are needed; the others are not.
const FINDING: &str =
    "f (finding, subject, position, grant_id, amount_minor, since, evidence, one, other, day, word)";

impl View for Clocks {
    type Line = Clock;
    type Total = ClockTotal;

    /// The clocks, the longest overdue first; totals by kind and currency.
    fn sql(&self, slice: Option<Slice>) -> Sql {
        let mut sql = Sql::new("WITH");
        scope(&mut sql, &self.search);
        sql.push(
            ", waiting (kind, subject, grant_id, recovery, rectification, programme, title, currency, synthetic, since, \
             waits_for, amount_minor) AS (",
        );
        self.contract(&mut sql);
        self.acceptance_rectification(sql.push(" UNION ALL "));
        self.found(&mut sql);
        self.recoveries(sql.push(" UNION ALL "));
        self.tranches(sql.push(" UNION ALL "));
        self.rectifications(sql.push(" UNION ALL "));
        sql.push(
            "), lines AS MATERIALIZED (SELECT w.kind, w.subject, w.grant_id, w.recovery, w.rectification, w.programme, w.title, \
             w.currency, w.synthetic, CASE w.kind WHEN 'demand' THEN NULL ELSE w.since END AS due_on, greatest(",
        );
        sql.bind(self.on, Type::DATE).push(" - w.since, 0) AS days_overdue, w.waits_for, (w.since < ");
        sql.bind(self.on, Type::DATE)
            .push(")::integer::bigint AS overdue, w.amount_minor FROM waiting w WHERE w.since < ");
        sql.bind(self.search.on, Type::DATE).push(")");
        let totals = format!(
            "kind, NULL, NULL::uuid, NULL, NULL, NULL, NULL, currency, NULL, NULL, NULL, NULL, sum(overdue)::bigint{}, \
             row_number() OVER (ORDER BY kind COLLATE \"C\", currency COLLATE \"C\") FROM lines GROUP BY kind, currency",
            sums(&["amount_minor"])
        );
        let order = "days_overdue DESC, amount_minor DESC, kind COLLATE \"C\", subject COLLATE \"C\"";
        finish(&mut sql, order, slice, &totals);
        sql
    }

    fn line(&self, row: &Row) -> Result<Clock, QueryError> {
        let optional = |column| {
            Ok::<_, QueryError>(
                row.try_get::<_, Option<Uuid>>(column)?.map(|id| id.to_string()).unwrap_or_default(),
            )
        };
        Ok(Clock {
            kind: row.try_get("kind")?,
            subject: row.try_get("subject")?,
            grant_id: optional("grant_id")?,
            recovery_id: optional("recovery")?,
            rectification_id: optional("rectification")?,
            programme_id: optional("programme")?,
            title: row.try_get("title")?,
            due_on: day(row, "due_on")?,
            days_overdue: row.try_get("days_overdue")?,
            waits_for: row.try_get("waits_for")?,
            amount_minor: single(row, "amount_minor")?,
            currency: row.try_get("currency")?,
            synthetic: row.try_get("synthetic")?,
        })
    }

    fn total(row: &Row) -> Result<ClockTotal, QueryError> {
        let (amount_minor, exact_minor) = amount::to_wire(sum(row, "amount_minor")?);
        Ok(ClockTotal {
            kind: row.try_get("kind")?,
            currency: row.try_get("currency")?,
            clocks: row.try_get("counted")?,
            overdue: row.try_get("overdue")?,
            amount_minor,
            exact_minor,
        })
    }
}

impl Clocks {
    fn point(&self) -> Point {
        self.search.point
    }

    /// An approval that nothing has followed yet: the applicant has to come and sign.
    fn contract(&self, sql: &mut Sql) {
        let over = [GrantStep::Contracted, GrantStep::Rejected, GrantStep::Withdrawn];
        sql.push(&format!(
            "SELECT 'contract', d.grant_id || '/contract', d.grant_id, NULL::uuid, NULL::uuid, {OF_GRANT}, \
             a.effective_on + {}::integer, 'applicant', a.amount_minor FROM scope d \
             JOIN grant_steps a ON a.grant_id = d.grant_id AND a.step = {} AND ",
            self.rulebook.contract_within_days,
            GrantStep::Approved.number()
        ));
        sql.known_at("a", self.point());
        sql.push(" WHERE NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = d.grant_id AND ");
        sql.push(&format!(
            "e.step IN ({}) AND ",
            numbers::list(over.into_iter().chain(GrantStep::ENDS).map(GrantStep::number))
        ));
        sql.known_at("e", self.point()).push(")");
    }

    /// A final acceptance that wanted something put right, as it said last.
    fn acceptance_rectification(&self, sql: &mut Sql) {
        sql.push(&format!(
            "SELECT 'acceptance_rectification', d.grant_id || '/acceptance', d.grant_id, NULL, NULL, {OF_GRANT}, r.day, "
        ));
        self.reported(sql);
        sql.push(
            ", coalesce(c.amount_minor, 0) FROM scope d CROSS JOIN LATERAL (SELECT r.day FROM grant_steps r \
             WHERE r.grant_id = d.grant_id AND ",
        );
        sql.push(&format!("r.step = {} AND ", GrantStep::AcceptanceRectify.number()));
        sql.known_at("r", self.point()).push(" ORDER BY r.position DESC LIMIT 1) r ");
        contracted(sql, &self.search);
        sql.push("WHERE NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = d.grant_id AND ");
        sql.push(&format!("e.step IN ({}) AND ", acceptance_over())).known_at("e", self.point()).push(")");
    }

    /// Whose turn it is before final acceptance: the office's once completion was reported, anew where something was put right.
    fn reported<'s>(&self, sql: &'s mut Sql) -> &'s mut Sql {
        let (reported, rectify) =
            (GrantStep::CompletionReported.number(), GrantStep::AcceptanceRectify.number());
        sql.push(&format!(
            "CASE (SELECT s.step FROM grant_steps s WHERE s.grant_id = d.grant_id AND s.step IN ({reported}, {rectify}) AND "
        ));
        sql.known_at("s", self.point());
        sql.push(&format!(" ORDER BY s.position DESC LIMIT 1) WHEN {reported} THEN 'office' ELSE 'lead' END"))
    }

    /// Who holds the balance that a finding is about: it names the party by the code of its share, or by its id.
    fn holder<'s>(&self, sql: &'s mut Sql) -> &'s mut Sql {
        sql.push(
            "CASE WHEN f.word = d.party::text OR EXISTS (SELECT 1 FROM shares w WHERE w.grant_id = d.grant_id \
             AND w.party = d.party AND w.code = f.word AND ",
        );
        sql.known_at("w", self.point()).push(") THEN 'lead' ELSE 'partner' END")
    }

    /// What findings say: matching money, shares, balances, final acceptance.
    fn found(&self, sql: &mut Sql) {
        for rule in &self.search.rules {
            let kind = match rule {
                Rule::A03 => "'matching_instalment'",
                Rule::A06 => "'share_transfer'",
                Rule::A10 => "CASE f.finding WHEN 'kept_too_long' THEN 'retained' ELSE 'refund' END",
                _ => "'acceptance'",
            };
            for statement in rule.statements(&self.search, &self.rulebook) {
                sql.push(&format!(
                    " UNION ALL SELECT {kind}, f.subject, d.grant_id, NULL, NULL, {OF_GRANT}, f.since, "
                ));
                match rule {
                    Rule::A03 => sql.push("'matching_payer'"),
                    Rule::A06 => sql.push("'lead'"),
                    Rule::A10 => self.holder(sql),
                    _ => self.reported(sql),
                };
                sql.push(", f.amount_minor FROM ").nest(statement).push(" ").push(FINDING);
                sql.push(" JOIN scope d ON d.grant_id = f.grant_id");
            }
        }
    }

    /// What is outstanding of recoveries. An appeal does not stop the clock, but it is the office that has to decide it.
    fn recoveries(&self, sql: &mut Sql) {
        let Search { point, filter, on, .. } = self.search.clone();
        sql.push(&format!(
            "SELECT CASE WHEN v.due_on IS NULL THEN 'demand' ELSE 'recovery_payment' END, 'recovery/' || v.recovery, d.grant_id, \
             v.recovery, NULL, {OF_GRANT}, coalesce(v.due_on, v.determined_on), \
             CASE v.state WHEN 'demanded' THEN 'lead' ELSE 'office' END, v.outstanding_minor FROM "
        ));
        sql.nest(Receivables { point, filter, on }.sql(None));
        sql.push(" v JOIN scope d ON d.grant_id = v.grant_id WHERE v.outstanding_minor > 0");
    }

    /// Tranches that were not settled. A hold stops all but what the bank does.
    fn tranches(&self, sql: &mut Sql) {
        let Search { point, filter, on, .. } = self.search.clone();
        let step = |step: Step| step.number();
        sql.push(&format!(
            "SELECT 'tranche', d.grant_id || '/tranche/' || t.number, d.grant_id, NULL, NULL, {OF_GRANT}, t.due_on, CASE \
             WHEN t.step IN ({}, {}) THEN 'bank' WHEN t.on_hold THEN 'office' \
             WHEN t.step IS NULL OR t.step IN ({}, {}) THEN 'lead' ELSE 'office' END, t.amount_minor FROM ",
            step(Step::Instructed),
            step(Step::SettlementReversed),
            step(Step::Rejected),
            step(Step::Cancelled)
        ));
        sql.nest(Overdue { point, filter, on }.sql(None)).push(" t JOIN scope d ON d.grant_id = t.grant_id");
    }

    /// Findings that somebody was charged with. One that is of no grant is of the programme that its subject begins with.
    fn rectifications(&self, sql: &mut Sql) {
        let explained = RectificationStep::Explained.number();
        sql.push(&format!(
            "SELECT 'rectification', r.rule || ':' || r.subject || '@' || r.finding_position, r.grant_id, NULL, r.rectification, \
             {OF_GRANT}, r.deadline, CASE s.step WHEN {explained} THEN 'office' ELSE 'owner' END, 0 FROM rectifications r \
             JOIN {CHARGES} ON d.position = r.position \
             LEFT JOIN LATERAL (SELECT s.step FROM rectification_steps s WHERE s.rectification = r.rectification \
             AND s.position > r.position AND "
        ));
        sql.known_at("s", self.point()).push(" ORDER BY s.position DESC LIMIT 1) s ON true WHERE ");
        sql.known_at("r", self.point())
            .push(&format!(" AND coalesce(s.step, {explained}) = {explained} AND "));
        // The newest charge holds.
        sql.push("NOT EXISTS (SELECT 1 FROM rectifications n WHERE n.rectification = r.rectification AND n.position > r.position AND ");
        sql.known_at("n", self.point()).push(")");
        sql.narrow_dims(&self.search.filter);
    }
}
