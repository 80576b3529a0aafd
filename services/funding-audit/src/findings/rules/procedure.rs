//! How it was decided and recorded: approvals (A07), final acceptance (A11), dates and corrections (A17), overrides (A18).

use super::with;
use crate::{
    findings::{OF_GRANT, Search, days},
    numbers::{self, GrantStep},
    query::Sql,
};
use concord_events::fund::FundingMode;

/// Modes that pay for what is over (domain.md section 5, A07): a project that has ended is what they are for.
pub(in crate::findings) const RETROSPECTIVE: [FundingMode; 3] =
    [FundingMode::LoanInterestSubsidy, FundingMode::PostCompletion, FundingMode::TransferFeeSubsidy];

/// Facts as `l` that nobody dated: what follows from another log happened when that says so (as in `late` itself, which leaves
/// out what is taken in from there).
pub(in crate::findings) const DATED_BY_SOMEBODY: &str = "l.event_type <> 'concord.fund.v1.HoldCauseCleared' \
    AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.position = l.position AND h.cause <> 'office')";

/// [`RETROSPECTIVE`] as a statement lists them.
pub(in crate::findings) fn retrospective() -> String {
    RETROSPECTIVE.map(|mode| format!("'{}'", mode.code())).join(", ")
}

/// An approval above what the experts would award, or of a project that was over.
pub(super) fn a07(search: &Search) -> Sql {
    let step = |step: GrantStep| step.number();
    let mut sql = with(search);
    sql.push(
        "SELECT c.finding, d.grant_id || '/approval/' || c.finding, a.position, d.grant_id, c.amount_minor, a.effective_on, \
         ARRAY[r.position, a.position, o.position], coalesce(r.amount_minor, 0), a.amount_minor, f.day, o.minutes",
    );
    sql.push(OF_GRANT).push("FROM scope d JOIN grant_steps a ON a.grant_id = d.grant_id AND ");
    sql.push(&format!("a.step = {} AND ", step(GrantStep::Approved))).known_at("a", search.point);
    sql.push(
        " LEFT JOIN LATERAL (SELECT r.position, r.amount_minor FROM grant_steps r WHERE r.grant_id = d.grant_id \
         AND r.position < a.position AND ",
    );
    sql.push(&format!("r.step = {} ", step(GrantStep::Reviewed)));
    sql.push("ORDER BY r.position DESC LIMIT 1) r ON true LEFT JOIN LATERAL (SELECT f.day FROM grant_steps f WHERE f.grant_id = d.grant_id AND ");
    sql.push(&format!("f.step = {} LIMIT 1) f ON true ", step(GrantStep::Applied)));
    sql.push(
        "LEFT JOIN LATERAL (SELECT o.position, o.minutes FROM overrides o WHERE o.grant_id = d.grant_id \
         AND o.position < a.position AND o.rule = 'A07' ORDER BY o.position DESC LIMIT 1) o ON true \
         CROSS JOIN LATERAL (VALUES ('above_ceiling', a.amount_minor - r.amount_minor, a.amount_minor > r.amount_minor), \
         ('work_finished', a.amount_minor, f.day < a.effective_on AND d.mode NOT IN (",
    );
    sql.push(&retrospective()).push("))) c (finding, amount_minor, broken) WHERE c.broken");
    sql
}

/// Steps after which final acceptance is not waited for any more, as a statement lists them.
pub(crate) fn acceptance_over() -> String {
    let concluded = [GrantStep::AcceptancePassed, GrantStep::AcceptanceFailed];
    numbers::list(concluded.into_iter().chain(GrantStep::ENDS).map(GrantStep::number))
}

/// What was contracted here, as `c.amount_minor`; null where nothing was.
pub(crate) fn contracted(sql: &mut Sql, search: &Search) {
    let contracted = [GrantStep::Contracted, GrantStep::Amended];
    sql.push(
        " LEFT JOIN LATERAL (SELECT c.amount_minor FROM grant_steps c WHERE c.grant_id = d.grant_id AND ",
    );
    sql.push(&format!("c.step IN ({}) AND ", numbers::list(contracted.map(GrantStep::number))));
    sql.known_at("c", search.point).push(" ORDER BY c.position DESC LIMIT 1) c ON true ");
}

