//! `concord programme`: yearly programmes 年度计划, their money and their limits.

use clap::{Args, Subcommand};
use concord_proto::fund::v1::programme_service_client::ProgrammeServiceClient;
use concord_proto::fund::v1::{
    AppropriateProgrammeRequest, CutProgrammeRequest, FundPurpose, GetProgrammeRequest, Programme,
    SetSubLimitRequest, SupplementProgrammeRequest, set_sub_limit_request, sub_limit,
};
use concord_proto::r#type::v1::{FundingMode, Money};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::connect::Stamped;
use crate::errors::CliError;
use crate::header::HeaderArgs;
use crate::output::{Format, amount, parse_money, print_fields, print_json, print_receipt, table};
use crate::words::{self, MODES, PURPOSES};

/// What to do with a programme.
#[derive(Debug, Subcommand)]
pub enum ProgrammeCommand {
    /// Open a programme with its first appropriation 拨款
    Appropriate(AppropriateArgs),
    /// Add money 追加
    Supplement {
        /// The programme 年度计划
        programme: Uuid,
        /// Amount, for example "1000000.00 CNY" 金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// What every command carries.
        #[command(flatten)]
        header: HeaderArgs,
    },
    /// Take available money back 核减
    Cut {
        /// The programme 年度计划
        programme: Uuid,
        /// Amount, for example "1000000.00 CNY" 金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// What every command carries.
        #[command(flatten)]
        header: HeaderArgs,
    },
    /// Set, change or lift a limit of a mode or a region 分项限额
    Limit(LimitArgs),
    /// Show a programme 查看
    Show {
        /// The programme 年度计划
        programme: Uuid,
    },
}

