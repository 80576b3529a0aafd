//! The dictionary of every column that exports and tables have, in Chinese and English, and which table has which.
//!
//! Exports take their header from here, so a column that is not documented cannot be exported.
//!
//! A spreadsheet opens a cell that begins with `=`, `+`, `-`, `@` or a tab as a formula, and a title may begin so. In
//! files an apostrophe stands before such a value of a column of words ([`is_written`]); never before a number.

mod findings;
mod views;

pub use findings::{CONTROL_TESTS, FINDINGS, finding_groups};
pub use views::{CLOCKS, MATCHING, RECEIVABLES, SHARES};

use crate::query::balances;
use concord_proto::audit::v1::{Column, Dimension};

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Documented {
    /// Name in headers and in `order_by`.
    pub name: &'static str,
    /// "integer", "text", "date" or "instant".
    pub kind: &'static str,
    /// Meaning in English, with the unit.
    pub en: &'static str,
    /// Meaning in Chinese.
    pub zh: &'static str,
}

const fn column(name: &'static str, kind: &'static str, en: &'static str, zh: &'static str) -> Documented {
    Documented { name, kind, en, zh }
}

/// Every column, each once, but for those of `views`.
const DICTIONARY: &[Documented] = &[
    column(
        "position",
        "integer",
        "Position of the event in the fund's log, from 1",
        "事件在资金日志中的序号，从 1 起",
    ),
    column(
        "line",
        "integer",
        "Number of the line within the event's balanced set, from 1",
        "分录在该事件平衡分录组中的行号，从 1 起",
    ),
    column("event_type", "text", "Type of the event that the line follows from", "产生该分录的事件类型"),
    column("account", "text", "Account of the ledger chain, by its code", "资金科目代码"),
    column(
        "amount_minor",
        "integer",
        "Amount in minor units of the currency (fen, cent). A posting: debit above zero, credit below. A tranche: as planned in the contract. A clock: what waits, as its kind says",
        "金额，以货币最小单位（分）计。分录：借方为正、贷方为负；拨款：按任务书拨款计划；期限：待办金额，含义随种类",
    ),
    column("currency", "text", "Currency, ISO 4217", "币种，ISO 4217 代码"),
    column("effective_on", "date", "Day on which it happened, in Asia/Shanghai", "业务发生日期（北京时间）"),
    column("period", "text", "Accounting period, year and month", "会计期间，年-月"),
    column(
        "recorded_at",
        "instant",
        "When the log learned it, RFC 3339 in UTC",
        "系统记录时间，RFC 3339，协调世界时",
    ),
    column(
        "programme_id",
        "text",
        "Programme (one year's appropriation of a fund), UUID",
        "年度计划标识，UUID",
    ),
    column(
        "programme_label",
        "text",
        "Title of the programme; fund and year where it was opened by an import. In a file: with an apostrophe before it where it begins with = + - @ or a tab",
        "年度计划名称；由历史项目导入设立的，为资金代码和年度。导出文件中以 = + - @ 或制表符开头的，前加单引号",
    ),
    column("mode", "text", "Funding mode, by its code", "资助方式代码"),
    column("mode_label", "text", "Funding mode in Chinese, as the opinion names it", "资助方式"),
    column(
        "lead_region",
        "text",
        "Region of the leading party: GB/T 2260, or ISO 3166 abroad",
        "牵头单位行政区代码：GB/T 2260，境外为 ISO 3166",
    ),
    column("lead_region_label", "text", "Name of the leading party's region", "牵头单位行政区名称"),
    column(
        "party_region",
        "text",
        "Region of the party that holds the line's money, as its share of the grant names it: a partner, else the lead",
        "资金所在单位的行政区代码（按其分配额度所载）：合作单位，否则为牵头单位",
    ),
    column(
        "party_region_label",
        "text",
        "Name of the region of the party that holds the line's money",
        "资金所在单位的行政区名称",
    ),
    column(
        "industry",
        "text",
        "Industry, by its code; empty where none applies or the source has none",
        "产业代码；不适用或来源未载明的为空",
    ),
    column("industry_label", "text", "Industry in Chinese, as the opinion names it", "产业"),
    column("year", "integer", "Budget year of the programme", "年度计划的预算年度"),
    column(
        "grant_id",
        "text",
        "Grant, UUID; empty on a programme's own lines",
        "资助项目标识，UUID；年度计划自身的分录为空",
    ),
    column(
        "grant_label",
        "text",
        "Title of the grant's project. In a file: with an apostrophe before it where it begins with = + - @ or a tab",
        "资助项目名称。导出文件中以 = + - @ 或制表符开头的，前加单引号",
    ),
    column(
        "party_id",
        "text",
        "Party that holds the line's money, UUID: a partner of the grant, else its lead",
        "资金所在单位标识，UUID：合作单位，否则为牵头单位",
    ),
    column(
        "party_label",
        "text",
        "Name of that party; its code where no name is known. In a file: with an apostrophe before it where it begins with = + - @ or a tab",
        "分配单位名称；名称不详的为其代码。导出文件中以 = + - @ 或制表符开头的，前加单引号",
    ),
    column(
        "appropriated_minor",
        "integer",
        "Appropriated: the treasury account with its sign turned, in minor units",
        "预算拨款（国库科目取反），以货币最小单位（分）计",
    ),
    column(
        "available_minor",
        "integer",
        "Free to be approved, in minor units. It belongs to the programme alone: grouped by grant, mode, region, industry or party it stands in the group with the empty value",
        "可用指标，以货币最小单位（分）计；仅归属年度计划，按项目、资助方式、地区、产业或单位分组时列于空值组",
    ),
    column(
        "reserved_minor",
        "integer",
        "Approved and not yet contracted, in minor units",
        "已立项未签约，以货币最小单位（分）计",
    ),
    column(
        "committed_minor",
        "integer",
        "Contracted and not yet instructed, in minor units",
        "已签约未拨付，以货币最小单位（分）计",
    ),
    column(
        "instructed_minor",
        "integer",
        "On its way through the bank, in minor units",
        "支付中，以货币最小单位（分）计",
    ),
    column(
        "recipient_unspent_minor",
        "integer",
        "Paid and not yet accounted for by the recipient, in minor units",
        "单位未用，以货币最小单位（分）计",
    ),
    column(
        "eligible_spend_minor",
        "integer",
        "Accepted as spent, in minor units",
        "已核定支出，以货币最小单位（分）计",
    ),
    column(
        "recoverable_minor",
        "integer",
        "Determined to be recovered and not repaid, offset or written off yet, in minor units",
        "应追缴（未缴回、未抵扣、未核销），以货币最小单位（分）计",
    ),
    column(
        "refunded_minor",
        "integer",
        "Given back by recipients, by refund, repayment or offset, in minor units",
        "已退回（结余退回、追缴到账、抵扣），以货币最小单位（分）计",
    ),
    column(
        "retained_by_rule_minor",
        "integer",
        "Kept by recipients by rule, in minor units",
        "结余留用，以货币最小单位（分）计",
    ),
    column(
        "written_off_minor",
        "integer",
        "Recoveries that were given up, in minor units",
        "已核销，以货币最小单位（分）计",
    ),
    column(
        "match_pledged_minor",
        "integer",
        "Matching money that was pledged and has not arrived, in minor units; no part of what was appropriated",
        "配套待到位，以货币最小单位（分）计；不属于预算拨款",
    ),
    column(
        "match_arrived_minor",
        "integer",
        "Matching money that has arrived, in minor units; no part of what was appropriated",
        "配套已到位，以货币最小单位（分）计；不属于预算拨款",
    ),
    column(
        "settled_minor",
        "integer",
        "All that was ever settled, less what came back afterwards, in minor units. A turnover, not an account",
        "累计已拨付（扣除到账后退汇），以货币最小单位（分）计；为发生额，不是科目余额",
    ),
    column("grants", "integer", "Number of distinct grants with postings", "有分录的资助项目数"),
    column(
        "synthetic_grants",
        "integer",
        "How many of these grants have facts that were made up for a demonstration",
        "其中含模拟数据的资助项目数",
    ),
    column(
        "title",
        "text",
        "Title of the grant's project. In a file: with an apostrophe before it where it begins with = + - @ or a tab",
        "资助项目名称。导出文件中以 = + - @ 或制表符开头的，前加单引号",
    ),
    column(
        "contracted_minor",
        "integer",
        "Contracted: settled and undrawn together, in minor units",
        "已签约金额（已拨付与未拨付之和），以货币最小单位（分）计",
    ),
    column(
        "undrawn_minor",
        "integer",
        "Contracted and not yet settled, instructed payments included, in minor units",
        "未拨付金额（含支付中），以货币最小单位（分）计",
    ),
    column(
        "ends_on",
        "date",
        "Last day of the project by its contract; empty where the source does not say",
        "任务书约定的项目截止日期；来源未载明的为空",
    ),
    column(
        "synthetic",
        "text",
        "\"true\" where facts of the grant were made up for a demonstration, else \"false\", as on a programme's own lines",
        "资助项目含模拟数据的为 true，否则为 false；年度计划自身的分录为 false",
    ),
    column(
        "tranche_number",
        "integer",
        "Number of the tranche in the contract, from 1",
        "拨款批次号，从 1 起",
    ),
    column(
        "due_on",
        "date",
        "Day by which the tranche was due, or what else waits; of a recovery that of its newest demand, empty where that was not demanded",
        "应拨付日期或其他待办事项的期限；追缴为最近一次通知的缴款期限，未通知的为空",
    ),
    column(
        "days_overdue",
        "integer",
        "Calendar days past the due date, of matching money past the oldest one of what is missing; 0 where nothing is overdue. Of a recovery that was not demanded, among clocks: since it was determined",
        "逾期天数（自然日）；配套为未到位部分最早到期日起；未逾期的为 0。期限表中尚未通知的追缴为决定之日起的天数",
    ),
    column(
        "waits_for",
        "text",
        "What the tranche waits for: request, authorisation, instruction or settlement; resumption where its grant is on hold. Of a clock whose turn it is: applicant, lead, partner, matching_payer, bank, office, or owner, who was charged with a finding",
        "待办环节：request 申请拨款、authorisation 审批、instruction 支付指令、settlement 到账；项目暂停的为 resumption 恢复。期限表为应办方：applicant 申报单位、\
         lead 牵头单位、partner 合作单位、matching_payer 配套出资方、bank 银行、office 管理部门、owner 整改责任方",
    ),
    column(
        "hold_cause",
        "text",
        "Why the grant was put on hold last: office, or how the agreement that backs it left force (suspended, expired, \
         cancelled, completed, terminated); empty where it is not on hold",
        "最近一次暂停的原因：office 管理人员决定，或依托协议失效的方式（suspended 中止、expired 到期、cancelled 撤销草案、\
         completed 履行完毕、terminated 终止）；未暂停的为空",
    ),
    column(
        "held_on",
        "date",
        "Since when that cause is there; empty where the grant is not on hold",
        "该原因发生之日；未暂停的为空",
    ),
    column(
        "standing",
        "text",
        "Only in files of tables that were not known to be up to date: how they stood, and what to do; the same in every row",
        "仅在账簿未确认跟上日志时出现：账簿状态及处理办法，各行相同",
    ),
];

