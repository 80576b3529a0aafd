//! The acts of control tests, and which of them broke the rule.

use crate::{
    findings::{
        Search,
        rules::{DATED_BY_SOMEBODY, retrospective},
    },
    numbers::{self, BackingStep, GrantStep, MatchMove, RecoveryStep, SpendStep, Step},
    query::{HOPS_MAX, Sql},
};
use concord_events::ledger::{Account, Chain};
use concord_kernel::rulebook::Rulebook;
use tokio_postgres::types::Type;

/// Steps of grants as `s`, of grants in scope as `d`; bad where the condition holds.
pub(super) fn grant_steps(sql: &mut Sql, search: &Search, steps: &[GrantStep], bad: &str) {
    let steps: Vec<i16> = steps.iter().map(|step| step.number()).collect();
    sql.push("SELECT s.position, coalesce(").push(bad);
    sql.push(", false) FROM scope d JOIN grant_steps s ON s.grant_id = d.grant_id WHERE ");
    sql.push(&format!("s.step IN ({}) AND ", numbers::list(steps))).known_at("s", search.point);
}

/// Steps of tranches as `s`, of grants in scope as `d`.
pub(super) fn tranche_steps(sql: &mut Sql, search: &Search, steps: &[Step], bad: &str) {
    let steps: Vec<i16> = steps.iter().map(|step| step.number()).collect();
    sql.push("SELECT s.position, coalesce(").push(bad);
    sql.push(", false) FROM scope d JOIN tranche_steps s ON s.grant_id = d.grant_id WHERE ");
    sql.push(&format!("s.step IN ({}) AND ", numbers::list(steps))).known_at("s", search.point);
}

/// Instructions before which none of these steps was on record, or had happened.
pub(super) fn instructions_without(sql: &mut Sql, search: &Search, steps: &[GrantStep]) {
    let steps: Vec<i16> = steps.iter().map(|step| step.number()).collect();
    let bad = format!(
        "NOT EXISTS (SELECT 1 FROM grant_steps c WHERE c.grant_id = s.grant_id AND c.step IN ({}) \
         AND c.position < s.position AND c.effective_on <= s.effective_on)",
        numbers::list(steps)
    );
    tranche_steps(sql, search, &[Step::Instructed], &bad);
}

/// Instructions, and whether the agreement that each was given under had left force by its day, as was told since: the writer
/// weighs only what it has taken in.
pub(super) fn under_a_lost_agreement(sql: &mut Sql, search: &Search) {
    sql.push(&format!(
        "SELECT s.position, EXISTS (SELECT 1 FROM backing_steps l WHERE l.grant_id = s.grant_id AND l.agreement = s.agreement \
         AND l.step = {} AND l.position > s.position AND l.effective_on <= s.effective_on AND ",
        BackingStep::Lost.number()
    ));
    sql.known_at("l", search.point).push(&format!(
        " AND NOT EXISTS (SELECT 1 FROM backing_steps a WHERE a.grant_id = l.grant_id AND a.agreement = l.agreement \
         AND a.step = {} AND a.position > l.position AND a.effective_on <= s.effective_on AND ",
        BackingStep::InForceAgain.number()
    ));
    sql.known_at("a", search.point).push(&format!(
        ")) FROM scope d JOIN backing_steps s ON s.grant_id = d.grant_id WHERE s.step = {} AND ",
        BackingStep::Instructed.number()
    ));
    sql.known_at("s", search.point);
}

/// What the bank reported of a grant, and whether an earlier movement of it has the same reference, in whatever spelling. A
/// correction frees the reference of what it reverses.
pub(super) fn reported_twice(sql: &mut Sql, search: &Search) {
    sql.push(
        "SELECT s.position, EXISTS (SELECT 1 FROM bank_facts o WHERE o.grant_id = s.grant_id AND o.reference = s.reference \
         AND o.position < s.position AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.reverses = o.position \
         AND c.position < s.position)) FROM scope d JOIN bank_facts s ON s.grant_id = d.grant_id WHERE ",
    );
    sql.known_at("s", search.point);
}

