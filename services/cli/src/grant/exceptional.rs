//! `concord grant object`, `reject-objection`, `uphold-objection`, `override`, `correct`: what departs from the ordinary way.

use clap::{Args, Subcommand};
use concord_proto::fund::v1::{
    CorrectFactRequest, OverriddenRule, RaiseObjectionRequest, RecordOverrideRequest, RejectObjectionRequest,
    UpholdObjectionRequest,
};
use uuid::Uuid;

use super::{Client, Sent, Target, receipt, send};
use crate::errors::CliError;
use crate::header::HeaderArgs;
use crate::words::{self, OVERRIDDEN_RULES};

/// An objection, an override or a correction.
#[derive(Debug, Subcommand)]
pub enum ExceptionalCommand {
    /// Object to a published award while its notice hangs 公示异议
    Object {
        /// The objection.
        #[command(flatten)]
        target: ObjectionTarget,
        /// On what grounds 异议理由
        #[arg(long)]
        grounds: String,
    },
    /// Turn an objection down 异议不成立
    RejectObjection {
        /// The objection.
        #[command(flatten)]
        target: ObjectionTarget,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Uphold an objection: the grant goes back to review 异议成立
    UpholdObjection {
        /// The objection.
        #[command(flatten)]
        target: ObjectionTarget,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Set a rule aside, before the approval 特批
    Override {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// The rule 规则
        #[arg(long, value_parser = words::parser(OVERRIDDEN_RULES))]
        rule: OverriddenRule,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Reverse a recorded fact of money, by --authority; the right one is recorded anew 更正
    Correct {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Position of its event in the log, as `grant show` lists it 日志位置
        position: u64,
        /// Why it was wrong 更正原因
        #[arg(long)]
        reason: String,
    },
}

/// The objection that a command is about.
#[derive(Debug, Args)]
pub struct ObjectionTarget {
    /// The grant 项目
    pub grant: Uuid,
    /// Number of the objection within the grant, from 1 异议序号
    pub objection: u32,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// Sends a command.
pub(super) async fn send(client: &mut Client, command: ExceptionalCommand) -> Result<Sent, CliError> {
    Ok(match command {
        ExceptionalCommand::Object { target, grounds } => {
            receipt!(
                client.raise_objection,
                target,
                RaiseObjectionRequest { objection_number: target.objection, grounds: grounds }
            )
        }
        ExceptionalCommand::RejectObjection { target, reason } => {
            receipt!(
                client.reject_objection,
                target,
                RejectObjectionRequest { objection_number: target.objection, reason: reason }
            )
        }
        ExceptionalCommand::UpholdObjection { target, reason } => {
            receipt!(
                client.uphold_objection,
                target,
                UpholdObjectionRequest { objection_number: target.objection, reason: reason }
            )
        }
        ExceptionalCommand::Override { target, rule, minutes, reason } => {
            receipt!(
                client.record_override,
                target,
                RecordOverrideRequest { rule: rule.into(), minutes: minutes, reason: reason }
            )
        }
        ExceptionalCommand::Correct { target, position, reason } => {
            let authority = target.header.required_authority()?;
            receipt!(
                client.correct_fact,
                target,
                CorrectFactRequest { position: position, reason: reason, authority: authority }
            )
        }
    })
}
