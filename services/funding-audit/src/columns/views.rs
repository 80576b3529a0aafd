//! Columns of matching money, shares and receivables.

use super::{Documented, column};

/// Each column once that no other table has.
pub(super) const DICTIONARY: &[Documented] = &[
    column(
        "source_number",
        "integer",
        "Number of the source of matching money within its grant, from 1",
        "配套来源在项目内的序号，从 1 起",
    ),
    column(
        "matching_kind",
        "text",
        "Class of the source: government_budget, own_money, loan or equity",
        "配套来源类别：government_budget 财政配套、own_money 自筹、loan 贷款、equity 股权投资",
    ),
    column(
        "level",
        "text",
        "Level of the government that matches: national, provincial, city or county; empty for other sources",
        "配套层级：national 国家、provincial 省、city 市、county 县（区）；非财政配套的为空",
    ),
    column(
        "is_public",
        "text",
        "\"true\" where the matching money is public, else \"false\"",
        "配套资金属于财政资金的为 true，否则为 false",
    ),
    column("pledged_minor", "integer", "Pledged, in minor units", "承诺配套，以货币最小单位（分）计"),
    column(
        "released_minor",
        "integer",
        "Released by a meeting and not expected any more, in minor units",
        "经会议核减、不再到位的配套，以货币最小单位（分）计",
    ),
    column("arrived_minor", "integer", "Arrived, in minor units", "配套已到位，以货币最小单位（分）计"),
    column(
        "due_minor",
        "integer",
        "Due, in minor units. Of matching money: instalments whose due date has passed. Of a share: its part of what was settled longer ago than it may wait",
        "应到位金额，以货币最小单位（分）计。配套：到期日已过的各期；分配额度：按已拨付超过转拨期限的资金折算的份额",
    ),
    column(
        "gap_minor",
        "integer",
        "Due and missing, in minor units: not arrived of an instalment, not passed on of a share",
        "应到位而未到位的金额，以货币最小单位（分）计：配套未到位，或份额未转拨",
    ),
    column(
        "oldest_due_on",
        "date",
        "Oldest due date of what is missing; empty where nothing is",
        "未到位部分最早的到期日；没有的为空",
    ),
    column(
        "gap_1_30_minor",
        "integer",
        "Part of the gap that is 1 to 30 calendar days past due, in minor units",
        "缺口中逾期 1 至 30 天的部分，以货币最小单位（分）计",
    ),
    column(
        "gap_31_90_minor",
        "integer",
        "Part of the gap that is 31 to 90 calendar days past due, in minor units",
        "缺口中逾期 31 至 90 天的部分，以货币最小单位（分）计",
    ),
    column(
        "gap_91_180_minor",
        "integer",
        "Part of the gap that is 91 to 180 calendar days past due, in minor units",
        "缺口中逾期 91 至 180 天的部分，以货币最小单位（分）计",
    ),
    column(
        "gap_181_minor",
        "integer",
        "Part of the gap that is 181 or more calendar days past due, in minor units",
        "缺口中逾期 181 天及以上的部分，以货币最小单位（分）计",
    ),
    column(
        "party_code",
        "text",
        "Code under which the grant names the party, with its scheme",
        "项目所载的单位代码（含代码体系）",
    ),
    column(
        "is_lead",
        "text",
        "\"true\" where the share is the lead's, else \"false\"",
        "牵头单位的份额为 true，否则为 false",
    ),
    column(
        "allocated_minor",
        "integer",
        "Allocated to the party, in minor units; 0 where a migrated source does not say, and where an amendment took the share away",
        "分配额度，以货币最小单位（分）计；历史数据未载明的、变更后取消的为 0",
    ),
    column(
        "passed_on_minor",
        "integer",
        "Passed on to the partner by the lead, in minor units; 0 of a lead",
        "牵头单位已转拨，以货币最小单位（分）计；牵头单位为 0",
    ),
    column(
        "unspent_minor",
        "integer",
        "Held by the party and not accounted for, in minor units",
        "单位未用，以货币最小单位（分）计",
    ),
    column(
        "migrated",
        "text",
        "\"true\" where the grant was imported as contracted elsewhere, else \"false\"",
        "历史项目导入的为 true，否则为 false",
    ),
    column("recovery_id", "text", "Recovery, UUID", "追缴标识，UUID"),
    column(
        "cause",
        "text",
        "Why money is recovered: spend_disallowed, diverted, acceptance_failed, terminated, cancelled, fraud, balance_kept or payment_returned",
        "追缴原因：spend_disallowed 支出审减、diverted 挪用、acceptance_failed 验收不通过、terminated 终止后未退回、\
         cancelled 撤销、fraud 弄虚作假、balance_kept 结余逾期未退、payment_returned 退汇不足",
    ),
    column(
        "state",
        "text",
        "Where the recovery stands: determined, demanded or appealed; overturned, settled or written_off once nothing is outstanding",
        "追缴状态：determined 已决定、demanded 已通知、appealed 申诉中；已无未缴的：overturned 已撤销、settled 已缴清（含抵扣）、\
         written_off 已核销",
    ),
    column(
        "determined_minor",
        "integer",
        "To be recovered as it was determined, in minor units",
        "追缴决定金额，以货币最小单位（分）计",
    ),
    column(
        "demanded_minor",
        "integer",
        "Of it demanded, in minor units",
        "其中已通知，以货币最小单位（分）计",
    ),
    column(
        "overturned_minor",
        "integer",
        "Given back to where it was taken from because an appeal was allowed, in minor units",
        "因申诉成立而撤销，以货币最小单位（分）计",
    ),
    column("repaid_minor", "integer", "Repaid, in minor units", "追缴到账，以货币最小单位（分）计"),
    column(
        "offset_minor",
        "integer",
        "Offset against tranches of other grants, in minor units",
        "抵扣其他项目拨款，以货币最小单位（分）计",
    ),
    column(
        "outstanding_minor",
        "integer",
        "Determined and neither overturned, repaid, offset nor written off, in minor units",
        "尚未缴回，以货币最小单位（分）计",
    ),
    column(
        "overdue_minor",
        "integer",
        "Outstanding past its due date, in minor units",
        "逾期未缴，以货币最小单位（分）计",
    ),
    column("determined_on", "date", "Day on which the recovery was determined", "追缴决定日期"),
];