/// Acts by the person who had done an earlier one on the same grant.
pub(super) fn same_hand(sql: &mut Sql, search: &Search, act: Step, earlier: Step) {
    let bad = format!(
        "EXISTS (SELECT 1 FROM tranche_steps o WHERE o.grant_id = s.grant_id AND o.step = {} AND o.actor = s.actor \
         AND o.position < s.position)",
        earlier.number()
    );
    tranche_steps(sql, search, &[act], &bad);
}

/// Every account of every grant and holder, in the order of positions: where it first fell below zero.
pub(super) fn accounts_below_zero(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let contra = Account::ALL
        .into_iter()
        .filter(|account| account.is_contra() || *account == Account::Available)
        .map(numbers::account);
    let of = format!(
        "x.grant_id = d.grant_id JOIN postings p ON p.dims = x.dims WHERE p.account NOT IN ({}) AND ",
        numbers::list(contra)
    );
    first_below_zero(sql, search, "x.dims, p.account", &format!("scope d JOIN dims x ON {of}"));
}

/// What is available in the programmes of the grants in scope, in the order of positions: where it first fell below zero.
pub(super) fn budgets(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let of = format!(
        "(SELECT DISTINCT programme FROM scope) d JOIN dims x ON x.programme = d.programme AND x.grant_id IS NULL \
         JOIN postings p ON p.dims = x.dims WHERE p.account = {} AND ",
        numbers::account(Account::Available)
    );
    first_below_zero(sql, search, "x.dims, p.account", &of);
}

/// Running balances over whole events of postings as `p`, one for each of `each`.
fn first_below_zero(sql: &mut Sql, search: &Search, each: &str, of: &str) {
    sql.push(&format!(
        "SELECT min(r.position) FILTER (WHERE r.balance < 0), bool_or(r.balance < 0) FROM (SELECT {each}, p.position, \
         sum(p.amount_minor) OVER (PARTITION BY {each} ORDER BY p.position, p.line) AS balance, \
         p.position IS DISTINCT FROM lead(p.position) OVER (PARTITION BY {each} ORDER BY p.position, p.line) AS whole FROM {of}"
    ));
    sql.known_at("p", search.point).push(") r WHERE r.whole GROUP BY r.dims, r.account");
}

/// The steps with which a grant is live no more.
fn over() -> String {
    let ends = GrantStep::ENDS.into_iter().chain([GrantStep::Rejected, GrantStep::Withdrawn]);
    numbers::list(ends.map(GrantStep::number))
}

/// Admissions, and whether the same project had been admitted for another grant before and was live still.
pub(super) fn admitted_twice(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let admitted = GrantStep::Admitted.number();
    // Until when the earlier ones of a project were live, the longest one of them: all are looked at once, in their order.
    sql.push(&format!(
        "SELECT f.position, coalesce(f.live_until > f.position, false) FROM (SELECT s.position, s.grant_id, \
         max(coalesce(e.position, 9223372036854775807)) OVER (PARTITION BY s.said ORDER BY s.position \
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS live_until FROM grant_steps s \
         LEFT JOIN (SELECT e.grant_id, min(e.position) AS position FROM grant_steps e WHERE e.step IN ({}) \
         GROUP BY e.grant_id) e USING (grant_id) WHERE s.step = {admitted} AND s.said IS NOT NULL AND ",
        over()
    ));
    sql.known_at("s", search.point);
    sql.push(" UNION ALL SELECT s.position, s.grant_id, NULL FROM grant_steps s WHERE ");
    sql.push(&format!("s.step = {admitted} AND s.said IS NULL AND ")).known_at("s", search.point);
    sql.push(") f JOIN scope d USING (grant_id)");
}

