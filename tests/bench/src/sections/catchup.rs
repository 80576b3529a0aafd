//! (g) A new funding audit reads the log of the load from its beginning.

use crate::bench::Bench;
use crate::figures::Round;
use crate::services::Audit;
use anyhow::Result;
use std::time::Instant;

/// Events to be there before it begins; with many more the time would only grow.
const EVENTS: u64 = 300_000;

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    bench.at_least(EVENTS).await?;
    bench.cluster.create("catching_up").await?;
    let url = bench.cluster.url("catching_up");
    let started = Instant::now();
    let audit = Audit::start(&bench.options, &url, bench.nats.url(), &bench.fund, "catching-up").await?;
    audit.applied(EVENTS).await?;
    round.note("catchup.per_second", EVENTS as f64 / started.elapsed().as_secs_f64());
    drop(audit);
    bench.cluster.drop("catching_up").await
}
