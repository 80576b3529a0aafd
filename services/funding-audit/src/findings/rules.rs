//! One statement a rule. Its columns: case, subject, position, grant, amount, since, evidence, two figures, a day, a word; then
//! the grant's own.

use super::{OF_GRANT, Search, days, scope};
use crate::{
    numbers::{self, GrantStep, MatchMove, RecoveryStep, RectificationStep, SpendStep},
    query::{QueryError, Sql},
};
use concord_events::ledger::Account;
use concord_kernel::{Date, rulebook::Rulebook};
use jiff::ToSpan as _;
use tokio_postgres::types::Type;

/// State of a rectification that says the finding is none.
pub(super) const DISMISSED: &str = "dismissed";

/// A rule that raises findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    A03,
    A04,
    A06,
    A07,
    A09,
    A10,
    A11,
    A12,
    A16,
    A17,
    A18,
}

impl Rule {
    pub(crate) const ALL: [Self; 11] = [
        Self::A03,
        Self::A04,
        Self::A06,
        Self::A07,
        Self::A09,
        Self::A10,
        Self::A11,
        Self::A12,
        Self::A16,
        Self::A17,
        Self::A18,
    ];

    /// As domain.md section 5 numbers it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::A03 => "A03",
            Self::A04 => "A04",
            Self::A06 => "A06",
            Self::A07 => "A07",
            Self::A09 => "A09",
            Self::A10 => "A10",
            Self::A11 => "A11",
            Self::A12 => "A12",
            Self::A16 => "A16",
            Self::A17 => "A17",
            Self::A18 => "A18",
        }
    }

    /// What it is about, for people.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::A03 => "matching funds never arrive 配套资金未到位",
            Self::A04 => "same project funded twice 重复资助",
            Self::A06 => "lead withholds partners' shares 未转拨合作单位资金",
            Self::A07 => "approved against the review 违背评审立项",
            Self::A09 => "ineligible spend 违规列支",
            Self::A10 => "unspent balance kept 结余未退",
            Self::A11 => "late final acceptance 逾期未验收",
            Self::A12 => "idle money 资金闲置",
            Self::A16 => "overdue recovery 追缴逾期",
            Self::A17 => "back-dated or corrected 倒签、更正",
            Self::A18 => "override used 特批",
        }
    }

    /// The cases that it has.
    pub(crate) fn cases(self) -> &'static [&'static str] {
        match self {
            Self::A03 | Self::A11 | Self::A16 => &["overdue"],
            Self::A04 => &["similar"],
            Self::A06 => &["withheld"],
            Self::A07 => &["above_ceiling", "work_finished"],
            Self::A09 => &["category", "period", "invoice"],
            Self::A10 => &["not_refunded", "kept_too_long"],
            Self::A12 => &["past_end", "no_activity"],
            Self::A17 => &["dated_back", "corrected"],
            Self::A18 => &["override"],
        }
    }

    /// The statements that find by it; A04 has none, it is found otherwise.
    pub(crate) fn statements(self, search: &Search, rulebook: &Rulebook) -> Vec<Sql> {
        match self {
            Self::A03 => vec![a03(search)],
            Self::A04 => Vec::new(),
            Self::A06 => vec![a06(search, rulebook)],
            Self::A07 => vec![a07(search)],
            Self::A09 => vec![a09(search, rulebook)],
            Self::A10 => vec![a10_not_refunded(search), a10_kept(search)],
            Self::A11 => vec![a11(search)],
            Self::A12 => vec![a12(search, rulebook)],
            Self::A16 => vec![a16(search)],
            Self::A17 => vec![a17(search), a17_corrected(search)],
            Self::A18 => vec![a18(search)],
        }
    }
}

/// What a rectification stands at after its newest step.
pub(super) fn rectification_state(step: Option<i16>) -> Result<&'static str, QueryError> {
    let Some(step) = step else { return Ok("assigned") };
    let states = [
        (RectificationStep::Explained, "explained"),
        (RectificationStep::Rectified, "rectified"),
        (RectificationStep::Accepted, "accepted"),
        (RectificationStep::Dismissed, DISMISSED),
    ];
    states
        .iter()
        .find(|(known, _)| known.number() == step)
        .map(|(_, state)| *state)
        .ok_or_else(|| QueryError::Corrupt(format!("a rectification stands at the unknown step {step}")))
}

