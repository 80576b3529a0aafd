//! The audit's answers as tables for people: amounts in whole units, grouped, the point they reflect below.

mod views;

pub use views::{clocks, matching, receivables, shares};

use concord_kernel::money::{Currency, format_zh};
use concord_proto::amount as wire;
use concord_proto::audit::v1::{
    Balance, Dimension, GetGrantStatementResponse, GetProjectionStatusResponse, ListBalancesResponse,
    ListColumnsResponse, ListOverdueResponse, ListPostingsResponse, ListUndrawnResponse, Reflects,
};
use concord_proto::r#type::v1::Money;

use crate::output::{amount, count, money, percent, print_fields, table};
use crate::words::DIMENSIONS;

/// Longest title in a table; the whole one is in the JSON.
const TITLE_CHARACTERS: usize = 36;

/// What is shown of every balance: the column, and the amount.
const ALWAYS: [AmountColumn; 7] = [
    (">appropriated 预算", appropriated),
    (">available 可用", |balance| exact(balance, balance.available_minor, "available_minor")),
    (">reserved 已立项", |balance| exact(balance, balance.reserved_minor, "reserved_minor")),
    (">committed 未拨付", |balance| exact(balance, balance.committed_minor, "committed_minor")),
    (">instructed 支付中", |balance| exact(balance, balance.instructed_minor, "instructed_minor")),
    (">unspent 单位未用", |balance| {
        exact(balance, balance.recipient_unspent_minor, "recipient_unspent_minor")
    }),
    (">settled 已拨付", settled),
];

/// What is shown once a balance has it.
const WHERE_ANY: [AmountColumn; 7] = [
    (">spent 已核定支出", |balance| {
        exact(balance, balance.eligible_spend_minor, "eligible_spend_minor")
    }),
    (">recoverable 应追缴", |balance| exact(balance, balance.recoverable_minor, "recoverable_minor")),
    (">refunded 已退回", |balance| exact(balance, balance.refunded_minor, "refunded_minor")),
    (">retained 结余留用", |balance| {
        exact(balance, balance.retained_by_rule_minor, "retained_by_rule_minor")
    }),
    (">written off 已核销", |balance| exact(balance, balance.written_off_minor, "written_off_minor")),
    (">match awaited 配套待到位", |balance| {
        exact(balance, balance.match_pledged_minor, "match_pledged_minor")
    }),
    (">match arrived 配套已到位", |balance| {
        exact(balance, balance.match_arrived_minor, "match_arrived_minor")
    }),
];

