//! What a check compares the log with, where that is, and what it may go without.

use std::path::Path;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::StreamProof;
use crate::errors::CliError;
use crate::local::PROJECTION_DATABASE;
use crate::stack;

/// What to compare the log with.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Address of NATS; default: the local stack's 消息服务地址
    #[arg(long, env = "CONCORD_NATS_URL", value_name = "URL")]
    pub nats_url: Option<String>,
    /// Name of the stream; default: as the log's service has it 消息流名称
    #[arg(long, value_name = "NAME")]
    pub stream: Option<String>,
    /// Database of the projection; default: the local stack's 投影数据库地址
    #[arg(long, env = "CONCORD_PROJECTION_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub projection_database_url: Option<String>,
    /// What need not be compared 不核对的部分
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub without: Vec<Part>,
    /// Seconds for which stream and projection may stand still behind the log 等待秒数
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub patience: u64,
}

/// A part that a check may go without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The JetStream stream 消息流
    Stream,
    /// The funding audit's tables 投影数据表
    Projection,
    /// The funding audit's balances, as it answers them 资金审计的答复
    Answers,
    /// Events that have left the stream by their age 已过保留期的消息
    AgedOut,
}

impl CheckArgs {
    /// Everything of the local stack in `dir`.
    ///
    /// # Errors
    /// [`CliError::Failed`] where no stack can be found there.
    pub fn of_local_stack(dir: &Path) -> Result<Self, CliError> {
        let nothing = Self {
            nats_url: None,
            stream: None,
            projection_database_url: None,
            without: Vec::new(),
            patience: 30,
        };
        nothing.or_of_local_stack(dir)
    }

    /// What is not named, of the local stack in `dir`.
    ///
    /// # Errors
    /// As [`Self::of_local_stack`].
    pub fn or_of_local_stack(self, dir: &Path) -> Result<Self, CliError> {
        let status = stack::status(dir).map_err(|error| CliError::failed(error.to_string()))?;
        let database = status.database_url_base.map(|base| format!("{base}/{PROJECTION_DATABASE}"));
        Ok(Self {
            nats_url: self.nats_url.or(status.nats_url),
            projection_database_url: self.projection_database_url.or(database),
            ..self
        })
    }

    /// How long stream and projection may stand still.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }
}

/// A part that was not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCompared {
    /// Which.
    pub part: Part,
    /// Why, and what of it.
    pub why: String,
    /// The same in Chinese.
    pub why_zh: String,
    /// Whether the caller gave leave.
    pub accepted: bool,
}

/// Whether a part is left out, as the caller gave leave; then this is said.
pub(super) fn left_out(part: Part, args: &CheckArgs, not_compared: &mut Vec<NotCompared>) -> bool {
    let accepted = args.without.contains(&part);
    if accepted {
        let (why, why_zh) = (format!("the {}, as was asked", part.word()), "按要求略过".to_owned());
        not_compared.push(NotCompared { part, why, why_zh, accepted });
    }
    accepted
}

/// Where a part is, if it is to be compared; else it is said that it is not. `flag` names the place of the part.
pub(super) fn place<'a>(
    part: Part,
    (flag, place): (&str, Option<&'a str>),
    args: &CheckArgs,
    not_compared: &mut Vec<NotCompared>,
) -> Option<&'a str> {
    if left_out(part, args, not_compared) {
        return None;
    }
    if place.is_none() {
        let why = format!("the {}: say where it is with {flag}", part.word());
        let why_zh = format!("请用 {flag} 指定其地址");
        not_compared.push(NotCompared { part, why, why_zh, accepted: false });
    }
    place
}

/// What has left the stream at its front.
pub(super) fn aged_out(proof: &StreamProof, args: &CheckArgs) -> Option<NotCompared> {
    let last = proof.from.checked_sub(1).filter(|last| *last > 0)?;
    Some(NotCompared {
        part: Part::AgedOut,
        why: format!("positions 1 to {last}, which have left the stream"),
        why_zh: format!("位置 1 至 {last} 已过保留期，不在消息流中"),
        accepted: args.without.contains(&Part::AgedOut),
    })
}
