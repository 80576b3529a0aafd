//! The words for a grant's life after its contract: matching money, spending, its end, recoveries, findings.

use concord_proto::audit::v1::FindingDimension;
use concord_proto::fund::v1::{
    AcceptanceFailure, AcceptanceOutcome, BalanceSource, CancellationCause, EvaluationGrade, GovernmentLevel,
    MatchingKind, MoneyFactKind, ObjectionState, OverriddenRule, RecoveryCause, RecoveryState,
    RectificationState, SpendCategory, SpendState, TakenFrom,
};

use super::Word;

/// Kinds of a matching source 配套来源.
pub const MATCHING_KINDS: &[Word<MatchingKind>] = &[
    Word("government_budget", "财政配套", MatchingKind::GovernmentBudget),
    Word("own_money", "自筹", MatchingKind::OwnMoney),
    Word("loan", "贷款", MatchingKind::Loan),
    Word("equity", "股权投资", MatchingKind::Equity),
];

/// Levels of a government that matches 配套层级.
pub const LEVELS: &[Word<GovernmentLevel>] = &[
    Word("national", "国家", GovernmentLevel::National),
    Word("provincial", "省", GovernmentLevel::Provincial),
    Word("city", "市", GovernmentLevel::City),
    Word("county", "县（区）", GovernmentLevel::County),
];

/// On what grant money is spent 支出科目.
pub const SPEND_CATEGORIES: &[Word<SpendCategory>] = &[
    Word("equipment", "设备费", SpendCategory::Equipment),
    Word("materials", "材料费", SpendCategory::Materials),
    Word("testing", "测试化验加工费", SpendCategory::Testing),
    Word("energy", "燃料动力费", SpendCategory::Energy),
    Word("travel", "差旅、会议、国际合作与交流费", SpendCategory::Travel),
    Word("publication", "出版、文献、信息传播、知识产权事务费", SpendCategory::Publication),
    Word("labour", "劳务费", SpendCategory::Labour),
    Word("consulting", "专家咨询费", SpendCategory::Consulting),
    Word("overhead", "间接费用", SpendCategory::Overhead),
    Word("other", "其他支出", SpendCategory::Other),
    Word("fine", "罚款、滞纳金", SpendCategory::Fine),
    Word("donation", "捐款、赞助", SpendCategory::Donation),
    Word("investment", "对外投资", SpendCategory::Investment),
    Word("debt_repayment", "偿还债务", SpendCategory::DebtRepayment),
];

/// Where an item of spending stands.
pub const SPEND_STATES: &[Word<SpendState>] = &[
    Word("reported", "已申报", SpendState::Reported),
    Word("accepted", "已核定", SpendState::Accepted),
    Word("disallowed", "已审减", SpendState::Disallowed),
];

/// What final acceptance came to 验收结论.
pub const OUTCOMES: &[Word<AcceptanceOutcome>] = &[
    Word("passed", "通过验收", AcceptanceOutcome::Passed),
    Word("rectify", "限期整改", AcceptanceOutcome::Rectify),
    Word("failed", "不通过验收", AcceptanceOutcome::Failed),
];

/// Why a project failed final acceptance 不通过验收的原因.
pub const FAILURES: &[Word<AcceptanceFailure>] = &[
    Word("false_budget", "编报虚假预算", AcceptanceFailure::FalseBudget),
    Word("no_separate_accounts", "未单独核算", AcceptanceFailure::NoSeparateAccounts),
    Word("diversion", "截留、挤占、挪用", AcceptanceFailure::Diversion),
    Word("improper_onward_transfer", "违规转拨", AcceptanceFailure::ImproperOnwardTransfer),
    Word("false_books", "提供虚假财务会计资料", AcceptanceFailure::FalseBooks),
    Word("budget_breach", "未按规定执行和调整预算", AcceptanceFailure::BudgetBreach),
    Word("false_matching_promise", "虚假承诺配套", AcceptanceFailure::FalseMatchingPromise),
    Word("refused_correction", "拒不整改", AcceptanceFailure::RefusedCorrection),
];

/// Grades of an evaluation 绩效评价等级.
pub const GRADES: &[Word<EvaluationGrade>] = &[
    Word("excellent", "优秀", EvaluationGrade::Excellent),
    Word("good", "良好", EvaluationGrade::Good),
    Word("pass", "合格", EvaluationGrade::Pass),
    Word("fail", "不合格", EvaluationGrade::Fail),
];