type AmountColumn = (&'static str, fn(&Balance) -> i128);

/// An amount of a balance as it is, also where it does not fit in 64 bits.
fn exact(balance: &Balance, minor: i64, field: &str) -> i128 {
    wire::of(minor, field, &balance.exact)
}

fn appropriated(balance: &Balance) -> i128 {
    exact(balance, balance.appropriated_minor, "appropriated_minor")
}

fn settled(balance: &Balance) -> i128 {
    exact(balance, balance.settled_minor, "settled_minor")
}

/// Balances with their totals.
pub fn balances(response: &ListBalancesResponse, group_by: &[Dimension]) {
    let all = || response.balances.iter().chain(&response.totals);
    let shown: Vec<AmountColumn> = ALWAYS
        .into_iter()
        .chain(WHERE_ANY.into_iter().filter(|(_, amount)| all().any(|balance| amount(balance) != 0)))
        .collect();
    let mut columns: Vec<String> = group_by
        .iter()
        .filter_map(|dimension| DIMENSIONS.iter().find(|word| word.2 == *dimension))
        .map(|word| format!("{} {}", word.0, word.1))
        .collect();
    columns.push("currency 币种".to_owned());
    columns.extend(shown.iter().map(|(name, _)| (*name).to_owned()));
    columns.extend([">executed 执行率", ">grants 项目数"].map(str::to_owned));
    let mut table = table(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for balance in &response.balances {
        let mut row: Vec<String> =
            balance.group.iter().zip(&balance.labels).map(|(group, label)| labelled(group, label)).collect();
        row.extend(amounts(balance, &shown));
        table.add_row(row);
    }
    if !group_by.is_empty() {
        for total in &response.totals {
            let mut row = vec![String::new(); group_by.len()];
            "total 合计".clone_into(&mut row[0]);
            row.extend(amounts(total, &shown));
            table.add_row(row);
        }
    }
    println!("{table}");
    reflects(&response.reflects);
}

pub(super) fn labelled(group: &str, label: &str) -> String {
    if label.is_empty() || label == group { group.to_owned() } else { format!("{group} {label}") }
}

fn amounts(balance: &Balance, shown: &[AmountColumn]) -> Vec<String> {
    let mut row = vec![balance.currency.clone()];
    row.extend(shown.iter().map(|(_, minor)| amount(minor(balance), &balance.currency)));
    row.push(percent(settled(balance), appropriated(balance)));
    row.push(grants(balance));
    row
}

/// The number of grants, and beside it how many of them have made-up facts.
fn grants(balance: &Balance) -> String {
    let grants = count(balance.grants.unsigned_abs());
    match balance.synthetic_grants {
        0 => grants,
        synthetic => format!("{grants} (模拟 {})", count(synthetic.unsigned_abs())),
    }
}

/// Postings.
pub fn postings(response: &ListPostingsResponse) {
    let mut table = table(&[
        "position",
        "date 日期",
        "period 期间",
        "event 事件",
        "account 科目",
        ">amount 金额",
        "grant 项目",
    ]);
    for posting in &response.postings {
        table.add_row([
            format!("{}.{}", posting.position, posting.line),
            posting.effective_on.clone(),
            posting.period.clone(),
            short_type(&posting.event_type).to_owned(),
            posting.account.clone(),
            format!("{} {}", amount(posting.amount_minor, &posting.currency), posting.currency),
            if posting.synthetic { format!("{} 模拟", posting.grant_id) } else { posting.grant_id.clone() },
        ]);
    }
    println!("{table}");
    reflects(&response.reflects);
}

/// One grant's statement.
pub fn statement(response: &GetGrantStatementResponse) {
    let mut title = format!("{} {}", response.grant_id, response.title);
    if response.migrated {
        title.push_str(" [migrated 历史项目]");
    }
    if response.synthetic {
        title.push_str(" [synthetic 模拟]");
    }
    println!("{title}");
    // A column for who holds it, once that is not the lead alone.
    let mut parties = response.lines.iter().filter_map(|line| Some(&line.posting.as_ref()?.party_id));
    let first = parties.find(|party| !party.is_empty());
    let has_partners = parties.any(|party| !party.is_empty() && Some(party) != first);
    let mut columns =
        vec!["position", "date 日期", "event 事件", "account 科目", ">amount 金额", ">balance 余额"];
    if has_partners {
        columns.push("party 单位");
    }
    let mut table = table(&columns);
    for line in &response.lines {
        let Some(posting) = &line.posting else {
            continue;
        };
        let mut row = vec![
            format!("{}.{}", posting.position, posting.line),
            posting.effective_on.clone(),
            short_type(&posting.event_type).to_owned(),
            posting.account.clone(),
            amount(posting.amount_minor, &response.currency),
            amount(line.balance_minor, &response.currency),
        ];
        if has_partners {
            row.push(posting.party_id.clone());
        }
        table.add_row(row);
    }
    println!("{table}");
    if let Some(closing) = &response.closing {
        // A grant has no appropriation of its own, and its first accounts are always of interest.
        let shown = ALWAYS[2..].iter().chain(WHERE_ANY.iter().filter(|(_, minor)| minor(closing) != 0));
        let shown: Vec<String> = shown
            .map(|(name, minor)| {
                format!("{} {}", name.trim_start_matches('>'), amount(minor(closing), &response.currency))
            })
            .collect();
        println!("closing 期末 ({}): {}", response.currency, shown.join(", "));
    }
    reflects(&response.reflects);
}

/// Grants with money contracted and not settled.
pub fn undrawn(response: &ListUndrawnResponse) {
    let mut table = table(&[
        "grant 项目",
        "title 名称",
        "ends 结束",
        ">contracted 合同",
        ">settled 已拨付",
        ">undrawn 未拨付",
        "currency",
        "on hold 暂停",
    ]);
    for grant in &response.grants {
        table.add_row([
            grant.grant_id.clone(),
            title(&grant.title, grant.synthetic),
            grant.ends_on.clone(),
            amount(grant.contracted_minor, &grant.currency),
            amount(grant.settled_minor, &grant.currency),
            amount(grant.undrawn_minor, &grant.currency),
            grant.currency.clone(),
            hold(&grant.hold_cause, &grant.held_on),
        ]);
    }
    println!("{table}");
    totals("undrawn 未拨付合计", &response.totals);
    if !response.on_hold_totals.is_empty() {
        totals("of it on hold 其中暂停", &response.on_hold_totals);
    }
    reflects(&response.reflects);
}

/// Tranches past their due date.
pub fn overdue(response: &ListOverdueResponse) {
    let mut table = table(&[
        "grant 项目",
        ">no. 期",
        "title 名称",
        "due 应拨日",
        ">days 逾期天数",
        "waits for 待办",
        ">amount 金额",
        "currency",
    ]);
    for tranche in &response.tranches {
        table.add_row([
            tranche.grant_id.clone(),
            tranche.tranche_number.to_string(),
            title(&tranche.title, tranche.synthetic),
            tranche.due_on.clone(),
            tranche.days_overdue.to_string(),
            waits_for(&tranche.waits_for),
            amount(tranche.amount_minor, &tranche.currency),
            tranche.currency.clone(),
        ]);
    }
    println!("{table}");
    totals("overdue 逾期合计", &response.totals);
    if !response.on.is_empty() {
        println!("counted from 截止日 {}", response.on);
    }
    reflects(&response.reflects);
}

/// The dictionary of columns.
pub fn columns(response: &ListColumnsResponse) {
    let mut table = table(&["column 列", "type 类型", "meaning", "含义"]);
    for column in &response.columns {
        table.add_row([&column.name, &column.r#type, &column.meaning_en, &column.meaning_zh]);
    }
    println!("{table}");
}

/// How far the projection is.
pub fn status(status: &GetProjectionStatusResponse) {
    print_fields(&[
        ("projection 投影", status.projection.clone()),
        ("checkpoint 已应用", status.checkpoint.to_string()),
        ("log head 日志", status.log_head.to_string()),
        ("lag 滞后", format!("{} s", status.lag_seconds)),
        ("ledger 账簿", if status.balanced { "balanced 平衡" } else { "NOT BALANCED 不平衡" }.to_owned()),
        ("grants 项目数", count(status.grants.unsigned_abs())),
        ("stopped 已停止", status.stopped.clone()),
    ]);
}

/// Why a grant is on hold, and since when.
fn hold(cause: &str, on: &str) -> String {
    let zh = match cause {
        "" => return String::new(),
        "office" => "管理人员决定",
        "suspended" => "协议中止",
        "expired" => "协议到期",
        "cancelled" => "协议草案撤销",
        "completed" => "协议履行完毕",
        "terminated" => "协议终止",
        _ => "",
    };
    format!("{cause} {zh} {on}")
}

fn waits_for(word: &str) -> String {
    let zh = match word {
        "request" => " 申请",
        "authorisation" => " 审批",
        "instruction" => " 支付指令",
        "settlement" => " 到账",
        "resumption" => " 恢复",
        _ => "",
    };
    format!("{word}{zh}")
}

pub(super) fn title(title: &str, synthetic: bool) -> String {
    let mut text: String = title.chars().take(TITLE_CHARACTERS).collect();
    if text.len() < title.len() {
        text.push('…');
    }
    if synthetic {
        text.push_str(" 模拟");
    }
    text
}

fn totals(label: &str, totals: &[Money]) {
    for total in totals {
        let glance = Currency::try_from(total.currency.as_str())
            .map(|currency| format!(" ({})", format_zh(total.minor(), currency)));
        println!("{label}: {}{}", money(total), glance.unwrap_or_default());
    }
}

pub(super) fn reflects(reflects: &Option<Reflects>) {
    if let Some(point) = reflects {
        let effective = if point.effective_on.is_empty() {
            String::new()
        } else {
            format!(", effective on 发生日期 {}", point.effective_on)
        };
        println!("as of 截至 {}{effective}", point.as_of);
        if let Some(standing) = &point.standing {
            println!("NOT UP TO DATE 未跟上: {}\n  {}", standing.message, standing.message_zh);
        }
    }
}

fn short_type(event_type: &str) -> &str {
    event_type.rsplit('.').next().unwrap_or(event_type)
}