fn with(search: &Search) -> Sql {
    let mut sql = Sql::new("WITH");
    scope(&mut sql, search);
    sql
}

/// An instalment whose day has passed, and of which something is missing. A source that was released owes nothing more.
fn a03(search: &Search) -> Sql {
    let (arrived, reversed, released) =
        (MatchMove::Arrived.number(), MatchMove::ArrivalReversed.number(), MatchMove::Released.number());
    let mut sql = with(search);
    sql.push(
        "SELECT 'overdue', d.grant_id || '/source/' || i.source || '/' || i.number, m.position, d.grant_id, \
         (i.amount_minor - a.arrived)::bigint, i.due_on, array_prepend(m.position, a.moves), i.amount_minor, \
         a.arrived::bigint, i.due_on, m.kind || coalesce('/' || m.level, '')",
    );
    sql.push(OF_GRANT).push(
        "FROM scope d JOIN match_sources m ON m.grant_id = d.grant_id \
         JOIN match_instalments i ON i.grant_id = m.grant_id AND i.source = m.source \
         CROSS JOIN LATERAL (SELECT coalesce(sum(CASE v.step ",
    );
    sql.push(&format!(
        "WHEN {arrived} THEN v.amount_minor WHEN {reversed} THEN -v.amount_minor END), 0) AS arrived, \
         coalesce(bool_or(v.step = {released}), false) AS released, \
         coalesce(array_agg(v.position ORDER BY v.position), '{{}}') AS moves FROM match_moves v \
         WHERE v.grant_id = i.grant_id AND v.source = i.source AND (v.instalment = i.number OR v.instalment IS NULL) AND "
    ));
    sql.known_at("v", search.point).push(") a WHERE ").known_at("m", search.point).push(" AND ");
    sql.known_at("i", search.point).push(" AND i.due_on < ");
    days(&mut sql, search.on);
    sql.push(" AND NOT a.released AND i.amount_minor > a.arrived");
    sql
}

