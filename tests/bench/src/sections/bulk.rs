//! (h) The same payments over the bulk stream, with relay and projection running.

use crate::bench::Bench;
use crate::client::CHUNK_COMMANDS;
use crate::figures::Round;
use anyhow::Result;
use std::time::Instant;

/// Commands a second to prepare for where nothing is known yet.
const GUESS: f64 = 15_000.0;

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let mut client = bench.clients(1).await?.remove(0);
    let commands = bench.commands("bulk", GUESS);
    let chunks = bench.supply.chunks(&mut client, commands).await?;
    let commands = chunks.len() * CHUNK_COMMANDS;
    bench.quiet().await?;

    let started = Instant::now();
    let last_position = client.bulk(chunks.into_iter()).await?;
    let answered = Instant::now();
    bench.audit.applied(last_position).await?;
    let per_second = commands as f64 / (answered - started).as_secs_f64();
    round.note("bulk.per_second", per_second);
    round.note("bulk.until_queried_s", answered.elapsed().as_secs_f64());
    round.note("bulk.queried_per_second", commands as f64 / started.elapsed().as_secs_f64());
    Ok(())
}
