//! `concord log`: where the log stands, whether it holds, and which commands were refused.

use std::path::Path;

use clap::Subcommand;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{GetLogStatusRequest, ListRefusalsRequest};
use serde_json::{Value, json};

use crate::check::{self, CheckArgs};
use crate::connect::{Endpoints, Stamped};
use crate::errors::CliError;
use crate::output::{Format, print_fields, print_json, table};

/// What to show of the log.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Head, clock, and how far the relay has published 日志状态
    Status,
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
/// What the service answered; of a check, that not everything was proved.
pub async fn run(
    client: &mut LogServiceClient<Stamped>,
    dir: &Path,
    command: LogCommand,
    format: Format,
) -> Result<(), CliError> {
    match command {
        LogCommand::Status => status(client, format).await,
        LogCommand::Check(args) => {
            let endpoints = Endpoints::find(dir)?;
            // Stream and projection of a service elsewhere are not those of a stack that happens to be here.
            let args = if endpoints.local { args.or_of_local_stack(dir)? } else { args };
            check::run(client.clone(), &endpoints, &args, format).await
        }
        LogCommand::Refusals { page_size, page_token } => {
            print_refusals(client, page_size, page_token, format).await
        }
    }
}

async fn status(client: &mut LogServiceClient<Stamped>, format: Format) -> Result<(), CliError> {
    let status = client.get_log_status(GetLogStatusRequest {}).await?.into_inner();
    match format {
        Format::Json => print_json(&json!({
            "log": status.log,
            "log_id": status.log_id,
            "generation": status.generation,
            "head": status.head,
            "published": status.published,
            "clock": status.clock,
            "today": status.today,
            "rulebook": status.rulebook,
            "stream": status.stream,
        })),
        Format::Table => print_fields(&[
            ("log 日志", format!("{} (generation {})", status.log, status.generation)),
            ("log id", status.log_id),
            ("head 最新位置", status.head.to_string()),
            ("published 已发布", format!("{} on stream {}", status.published, status.stream)),
            ("today 当前日期", format!("{} ({} clock)", status.today, status.clock)),
            ("rulebook 规则版本", status.rulebook),
        ]),
    }
    Ok(())
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
