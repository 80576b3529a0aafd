//! `concord today`: the logs' today, and moving it on a played clock.
//!
//! Each log has a clock of its own. They are moved together: a grant rests on agreements that end by the calendar.

use clap::Args;
use concord_proto::log::v1::log_service_client::LogServiceClient;
use concord_proto::log::v1::{
    AdvanceTodayRequest, AdvanceTodayResponse, GetLogStatusRequest, GetLogStatusResponse,
};
use jiff::civil::Date;
use serde_json::json;

use crate::connect::Stamped;
use crate::errors::CliError;
use crate::ids;
use crate::output::{Format, print_fields, print_json};

/// Shows today, or moves it.
#[derive(Debug, Args)]
pub struct TodayArgs {
    /// Move played clocks forward to this date 推进到该日期
    #[arg(long, value_name = "DATE")]
    advance: Option<Date>,
    /// Request id to repeat 请求号
    #[arg(long, value_name = "UUID", requires = "advance")]
    request_id: Option<uuid::Uuid>,
}

type Client = LogServiceClient<Stamped>;

/// Runs the command on the fund's log, and on that of agreements where its service is known.
///
/// # Errors
/// What a service answered, above all that its clock is the system's.
pub async fn run(
    mut fund: Client,
    agreements: Option<Client>,
    args: TodayArgs,
    format: Format,
) -> Result<(), CliError> {
    if let Some(today) = args.advance {
        let request_id = args.request_id.map_or_else(ids::fresh, |id| id.to_string());
        // The cause first: what rests on agreements may then be decided on that day at once.
        let agreements = match agreements {
            Some(mut client) => advance_if_behind(&mut client, today, &request_id).await?,
            None => None,
        };
        let moved = advance(&mut fund, today, &request_id).await?;
        print_moved(&moved, agreements.as_ref(), request_id, format);
        return Ok(());
    }
    let own = status(&mut fund).await?;
    let agreements = match agreements {
        Some(mut client) => Some(status(&mut client).await?),
        None => None,
    };
    match format {
        Format::Json => {
            let of_agreements =
                agreements.map(|status| json!({"today": status.today, "clock": status.clock}));
            print_json(&json!({"today": own.today, "clock": own.clock, "agreement": of_agreements}));
        }
        Format::Table => {
            println!("{} ({} clock)", own.today, own.clock);
            if let Some(other) = agreements.filter(|other| other.today != own.today) {
                println!("{} in the agreement log 协议日志 ({} clock)", other.today, other.clock);
            }
        }
    }
    Ok(())
}

async fn status(client: &mut Client) -> Result<GetLogStatusResponse, CliError> {
    Ok(client.get_log_status(GetLogStatusRequest {}).await?.into_inner())
}

async fn advance(
    client: &mut Client,
    today: Date,
    request_id: &str,
) -> Result<AdvanceTodayResponse, CliError> {
    let request = AdvanceTodayRequest { request_id: request_id.to_owned(), today: today.to_string() };
    Ok(client.advance_today(request).await?.into_inner())
}

/// A log that is ahead already, as it may be after a command that was broken off, stays where it is.
async fn advance_if_behind(
    client: &mut Client,
    today: Date,
    request_id: &str,
) -> Result<Option<AdvanceTodayResponse>, CliError> {
    let own = status(client).await?.today;
    let is_ahead = own.parse::<Date>().is_ok_and(|own| own > today);
    if is_ahead { Ok(None) } else { advance(client, today, request_id).await.map(Some) }
}

fn print_moved(
    moved: &AdvanceTodayResponse,
    agreements: Option<&AdvanceTodayResponse>,
    request_id: String,
    format: Format,
) {
    match format {
        Format::Json => {
            let of_agreements =
                agreements.map(|moved| json!({"today": moved.today, "position": moved.position}));
            print_json(&json!({
                "today": moved.today,
                "position": moved.position,
                "request_id": request_id,
                "agreement": of_agreements,
            }));
        }
        Format::Table => print_fields(&[
            ("today 当前日期", moved.today.clone()),
            ("position 位置", moved.position.to_string()),
            (
                "agreement log 协议日志",
                agreements.map(|moved| moved.position.to_string()).unwrap_or_default(),
            ),
            ("request id 请求号", request_id),
        ]),
    }
}
