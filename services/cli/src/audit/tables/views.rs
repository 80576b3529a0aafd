//! Matching money, shares, receivables and clocks.

use super::{reflects, title};
use crate::output::{amount, count, table};
use concord_proto::amount as wire;
use concord_proto::audit::v1::{
    ListClocksResponse, ListMatchingResponse, ListReceivablesResponse, ListSharesResponse,
};

/// Matching money.
pub fn matching(response: &ListMatchingResponse) {
    let mut table = table(&[
        "grant 项目",
        ">no. 来源",
        "title 名称",
        "class 类别",
        ">pledged 承诺",
        ">released 核减",
        ">arrived 到位",
        ">due 应到位",
        ">gap 缺口",
        "oldest due 最早到期",
        ">days 逾期天数",
        "currency",
    ]);
    for pledge in &response.pledges {
        let amounts = pledge.amounts.clone().unwrap_or_default();
        let shown = |minor| amount(minor, &pledge.currency);
        table.add_row([
            pledge.grant_id.clone(),
            pledge.source_number.to_string(),
            title(&pledge.title, pledge.synthetic),
            class(&pledge.matching_kind, &pledge.level),
            shown(amounts.pledged_minor),
            shown(amounts.released_minor),
            shown(amounts.arrived_minor),
            shown(amounts.due_minor),
            shown(amounts.gap_minor),
            pledge.oldest_due_on.clone(),
            pledge.days_overdue.to_string(),
            pledge.currency.clone(),
        ]);
    }
    println!("{table}");
    for total in &response.totals {
        let amounts = total.amounts.clone().unwrap_or_default();
        let shown = |minor, field| amount(wire::of(minor, field, &amounts.exact), &total.currency);
        let what = if total.matching_kind.is_empty() {
            "total 合计".to_owned()
        } else {
            format!("of it 其中 {}", class(&total.matching_kind, ""))
        };
        println!(
            "{what} ({}, {} sources 来源): pledged 承诺 {}, arrived 到位 {}, due 应到位 {}, gap 缺口 {} (1-30: {}, 31-90: {}, \
             91-180: {}, 181+: {})",
            total.currency,
            count(total.sources.unsigned_abs()),
            shown(amounts.pledged_minor, "pledged_minor"),
            shown(amounts.arrived_minor, "arrived_minor"),
            shown(amounts.due_minor, "due_minor"),
            shown(amounts.gap_minor, "gap_minor"),
            shown(amounts.gap_1_30_minor, "gap_1_30_minor"),
            shown(amounts.gap_31_90_minor, "gap_31_90_minor"),
            shown(amounts.gap_91_180_minor, "gap_91_180_minor"),
            shown(amounts.gap_181_minor, "gap_181_minor"),
        );
    }
    counted_from(&response.on);
    reflects(&response.reflects);
}

fn class(kind: &str, level: &str) -> String {
    let zh = concord_events::fund::matching_source_zh(kind, level).unwrap_or_default();
    format!("{kind} {zh}")
}

/// Shares of the parties of contracted grants.
pub fn shares(response: &ListSharesResponse) {
    let mut table = table(&[
        "grant 项目",
        "party 单位",
        "role 角色",
        "title 名称",
        ">allocated 分配",
        ">passed on 已转拨",
        ">due 应转拨",
        ">gap 未转拨",
        ">unspent 未用",
        ">spent 已核定",
        "currency",
    ]);
    for share in &response.shares {
        let amounts = share.amounts.clone().unwrap_or_default();
        let shown = |minor| amount(minor, &share.currency);
        // Nothing is passed on to a lead.
        let partners = |minor| if share.is_lead { String::new() } else { shown(minor) };
        table.add_row([
            share.grant_id.clone(),
            share.party_code.clone(),
            if share.is_lead { "lead 牵头" } else { "partner 合作" }.to_owned(),
            title(&share.title, share.synthetic),
            shown(amounts.allocated_minor),
            partners(amounts.passed_on_minor),
            partners(amounts.due_minor),
            partners(amounts.gap_minor),
            shown(amounts.unspent_minor),
            shown(amounts.eligible_spend_minor),
            share.currency.clone(),
        ]);
    }
    println!("{table}");
    for total in &response.totals {
        let amounts = total.amounts.clone().unwrap_or_default();
        let shown = |minor, field| amount(wire::of(minor, field, &amounts.exact), &total.currency);
        println!(
            "total 合计 ({}, {} shares 份额): passed on 已转拨 {}, due 应转拨 {}, gap 未转拨 {}, unspent 未用 {}, spent 已核定 {}",
            total.currency,
            count(total.shares.unsigned_abs()),
            shown(amounts.passed_on_minor, "passed_on_minor"),
            shown(amounts.due_minor, "due_minor"),
            shown(amounts.gap_minor, "gap_minor"),
            shown(amounts.unspent_minor, "unspent_minor"),
            shown(amounts.eligible_spend_minor, "eligible_spend_minor"),
        );
    }
    println!(
        "due {} days after settlement 拨付后 {} 日内转拨 (rulebook 规则版本 {})",
        response.within_days, response.within_days, response.rulebook
    );
    counted_from(&response.on);
    reflects(&response.reflects);
}

