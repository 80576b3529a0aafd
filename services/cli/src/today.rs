//! `concord today`: the log's today, and moving it on a played clock.

use clap::Args;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{AdvanceTodayRequest, GetLogStatusRequest};
use serde_json::json;

use crate::connect::Stamped;
use crate::errors::CliError;
use crate::ids;
use crate::output::{Format, print_fields, print_json};

/// Shows today, or moves it.
#[derive(Debug, Args)]
pub struct TodayArgs {
    /// Move a played clock forward to this date 推进到该日期
    #[arg(long, value_name = "DATE")]
    advance: Option<jiff::civil::Date>,
    /// Request id to repeat 请求号
    #[arg(long, value_name = "UUID", requires = "advance")]
    request_id: Option<uuid::Uuid>,
}

/// Runs the command.
///
/// # Errors
/// What the service answered, above all that its clock is the system's.
pub async fn run(
    client: &mut LogServiceClient<Stamped>,
    args: TodayArgs,
    format: Format,
) -> Result<(), CliError> {
    if let Some(today) = args.advance {
        let request_id = args.request_id.map_or_else(ids::fresh, |id| id.to_string());
        let request = AdvanceTodayRequest { request_id: request_id.clone(), today: today.to_string() };
        let moved = client.advance_today(request).await?.into_inner();
        match format {
            Format::Json => print_json(
                &json!({"today": moved.today, "position": moved.position, "request_id": request_id}),
            ),
            Format::Table => print_fields(&[
                ("today 当前日期", moved.today),
                ("position 位置", moved.position.to_string()),
                ("request id 请求号", request_id),
            ]),
        }
        return Ok(());
    }
    let status = client.get_log_status(GetLogStatusRequest {}).await?.into_inner();
    match format {
        Format::Json => print_json(&json!({"today": status.today, "clock": status.clock})),
        Format::Table => println!("{} ({} clock)", status.today, status.clock),
    }
    Ok(())
}
