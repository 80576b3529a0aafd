//! `concord audit`: the office's tables, as of any position and date, and the exports behind them.

mod file;
pub mod findings;
pub mod json;
pub mod tables;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use concord_proto::audit::v1::{
    AsOf, Dimension, ExportCsvRequest, ExportTable, GetGrantStatementRequest, GetProjectionStatusRequest,
    ListBalancesRequest, ListColumnsRequest, ListMatchingRequest, ListOverdueRequest, ListPostingsRequest,
    ListReceivablesRequest, ListSharesRequest, ListUndrawnRequest, PostingFilter,
};
use concord_proto::r#type::v1::FundingMode;

use self::findings::FindingCommand;
use crate::connect::Audit;
use crate::errors::CliError;
use crate::output::{Format, print_json};
use crate::words::{self, DIMENSIONS, MODES, TABLES};

/// The point that a question is about.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "As of 截至")]
pub struct AsOfArgs {
    /// Events at or below this position of the log 日志位置
    #[arg(long, value_name = "POSITION")]
    as_of_position: Option<u64>,
    /// Events known at this instant, RFC 3339 登记时间
    #[arg(long, value_name = "INSTANT", conflicts_with = "as_of_position")]
    as_of_time: Option<String>,
    /// Facts that happened on or before this date 发生日期
    #[arg(long, value_name = "DATE")]
    effective_on: Option<jiff::civil::Date>,
    /// Wait until the tables have reached this position 等待至该位置
    #[arg(long, value_name = "POSITION")]
    min_position: Option<u64>,
}

/// Narrows what is summed or listed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters 筛选")]
pub struct FilterArgs {
    /// Programme 年度计划
    #[arg(long, value_name = "UUID")]
    programme: Option<String>,
    /// Funding mode 资助方式
    #[arg(long, value_parser = words::parser(MODES))]
    mode: Option<FundingMode>,
    /// Lead's region or the start of its code 牵头单位地区
    #[arg(long, value_name = "REGION")]
    lead_region: Option<String>,
    /// Allocated party's region or the start of its code 分配单位地区
    #[arg(long, value_name = "REGION")]
    party_region: Option<String>,
    /// Industry 产业
    #[arg(long)]
    industry: Option<String>,
    /// Budget year 年度
    #[arg(long)]
    year: Option<i32>,
    /// Accounting period 会计期间
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<String>,
    /// Grant 项目
    #[arg(long, value_name = "UUID")]
    grant: Option<String>,
    /// Party by its UUID or a code 单位
    #[arg(long, value_name = "CODE")]
    party: Option<String>,
    /// Currency 币种
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
}

/// How much of a list.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pages 分页")]
pub struct PageArgs {
    /// Rows on a page 每页行数
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=1000))]
    page_size: i32,
    /// Go on from the page before 下一页
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    page_token: String,
    /// All pages 全部
    #[arg(long)]
    all: bool,
}

/// A list whose rows have ages.
#[derive(Debug, Clone, Args)]
pub struct AgedArgs {
    /// Counted from this day; default --effective-on, else the log's day 截止日
    #[arg(long, value_name = "DATE")]
    on: Option<jiff::civil::Date>,
    /// What is counted.
    #[command(flatten)]
    filter: FilterArgs,
    /// The point that it is about.
    #[command(flatten)]
    as_of: AsOfArgs,
    /// Which page.
    #[command(flatten)]
    page: PageArgs,
}

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

impl AsOfArgs {
    fn to_wire(&self) -> Option<AsOf> {
        Some(AsOf {
            position: self.as_of_position.unwrap_or_default(),
            recorded_at: self.as_of_time.clone().unwrap_or_default(),
            effective_on: self.effective_on.map(|date| date.to_string()).unwrap_or_default(),
            min_position: self.min_position.unwrap_or_default(),
        })
    }
}

impl FilterArgs {
    fn to_wire(&self) -> Option<PostingFilter> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Some(PostingFilter {
            programme_id: text(&self.programme),
            mode: self.mode.unwrap_or_default().into(),
            lead_region: text(&self.lead_region),
            party_region: text(&self.party_region),
            industry: text(&self.industry),
            year: self.year.unwrap_or_default(),
            period: text(&self.period),
            grant_id: text(&self.grant),
            party: text(&self.party),
            currency: text(&self.currency),
        })
    }
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
        AuditCommand::Export { table, output, group_by, on, filter, as_of } => {
            let request = ExportCsvRequest {
                table: table.into(),
                as_of: as_of.to_wire(),
                filter: filter.to_wire(),
                group_by: wire_dimensions(&group_by),
                on: on.map(|date| date.to_string()).unwrap_or_default(),
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
