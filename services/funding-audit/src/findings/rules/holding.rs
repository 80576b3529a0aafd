//! What recipients spent and hold: ineligible spending (A09), balances (A10), idle money (A12), recoveries (A16).

use super::with;
use crate::{
    findings::{OF_GRANT, Search, days},
    numbers::{self, GrantStep, RecoveryStep, SpendStep},
    query::Sql,
};
use concord_events::ledger::Account;
use concord_kernel::{Date, rulebook::Rulebook};
use jiff::ToSpan as _;
use tokio_postgres::types::Type;

/// Of an item: that it was not disallowed.
fn stands(sql: &mut Sql, item: &str, search: &Search) {
    let disallowed =
        numbers::list([SpendStep::Disallowed, SpendStep::DisallowedAfterAcceptance].map(SpendStep::number));
    sql.push(&format!("NOT EXISTS (SELECT 1 FROM spend_steps t WHERE t.grant_id = {item}.grant_id AND t.spend = {item}.spend AND t.step IN ({disallowed}) AND "));
    sql.known_at("t", search.point).push(")");
}

/// Spending of a category that grant money is never spent on, or outside of the project's days, and not disallowed.
pub(super) fn a09(search: &Search, rulebook: &Rulebook) -> Sql {
    let ineligible: Vec<String> =
        rulebook.spending.ineligible.iter().map(|category| category.code().to_owned()).collect();
    let mut sql = with(search);
    sql.push(
        "SELECT c.finding, d.grant_id || '/spend/' || s.spend || '/' || c.finding, s.position, d.grant_id, s.amount_minor, \
         s.effective_on, ARRAY[s.position], 0::bigint, 0::bigint, s.spent_on, c.word",
    );
    sql.push(OF_GRANT).push(
        "FROM scope d LEFT JOIN LATERAL (SELECT t.starts_on, t.ends_on FROM terms t WHERE t.grant_id = d.grant_id AND ",
    );
    sql.known_at("t", search.point)
        .push(" ORDER BY t.position DESC LIMIT 1) t ON true JOIN spends s ON s.grant_id = d.grant_id AND ");
    sql.known_at("s", search.point)
        .push(" CROSS JOIN LATERAL (VALUES ('category', s.category, s.category = ANY(");
    sql.bind(ineligible, Type::TEXT_ARRAY);
    sql.push(
        ")), ('period', coalesce(t.starts_on::text, '') || '/' || coalesce(t.ends_on::text, ''), \
         s.spent_on < t.starts_on OR s.spent_on > t.ends_on)) c (finding, word, broken) WHERE c.broken AND ",
    );
    stands(&mut sql, "s", search);
    sql
}

/// Of an invoice that is shared out beyond its total, the items that went beyond it, in the order in which they were reported:
/// together they are what is too much. Where items under several spellings say several totals, the lowest holds. Items that were
/// disallowed take nothing of it, and those in another currency are of another invoice.
pub(super) fn a09_invoice(search: &Search) -> Sql {
    let mut sql = with(search);
    // First those that can be beyond it at all: few, of many.
    sql.push(
        ", suspects AS MATERIALIZED (SELECT o.invoice FROM (SELECT DISTINCT s.invoice FROM scope d JOIN spends s \
         ON s.grant_id = d.grant_id WHERE s.invoice IS NOT NULL) i JOIN spends o ON o.invoice = i.invoice AND ",
    );
    sql.known_at("o", search.point).push(
        " GROUP BY o.invoice HAVING sum(o.amount_minor) > min(o.total_minor)) \
         SELECT 'invoice', d.grant_id || '/spend/' || s.spend || '/invoice', s.position, d.grant_id, \
         least(s.amount_minor, i.shared - i.total_minor)::bigint, s.effective_on, i.items, i.shared::bigint, i.total_minor, \
         s.spent_on, s.number",
    );
    sql.push(OF_GRANT).push("FROM suspects x JOIN spends s ON s.invoice = x.invoice AND ");
    sql.known_at("s", search.point).push(
        " JOIN scope d ON d.grant_id = s.grant_id CROSS JOIN LATERAL (SELECT sum(o.amount_minor) AS shared, \
         min(o.total_minor) AS total_minor, array_agg(o.position) AS items FROM spends o JOIN grants g ON g.grant_id = o.grant_id AND g.currency = d.currency \
         WHERE o.invoice = s.invoice AND o.position <= s.position AND ",
    );
    sql.known_at("o", search.point).push(" AND ");
    stands(&mut sql, "o", search);
    sql.push(") i WHERE i.shared > i.total_minor AND ");
    stands(&mut sql, "s", search);
    sql
}

