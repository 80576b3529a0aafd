//! `concord log recover`: how PostgreSQL and the stream of a log stand to each other, and how the log goes on.
//!
//! Without a way chosen it only looks. It talks to the database and to NATS, not to the service: that refuses to write, or
//! does not run.

use std::path::Path;

use clap::Args;
use concord_chassis::log::Domain;
use concord_chassis::log::recover::{self, Choice, Findings, Obstacle, RecoverError, Recovered, Target, Way};
use serde_json::{Value, json};

use super::report;
use crate::connect::{Actor, acting};
use crate::errors::{CliError, with_causes};
use crate::local::database;
use crate::output::{Format, print_fields, print_json};
use crate::progress::Progress;
use crate::stack;

/// Where the log is, and how it goes on.
#[derive(Debug, Args)]
#[command(
    after_help = "Without a way it only compares. Exit codes 退出码: 0 recovered or nothing to recover, 1 failed, \
    3 to be recovered, 4 that way cannot be gone, 5 a service still writes the log, 64 usage."
)]
pub struct RecoverArgs {
    /// Nothing was lost: go on on this PostgreSQL, as after a planned promotion 确认时间线
    #[arg(long, conflicts_with_all = ["refill_from_stream", "new_generation"], requires = "reason")]
    accept_timeline: bool,
    /// Take from the stream what PostgreSQL lost 从消息流补回
    #[arg(long, requires = "reason")]
    refill_from_stream: bool,
    /// Accept PostgreSQL as it is, and begin a new generation: new source, stream and projections 开启新一代
    #[arg(long, requires = "reason")]
    new_generation: bool,
    /// Why it was decided so; kept with the log 理由
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Database of the log; the local stack's where absent 日志数据库
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", requires = "nats_url")]
    database_url: Option<String>,
    /// NATS server of its stream; the local stack's where absent 消息服务器
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL", requires = "database_url")]
    nats_url: Option<String>,
}

impl RecoverArgs {
    fn way(&self) -> Option<Way> {
        match (self.accept_timeline, self.refill_from_stream, self.new_generation) {
            (true, _, _) => Some(Way::AcceptTimeline),
            (_, true, true) => Some(Way::RefillAndNewGeneration),
            (_, true, false) => Some(Way::Refill),
            (_, false, true) => Some(Way::NewGeneration),
            (false, false, false) => None,
        }
    }

    /// Where the log is, and whether that is the local stack.
    fn target(&self, dir: &Path, log: &str) -> Result<(Target, bool), CliError> {
        if let (Some(database_url), Some(nats_url)) = (&self.database_url, &self.nats_url) {
            return Ok((Target { database_url: database_url.clone(), nats_url: nats_url.clone() }, false));
        }
        let status = stack::status(dir).map_err(|error| CliError::failed(with_causes(&error)))?;
        match (status.database_url_base, status.nats_url) {
            (Some(base), Some(nats_url)) => {
                Ok((Target { database_url: format!("{base}/{}", database(log)), nats_url }, true))
            }
            _ => Err(CliError::usage(format!(
                "no local stack runs in {}: start it with `concord up`, or name the log with --database-url and --nats-url \
                 本地环境未运行，请先启动，或用 --database-url 与 --nats-url 指定日志",
                dir.display()
            ))),
        }
    }
}