/// A partner's part of what was settled long enough ago, less what was passed on to it. The cause is the first settlement whose
/// part was not passed on: as long as that is so, the finding is the same.
fn a06(search: &Search, rulebook: &Rulebook) -> Sql {
    let unspent = numbers::account(Account::RecipientUnspent);
    let passed_on = numbers::event_type("concord.fund.v1.ShareTransferred").unwrap_or_default();
    let corrected = numbers::event_type("concord.fund.v1.FactCorrected").unwrap_or_default();
    let (signed, amended, imported) =
        (GrantStep::Contracted.number(), GrantStep::Amended.number(), GrantStep::Imported.number());
    let due_days = i64::from(rulebook.onward_transfer_within_days);
    let settled_by = search.on.checked_sub(due_days.days()).unwrap_or(Date::MIN);
    let mut sql = with(search);
    sql.push(", shared AS MATERIALIZED (SELECT d.grant_id, s.party, s.code, s.amount_minor FROM scope d \
              CROSS JOIN LATERAL (SELECT max(s.position) AS position FROM shares s WHERE s.grant_id = d.grant_id AND ");
    sql.known_at("s", search.point).push(
        ") newest JOIN shares s ON s.grant_id = d.grant_id AND s.position = newest.position \
         WHERE s.party <> d.party AND s.amount_minor > 0), \
         running AS MATERIALIZED (SELECT x.grant_id, p.position, p.effective_on, sum(sum(p.amount_minor)) OVER \
         (PARTITION BY x.grant_id ORDER BY p.effective_on, p.position) AS settled FROM \
         (SELECT DISTINCT grant_id FROM shared) g JOIN dims x ON x.grant_id = g.grant_id \
         JOIN postings p ON p.dims = x.dims AND p.settles AND ",
    );
    sql.known_at("p", search.point).push(" WHERE p.effective_on < ");
    days(&mut sql, settled_by);
    sql.push(" GROUP BY x.grant_id, p.position, p.effective_on), passed AS MATERIALIZED (SELECT x.grant_id, x.party, \
              sum(p.amount_minor) AS passed, array_agg(p.position ORDER BY p.position) AS moves FROM shared s \
              JOIN dims x ON x.grant_id = s.grant_id AND x.party = s.party JOIN postings p ON p.dims = x.dims ");
    sql.push(&format!(
        "AND p.account = {unspent} AND (p.event_type = {passed_on} OR (p.event_type = {corrected} AND EXISTS \
         (SELECT 1 FROM corrections c WHERE c.position = p.position AND c.kind = 'share_transfer'))) WHERE "
    ));
    sql.known_at("p", search.point).push(
        " GROUP BY x.grant_id, x.party), owed AS (SELECT s.grant_id, s.party, s.code, s.amount_minor, \
         coalesce(max(p.passed), 0) AS passed, coalesce(max(p.moves), '{}') AS moves, r.position, r.effective_on, \
         floor(s.amount_minor::numeric * r.settled / c.contracted) AS due, \
         row_number() OVER (PARTITION BY s.grant_id, s.party ORDER BY r.effective_on DESC, r.position DESC) AS newest \
         FROM shared s JOIN running r USING (grant_id) LEFT JOIN passed p USING (grant_id, party) \
         CROSS JOIN LATERAL (SELECT t.amount_minor AS contracted FROM grant_steps t WHERE t.grant_id = s.grant_id AND ",
    );
    sql.push(&format!("t.step IN ({signed}, {amended}, {imported}) AND "));
    sql.known_at("t", search.point).push(
        " ORDER BY t.position DESC LIMIT 1) c WHERE c.contracted > 0 \
         GROUP BY s.grant_id, s.party, s.code, s.amount_minor, r.position, r.effective_on, r.settled, c.contracted), \
         late AS (SELECT grant_id, party, code, amount_minor, passed, moves, \
         max(due) FILTER (WHERE newest = 1) AS due, \
         (array_agg(position ORDER BY effective_on, position) FILTER (WHERE due > passed))[1] AS position, \
         min(effective_on) FILTER (WHERE due > passed) AS settled_on \
         FROM owed GROUP BY grant_id, party, code, amount_minor, passed, moves) \
         SELECT 'withheld', d.grant_id || '/share/' || l.party, l.position, d.grant_id, (l.due - l.passed)::bigint, \
         l.settled_on + ",
    );
    sql.push(&format!("{due_days}::integer"));
    sql.push(", array_prepend(l.position, l.moves), l.due::bigint, l.passed::bigint, l.settled_on, l.code");
    sql.push(OF_GRANT).push("FROM late l JOIN scope d USING (grant_id) WHERE l.due > l.passed");
    sql
}

/// An approval above what the experts would award, or of a project that was over.
fn a07(search: &Search) -> Sql {
    let step = |step: GrantStep| step.number();
    let mut sql = with(search);
    sql.push(
        "SELECT c.finding, d.grant_id || '/approval/' || c.finding, a.position, d.grant_id, c.amount_minor, a.effective_on, \
         ARRAY[r.position, a.position, o.position], r.amount_minor, a.amount_minor, f.day, o.minutes",
    );
    sql.push(OF_GRANT).push("FROM scope d JOIN grant_steps a ON a.grant_id = d.grant_id AND ");
    sql.push(&format!("a.step = {} AND ", step(GrantStep::Approved))).known_at("a", search.point);
    sql.push(
        " CROSS JOIN LATERAL (SELECT r.position, r.amount_minor FROM grant_steps r WHERE r.grant_id = d.grant_id \
         AND r.position < a.position AND ",
    );
    sql.push(&format!("r.step = {} ", step(GrantStep::Reviewed)));
    sql.push("ORDER BY r.position DESC LIMIT 1) r CROSS JOIN LATERAL (SELECT f.day FROM grant_steps f WHERE f.grant_id = d.grant_id AND ");
    sql.push(&format!("f.step = {} LIMIT 1) f ", step(GrantStep::Applied)));
    sql.push(
        "LEFT JOIN LATERAL (SELECT o.position, o.minutes FROM overrides o WHERE o.grant_id = d.grant_id \
         AND o.position < a.position AND o.rule = 'A07' ORDER BY o.position DESC LIMIT 1) o ON true \
         CROSS JOIN LATERAL (VALUES ('above_ceiling', a.amount_minor - r.amount_minor, a.amount_minor > r.amount_minor), \
         ('work_finished', a.amount_minor, f.day < a.effective_on)) c (finding, amount_minor, broken) WHERE c.broken",
    );
    sql
}

