//! Control tests 控制测试: of so many acts, how many broke a rule, and at which positions.
//!
//! Each is worked out from the tables by itself, not by asking the code that decides: a decision that was wrong shows here.
//! Each looks at an act by what was on record before it, so an exception stays one, whatever came later.

use super::{Search, scope};
use crate::{
    numbers::{self, GrantStep, MatchMove, RecoveryStep, SpendStep, Step},
    query::{QueryError, Sql, Store},
};
use concord_events::ledger::{Account, Chain};
use concord_kernel::rulebook::Rulebook;
use concord_proto::audit::v1::ControlTest;
use std::time::Duration;
use tokio_postgres::types::Type;

/// A test, and what it is called.
struct Test {
    /// Stable id; its first part is the rule.
    id: &'static str,
    /// What the acts are called: "instructions", "支付指令".
    acts: (&'static str, &'static str),
    /// What an exception did: "preceded the contract", "早于任务书".
    broke: (&'static str, &'static str),
    /// Writes a statement of `position bigint, bad boolean`, one row an act, over `scope`.
    acts_of: fn(&mut Sql, &Search, &Rulebook),
}

impl Test {
    fn rule(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }
}

/// Rules that are tested, as a request may name them.
pub(crate) fn rules() -> Vec<&'static str> {
    let mut rules: Vec<&str> = TESTS.iter().map(Test::rule).collect();
    rules.dedup();
    rules
}

/// Runs the tests of these rules, all where none is named.
pub(crate) async fn run(
    store: &Store,
    search: &Search,
    rulebook: &Rulebook,
    rules: &[String],
    exceptions_max: i64,
    within: Duration,
) -> Result<Vec<ControlTest>, QueryError> {
    let wanted = |test: &&Test| rules.is_empty() || rules.iter().any(|rule| rule == test.rule());
    let mut results = Vec::new();
    for test in TESTS.iter().filter(wanted) {
        let mut sql = Sql::new("WITH");
        scope(&mut sql, search);
        sql.push(", acts (position, bad) AS MATERIALIZED (");
        (test.acts_of)(&mut sql, search, rulebook);
        sql.push(
            ") SELECT count(*), count(*) FILTER (WHERE bad), coalesce((SELECT array_agg(b.position ORDER BY b.position) FROM \
             (SELECT position FROM acts WHERE bad ORDER BY position LIMIT ",
        );
        sql.bind(exceptions_max, Type::INT8).push(") b), '{}') FROM acts");
        let rows = store.rows(&sql, within).await?;
        let row = rows.first().ok_or_else(|| QueryError::Corrupt("a count has a row".to_owned()))?;
        let (population, exceptions): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let positions: Vec<i64> = row.try_get(2)?;
        let ((acts, acts_zh), (broke, broke_zh)) = (test.acts, test.broke);
        results.push(ControlTest {
            id: test.id.to_owned(),
            rule: test.rule().to_owned(),
            title: format!("{acts} that {broke}"),
            title_zh: format!("{acts_zh}：{broke_zh}"),
            population,
            exceptions,
            positions: positions.into_iter().map(i64::unsigned_abs).collect(),
            result: format!("of {population} {acts}, {exceptions} {broke}"),
            result_zh: format!("{population}项{acts_zh}中，{exceptions}项{broke_zh}"),
        });
    }
    Ok(results)
}

