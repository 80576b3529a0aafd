//! `concord grant extend`, `midterm`, `complete`, `accept`, balances and ends: the later life of a grant.

use clap::Subcommand;
use concord_proto::fund::v1::closing_service_client::ClosingServiceClient;
use concord_proto::fund::v1::{
    AcceptanceFailure, AcceptanceOutcome, BalanceSource, CancelGrantRequest, CancellationCause,
    CloseGrantRequest, ConcludeFinalAcceptanceRequest, EvaluateGrantRequest, EvaluationGrade,
    ExtendProjectRequest, RecordMidtermCheckRequest, RefundBalanceRequest, ReportCompletionRequest,
    RetainBalanceRequest, TerminateGrantRequest, TransferBalanceRequest,
};
use concord_proto::r#type::v1::Money;
use jiff::civil::Date;
use uuid::Uuid;

use super::typed::parse_score;
use super::{Client, Sent, Target, party_id, receipt, send};
use crate::connect::Stamped;
use crate::errors::CliError;
use crate::output::parse_money;
use crate::words::{self, BALANCE_SOURCES, CANCELLATIONS, FAILURES, GRADES};

/// A step of a grant's later life.
#[derive(Debug, Subcommand)]
pub enum ClosingCommand {
    /// Give the project more time 延期
    Extend {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Last day from now on 延期后结束日期
        #[arg(long, value_name = "DATE")]
        ends_on: Date,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
    },
    /// Record the midterm check 中期检查
    #[command(group = clap::ArgGroup::new("result").required(true).args(["passed", "failed"]))]
    Midterm {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// It was passed 通过
        #[arg(long)]
        passed: bool,
        /// It was not, and may be made anew 未通过
        #[arg(long)]
        failed: bool,
        /// Report or minutes, by number 检查报告
        #[arg(long)]
        report: String,
    },
    /// Report the project complete 提交完成报告
    Complete {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// The report, by number 完成报告
        #[arg(long)]
        report: String,
    },
    /// Conclude final acceptance 验收
    #[command(subcommand)]
    Accept(AcceptCommand),
    /// Record that a recipient gave a balance back 结余退回
    Refund {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Given back 退回金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// Where it lay 结余性质
        #[arg(long, default_value = "unspent", value_parser = words::parser(BALANCE_SOURCES))]
        from: BalanceSource,
        /// Who gave it back, by its UUID or by the code that the grant has of it; none: the lead 退款单位
        #[arg(long)]
        party: Option<String>,
        /// The bank's reference 银行流水号
        #[arg(long)]
        bank_reference: String,
    },
    /// Let a recipient keep a balance by rule 结余留用
    Retain {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Kept 留用金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// Who keeps it, by its UUID or by the code that the grant has of it; none: the lead 留用单位
        #[arg(long)]
        party: Option<String>,
        /// Document or minutes, by number 文件或会议纪要
        #[arg(long)]
        minutes: String,
    },
    /// Let the lead go on with a balance in another project 结余结转
    TransferBalance {
        /// The grant that gives it.
        #[command(flatten)]
        target: Target,
        /// The grant that takes it, of the same programme and lead 转入项目
        #[arg(long, value_name = "GRANT")]
        to: Uuid,
        /// Moved 结转金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
    },
    /// Close it 结题
    Close {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
        /// Day by which what is unspent is refunded 结余退回期限
        #[arg(long, value_name = "DATE")]
        refund_by: Option<Date>,
    },
    /// Evaluate it once it is closed 绩效评价
    Evaluate {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Grade 等级
        #[arg(long, value_parser = words::parser(GRADES))]
        grade: EvaluationGrade,
        /// Points out of 100, at most two decimals 评分
        #[arg(long, value_parser = parse_score)]
        score: u32,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
    },
    /// Terminate it: what was never drawn goes back, what is unspent is refunded 终止
    Terminate {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
        /// Day by which what is unspent is refunded; none: the last that the rulebook allows 结余退回期限
        #[arg(long, value_name = "DATE")]
        refund_by: Option<Date>,
    },
    /// Cancel it, even after its end: all that recipients have is recovered 撤销
    Cancel {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Cause 撤销原因
        #[arg(long, default_value = "revoked", value_parser = words::parser(CANCELLATIONS))]
        cause: CancellationCause,
        /// Why 原因
        #[arg(long)]
        reason: String,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
    },
}

