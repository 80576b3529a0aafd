//! (e) One client's commands on aggregates of 10 and of 10,000 events, in logs of 10 thousand and of 2 million: warm,
//! one command after the other in ever new order; then cold, the service started anew.

use crate::bench::Bench;
use crate::client::Client;
use crate::figures::Round;
use crate::load::{histogram, micros};
use crate::logs::{Logs, SMALL_AGGREGATES, addition};
use crate::options::Options;
use crate::payments::Call;
use anyhow::Result;
use hdrhistogram::Histogram;
use rand::seq::SliceRandom;
use std::time::Instant;

/// Commands of each kind before they are measured: each aggregate is in the cache then.
const WARM_UP: usize = SMALL_AGGREGATES;
/// Commands on one aggregate after a start, before cold ones are measured.
const CONNECTIONS_WARM_UP: usize = 50;
/// Measured commands of each kind, for each second of a measurement.
const WARM_PER_SECOND: u32 = 100;
/// Starts of each service; each gives one cold command on its large aggregate.
const STARTS: usize = 3;
/// Cold commands on small aggregates after each start.
const COLD_SMALL: usize = 10;

/// The four kinds of command.
const KINDS: [&str; 4] = ["small_log.10", "large_log.10", "small_log.10000", "large_log.10000"];

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let mut logs = bench.take_logs(round).await?;
    let mut warm = histograms()?;
    let mut clients = [logs.small.client().await?, logs.large.client().await?];
    let measured = WARM_PER_SECOND as usize * bench.options.seconds as usize;
    let mut kinds = [0, 1, 2, 3];
    for number in 0..WARM_UP + measured {
        // The disk has rhythms of its own: no kind may always follow the same other one.
        kinds.shuffle(&mut rand::rng());
        for kind in kinds {
            let call = call(&mut logs, kind);
            let latency_us = timed(&mut clients[kind % 2], call).await?;
            if number >= WARM_UP {
                warm[kind].record(latency_us)?;
            }
        }
    }
    drop(clients);
    note(round, "warm", &warm);
    let cold = cold(&bench.options, &mut logs).await?;
    note(round, "cold", &cold);
    bench.logs = Some(logs);
    Ok(())
}

fn call(logs: &mut Logs, kind: usize) -> Call {
    match kind {
        0 => logs.small.on_small(),
        1 => logs.large.on_small(),
        2 => logs.small.on_large(),
        _ => logs.large.on_large(),
    }
}

async fn timed(client: &mut Client, call: Call) -> Result<u64> {
    let sent = Instant::now();
    client.send(call).await?;
    Ok(micros(sent.elapsed()))
}

/// The first command on each of some aggregates after a start. One small aggregate is used up beforehand, so that it
/// is the aggregate that is cold and not the connections.
async fn cold(options: &Options, logs: &mut Logs) -> Result<[Histogram<u64>; 4]> {
    let mut cold = histograms()?;
    for _ in 0..STARTS {
        tokio::try_join!(logs.small.restart(options), logs.large.restart(options))?;
        let mut clients = [logs.small.client().await?, logs.large.client().await?];
        for (grown, client) in [&mut logs.small, &mut logs.large].into_iter().zip(&mut clients) {
            let programme = grown.next_small();
            for _ in 0..CONNECTIONS_WARM_UP {
                timed(client, addition(&programme)).await?;
            }
        }
        for kind in [0, 1].repeat(COLD_SMALL).into_iter().chain([2, 3]) {
            let call = call(logs, kind);
            cold[kind].record(timed(&mut clients[kind % 2], call).await?)?;
        }
    }
    Ok(cold)
}

fn note(round: &mut Round, name: &str, found: &[Histogram<u64>; 4]) {
    let medians = found.each_ref().map(|histogram| histogram.value_at_quantile(0.5) as f64);
    for (kind, median) in KINDS.iter().zip(medians) {
        round.note(format!("growth.{name}.{kind}.p50_us"), median);
    }
    let worst = medians.into_iter().fold(0.0, f64::max);
    let best = medians.into_iter().fold(f64::INFINITY, f64::min);
    round.note(format!("growth.{name}_worst_to_best"), worst / best);
}

fn histograms() -> Result<[Histogram<u64>; 4]> {
    Ok([histogram()?, histogram()?, histogram()?, histogram()?])
}