/// All tests, by rule.
const TESTS: &[Test] = &[
    Test {
        id: "A01.contract",
        acts: ("instructions", "支付指令"),
        broke: ("preceded the contract", "早于任务书"),
        acts_of: |sql, search, _| {
            instructions_without(sql, search, &[GrantStep::Contracted, GrantStep::Imported]);
        },
    },
    Test {
        id: "A01.payee",
        acts: ("instructions", "支付指令"),
        broke: ("preceded the check of the payee's account", "早于收款账户核验"),
        acts_of: |sql, search, _| instructions_without(sql, search, &[GrantStep::PayeeVerified]),
    },
    Test {
        id: "A01.hold",
        acts: ("requests, authorisations and instructions", "拨款申请、审批、支付指令"),
        broke: ("were made while the grant was on hold", "发生于项目暂停期间"),
        acts_of: |sql, search, _| {
            let steps = [Step::Requested, Step::Authorised, Step::Instructed];
            tranche_steps(
                sql,
                search,
                &steps,
                "EXISTS (SELECT 1 FROM (SELECT h.cause FROM holds h \
                WHERE h.grant_id = s.grant_id AND h.position < s.position ORDER BY h.position DESC LIMIT 1) h \
                WHERE h.cause IS NOT NULL)",
            );
        },
    },
    Test {
        id: "A02.contract",
        acts: ("contracts and amendments", "任务书及变更"),
        broke: ("exceeded what was approved", "超出立项金额"),
        acts_of: |sql, search, _| {
            grant_steps(
                sql,
                search,
                &[GrantStep::Contracted, GrantStep::Amended],
                &format!(
                    "s.amount_minor > (SELECT a.amount_minor FROM grant_steps a WHERE a.grant_id = s.grant_id AND a.step IN ({}) \
                 AND a.position < s.position ORDER BY a.position DESC LIMIT 1)",
                    list(&[GrantStep::Approved.number(), GrantStep::Imported.number()])
                ),
            );
        },
    },
    Test {
        id: "A02.accounts",
        acts: ("accounts of a grant and a holder", "项目与持有单位的账户"),
        broke: ("were below zero at some position", "曾出现负数"),
        acts_of: accounts_below_zero,
    },
    Test {
        id: "A02.chain",
        acts: ("programmes", "年度计划"),
        broke: ("had appropriated another sum than all other accounts hold", "预算与其余各账户合计不符"),
        acts_of: chains,
    },
    Test {
        id: "A03.matching",
        acts: (
            "authorisations from the second tranche on of grants with matching money",
            "有配套承诺项目第二笔起的拨款审批",
        ),
        broke: (
            "were given below the ratio, or while a class was overdue",
            "低于配套到位比例，或有逾期未到位类别",
        ),
        acts_of: authorised_below_ratio,
    },
    Test {
        id: "A04.fingerprint",
        acts: ("admissions", "受理"),
        broke: ("were of a project that was live in another grant", "与另一在研项目重复"),
        acts_of: |sql, search, _| {
            let over: Vec<i16> = GrantStep::ENDS
                .into_iter()
                .chain([GrantStep::Rejected, GrantStep::Withdrawn])
                .map(GrantStep::number)
                .collect();
            grant_steps(
                sql,
                search,
                &[GrantStep::Admitted],
                &format!(
                    "EXISTS (SELECT 1 FROM grant_steps o WHERE o.step = {} AND o.said = s.said AND o.grant_id <> s.grant_id \
                 AND o.position < s.position AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = o.grant_id \
                 AND e.step IN ({}) AND e.position < s.position))",
                    GrantStep::Admitted.number(),
                    list(&over)
                ),
            );
        },
    },
    Test {
        id: "A07.review",
        acts: ("approvals", "立项"),
        broke: ("were above the review's ceiling, without an override", "超出评审建议上限且无特批"),
        acts_of: |sql, search, _| {
            grant_steps(
                sql,
                search,
                &[GrantStep::Approved],
                &format!(
                    "s.amount_minor > (SELECT r.amount_minor FROM grant_steps r WHERE r.grant_id = s.grant_id AND r.step = {} \
                 AND r.position < s.position ORDER BY r.position DESC LIMIT 1) AND NOT EXISTS (SELECT 1 FROM overrides o \
                 WHERE o.grant_id = s.grant_id AND o.rule = 'A07' AND o.position < s.position)",
                    GrantStep::Reviewed.number()
                ),
            );
        },
    },
    Test {
        id: "A08.notice",
        acts: ("approvals", "立项"),
        broke: (
            "came before the notice was over, or were of another amount",
            "早于公示期满，或与公示金额不符",
        ),
        acts_of: |sql, search, _| {
            grant_steps(
                sql,
                search,
                &[GrantStep::Approved],
                &format!(
                    "NOT EXISTS (SELECT 1 FROM (SELECT n.day, n.amount_minor FROM grant_steps n WHERE n.grant_id = s.grant_id \
                 AND n.step = {} AND n.position < s.position ORDER BY n.position DESC LIMIT 1) n \
                 WHERE n.day <= s.effective_on AND n.amount_minor = s.amount_minor)",
                    GrantStep::NoticePublished.number()
                ),
            );
        },
    },
    Test {
        id: "A08.objections",
        acts: ("approvals", "立项"),
        broke: ("came while an objection was open", "作出时尚有未处理的异议"),
        acts_of: |sql, search, _| {
            grant_steps(
                sql,
                search,
                &[GrantStep::Approved],
                &format!(
                    "EXISTS (SELECT 1 FROM grant_steps o WHERE o.grant_id = s.grant_id AND o.step = {} AND o.position < s.position \
                 AND NOT EXISTS (SELECT 1 FROM grant_steps c WHERE c.grant_id = s.grant_id AND c.step IN ({}, {}) \
                 AND c.number = o.number AND c.position > o.position AND c.position < s.position))",
                    GrantStep::ObjectionRaised.number(),
                    GrantStep::ObjectionRejected.number(),
                    GrantStep::ObjectionUpheld.number()
                ),
            );
        },
    },
    Test {
        id: "A09.invoice",
        acts: ("invoices", "发票"),
        broke: ("have items that add up to more than their total", "分摊合计超出票面"),
        acts_of: invoices,
    },
    Test {
        id: "A10.closeout",
        acts: ("closeouts", "结题"),
        broke: ("left a balance without a day to give it back", "留有结余而未定退回期限"),
        acts_of: |sql, search, _| {
            grant_steps(
                sql,
                search,
                &[GrantStep::Closed],
                &format!(
                    "s.day IS NULL AND (SELECT coalesce(sum(p.amount_minor), 0) FROM dims x JOIN postings p ON p.dims = x.dims \
                 WHERE x.grant_id = s.grant_id AND p.account = {} AND p.position < s.position) > 0",
                    numbers::account(Account::RecipientUnspent)
                ),
            );
        },
    },
    Test {
        id: "A10.open_tranche",
        acts: ("closeouts", "结题"),
        broke: ("left a payment with the bank", "尚有在途支付"),
        acts_of: |sql, search, _| {
            grant_steps(
                sql,
                search,
                &[GrantStep::Closed],
                &format!(
                    "(SELECT coalesce(sum(p.amount_minor), 0) FROM dims x JOIN postings p ON p.dims = x.dims \
                 WHERE x.grant_id = s.grant_id AND p.account = {} AND p.position < s.position) > 0",
                    numbers::account(Account::Instructed)
                ),
            );
        },
    },
    Test {
        id: "A11.lead",
        acts: ("admissions and approvals", "受理、立项"),
        broke: ("were of a lead with an overdue final acceptance", "牵头单位另有逾期未验收项目"),
        acts_of: |sql, search, _| {
            let concluded: Vec<i16> = [GrantStep::AcceptancePassed, GrantStep::AcceptanceFailed]
                .into_iter()
                .chain(GrantStep::ENDS)
                .map(GrantStep::number)
                .collect();
            grant_steps(
                sql,
                search,
                &[GrantStep::Admitted, GrantStep::Approved],
                &format!(
                    "EXISTS (SELECT 1 FROM grants o CROSS JOIN LATERAL (SELECT t.acceptance_due_on FROM terms t \
                 WHERE t.grant_id = o.grant_id AND t.position < s.position ORDER BY t.position DESC LIMIT 1) t \
                 WHERE o.lead = d.party AND o.grant_id <> s.grant_id AND t.acceptance_due_on < s.effective_on \
                 AND NOT EXISTS (SELECT 1 FROM grant_steps e WHERE e.grant_id = o.grant_id AND e.step IN ({}) \
                 AND e.position < s.position))",
                    list(&concluded)
                ),
            );
        },
    },
    Test {
        id: "A13.review_approve",
        acts: ("approvals", "立项"),
        broke: ("were made by the person who had reviewed", "与评审为同一人"),
        acts_of: |sql, search, _| {
            grant_steps(
                sql,
                search,
                &[GrantStep::Approved],
                &format!(
                    "EXISTS (SELECT 1 FROM grant_steps r WHERE r.grant_id = s.grant_id AND r.step = {} AND r.actor = s.actor \
                 AND r.position < s.position)",
                    GrantStep::Reviewed.number()
                ),
            );
        },
    },
    Test {
        id: "A13.approve_authorise",
        acts: ("authorisations", "拨款审批"),
        broke: ("were given by the person who had approved the grant", "与立项为同一人"),
        acts_of: |sql, search, _| {
            tranche_steps(
                sql,
                search,
                &[Step::Authorised],
                &format!(
                    "EXISTS (SELECT 1 FROM grant_steps a WHERE a.grant_id = s.grant_id AND a.step = {} AND a.actor = s.actor \
                 AND a.position < s.position)",
                    GrantStep::Approved.number()
                ),
            );
        },
    },
    Test {
        id: "A13.authorise_instruct",
        acts: ("instructions", "支付指令"),
        broke: ("were given by the person who had authorised", "与拨款审批为同一人"),
        acts_of: |sql, search, _| same_hand(sql, search, Step::Instructed, Step::Authorised),
    },
    Test {
        id: "A13.instruct_settle",
        acts: ("settlements", "到账确认"),
        broke: ("were recorded by the person who had instructed", "与支付指令为同一人"),
        acts_of: |sql, search, _| same_hand(sql, search, Step::Settled, Step::Instructed),
    },
    Test {
        id: "A13.applicant",
        acts: ("authorisations and instructions", "拨款审批、支付指令"),
        broke: ("were made by somebody of the applicant's organisation", "由申报单位人员办理"),
        acts_of: |sql, search, _| {
            tranche_steps(
                sql,
                search,
                &[Step::Authorised, Step::Instructed],
                &format!(
                    "EXISTS (SELECT 1 FROM grant_steps a WHERE a.grant_id = s.grant_id AND a.step = {} \
                 AND a.actor_org = s.actor_org)",
                    GrantStep::Applied.number()
                ),
            );
        },
    },
    Test {
        id: "A14.settled_once",
        acts: ("settlements", "到账"),
        broke: ("paid an instruction that had been paid and had not come back", "支付指令重复到账"),
        acts_of: |sql, search, _| {
            tranche_steps(
                sql,
                search,
                &[Step::Settled],
                &format!(
                    "EXISTS (SELECT 1 FROM (SELECT o.step FROM tranche_steps o WHERE o.instruction = s.instruction \
                 AND o.position < s.position ORDER BY o.position DESC LIMIT 1) o WHERE o.step = {})",
                    Step::Settled.number()
                ),
            );
        },
    },
    Test {
        id: "A14.instruction",
        acts: ("instructions", "支付指令"),
        broke: ("have an id that pays another tranche, too", "指令号同时用于另一笔拨款"),
        acts_of: |sql, search, _| {
            tranche_steps(
                sql,
                search,
                &[Step::Instructed],
                "EXISTS (SELECT 1 FROM tranche_steps o \
                WHERE o.instruction = s.instruction AND (o.grant_id, o.number) <> (s.grant_id, s.number))",
            );
        },
    },
    Test {
        id: "A16.recovery",
        acts: ("recoveries", "追缴"),
        broke: (
            "have more repaid, offset and written off than was determined",
            "已缴、抵扣、核销合计超出追缴金额",
        ),
        acts_of: recoveries,
    },
    Test {
        id: "A17.back_dating",
        acts: ("facts recorded late", "补登事项"),
        broke: ("were dated back further than the rulebook allows", "倒签超出规定天数"),
        acts_of: |sql, search, rulebook| {
            let most = rulebook.back_dating.days.max(rulebook.back_dating.money_days);
            let most = most.max(rulebook.back_dating.notice_days);
            sql.push("SELECT l.position, l.days > ")
                .bind(i32::try_from(most).unwrap_or(i32::MAX), Type::INT4);
            sql.push(" FROM scope d JOIN late l ON l.grant_id = d.grant_id WHERE ")
                .known_at("l", search.point);
        },
    },
    Test {
        id: "A17.corrections",
        acts: ("corrections", "更正"),
        broke: ("reverse what another had reversed already", "重复冲销同一事项"),
        acts_of: |sql, search, _| {
            sql.push(
                "SELECT c.position, EXISTS (SELECT 1 FROM corrections o WHERE o.reverses = c.reverses AND o.position < c.position) \
                 FROM scope d JOIN corrections c ON c.grant_id = d.grant_id WHERE ",
            );
            sql.known_at("c", search.point);
        },
    },
];

