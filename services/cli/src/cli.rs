//! The command tree, and what each exit code means.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; an import with rejected rows too, which its summary counts |
//! | 1 | failed or refused; standard error says why and what to do |
//! | 2 | `import --strict`: rows were rejected, the others are imported |
//! | 3 | `log recover`: the log has to be recovered, and no way was chosen |
//! | 4 | `log recover`: the chosen way cannot be gone; standard output says which can |
//! | 5 | `log recover`: a service still writes the log |
//! | 6 | `log check`: no fault was found, but not everything was compared |
//! | 64 | usage: unknown or missing arguments, an unreadable mapping |

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::agreement::AgreementCommand;
use crate::audit::AuditCommand;
use crate::connect::{self, Actor, Agreements, Audit, Endpoints, Fund};
use crate::demo::DemoOptions;
use crate::errors::{CliError, with_causes};
use crate::grant::GrantCommand;
use crate::import::ImportArgs;
use crate::log::LogArgs;
use crate::output::Format;
use crate::party::PartyCommand;
use crate::programme::ProgrammeCommand;
use crate::recovery::RecoveryCommand;
use crate::rectification::RectificationCommand;
use crate::today::TodayArgs;
use crate::up::UpArgs;
use crate::{
    agreement, audit, bulk, grant, import, log, party, programme, recovery, rectification, today, up,
};

/// Usage errors, as sysexits.h has it.
const USAGE: u8 = 64;

/// Concord: the system of record for research grants 科研资助台账.
#[derive(Debug, Parser)]
#[command(name = "concord", version, about, max_term_width = 110)]
#[command(after_help = "Exit codes 退出码: 0 done, 1 failed or refused, 2 rows rejected (import --strict), \
                  3 to 5 log recover (see its help), 6 not all compared (log check), 64 usage.")]
struct Cli {
    /// Directory of the local stack 本地环境目录
    #[arg(long, global = true, env = "CONCORD_DIR", default_value = crate::stack::DEFAULT_DIRECTORY, value_name = "DIR")]
    dir: PathBuf,
    /// Who acts, as person@organisation 操作人（人员@单位）
    #[arg(long, global = true, env = "CONCORD_ACTOR", value_name = "PERSON@ORG")]
    actor: Option<Actor>,
    /// Print JSON, amounts in minor units 输出 JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Top,
}

#[derive(Debug, Subcommand)]
enum Top {
    /// Start, stop or look at the local stack 本地环境
    Up(UpArgs),
    /// Take in awards made elsewhere 导入历史项目
    #[command(subcommand)]
    Import(ImportCommand),
    /// Programmes: money and limits 年度计划
    #[command(subcommand)]
    Programme(ProgrammeCommand),
    /// Grants: procedure, contract, payments, spending, end 资助项目
    #[command(subcommand)]
    Grant(GrantCommand),
    /// Recoveries of money that was paid 追缴
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// What somebody does about a finding 整改
    #[command(subcommand)]
    Rectification(RectificationCommand),
    /// Agreements: drafts, signatures, versions, ends 协议
    #[command(subcommand)]
    Agreement(AgreementCommand),
    /// The directory of parties: codes, registers, mergers 主体
    #[command(subcommand)]
    Party(PartyCommand),
    /// The office's tables and exports 资金审计
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Where the log stands, what was refused, and how it is recovered 日志
    Log(LogArgs),
    /// The log's today; move a played clock 当前日期
    Today(TodayArgs),
    /// Nine played years on a stack of its own 演示
    Demo(DemoOptions),
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// Grants of EU Horizon 2020, from CORDIS participations 欧盟地平线 2020
    H2020 {
        #[command(flatten)]
        args: ImportArgs,
        /// Add a synthetic payment plan of 50, 30 and 20 per cent, labelled 添加模拟拨款计划
        #[arg(long)]
        synthetic_tranches: bool,
    },
    /// Any CSV file, as a mapping says CSV 文件
    Csv {
        #[command(flatten)]
        args: ImportArgs,
        /// Which column is which field, TOML; examples in deploy/mappings 映射文件
        #[arg(long, value_name = "FILE")]
        mapping: PathBuf,
    },
}

/// Runs the command line with these arguments, and gives the process's exit code.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; a closed pipe is nothing to complain about.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match dispatch(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", with_causes(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