/// Last column of every file of tables that were not known to be up to date.
pub const STANDING: &str = "standing";

/// Columns of exported postings, in order.
pub const POSTINGS: &[&str] = &[
    "position",
    "line",
    "event_type",
    "account",
    "amount_minor",
    "currency",
    "effective_on",
    "period",
    "programme_id",
    "mode",
    "lead_region",
    "party_region",
    "industry",
    "year",
    "grant_id",
    "party_id",
    "recorded_at",
    "synthetic",
];

/// Columns of exported undrawn grants, in order.
pub const UNDRAWN: &[&str] = &[
    "grant_id",
    "programme_id",
    "title",
    "currency",
    "contracted_minor",
    "settled_minor",
    "undrawn_minor",
    "ends_on",
    "synthetic",
    "hold_cause",
    "held_on",
];

/// Columns of exported overdue tranches, in order.
pub const OVERDUE: &[&str] = &[
    "grant_id",
    "tranche_number",
    "programme_id",
    "title",
    "currency",
    "amount_minor",
    "due_on",
    "days_overdue",
    "waits_for",
    "synthetic",
];

/// What follows the groups in exported balances, in order.
const BALANCES: &[&str] = &[
    "currency",
    "appropriated_minor",
    "available_minor",
    "reserved_minor",
    "committed_minor",
    "instructed_minor",
    "recipient_unspent_minor",
    "eligible_spend_minor",
    "recoverable_minor",
    "refunded_minor",
    "retained_by_rule_minor",
    "written_off_minor",
    "settled_minor",
    "match_pledged_minor",
    "match_arrived_minor",
    "grants",
    "synthetic_grants",
];

