//! What others owe the project: matching money (A03), and the lead its partners' shares (A06).

use super::with;
use crate::{
    findings::{OF_GRANT, Search, days},
    numbers::{self, GrantStep, MatchMove, Step},
    query::Sql,
};
use concord_events::ledger::Account;
use concord_kernel::{Date, rulebook::Rulebook};
use jiff::ToSpan as _;

/// An instalment whose day has passed, and of which something is missing. A source that was released owes what had arrived by
/// then, so that it owes again what is corrected later: that correction is the cause then.
pub(super) fn a03(search: &Search) -> Sql {
    let (arrived, reversed, released) =
        (MatchMove::Arrived.number(), MatchMove::ArrivalReversed.number(), MatchMove::Released.number());
    let moved =
        format!("CASE v.step WHEN {arrived} THEN v.amount_minor WHEN {reversed} THEN -v.amount_minor END");
    let mut sql = with(search);
    sql.push(
        "SELECT 'overdue', d.grant_id || '/source/' || i.source || '/' || i.number, coalesce(a.again, m.position), d.grant_id, \
         (o.owed - a.arrived)::bigint, i.due_on, array_prepend(m.position, a.moves), i.amount_minor, \
         a.arrived::bigint, i.due_on, m.kind || coalesce('/' || m.level, '')",
    );
    sql.push(OF_GRANT).push(
        "FROM scope d JOIN match_sources m ON m.grant_id = d.grant_id \
         JOIN match_instalments i ON i.grant_id = m.grant_id AND i.source = m.source \
         CROSS JOIN LATERAL (SELECT max(v.position) AS position FROM match_moves v \
         WHERE v.grant_id = i.grant_id AND v.source = i.source AND ",
    );
    sql.push(&format!("v.step = {released} AND ")).known_at("v", search.point);
    sql.push(&format!(
        ") r CROSS JOIN LATERAL (SELECT coalesce(sum({moved}), 0) AS arrived, \
         coalesce(sum({moved}) FILTER (WHERE v.position < r.position), 0) AS kept, \
         min(v.position) FILTER (WHERE v.step = {reversed} AND v.position > r.position) AS again, \
         coalesce(array_agg(v.position ORDER BY v.position), '{{}}') AS moves FROM match_moves v \
         WHERE v.grant_id = i.grant_id AND v.source = i.source AND (v.instalment = i.number OR v.instalment IS NULL) AND "
    ));
    sql.known_at("v", search.point).push(
        ") a CROSS JOIN LATERAL (SELECT CASE WHEN r.position IS NULL THEN i.amount_minor ELSE a.kept END AS owed) o WHERE ",
    );
    sql.known_at("m", search.point).push(" AND ").known_at("i", search.point).push(" AND i.due_on < ");
    days(&mut sql, search.on);
    sql.push(" AND o.owed > a.arrived AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = d.grant_id AND ");
    sql.push(&format!("e.step IN ({}) AND ", numbers::list(GrantStep::STOPS.map(GrantStep::number))));
    sql.known_at("e", search.point).push(" AND e.effective_on <= i.due_on)");
    sql
}

