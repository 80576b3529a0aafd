//! From completion report 完成报告 to evaluation 绩效评价, and the two ways out after a contract.
//!
//! ```text
//!  Running ─▶ CompletionReported ─┬──────────────▶ FinallyAccepted ──┬─▶ Closed ─▶ Evaluated
//!                  ▲              ├─▶ Rectifying ─┘                  │
//!                  └──────────────┘ (once)                           │
//!                                 └─▶ AcceptanceFailed ──────────────┘
//!  TerminateGrant ─▶ Terminated       CancelGrant ─▶ Cancelled
//! ```

use super::contract::Contract;
use concord_events::fund::{AcceptanceFailure, AcceptanceOutcome, EvaluationGrade, FundEvent};
use concord_kernel::Date;
use serde::{Deserialize, Serialize};

/// How far a contracted grant is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// 执行中.
    Running,
    /// 已报完成: the report.
    CompletionReported(String),
    /// 限期整改: to be put right by that day, and then accepted or not.
    Rectifying(Date),
    /// 已通过验收: minutes.
    FinallyAccepted(String),
    /// 未通过验收, and why.
    AcceptanceFailed(AcceptanceFailure),
    /// 已终止.
    Terminated {
        /// Day by which what is unspent must be given back.
        refund_by: Date,
        /// Why.
        reason: String,
    },
    /// 已撤销, and why.
    Cancelled(String),
    /// 已结题.
    Closed {
        /// Day by which what is unspent must be given back; `None` where nothing was.
        refund_by: Option<Date>,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// 已绩效评价.
    Evaluated {
        /// Grade.
        grade: EvaluationGrade,
        /// Hundredths of a point, 0 to 10,000.
        score_hundredths: u32,
    },
}

impl Progress {
    /// Whether the grant is over: closed, evaluated, terminated or cancelled. Nothing more is paid; refunds and recoveries
    /// go on.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(
            self,
            Self::Terminated { .. } | Self::Cancelled(_) | Self::Closed { .. } | Self::Evaluated { .. }
        )
    }

    /// Whether final acceptance has been concluded, passed or failed.
    #[must_use]
    pub fn is_concluded(&self) -> bool {
        matches!(self, Self::FinallyAccepted(_) | Self::AcceptanceFailed(_))
    }

    /// Stable name, Chinese name, and what can be done next in both languages.
    pub(super) fn words(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Running => ("contracted", "执行中", "Next: request its tranches", "下一步：申请拨款"),
            Self::CompletionReported(_) => {
                ("completion_reported", "已报完成", "Next: conclude its final acceptance", "下一步：组织验收")
            }
            Self::Rectifying(_) => (
                "rectifying",
                "验收整改中",
                "Next: report its completion anew",
                "下一步：整改后重新提交完成报告",
            ),
            Self::FinallyAccepted(_) => ("finally_accepted", "已通过验收", "Next: close it", "下一步：结题"),
            Self::AcceptanceFailed(_) => (
                "acceptance_failed",
                "未通过验收",
                "Next: determine what is recovered, then close it",
                "下一步：作出追缴决定，再结题",
            ),
            Self::Terminated { .. } => (
                "terminated",
                "已终止",
                "It has ended; refunds and recoveries go on",
                "该项目已终止；结余退回、追缴照常办理",
            ),
            Self::Cancelled(_) => {
                ("cancelled", "已撤销", "It has ended; its recovery goes on", "该项目已撤销；追缴照常办理")
            }
            Self::Closed { .. } => ("closed", "已结题", "Next: evaluate it", "下一步：绩效评价"),
            Self::Evaluated { .. } => (
                "evaluated",
                "已绩效评价",
                "It has ended; refunds and recoveries go on",
                "该项目已办结；结余退回、追缴照常办理",
            ),
        }
    }
}

/// Folds an event of this part of a grant's life.
pub(super) fn apply(contract: &mut Contract, event: &FundEvent) {
    contract.progress = match event {
        FundEvent::CompletionReported { report, .. } => Progress::CompletionReported(report.clone()),
        FundEvent::FinalAcceptanceConcluded { outcome, minutes, .. } => match outcome {
            AcceptanceOutcome::Passed => Progress::FinallyAccepted(minutes.clone()),
            AcceptanceOutcome::Rectify { by } => {
                contract.rectifications = contract.rectifications.saturating_add(1);
                Progress::Rectifying(*by)
            }
            AcceptanceOutcome::Failed { cause } => Progress::AcceptanceFailed(*cause),
        },
        FundEvent::GrantTerminated { refund_by, reason, .. } => {
            Progress::Terminated { refund_by: *refund_by, reason: reason.clone() }
        }
        FundEvent::GrantCancelled { reason, .. } => Progress::Cancelled(reason.clone()),
        FundEvent::GrantClosed { refund_by, minutes, .. } => {
            Progress::Closed { refund_by: *refund_by, minutes: minutes.clone() }
        }
        FundEvent::GrantEvaluated { grade, score_hundredths, .. } => {
            Progress::Evaluated { grade: *grade, score_hundredths: *score_hundredths }
        }
        _ => return,
    };
}