/// Admissions, and whether the lead, under whichever id, had the same project, in whichever spelling, live in another grant that had
/// been admitted or imported before.
pub(super) fn project_twice(sql: &mut Sql, search: &Search) {
    let began = [GrantStep::Admitted, GrantStep::Imported].map(GrantStep::number);
    kin(sql, search);
    sql.push(&format!(
        ", lives AS MATERIALIZED (SELECT g.grant_id, g.lead, g.project, b.position AS since, \
         (SELECT min(e.position) FROM grant_steps e WHERE e.grant_id = g.grant_id AND e.position > b.position AND e.step IN ({})) \
         AS until FROM grants g JOIN grant_steps b ON b.grant_id = g.grant_id AND b.step IN ({}) WHERE g.titled AND ",
        over(),
        numbers::list(began)
    ));
    sql.known_at("b", search.point).push(&format!(
        ") SELECT s.position, bool_or(o.grant_id IS NOT NULL) FROM scope d JOIN grant_steps s ON s.grant_id = d.grant_id \
         JOIN grants g ON g.grant_id = s.grant_id LEFT JOIN kin k ON k.party = g.lead AND k.since <= s.effective_on \
         LEFT JOIN lives o ON o.lead = k.other AND o.project = g.project AND g.titled AND o.grant_id <> g.grant_id \
         AND o.since < s.position AND (o.until IS NULL OR o.until > s.position) WHERE s.step = {} AND ",
        GrantStep::Admitted.number()
    ));
    sql.known_at("s", search.point).push(" GROUP BY s.position");
}

/// Approvals in the modes that do not pay for what is over.
pub(super) fn approved_when_finished(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let bad = format!(
        "s.effective_on > (SELECT f.day FROM grant_steps f WHERE f.grant_id = s.grant_id AND f.step = {} LIMIT 1) \
         AND NOT EXISTS (SELECT 1 FROM overrides o WHERE o.grant_id = s.grant_id AND o.rule = 'A07' AND o.position < s.position)",
        GrantStep::Applied.number()
    );
    grant_steps(sql, search, &[GrantStep::Approved], &bad);
    sql.push(&format!(" AND d.mode NOT IN ({})", retrospective()));
}

/// By what an act is judged: by the mergers and codes of parties that were on record before it, or by all that are known now. Each
/// counts from its own day in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Then,
    Now,
}

impl Known {
    /// ` AND …` for what was on record by an act `s`.
    fn by_act(self, told: &str) -> String {
        match self {
            Self::Then => format!(" AND {told} < s.position"),
            Self::Now => String::new(),
        }
    }
}

/// ` WITH … kin (party, other, since, told) …`: from which day on the lead of a grant and another id are one legal person, and
/// since which position that is known. Each lead is one with itself.
fn kin(sql: &mut Sql, search: &Search) {
    sql.push("WITH RECURSIVE ").links(search.point).push(
        ", steps AS (SELECT l.party, l.into_party AS person, l.effective_on AS since, l.position AS told, 1 AS hops \
         FROM links l UNION ALL SELECT s.party, l.into_party, greatest(s.since, l.effective_on), greatest(s.told, l.position), \
         s.hops + 1 FROM steps s JOIN links l ON l.party = s.person WHERE s.hops < ",
    );
    sql.push(&format!(
        "{HOPS_MAX}), lineage AS MATERIALIZED (SELECT party, person, since, told FROM steps UNION ALL \
         SELECT x.party, x.party, '-infinity'::date, 0::bigint FROM (SELECT l.party FROM links l UNION SELECT l.into_party FROM links l) x), \
         kin AS MATERIALIZED (SELECT x.party, y.party AS other, greatest(x.since, y.since) AS since, greatest(x.told, y.told) AS told \
         FROM lineage x JOIN lineage y USING (person) WHERE x.party <> y.party UNION ALL \
         SELECT DISTINCT g.lead, g.lead, '-infinity'::date, 0::bigint FROM grants g) "
    ));
}