/// A partner's part of what was settled long enough ago, less what was passed on to it. The cause is the first settlement whose
/// part was not passed on: as long as that is so, the finding is the same.
///
/// A payment that came back, or was never made, is owed to nobody from that day on. Once a grant was terminated or cancelled
/// nothing more is passed on: what the lead holds goes back (A10, A16). A share that the source does not say is not weighed, nor that
/// of a partner that has become one with the lead: it holds its money.
pub(super) fn a06(search: &Search, rulebook: &Rulebook) -> Sql {
    let unspent = numbers::account(Account::RecipientUnspent);
    let passed_on = numbers::event_type("concord.fund.v1.ShareTransferred").unwrap_or_default();
    let contracted = numbers::list(
        [GrantStep::Contracted, GrantStep::Amended, GrantStep::Imported].map(GrantStep::number),
    );
    let paid = numbers::list([Step::Settled, Step::Returned, Step::SettlementReversed].map(Step::number));
    let due_days = i64::from(rulebook.onward_transfer_within_days);
    let settled_by = search.on.checked_sub(due_days.days()).unwrap_or(Date::MIN);
    let mut sql = with(search);
    sql.push(", ").persons(search.point).push(
        ", own_shares AS MATERIALIZED (SELECT DISTINCT s.grant_id, s.party FROM scope d JOIN shares s USING (grant_id) \
         LEFT JOIN persons h ON h.party = s.party LEFT JOIN persons l ON l.party = d.party \
         WHERE EXISTS (SELECT 1 FROM persons) AND s.party <> d.party \
         AND coalesce(h.person, s.party) = coalesce(l.person, d.party)) SELECT 'withheld', d.grant_id || '/share/' || s.party, l.position, d.grant_id, (l.due - p.passed)::bigint, l.settled_on + ",
    );
    sql.push(&format!("{due_days}::integer"));
    sql.push(", array_prepend(l.position, p.moves), l.due::bigint, p.passed::bigint, l.settled_on, s.code");
    // Grant by grant: joined as wholes, the planner takes the shares for few and searches all payments for each.
    sql.push(OF_GRANT).push(
        "FROM scope d CROSS JOIN LATERAL (SELECT s.party, min(s.code) AS code, sum(s.amount_minor) AS amount_minor \
         FROM shares s WHERE s.grant_id = d.grant_id AND s.position = (SELECT max(n.position) FROM shares n \
         WHERE n.grant_id = d.grant_id AND ",
    );
    sql.known_at("n", search.point).push(
        ") AND s.party <> d.party AND NOT EXISTS (SELECT 1 FROM own_shares o WHERE o.grant_id = d.grant_id AND o.party = s.party) GROUP BY s.party HAVING count(*) = count(s.amount_minor) AND sum(s.amount_minor) > 0) s \
         CROSS JOIN LATERAL (SELECT t.amount_minor AS minor FROM grant_steps t WHERE t.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("t.step IN ({contracted}) AND "));
    sql.known_at("t", search.point).push(
        " ORDER BY t.position DESC LIMIT 1) c CROSS JOIN LATERAL (SELECT coalesce(sum(p.amount_minor), 0) AS passed, \
         coalesce(array_agg(p.position ORDER BY p.position), '{}') AS moves FROM dims x JOIN postings p ON p.dims = x.dims \
         WHERE x.grant_id = d.grant_id AND x.party = s.party ",
    );
    sql.push(&format!(
        "AND p.account = {unspent} AND (p.event_type = {passed_on} OR EXISTS \
         (SELECT 1 FROM corrections c WHERE c.position = p.position AND c.kind = 'share_transfer')) AND "
    ));
    // What of a payment came back after it, and before the tranche's next one, is taken off it.
    sql.known_at("p", search.point).push(
        ") p CROSS JOIN LATERAL (SELECT max(r.due) AS due, \
         (array_agg(r.position ORDER BY r.effective_on, r.position) FILTER (WHERE r.due > p.passed))[1] AS position, \
         min(r.effective_on) FILTER (WHERE r.due > p.passed) AS settled_on FROM (SELECT y.position, y.effective_on, \
         least(floor(s.amount_minor * sum(y.net) OVER (ORDER BY y.effective_on, y.position) / nullif(c.minor, 0)), s.amount_minor) AS due \
         FROM (SELECT min(v.position) AS position, (array_agg(v.effective_on ORDER BY v.position))[1] AS effective_on, \
         sum(v.amount_minor) AS net FROM (SELECT t.number, q.position, q.effective_on, q.amount_minor, \
         count(*) FILTER (WHERE q.amount_minor > 0) OVER (PARTITION BY t.number ORDER BY q.position) AS payment \
         FROM tranche_steps t JOIN postings q ON q.position = t.position AND q.settles WHERE t.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("t.step IN ({paid}) AND ")).known_at("q", search.point).push(
        ") v WHERE v.payment > 0 GROUP BY v.number, v.payment) y WHERE y.net > 0 AND y.effective_on < ",
    );
    days(&mut sql, settled_by);
    sql.push(") r) l WHERE l.due > p.passed AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = d.grant_id AND ");
    sql.push(&format!("e.step IN ({}) AND ", numbers::list(GrantStep::STOPS.map(GrantStep::number))));
    sql.known_at("e", search.point).push(")");
    sql
}
