//! (f) A million events of the large log: `ReadLog` over gRPC, and COPY of the same rows out of PostgreSQL.

use crate::bench::Bench;
use crate::figures::Round;
use crate::logs::Logs;
use anyhow::{Result, ensure};
use concord_proto::log::v1::ReadLogRequest;
use futures::TryStreamExt;
use std::pin::pin;
use std::time::Instant;

const EVENTS: u64 = 1_000_000;
/// A chunk of the log may have 3 MiB of events, and what gRPC adds.
const MESSAGE_BYTES_MAX: usize = 8 << 20;

pub(crate) async fn run(bench: &mut Bench, round: &mut Round) -> Result<()> {
    let logs = bench.take_logs(round).await?;
    let started = Instant::now();
    let events = read_log(&logs).await?;
    round.note("readlog.per_second", events as f64 / started.elapsed().as_secs_f64());
    let started = Instant::now();
    let rows = copy(bench, &logs).await?;
    round.note("readlog.copy_per_second", rows as f64 / started.elapsed().as_secs_f64());
    ensure!(events == EVENTS && rows == EVENTS, "{events} events and {rows} rows of {EVENTS}");
    bench.logs = Some(logs);
    Ok(())
}

async fn read_log(logs: &Logs) -> Result<u64> {
    let mut log = logs.large.fund.log().max_decoding_message_size(MESSAGE_BYTES_MAX);
    let request = ReadLogRequest { from_position: 1, to_position: EVENTS };
    let mut chunks = log.read_log(request).await?.into_inner();
    let mut next = 1;
    while let Some(chunk) = chunks.message().await? {
        for event in chunk.events {
            ensure!(event.position == next && !event.cloud_event.is_empty(), "event {next} is not there");
            next += 1;
        }
    }
    Ok(next - 1)
}

/// In binary, which leaves the documents as they are whatever type their column has.
async fn copy(bench: &Bench, logs: &Logs) -> Result<u64> {
    let client = bench.cluster.connect(logs.large.database()).await?;
    let statement = format!(
        "COPY (SELECT position, record FROM events WHERE position <= {EVENTS} ORDER BY position)
         TO STDOUT (FORMAT binary)"
    );
    let mut messages = pin!(client.copy_out(&statement).await?);
    let mut rows = 0;
    // One message a row, the first with the header and the last with the trailer.
    while let Some(message) = messages.try_next().await? {
        rows += u64::from(message.len() > TRAILER_BYTES);
    }
    Ok(rows)
}

/// Length of what ends a binary COPY.
const TRAILER_BYTES: usize = 2;
