//! `concord log`: where the log stands, whether it holds, which commands were refused, and how it is recovered.

pub mod recover;
mod report;

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use concord_agreement::Agreements;
use concord_fund_grant::Fund;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{
    GetLogStatusRequest, GetLogStatusResponse, ListRefusalsRequest, PostgresCluster, Standstill,
};
use serde_json::{Value, json};

use crate::check::{self, CheckArgs};
use crate::connect::{self, Actor, Endpoints, Stamped};
use crate::errors::CliError;
use crate::output::{Format, print_fields, print_json, table};

/// Which log, and what to show of it.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Which log 日志名称
    #[arg(long, global = true, value_enum, default_value_t = LogName::FundGrant)]
    log: LogName,
    #[command(subcommand)]
    command: LogCommand,
}

/// A log by the name of its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogName {
    /// Programmes and grants 资助项目
    FundGrant,
    /// Agreements and the directory of parties 协议与主体
    Agreement,
}

/// What to show of a log.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Head, clock, how far the relay has published, and whether the log is written 日志状态
    Status,
    /// Compare the log with its stream; go on after a failover, as chosen 恢复日志
    Recover(recover::RecoverArgs),
    /// Prove the log from its events alone, and against it the stream, the projection and its answers 核对日志
    Check(CheckArgs),
    /// Refused commands, newest first 被拒绝的操作
    Refusals {
        /// Rows on a page 每页行数
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=1000))]
        page_size: i32,
        /// Go on from the page before 下一页
        #[arg(long, default_value = "", hide_default_value = true)]
        page_token: String,
    },
}

/// Runs a command. `dir` is the directory of the local stack.
///
/// # Errors
/// What the service answered, what a recovery met, or that a check did not prove everything.
pub async fn run(
    dir: &Path,
    actor: Option<Actor>,
    LogArgs { log, command }: LogArgs,
    format: Format,
) -> Result<(), CliError> {
    // It goes to the database itself: the service may not even run.
    if let LogCommand::Recover(args) = command {
        return match log {
            LogName::FundGrant => recover::run::<Fund>(dir, actor, args, format).await,
            LogName::Agreement => recover::run::<Agreements>(dir, actor, args, format).await,
        };
    }
    let mut client = match log {
        LogName::FundGrant => {
            let (fund, actor) = connect::fund(dir, actor).await?;
            fund.log(&actor)?
        }
        LogName::Agreement => {
            let (agreements, actor) = connect::agreements(dir, actor).await?;
            agreements.log(&actor)?
        }
    };
    match command {
        LogCommand::Recover(_) | LogCommand::Status => status(&mut client, format).await,
        LogCommand::Check(args) => {
            let endpoints = Endpoints::find(dir)?;
            // Stream and projection of a service elsewhere are not those of a stack that happens to be here.
            let args = if endpoints.local { args.or_of_local_stack(dir)? } else { args };
            check::run(client, &endpoints, &args, format).await
        }
        LogCommand::Refusals { page_size, page_token } => {
            print_refusals(&mut client, page_size, page_token, format).await
        }
    }
}

async fn status(client: &mut LogServiceClient<Stamped>, format: Format) -> Result<(), CliError> {
    let status = client.get_log_status(GetLogStatusRequest {}).await?.into_inner();
    match format {
        Format::Json => print_json(&status_json(&status)),
        Format::Table => print_fields(&[
            ("log 日志", format!("{} (generation {})", status.log, status.generation)),
            ("log id", status.log_id),
            ("written 可写入", written(status.standstill.as_ref())),
            ("head 最新位置", status.head.to_string()),
            ("published 已发布", format!("{} on stream {}", status.published, status.stream)),
            ("PostgreSQL stored 上次写入", cluster(status.cluster_stored.as_ref())),
            ("PostgreSQL found 当前", cluster(status.cluster_found.as_ref())),
            ("today 当前日期", format!("{} ({} clock)", status.today, status.clock)),
            ("rulebook 规则版本", status.rulebook),
        ]),
    }
    Ok(())
}

fn status_json(status: &GetLogStatusResponse) -> Value {
    let cluster = |cluster: &Option<PostgresCluster>| {
        cluster.as_ref().map(|cluster| json!({"system_id": cluster.system_id, "timeline": cluster.timeline}))
    };
    let standstill = status.standstill.as_ref().map(|why| {
        json!({"reason": why.reason, "message": why.message, "message_zh": why.message_zh, "facts": why.facts})
    });
    json!({
        "log": status.log,
        "log_id": status.log_id,
        "generation": status.generation,
        "head": status.head,
        "published": status.published,
        "clock": status.clock,
        "today": status.today,
        "rulebook": status.rulebook,
        "stream": status.stream,
        "cluster_stored": cluster(&status.cluster_stored),
        "cluster_found": cluster(&status.cluster_found),
        "written": status.standstill.is_none(),
        "standstill": standstill,
    })
}

/// Whether the log is written, and if not why and what to do.
fn written(standstill: Option<&Standstill>) -> String {
    match standstill {
        None => "yes 是".to_owned(),
        Some(why) => format!("no 否 [{}]\n{}\n{}", why.reason, why.message, why.message_zh),
    }
}

fn cluster(cluster: Option<&PostgresCluster>) -> String {
    cluster
        .map(|cluster| format!("system {}, timeline {}", cluster.system_id, cluster.timeline))
        .unwrap_or_default()
}

/// Prints a page of refused commands.
///
/// # Errors
/// What the service answered.
pub async fn print_refusals(
    client: &mut LogServiceClient<Stamped>,
    page_size: i32,
    page_token: String,
    format: Format,
) -> Result<(), CliError> {
    let response = client.list_refusals(ListRefusalsRequest { page_size, page_token }).await?.into_inner();
    if format == Format::Json {
        let refusals = response.refusals.iter().map(|refused| {
            json!({
                "number": refused.number,
                "recorded_at": refused.recorded_at,
                "request_id": refused.request_id,
                "head": refused.head,
                "reason": refused.reason,
                "refusal": parsed(&refused.refusal_json),
                "command": parsed(&refused.command_json),
            })
        });
        print_json(
            &json!({"refusals": refusals.collect::<Vec<_>>(), "next_page_token": response.next_page_token}),
        );
        return Ok(());
    }
    let mut table = table(&[">no. 序号", "recorded 时间", "reason 原因", "what to do 说明"]);
    for refused in &response.refusals {
        table.add_row([
            refused.number.to_string(),
            refused.recorded_at.clone(),
            refused.reason.clone(),
            message(&parsed(&refused.refusal_json)),
        ]);
    }
    println!("{table}");
    if !response.next_page_token.is_empty() {
        println!("more 更多: --page-token {}", response.next_page_token);
    }
    Ok(())
}

/// The stored JSON; a text that is none, should there be one, as it is.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// The sentence of the first broken rule, in both languages where it has them.
fn message(refusal: &Value) -> String {
    let broken = &refusal["broken"][0];
    let sentence = |name: &str| broken[name].as_str().unwrap_or_default();
    [sentence("message"), sentence("message_zh")]
        .iter()
        .filter(|text| !text.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}
