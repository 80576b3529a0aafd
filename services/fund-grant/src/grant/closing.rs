//! From completion report 完成报告 to evaluation 绩效评价, and the two ways out after a contract.
//!
//! ```text
//!  Running ─▶ CompletionReported ─┬──────────────▶ FinallyAccepted ──┬─▶ Closed ─▶ Evaluated
//!                  ▲              ├─▶ Rectifying ─┘                  │
//!                  └──────────────┘ (once)                           │
//!                                 └─▶ AcceptanceFailed ──────────────┘
//!  TerminateGrant, until it has ended ─▶ Terminated       CancelGrant, even after its end ─▶ Cancelled
//! ```
//!
//! What was sent back to be put right, and was not by its day, is failed without another report.
//!
//! What was contracted and never drawn goes back with the end: it is available again, or goes to the treasury where the
//! programme's year is over. What a recipient has not spent is refunded by a day (A10); all that is with recipients of a
//! cancelled grant is recovered, in the same decision.

mod ending;
mod ruling;

pub(super) use ruling::decide;

use super::contract::Contract;
use concord_events::fund::{AcceptanceFailure, AcceptanceOutcome, EvaluationGrade, FundEvent, RecoveryCause};
use concord_kernel::{
    Date,
    id::{GrantId, RecoveryId},
};
use serde::{Deserialize, Serialize};

/// What final acceptance was concluded with, the last time 验收结论.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// What it came to.
    pub outcome: AcceptanceOutcome,
    /// Minutes of the meeting.
    pub minutes: String,
}

/// How a grant was closed 结题.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closeout {
    /// Day by which what is unspent must be given back; `None` where nothing was.
    pub refund_by: Option<Date>,
    /// Minutes of the meeting.
    pub minutes: String,
}

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
        /// Minutes of the meeting.
        minutes: String,
    },
    /// 已撤销.
    Cancelled {
        /// Cause of its recovery; `None` where nothing was left to recover.
        cause: Option<RecoveryCause>,
        /// Why.
        reason: String,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// 已结题.
    Closed(Closeout),
    /// 已绩效评价.
    Evaluated {
        /// How it was closed.
        closeout: Closeout,
        /// Grade.
        grade: EvaluationGrade,
        /// Hundredths of a point, 0 to 10,000.
        score_hundredths: u32,
        /// Minutes of the meeting.
        minutes: String,
    },
}

/// About the end of a grant. The completion report is the applicant's, all else the office's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosingCommand {
    /// Report the project complete 提交完成报告.
    ReportCompletion {
        /// The report.
        report: String,
    },
    /// Conclude final acceptance 验收.
    ConcludeFinalAcceptance {
        /// What it came to.
        outcome: AcceptanceOutcome,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// Close the grant 结题.
    Close {
        /// Minutes of the meeting.
        minutes: String,
        /// Day by which what is unspent will have been given back.
        refund_by: Option<Date>,
    },
    /// Evaluate it 绩效评价.
    Evaluate {
        /// Grade.
        grade: EvaluationGrade,
        /// Hundredths of a point, 0 to 10,000.
        score_hundredths: u32,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// Terminate it 终止.
    Terminate {
        /// Why.
        reason: String,
        /// Minutes of the meeting.
        minutes: String,
        /// Day by which what is unspent must be given back; `None` for the last that the rulebook allows.
        refund_by: Option<Date>,
    },
    /// Cancel it 撤销.
    Cancel {
        /// Why, as its recovery has it: cancelled or fraud.
        cause: RecoveryCause,
        /// Why, in words.
        reason: String,
        /// Minutes of the meeting.
        minutes: String,
    },
}

impl Progress {
    /// Whether the grant is over: closed, evaluated, terminated or cancelled. Nothing more is paid; refunds and recoveries
    /// go on.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(
            self,
            Self::Terminated { .. } | Self::Cancelled { .. } | Self::Closed(_) | Self::Evaluated { .. }
        )
    }

    /// Whether the project is being carried out, up to its final acceptance.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Running | Self::CompletionReported(_) | Self::Rectifying(_))
    }

    /// Day by which what is unspent must be given back, where there is one.
    #[must_use]
    pub fn refund_by(&self) -> Option<Date> {
        match self {
            Self::Terminated { refund_by, .. } => Some(*refund_by),
            Self::Closed(closeout) | Self::Evaluated { closeout, .. } => closeout.refund_by,
            _ => None,
        }
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
            Self::Cancelled { .. } => {
                ("cancelled", "已撤销", "It has ended; its recovery goes on", "该项目已撤销；追缴照常办理")
            }
            Self::Closed(_) => ("closed", "已结题", "Next: evaluate it", "下一步：绩效评价"),
            Self::Evaluated { .. } => (
                "evaluated",
                "已绩效评价",
                "It has ended; refunds and recoveries go on",
                "该项目已办结；结余退回、追缴照常办理",
            ),
        }
    }
}

/// The recovery that cancelling a grant determines: one for each grant, the same on every run, unless another recovery was
/// determined under that id before.
#[must_use]
pub fn recovery_of_cancelled(grant: GrantId) -> RecoveryId {
    RecoveryId::derived(CANCELLED, &grant.to_string())
}

/// Label under which the id of a cancelled grant's recovery is derived.
const CANCELLED: &str = "cancelled grant";

/// Folds an event of this part of a grant's life.
pub(super) fn apply(contract: &mut Contract, event: &FundEvent) {
    contract.progress = match event {
        FundEvent::CompletionReported { report, .. } => {
            contract.completion = Some(report.clone());
            Progress::CompletionReported(report.clone())
        }
        FundEvent::FinalAcceptanceConcluded { outcome, minutes, .. } => {
            contract.acceptance = Some(Acceptance { outcome: *outcome, minutes: minutes.clone() });
            match outcome {
                AcceptanceOutcome::Passed => Progress::FinallyAccepted(minutes.clone()),
                AcceptanceOutcome::Rectify { by } => {
                    contract.rectifications = contract.rectifications.saturating_add(1);
                    Progress::Rectifying(*by)
                }
                AcceptanceOutcome::Failed { cause } => Progress::AcceptanceFailed(*cause),
            }
        }
        FundEvent::GrantTerminated { refund_by, reason, minutes, .. } => {
            Progress::Terminated { refund_by: *refund_by, reason: reason.clone(), minutes: minutes.clone() }
        }
        FundEvent::GrantCancelled { reason, minutes, .. } => {
            Progress::Cancelled { cause: None, reason: reason.clone(), minutes: minutes.clone() }
        }
        FundEvent::RecoveryDetermined { recovery, grant, cause: why, .. }
            if *recovery == recovery_of_cancelled(*grant) =>
        {
            if let Progress::Cancelled { cause, .. } = &mut contract.progress {
                *cause = Some(*why);
            }
            return;
        }
        FundEvent::GrantClosed { refund_by, minutes, .. } => {
            Progress::Closed(Closeout { refund_by: *refund_by, minutes: minutes.clone() })
        }
        FundEvent::GrantEvaluated { grade, score_hundredths, minutes, .. } => match &contract.progress {
            Progress::Closed(closeout) => Progress::Evaluated {
                closeout: closeout.clone(),
                grade: *grade,
                score_hundredths: *score_hundredths,
                minutes: minutes.clone(),
            },
            _ => return,
        },
        _ => return,
    };
}
