//! `concord demo`: nine played years over real grants, with made-up lives, on a stack of its own.
//!
//! Imports the grants of Horizon 2020, puts an agreement 协议 behind each that joins a company with a university or an
//! institute, plays their lives synthetically 模拟 from payment to closeout and recovery, takes fresh applications through the
//! whole procedure, shows the office's tables, the money that stands still since an agreement ended, what the audit finds and
//! how often the rules held, how long such answers take, and proves both logs, and streams and projection against them; what
//! the log comes to must be what the demo sent. It can be interrupted and run again; the end is the same.

mod agreements;
mod answers;
mod books;
mod commands;
mod findings;
mod fresh;
mod parties;
mod plan;
mod play;
mod report;
mod schedule;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use concord_proto::audit::v1::GetProjectionStatusRequest;
use concord_proto::audit::v1::funding_audit_service_client::FundingAuditServiceClient;
use concord_proto::log::v1::{GetLogStatusRequest, GetLogStatusResponse};
use tonic::Code;
use tonic::transport::Channel;

use crate::bulk::Stop;
use crate::check::{self, CheckArgs};
use crate::connect::{Actor, Agreements, Audit, Endpoints, Fund};
use crate::errors::CliError;
use crate::import::{h2020, read_file};
use crate::output::{Format, count};
use crate::progress::{per_second, seconds};

/// Name of the whole file in a data directory.
const DATA_FILE: &str = "eu-h2020-participations.csv.gz";
/// The part of it that comes with the repository.
const EXCERPT: &str = "tests/data/h2020-excerpt.csv";
/// How long the projection may stand still while the demo waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the demo runs on.
#[derive(Debug, Clone, Default, Args)]
pub struct DemoOptions {
    /// Horizon 2020 participations, plain or gzipped; default DATA_DIR, ../shared/data, the excerpt 数据文件
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
}

/// How a demo went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoReport {
    /// Grants in the log, imported and fresh.
    pub grants: u64,
    /// Events in the fund's log: its head.
    pub events: u64,
    /// Agreements in theirs.
    pub agreements: u64,
    /// Events in the agreements' log: its head.
    pub agreement_events: u64,
    /// Commands of the played years, sent over the bulk stream.
    pub commands: u64,
    /// Such commands a second.
    pub commands_per_second: u64,
    /// From the last bulk answer until the projection had applied it.
    pub lag: Duration,
}

impl DemoReport {
    /// The demo's last line.
    #[must_use]
    pub fn last_line(&self) -> String {
        format!(
            "demo ok: {} grants, {} events, log = stream = checkpoint = {}, {} agreements, {} events, log = stream = {}, \
             ledger balanced",
            self.grants,
            self.events,
            self.events,
            self.agreements,
            self.agreement_events,
            self.agreement_events
        )
    }
}

/// Runs the demo against a stack whose clock is played from 2014-01-01 or earlier, and whose stream and projection
/// `compared` names. Prints as it goes; the last line is the caller's to print, once everything has ended well.
///
/// # Errors
/// What was refused though it should not be, or what differs at the end.
pub async fn run(
    endpoints: &Endpoints,
    compared: &CheckArgs,
    options: DemoOptions,
) -> Result<DemoReport, CliError> {
    let path = find_data(options.data)?;
    println!("data 数据: {}", path.display());
    let file = h2020::parse(&read_file(&path)?)?;
    h2020::print_summary(&file);
    if let Some(reject) = file.rejects.first() {
        return Err(CliError::failed(format!("{}: line {}: {}", path.display(), reject.line, reject.reason)));
    }
    let fund = Fund::connect(endpoints).await?;
    let agreements = Agreements::connect(endpoints).await?;
    let auditing = Audit::connect(endpoints).await?;
    let mut audit = auditing.tables();
    require_played_clock(&fund).await?;

    let mut books = books::Books::default();
    let stop = Stop::on_interrupt();
    let played = play::play(&fund, &agreements, &file.grants, &mut books, &stop).await?;
    let rate = per_second(played.commands, played.elapsed);
    println!(
        "{} commands in {}: {} commands/s 条/秒",
        count(played.commands),
        seconds(played.elapsed),
        count(rate)
    );
    let lag = catch_up(&fund, &mut audit).await?;
    println!("projection caught up {} after the last answer 投影滞后", seconds(lag));

    let fresh = fresh::run(&fund, &mut books).await?;
    catch_up(&fund, &mut audit).await?;
    let head = log_status(&fund).await?.head;
    report::print(&mut audit, &fund, head, &fresh.shown.to_string()).await?;
    report::frozen(&mut audit, head, &played).await?;
    findings::refresh_statistics(compared.projection_database_url.as_deref()).await?;
    let rules = findings::print(&auditing, head).await?;
    answers::print(&auditing, head, &rules).await?;

    let grants = file.grants.len() as u64 + fresh.grants;
    report::compare(&mut audit, head, &books, grants).await?;
    println!("\ncheck of the logs 核对日志");
    let auditor = Actor::new("demo-auditor", commands::OFFICE);
    check::run(fund.log(&auditor)?, endpoints, compared, Format::Table).await?;
    check::run(agreements.log(&auditor)?, endpoints, compared, Format::Table).await?;
    let status = agreements.log(&auditor)?.get_log_status(GetLogStatusRequest {}).await?;
    let report = DemoReport {
        grants,
        events: head,
        agreements: played.agreements,
        agreement_events: status.into_inner().head,
        commands: played.commands,
        commands_per_second: rate,
        lag,
    };
    println!("{} commands/s, lag {} 吞吐与滞后", count(rate), seconds(lag));
    Ok(report)
}