/// Recoveries.
pub fn receivables(response: &ListReceivablesResponse) {
    let mut table = table(&[
        "recovery 追缴",
        "grant 项目",
        "title 名称",
        "cause 原因",
        "state 状态",
        ">determined 决定",
        ">repaid 到账",
        ">offset 抵扣",
        ">written off 核销",
        ">outstanding 未缴",
        "due 期限",
        ">days 逾期天数",
        "currency",
    ]);
    for receivable in &response.receivables {
        let amounts = receivable.amounts.clone().unwrap_or_default();
        let shown = |minor| amount(minor, &receivable.currency);
        table.add_row([
            receivable.recovery_id.clone(),
            receivable.grant_id.clone(),
            title(&receivable.title, receivable.synthetic),
            cause(&receivable.cause),
            state(&receivable.state),
            shown(amounts.determined_minor),
            shown(amounts.repaid_minor),
            shown(amounts.offset_minor),
            shown(amounts.written_off_minor),
            shown(amounts.outstanding_minor),
            receivable.due_on.clone(),
            receivable.days_overdue.to_string(),
            receivable.currency.clone(),
        ]);
    }
    println!("{table}");
    for total in &response.totals {
        let amounts = total.amounts.clone().unwrap_or_default();
        let shown = |minor, field| amount(wire::of(minor, field, &amounts.exact), &total.currency);
        println!(
            "total 合计 ({}, {} recoveries 追缴): determined 决定 {}, repaid 到账 {}, offset 抵扣 {}, written off 核销 {}, \
             overturned 撤销 {}, outstanding 未缴 {}, overdue 逾期 {}",
            total.currency,
            count(total.recoveries.unsigned_abs()),
            shown(amounts.determined_minor, "determined_minor"),
            shown(amounts.repaid_minor, "repaid_minor"),
            shown(amounts.offset_minor, "offset_minor"),
            shown(amounts.written_off_minor, "written_off_minor"),
            shown(amounts.overturned_minor, "overturned_minor"),
            shown(amounts.outstanding_minor, "outstanding_minor"),
            shown(amounts.overdue_minor, "overdue_minor"),
        );
    }
    counted_from(&response.on);
    reflects(&response.reflects);
}

fn cause(code: &str) -> String {
    let known = concord_events::fund::RecoveryCause::ALL.into_iter().find(|cause| cause.code() == code);
    format!("{code} {}", known.map_or("", concord_events::fund::RecoveryCause::label_zh))
}

fn state(word: &str) -> String {
    let zh = match word {
        "determined" => "已决定",
        "demanded" => "已通知",
        "appealed" => "申诉中",
        "overturned" => "已撤销",
        "settled" => "已缴清",
        "written_off" => "已核销",
        _ => "",
    };
    format!("{word} {zh}")
}

/// Everything dated that waits. What of a grant a clock is of stands under the grant's title.
pub fn clocks(response: &ListClocksResponse) {
    // A finding about no programme has no currency, and no amount.
    let sum = |minor: i128, currency: &str| {
        if currency.is_empty() { String::new() } else { amount(minor, currency) }
    };
    let mut table = table(&[
        "kind 种类",
        "of 事项",
        "waits for 应办方",
        "due 期限",
        ">days 逾期天数",
        ">amount 金额",
        "currency",
    ]);
    for clock in &response.clocks {
        table.add_row([
            kind(&clock.kind),
            format!("{}\n{}", title(&clock.title, clock.synthetic), clock.subject),
            turn(&clock.waits_for),
            clock.due_on.clone(),
            clock.days_overdue.to_string(),
            sum(clock.amount_minor.into(), &clock.currency),
            clock.currency.clone(),
        ]);
    }
    println!("{table}");
    for total in &response.totals {
        println!(
            "{}: {} clocks 项, {} overdue 逾期, {} {}",
            kind(&total.kind),
            count(total.clocks.unsigned_abs()),
            count(total.overdue.unsigned_abs()),
            sum(wire::from_wire(total.amount_minor, &total.exact_minor), &total.currency),
            total.currency,
        );
    }
    println!(
        "contract within {} days of approval 立项后 {} 日内签订任务书, shares passed on within {} of settlement 拨付后 {} 日内转拨 \
         (rulebook 规则版本 {})",
        response.contract_within_days,
        response.contract_within_days,
        response.transfer_within_days,
        response.transfer_within_days,
        response.rulebook
    );
    counted_from(&response.on);
    reflects(&response.reflects);
}

fn kind(code: &str) -> String {
    let zh = match code {
        "contract" => "签订任务书",
        "acceptance" => "验收",
        "acceptance_rectification" => "验收整改",
        "matching_instalment" => "配套到位",
        "share_transfer" => "转拨",
        "refund" => "结余退回",
        "retained" => "结余留用",
        "recovery_payment" => "追缴缴款",
        "demand" => "追缴通知",
        "tranche" => "拨款",
        "rectification" => "整改",
        _ => "",
    };
    format!("{code} {zh}")
}

fn turn(code: &str) -> String {
    let zh = match code {
        "applicant" => "申报单位",
        "lead" => "牵头单位",
        "partner" => "合作单位",
        "matching_payer" => "配套出资方",
        "bank" => "银行",
        "office" => "管理部门",
        "owner" => "整改责任方",
        _ => "",
    };
    format!("{code} {zh}")
}

fn counted_from(on: &str) {
    if !on.is_empty() {
        println!("counted from 截止日 {on}");
    }
}
