//! `concord audit findings` and `tests`: what the audit finds 审计发现, and how often the rules held 控制测试.

pub(crate) mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use concord_proto::audit::v1::finding_service_client::FindingServiceClient;
use concord_proto::audit::v1::{
    ExportControlTestsRequest, ExportFindingsRequest, FindingDimension, ListControlTestsRequest,
    ListFindingsRequest,
};
use jiff::civil::Date;
use tonic::transport::Channel;

use super::{AsOfArgs, FilterArgs, PageArgs, file, pages};
use crate::errors::CliError;
use crate::output::{Format, print_json};
use crate::words::{self, FINDING_DIMENSIONS, FINDING_ORDERS};

/// What to show of it.
#[derive(Debug, Subcommand)]
pub enum FindingCommand {
    /// Findings of the audit rules, grouped and ranked 审计发现
    Findings(Box<FindingsArgs>),
    /// Tests of the rules that stop a command: of so many acts, how many broke the rule 控制测试
    Tests(Box<TestsArgs>),
}

/// Which findings.
#[derive(Debug, Args)]
pub struct FindingsArgs {
    /// Rules to find by, for example A03; none: all 规则
    #[arg(long = "rule", value_name = "RULE", value_delimiter = ',')]
    rules: Vec<String>,
    /// Up to three dimensions to group by; none: by rule. With --csv: a row a group, and the whole last 分组
    #[arg(long, value_delimiter = ',', value_parser = words::parser(FINDING_DIMENSIONS))]
    by: Vec<FindingDimension>,
    /// Day that ages are counted from; default --effective-on, else the log's day 截止日
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    /// In which order 排序
    #[arg(long, default_value = "amount", conflicts_with = "csv", value_parser = words::parser(FINDING_ORDERS))]
    order: &'static str,
    /// List also findings that were dismissed; they are counted in any case 列出不成立的发现
    #[arg(long)]
    include_dismissed: bool,
    /// How it is written down.
    #[command(flatten)]
    csv: CsvArgs,
    /// What is looked at; a finding has a day of its own, and no period.
    #[command(flatten)]
    filter: FilterArgs,
    /// The point that it is about.
    #[command(flatten)]
    as_of: AsOfArgs,
    /// Which page.
    #[command(flatten)]
    page: PageArgs,
}

/// Which control tests.
#[derive(Debug, Args)]
pub struct TestsArgs {
    /// Rules to test, for example A01; none: all 规则
    #[arg(long = "rule", value_name = "RULE", value_delimiter = ',')]
    rules: Vec<String>,
    /// Positions of exceptions told for each test; the CSV has all 例外位置上限
    #[arg(long, default_value_t = 20, conflicts_with = "csv", value_parser = clap::value_parser!(i32).range(1..=1000))]
    exceptions_max: i32,
    /// How it is written down.
    #[command(flatten)]
    csv: CsvArgs,
    /// What is looked at, without a period.
    #[command(flatten)]
    filter: FilterArgs,
    /// The point that it is about.
    #[command(flatten)]
    as_of: AsOfArgs,
}

/// A whole table as CSV.
#[derive(Debug, Args)]
struct CsvArgs {
    /// Print all of it as CSV, amounts in minor units 输出 CSV
    #[arg(long)]
    csv: bool,
    /// With --csv: file to write; default standard output 输出文件
    #[arg(long, short, value_name = "FILE", requires = "csv")]
    output: Option<PathBuf>,
}

impl CsvArgs {
    /// Whether CSV is asked for.
    fn asked(&self, format: Format) -> Result<bool, CliError> {
        if self.csv && format == Format::Json {
            return Err(CliError::usage("choose --csv or --json, not both 请在 --csv 与 --json 中选择一项"));
        }
        Ok(self.csv)
    }
}

/// Runs a command.
///
/// # Errors
/// What the service answered, or arguments that do not fit together.
pub async fn run(
    client: &mut FindingServiceClient<Channel>,
    command: FindingCommand,
    format: Format,
) -> Result<(), CliError> {
    match command {
        FindingCommand::Findings(args) if args.csv.asked(format)? => {
            let request = ExportFindingsRequest {
                as_of: args.as_of.to_wire(),
                filter: args.filter.to_wire(),
                rules: args.rules,
                on: day(args.on),
                include_dismissed: args.include_dismissed,
                group_by: args.by.iter().map(|dimension| i32::from(*dimension)).collect(),
            };
            file::write(client.export_findings(request).await?.into_inner(), args.csv.output).await
        }
        FindingCommand::Findings(args) => list(client, *args, format).await,
        FindingCommand::Tests(args) if args.csv.asked(format)? => {
            let request = ExportControlTestsRequest {
                as_of: args.as_of.to_wire(),
                filter: args.filter.to_wire(),
                rules: args.rules,
            };
            file::write(client.export_control_tests(request).await?.into_inner(), args.csv.output).await
        }
        FindingCommand::Tests(args) => {
            let request = ListControlTestsRequest {
                as_of: args.as_of.to_wire(),
                filter: args.filter.to_wire(),
                rules: args.rules,
                exceptions_max: args.exceptions_max,
            };
            let response = client.list_control_tests(request).await?.into_inner();
            match format {
                Format::Json => print_json(&show::tests_json(&response)),
                Format::Table => show::tests(&response),
            }
            Ok(())
        }
    }
}

async fn list(
    client: &mut FindingServiceClient<Channel>,
    args: FindingsArgs,
    format: Format,
) -> Result<(), CliError> {
    let by = if args.by.is_empty() { vec![FindingDimension::Rule] } else { args.by };
    let request = ListFindingsRequest {
        as_of: args.as_of.to_wire(),
        filter: args.filter.to_wire(),
        rules: args.rules,
        on: day(args.on),
        group_by: by.iter().map(|dimension| i32::from(*dimension)).collect(),
        order_by: args.order.to_owned(),
        include_dismissed: args.include_dismissed,
        page_size: args.page.page_size,
        page_token: args.page.page_token.clone(),
    };
    // The groups are of all findings: they stand before the first page, and not before each.
    let mut groups = args.page.page_token.is_empty();
    pages!(client.list_findings, request, args.page, format, show::json, |response| {
        if std::mem::take(&mut groups) {
            show::groups(response, &by);
        }
        show::findings(response);
    });
    Ok(())
}

fn day(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}