/// What final acceptance comes to.
#[derive(Debug, Subcommand)]
pub enum AcceptCommand {
    /// The project passed 通过验收
    Passed {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
    },
    /// It is to be put right first 限期整改
    Rectify {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Day by which it is 整改期限
        #[arg(long, value_name = "DATE")]
        by: Date,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
    },
    /// It failed: nothing more is paid 不通过验收
    Fail {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Why it failed 不通过原因
        #[arg(long, value_parser = words::parser(FAILURES))]
        cause: AcceptanceFailure,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
    },
}

/// Sends a command.
pub(super) async fn send(
    grants: &mut Client,
    channel: Stamped,
    command: ClosingCommand,
) -> Result<Sent, CliError> {
    let client = &mut ClosingServiceClient::new(channel);
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    Ok(match command {
        ClosingCommand::Extend { target, ends_on, minutes } => {
            receipt!(
                client.extend_project,
                target,
                ExtendProjectRequest { ends_on: ends_on.to_string(), minutes: minutes }
            )
        }
        ClosingCommand::Midterm { target, passed, failed: _, report } => {
            receipt!(
                client.record_midterm_check,
                target,
                RecordMidtermCheckRequest { passed: Some(passed), report: report }
            )
        }
        ClosingCommand::Complete { target, report } => {
            receipt!(client.report_completion, target, ReportCompletionRequest { report: report })
        }
        ClosingCommand::Accept(command) => accept(client, command).await?,
        ClosingCommand::Refund { target, amount, from, party, bank_reference } => {
            let party_id = recipient(grants, target.grant, party).await?;
            receipt!(
                client.refund_balance,
                target,
                RefundBalanceRequest {
                    party_id: party_id,
                    amount: Some(amount),
                    from: from.into(),
                    bank_reference: bank_reference,
                }
            )
        }
        ClosingCommand::Retain { target, amount, party, minutes } => {
            let party_id = recipient(grants, target.grant, party).await?;
            receipt!(
                client.retain_balance,
                target,
                RetainBalanceRequest { party_id: party_id, amount: Some(amount), minutes: minutes }
            )
        }
        ClosingCommand::TransferBalance { target, to, amount, minutes } => {
            receipt!(
                client.transfer_balance,
                target,
                TransferBalanceRequest {
                    to_grant_id: to.to_string(),
                    amount: Some(amount),
                    minutes: minutes
                }
            )
        }
        ClosingCommand::Close { target, minutes, refund_by } => {
            receipt!(
                client.close_grant,
                target,
                CloseGrantRequest { minutes: minutes, refund_by: day(refund_by) }
            )
        }
        ClosingCommand::Evaluate { target, grade, score, minutes } => {
            receipt!(
                client.evaluate_grant,
                target,
                EvaluateGrantRequest { grade: grade.into(), score_hundredths: score, minutes: minutes }
            )
        }
        ClosingCommand::Terminate { target, reason, minutes, refund_by } => {
            receipt!(
                client.terminate_grant,
                target,
                TerminateGrantRequest { reason: reason, minutes: minutes, refund_by: day(refund_by) }
            )
        }
        ClosingCommand::Cancel { target, cause, reason, minutes } => {
            receipt!(
                client.cancel_grant,
                target,
                CancelGrantRequest { cause: cause.into(), reason: reason, minutes: minutes }
            )
        }
    })
}

async fn accept(
    client: &mut ClosingServiceClient<Stamped>,
    command: AcceptCommand,
) -> Result<Sent, CliError> {
    let (target, outcome, rectify_by, failure, minutes) = match command {
        AcceptCommand::Passed { target, minutes } => {
            (target, AcceptanceOutcome::Passed, String::new(), AcceptanceFailure::Unspecified, minutes)
        }
        AcceptCommand::Rectify { target, by, minutes } => {
            (target, AcceptanceOutcome::Rectify, by.to_string(), AcceptanceFailure::Unspecified, minutes)
        }
        AcceptCommand::Fail { target, cause, minutes } => {
            (target, AcceptanceOutcome::Failed, String::new(), cause, minutes)
        }
    };
    Ok(receipt!(
        client.conclude_final_acceptance,
        target,
        ConcludeFinalAcceptanceRequest {
            outcome: outcome.into(),
            rectify_by: rectify_by,
            failure: failure.into(),
            minutes: minutes,
        }
    ))
}

/// A party of the grant; nobody named is the lead.
async fn recipient(grants: &mut Client, grant: Uuid, party: Option<String>) -> Result<String, CliError> {
    match party {
        Some(party) => party_id(grants, grant, party).await,
        None => Ok(String::new()),
    }
}
