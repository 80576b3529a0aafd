//! `make bench`: Concord measured against pgbench, cqrs-es and NATS alone, in one run, in alternating rounds.
//!
//! Everything runs on this machine: one private durable PostgreSQL, one nats-server, `concord-fund-grant` and
//! `concord-funding-audit` in processes of their own, and the load in this one, on one thread. All of it ends with it.
//!
//! | module | what is there |
//! |---|---|
//! | [`sections`] | what is measured, one file a section |
//! | [`load`], [`client`], [`wire`], [`transport`] | closed and open loops, and a gRPC client that costs little |
//! | [`supply`], [`awards`], [`payments`] | real grants, and the commands that pay them |
//! | [`logs`] | a small and a large log beside the main one |
//! | [`cluster`], [`services`], [`process`] | the servers |
//! | [`figures`], [`ratios`], [`report`], [`results`] | what was found, what was promised, and both for people |
//! | [`flame`] | a profile of the write path |
#![allow(clippy::float_arithmetic, reason = "figures are measured, and no money is among them")]

mod awards;
mod bench;
mod client;
mod cluster;
mod figures;
mod flame;
mod load;
mod logs;
mod machine;
mod options;
mod payments;
mod process;
mod ratios;
mod report;
mod results;
mod sections;
mod services;
mod supply;
mod transport;
mod wire;

use anyhow::{Result, bail};
use bench::Bench;
use clap::Parser;
use figures::Round;
use machine::Machine;
use options::Options;
use report::Summary;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

/// What the names of scratch directories begin with; the process that each belongs to follows.
const SCRATCH: &str = "concord-bench-";

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match begin(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("concord-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn begin(options: Options) -> Result<()> {
    // One thread: a load that hops between cores takes more of them from what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::task::LocalSet::new().run_until(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            ended = run(options) => ended,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminate.recv() => bail!("terminated"),
        }
    }))
}

async fn run(mut options: Options) -> Result<()> {
    std::fs::create_dir_all(&options.out)?;
    options.nats_server = options.nats_server.canonicalize().unwrap_or(options.nats_server);
    let scratch = scratch(&options)?;
    let machine = Machine::look(&options, scratch.path())?;
    println!("{machine}");
    let mut bench = Bench::start(options.clone(), scratch.path()).await?;
    let mut rounds = Vec::new();
    for number in 0..options.rounds {
        println!("round {} of {}", number + 1, options.rounds);
        bench.cluster.checkpoint().await?;
        rounds.push(round(&mut bench, number).await?);
        // Written after every round, so that a run which is broken off leaves what it has found.
        Summary::of(&options, machine.clone(), &rounds).write(&options)?;
    }
    bench.quiet().await?;
    bench.audit.check().await?;
    if options.flame {
        flame::draw(&mut bench).await?;
    }
    let summary = Summary::of(&options, machine, &rounds);
    summary.print();
    if options.write_results {
        results::write(&summary)?;
    }
    Ok(())
}

/// Every other round goes backwards, so that no section always has the smaller database.
async fn round(bench: &mut Bench, number: u32) -> Result<Round> {
    let mut sections = bench.options.sections();
    if number % 2 == 1 {
        sections.reverse();
    }
    let mut round = Round::default();
    for section in sections {
        let started = Instant::now();
        sections::run(section, bench, &mut round).await?;
        println!("  {section:?} took {:.0} s", started.elapsed().as_secs_f64());
    }
    Ok(round)
}

/// A directory for the servers' data that is deleted at the end. What a killed run has left is deleted first.
fn scratch(options: &Options) -> Result<TempDir> {
    let parent = options.scratch.clone().unwrap_or_else(std::env::temp_dir);
    for entry in std::fs::read_dir(&parent)? {
        let entry = entry?;
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(SCRATCH)?.split_once('-'));
        let gone = |pid: u32| !Path::new("/proc").join(pid.to_string()).exists();
        if owner.and_then(|(pid, _)| pid.parse().ok()).is_some_and(gone) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    let directory = tempfile::Builder::new()
        .prefix(&format!("{SCRATCH}{}-", std::process::id()))
        // Others must be able to pass through it: PostgreSQL may run as another user.
        .permissions(Permissions::from_mode(0o711))
        .tempdir_in(parent)?;
    Ok(directory)
}