/// Admissions and approvals, and whether another grant of the lead, under whichever id, had a final acceptance overdue. Migrated
/// ones took their steps elsewhere.
pub(super) fn lead_overdue(sql: &mut Sql, search: &Search, known: Known) {
    kin(sql, search);
    let concluded: Vec<i16> = [GrantStep::AcceptancePassed, GrantStep::AcceptanceFailed]
        .into_iter()
        .chain(GrantStep::ENDS)
        .map(GrantStep::number)
        .collect();
    // From where to where a day of acceptance held: until another one, or until it was concluded.
    sql.push(&format!(
        "SELECT s.position, bool_or(o.grant_id IS NOT NULL) FROM scope d JOIN grant_steps s ON s.grant_id = d.grant_id \
         LEFT JOIN kin k ON k.party = d.party AND k.since <= s.effective_on{} LEFT JOIN (SELECT g.lead, g.grant_id, t.acceptance_due_on, t.position AS since, least(lead(t.position) OVER \
         (PARTITION BY t.grant_id ORDER BY t.position), e.position) AS until FROM terms t JOIN grants g USING (grant_id) \
         LEFT JOIN (SELECT e.grant_id, min(e.position) AS position FROM grant_steps e WHERE e.step IN ({}) \
         GROUP BY e.grant_id) e USING (grant_id) WHERE NOT g.migrated) o ON o.lead = k.other AND o.grant_id <> s.grant_id \
         AND o.since < s.position AND (o.until IS NULL OR o.until > s.position) AND o.acceptance_due_on < s.effective_on WHERE ",
        known.by_act("k.told"),
        numbers::list(concluded)
    ));
    sql.push(&format!(
        "s.step IN ({}) AND ",
        numbers::list([GrantStep::Admitted, GrantStep::Approved].map(GrantStep::number))
    ));
    sql.known_at("s", search.point).push(" GROUP BY s.position");
}

/// Acts of the office on tranches, and whether whoever did them was of the applicant's organisation: the one that applied, however
/// it is spelled, or one that is the lead, or stands for it, under whichever of its codes.
pub(super) fn by_the_applicant(sql: &mut Sql, search: &Search, known: Known) {
    kin(sql, search);
    // A code as an organisation's id is in its normal form the id of the party that follows from it. Few organisations act, and
    // fewer are parties.
    sql.push(
        ", acting AS MATERIALIZED (SELECT DISTINCT t.actor_org AS organisation FROM tranche_steps t), \
         insiders AS MATERIALIZED (SELECT o.organisation, k.party AS lead, k.since, NULL::date AS until, k.told \
         FROM kin k JOIN acting o ON o.organisation = k.other::text UNION ALL \
         SELECT o.organisation, k.party, greatest(r.effective_on, k.since), (SELECT min(e.effective_on) FROM representations e \
         WHERE e.party = r.party AND e.organisation = r.organisation AND e.ended AND e.position > r.position AND ",
    );
    sql.known_at("e", search.point).push(
        "), greatest(r.position, k.told) FROM representations r JOIN acting o USING (organisation) \
         JOIN kin k ON k.other = r.party WHERE NOT r.ended AND ",
    );
    sql.known_at("r", search.point).push(") ");
    let bad = format!(
        "EXISTS (SELECT 1 FROM grant_steps a WHERE a.grant_id = s.grant_id AND a.step = {} \
         AND a.actor_org = s.actor_org) OR EXISTS (SELECT 1 FROM insiders x \
         WHERE x.organisation = s.actor_org AND x.lead = d.party \
         AND x.since <= s.effective_on AND (x.until IS NULL OR s.effective_on < x.until){})",
        GrantStep::Applied.number(),
        known.by_act("x.told")
    );
    tranche_steps(sql, search, &[Step::Authorised, Step::Instructed], &bad);
}

