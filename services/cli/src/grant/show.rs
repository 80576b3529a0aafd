//! A grant as people and programs read it.

use concord_proto::fund::v1::Grant;
use serde_json::{Value, json};

use crate::output::{amount, print_fields, table};
use crate::words::{self, CONDITIONS, MODES, STATES, TRANCHE_STATES};

/// Prints a grant and its tranches.
pub(super) fn print(grant: &Grant, position: u64) {
    let shown = |minor: i64| {
        if minor == 0 {
            String::new()
        } else {
            format!("{} {}", amount(minor, &grant.currency), grant.currency)
        }
    };
    let mut title = grant.title.clone();
    if grant.migrated {
        title.push_str(" [migrated 历史项目]");
    }
    if grant.synthetic {
        title.push_str(" [synthetic 模拟]");
    }
    print_fields(&[
        ("grant 项目", grant.grant_id.clone()),
        ("title 名称", title),
        ("state 状态", words::both(STATES, grant.state)),
        ("programme 年度计划", grant.programme_id.clone()),
        ("mode 资助方式", words::both(MODES, grant.mode)),
        ("lead 牵头单位", format!("{} ({})", grant.lead_code, grant.lead_region)),
        ("industry 产业", grant.industry.clone()),
        ("requested 申请", shown(grant.requested_minor)),
        ("review ceiling 评审上限", shown(grant.review_ceiling_minor)),
        ("approvable from 可立项日", grant.approvable_from.clone()),
        ("approved 立项", shown(grant.approved_minor)),
        ("contracted 合同", shown(grant.contracted_minor)),
        (
            "runs 执行期",
            if grant.starts_on.is_empty() {
                String::new()
            } else {
                format!("{} – {}", grant.starts_on, grant.ends_on)
            },
        ),
        (
            "payee 收款账户",
            if grant.payee_verified { "verified 已核验" } else { "not verified 未核验" }.to_owned(),
        ),
        ("version 版本", grant.version.to_string()),
        ("as of 截至", position.to_string()),
    ]);
    if grant.tranches.is_empty() {
        return;
    }
    let mut table = table(&[
        ">no. 期",
        "state 状态",
        ">planned 计划",
        ">asked 申请",
        "condition 条件",
        "due 应拨日",
        "instruction 支付指令",
        ">attempt 次",
    ]);
    for tranche in &grant.tranches {
        table.add_row([
            tranche.number.to_string(),
            words::both(TRANCHE_STATES, tranche.state),
            shown(tranche.planned_minor),
            shown(tranche.amount_minor),
            words::both(CONDITIONS, tranche.condition),
            tranche.due_on.clone(),
            tranche.instruction_id.clone(),
            if tranche.attempt == 0 { String::new() } else { tranche.attempt.to_string() },
        ]);
    }
    println!("{table}");
}

/// A grant as JSON.
pub(super) fn json(grant: &Grant, position: u64) -> Value {
    let tranches = grant.tranches.iter().map(|tranche| {
        json!({
            "number": tranche.number,
            "state": words::word(TRANCHE_STATES, tranche.state),
            "planned_minor": tranche.planned_minor,
            "amount_minor": tranche.amount_minor,
            "condition": words::word(CONDITIONS, tranche.condition),
            "due_on": tranche.due_on,
            "instruction_id": tranche.instruction_id,
            "attempt": tranche.attempt,
        })
    });
    json!({
        "grant_id": grant.grant_id,
        "programme_id": grant.programme_id,
        "state": words::word(STATES, grant.state),
        "mode": words::word(MODES, grant.mode),
        "title": grant.title,
        "lead_party_id": grant.lead_party_id,
        "lead_code": grant.lead_code,
        "lead_region": grant.lead_region,
        "industry": grant.industry,
        "currency": grant.currency,
        "requested_minor": grant.requested_minor,
        "review_ceiling_minor": grant.review_ceiling_minor,
        "approvable_from": grant.approvable_from,
        "approved_minor": grant.approved_minor,
        "contracted_minor": grant.contracted_minor,
        "tranches": tranches.collect::<Vec<_>>(),
        "payee_verified": grant.payee_verified,
        "migrated": grant.migrated,
        "synthetic": grant.synthetic,
        "version": grant.version,
        "starts_on": grant.starts_on,
        "ends_on": grant.ends_on,
        "position": position,
    })
}