async fn dispatch(cli: Cli) -> Result<(), CliError> {
    let format = if cli.json { Format::Json } else { Format::Table };
    match cli.command {
        Top::Up(args) => up::run(UpArgs { dir: cli.dir, json: cli.json, ..args }).await,
        Top::Demo(options) => up::demo(&cli.dir, options).await,
        Top::Audit(command) => {
            audit::run(&Audit::connect(&Endpoints::find(&cli.dir)?).await?, command, format).await
        }
        Top::Import(command) => {
            let source = read(command, format)?;
            if source.args.dry_run {
                return dry_run(source, format);
            }
            let (fund, actor) = connect::fund(&cli.dir, cli.actor).await?;
            import_source(&fund, &actor, source, format).await
        }
        Top::Programme(command) => {
            let (fund, actor) = connect::fund(&cli.dir, cli.actor).await?;
            programme::run(&mut fund.programmes(&actor)?, command, format).await
        }
        Top::Grant(command) => {
            let (fund, actor) = connect::fund(&cli.dir, cli.actor).await?;
            grant::run(&fund, &actor, command, format).await
        }
        Top::Recovery(command) => {
            let (fund, actor) = connect::fund(&cli.dir, cli.actor).await?;
            recovery::run(&fund, &actor, command, format).await
        }
        Top::Rectification(command) => {
            let (fund, actor) = connect::fund(&cli.dir, cli.actor).await?;
            rectification::run(&fund, &actor, command, format).await
        }
        Top::Agreement(command) => {
            let (agreements, actor) = connect::agreements(&cli.dir, cli.actor).await?;
            agreement::run(&mut agreements.agreements(&actor)?, command, format).await
        }
        Top::Party(command) => {
            let (agreements, actor) = connect::agreements(&cli.dir, cli.actor).await?;
            party::run(&mut agreements.parties(&actor)?, command, format).await
        }
        Top::Log(args) => log::run(&cli.dir, cli.actor, args, format).await,
        Top::Today(args) => {
            let endpoints = Endpoints::find(&cli.dir)?;
            let actor = connect::acting(cli.actor, endpoints.local)?;
            let fund = Fund::connect(&endpoints).await?.log(&actor)?;
            let agreements = match &endpoints.agreement {
                Some(_) => Some(Agreements::connect(&endpoints).await?.log(&actor)?),
                None => None,
            };
            today::run(fund, agreements, args, format).await
        }
    }
}

/// A file that was read, before the log's today is known.
struct Source {
    args: ImportArgs,
    content: Content,
}

enum Content {
    H2020 { file: import::h2020::SourceFile, synthetic_tranches: bool },
    Csv { text: String, mapping: Box<import::mapping::Mapping> },
}

impl Source {
    fn awards(
        &mut self,
        today: jiff::civil::Date,
    ) -> Result<(Vec<import::Award>, Vec<import::Reject>), CliError> {
        match &mut self.content {
            Content::H2020 { file, synthetic_tranches } => {
                let awards =
                    file.grants.iter().map(|grant| grant.award(*synthetic_tranches, today)).collect();
                Ok((awards, std::mem::take(&mut file.rejects)))
            }
            Content::Csv { text, mapping } => import::csv::parse(text, mapping, today),
        }
    }
}

fn read(command: ImportCommand, format: Format) -> Result<Source, CliError> {
    Ok(match command {
        ImportCommand::H2020 { args, synthetic_tranches } => {
            let file = import::h2020::parse(&import::read_file(&args.file)?)?;
            if format == Format::Table {
                import::h2020::print_summary(&file);
            }
            Source { args, content: Content::H2020 { file, synthetic_tranches } }
        }
        ImportCommand::Csv { args, mapping } => {
            let mapping = Box::new(import::mapping::Mapping::read(&mapping)?);
            let text = import::read_file(&args.file)?;
            Source { args, content: Content::Csv { text, mapping } }
        }
    })
}

fn dry_run(mut source: Source, format: Format) -> Result<(), CliError> {
    let (awards, rejects) = source.awards(jiff::Zoned::now().date())?;
    eprintln!("{} awards can be sent, nothing was 可导入 {}，未发送", awards.len(), awards.len());
    import::conclude(&source.args, &import::Report { rejects, ..import::Report::default() }, format)
}

