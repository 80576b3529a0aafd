//! Final acceptance 验收, closeout 结题 and evaluation 绩效评价.

use concord_kernel::Date;
use serde::{Deserialize, Serialize};

/// What final acceptance came to 验收结论.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AcceptanceOutcome {
    /// 通过验收.
    Passed,
    /// To be put right by a day 限期整改.
    Rectify {
        /// The day.
        by: Date,
    },
    /// 不通过验收.
    Failed {
        /// Why.
        cause: AcceptanceFailure,
    },
}

/// Why a project failed final acceptance 不通过验收的原因: the eight of domain.md section 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceptanceFailure {
    /// 编报虚假预算.
    FalseBudget,
    /// 未单独核算.
    NoSeparateAccounts,
    /// 截留、挤占、挪用.
    Diversion,
    /// 违规转拨.
    ImproperOnwardTransfer,
    /// 提供虚假财务会计资料.
    FalseBooks,
    /// 未按规定执行和调整预算.
    BudgetBreach,
    /// 虚假承诺配套.
    FalseMatchingPromise,
    /// 拒不整改.
    RefusedCorrection,
}

impl AcceptanceFailure {
    /// All causes, in the order of domain.md section 9.
    pub const ALL: [Self; 8] = [
        Self::FalseBudget,
        Self::NoSeparateAccounts,
        Self::Diversion,
        Self::ImproperOnwardTransfer,
        Self::FalseBooks,
        Self::BudgetBreach,
        Self::FalseMatchingPromise,
        Self::RefusedCorrection,
    ];

    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::FalseBudget => "false_budget",
            Self::NoSeparateAccounts => "no_separate_accounts",
            Self::Diversion => "diversion",
            Self::ImproperOnwardTransfer => "improper_onward_transfer",
            Self::FalseBooks => "false_books",
            Self::BudgetBreach => "budget_breach",
            Self::FalseMatchingPromise => "false_matching_promise",
            Self::RefusedCorrection => "refused_correction",
        }
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::FalseBudget => "编报虚假预算",
            Self::NoSeparateAccounts => "未单独核算",
            Self::Diversion => "截留、挤占、挪用",
            Self::ImproperOnwardTransfer => "违规转拨",
            Self::FalseBooks => "提供虚假财务会计资料",
            Self::BudgetBreach => "未按规定执行和调整预算",
            Self::FalseMatchingPromise => "虚假承诺配套",
            Self::RefusedCorrection => "拒不整改",
        }
    }
}

/// Grade of an evaluation 绩效评价等级.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationGrade {
    /// 优秀.
    Excellent,
    /// 良好.
    Good,
    /// 合格.
    Pass,
    /// 不合格.
    Fail,
}

/// A rule that minutes of a meeting can override 特批 (A18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OverriddenRule {
    /// Approved against the review, or after the work was finished.
    A07,
}

impl OverriddenRule {
    /// The rule as domain.md section 5 numbers it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::A07 => "A07",
        }
    }
}