/// Facts that move money, by the types of their events: they are dated back less far than others. A correction is procedure.
const MOVES_MONEY: [&str; 17] = [
    "ProgrammeAppropriated",
    "ProgrammeSupplemented",
    "ProgrammeCut",
    "TrancheInstructed",
    "TrancheSettled",
    "PaymentReturned",
    "MatchingArrived",
    "ShareTransferred",
    "SpendAccepted",
    "SpendDisallowed",
    "BalanceRefunded",
    "BalanceRetained",
    "BalanceTransferred",
    "RecoveryOverturned",
    "RecoveryRepaid",
    "RecoveryOffset",
    "RecoveryWrittenOff",
];

/// Facts that were recorded late, and whether that was later than the rulebook allows for their kind. A recovery that a
/// cancellation determines at once is dated with that.
pub(super) fn dated_back(sql: &mut Sql, search: &Search, rulebook: &Rulebook) {
    let days = |most: u32| i32::try_from(most).unwrap_or(i32::MAX);
    let money: Vec<String> = MOVES_MONEY.iter().map(|name| format!("concord.fund.v1.{name}")).collect();
    sql.push("SELECT l.position, l.days > CASE WHEN l.event_type = ANY(").bind(money, Type::TEXT_ARRAY);
    sql.push(
        ") OR (l.event_type = 'concord.fund.v1.RecoveryDetermined' AND NOT EXISTS (SELECT 1 FROM grant_steps c \
         WHERE c.grant_id = l.grant_id AND c.position = l.position - 1 AND c.step = ",
    );
    sql.push(&format!("{})) THEN ", GrantStep::Cancelled.number()));
    sql.bind(days(rulebook.back_dating.money_days), Type::INT4);
    sql.push(" WHEN l.event_type = 'concord.fund.v1.NoticePublished' THEN ");
    sql.bind(days(rulebook.back_dating.notice_days), Type::INT4).push(" ELSE ");
    sql.bind(days(rulebook.back_dating.days), Type::INT4);
    sql.push(" END FROM scope d JOIN late l ON l.grant_id = d.grant_id WHERE ")
        .push(DATED_BY_SOMEBODY)
        .push(" AND ");
    sql.known_at("l", search.point);
}

/// The programmes of the grants in scope: what was appropriated, against all other accounts of the fund's chain.
pub(super) fn chains(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let fund: Vec<i16> = Account::ALL
        .into_iter()
        .filter(|account| account.chain() == Chain::Fund)
        .map(numbers::account)
        .collect();
    sql.push(
        "SELECT g.position, coalesce((SELECT sum(p.amount_minor) FROM dims x JOIN postings p ON p.dims = x.dims \
         WHERE x.programme = g.programme AND ",
    );
    sql.push(&format!("p.account IN ({}) AND ", numbers::list(fund))).known_at("p", search.point);
    sql.push("), 0) <> 0 FROM programmes g WHERE g.programme IN (SELECT DISTINCT programme FROM scope)");
}

