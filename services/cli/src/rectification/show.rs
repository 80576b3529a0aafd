//! A rectification as people and programs read it.

use concord_proto::fund::v1::Rectification;
use serde_json::{Value, json};

use super::Key;
use crate::output::{money, money_json, print_fields};
use crate::words::{self, RECTIFICATION_STATES};

/// Prints a rectification.
pub(super) fn print(shown: &Rectification, position: u64) {
    print_fields(&[
        ("rectification 整改", shown.rectification_id.clone()),
        ("finding 发现", key(shown)),
        ("grant 项目", shown.grant_id.clone()),
        ("state 状态", words::both(RECTIFICATION_STATES, shown.state)),
        ("owner 责任人", shown.owner.clone()),
        ("deadline 整改期限", shown.deadline.clone()),
        ("task 整改要求", shown.task.clone()),
        ("explanation 说明", shown.explanation.clone()),
        ("evidence 整改证明", shown.evidence.clone()),
        ("minutes 会议纪要", shown.minutes.clone()),
        ("reason 原因", shown.reason.clone()),
        ("amount seen 所见金额", shown.amount.as_ref().map(money).unwrap_or_default()),
        ("version 版本", shown.version.to_string()),
        ("as of 截至", position.to_string()),
    ]);
}

fn key(shown: &Rectification) -> String {
    let key = shown.finding.clone().unwrap_or_default();
    Key { rule: key.rule, subject: key.subject, position: key.position }.to_string()
}

/// A rectification as JSON.
pub(super) fn json(shown: &Rectification, position: u64) -> Value {
    let finding = shown.finding.clone().unwrap_or_default();
    json!({
        "rectification_id": shown.rectification_id,
        "state": words::word(RECTIFICATION_STATES, shown.state),
        "finding": {
            "rule": finding.rule,
            "subject": finding.subject,
            "position": finding.position,
            "key": key(shown),
        },
        "grant_id": shown.grant_id,
        "owner": shown.owner,
        "deadline": shown.deadline,
        "task": shown.task,
        "explanation": shown.explanation,
        "evidence": shown.evidence,
        "minutes": shown.minutes,
        "reason": shown.reason,
        "amount": money_json(&shown.amount),
        "version": shown.version,
        "position": position,
    })
}
