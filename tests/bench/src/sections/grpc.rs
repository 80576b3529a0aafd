//! (c) Payments of many grants over gRPC, with relay and projection running; and (c′) with both at rest.

use crate::bench::{Bench, note, note_cost};
use crate::figures::Round;
use crate::load::{Measured, closed, open};
use anyhow::{Result, ensure};
use concord_tests::stack::Frozen;
use std::time::{Duration, Instant};

/// Commands a second to prepare for where nothing is known yet.
fn guess(in_flight: usize) -> f64 {
    match in_flight {
        0..4 => 5_000.0,
        4..32 => 15_000.0,
        _ => 30_000.0,
    }
}

/// Shares of the best throughput at which commands arrive in the open loops, in per cent.
const OPEN_PERCENT: [u32; 2] = [50, 80];
/// Grants of an open loop: more than ever wait for an answer where the service keeps up.
const OPEN_LANES: usize = 4096;

/// (c): closed loops, then open ones at shares of the best; then how much memory the service holds.
pub(crate) async fn with_all(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let mut lag = Duration::ZERO;
    for in_flight in bench.options.in_flight.clone() {
        let measured = closed_loop(bench, round, "grpc", in_flight, true).await?;
        lag = lag.max(lag_a_second_after(bench, &measured).await?);
    }
    round.note("grpc.lag_s", lag.as_secs_f64());
    let best = round.best("grpc", "per_second").unwrap_or_default();
    for percent in OPEN_PERCENT {
        open_loop(bench, round, best, percent).await?;
    }
    round.note("grpc.rss_mib", bench.fund.process().resident_mib()?);
    Ok(())
}

/// (c′): nats-server and the projection are stopped by signal, so that neither costs anything; the relay waits for the
/// acknowledgements that do not come.
pub(crate) async fn alone(bench: &mut Bench, round: &mut Round) -> Result<()> {
    bench.quiet().await?;
    let nats = Frozen::with_descendants(bench.nats.process().pid())?;
    let audit = Frozen::with_descendants(bench.audit.process().pid())?;
    let published = bench.fund.status().await?.published;
    for in_flight in bench.options.in_flight.clone() {
        closed_loop(bench, round, "grpc_alone", in_flight, false).await?;
    }
    let after = bench.fund.status().await?.published;
    ensure!(after == published, "the relay was to rest, and has published {published} to {after}");
    nats.thaw();
    audit.thaw();
    bench.quiet().await
}

async fn closed_loop(
    bench: &mut Bench,
    round: &mut Round,
    name: &str,
    in_flight: usize,
    relayed: bool,
) -> Result<Measured> {
    let name = format!("{name}.{in_flight}");
    let lanes = bench.payments(&name, guess(in_flight), in_flight * 2).await?;
    if relayed {
        bench.quiet().await?;
    }
    let clients = bench.clients(in_flight).await?;
    let before = bench.processor_times();
    let measured = closed(&bench.plan(&clients), &lanes, in_flight).await?;
    let after = bench.processor_times();
    bench.supply.give_back(&lanes);
    bench.reached(&name, measured.per_second());
    note(round, &name, &measured);
    note_cost(round, &name, before, after, measured.all_answers);
    Ok(measured)
}

async fn open_loop(bench: &mut Bench, round: &mut Round, best: f64, percent: u32) -> Result<()> {
    let name = format!("grpc_open.{percent}");
    let rate = best * f64::from(percent) / 100.0;
    let lanes = bench.payments(&name, rate * 1.1, OPEN_LANES).await?;
    bench.quiet().await?;
    let clients = bench.clients(bench.options.in_flight.iter().copied().max().unwrap_or(1)).await?;
    let measured = open(&bench.plan(&clients), &lanes, rate).await?;
    bench.supply.give_back(&lanes);
    note(round, &name, &measured);
    Ok(())
}

/// How long past the moment one second after the load the projection took to apply its last event.
async fn lag_a_second_after(bench: &Bench, measured: &Measured) -> Result<Duration> {
    let due = measured.ended + Duration::from_secs(1);
    bench.audit.applied(measured.last_position).await?;
    Ok(Instant::now().saturating_duration_since(due))
}