/// Columns of exported matching money, in order.
pub const MATCHING: &[&str] = &[
    "grant_id",
    "source_number",
    "programme_id",
    "title",
    "currency",
    "matching_kind",
    "level",
    "is_public",
    "pledged_minor",
    "released_minor",
    "arrived_minor",
    "due_minor",
    "gap_minor",
    "oldest_due_on",
    "days_overdue",
    "gap_1_30_minor",
    "gap_31_90_minor",
    "gap_91_180_minor",
    "gap_181_minor",
    "synthetic",
];

/// Columns of exported shares, in order.
pub const SHARES: &[&str] = &[
    "grant_id",
    "party_id",
    "party_code",
    "party_region",
    "is_lead",
    "programme_id",
    "title",
    "currency",
    "allocated_minor",
    "passed_on_minor",
    "due_minor",
    "gap_minor",
    "unspent_minor",
    "eligible_spend_minor",
    "migrated",
    "synthetic",
];

/// Columns of exported receivables, in order.
pub const RECEIVABLES: &[&str] = &[
    "recovery_id",
    "grant_id",
    "programme_id",
    "title",
    "currency",
    "cause",
    "state",
    "determined_minor",
    "demanded_minor",
    "overturned_minor",
    "repaid_minor",
    "offset_minor",
    "written_off_minor",
    "outstanding_minor",
    "overdue_minor",
    "determined_on",
    "due_on",
    "days_overdue",
    "synthetic",
];