/// Spending that was not disallowed and should be looked at.
fn a09(search: &Search, rulebook: &Rulebook) -> Sql {
    let ineligible: Vec<&str> = rulebook.spending.ineligible.iter().map(|category| category.code()).collect();
    let (disallowed, after) = (SpendStep::Disallowed.number(), SpendStep::DisallowedAfterAcceptance.number());
    let mut sql = with(search);
    sql.push(", standing AS (SELECT s.* FROM spends s WHERE ").known_at("s", search.point);
    sql.push(" AND NOT EXISTS (SELECT 1 FROM spend_steps t WHERE t.spend = s.spend AND ");
    sql.push(&format!("t.step IN ({disallowed}, {after}) AND ")).known_at("t", search.point);
    sql.push(
        ")) SELECT c.finding, d.grant_id || '/spend/' || s.spend || '/' || c.finding, s.position, d.grant_id, c.amount_minor, \
         s.effective_on, ARRAY[s.position], c.one, c.other, s.spent_on, c.word",
    );
    sql.push(OF_GRANT).push(
        "FROM scope d JOIN standing s ON s.grant_id = d.grant_id \
         LEFT JOIN LATERAL (SELECT t.starts_on, t.ends_on FROM terms t WHERE t.grant_id = d.grant_id AND ",
    );
    sql.known_at("t", search.point).push(
        " ORDER BY t.position DESC LIMIT 1) t ON true \
         LEFT JOIN LATERAL (SELECT sum(other.amount_minor)::bigint AS shared FROM standing other \
         WHERE other.invoice = s.invoice) i ON s.invoice IS NOT NULL \
         CROSS JOIN LATERAL (VALUES ('category', s.amount_minor, 0::bigint, 0::bigint, s.category, s.category = ANY(",
    );
    sql.bind(ineligible.into_iter().map(str::to_owned).collect::<Vec<_>>(), Type::TEXT_ARRAY);
    sql.push(
        ")), ('period', s.amount_minor, 0, 0, coalesce(t.starts_on::text, '') || '/' || coalesce(t.ends_on::text, ''), \
         s.spent_on < t.starts_on OR s.spent_on > t.ends_on), \
         ('invoice', least(s.amount_minor, i.shared - s.total_minor), i.shared, s.total_minor, s.number, \
         i.shared > s.total_minor)) c (finding, amount_minor, one, other, word, broken) WHERE c.broken",
    );
    sql
}

