//! Control tests 控制测试: of so many acts, how many broke a rule, and at which positions.
//!
//! Each is worked out from the tables by itself, not by asking the code that decides: a decision that was wrong shows here.
//! Each looks at an act by what was on record before it, so an exception stays one, whatever came later. Those that ask who is who
//! are there a second time, as known now: a merger, a code or a representation of before the act may have been told after it.
//! How the acts of each test are found is in `control/acts.rs`, where that takes more than a condition.

mod acts;

use super::{Search, scope};
use crate::{
    numbers::{self, GrantStep, Step},
    query::{QueryError, Sql, Store},
};
use acts::{Known, grant_steps, instructions_without, same_hand, tranche_steps};
use concord_events::ledger::Account;
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
        id: "A01.backing_as_known_now",
        acts: ("instructions under an agreement", "依托协议的支付指令"),
        broke: (
            "were given after that had left force, by what is known now",
            "按现知情况，发出时所依托的协议已失效",
        ),
        acts_of: |sql, search, _| acts::under_a_lost_agreement(sql, search),
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
                    numbers::list([GrantStep::Approved.number(), GrantStep::Imported.number()])
                ),
            );
        },
    },
    Test {
        id: "A02.accounts",
        acts: ("accounts of a grant and a holder", "项目与持有单位的账户"),
        broke: ("were below zero at some position", "曾出现负数"),
        acts_of: acts::accounts_below_zero,
    },
    Test {
        id: "A02.budget",
        acts: ("programmes", "年度计划"),
        broke: ("had awarded more than was available at some position", "曾超出可用指标立项"),
        acts_of: acts::budgets,
    },
    Test {
        id: "A02.chain",
        acts: ("programmes", "年度计划"),
        broke: ("had appropriated another sum than all other accounts hold", "预算与其余各账户合计不符"),
        acts_of: acts::chains,
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
        acts_of: acts::authorised_below_ratio,
    },
    Test {
        id: "A04.fingerprint",
        acts: ("admissions", "受理"),
        broke: ("were of a project that was live in another grant", "与另一在研项目重复"),
        acts_of: acts::admitted_twice,
    },
    Test {
        id: "A04.project_as_known_now",
        acts: ("admissions", "受理"),
        broke: (
            "were of a project that was live in another grant of the lead, by the codes, mergers and spellings that are known now",
            "按现知代码、合并情况与标题规范形式，与牵头单位另一在研项目重复",
        ),
        acts_of: |sql, search, _| acts::project_twice(sql, search),
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
        id: "A07.finished",
        acts: ("approvals of projects that are paid for as they go", "立项（后补助类除外）"),
        broke: ("came after the project's last day, without an override", "晚于项目结束日且无特批"),
        acts_of: acts::approved_when_finished,
    },
    Test {
        id: "A08.notice",
        acts: ("approvals", "立项"),
        broke: (
            "came before the notice was over, were of another amount, or rested on one that an objection had ended",
            "早于公示期满、与公示金额不符，或所依公示因异议成立已失效",
        ),
        acts_of: |sql, search, _| {
            grant_steps(
                sql,
                search,
                &[GrantStep::Approved],
                &format!(
                    "NOT EXISTS (SELECT 1 FROM (SELECT n.step, n.day, n.amount_minor FROM grant_steps n WHERE n.grant_id = s.grant_id \
                 AND n.step IN ({notice}, {}) AND n.position < s.position ORDER BY n.position DESC LIMIT 1) n \
                 WHERE n.step = {notice} AND n.day <= s.effective_on AND n.amount_minor = s.amount_minor)",
                    GrantStep::ObjectionUpheld.number(),
                    notice = GrantStep::NoticePublished.number()
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
        acts_of: acts::invoices,
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
        acts_of: |sql, search, _| acts::lead_overdue(sql, search, Known::Then),
    },
    Test {
        id: "A11.lead_as_known_now",
        acts: ("admissions and approvals", "受理、立项"),
        broke: (
            "were of a lead with an overdue final acceptance by the codes and mergers that are known now",
            "按现知代码与合并情况，牵头单位另有逾期未验收项目",
        ),
        acts_of: |sql, search, _| acts::lead_overdue(sql, search, Known::Now),
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
        acts_of: |sql, search, _| acts::by_the_applicant(sql, search, Known::Then),
    },
    Test {
        id: "A13.applicant_as_known_now",
        acts: ("authorisations and instructions", "拨款审批、支付指令"),
        broke: (
            "were made by somebody of the applicant's organisation by the codes, mergers and representations that are known now",
            "按现知代码、合并与代表关系，由申报单位人员办理",
        ),
        acts_of: |sql, search, _| acts::by_the_applicant(sql, search, Known::Now),
    },
    Test {
        id: "A14.settled_once",
        acts: ("settlements", "到账"),
        broke: ("paid a tranche that had been paid and had not come back", "同一笔拨款重复到账"),
        acts_of: |sql, search, _| {
            tranche_steps(
                sql,
                search,
                &[Step::Settled],
                &format!(
                    "EXISTS (SELECT 1 FROM (SELECT o.step FROM tranche_steps o WHERE o.grant_id = s.grant_id AND o.number = s.number \
                 AND o.position < s.position ORDER BY o.position DESC LIMIT 1) o WHERE o.step = {})",
                    Step::Settled.number()
                ),
            );
        },
    },
    Test {
        id: "A14.instruction",
        acts: ("instructions", "支付指令"),
        broke: ("took the id of one that pays another tranche", "沿用了另一笔拨款的指令号"),
        acts_of: |sql, search, _| {
            tranche_steps(
                sql,
                search,
                &[Step::Instructed],
                "EXISTS (SELECT 1 FROM tranche_steps o \
                WHERE o.instruction = s.instruction AND o.position < s.position AND (o.grant_id, o.number) <> (s.grant_id, s.number))",
            );
        },
    },
    Test {
        id: "A14.reference",
        acts: ("movements that the bank reported", "银行报告的资金往来"),
        broke: (
            "have the bank's reference of another one of the same grant",
            "与同一项目另一笔往来的银行流水号相同",
        ),
        acts_of: |sql, search, _| acts::reported_twice(sql, search),
    },
    Test {
        id: "A16.recovery",
        acts: ("recoveries", "追缴"),
        broke: (
            "have more repaid, offset and written off than was determined",
            "已缴、抵扣、核销合计超出追缴金额",
        ),
        acts_of: acts::recoveries,
    },
    Test {
        id: "A17.back_dating",
        acts: ("facts recorded late", "补登事项"),
        broke: ("were dated back further than the rulebook allows", "倒签超出规定天数"),
        acts_of: acts::dated_back,
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