/// Columns of exported balances, in order: each dimension and what it is called, then currency, amounts and grants.
#[must_use]
pub fn balances(group_by: &[Dimension]) -> Vec<&'static str> {
    let groups = group_by.iter().flat_map(|dimension| {
        std::iter::once(balances::column(*dimension)).chain(balances::label_column(*dimension))
    });
    groups.chain(BALANCES.iter().copied()).collect()
}

/// Whether a column has words that somebody wrote: titles, names and what else is read beside a code. All other text is
/// codes, and begins with a letter or a digit.
#[must_use]
pub fn is_written(name: &str) -> bool {
    matches!(name, "title" | "message" | "message_zh" | "owner") || name.ends_with("_label")
}

/// Whether a column has a party's code, or a name where one is known; files have it as others call it.
#[must_use]
pub fn has_party_code(name: &str) -> bool {
    name.ends_with("_code") || name.ends_with("_label")
}

/// Every column, each once.
pub fn all() -> impl Iterator<Item = &'static Documented> {
    DICTIONARY.iter().chain(views::DICTIONARY).chain(findings::DICTIONARY)
}

/// What a column means; `None` where there is no such column.
#[must_use]
pub fn documented(name: &str) -> Option<&'static Documented> {
    all().find(|column| column.name == name)
}

