//! `concord up`: the local stack with every service in this process. `concord demo` runs on one of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use concord_chassis::config::LogFormat;
use concord_chassis::service::{cancel_on_signal, in_full};
use concord_chassis::telemetry;
use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use crate::check::CheckArgs;
use crate::demo::{self, DemoOptions};
use crate::errors::CliError;
use crate::local::{LocalStack, SERVICES_FILE};
use crate::stack::{self, StackState, Stopped};

/// How long `--detach` waits for the stack: a first start makes a database cluster.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// The demo's first day: the first grants of Horizon 2020 begin on it.
const DEMO_FROM: Date = jiff::civil::date(2014, 1, 1);

/// How the local stack is started, stopped or looked at.
#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    /// Directory of the stack, from the command line's `--dir`.
    #[arg(skip)]
    pub dir: PathBuf,
    /// Whether `--status` prints JSON, from the command line's `--json`.
    #[arg(skip)]
    pub json: bool,
    /// Stop a running stack 停止
    #[arg(long, conflicts_with_all = ["status", "reset", "played_from", "detach"])]
    pub stop: bool,
    /// Say what runs 状态
    #[arg(long, conflicts_with_all = ["reset", "played_from", "detach"])]
    pub status: bool,
    /// Delete all data of the stack, and start none 清空数据
    #[arg(long, conflicts_with_all = ["played_from", "detach"])]
    pub reset: bool,
    /// Create the log with a played clock that begins on this date 可推进时钟的起始日期
    #[arg(long, value_name = "DATE")]
    pub played_from: Option<Date>,
    /// Return once the stack answers; it goes on in the background 后台运行
    #[arg(long)]
    pub detach: bool,
}

/// Runs the command.
///
/// # Errors
/// Where the stack cannot be started, stopped or found.
pub async fn run(args: UpArgs) -> Result<(), CliError> {
    let dir = &args.dir;
    if args.stop {
        stop(dir).await
    } else if args.status {
        status(dir, args.json)
    } else if args.reset {
        stack::reset(dir).await.map_err(failed)?;
        println!("{} is empty 数据已清空", dir.display());
        Ok(())
    } else if args.detach {
        detach(dir, args.played_from).await
    } else {
        stay(dir, args.played_from).await
    }
}

/// Runs the demo on a stack of its own under `dir`, and stops it. The data stays, to be looked at.
///
/// # Errors
/// As [`demo::run`], and where the stack cannot be started or stopped.
pub async fn demo(dir: &Path, options: DemoOptions) -> Result<(), CliError> {
    let dir = dir.join("demo");
    let telemetry = telemetry::init("concord", "local", LogFormat::Text, None).map_err(failed)?;
    let mut stack = LocalStack::start(&dir, Some(DEMO_FROM)).await?;
    let endpoints = stack.endpoints().clone();
    let compared = CheckArgs::of_local_stack(&dir)?;
    // Without one of its servers it would only retry: it ends, says which, and goes on when it is run again.
    let shown = tokio::select! {
        shown = demo::run(&endpoints, &compared, options) => shown,
        why = stack.died() => Err(CliError::failed(why)),
    };
    let stopped = stack.stop().await;
    telemetry.shutdown().await;
    let report = shown?;
    stopped?;
    println!("look around 查看数据: concord --dir {} up", dir.display());
    // Last, once everything has ended well.
    println!("{}", report.last_line());
    Ok(())
}

/// Starts the stack and stays until a signal, or until one of its servers ends.
async fn stay(dir: &Path, played_from: Option<Date>) -> Result<(), CliError> {
    let started = Instant::now();
    let collector = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok().filter(|url| !url.is_empty());
    let telemetry =
        telemetry::init("concord", "local", LogFormat::Text, collector.as_deref()).map_err(failed)?;
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let (metrics, serving) =
        telemetry::serve_metrics(loopback, telemetry.metrics(), shutdown.clone()).await.map_err(failed)?;
    let mut stack = LocalStack::start(dir, played_from).await?;
    let endpoints = stack.endpoints();
    println!("concord is up in {:.1?} 本地环境已启动", started.elapsed());
    println!("  agreement      {}", endpoints.agreement.as_deref().unwrap_or_default());
    println!("  fund-grant     {}", endpoints.fund_grant);
    println!("  funding-audit  {}", endpoints.funding_audit);
    println!("  metrics        http://{metrics}/metrics");
    println!("stop with Ctrl-C, or: concord --dir {} up --stop", dir.display());
    let ended = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        why = stack.died() => Err(CliError::failed(why)),
    };
    shutdown.cancel();
    let stopped = stack.stop().await;
    let _ = serving.await;
    telemetry.shutdown().await;
    ended.and(stopped)
}

/// Starts a process of its own that stays, and returns once it answers.
async fn detach(dir: &Path, played_from: Option<Date>) -> Result<(), CliError> {
    // Beside the directory, not in it: what the stack has not made itself it refuses to take for its own.
    let log = dir.with_extension("log");
    if let Some(parent) = log.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(CliError::file("create", parent))?;
    }
    let output = std::fs::File::create(&log).map_err(CliError::file("create", &log))?;
    let errors = output.try_clone().map_err(CliError::file("open", &log))?;
    let services = dir.join(SERVICES_FILE);
    let before = std::fs::metadata(&services).and_then(|file| file.modified()).ok();
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command.arg("--dir").arg(dir).arg("up").stdin(Stdio::null()).stdout(output).stderr(errors);
    if let Some(day) = played_from {
        command.args(["--played-from", &day.to_string()]);
    }
    // Ctrl-C at this terminal is not meant for it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(failed)?;
    let started = Instant::now();
    loop {
        let now = std::fs::metadata(&services).and_then(|file| file.modified()).ok();
        if now.is_some() && now != before {
            println!("concord is up, process {} 本地环境已在后台启动; log {}", child.id(), log.display());
            return Ok(());
        }
        if let Some(status) = child.try_wait().map_err(failed)? {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(CliError::failed(format!("concord up ended with {status}:\n{said}")));
        }
        if started.elapsed() > READY_WITHIN {
            return Err(CliError::failed(format!("it does not answer yet; look into {}", log.display())));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn stop(dir: &Path) -> Result<(), CliError> {
    match stack::stop_running(dir).await.map_err(failed)? {
        Stopped::NothingRan => println!("nothing ran 没有运行的环境"),
        Stopped::Supervisor { pid } => println!("stopped process {pid} and its servers 已停止"),
        Stopped::Orphans => {
            println!("stopped the servers that a killed process had left 已停止遗留的服务")
        }
    }
    Ok(())
}

fn status(dir: &Path, json: bool) -> Result<(), CliError> {
    let status = stack::status(dir).map_err(failed)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&status).map_err(failed)?);
        return Ok(());
    }
    match status.state {
        StackState::Absent => println!("{}: no stack 没有本地环境", dir.display()),
        StackState::Stopped => println!("{}: stopped 已停止", dir.display()),
        StackState::Running { supervisor_pid } => {
            let pid = supervisor_pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string());
            println!("{}: running, process {pid} 运行中", dir.display());
            if let Ok(services) = std::fs::read_to_string(dir.join(SERVICES_FILE)) {
                println!("{services}");
            }
        }
        StackState::Orphaned => println!(
            "{}: its process was killed; the next `concord up` takes its servers over 进程已被杀死",
            dir.display()
        ),
    }
    Ok(())
}

fn failed(error: impl std::error::Error) -> CliError {
    CliError::failed(in_full(&error))
}