fn list(numbers: &[i16]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Steps of grants as `s`, of grants in scope as `d`; bad where the condition holds.
fn grant_steps(sql: &mut Sql, search: &Search, steps: &[GrantStep], bad: &str) {
    let steps: Vec<i16> = steps.iter().map(|step| step.number()).collect();
    sql.push("SELECT s.position, coalesce(").push(bad);
    sql.push(", false) FROM scope d JOIN grant_steps s ON s.grant_id = d.grant_id WHERE ");
    sql.push(&format!("s.step IN ({}) AND ", list(&steps))).known_at("s", search.point);
}

/// Steps of tranches as `s`, of grants in scope as `d`.
fn tranche_steps(sql: &mut Sql, search: &Search, steps: &[Step], bad: &str) {
    let steps: Vec<i16> = steps.iter().map(|step| step.number()).collect();
    sql.push("SELECT s.position, coalesce(").push(bad);
    sql.push(", false) FROM scope d JOIN tranche_steps s ON s.grant_id = d.grant_id WHERE ");
    sql.push(&format!("s.step IN ({}) AND ", list(&steps))).known_at("s", search.point);
}

/// Instructions before which none of these steps was on record, or had happened.
fn instructions_without(sql: &mut Sql, search: &Search, steps: &[GrantStep]) {
    let steps: Vec<i16> = steps.iter().map(|step| step.number()).collect();
    let bad = format!(
        "NOT EXISTS (SELECT 1 FROM grant_steps c WHERE c.grant_id = s.grant_id AND c.step IN ({}) \
         AND c.position < s.position AND c.effective_on <= s.effective_on)",
        list(&steps)
    );
    tranche_steps(sql, search, &[Step::Instructed], &bad);
}

/// Acts by the person who had done an earlier one on the same grant.
fn same_hand(sql: &mut Sql, search: &Search, act: Step, earlier: Step) {
    let bad = format!(
        "EXISTS (SELECT 1 FROM tranche_steps o WHERE o.grant_id = s.grant_id AND o.step = {} AND o.actor = s.actor \
         AND o.position < s.position)",
        earlier.number()
    );
    tranche_steps(sql, search, &[act], &bad);
}

/// Every account of every grant and holder: the lowest balance that it ever had, in the order of positions.
fn accounts_below_zero(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let contra: Vec<i16> = Account::ALL
        .into_iter()
        .filter(|account| account.is_contra() || *account == Account::Available)
        .map(numbers::account)
        .collect();
    sql.push(
        "SELECT max(r.position) FILTER (WHERE r.balance < 0), bool_or(r.balance < 0) FROM (SELECT x.dims, p.account, p.position, \
         sum(p.amount_minor) OVER (PARTITION BY x.dims, p.account ORDER BY p.position, p.line) AS balance, \
         p.position IS DISTINCT FROM lead(p.position) OVER (PARTITION BY x.dims, p.account ORDER BY p.position, p.line) AS whole \
         FROM scope d JOIN dims x ON x.grant_id = d.grant_id JOIN postings p ON p.dims = x.dims WHERE ",
    );
    sql.push(&format!("p.account NOT IN ({}) AND ", list(&contra))).known_at("p", search.point);
    sql.push(") r WHERE r.whole GROUP BY r.dims, r.account");
}

/// The programmes of the grants in scope: what was appropriated, against all other accounts of the fund's chain.
fn chains(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let fund: Vec<i16> = Account::ALL
        .into_iter()
        .filter(|account| account.chain() == Chain::Fund)
        .map(numbers::account)
        .collect();
    sql.push(
        "SELECT g.position, coalesce((SELECT sum(p.amount_minor) FROM dims x JOIN postings p ON p.dims = x.dims \
         WHERE x.programme = g.programme AND ",
    );
    sql.push(&format!("p.account IN ({}) AND ", list(&fund))).known_at("p", search.point);
    sql.push("), 0) <> 0 FROM programmes g WHERE g.programme IN (SELECT DISTINCT programme FROM scope)");
}

/// Authorisations from the second tranche on: what had been pledged and had arrived by then, in all and by class.
fn authorised_below_ratio(sql: &mut Sql, search: &Search, rulebook: &Rulebook) {
    let (arrived, reversed, released) =
        (MatchMove::Arrived.number(), MatchMove::ArrivalReversed.number(), MatchMove::Released.number());
    let ratios: Vec<i64> = rulebook.matching_ratio_percent.iter().copied().map(i64::from).collect();
    // By position alone: an arrival that was corrected later had been believed.
    let moved = format!(
        "coalesce(sum(CASE v.step WHEN {arrived} THEN v.amount_minor WHEN {reversed} THEN -v.amount_minor END), 0)"
    );
    let by_class = format!(
        "(SELECT m.kind, sum(m.amount_minor) - coalesce(sum(f.freed), 0) AS pledged, coalesce(sum(f.arrived), 0) AS arrived, \
         coalesce(sum(u.due), 0) AS due FROM match_sources m \
         LEFT JOIN LATERAL (SELECT {moved} AS arrived, coalesce(sum(v.amount_minor) FILTER (WHERE v.step = {released}), 0) AS freed \
         FROM match_moves v WHERE v.grant_id = m.grant_id AND v.source = m.source AND v.position < s.position) f ON true \
         LEFT JOIN LATERAL (SELECT least(sum(i.amount_minor) FILTER (WHERE i.due_on <= s.effective_on), \
         sum(i.amount_minor) - f.freed) AS due FROM match_instalments i WHERE i.grant_id = m.grant_id AND i.source = m.source) u \
         ON true WHERE m.grant_id = s.grant_id AND m.position < s.position GROUP BY m.kind)"
    );
    sql.push(&format!(
        "SELECT s.position, coalesce((SELECT sum(c.arrived) * 100 < sum(c.pledged) * (r.ratios)[least(s.number, \
         cardinality(r.ratios))] OR bool_or(c.arrived < c.due) FROM {by_class} c), false) FROM scope d \
         JOIN tranche_steps s ON s.grant_id = d.grant_id CROSS JOIN (SELECT "
    ));
    sql.bind(ratios, Type::INT8_ARRAY).push(" AS ratios) r WHERE s.number >= 2 AND ");
    sql.push(&format!("s.step = {} AND ", Step::Authorised.number())).known_at("s", search.point);
    sql.push(" AND EXISTS (SELECT 1 FROM match_sources m WHERE m.grant_id = s.grant_id AND m.position < s.position)");
}

/// Invoices that an item of a grant in scope names: all their items, of whichever grant.
fn invoices(sql: &mut Sql, search: &Search, _: &Rulebook) {
    let (disallowed, after) = (SpendStep::Disallowed.number(), SpendStep::DisallowedAfterAcceptance.number());
    sql.push(
        "SELECT max(o.position), sum(o.amount_minor) FILTER (WHERE NOT EXISTS (SELECT 1 FROM spend_steps t \
         WHERE t.spend = o.spend AND ",
    );
    sql.push(&format!("t.step IN ({disallowed}, {after}) AND ")).known_at("t", search.point);
    sql.push(
        ")) > min(o.total_minor) FROM spends o WHERE o.invoice IN (SELECT s.invoice FROM scope d JOIN spends s \
         ON s.grant_id = d.grant_id WHERE s.invoice IS NOT NULL) AND ",
    );
    sql.known_at("o", search.point).push(" GROUP BY o.invoice");
}

/// Recoveries: what came of them, against what was determined.
fn recoveries(sql: &mut Sql, search: &Search, _: &Rulebook) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Rule;
    use std::collections::BTreeSet;

    #[test]
    fn every_test_has_an_id_of_its_own_under_a_rule() {
        let ids: BTreeSet<&str> = TESTS.iter().map(|test| test.id).collect();
        assert_eq!(ids.len(), TESTS.len());
        assert!(ids.iter().all(|id| id.starts_with('A') && id.contains('.')));
        assert!(rules().is_sorted(), "by rule");
        // What is found by a rule is tested elsewhere; both name rules alike.
        assert!(Rule::ALL.iter().all(|rule| rule.code().len() == 3));
    }
}