/// Where a balance lies that is given back.
pub const BALANCE_SOURCES: &[Word<BalanceSource>] =
    &[Word("unspent", "未用", BalanceSource::Unspent), Word("retained", "留用", BalanceSource::Retained)];

/// Why a grant is cancelled 撤销原因.
pub const CANCELLATIONS: &[Word<CancellationCause>] = &[
    Word("revoked", "撤销", CancellationCause::Revoked),
    Word("fraud", "弄虚作假", CancellationCause::Fraud),
];

/// Why money is recovered 追缴原因.
pub const RECOVERY_CAUSES: &[Word<RecoveryCause>] = &[
    Word("spend_disallowed", "支出审减", RecoveryCause::SpendDisallowed),
    Word("diverted", "挪用", RecoveryCause::Diverted),
    Word("acceptance_failed", "验收不通过", RecoveryCause::AcceptanceFailed),
    Word("terminated", "终止后未退回", RecoveryCause::Terminated),
    Word("cancelled", "撤销", RecoveryCause::Cancelled),
    Word("fraud", "弄虚作假", RecoveryCause::Fraud),
    Word("balance_kept", "结余逾期未退", RecoveryCause::BalanceKept),
    Word("payment_returned", "退汇不足", RecoveryCause::PaymentReturned),
];

/// Where a recovery takes money from.
pub const TAKEN_FROM: &[Word<TakenFrom>] = &[
    Word("unspent", "未用", TakenFrom::Unspent),
    Word("spent", "已核定支出", TakenFrom::Spent),
    Word("retained", "留用", TakenFrom::Retained),
];

/// Where a recovery stands.
pub const RECOVERY_STATES: &[Word<RecoveryState>] = &[
    Word("determined", "已决定", RecoveryState::Determined),
    Word("demanded", "已通知", RecoveryState::Demanded),
    Word("appealed", "申诉中", RecoveryState::Appealed),
    Word("upheld", "维持", RecoveryState::Upheld),
    Word("overturned", "已撤销", RecoveryState::Overturned),
    Word("repaid", "已缴清", RecoveryState::Repaid),
    Word("offset", "已抵扣", RecoveryState::Offset),
    Word("written_off", "已核销", RecoveryState::WrittenOff),
];

/// Where a rectification stands.
pub const RECTIFICATION_STATES: &[Word<RectificationState>] = &[
    Word("assigned", "已交办", RectificationState::Assigned),
    Word("explained", "已说明", RectificationState::Explained),
    Word("rectified", "已整改", RectificationState::Rectified),
    Word("accepted", "说明成立", RectificationState::Accepted),
    Word("dismissed", "不成立", RectificationState::Dismissed),
];

/// What became of an objection.
pub const OBJECTION_STATES: &[Word<ObjectionState>] = &[
    Word("open", "待处理", ObjectionState::Open),
    Word("rejected", "不成立", ObjectionState::Rejected),
    Word("upheld", "成立", ObjectionState::Upheld),
];

/// Rules that a meeting can set aside.
pub const OVERRIDDEN_RULES: &[Word<OverriddenRule>] =
    &[Word("A07", "超评审意见或完工后立项", OverriddenRule::A07)];

/// Kinds of a fact of money 资金事项.
pub const MONEY_FACTS: &[Word<MoneyFactKind>] = &[
    Word("settlement", "到账", MoneyFactKind::Settlement),
    Word("matching_arrival", "配套到位", MoneyFactKind::MatchingArrival),
    Word("share_transfer", "转拨", MoneyFactKind::ShareTransfer),
    Word("spend_acceptance", "支出核定", MoneyFactKind::SpendAcceptance),
    Word("balance_refund", "结余退回", MoneyFactKind::BalanceRefund),
    Word("recovery_repayment", "追缴缴款", MoneyFactKind::RecoveryRepayment),
];

/// What findings are grouped by 分组.
pub const FINDING_DIMENSIONS: &[Word<FindingDimension>] = &[
    Word("rule", "规则", FindingDimension::Rule),
    Word("case", "情形", FindingDimension::Case),
    Word("programme", "年度计划", FindingDimension::Programme),
    Word("lead_region", "牵头单位地区", FindingDimension::LeadRegion),
    Word("age", "账龄（天）", FindingDimension::Age),
];

/// In which order findings come 排序, and how that is asked for.
pub const FINDING_ORDERS: &[Word<&str>] = &[
    Word("amount", "金额从大到小", "amount_minor desc"),
    Word("age", "账龄从长到短", "age_days desc"),
    Word("rule", "规则", "rule"),
];
