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
use crate::connect::{self, Actor, Agreements, Endpoints, Fund};
use crate::demo::DemoOptions;
use crate::errors::{CliError, with_causes};
use crate::grant::GrantCommand;
use crate::import::ImportArgs;
use crate::log::LogArgs;
use crate::output::Format;
use crate::party::PartyCommand;
use crate::programme::ProgrammeCommand;
use crate::today::TodayArgs;
use crate::up::UpArgs;
use crate::{agreement, audit, bulk, grant, import, log, party, programme, today, up};

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
    /// Grants: procedure, contract, payments 资助项目
    #[command(subcommand)]
    Grant(GrantCommand),
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
            audit::run(&mut connect::audit(&Endpoints::find(&cli.dir)?).await?, command, format).await
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
            grant::run(&mut fund.grants(&actor)?, command, format).await
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
            &["concord", "log", "recover", "--refill-from-stream"],
            &["concord", "log", "recover", "--accept-timeline", "--new-generation", "--reason", "why"],
        ] {
            assert!(Cli::try_parse_from(wrong).is_err_and(|error| error.use_stderr()), "{wrong:?}");
        }
    }
}