/// The dictionary as the service answers it.
pub(crate) fn dictionary() -> Vec<Column> {
    all()
        .map(|column| Column {
            name: column.name.to_owned(),
            meaning_en: column.en.to_owned(),
            meaning_zh: column.zh.to_owned(),
            r#type: column.kind.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_exported_column_is_documented_once_in_both_languages() {
        let names: BTreeSet<&str> = all().map(|column| column.name).collect();
        assert_eq!(names.len(), all().count(), "a column is documented twice");
        let dimensions: Vec<Dimension> =
            (1..=9).filter_map(|number| Dimension::try_from(number).ok()).collect();
        assert_eq!(dimensions.len(), 9);
        let exported: BTreeSet<&str> = [
            POSTINGS,
            UNDRAWN,
            OVERDUE,
            MATCHING,
            SHARES,
            RECEIVABLES,
            CLOCKS,
            FINDINGS,
            CONTROL_TESTS,
            &[STANDING],
            &finding_groups(&(1..=5).filter_map(|number| number.try_into().ok()).collect::<Vec<_>>()),
            &balances(&dimensions),
        ]
        .concat()
        .into_iter()
        .collect();
        assert_eq!(exported, names);
        for column in all() {
            assert!(["integer", "text", "date", "instant"].contains(&column.kind), "{}", column.name);
            assert!(!column.en.is_empty() && !column.zh.is_ascii(), "{}", column.name);
            assert!(!column.name.ends_with("_minor") || column.en.contains("minor units"), "{}", column.name);
        }
    }
}
