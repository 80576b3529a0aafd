//! `concord rectification`: what somebody does about a finding that they are charged with 整改.

mod show;

use std::fmt;
use std::str::FromStr;

use clap::{Args, Subcommand};
use concord_proto::fund::v1::rectification_service_client::RectificationServiceClient;
use concord_proto::fund::v1::{
    AcceptExplanationRequest, AssignRectificationRequest, DismissFindingRequest, ExplainFindingRequest,
    FindingKey, GetRectificationRequest, RectifyFindingRequest,
};
use concord_proto::r#type::v1::Money;
use jiff::civil::Date;
use uuid::Uuid;

use crate::connect::{Actor, Fund, Stamped};
use crate::errors::CliError;
use crate::header::HeaderArgs;
use crate::output::{Format, parse_money, print_json, print_receipt};

/// What to do about a finding.
#[derive(Debug, Subcommand)]
pub enum RectificationCommand {
    /// Charge somebody with a finding 整改交办
    Assign(Box<AssignArgs>),
    /// Explain it 说明
    Explain {
        /// The rectification.
        #[command(flatten)]
        target: Target,
        /// What its owner says 说明
        #[arg(long)]
        explanation: String,
    },
    /// Record that it was put right 已整改
    Rectify {
        /// The rectification.
        #[command(flatten)]
        target: Target,
        /// What proves it 整改证明
        #[arg(long)]
        evidence: String,
    },
    /// Accept the explanation 说明成立
    Accept {
        /// The rectification.
        #[command(flatten)]
        target: Target,
        /// Minutes or decision 会议纪要或决定
        #[arg(long)]
        minutes: String,
        /// Why 原因
        #[arg(long)]
        reason: String,
        /// What the finding amounts to, as it was seen; the audit compares it 所见金额
        #[arg(long, value_parser = parse_money)]
        amount: Option<Money>,
    },
    /// Dismiss the finding: it is none, of what it amounts to now 不成立
    Dismiss {
        /// The rectification.
        #[command(flatten)]
        target: Target,
        /// Minutes or decision 会议纪要或决定
        #[arg(long)]
        minutes: String,
        /// Why 原因
        #[arg(long)]
        reason: String,
        /// What the finding amounts to, as it was seen; the audit compares it 所见金额
        #[arg(long, value_parser = parse_money)]
        amount: Option<Money>,
    },
    /// Show a rectification 查看
    Show {
        /// The rectification 整改编号
        rectification: Uuid,
        /// Wait until the log has reached this position 等待至该位置
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        min_position: u64,
    },
}

/// The rectification that a command is about.
#[derive(Debug, Args)]
pub struct Target {
    /// The rectification 整改编号
    pub rectification: Uuid,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// A new rectification.
#[derive(Debug, Args)]
pub struct AssignArgs {
    /// The finding's key RULE:SUBJECT@POSITION, as `concord audit findings` shows it 发现编号
    #[arg(value_name = "KEY")]
    finding: Key,
    /// The grant that it is about; it follows from the key, and is compared where it is given 项目
    #[arg(long, value_name = "UUID")]
    grant: Option<Uuid>,
    /// Who is charged with it: opaque id of a person or an organisation 责任人
    #[arg(long)]
    owner: String,
    /// Day by which it is to be put right 整改期限
    #[arg(long, value_name = "DATE")]
    deadline: Date,
    /// What is asked 整改要求
    #[arg(long)]
    task: String,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// What a finding is known by, as it is written: `RULE:SUBJECT@POSITION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The rule, for example "A03".
    pub rule: String,
    /// What it is about.
    pub subject: String,
    /// Position of the event that caused it.
    pub position: u64,
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}@{}", self.rule, self.subject, self.position)
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write RULE:SUBJECT@POSITION as `concord audit findings` shows it 请照“concord audit findings”所列填写";
        let (rule, rest) = text.split_once(':').ok_or(hint)?;
        let (subject, position) = rest.rsplit_once('@').ok_or(hint)?;
        let position = position.parse().map_err(|_| format!("{position:?} is no position; {hint}"))?;
        Ok(Self { rule: rule.to_owned(), subject: subject.to_owned(), position })
    }
}

/// Sends a command about one rectification, and gives the request id and the receipt.
macro_rules! send {
    ($client:ident . $call:ident, $target:expr, $request:ident { $($field:ident : $value:expr),* $(,)? }) => {{
        let header = $target.header.to_wire()?;
        let request_id = header.request_id.clone();
        let rectification_id = $target.rectification.to_string();
        let request = $request { header: Some(header), rectification_id, $($field: $value),* };
        (request_id, $client.$call(request).await?.into_inner().receipt)
    }};
}

/// Runs a command.
///
/// # Errors
/// What the service answered.
pub async fn run(
    fund: &Fund,
    actor: &Actor,
    command: RectificationCommand,
    format: Format,
) -> Result<(), CliError> {
    let client = &mut RectificationServiceClient::new(fund.stamped(actor)?);
    let (request_id, receipt) = match command {
        RectificationCommand::Show { rectification, min_position } => {
            let request =
                GetRectificationRequest { rectification_id: rectification.to_string(), min_position };
            let answer = client.get_rectification(request).await?.into_inner();
            let shown = answer.rectification.unwrap_or_default();
            match format {
                Format::Json => print_json(&show::json(&shown, answer.position)),
                Format::Table => show::print(&shown, answer.position),
            }
            return Ok(());
        }
        RectificationCommand::Assign(args) => return assign(client, *args, format).await,
        RectificationCommand::Explain { target, explanation } => {
            send!(client.explain_finding, target, ExplainFindingRequest { explanation: explanation })
        }
        RectificationCommand::Rectify { target, evidence } => {
            send!(client.rectify_finding, target, RectifyFindingRequest { evidence: evidence })
        }
        RectificationCommand::Accept { target, minutes, reason, amount } => {
            send!(
                client.accept_explanation,
                target,
                AcceptExplanationRequest { minutes: minutes, reason: reason, amount: amount }
            )
        }
        RectificationCommand::Dismiss { target, minutes, reason, amount } => {
            send!(
                client.dismiss_finding,
                target,
                DismissFindingRequest { minutes: minutes, reason: reason, amount: amount }
            )
        }
    };
    print_receipt(format, &request_id, receipt, &[]);
    Ok(())
}

async fn assign(
    client: &mut RectificationServiceClient<Stamped>,
    args: AssignArgs,
    format: Format,
) -> Result<(), CliError> {
    let header = args.header.to_wire()?;
    let request_id = header.request_id.clone();
    let Key { rule, subject, position } = args.finding;
    let request = AssignRectificationRequest {
        header: Some(header),
        finding: Some(FindingKey { rule, subject, position }),
        grant_id: args.grant.map(|grant| grant.to_string()).unwrap_or_default(),
        owner: args.owner,
        deadline: args.deadline.to_string(),
        task: args.task,
    };
    let answer = client.assign_rectification(request).await?.into_inner();
    print_receipt(format, &request_id, answer.receipt, &[("rectification_id", answer.rectification_id)]);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_it_is_read() {
        for text in ["A03:3f2c/source/1/2@88", "A16:x:y@z@7"] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        let key: Key = "A03:3f2c/source/1/2@88".parse().unwrap();
        assert_eq!((key.rule.as_str(), key.subject.as_str(), key.position), ("A03", "3f2c/source/1/2", 88));
        for wrong in ["A03", "A03:3f2c", "A03:3f2c@", "A03:3f2c@-1"] {
            assert!(wrong.parse::<Key>().unwrap_err().contains("RULE:SUBJECT@POSITION"), "{wrong}");
        }
    }
}