/// Looks, and recovers where a way is chosen.
///
/// # Errors
/// [`CliError::RecoveryNeeded`] where none is chosen and one must be, [`CliError::RecoveryRefused`] where the chosen one
/// cannot be gone, [`CliError::LogInUse`] where a service still writes.
pub async fn run<D: Domain>(
    dir: &Path,
    actor: Option<Actor>,
    args: RecoverArgs,
    format: Format,
) -> Result<(), CliError> {
    let (target, local) = args.target(dir, D::LOG)?;
    let Some(way) = args.way() else {
        return look::<D>(&target, format).await;
    };
    let actor = acting(actor, local)?;
    let reason = args.reason.unwrap_or_default();
    if reason.trim().is_empty() {
        return Err(CliError::usage(
            "say why, with --reason: it is kept with the log 请用 --reason 说明理由",
        ));
    }
    let decided_by = format!("{}@{}", actor.person, actor.organisation);
    let choice = Choice { way, decided_by, reason };
    // First what it finds, so that whoever decides has seen it, also where the way is refused.
    let findings = examine::<D>(&target).await?;
    if format == Format::Table {
        report::print(&findings);
    }
    let mut progress = Told::default();
    let recovered = recover::recover::<D>(&target, &choice, |done, total| progress.reach(done, total))
        .await
        .map_err(failed)?;
    progress.finish();
    conclude(&recovered, way, format);
    Ok(())
}

/// Compares, prints what it found, and says by the exit code whether somebody has to decide.
async fn look<D: Domain>(target: &Target, format: Format) -> Result<(), CliError> {
    let findings = examine::<D>(target).await?;
    match format {
        Format::Json => print_json(&report::json(&findings)),
        Format::Table => report::print(&findings),
    }
    if findings.needs_recovery() { Err(CliError::RecoveryNeeded) } else { Ok(()) }
}

async fn examine<D: Domain>(target: &Target) -> Result<Findings, CliError> {
    let mut progress = Told::default();
    let findings = recover::examine::<D>(target, |done, total| progress.reach(done, total)).await;
    progress.finish();
    findings.map_err(failed)
}

fn conclude(recovered: &Recovered, way: Way, format: Format) {
    let refilled = recovered.head - recovered.findings.head;
    if format == Format::Json {
        return print_json(&recovered_json(recovered, way, refilled));
    }
    print_fields(&[
        ("recovered 已恢复", way.name().to_owned()),
        ("refilled 已补回", format!("{refilled} event(s)")),
        ("head 最新位置", recovered.head.to_string()),
        ("generation 代", recovered.generation.to_string()),
        ("trace 记录", format!("row {} of the table recoveries", recovered.number)),
    ]);
    if refilled > 0 {
        println!(
            "The stream does not carry the texts of personal data, the bodies of commands, nor answers to commands that changed \
             nothing: of what was refilled, enter the texts again.\n\
             消息流不含个人信息原文、操作正文及无变化操作的答复：补回部分的个人信息原文须重新录入。"
        );
    }
    println!("start every service of this log again 请重新启动该日志的所有服务");
}

fn recovered_json(recovered: &Recovered, way: Way, refilled: u64) -> Value {
    json!({
        "way": way.name(),
        "findings": report::json(&recovered.findings),
        "refilled": refilled,
        "head": recovered.head,
        "generation": recovered.generation,
        "recovery": recovered.number,
    })
}

fn failed(error: RecoverError) -> CliError {
    match error {
        RecoverError::InUse(_) => CliError::LogInUse(error.to_string()),
        RecoverError::NotPossible(obstacle) => CliError::RecoveryRefused(refused(obstacle)),
        other => CliError::failed(with_causes(&other)),
    }
}

fn refused(obstacle: Obstacle) -> String {
    format!("this way cannot be gone: {obstacle}\n不能采用该方式：{}", report::obstacle_zh(obstacle))
}

/// Progress of what is compared, and then of what is refilled: each has a total of its own.
#[derive(Default)]
struct Told(Option<(u64, Progress)>);

impl Told {
    fn reach(&mut self, done: u64, total: u64) {
        if self.0.as_ref().is_none_or(|(of, _)| *of != total) {
            self.finish();
            self.0 = Some((total, Progress::new("positions 位置", total)));
        }
        if let Some((_, progress)) = &mut self.0 {
            progress.reach(done);
        }
    }

    fn finish(&mut self) {
        if let Some((_, mut progress)) = self.0.take() {
            progress.finish();
        }
    }
}