/// What a party of these grants holds on an account.
fn held(sql: &mut Sql, search: &Search, account: Account) {
    sql.push(
        " CROSS JOIN LATERAL (SELECT x.party, sum(p.amount_minor)::bigint AS minor, max(p.position) AS newest FROM dims x \
         JOIN postings p ON p.dims = x.dims WHERE x.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("p.account = {} AND ", numbers::account(account))).known_at("p", search.point);
    sql.push(" GROUP BY x.party HAVING sum(p.amount_minor) > 0) h ");
}

/// A closed or terminated grant whose balance should have been given back.
fn a10_not_refunded(search: &Search) -> Sql {
    let mut sql = with(search);
    sql.push(
        "SELECT 'not_refunded', d.grant_id || '/unspent/' || h.party, e.position, d.grant_id, h.minor, e.day, \
         ARRAY[e.position, h.newest], h.minor, 0::bigint, e.day, h.party::text",
    );
    sql.push(OF_GRANT).push("FROM scope d JOIN grant_steps e ON e.grant_id = d.grant_id AND ");
    sql.push(&format!("e.step IN ({}, {}) AND ", GrantStep::Closed.number(), GrantStep::Terminated.number()));
    sql.known_at("e", search.point);
    held(&mut sql, search, Account::RecipientUnspent);
    sql.push("WHERE e.day < ");
    days(&mut sql, search.on);
    sql
}

/// A balance that is kept beyond the last day on which it may be.
fn a10_kept(search: &Search) -> Sql {
    let mut sql = with(search);
    sql.push(
        "SELECT 'kept_too_long', d.grant_id || '/retained/' || k.position, k.position, d.grant_id, \
         least(k.amount_minor, h.minor), k.until, ARRAY[k.position, h.newest], k.amount_minor, h.minor, k.until, k.party::text",
    );
    sql.push(OF_GRANT).push("FROM scope d JOIN retained k ON k.grant_id = d.grant_id AND ");
    sql.known_at("k", search.point);
    held(&mut sql, search, Account::RetainedByRule);
    sql.push("WHERE h.party = k.party AND k.until < ");
    days(&mut sql, search.on);
    sql
}

/// Steps after which final acceptance is no longer waited for.
pub(crate) fn concluded() -> String {
    let steps = [GrantStep::AcceptancePassed, GrantStep::AcceptanceFailed]
        .into_iter()
        .chain(GrantStep::ENDS)
        .map(|step| step.number().to_string());
    steps.collect::<Vec<_>>().join(", ")
}

/// Final acceptance past its day. A migrated award has none here.
fn a11(search: &Search) -> Sql {
    let mut sql = with(search);
    sql.push(
        "SELECT 'overdue', d.grant_id || '/acceptance', t.position, d.grant_id, coalesce(c.amount_minor, 0), \
         t.acceptance_due_on, ARRAY[t.position], 0::bigint, 0::bigint, t.ends_on, NULL::text",
    );
    sql.push(OF_GRANT)
        .push("FROM scope d CROSS JOIN LATERAL (SELECT t.* FROM terms t WHERE t.grant_id = d.grant_id AND ");
    sql.known_at("t", search.point).push(" ORDER BY t.position DESC LIMIT 1) t ");
    contracted(&mut sql, search);
    sql.push("WHERE t.acceptance_due_on < ");
    days(&mut sql, search.on);
    sql.push(" AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = d.grant_id AND ");
    sql.push(&format!("e.step IN ({}) AND ", concluded())).known_at("e", search.point).push(")");
    sql
}

/// What is contracted by now, as `c.amount_minor`.
pub(crate) fn contracted(sql: &mut Sql, search: &Search) {
    let (signed, amended, imported) =
        (GrantStep::Contracted.number(), GrantStep::Amended.number(), GrantStep::Imported.number());
    sql.push(
        "LEFT JOIN LATERAL (SELECT c.amount_minor FROM grant_steps c WHERE c.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("c.step IN ({signed}, {amended}, {imported}) AND ")).known_at("c", search.point);
    sql.push(" ORDER BY c.position DESC LIMIT 1) c ON true ");
}

/// Money that recipients hold and that does not move: so many months past the project's end, or since anything happened. The
/// cause is what happened last, so that a movement begins another finding.
fn a12(search: &Search, rulebook: &Rulebook) -> Sql {
    let ago = |months: u32| search.on.checked_sub(i64::from(months).months()).unwrap_or(Date::MIN);
    let (over, still) = (ago(rulebook.idle.months_past_end), ago(rulebook.idle.months_without_activity));
    let unspent = numbers::account(Account::RecipientUnspent);
    let ends = GrantStep::ENDS.map(|step| step.number().to_string()).join(", ");
    let matching = numbers::account(Account::MatchSource);
    let mut sql = with(search);
    sql.push(
        "SELECT i.finding, d.grant_id || '/idle', a.position, d.grant_id, h.minor, i.since, ARRAY[a.position], h.minor, \
         0::bigint, i.day, NULL::text",
    );
    sql.push(OF_GRANT).push(
        "FROM scope d CROSS JOIN LATERAL (SELECT sum(p.amount_minor)::bigint AS minor FROM dims x JOIN postings p \
         ON p.dims = x.dims WHERE x.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("p.account = {unspent} AND ")).known_at("p", search.point);
    sql.push(") h LEFT JOIN LATERAL (SELECT t.ends_on FROM terms t WHERE t.grant_id = d.grant_id AND ");
    sql.known_at("t", search.point).push(
        " ORDER BY t.position DESC LIMIT 1) t ON true CROSS JOIN LATERAL (SELECT v.position, v.effective_on FROM \
         ((SELECT p.position, p.effective_on FROM dims x JOIN postings p ON p.dims = x.dims \
         WHERE x.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("p.account < {matching} AND ")).known_at("p", search.point);
    sql.push(
        " ORDER BY p.position DESC LIMIT 1) UNION ALL (SELECT s.position, s.effective_on FROM spends s \
              WHERE s.grant_id = d.grant_id AND ",
    );
    sql.known_at("s", search.point).push(
        " ORDER BY s.position DESC LIMIT 1) UNION ALL (SELECT s.position, s.effective_on FROM grant_steps s \
         WHERE s.grant_id = d.grant_id AND ",
    );
    sql.push(&format!(
        "s.step IN ({}, {}, {}) AND ",
        GrantStep::MidtermPassed.number(),
        GrantStep::MidtermFailed.number(),
        GrantStep::CompletionReported.number()
    ));
    sql.known_at("s", search.point).push(
        " ORDER BY s.position DESC LIMIT 1)) v ORDER BY v.effective_on DESC, v.position DESC LIMIT 1) a \
         CROSS JOIN LATERAL (SELECT * FROM (VALUES ('past_end', t.ends_on, t.ends_on, t.ends_on < ",
    );
    days(&mut sql, over);
    sql.push("), ('no_activity', a.effective_on, a.effective_on, a.effective_on < ");
    days(&mut sql, still);
    sql.push(")) i (finding, since, day, broken) WHERE i.broken ORDER BY i.since LIMIT 1) i \
              WHERE h.minor > 0 AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = d.grant_id AND ");
    sql.push(&format!("e.step IN ({ends}) AND ")).known_at("e", search.point).push(")");
    sql
}

/// A recovery that was demanded and is outstanding after its day. While an appeal is open nothing is overdue.
fn a16(search: &Search) -> Sql {
    let step = |step: RecoveryStep| step.number();
    let mut sql = with(search);
    sql.push(
        "SELECT 'overdue', 'recovery/' || r.recovery, m.position, d.grant_id, (r.amount_minor - s.settled)::bigint, m.due_on, \
         array_prepend(r.position, s.steps), r.amount_minor, s.settled::bigint, m.due_on, r.cause",
    );
    sql.push(OF_GRANT).push("FROM scope d JOIN recoveries r ON r.grant_id = d.grant_id AND ");
    sql.known_at("r", search.point);
    sql.push(" CROSS JOIN LATERAL (SELECT m.position, m.due_on FROM recovery_steps m WHERE m.recovery = r.recovery AND ");
    sql.push(&format!("m.step = {} AND ", step(RecoveryStep::Demanded))).known_at("m", search.point);
    sql.push(" ORDER BY m.position DESC LIMIT 1) m CROSS JOIN LATERAL (SELECT coalesce(sum(CASE ");
    sql.push(&format!(
        "WHEN s.step IN ({}, {}, {}, {}) THEN s.amount_minor WHEN s.step = {} THEN -s.amount_minor END), 0) AS settled, ",
        step(RecoveryStep::Repaid),
        step(RecoveryStep::Offset),
        step(RecoveryStep::WrittenOff),
        step(RecoveryStep::Overturned),
        step(RecoveryStep::RepaymentReversed),
    ));
    sql.push(
        "array_agg(s.position ORDER BY s.position) AS steps, \
         (array_agg(s.step ORDER BY s.position DESC) FILTER (WHERE s.step IN ",
    );
    sql.push(&format!(
        "({}, {}, {})))[1] AS word FROM recovery_steps s WHERE s.recovery = r.recovery AND ",
        step(RecoveryStep::Appealed),
        step(RecoveryStep::Upheld),
        step(RecoveryStep::Overturned)
    ));
    sql.known_at("s", search.point).push(") s WHERE m.due_on < ");
    days(&mut sql, search.on);
    sql.push(&format!(
        " AND r.amount_minor > s.settled AND s.word IS DISTINCT FROM {}",
        step(RecoveryStep::Appealed)
    ));
    sql
}

/// What a set of lines moved: its debits.
const MOVED: &str = "coalesce((SELECT sum(p.amount_minor) FROM postings p WHERE p.position = l.position \
                     AND p.amount_minor > 0), 0)::bigint";

/// Facts that were recorded after the day on which they happened. A programme's own have no grant.
fn a17(search: &Search) -> Sql {
    let filter = &search.filter;
    let programmes_too = filter.grant.is_none()
        && filter.mode.is_none()
        && filter.industry.is_none()
        && filter.lead_region.is_none()
        && filter.party_region.is_none()
        && filter.party.is_none();
    let mut sql = with(search);
    sql.push("SELECT 'dated_back', d.grant_id || '/late/' || l.position, l.position, d.grant_id, ");
    sql.push(MOVED)
        .push(", l.known_on, ARRAY[l.position], l.days::bigint, 0::bigint, l.effective_on, l.event_type");
    sql.push(OF_GRANT).push("FROM scope d JOIN late l ON l.grant_id = d.grant_id WHERE ");
    sql.known_at("l", search.point);
    if programmes_too {
        sql.push(" UNION ALL SELECT 'dated_back', p.programme || '/late/' || l.position, l.position, NULL, ");
        sql.push(MOVED).push(
            ", l.known_on, ARRAY[l.position], l.days::bigint, 0::bigint, l.effective_on, l.event_type, p.programme, p.currency, \
             NULL, p.fund || ' ' || p.year, false FROM late l JOIN (SELECT d.*, d.programme AS id FROM programmes d WHERE true",
        );
        sql.narrow_dims(filter).push(") p ON p.programme = l.programme WHERE l.grant_id IS NULL AND ");
        sql.known_at("l", search.point);
    }
    sql
}

/// Facts that were reversed.
fn a17_corrected(search: &Search) -> Sql {
    let mut sql = with(search);
    sql.push(
        "SELECT 'corrected', d.grant_id || '/correction/' || l.position, l.position, d.grant_id, l.amount_minor, l.effective_on, \
         ARRAY[l.reverses, l.position], l.reverses, 0::bigint, l.fact_on, l.kind",
    );
    sql.push(OF_GRANT).push("FROM scope d JOIN corrections l ON l.grant_id = d.grant_id WHERE ");
    sql.known_at("l", search.point);
    sql
}

/// Rules that a meeting set aside.
fn a18(search: &Search) -> Sql {
    let mut sql = with(search);
    sql.push(
        "SELECT 'override', d.grant_id || '/override/' || o.position, o.position, d.grant_id, coalesce(a.amount_minor, 0), \
         o.effective_on, ARRAY[o.position, a.position], 0::bigint, 0::bigint, o.effective_on, o.rule || ' ' || o.minutes",
    );
    sql.push(OF_GRANT).push("FROM scope d JOIN overrides o ON o.grant_id = d.grant_id LEFT JOIN LATERAL (SELECT a.position, a.amount_minor FROM grant_steps a WHERE a.grant_id = d.grant_id AND ");
    sql.push(&format!("a.step = {} AND ", GrantStep::Approved.number())).known_at("a", search.point);
    sql.push(" ORDER BY a.position DESC LIMIT 1) a ON true WHERE ").known_at("o", search.point);
    sql
}