/// A new programme.
#[derive(Debug, Args)]
pub struct AppropriateArgs {
    /// Id of the new programme; made where it is left out 编号
    #[arg(long, value_name = "UUID")]
    programme_id: Option<Uuid>,
    /// Short code of the fund, for example guiding-fund 资金
    #[arg(long)]
    fund: String,
    /// What the money is for 用途
    #[arg(long, value_parser = words::parser(PURPOSES))]
    purpose: FundPurpose,
    /// Budget year 年度
    #[arg(long)]
    year: i32,
    /// Appropriation, for example "5000000.00 CNY" 金额
    #[arg(long, value_parser = parse_money)]
    amount: Money,
    /// Name shown to people 名称
    #[arg(long)]
    title: String,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// A limit.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("dimension").required(true).args(["mode", "region"]))]
#[command(group = clap::ArgGroup::new("change").required(true).args(["amount", "lift"]))]
pub struct LimitArgs {
    /// The programme 年度计划
    programme: Uuid,
    /// Limit a funding mode 资助方式
    #[arg(long, value_parser = words::parser(MODES))]
    mode: Option<FundingMode>,
    /// Limit a region of the lead 牵头单位地区
    #[arg(long)]
    region: Option<String>,
    /// The limit 限额
    #[arg(long, value_parser = parse_money)]
    amount: Option<Money>,
    /// Lift it 取消限额
    #[arg(long)]
    lift: bool,
    /// What every command carries.
    #[command(flatten)]
    header: HeaderArgs,
}

/// Runs a command.
///
/// # Errors
/// What the service answered.
pub async fn run(
    client: &mut ProgrammeServiceClient<Stamped>,
    command: ProgrammeCommand,
    format: Format,
) -> Result<(), CliError> {
    match command {
        ProgrammeCommand::Appropriate(args) => {
            let header = args.header.to_wire()?;
            let (request_id, programme_id) =
                (header.request_id.clone(), args.programme_id.unwrap_or_else(Uuid::now_v7).to_string());
            let request = AppropriateProgrammeRequest {
                header: Some(header),
                programme_id: programme_id.clone(),
                fund: args.fund,
                purpose: args.purpose.into(),
                year: args.year,
                amount: Some(args.amount),
                title: args.title,
            };
            let answer = client.appropriate_programme(request).await?.into_inner();
            print_receipt(format, &request_id, answer.receipt, &[("programme_id", programme_id)]);
        }
        ProgrammeCommand::Supplement { programme, amount, header } => {
            let header = header.to_wire()?;
            let request_id = header.request_id.clone();
            let request = SupplementProgrammeRequest {
                header: Some(header),
                programme_id: programme.to_string(),
                amount: Some(amount),
            };
            print_receipt(
                format,
                &request_id,
                client.supplement_programme(request).await?.into_inner().receipt,
                &[],
            );
        }
        ProgrammeCommand::Cut { programme, amount, header } => {
            let header = header.to_wire()?;
            let request_id = header.request_id.clone();
            let request = CutProgrammeRequest {
                header: Some(header),
                programme_id: programme.to_string(),
                amount: Some(amount),
            };
            print_receipt(
                format,
                &request_id,
                client.cut_programme(request).await?.into_inner().receipt,
                &[],
            );
        }
        ProgrammeCommand::Limit(args) => {
            let header = args.header.to_wire()?;
            let request_id = header.request_id.clone();
            let dimension = match (args.mode, args.region) {
                (Some(mode), _) => Some(set_sub_limit_request::Dimension::Mode(mode.into())),
                (None, region) => region.map(set_sub_limit_request::Dimension::Region),
            };
            let request = SetSubLimitRequest {
                header: Some(header),
                programme_id: args.programme.to_string(),
                dimension,
                limit: args.amount,
            };
            print_receipt(
                format,
                &request_id,
                client.set_sub_limit(request).await?.into_inner().receipt,
                &[],
            );
        }
        ProgrammeCommand::Show { programme } => {
            let request = GetProgrammeRequest { programme_id: programme.to_string(), min_position: 0 };
            let answer = client.get_programme(request).await?.into_inner();
            let shown = answer.programme.unwrap_or_default();
            match format {
                Format::Json => print_json(&programme_json(&shown, answer.position)),
                Format::Table => print_programme(&shown, answer.position),
            }
        }
    }
    Ok(())
}

fn limited(dimension: &Option<sub_limit::Dimension>) -> String {
    match dimension {
        Some(sub_limit::Dimension::Mode(mode)) => words::word(MODES, *mode).to_owned(),
        Some(sub_limit::Dimension::Region(region)) => region.clone(),
        None => String::new(),
    }
}

fn print_programme(programme: &Programme, position: u64) {
    let shown = |minor: i64| format!("{} {}", amount(minor, &programme.currency), programme.currency);
    print_fields(&[
        ("programme 年度计划", programme.programme_id.clone()),
        ("title 名称", programme.title.clone()),
        ("fund 资金", format!("{} / {}", programme.fund, programme.year)),
        ("purpose 用途", words::both(PURPOSES, programme.purpose)),
        ("appropriated 预算", shown(programme.appropriated_minor)),
        ("  migrated 其中历史项目", shown(programme.migrated_minor)),
        ("available 可用", shown(programme.available_minor)),
        ("reserved 已立项", shown(programme.reserved_minor)),
        ("contracted 已签约", shown(programme.contracted_minor)),
        ("version 版本", programme.version.to_string()),
        ("as of 截至", position.to_string()),
    ]);
    if !programme.sub_limits.is_empty() {
        let mut table = table(&["limit on 限额对象", ">limit 限额", ">taken 已用", ">left 剩余"]);
        for limit in &programme.sub_limits {
            table.add_row([
                limited(&limit.dimension),
                shown(limit.limit_minor),
                shown(limit.taken_minor),
                shown(limit.limit_minor.saturating_sub(limit.taken_minor)),
            ]);
        }
        println!("{table}");
    }
}

fn programme_json(programme: &Programme, position: u64) -> Value {
    let limits = programme.sub_limits.iter().map(|limit| {
        let (name, value) = match &limit.dimension {
            Some(sub_limit::Dimension::Mode(mode)) => ("mode", words::word(MODES, *mode)),
            Some(sub_limit::Dimension::Region(region)) => ("region", region.as_str()),
            None => ("dimension", ""),
        };
        json!({name: value, "limit_minor": limit.limit_minor, "taken_minor": limit.taken_minor})
    });
    json!({
        "programme_id": programme.programme_id,
        "fund": programme.fund,
        "purpose": words::word(PURPOSES, programme.purpose),
        "year": programme.year,
        "currency": programme.currency,
        "title": programme.title,
        "appropriated_minor": programme.appropriated_minor,
        "migrated_minor": programme.migrated_minor,
        "available_minor": programme.available_minor,
        "reserved_minor": programme.reserved_minor,
        "contracted_minor": programme.contracted_minor,
        "sub_limits": limits.collect::<Vec<_>>(),
        "version": programme.version,
        "position": position,
    })
}
