//! Columns of findings and of control tests.

use super::{Documented, column};
use concord_proto::audit::v1::FindingDimension;

/// Every column that only they have, each once.
pub(super) const DICTIONARY: &[Documented] = &[
    column("rule", "text", "Audit rule, A01 to A20", "审计规则，A01 至 A20"),
    column("case", "text", "Case within the rule", "规则内的情形"),
    column(
        "subject",
        "text",
        "What the finding or clock is about. Rule, subject and position are a finding's key; of a clock that is a rectification it is the whole key",
        "发现或期限所涉事项；规则、事项、序号三者唯一标识一项发现；整改期限为所涉发现的完整标识",
    ),
    column(
        "evidence",
        "text",
        "Positions of the events that prove it, with a space between",
        "证据事件的序号，以空格分隔",
    ),
    column("since", "date", "Day since which it is so", "自该日起"),
    column(
        "age_days",
        "integer",
        "Days from since to the day that ages are counted from",
        "自该日至账龄基准日的天数",
    ),
    column("message", "text", "The finding as a sentence, in English", "发现的英文说明"),
    column("message_zh", "text", "The finding as a sentence, in Chinese", "发现的中文说明"),
    column(
        "rectification_state",
        "text",
        "What became of it: assigned, explained, rectified, accepted, dismissed; empty where nobody was charged with it",
        "整改状态：已交办、已说明、已整改、说明成立、不成立；空为未交办",
    ),
    column("rectification_id", "text", "UUID of the rectification", "整改事项的 UUID"),
    column("owner", "text", "Who was charged with it, by an opaque id", "整改责任方（不透明标识）"),
    column("deadline", "date", "Day by which it is to be put right", "整改期限"),
    column(
        "concluded_position",
        "integer",
        "Position of the decision by which its explanation was accepted or it was dismissed; 0 where there is none",
        "认定说明成立或不成立的事件序号；无认定的为 0",
    ),
    column(
        "concluded_on",
        "date",
        "Day of that decision; empty where there is none",
        "作出该认定之日；无认定的为空",
    ),
    column(
        "concluded_minor",
        "integer",
        "What the finding amounted to as of that decision, or what was named where that is less, in minor units; 0 where there was no such finding",
        "作出认定时该发现的金额（与所列金额取低者），以最小货币单位计；当时并无此项发现的为 0",
    ),
    column(
        "covered",
        "text",
        "\"true\" where that decision covers the finding: there was one, of no less than now; else \"false\"",
        "该认定覆盖现有发现（当时存在且金额不低于现在）的为 true，否则为 false",
    ),
    column("rule_label", "text", "What the audit rule is about", "审计规则名称"),
    column("case_label", "text", "What the rule of the case is about", "情形所属规则的名称"),
    column("age", "text", "Age in days: 1-30, 31-90, 91-180, 181-365, 366+", "账龄区间（天）"),
    column(
        "findings",
        "integer",
        "Findings of the group; those that were dismissed are among them only where they were asked for",
        "组内发现数；仅在要求列出时包括认定不成立的发现",
    ),
    column(
        "dismissed",
        "integer",
        "Findings of the group that were dismissed and amount to no more since",
        "组内认定不成立且金额未增加的发现数",
    ),
    column(
        "dismissed_minor",
        "integer",
        "What those amount to, in minor units",
        "上述发现的金额，以最小货币单位计",
    ),
    column("oldest_days", "integer", "Age in days of the oldest finding of the group", "组内最早发现的天数"),
    column(
        "synthetic_findings",
        "integer",
        "How many findings of the group are about facts that were made up for a demonstration",
        "组内涉及模拟数据的发现数",
    ),
    column("test", "text", "Control test, by its stable id", "控制测试编号"),
    column("test_title", "text", "What an exception is, in English", "例外情形的英文说明"),
    column("test_title_zh", "text", "What an exception is, in Chinese", "例外情形的中文说明"),
    column("population", "integer", "Acts that were tested", "测试总体项数"),
    column("exceptions", "integer", "How many of them broke the rule", "例外项数"),
    column(
        "exception_position",
        "integer",
        "Position of one exception; empty in the row of the test itself",
        "一项例外的事件序号；测试汇总行为空",
    ),
];

/// Columns of exported findings, in order.
pub const FINDINGS: &[&str] = &[
    "rule",
    "case",
    "subject",
    "position",
    "evidence",
    "grant_id",
    "programme_id",
    "title",
    "lead_region",
    "amount_minor",
    "currency",
    "since",
    "age_days",
    "message",
    "message_zh",
    "rectification_state",
    "rectification_id",
    "owner",
    "deadline",
    "synthetic",
    "concluded_position",
    "concluded_on",
    "concluded_minor",
    "covered",
];

/// Columns of exported groups of findings, in order. The first column of the rows of the whole says "total".
#[must_use]
pub fn finding_groups(by: &[FindingDimension]) -> Vec<&'static str> {
    let of = |dimension: &FindingDimension| match dimension {
        FindingDimension::Unspecified => vec![],
        FindingDimension::Rule => vec!["rule", "rule_label"],
        FindingDimension::Case => vec!["case", "case_label"],
        FindingDimension::Programme => vec!["programme_id"],
        FindingDimension::LeadRegion => vec!["lead_region", "lead_region_label"],
        FindingDimension::Age => vec!["age"],
    };
    let sums = [
        "currency",
        "findings",
        "amount_minor",
        "dismissed",
        "dismissed_minor",
        "oldest_days",
        "synthetic_findings",
    ];
    by.iter().flat_map(of).chain(sums).collect()
}

/// Columns of exported control tests, in order: a row for each test, and one for each of its exceptions.
pub const CONTROL_TESTS: &[&str] =
    &["test", "rule", "test_title", "test_title_zh", "population", "exceptions", "exception_position"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_column_is_documented_here_or_with_the_others() {
        let own: BTreeSet<&str> = DICTIONARY.iter().map(|column| column.name).collect();
        let others: BTreeSet<&str> = super::super::DICTIONARY.iter().map(|column| column.name).collect();
        assert_eq!(own.len(), DICTIONARY.len(), "a column is documented twice");
        assert!(own.is_disjoint(&others), "a column is documented here and with the others");
        let dimensions: Vec<FindingDimension> =
            (1..=5).filter_map(|number| FindingDimension::try_from(number).ok()).collect();
        let groups = finding_groups(&dimensions);
        let exported: BTreeSet<&str> = [FINDINGS, CONTROL_TESTS, &groups].concat().into_iter().collect();
        assert!(own.is_subset(&exported), "a column is documented and not exported");
        assert!(exported.iter().all(|name| own.contains(name) || others.contains(name)));
        assert!(DICTIONARY.iter().all(|column| !column.zh.is_ascii()));
    }
}
