//! Columns of findings and of control tests.

use super::{Documented, column};

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
];

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
        let exported: BTreeSet<&str> = [FINDINGS, CONTROL_TESTS].concat().into_iter().collect();
        assert!(own.is_subset(&exported), "a column is documented and not exported");
        assert!(exported.iter().all(|name| own.contains(name) || others.contains(name)));
        assert!(DICTIONARY.iter().all(|column| !column.zh.is_ascii()));
    }
}
