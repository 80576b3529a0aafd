//! A grant as people and programs read it.

mod life;
mod money;

use concord_proto::fund::v1::{Backing, BackingState, GetBackingResponse, Grant, Hold, HoldCause, HoldKind};
use serde_json::{Value, json};

use crate::output::{amount, print_fields, table};
use crate::words::{self, BACKING_STATES, CONDITIONS, HOLD_KINDS, MODES, STATES, TRANCHE_STATES};

/// Prints a grant, its tranches, and what became of its money and of the project.
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
    let mut fields = vec![
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
        ("agreement 依托协议", grant.backing_agreement_id.clone()),
        ("on hold 暂停", grant.hold.as_ref().map(held).unwrap_or_default()),
    ];
    fields.extend(life::fields(grant));
    fields.extend([("version 版本", grant.version.to_string()), ("as of 截至", position.to_string())]);
    print_fields(&fields);
    print_tranches(grant, shown);
    money::print(grant);
    life::print(grant);
}

/// A party as the grant names it: by its code, else by its id.
fn party<'a>(grant: &'a Grant, party_id: &'a str) -> &'a str {
    grant.shares.iter().find(|share| share.party_id == party_id).map_or(party_id, |share| &share.code)
}

fn print_tranches(grant: &Grant, shown: impl Fn(i64) -> String) {
    if grant.tranches.is_empty() {
        return;
    }
    let mut table = table(&[
        ">no. 期",
        "state 状态",
        ">planned 计划",
        ">asked 申请",
        ">offset 抵扣",
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
            shown(tranche.offset_minor),
            words::both(CONDITIONS, tranche.condition),
            tranche.due_on.clone(),
            tranche.instruction_id.clone(),
            if tranche.attempt == 0 { String::new() } else { tranche.attempt.to_string() },
        ]);
    }
    println!("{table}");
}

/// Since when a grant is on hold, and why.
fn held(hold: &Hold) -> String {
    let causes: Vec<String> = hold.causes.iter().map(cause).collect();
    let causes =
        if causes.is_empty() { "no cause left 原因已消除".to_owned() } else { causes.join("; ") };
    format!("since 自 {}: {causes}", hold.since)
}

fn cause(cause: &HoldCause) -> String {
    let kind = words::both(HOLD_KINDS, cause.kind);
    if cause.kind == i32::from(HoldKind::Office) {
        return format!("{kind} ({})", cause.reason);
    }
    let state = words::both(BACKING_STATES, cause.agreement_state);
    format!("{kind} ({} {state}, position {})", cause.agreement_id, cause.agreement_position)
}

/// Prints what is known of an agreement.
pub(super) fn print_backing(answer: &GetBackingResponse) {
    let backing = answer.backing.clone().unwrap_or_default();
    let parties: Vec<&str> = backing.parties.iter().map(|party| party.code.as_str()).collect();
    let verified = if answer.verified_at.is_empty() {
        "not since the service began 服务启动以来未核实".to_owned()
    } else {
        format!("up to 至 {} at 于 {}", answer.verified_position, answer.verified_at)
    };
    print_fields(&[
        ("agreement 协议", backing.agreement_id.clone()),
        ("state 效力", words::both(BACKING_STATES, backing.state)),
        ("in force 有效期", term(&backing)),
        ("parties 当事方", parties.join(", ")),
        ("learned at 所据位置", backing.agreement_position.to_string()),
        ("happened on 发生日", backing.happened_on.clone()),
        ("grants 项目", backing.grant_ids.join(", ")),
        ("agreement log 协议日志", verified),
        ("as of 截至", answer.position.to_string()),
    ]);
}

fn term(backing: &Backing) -> String {
    if backing.in_force_from.is_empty() {
        String::new()
    } else {
        format!("{} – {}", backing.in_force_from, backing.in_force_until)
    }
}

/// What is known of an agreement, as JSON.
pub(super) fn backing_json(answer: &GetBackingResponse) -> Value {
    let backing = answer.backing.clone().unwrap_or_default();
    let parties =
        backing.parties.iter().map(|party| json!({ "party_id": party.party_id, "code": party.code }));
    json!({
        "agreement_id": backing.agreement_id,
        "state": words::word(BACKING_STATES, backing.state),
        "in_force_from": backing.in_force_from,
        "in_force_until": backing.in_force_until,
        "parties": parties.collect::<Vec<_>>(),
        "agreement_position": backing.agreement_position,
        "happened_on": backing.happened_on,
        "grant_ids": backing.grant_ids,
        "verified_position": answer.verified_position,
        "verified_at": answer.verified_at,
        "position": answer.position,
    })
}

fn hold_json(hold: &Hold) -> Value {
    let causes = hold.causes.iter().map(|cause| {
        let lost = cause.agreement_state != i32::from(BackingState::Unspecified);
        json!({
            "kind": words::word(HOLD_KINDS, cause.kind),
            "reason": cause.reason,
            "agreement_id": cause.agreement_id,
            "agreement_state": if lost { words::word(BACKING_STATES, cause.agreement_state) } else { "" },
            "agreement_position": cause.agreement_position,
        })
    });
    json!({ "since": hold.since, "causes": causes.collect::<Vec<_>>() })
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
            "offset_minor": tranche.offset_minor,
        })
    });
    let mut value = json!({
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
        "backing_agreement_id": grant.backing_agreement_id,
        "hold": grant.hold.as_ref().map(hold_json),
        "position": position,
    });
    // One document, made in parts: it has as many fields as a grant's whole life.
    if let Value::Object(fields) = &mut value {
        for part in [money::json(grant), life::json(grant)] {
            if let Value::Object(part) = part {
                fields.extend(part);
            }
        }
    }
    value
}
