//! A flame graph of the write path: fund-grant and its writer's PostgreSQL backend, 256 commands in flight.

use crate::bench::Bench;
use crate::load::closed;
use crate::process::tied;
use crate::results::FLAME;
use anyhow::{Context, Result, ensure};
use concord_tests::stack::repository;
use inferno::collapse::Collapse;
use inferno::collapse::perf::Folder;
use inferno::flamegraph;
use nix::sys::signal::Signal;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::Stdio;

const IN_FLIGHT: usize = 256;
/// Samples a second: not a divisor of what else happens on a timer.
const FREQUENCY: &str = "499";
/// Bytes of stack that are kept with a sample, to be unwound afterwards: neither Rust nor Debian keeps frame pointers.
const CALL_GRAPH: &str = "dwarf,65528";

/// Profiles a load and draws it.
pub(crate) async fn draw(bench: &mut Bench) -> Result<()> {
    let data = bench.options.out.canonicalize()?.join("perf.data");
    let lanes = bench.payments("flame", 20_000.0, IN_FLIGHT * 2).await?;
    bench.quiet().await?;
    let clients = bench.clients(IN_FLIGHT).await?;
    let processes = format!("{},{}", bench.fund.process().pid(), writer_backend(bench).await?);
    // The processor's own counters are not there on every virtual machine, its clock is.
    let mut perf = tied(Path::new("perf"), Signal::SIGINT);
    perf.args(["record", "--freq", FREQUENCY, "--event", "cpu-clock", "--call-graph", CALL_GRAPH]);
    perf.args(["--pid", &processes, "--output"]).arg(&data);
    let output = bench.options.out.join("perf.log");
    let mut recorder = crate::process::Process::start("perf", perf, Signal::SIGINT, &output)?;
    closed(&bench.plan(&clients), &lanes, IN_FLIGHT).await?;
    recorder.stop().await;
    bench.supply.give_back(&lanes);
    fold_and_draw(&data)?;
    println!("the flame graph is in tests/bench/{FLAME}");
    Ok(())
}

async fn writer_backend(bench: &Bench) -> Result<i32> {
    let client = bench.cluster.connect("fund_grant").await?;
    let query = "SELECT pid FROM pg_stat_activity
                 WHERE application_name = 'concord-writer' AND datname = current_database()";
    Ok(client.query_one(query, &[]).await.context("the writer's backend")?.get(0))
}

fn fold_and_draw(data: &Path) -> Result<()> {
    let mut script = tied(Path::new("perf"), Signal::SIGTERM);
    script.args(["script", "--no-inline", "--input"]).arg(data).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut script = script.spawn().context("perf cannot be started; Debian has it in linux-perf")?;
    let samples = script.stdout.take().context("perf script has no output")?;
    let mut folded = Vec::new();
    Folder::default().collapse(BufReader::new(samples), &mut folded)?;
    ensure!(script.wait()?.success(), "perf script failed");
    ensure!(!folded.is_empty(), "perf took no samples");
    let mut options = flamegraph::Options::default();
    options.title = "Write path: fund-grant and its PostgreSQL backend, 256 commands in flight".to_owned();
    options.min_width = 0.2;
    let file = File::create(repository().join("tests/bench").join(FLAME))?;
    Ok(flamegraph::from_reader(&mut options, folded.as_slice(), file)?)
}