/// Final acceptance past its day. A migrated award took its steps elsewhere, and is exempt.
pub(super) fn a11(search: &Search) -> Sql {
    let mut sql = with(search);
    sql.push(
        "SELECT 'overdue', d.grant_id || '/acceptance', t.position, d.grant_id, coalesce(c.amount_minor, 0), \
         t.acceptance_due_on, ARRAY[t.position], 0::bigint, 0::bigint, t.ends_on, NULL::text",
    );
    sql.push(OF_GRANT)
        .push("FROM scope d CROSS JOIN LATERAL (SELECT t.* FROM terms t WHERE t.grant_id = d.grant_id AND ");
    sql.known_at("t", search.point).push(" ORDER BY t.position DESC LIMIT 1) t");
    contracted(&mut sql, search);
    sql.push("WHERE NOT d.migrated AND t.acceptance_due_on < ");
    days(&mut sql, search.on);
    sql.push(" AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = d.grant_id AND ");
    sql.push(&format!("e.step IN ({}) AND ", acceptance_over())).known_at("e", search.point).push(")");
    sql
}

/// What a set of lines moved: its debits.
const MOVED: &str = "coalesce((SELECT sum(p.amount_minor) FROM postings p WHERE p.position = l.position \
                     AND p.amount_minor > 0), 0)::bigint";

/// Facts that were recorded after the day on which they happened. A programme's own have no grant. A rectification's are its
/// grant's; one of a programme's finding has none, and is not listed.
pub(super) fn a17(search: &Search) -> Sql {
    let filter = &search.filter;
    let programmes_too = filter.grant.is_none()
        && filter.mode.is_none()
        && filter.industry.is_none()
        && filter.lead_region.is_none()
        && filter.party_region.is_none()
        && filter.party.is_none();
    let columns = |sql: &mut Sql, grant: &str| {
        sql.push(MOVED)
            .push(", l.known_on, ARRAY[l.position], l.days::bigint, 0::bigint, l.effective_on, l.event_type");
        sql.push(grant);
    };
    let of_a_grant = "SELECT 'dated_back', d.grant_id || '/late/' || l.position, l.position, d.grant_id, ";
    let mut sql = with(search);
    sql.push(of_a_grant);
    columns(&mut sql, OF_GRANT);
    sql.push("FROM scope d JOIN late l ON l.grant_id = d.grant_id WHERE ")
        .push(DATED_BY_SOMEBODY)
        .push(" AND ");
    sql.known_at("l", search.point).push(" UNION ALL ").push(of_a_grant);
    columns(&mut sql, OF_GRANT);
    sql.push(
        "FROM (SELECT r.position, r.grant_id FROM rectifications r UNION ALL SELECT s.position, r.grant_id \
         FROM rectification_steps s CROSS JOIN LATERAL (SELECT r.grant_id FROM rectifications r \
         WHERE r.rectification = s.rectification AND r.position < s.position ORDER BY r.position DESC LIMIT 1) r) r \
         JOIN late l ON l.position = r.position JOIN scope d ON d.grant_id = r.grant_id WHERE ",
    );
    sql.known_at("l", search.point);
    if programmes_too {
        sql.push(" UNION ALL SELECT 'dated_back', p.programme || '/late/' || l.position, l.position, NULL, ");
        columns(&mut sql, ", p.programme, p.currency, NULL, p.fund || ' ' || p.year, false ");
        sql.push("FROM late l JOIN (SELECT d.* FROM programmes d WHERE true").narrow_dims(filter);
        sql.push(") p ON p.programme = l.programme WHERE l.grant_id IS NULL AND ");
        sql.known_at("l", search.point);
    }
    sql
}

/// Facts that were reversed.
pub(super) fn a17_corrected(search: &Search) -> Sql {
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
pub(super) fn a18(search: &Search) -> Sql {
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
