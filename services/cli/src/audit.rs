//! `concord audit`: the office's tables, as of any position and date, and the exports behind them.

mod args;
mod file;
pub mod findings;
pub mod json;
pub mod tables;

use std::path::PathBuf;

use clap::Subcommand;
use concord_proto::audit::v1::{
    Dimension, ExportCsvRequest, ExportTable, GetGrantStatementRequest, GetProjectionStatusRequest,
    ListBalancesRequest, ListClocksRequest, ListColumnsRequest, ListMatchingRequest, ListOverdueRequest,
    ListPostingsRequest, ListReceivablesRequest, ListSharesRequest, ListUndrawnRequest,
};

pub use self::args::{AgedArgs, AheadArgs, AsOfArgs, FilterArgs, PageArgs};
use self::findings::FindingCommand;
use crate::connect::Audit;
use crate::errors::CliError;
use crate::output::{Format, print_json};
use crate::words::{self, DIMENSIONS, TABLES};

/// What to show.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Balances of the accounts, grouped as asked 账户余额
    Balances {
        /// Up to three dimensions 分组
        #[arg(long, value_delimiter = ',', value_parser = words::parser(DIMENSIONS))]
        group_by: Vec<Dimension>,
        /// Column and direction, for example "available_minor desc" 排序
        #[arg(long, default_value = "", hide_default_value = true)]
        order_by: String,
        /// What is counted.
        #[command(flatten)]
        filter: FilterArgs,
        /// The point that it is about.
        #[command(flatten)]
        as_of: AsOfArgs,
        /// Which page.
        #[command(flatten)]
        page: PageArgs,
    },
    /// The postings behind the balances 分录
    Postings {
        /// What is counted.
        #[command(flatten)]
        filter: FilterArgs,
        /// The point that it is about.
        #[command(flatten)]
        as_of: AsOfArgs,
        /// Which page.
        #[command(flatten)]
        page: PageArgs,
    },
    /// One grant's postings with running balances 项目对账单
    Statement {
        /// The grant's UUID 项目
        grant: String,
        /// The point that it is about.
        #[command(flatten)]
        as_of: AsOfArgs,
    },
    /// Grants with money contracted and not settled 未拨付
    Undrawn {
        /// "undrawn_minor desc", "grant_id" or "ends_on" 排序
        #[arg(long, default_value = "", hide_default_value = true)]
        order_by: String,
        /// What is counted.
        #[command(flatten)]
        filter: FilterArgs,
        /// The point that it is about.
        #[command(flatten)]
        as_of: AsOfArgs,
        /// Which page.
        #[command(flatten)]
        page: PageArgs,
    },
    /// Tranches past their due date 逾期
    Overdue(AgedArgs),
    /// Matching money: pledged, arrived, missing and for how long 配套到位
    Matching(AgedArgs),
    /// Partners' shares: allocated, passed on, due 分配与转拨
    Shares(AgedArgs),
    /// Recoveries: outstanding and for how long 追缴
    Receivables(AgedArgs),
    /// Everything dated that waits: for whom, and how long overdue 期限
    Clocks {
        /// How far ahead.
        #[command(flatten)]
        ahead: AheadArgs,
        /// The list.
        #[command(flatten)]
        aged: AgedArgs,
    },
    /// A whole table as CSV 导出
    Export {
        /// Which table 表
        #[arg(value_parser = words::parser(TABLES))]
        table: ExportTable,
        /// File to write; default standard output 输出文件
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// For balances: up to three dimensions 分组
        #[arg(long, value_delimiter = ',', value_parser = words::parser(DIMENSIONS))]
        group_by: Vec<Dimension>,
        /// For tables with ages: the day 截止日
        #[arg(long, value_name = "DATE")]
        on: Option<jiff::civil::Date>,
        /// How far ahead.
        #[command(flatten)]
        ahead: AheadArgs,
        /// What is counted.
        #[command(flatten)]
        filter: FilterArgs,
        /// The point that it is about.
        #[command(flatten)]
        as_of: AsOfArgs,
    },
    /// What every column means 列说明
    Columns,
    /// How far the tables are, and whether the ledger balances 投影状态
    Status {
        /// Wait until they have reached this position 等待至该位置
        #[arg(long, value_name = "POSITION", default_value_t = 0, hide_default_value = true)]
        min_position: u64,
    },
    /// Findings and control tests.
    #[command(flatten)]
    Findings(FindingCommand),
}

/// Prints the pages of a list: one, or with `--all` one after the other. JSON is one document a page, one on a line
/// after the other, so that a long list need not be held.
macro_rules! pages {
    ($client:ident . $call:ident, $request:expr, $page:expr, $format:expr, $json:path, $table:expr) => {{
        let mut request = $request;
        loop {
            let response = $client.$call(request.clone()).await?.into_inner();
            match $format {
                Format::Json => print_json(&$json(&response)),
                Format::Table => $table(&response),
            }
            if response.next_page_token.is_empty() {
                break;
            }
            if !$page.all {
                if $format == Format::Table {
                    println!("more 更多: --page-token {}  (or --all)", response.next_page_token);
                }
                break;
            }
            request.page_token = response.next_page_token;
        }
    }};
}