/// The holder `h.party` by the code of its newest share.
const WHO: &str = "coalesce((SELECT w.code FROM shares w WHERE w.grant_id = d.grant_id AND w.party = h.party \
                   ORDER BY w.position DESC, w.number LIMIT 1), h.party::text)";

/// What a party of these grants holds on an account, as `h`: how much, by which event at last, and when that was.
fn held(sql: &mut Sql, search: &Search, account: Account) {
    sql.push(
        " CROSS JOIN LATERAL (SELECT x.party, sum(p.amount_minor)::bigint AS minor, max(p.position) AS newest, \
         (array_agg(p.effective_on ORDER BY p.position DESC))[1] AS moved_on FROM dims x \
         JOIN postings p ON p.dims = x.dims WHERE x.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("p.account = {} AND ", numbers::account(account))).known_at("p", search.point);
    sql.push(" GROUP BY x.party HAVING sum(p.amount_minor) > 0) h ");
}

/// An ended grant whose balance should have been given back. Where its end set no day, because there was no balance then, it is
/// due so many days after what left one, which is the cause then: an overturned recovery, say.
pub(super) fn a10_not_refunded(search: &Search, rulebook: &Rulebook) -> Sql {
    let within = i32::try_from(rulebook.unspent.refund_within_days).unwrap_or(i32::MAX);
    let mut sql = with(search);
    sql.push(
        "SELECT 'not_refunded', d.grant_id || '/unspent/' || h.party, \
         CASE WHEN e.day IS NULL THEN h.newest ELSE e.position END, d.grant_id, h.minor, b.day, \
         ARRAY[e.position, h.newest], h.minor, 0::bigint, b.day, ",
    );
    sql.push(WHO).push(OF_GRANT).push("FROM scope d JOIN grant_steps e ON e.grant_id = d.grant_id AND ");
    sql.push(&format!("e.step IN ({}) AND ", numbers::list(GrantStep::ENDS.map(GrantStep::number))));
    // A closed grant may be cancelled yet: the last end holds.
    sql.known_at("e", search.point)
        .push(" AND NOT EXISTS (SELECT 1 FROM grant_steps l WHERE l.grant_id = d.grant_id AND ");
    sql.push(&format!(
        "l.step IN ({}) AND l.position > e.position AND ",
        numbers::list(GrantStep::ENDS.map(GrantStep::number))
    ));
    sql.known_at("l", search.point).push(")");
    held(&mut sql, search, Account::RecipientUnspent);
    sql.push("CROSS JOIN LATERAL (SELECT coalesce(e.day, h.moved_on + ").bind(within, Type::INT4);
    sql.push(") AS day) b WHERE b.day < ");
    days(&mut sql, search.on);
    sql
}

/// A balance that is kept beyond the last day on which it may be. What a party gave back was of what it had to give back first.
pub(super) fn a10_kept(search: &Search) -> Sql {
    let mut sql = with(search);
    sql.push(
        "SELECT 'kept_too_long', d.grant_id || '/retained/' || k.position, k.position, d.grant_id, \
         b.minor::bigint, k.until, ARRAY[k.position, h.newest], k.amount_minor, h.minor, k.until, ",
    );
    sql.push(WHO).push(OF_GRANT).push(
        "FROM scope d CROSS JOIN LATERAL (SELECT k.*, sum(k.amount_minor) OVER (PARTITION BY k.party \
         ORDER BY k.until DESC NULLS FIRST, k.position DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS kept_longer \
         FROM retained k WHERE k.grant_id = d.grant_id AND ",
    );
    sql.known_at("k", search.point).push(") k");
    held(&mut sql, search, Account::RetainedByRule);
    sql.push(
        "CROSS JOIN LATERAL (SELECT least(k.amount_minor, h.minor - coalesce(k.kept_longer, 0)) AS minor) b \
         WHERE h.party = k.party AND b.minor > 0 AND k.until < ",
    );
    days(&mut sql, search.on);
    sql
}

/// Money that recipients hold and that does not move: so many months past the project's end, or since anything happened. The
/// cause is what happened last, so that a movement begins another finding. A fact that was reversed never happened, and its
/// reversal moves nothing.
pub(super) fn a12(search: &Search, rulebook: &Rulebook) -> Sql {
    let ago = |months: u32| search.on.checked_sub(i64::from(months).months()).unwrap_or(Date::MIN);
    let (over, still) = (ago(rulebook.idle.months_past_end), ago(rulebook.idle.months_without_activity));
    let unspent = numbers::account(Account::RecipientUnspent);
    let matching = numbers::account(Account::MatchSource);
    let reports = [GrantStep::MidtermPassed, GrantStep::MidtermFailed, GrantStep::CompletionReported];
    let mut sql = with(search);
    sql.push(
        "SELECT i.finding, d.grant_id || '/idle', a.position, d.grant_id, h.minor, i.since, ARRAY[i.ended, a.position], h.minor, \
         0::bigint, i.since, NULL::text",
    );
    sql.push(OF_GRANT).push(
        "FROM scope d CROSS JOIN LATERAL (SELECT sum(p.amount_minor)::bigint AS minor FROM dims x JOIN postings p \
         ON p.dims = x.dims WHERE x.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("p.account = {unspent} AND ")).known_at("p", search.point);
    sql.push(
        ") h LEFT JOIN LATERAL (SELECT t.position, t.ends_on FROM terms t WHERE t.grant_id = d.grant_id AND ",
    );
    sql.known_at("t", search.point).push(
        " ORDER BY t.position DESC LIMIT 1) t ON true CROSS JOIN LATERAL (SELECT v.position, v.effective_on FROM \
         (SELECT p.position, p.effective_on FROM dims x JOIN postings p ON p.dims = x.dims \
         WHERE x.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("p.account < {matching} AND ")).known_at("p", search.point);
    sql.push(
        " AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.position = p.position) \
              AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.reverses = p.position AND c.position <= ",
    );
    sql.bind(search.point.position, Type::INT8).push(
        ") UNION ALL SELECT s.position, s.effective_on FROM spends s WHERE s.grant_id = d.grant_id AND ",
    );
    sql.known_at("s", search.point).push(
        " UNION ALL SELECT s.position, s.effective_on FROM grant_steps s WHERE s.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("s.step IN ({}) AND ", numbers::list(reports.map(GrantStep::number))));
    sql.known_at("s", search.point).push(
        ") v ORDER BY v.effective_on DESC, v.position DESC LIMIT 1) a \
         CROSS JOIN LATERAL (SELECT * FROM (VALUES ('past_end', t.ends_on, t.position, t.ends_on < ",
    );
    days(&mut sql, over);
    sql.push("), ('no_activity', a.effective_on, NULL, a.effective_on < ");
    days(&mut sql, still);
    sql.push(")) i (finding, since, ended, broken) WHERE i.broken ORDER BY i.since LIMIT 1) i \
              WHERE h.minor > 0 AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = d.grant_id AND ");
    sql.push(&format!("e.step IN ({}) AND ", numbers::list(GrantStep::ENDS.map(GrantStep::number))));
    sql.known_at("e", search.point).push(")");
    sql
}

/// A recovery that was demanded and is outstanding after its day. While an appeal is open nothing is overdue.
pub(super) fn a16(search: &Search) -> Sql {
    let step = |step: RecoveryStep| step.number();
    let settles =
        [RecoveryStep::Repaid, RecoveryStep::Offset, RecoveryStep::WrittenOff, RecoveryStep::Overturned];
    let rulings = [RecoveryStep::Appealed, RecoveryStep::Upheld, RecoveryStep::Overturned];
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
        "WHEN s.step IN ({}) THEN s.amount_minor WHEN s.step = {} THEN -s.amount_minor END), 0) AS settled, \
         array_agg(s.position ORDER BY s.position) AS steps, \
         (array_agg(s.step ORDER BY s.position DESC) FILTER (WHERE s.step IN ({})))[1] AS word \
         FROM recovery_steps s WHERE s.recovery = r.recovery AND ",
        numbers::list(settles.map(RecoveryStep::number)),
        step(RecoveryStep::RepaymentReversed),
        numbers::list(rulings.map(RecoveryStep::number)),
    ));
    sql.known_at("s", search.point).push(") s WHERE m.due_on < ");
    days(&mut sql, search.on);
    sql.push(&format!(
        " AND r.amount_minor > s.settled AND s.word IS DISTINCT FROM {}",
        step(RecoveryStep::Appealed)
    ));
    sql
}