/// The named file; else the whole one where it lies, else the excerpt.
fn find_data(named: Option<PathBuf>) -> Result<PathBuf, CliError> {
    if let Some(path) = named {
        return Ok(path);
    }
    let directory = std::env::var_os("DATA_DIR").filter(|directory| !directory.is_empty());
    let candidates = [
        directory.map(|directory| Path::new(&directory).join(DATA_FILE)),
        Some(Path::new("../shared/data").join(DATA_FILE)),
        Some(PathBuf::from(EXCERPT)),
    ];
    candidates.into_iter().flatten().find(|path| path.is_file()).ok_or_else(|| {
        CliError::usage(format!(
            "no data found: name a file with --data, set DATA_DIR to the directory of {DATA_FILE}, or run in the repository, \
             where {EXCERPT} is 找不到数据文件"
        ))
    })
}

async fn log_status(fund: &Fund) -> Result<GetLogStatusResponse, CliError> {
    let reader = Actor::new("demo-reader", commands::OFFICE);
    Ok(fund.log(&reader)?.get_log_status(GetLogStatusRequest {}).await?.into_inner())
}

async fn require_played_clock(fund: &Fund) -> Result<(), CliError> {
    let status = log_status(fund).await?;
    if status.clock == "played" {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "the log's clock is {:?}; the demo plays from 2014 on and needs a stack of its own: \
         concord up --played-from 2014-01-01, in an empty --dir 演示需要可推进的时钟",
        status.clock
    )))
}

/// Waits until the projection has applied the log's head, and says how long that took.
async fn catch_up(fund: &Fund, audit: &mut FundingAuditServiceClient<Channel>) -> Result<Duration, CliError> {
    let since = Instant::now();
    let head = log_status(fund).await?.head;
    let (mut seen, mut seen_at) = (0, Instant::now());
    loop {
        let status =
            match audit.get_projection_status(GetProjectionStatusRequest { min_position: head }).await {
                Ok(status) => status.into_inner(),
                // It waited as long as it may, and says so.
                Err(status) if matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) => audit
                    .get_projection_status(GetProjectionStatusRequest { min_position: 0 })
                    .await?
                    .into_inner(),
                Err(status) => return Err(status.into()),
            };
        if status.checkpoint >= head {
            return Ok(since.elapsed());
        }
        if !status.stopped.is_empty() {
            return Err(CliError::failed(format!(
                "the projection stopped at {}: {}",
                status.checkpoint, status.stopped
            )));
        }
        if status.checkpoint > seen {
            (seen, seen_at) = (status.checkpoint, Instant::now());
        }
        if seen_at.elapsed() > PATIENCE {
            return Err(CliError::failed(format!(
                "the projection stands at {} of {head} for a minute",
                status.checkpoint
            )));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_what_make_demo_looks_for() {
        let report = DemoReport {
            grants: 3,
            events: 17,
            agreements: 2,
            agreement_events: 11,
            commands: 9,
            commands_per_second: 1,
            lag: Duration::ZERO,
        };
        assert_eq!(
            report.last_line(),
            "demo ok: 3 grants, 17 events, log = stream = checkpoint = 17, 2 agreements, 11 events, log = stream = 11, \
             ledger balanced"
        );
    }
}