async fn import_source(
    fund: &Fund,
    actor: &Actor,
    mut source: Source,
    format: Format,
) -> Result<(), CliError> {
    let (status, today) = import::log_status(fund, actor).await?;
    let (awards, rejects) = source.awards(today)?;
    let report = import::send(fund, actor, status.head, awards, rejects, &bulk::Stop::on_interrupt()).await?;
    import::conclude(&source.args, &report, format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_tree_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_arguments_are_usage_errors() {
        for wrong in [
            &["concord", "grant", "shoe"][..],
            &["concord", "--actor", "nobody", "today"],
            &["concord", "programme", "cut", "0190b1f0-0000-7000-8000-000000000000", "--amount", "1.005 CNY"],
            &["concord", "audit", "balances", "--group-by", "moon"],
            &["concord", "grant", "midterm", "0190b1f0-0000-7000-8000-000000000000", "--report", "1"],
            &["concord", "grant", "accept", "0190b1f0-0000-7000-8000-000000000000", "--minutes", "1"],
            &[
                "concord",
                "rectification",
                "assign",
                "A03",
                "--owner",
                "o",
                "--deadline",
                "2024-01-01",
                "--task",
                "t",
            ],
            &["concord", "audit", "tests", "--output", "tests.csv"],
            &["concord", "audit", "clocks", "--not-due-too", "--due-within-days", "30"],
            &["concord", "log", "recover", "--refill-from-stream"],
            &["concord", "log", "recover", "--accept-timeline", "--new-generation", "--reason", "why"],
        ] {
            assert!(Cli::try_parse_from(wrong).is_err_and(|error| error.use_stderr()), "{wrong:?}");
        }
    }

    /// One command a line, with a blank between its words.
    #[test]
    fn every_command_of_a_grants_life_is_taken() {
        const GRANT: &str = "0190b1f0-0000-7000-8000-000000000001";
        const OTHER: &str = "0190b1f0-0000-7000-8000-000000000002";
        let lines = "\
            grant contract GRANT --number 1 --amount 2.00_CNY --starts-on 2024-01-01 --ends-on 2024-12-31 --tranche 2:contract:2024-02-01 --share A:1,university,210102,2
            grant amend GRANT --tranche 2:contract:2024-02-01 --share A:1,university,210102,2 --minutes 1
            grant pledge GRANT 1 --kind government_budget --level city --payer A:1,government,210100 --amount 2.00_CNY --instalment 2:2024-06-30
            grant arrive GRANT 1 1 --amount 2.00_CNY --bank-reference B
            grant release GRANT 1 --reason r --minutes 1
            grant pass-on GRANT --to A:1 --amount 1.00_CNY --bank-reference B
            grant report-spend GRANT --party A:1 --category travel --spent-on 2024-03-01 --amount 1.00_CNY --invoice i,n,1 --invoice-code 2100143130 --purpose p
            grant accept-spend GRANT OTHER
            grant disallow-spend GRANT OTHER --reason r
            grant extend GRANT --ends-on 2025-12-31 --minutes 1
            grant midterm GRANT --passed --report 1
            grant complete GRANT --report 1
            grant accept passed GRANT --minutes 1
            grant accept rectify GRANT --by 2024-09-30 --minutes 1
            grant accept fail GRANT --cause false_books --minutes 1
            grant refund GRANT --amount 1.00_CNY --from retained --party A:1 --bank-reference B
            grant retain GRANT --amount 1.00_CNY --minutes 1
            grant transfer-balance GRANT --to OTHER --amount 1.00_CNY --minutes 1
            grant close GRANT --minutes 1 --refund-by 2024-12-31
            grant evaluate GRANT --grade good --score 86.50 --minutes 1
            grant terminate GRANT --reason r --minutes 1
            grant cancel GRANT --cause fraud --reason r --minutes 1
            grant object GRANT 1 --grounds g
            grant reject-objection GRANT 1 --reason r
            grant uphold-objection GRANT 1 --reason r
            grant override GRANT --rule A07 --minutes 1 --reason r
            grant correct GRANT 88 --reason r --authority 1
            recovery determine GRANT --cause diverted --take A:1,unspent,1 --minutes 1 --reason r
            recovery demand OTHER --number 1
            recovery appeal OTHER --grounds g
            recovery uphold OTHER --reason r
            recovery overturn OTHER --reason r
            recovery repay OTHER --amount 1.00_CNY --bank-reference B
            recovery offset OTHER --amount 1.00_CNY --against GRANT --tranche 2
            recovery write-off OTHER --minutes 1 --reason r
            recovery show OTHER
            rectification assign A03:GRANT/source/1/1@88 --grant GRANT --owner o --deadline 2024-09-30 --task t
            rectification explain OTHER --explanation e
            rectification rectify OTHER --evidence e
            rectification accept OTHER --minutes 1 --reason r
            rectification dismiss OTHER --minutes 1 --reason r --amount 2.00_CNY
            rectification show OTHER
            audit findings --rule A03,A11 --by rule,programme,age --on 2024-12-31 --order age --include-dismissed --all
            audit findings --csv --output findings.csv --year 2024
            audit tests --rule A01 --exceptions-max 5 --as-of-position 7
            audit clocks --due-within-days 30 --on 2024-12-31 --year 2024 --all
            audit clocks --not-due-too --effective-on 2024-12-31
            audit export clocks --due-within-days 30 --output clocks.csv";
        for line in lines.lines().map(str::trim) {
            let line = line.replace("GRANT", GRANT).replace("OTHER", OTHER);
            let words = line.split(' ').map(|word| word.replace("_CNY", " CNY"));
            let parsed = Cli::try_parse_from(std::iter::once("concord".to_owned()).chain(words));
            assert!(
                parsed.is_ok(),
                "{line}: {}",
                parsed.err().map(|error| error.to_string()).unwrap_or_default()
            );
        }
    }
}