/// Authorisations from the second tranche on: what had been pledged and had arrived by then, in all and by class.
pub(super) fn authorised_below_ratio(sql: &mut Sql, search: &Search, rulebook: &Rulebook) {
    let (arrived, reversed, released) =
        (MatchMove::Arrived.number(), MatchMove::ArrivalReversed.number(), MatchMove::Released.number());
    let ratios: Vec<i64> = rulebook.matching_ratio_percent.iter().copied().map(i64::from).collect();
    // By position alone: an arrival that was corrected later had been believed.
    let moved = format!(
        "coalesce(sum(CASE v.step WHEN {arrived} THEN v.amount_minor WHEN {reversed} THEN -v.amount_minor END), 0)"
    );
    let before = "v.grant_id = m.grant_id AND v.source = m.source AND v.position < s.position";
    // Instalment by instalment, so that one that came early hides no other. A source that was released owes what had arrived.
    let by_instalment = format!(
        "(SELECT i.due_on, a.arrived, CASE WHEN f.position IS NULL THEN i.amount_minor ELSE k.kept END AS pledged \
         FROM match_sources m JOIN match_instalments i ON i.grant_id = m.grant_id AND i.source = m.source \
         CROSS JOIN LATERAL (SELECT max(v.position) AS position FROM match_moves v WHERE {before} AND v.step = {released}) f \
         CROSS JOIN LATERAL (SELECT {moved} AS arrived FROM match_moves v WHERE {before} AND v.instalment = i.number \
         AND v.effective_on <= s.effective_on) a \
         CROSS JOIN LATERAL (SELECT {moved} AS kept FROM match_moves v WHERE {before} AND v.instalment = i.number \
         AND v.position < f.position) k WHERE m.grant_id = s.grant_id AND m.position < s.position)"
    );
    sql.push(&format!(
        "SELECT s.position, coalesce((SELECT sum(c.arrived) * 100 < sum(c.pledged) * (r.ratios)[least(s.number, \
         cardinality(r.ratios))] OR bool_or(c.due_on <= s.effective_on AND c.arrived < c.pledged) FROM {by_instalment} c), false) \
         FROM scope d JOIN tranche_steps s ON s.grant_id = d.grant_id CROSS JOIN (SELECT "
    ));
    sql.bind(ratios, Type::INT8_ARRAY).push(" AS ratios) r WHERE s.number >= 2 AND ");
    sql.push(&format!("s.step = {} AND ", Step::Authorised.number())).known_at("s", search.point);
    sql.push(" AND EXISTS (SELECT 1 FROM match_sources m WHERE m.grant_id = s.grant_id AND m.position < s.position)");
}

/// Invoices that an item of a grant in scope names, one for each currency, with their items of whichever grant: the first item
/// that went beyond the total, by what had been reported before it and not disallowed by then.
pub(super) fn invoices(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let disallowed =
        numbers::list([SpendStep::Disallowed, SpendStep::DisallowedAfterAcceptance].map(SpendStep::number));
    sql.push(&format!(
        "SELECT min(r.position) FILTER (WHERE r.taken > r.total_minor), bool_or(r.taken > r.total_minor) FROM \
         (SELECT o.invoice, g.currency, o.position, o.total_minor, (SELECT sum(q.amount_minor) FROM spends q \
         JOIN grants h ON h.grant_id = q.grant_id AND h.currency = g.currency WHERE q.invoice = o.invoice \
         AND q.position <= o.position AND NOT EXISTS (SELECT 1 FROM spend_steps t WHERE t.grant_id = q.grant_id AND t.spend = q.spend \
         AND t.step IN ({disallowed}) AND t.position < o.position)) AS taken FROM spends o JOIN grants g USING (grant_id) \
         WHERE o.invoice IN (SELECT s.invoice FROM scope d JOIN spends s ON s.grant_id = d.grant_id WHERE s.invoice IS NOT NULL) AND "
    ));
    sql.known_at("o", search.point).push(") r GROUP BY r.invoice, r.currency");
}

/// Recoveries: what came of them, against what was determined.
pub(super) fn recoveries(sql: &mut Sql, search: &Search, _: &Rulebook) {
    sql.push("SELECT r.position, coalesce((SELECT sum(CASE ");
    sql.push(&format!(
        "WHEN s.step IN ({}, {}, {}, {}) THEN s.amount_minor WHEN s.step = {} THEN -s.amount_minor END) ",
        RecoveryStep::Overturned.number(),
        RecoveryStep::Repaid.number(),
        RecoveryStep::Offset.number(),
        RecoveryStep::WrittenOff.number(),
        RecoveryStep::RepaymentReversed.number()
    ));
    sql.push("FROM recovery_steps s WHERE s.recovery = r.recovery AND ").known_at("s", search.point);
    sql.push("), 0) > r.amount_minor FROM scope d JOIN recoveries r ON r.grant_id = d.grant_id WHERE ");
    sql.known_at("r", search.point);
}
