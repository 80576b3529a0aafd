//! A recovery as people and programs read it.

use concord_proto::fund::v1::recovery_service_client::RecoveryServiceClient;
use concord_proto::fund::v1::{GetRecoveryRequest, Recovery, RecoveryReceipt};
use serde_json::{Value, json};

use crate::connect::Stamped;
use crate::errors::CliError;
use crate::output::{amount, money, money_json, print_fields, table};
use crate::words::{self, RECOVERY_CAUSES, RECOVERY_STATES, TAKEN_FROM};

/// Prints a recovery, from where it takes money, and what came in.
pub(super) fn print(recovery: &Recovery, position: u64) {
    let shown = |minor: i64| format!("{} {}", amount(minor, &recovery.currency), recovery.currency);
    let some = |minor: i64| if minor == 0 { String::new() } else { shown(minor) };
    print_fields(&[
        ("recovery 追缴", recovery.recovery_id.clone()),
        ("grant 项目", recovery.grant_id.clone()),
        ("state 状态", words::both(RECOVERY_STATES, recovery.state)),
        ("cause 原因", words::both(RECOVERY_CAUSES, recovery.cause)),
        ("determined 追缴金额", shown(recovery.amount_minor)),
        ("repaid 已缴回", some(recovery.repaid_minor)),
        ("offset 已抵扣", some(recovery.offset_minor)),
        ("written off 已核销", some(recovery.written_off_minor)),
        ("outstanding 尚欠", shown(recovery.outstanding_minor)),
        ("demand 通知文号", recovery.demand.clone()),
        ("demanded 通知日", recovery.demanded_on.clone()),
        ("due 缴款期限", recovery.due_on.clone()),
        ("appeal 申诉理由", recovery.appeal_grounds.clone()),
        ("decided 申诉结论", recovery.appeal_reason.clone()),
        ("version 版本", recovery.version.to_string()),
        ("as of 截至", position.to_string()),
    ]);
    let mut takes = table(&["from 单位", "taken from 款项", ">amount 金额"]);
    for take in &recovery.takes {
        takes.add_row([
            take.party_id.clone(),
            words::both(TAKEN_FROM, take.from),
            take.amount.as_ref().map(money).unwrap_or_default(),
        ]);
    }
    println!("{takes}");
    if recovery.receipts.is_empty() {
        return;
    }
    let mut receipts = table(&[">came in 收回", "how 方式", ">position"]);
    for receipt in &recovery.receipts {
        // An offset is no fact that is corrected by its position.
        let position = if receipt.position == 0 { String::new() } else { receipt.position.to_string() };
        receipts.add_row([shown(receipt.amount_minor), how(receipt), position]);
    }
    println!("{receipts}");
}

fn how(receipt: &RecoveryReceipt) -> String {
    if receipt.against_grant_id.is_empty() {
        format!("repaid 缴回 {}", receipt.bank_reference)
    } else {
        format!("offset 抵扣 {} / {}", receipt.against_grant_id, receipt.tranche_number)
    }
}

/// Prints the recoveries of a grant, each as it stands at `position` or later.
pub(crate) async fn print_all(
    channel: Stamped,
    recovery_ids: &[String],
    min_position: u64,
) -> Result<(), CliError> {
    if recovery_ids.is_empty() {
        return Ok(());
    }
    let mut client = RecoveryServiceClient::new(channel);
    let mut table = table(&[
        "recovery 追缴",
        "cause 原因",
        "state 状态",
        ">determined 追缴金额",
        ">outstanding 尚欠",
        "due 缴款期限",
    ]);
    for recovery_id in recovery_ids {
        let request = GetRecoveryRequest { recovery_id: recovery_id.clone(), min_position };
        let recovery = client.get_recovery(request).await?.into_inner().recovery.unwrap_or_default();
        let shown = |minor: i64| format!("{} {}", amount(minor, &recovery.currency), recovery.currency);
        table.add_row([
            recovery.recovery_id.clone(),
            words::both(RECOVERY_CAUSES, recovery.cause),
            words::both(RECOVERY_STATES, recovery.state),
            shown(recovery.amount_minor),
            shown(recovery.outstanding_minor),
            recovery.due_on.clone(),
        ]);
    }
    println!("{table}");
    Ok(())
}

/// A recovery as JSON.
pub(super) fn json(recovery: &Recovery, position: u64) -> Value {
    let takes = recovery.takes.iter().map(|take| {
        json!({
            "party_id": take.party_id,
            "from": words::word(TAKEN_FROM, take.from),
            "amount": money_json(&take.amount),
        })
    });
    let receipts = recovery.receipts.iter().map(|receipt| {
        json!({
            "amount_minor": receipt.amount_minor,
            "position": receipt.position,
            "bank_reference": receipt.bank_reference,
            "against_grant_id": receipt.against_grant_id,
            "tranche_number": receipt.tranche_number,
        })
    });
    json!({
        "recovery_id": recovery.recovery_id,
        "grant_id": recovery.grant_id,
        "programme_id": recovery.programme_id,
        "state": words::word(RECOVERY_STATES, recovery.state),
        "cause": words::word(RECOVERY_CAUSES, recovery.cause),
        "currency": recovery.currency,
        "amount_minor": recovery.amount_minor,
        "repaid_minor": recovery.repaid_minor,
        "offset_minor": recovery.offset_minor,
        "written_off_minor": recovery.written_off_minor,
        "outstanding_minor": recovery.outstanding_minor,
        "takes": takes.collect::<Vec<_>>(),
        "demand": recovery.demand,
        "demanded_on": recovery.demanded_on,
        "due_on": recovery.due_on,
        "appeal_grounds": recovery.appeal_grounds,
        "appeal_reason": recovery.appeal_reason,
        "receipts": receipts.collect::<Vec<_>>(),
        "version": recovery.version,
        "position": position,
    })
}