/// The request of a list whose rows have ages.
macro_rules! aged_request {
    ($request:ident, $aged:expr) => {
        $request {
            as_of: $aged.as_of.to_wire(),
            filter: $aged.filter.to_wire(),
            on: $aged.on.map(|date| date.to_string()).unwrap_or_default(),
            page_size: $aged.page.page_size,
            page_token: $aged.page.page_token.clone(),
        }
    };
}
use pages;

/// Runs a command.
///
/// # Errors
/// What the service answered.
pub async fn run(audit: &Audit, command: AuditCommand, format: Format) -> Result<(), CliError> {
    let client = &mut audit.tables();
    match command {
        AuditCommand::Balances { group_by, order_by, filter, as_of, page } => {
            let request = ListBalancesRequest {
                as_of: as_of.to_wire(),
                filter: filter.to_wire(),
                group_by: wire_dimensions(&group_by),
                order_by,
                page_size: page.page_size,
                page_token: page.page_token.clone(),
            };
            pages!(client.list_balances, request, page, format, json::balances, |response| tables::balances(
                response, &group_by
            ));
        }
        AuditCommand::Postings { filter, as_of, page } => {
            let request = ListPostingsRequest {
                as_of: as_of.to_wire(),
                filter: filter.to_wire(),
                page_size: page.page_size,
                page_token: page.page_token.clone(),
            };
            pages!(client.list_postings, request, page, format, json::postings, tables::postings);
        }
        AuditCommand::Statement { grant, as_of } => {
            let request = GetGrantStatementRequest { grant_id: grant, as_of: as_of.to_wire() };
            let response = client.get_grant_statement(request).await?.into_inner();
            match format {
                Format::Json => print_json(&json::statement(&response)),
                Format::Table => tables::statement(&response),
            }
        }
        AuditCommand::Undrawn { order_by, filter, as_of, page } => {
            let request = ListUndrawnRequest {
                as_of: as_of.to_wire(),
                filter: filter.to_wire(),
                order_by,
                page_size: page.page_size,
                page_token: page.page_token.clone(),
            };
            pages!(client.list_undrawn, request, page, format, json::undrawn, tables::undrawn);
        }
        AuditCommand::Overdue(aged) => {
            let (request, page) = (aged_request!(ListOverdueRequest, aged), aged.page);
            pages!(client.list_overdue, request, page, format, json::overdue, tables::overdue);
        }
        AuditCommand::Matching(aged) => {
            let (request, page) = (aged_request!(ListMatchingRequest, aged), aged.page);
            pages!(client.list_matching, request, page, format, json::matching, tables::matching);
        }
        AuditCommand::Shares(aged) => {
            let (request, page) = (aged_request!(ListSharesRequest, aged), aged.page);
            pages!(client.list_shares, request, page, format, json::shares, tables::shares);
        }
        AuditCommand::Receivables(aged) => {
            let (request, page) = (aged_request!(ListReceivablesRequest, aged), aged.page);
            pages!(client.list_receivables, request, page, format, json::receivables, tables::receivables);
        }
        AuditCommand::Clocks { ahead, aged } => {
            let request = ListClocksRequest {
                as_of: aged.as_of.to_wire(),
                filter: aged.filter.to_wire(),
                on: aged.on.map(|date| date.to_string()).unwrap_or_default(),
                overdue_only: ahead.overdue_only(),
                due_within_days: ahead.due_within_days(),
                page_size: aged.page.page_size,
                page_token: aged.page.page_token.clone(),
            };
            pages!(client.list_clocks, request, aged.page, format, json::clocks, tables::clocks);
        }
        AuditCommand::Export { table, output, group_by, on, ahead, filter, as_of } => {
            let request = ExportCsvRequest {
                table: table.into(),
                as_of: as_of.to_wire(),
                filter: filter.to_wire(),
                group_by: wire_dimensions(&group_by),
                on: on.map(|date| date.to_string()).unwrap_or_default(),
                overdue_only: ahead.overdue_only(),
                due_within_days: ahead.due_within_days(),
            };
            file::write(client.export_csv(request).await?.into_inner(), output).await?;
        }
        AuditCommand::Columns => {
            let response = client.list_columns(ListColumnsRequest {}).await?.into_inner();
            match format {
                Format::Json => print_json(&json::columns(&response)),
                Format::Table => tables::columns(&response),
            }
        }
        AuditCommand::Status { min_position } => {
            let status =
                client.get_projection_status(GetProjectionStatusRequest { min_position }).await?.into_inner();
            match format {
                Format::Json => print_json(&json::status(&status)),
                Format::Table => tables::status(&status),
            }
            if !status.stopped.is_empty() || !status.balanced {
                return Err(CliError::failed("the projection is not in order; see above 投影异常"));
            }
        }
        AuditCommand::Findings(command) => findings::run(&mut audit.findings(), command, format).await?,
    }
    Ok(())
}

fn wire_dimensions(dimensions: &[Dimension]) -> Vec<i32> {
    dimensions.iter().map(|dimension| i32::from(*dimension)).collect()
}
