//! Findings and control tests as people and programs read them.

use comfy_table::Table;
use concord_proto::amount as wire;
use concord_proto::audit::v1::{
    ControlTest, Finding, FindingDimension, FindingGroup, ListControlTestsResponse, ListFindingsResponse,
};
use serde_json::{Value, json};

use super::super::{json as audit_json, tables};
use crate::output::{amount, count, exact_json, table};
use crate::rectification::Key;
use crate::words::{FINDING_DIMENSIONS, RECTIFICATION_STATES};

/// All findings by group.
pub(crate) fn groups(response: &ListFindingsResponse, by: &[FindingDimension]) {
    if response.groups.is_empty() {
        return;
    }
    let mut columns: Vec<String> = by
        .iter()
        .filter_map(|dimension| FINDING_DIMENSIONS.iter().find(|word| word.2 == *dimension))
        .map(|word| format!("{} {}", word.0, word.1))
        .collect();
    columns.extend(
        [
            ">findings 发现",
            ">amount 金额",
            "currency 币种",
            ">oldest 最长天数",
            ">dismissed 不成立",
            ">dismissed amount 不成立金额",
        ]
        .map(str::to_owned),
    );
    let mut table = table(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for group in &response.groups {
        let named = group.group.iter().zip(&group.labels);
        let named: Vec<String> = named.map(|(value, label)| tables::labelled(value, label)).collect();
        table.add_row(named.into_iter().chain(sums_of(group)));
    }
    for total in &response.totals {
        let whole = (0..by.len()).map(|column| if column == 0 { "total 合计" } else { "" }.to_owned());
        table.add_row(whole.chain(sums_of(total)));
    }
    println!("{table}");
}

/// The sums of a group, as the table has them.
fn sums_of(group: &FindingGroup) -> [String; 6] {
    [
        findings_of(group),
        amount(wire::from_wire(group.amount_minor, &group.exact_minor), &group.currency),
        group.currency.clone(),
        group.oldest_days.to_string(),
        count(group.dismissed.unsigned_abs()),
        amount(wire::from_wire(group.dismissed_minor, &group.dismissed_exact_minor), &group.currency),
    ]
}

/// The whole of a currency in one line.
pub(crate) fn total(total: &FindingGroup) -> String {
    let [findings, sum, currency, _, dismissed, dismissed_sum] = sums_of(total);
    format!(
        "total 合计 ({currency}): {findings} findings 发现, {sum}; dismissed 不成立 {dismissed}, {dismissed_sum}"
    )
}

/// How many findings a group has, and beside it how many are about made-up facts.
fn findings_of(group: &FindingGroup) -> String {
    let findings = count(group.findings.unsigned_abs());
    match group.synthetic {
        0 => findings,
        synthetic => format!("{findings} (模拟 {})", count(synthetic.unsigned_abs())),
    }
}

/// A page of findings, ranked.
pub(crate) fn findings(response: &ListFindingsResponse) {
    if response.findings.is_empty() {
        println!("no finding 无发现");
    } else {
        println!("{}", listed(&response.findings));
    }
    if !response.on.is_empty() {
        println!("counted from 截止日 {}", response.on);
    }
    tables::reflects(&response.reflects);
}

fn listed(findings: &[Finding]) -> Table {
    let mut table = table(&["rule 规则", ">amount 金额", "currency", ">days 天数", "finding 发现"]);
    for finding in findings {
        table.add_row([
            format!("{} {}", finding.rule, finding.case),
            amount(finding.amount_minor, &finding.currency),
            finding.currency.clone(),
            finding.age_days.to_string(),
            told(finding),
        ]);
    }
    table
}

/// A finding in both languages, its key below, and who was charged with it.
fn told(finding: &Finding) -> String {
    let mut lines = vec![
        tables::title(&finding.title, finding.synthetic),
        finding.message.clone(),
        finding.message_zh.clone(),
        key(finding).to_string(),
    ];
    if !finding.rectification_id.is_empty() {
        let state = RECTIFICATION_STATES.iter().find(|word| word.0 == finding.rectification_state);
        let state = state
            .map_or_else(|| finding.rectification_state.clone(), |word| format!("{} {}", word.0, word.1));
        lines.push(format!(
            "{state}: {}, by 期限 {} ({})",
            finding.owner, finding.deadline, finding.rectification_id
        ));
    }
    lines.join("\n")
}

fn key(finding: &Finding) -> Key {
    Key { rule: finding.rule.clone(), subject: finding.subject.clone(), position: finding.position }
}

/// Control tests, each with its sentence in both languages and the positions of its exceptions.
pub(crate) fn tests(response: &ListControlTestsResponse) {
    let mut table =
        table(&["test 测试", ">population 总体", ">exceptions 例外", "result 结果", "positions 例外位置"]);
    for test in &response.tests {
        table.add_row([
            test.id.clone(),
            count(test.population.unsigned_abs()),
            count(test.exceptions.unsigned_abs()),
            format!("{}\n{}", test.result, test.result_zh),
            positions(test),
        ]);
    }
    println!("{table}");
    tables::reflects(&response.reflects);
}

fn positions(test: &ControlTest) -> String {
    let mut told: Vec<String> = test.positions.iter().map(ToString::to_string).collect();
    if test.exceptions.unsigned_abs() > told.len() as u64 {
        told.push("…".to_owned());
    }
    told.join(" ")
}

/// A page of findings as JSON.
pub(super) fn json(response: &ListFindingsResponse) -> Value {
    json!({
        "on": response.on,
        "groups": response.groups.iter().map(group_json).collect::<Vec<_>>(),
        "totals": response.totals.iter().map(group_json).collect::<Vec<_>>(),
        "findings": response.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "reflects": audit_json::reflects(&response.reflects),
        "next_page_token": response.next_page_token,
    })
}

fn group_json(group: &FindingGroup) -> Value {
    let mut value = json!({
        "group": group.group,
        "labels": group.labels,
        "currency": group.currency,
        "findings": group.findings,
        "amount_minor": group.amount_minor,
        "oldest_days": group.oldest_days,
        "synthetic": group.synthetic,
        "dismissed": group.dismissed,
        "dismissed_minor": group.dismissed_minor,
    });
    exact_json(&mut value, &group.exact_minor);
    if !group.dismissed_exact_minor.is_empty() {
        value["dismissed_exact_minor"] = group.dismissed_exact_minor.as_str().into();
    }
    value
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "key": key(finding).to_string(),
        "rule": finding.rule,
        "case": finding.case,
        "subject": finding.subject,
        "position": finding.position,
        "evidence": finding.evidence,
        "grant_id": finding.grant_id,
        "programme_id": finding.programme_id,
        "title": finding.title,
        "lead_region": finding.lead_region,
        "amount_minor": finding.amount_minor,
        "currency": finding.currency,
        "since": finding.since,
        "age_days": finding.age_days,
        "message": finding.message,
        "message_zh": finding.message_zh,
        "rectification_state": finding.rectification_state,
        "rectification_id": finding.rectification_id,
        "owner": finding.owner,
        "deadline": finding.deadline,
        "synthetic": finding.synthetic,
        "concluded_position": finding.concluded_position,
        "concluded_on": finding.concluded_on,
        "concluded_minor": finding.concluded_minor,
        "covered": finding.covered,
    })
}

/// Control tests as JSON.
pub(super) fn tests_json(response: &ListControlTestsResponse) -> Value {
    let tests = response.tests.iter().map(|test| {
        json!({
            "id": test.id,
            "rule": test.rule,
            "title": test.title,
            "title_zh": test.title_zh,
            "population": test.population,
            "exceptions": test.exceptions,
            "positions": test.positions,
            "result": test.result,
            "result_zh": test.result_zh,
        })
    });
    json!({ "tests": tests.collect::<Vec<_>>(), "reflects": audit_json::reflects(&response.reflects) })
}
